// Package prometheus describes the platform's Prometheus: the custom resource that the operator makes servers of, what
// they may read in the cluster, their certificate, their Service, and the declarations by which they watch themselves.
//
// # What it scrapes
//
// Every ServiceMonitor, PodMonitor, Probe, ScrapeConfig and PrometheusRule of the cluster, whatever labels it has and
// whatever namespace it is in: whoever declares metrics gets them scraped without asking the platform. The Control
// Plane's ServiceMonitors name the file of Prometheus' own token, so monitors may do that, and the token is in the pods.
// So whoever may create a monitor can have that token sent to a server of his own, as any other file of one line in the
// pods. The token opens nothing but what is listed in access.go: what runs where, and metrics. No other secret in the
// pods is of one line.
//
// Whoever is scraped over TLS is verified with the trust bundle, which has the platform's authority and the public ones,
// unless the monitor says otherwise. The bundle is mounted into the pods, and read again when it changes.
//
// # What monitors refer to
//
// The operator copies what monitors refer to into Secrets of Prometheus. It watches that in its own namespace only: what
// comes later elsewhere, or changes, it notices with the next change of any monitor, and until then a monitor whose
// reference leads nowhere is left out, with an event that says so. So the platform's own monitors refer to nothing where
// they can: the trust bundle is there without a reference.
//
// ConfigMaps the operator may read in all namespaces; Secrets in its own one only, and in those where the component names
// it. A monitor that refers to a Secret elsewhere is left out, too, until somebody grants it there and applies it again:
//
//	kubectl -n <namespace> create rolebinding prometheus-operator-secrets \
//	  --clusterrole=prometheus-operator-secrets --serviceaccount=monitoring:prometheus-operator
//
// # Availability
//
// Replicas scrape the same targets and evaluate the same rules, each on a volume of its own and in a zone of its own;
// Alertmanager takes what both say as one alert. A query reaches either, so a gap in one's data shows now and then.
// What has to outlive the volumes goes to another system by remote write, or to object storage by the Thanos sidecar,
// which uploads each block of two hours once it is complete.
package prometheus
