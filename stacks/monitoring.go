package stacks

import (
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/telekom/controlplane-infrastructure/components/monitoring"
	"github.com/telekom/controlplane-infrastructure/components/monitoring/exporters"
	"github.com/telekom/controlplane-infrastructure/components/monitoring/names"
	"github.com/telekom/controlplane-infrastructure/components/monitoring/prometheus"
	"github.com/telekom/controlplane-infrastructure/components/monitoring/rules"
	"github.com/telekom/controlplane-infrastructure/components/storage"
	"github.com/telekom/controlplane-infrastructure/components/storage/minio"
	"github.com/telekom/controlplane-infrastructure/components/storage/postgresql"
	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/internal/part"
	"github.com/telekom/controlplane-infrastructure/stacks/config"
)

// scraper is what reads metrics: the platform's own Prometheus, or whatever runs in namespaces that say so.
func (s *stack) scraper() flow.Peer {
	if s.cfg.Monitoring.Installed() {
		return flow.Peer{Namespace: names.Namespace, Pods: names.Selector(names.Prometheus)}
	}
	return flow.Peer{Name: "Prometheus", NamespaceLabels: map[string]string{monitoring.ScrapeLabel: monitoring.ScrapeLabelValue}}
}

// monitoringArgs are those of the monitoring that need nothing registered, once it is clear that they can work; nil: it has
// another owner.
func (s *stack) monitoringArgs(databases map[string]postgresql.Connection) (*monitoring.Args, error) {
	cfg := s.cfg.Monitoring
	if !cfg.Installed() {
		return nil, nil
	}
	args := &monitoring.Args{
		Common: s.common(), Grafana: s.grafana(databases),
		Operator: monitoring.Operator{
			Image: cfg.Operator.Image, WebhookImage: cfg.Operator.WebhookImage, ReloaderImage: cfg.Operator.ReloaderImage,
			SecretNamespaces: cfg.Operator.SecretNamespaces,
		},
		Prometheus: s.prometheus(), Alertmanager: s.alertmanager(), Exporters: s.exporters(), Rules: s.rules(),
	}
	args.Dashboards = s.dashboards(args.Rules)
	if err := args.Check(); err != nil {
		return nil, s.invalid("monitoring", err)
	}
	return args, nil
}

func (s *stack) prometheus() prometheus.Args {
	cfg := s.cfg.Monitoring.Prometheus
	args := prometheus.Args{
		Image: cfg.Image, Replicas: cfg.Replicas, ScrapeInterval: duration(cfg.ScrapeInterval),
		// In bytes, since Prometheus takes both K and Ki for 1024.
		Retention: prometheus.Retention{Time: cfg.Retention.Time, Size: fmt.Sprintf("%dB", cfg.Retention.Size.Value())},
		Volume:    volume(cfg.Volume), Resources: requirements(cfg.Resources), ExternalLabels: cfg.ExternalLabels,
	}
	for _, w := range cfg.RemoteWrite {
		write := prometheus.RemoteWrite{Name: w.Name, URL: w.URL}
		if w.BasicAuth != nil {
			write.BasicAuth = &prometheus.BasicAuth{Username: w.BasicAuth.Username, Password: secret(w.BasicAuth.Password)}
		}
		if w.BearerToken.IsSet() {
			write.BearerToken = secret(w.BearerToken)
		}
		args.RemoteWrite = append(args.RemoteWrite, write)
	}
	if cfg.Thanos != nil {
		args.Thanos = s.thanos(*cfg.Thanos)
	}
	return args
}

func (s *stack) thanos(cfg config.Thanos) *prometheus.Thanos {
	objects := cfg.ObjectStorage
	t := &prometheus.Thanos{
		Image: cfg.Image, Resources: requirements(cfg.Resources), Port: portOf(objects.Endpoint),
		Store: part.ObjectStore{
			EndpointURL: pulumi.String("https://" + objects.Endpoint), Region: objects.Region, Bucket: objects.Bucket,
			Keys: &part.Keys{AccessKey: pulumi.String(objects.AccessKey), SecretKey: secret(objects.SecretKey)},
		},
	}
	ours, _, _ := strings.Cut(minio.Endpoint, ":") // also with the domain of the cluster behind it
	if s.cfg.Storage.ObjectStorage.Backend == config.ObjectsMinIO && strings.HasPrefix(objects.Endpoint, ours) {
		t.Pods = minio.Servers()
	}
	return t
}

// portOf is the port of an endpoint, or that of HTTPS.
func portOf(endpoint string) int {
	if _, text, err := net.SplitHostPort(endpoint); err == nil {
		if port, err := strconv.Atoi(text); err == nil {
			return port
		}
	}
	return 443
}

// duration is written as Prometheus and Alertmanager have it: 4h rather than 4h0m0s.
func duration(d config.Duration) string {
	text := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, zero) {
			text = text[:len(text)-2]
		}
	}
	return text
}

func (s *stack) exporters() exporters.Args {
	cfg := s.cfg.Monitoring.Exporters
	args := exporters.Args{
		KubeStateMetrics: exporters.Program{Image: cfg.KubeStateMetrics.Image, Resources: requirements(cfg.KubeStateMetrics.Resources)},
		Kubelet:          cfg.Kubelet, SkipKubeletVerification: cfg.SkipKubeletVerification, APIServer: cfg.APIServer,
	}
	if cfg.NodeExporter.Enabled {
		args.NodeExporter = &exporters.Program{Image: cfg.NodeExporter.Image, Resources: requirements(cfg.NodeExporter.Resources)}
	}
	if cfg.CoreDNS {
		dns := s.cfg.Network.Policies.DNS
		args.CoreDNS = &flow.Peer{Namespace: dns.Namespace, Pods: dns.Pods}
	}
	if e := cfg.Etcd; e != nil {
		args.Etcd = &exporters.Etcd{Endpoints: e.Endpoints, Port: e.Port, ClientSecret: e.ClientSecret, ServerName: e.ServerName}
	}
	return args
}

// rules watch what the stack has.
func (s *stack) rules() rules.Args {
	cfg := s.cfg.Monitoring
	args := rules.Args{
		Disabled: cfg.Alerts.Disabled, Severity: map[string]string{}, RunbookBase: cfg.Alerts.RunbookBaseURL,
		PostgreSQL: map[string]int{}, Valkey: s.cfg.Storage.Cache.Backend == config.Valkey, Iris: true,
		NodeExporter: cfg.Exporters.NodeExporter.Enabled, Etcd: cfg.Exporters.Etcd != nil, Grafana: cfg.ShowsGrafana(),
		RemoteWrite: len(cfg.Prometheus.RemoteWrite) > 0, CoreDNS: cfg.Exporters.CoreDNS,
		APIServer: cfg.Exporters.APIServer,
	}
	for name, severity := range cfg.Alerts.Severity {
		args.Severity[name] = string(severity)
	}
	// What AWS runs, AWS watches: its metrics are in CloudWatch.
	if data := s.cfg.Storage.PostgreSQL; data.Backend == config.CloudNativePG {
		args.Backups, args.Pooler = data.Backup.Enabled, data.Pooler.Enabled
		for _, c := range data.Clusters {
			args.PostgreSQL[c.Name] = c.Instances
		}
	}
	switch s.cfg.Storage.ObjectStorage.Backend {
	case config.ObjectsMinIO:
		args.ObjectStorage = rules.MinIO
	case config.ObjectsS3:
		args.ObjectStorage = rules.S3
	}
	if s.cfg.Network.Ingress.Existing == nil {
		args.Ingress = rules.Traefik
	}
	if m := s.cfg.Network.Mesh.Type; m != config.MeshNone {
		args.Mesh = string(m)
	}
	return args
}

// monitoring provisions the monitoring, unless it has another owner.
func (s *stack) monitoring(
	args *monitoring.Args, store *storage.Storage, iris *iris, needs []pulumi.ResourceOption,
) (*monitoring.Monitoring, error) {
	if args == nil {
		return nil, nil
	}
	args.RulesNeed = []pulumi.ResourceOption{store.Ready(), iris.Ready()}
	if g := args.Grafana; g != nil {
		cfg := s.cfg.Monitoring.Grafana
		if g.Database != nil {
			database := store.Databases[cfg.Database]
			g.Database.Host, g.Database.Password = database.Primary, database.Password
			args.GrafanaNeeds = append(args.GrafanaNeeds, store.Ready())
		}
		if g.OIDC != nil {
			g.OIDC.ClientSecret = iris.realms[cfg.OIDC.Realm].Secrets[grafanaClient]
		}
	}
	return monitoring.New(s.ctx, "monitoring", *args, needs...)
}

// monitoringOutputs tell where it is.
func monitoringOutputs(m *monitoring.Monitoring) pulumi.Map {
	if m == nil {
		return pulumi.Map{}
	}
	outputs := pulumi.Map{
		"monitoringNamespace": pulumi.String(m.Namespace),
		"prometheusUrl":       pulumi.String(m.PrometheusURL), "alertmanagerUrl": pulumi.String(m.AlertmanagerURL),
	}
	if m.GrafanaURL != "" {
		outputs["grafanaUrl"], outputs["grafanaAdminUser"] = pulumi.String(m.GrafanaURL), pulumi.String(m.GrafanaUser)
		outputs["grafanaAdminPassword"] = m.GrafanaPassword
	}
	return outputs
}
