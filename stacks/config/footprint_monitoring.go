package config

// monitoringMarks are the sizes of volumes, and the class of Grafana's. The
// Prometheus operator takes another class for new volumes only.
func (c *Config) monitoringMarks(size, own func(path string, v *Volume)) {
	m := c.Monitoring
	if !m.Installed() {
		return
	}
	size(monitoringPath+".prometheus.volume.size", &m.Prometheus.Volume)
	size(monitoringPath+".alertmanager.volume.size", &m.Alertmanager.Volume)
	if m.ShowsGrafana() {
		own(monitoringPath+".grafana.volume", m.Grafana.Volume)
	}
}
