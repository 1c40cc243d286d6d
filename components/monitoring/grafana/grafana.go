package grafana

import (
	"encoding/json"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/telekom/controlplane-infrastructure/components/monitoring/names"
	"github.com/telekom/controlplane-infrastructure/internal/certmanager"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/part"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
)

const (
	port     = names.GrafanaPort
	portName = "https"

	settingsMap = names.Grafana + "-settings"
	certificate = names.Grafana + "-tls"
	publicTLS   = names.Grafana + "-public-tls"

	// contentsDigest changes with what Grafana reads only when it starts.
	contentsDigest = "controlplane.io/contents"
)

// Set is everything of Grafana: the namespace with the trust bundle has to be there.
func (a Args) Set(s Secrets) (manifest.Set, error) {
	if err := a.Check(); err != nil {
		return manifest.Set{}, fmt.Errorf("grafana: %w", err)
	}
	files, err := a.files("")
	if err != nil {
		return manifest.Set{}, fmt.Errorf("grafana: %w", err)
	}
	credentials, err := a.credentials(s)
	if err != nil {
		return manifest.Set{}, fmt.Errorf("grafana: %w", err)
	}
	objects := a.configuration(files)
	objects = append(objects,
		&corev1.ServiceAccount{ObjectMeta: meta(names.Grafana), AutomountServiceAccountToken: new(false)},
		a.certificate(), service(), a.deployment(),
	)
	if a.Database == nil {
		objects = append(objects, a.claim())
	}
	if a.Hostname != "" {
		objects = append(objects, a.entry()...)
	}
	if a.ServiceMonitor {
		objects = append(objects, a.serviceMonitor())
	}
	set, err := manifest.Typed(objects...)
	if err != nil {
		return set, err
	}
	if set, err = a.Workloads(manifest.Merge(credentials, set), a.Classes.Resources(workload.Operator)); err != nil {
		return set, fmt.Errorf("grafana: %w", err)
	}
	return set, a.finish(set, s)
}

// finish adds what is known only at run time: new settings and passwords start new pods.
func (a Args) finish(set manifest.Set, s Secrets) error {
	if claim := set.Find("PersistentVolumeClaim", names.Grafana); claim != nil {
		a.Stateful(claim)
	}
	values, err := a.values(s)
	if err != nil {
		return err
	}
	passwords := []any{s.MetricsPassword}
	for _, key := range []string{secretKeyKey, databaseKey, clientKey} {
		if value, given := values[key]; given {
			passwords = append(passwords, value)
		}
	}
	host := pulumi.String("").ToStringOutput()
	if a.Database != nil {
		host = a.Database.Host.ToStringOutput()
		set.Find("ConfigMap", settingsMap).Set(host.ApplyT(a.settings), "data", settingsFile)
	}
	// Of the settings with the host in them, so that another one starts new pods.
	digest := host.ApplyT(func(host string) (pulumi.StringOutput, error) {
		files, err := a.files(host)
		if err != nil {
			return pulumi.StringOutput{}, err
		}
		text, err := json.Marshal(files)
		if err != nil {
			return pulumi.StringOutput{}, fmt.Errorf("digest of the settings: %w", err)
		}
		return part.Digest(string(text), passwords...).(pulumi.StringOutput), nil
	})
	set.Find("Deployment", names.Grafana).Set(digest, "spec", "template", "metadata", "annotations", contentsDigest)
	return nil
}

// certificate is what clients in the cluster see, and who forwards a port.
func (a Args) certificate() runtime.Object {
	host := names.Host(names.Grafana)
	return certmanager.Leaf{
		Namespace: names.Namespace, Name: certificate, ClusterIssuer: a.Issuer,
		DNSNames: []string{
			host, names.Grafana, names.Grafana + "." + names.Namespace, host + ".cluster.local", "localhost",
		},
		Usages: []string{"server auth"},
	}.Object()
}

// serviceMonitor has Prometheus ask every replica, with its password, and verify that it is one.
func (a Args) serviceMonitor() runtime.Object {
	key := func(name string) map[string]any { return map[string]any{"name": metricsSecret, "key": name} }
	monitor := manifest.Custom("monitoring.coreos.com/v1", "ServiceMonitor", names.Namespace, names.Grafana, "", map[string]any{
		"selector": map[string]any{"matchLabels": names.Labels(names.Grafana)},
		"endpoints": []any{map[string]any{
			"port": portName, "scheme": "https",
			"basicAuth": map[string]any{"username": key(usernameKey), "password": key(passwordKey)},
			"tlsConfig": a.ScrapeTLS(names.Host(names.Grafana)),
		}},
	})
	monitor.SetLabels(names.Labels(names.Grafana))
	return monitor
}

func meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: names.Namespace, Name: name, Labels: names.Labels(names.Grafana)}
}
