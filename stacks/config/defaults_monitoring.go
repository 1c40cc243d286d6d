package config

import (
	"net/url"

	"k8s.io/apimachinery/pkg/api/resource"
)

// grafanaDatabase is Grafana's database where no other is named.
const grafanaDatabase = "grafana"

// implyMonitoring adds the sections of what this stack runs itself.
func implyMonitoring(monitoring map[string]any) {
	if monitoring["stack"] == string(MonitoringExisting) {
		return
	}
	for _, name := range []string{"operator", "prometheus", "alertmanager", "alerts", "exporters", "grafana"} {
		group(monitoring, name)
	}
}

func (c *Config) deriveMonitoring() {
	m := &c.Monitoring
	if m.Prometheus != nil {
		c.derivePrometheus(m.Prometheus)
	}
	if m.Alertmanager != nil {
		c.deriveAlertmanager(m.Alertmanager)
	}
	if m.Grafana != nil {
		c.deriveGrafana(m.Grafana)
	}
}

// sizes are what a profile gives a Prometheus. A sample takes up to 2 bytes on
// the volume (documentation of Prometheus, Storage), so that 100 000 series,
// collected every 30 seconds, take 9 GB in 15 days.
type sizes struct{ cpu, memory, cpuLimit, memoryLimit, volume, retention string }

func (c *Config) derivePrometheus(p *Prometheus) {
	s := sizes{"200m", "512Mi", "1000m", "2Gi", "20Gi", "15d"}
	if c.Availability == Zonal {
		s = sizes{"500m", "2Gi", "2000m", "4Gi", "50Gi", "30d"}
	}
	c.replicas(&p.Replicas, 2)
	p.Volume.follow(Volume{Size: resource.MustParse(s.volume), StorageClass: c.Storage.StorageClass})
	p.Resources.Requests.follow(ResourceAmounts{CPU: resource.MustParse(s.cpu), Memory: resource.MustParse(s.memory)})
	p.Resources.Limits.follow(ResourceAmounts{CPU: resource.MustParse(s.cpuLimit), Memory: resource.MustParse(s.memoryLimit)})
	if p.Retention.Time == "" {
		p.Retention.Time = s.retention
	}
	if p.Retention.Size.IsZero() {
		p.Retention.Size = share(p.Volume.Size, 80)
	}
	if p.Thanos != nil {
		c.deriveThanos(&p.Thanos.ObjectStorage)
	}
}

// share is a percentage of an amount of bytes, in whole mebibytes where it has
// any.
func share(of Quantity, percent int64) Quantity {
	const mebibyte = 1 << 20
	bytes := of.Value()/100*percent + of.Value()%100*percent/100
	if bytes > mebibyte {
		bytes -= bytes % mebibyte
	}
	return *resource.NewQuantity(bytes, resource.BinarySI)
}

const minioEndpoint = "minio." + NamespaceMinIO + ".svc:9000"

// deriveThanos has blocks go to where the platform's own objects are.
func (c *Config) deriveThanos(o *ThanosObjectStorage) {
	switch c.Storage.ObjectStorage.Backend {
	case ObjectsMinIO:
		if o.Endpoint == "" {
			o.Endpoint = minioEndpoint
		}
	case ObjectsS3:
		if o.Region == "" {
			o.Region = c.AWS.Region
		}
		if o.Endpoint == "" && o.Region != "" {
			o.Endpoint = "s3." + o.Region + ".amazonaws.com"
		}
	}
}

func (c *Config) deriveAlertmanager(a *Alertmanager) {
	c.replicas(&a.Replicas, 3)
	a.Volume.follow(Volume{StorageClass: c.Storage.StorageClass})
	for i := range a.Receivers {
		if w := a.Receivers[i].Webhook; w != nil && w.Port == 0 {
			w.Port = receiverPort(w.URL + w.SecretURL.Reveal()) // there is one of them
		}
		if s := a.Receivers[i].Slack; s != nil && s.Port == 0 {
			s.Port = receiverPort(s.WebhookURL.Reveal())
		}
	}
	for i := range a.Routes {
		r := &a.Routes[i]
		if len(r.Severities) == 0 {
			r.Severities = []Severity{SeverityCritical, SeverityWarning}
		}
		if r.ActiveTimes != nil && len(r.ActiveTimes.Days) == 0 {
			r.ActiveTimes.Days = []string{"monday", "tuesday", "wednesday", "thursday", "friday"}
		}
	}
}

// receiverPort is the port of a URL, and the usual one where that is not known.
func receiverPort(address string) int {
	if u, err := url.Parse(address); err == nil && u.Scheme == "http" && u.Port() == "" {
		return 80
	}
	return urlPort(address)
}

func (c *Config) deriveGrafana(g *Grafana) {
	c.replicas(&g.Replicas, 2)
	if g.Database == "" && g.Enabled && c.Availability == Zonal {
		g.Database = grafanaDatabase
	}
	if g.Volume == nil && g.Database == "" {
		g.Volume = &Volume{}
	}
	if g.Volume != nil {
		g.Volume.follow(Volume{Size: resource.MustParse("1Gi"), StorageClass: c.Storage.StorageClass})
	}
	if g.Ingress.ClassName == "" {
		g.Ingress.ClassName = c.Network.Ingress.ClassName()
	}
}

// grafanaDatabase is the database that Grafana of this stack needs, if any.
func (c *Config) grafanaDatabase() string {
	if !c.Monitoring.ShowsGrafana() {
		return ""
	}
	return c.Monitoring.Grafana.Database
}
