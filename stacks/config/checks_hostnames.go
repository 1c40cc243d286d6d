package config

import "fmt"

// hostname is a host name with the place that it is configured at.
type hostname struct{ path, name string }

// hostnames lists all names that something is served at. Whoever adds a key
// for another one adds it here.
func (c *Config) hostnames() []hostname {
	names := []hostname{
		{"identity.hostname", c.Identity.Hostname},
		{"identity.admin.hostname", c.Identity.Admin.Hostname},
	}
	if c.Monitoring.ShowsGrafana() {
		names = append(names, hostname{"monitoring.grafana.hostname", c.Monitoring.Grafana.Hostname})
	}
	if t := c.Network.Ingress.Traefik; t != nil {
		for i, name := range t.Certificate.Hostnames {
			names = append(names, hostname{fmt.Sprintf("network.ingress.traefik.certificate.hostnames.%d", i), name})
		}
	}
	return names
}

// uniqueHostnames reports names that are used twice: one of the two would not
// be served, or with the certificate of the other.
func (k *checker) uniqueHostnames() {
	first := map[string]string{}
	for _, h := range k.cfg.hostnames() {
		other, used := first[h.name]
		switch {
		case h.name == "":
		case used:
			k.add(h.path, h.name, fmt.Sprintf("is %s already; must be another one, or left out: a host name is used once", display(tokens(other))), other)
		default:
			first[h.name] = h.path
		}
	}
}
