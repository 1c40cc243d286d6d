package config

// Exporters configures where metrics of the cluster come from.
type Exporters struct {
	// The exporter of what Kubernetes knows of its objects.
	KubeStateMetrics KubeStateMetrics `json:"kubeStateMetrics"`
	// The exporter of what nodes know of themselves. It runs on each of them, in the namespace node-exporter, and sees their processes, network and disks.
	NodeExporter NodeExporter `json:"nodeExporter"`
	// Whether the kubelets are scraped, which know what containers use and how full volumes are.
	Kubelet bool `json:"kubelet" jsonschema:"default=true"`
	// Whether any certificate of a kubelet is taken. Otherwise the cluster's authority must have signed it, with the address of its node, which not every installer of Kubernetes sees to. Prometheus shows each kubelet its token, so that whoever can pose as one gets it.
	SkipKubeletVerification bool `json:"skipKubeletVerification" jsonschema:"default=false"`
	// Whether the API server is scraped.
	APIServer bool `json:"apiServer" jsonschema:"default=true"`
	// Whether CoreDNS is scraped, in the namespace and with the labels of network.policies.dns, at port 9153.
	CoreDNS bool `json:"coreDNS" jsonschema:"default=true"`
	// The etcd of the cluster, where it can be reached. Without it etcd is not scraped, as with clusters whose control plane somebody else runs.
	Etcd *EtcdMetrics `json:"etcd,omitempty"`
}

// KubeStateMetrics configures kube-state-metrics.
type KubeStateMetrics struct {
	// Image of kube-state-metrics.
	Image string `json:"image,omitempty" jsonschema:"format=image,default=registry.k8s.io/kube-state-metrics/kube-state-metrics:v2.15.0"`
	// What it reserves and may use.
	Resources ResourceClass `json:"resources" defaults:"requests.cpu=20m,requests.memory=64Mi,limits.cpu=250m,limits.memory=256Mi"`
}

// NodeExporter configures the node exporter.
type NodeExporter struct {
	// Whether there is one on each node.
	Enabled bool `json:"enabled" jsonschema:"default=true"`
	// Image of the node exporter.
	Image string `json:"image,omitempty" jsonschema:"format=image,default=quay.io/prometheus/node-exporter:v1.10.2"`
	// What it reserves and may use on each node.
	Resources ResourceClass `json:"resources" defaults:"requests.cpu=20m,requests.memory=32Mi,limits.cpu=250m,limits.memory=128Mi"`
}

// EtcdMetrics says how Prometheus reaches etcd.
type EtcdMetrics struct {
	// Addresses of the members, without a port.
	Endpoints []string `json:"endpoints" jsonschema:"required,format=ip-address,minItems=1,uniqueItems=true,example=10.0.0.11"`
	// Port that serves metrics.
	Port int `json:"port" jsonschema:"minimum=1,maximum=65535,default=2379"`
	// Existing Secret in the namespace monitoring with the client certificate: `tls.crt`, `tls.key`, and in `ca.crt` the authority that has signed etcd's own certificate.
	ClientSecret string `json:"clientSecret" jsonschema:"required,format=dns-subdomain,example=etcd-client"`
	// Name in etcd's certificate, where that does not have the addresses.
	ServerName string `json:"serverName,omitempty" jsonschema:"format=dns-subdomain" jsonschema_extras:"x-derived=the address"`
}
