package config

// Artifacts says where charts, manifests and images come from.
type Artifacts struct {
	// A registry that mirrors the images of all publishers, as host, optional port and optional path. Every image reference is rewritten to it.
	ImageMirror string `json:"imageMirror,omitempty" jsonschema:"format=image-mirror,example=registry.example.com/mirror"`
	// Other sources for single charts.
	Overrides ArtifactOverrides `json:"overrides"`
}

// ArtifactOverrides replaces the source of single artifacts.
type ArtifactOverrides struct {
	// Another source for cert-manager's chart.
	CertManager *ArtifactOverride `json:"certManager,omitempty"`
	// Another source for trust-manager's chart.
	TrustManager *ArtifactOverride `json:"trustManager,omitempty"`
	// Another source for the custom resource definitions of the Prometheus operator.
	PrometheusOperator *ArtifactOverride `json:"prometheusOperator,omitempty"`
	// Another source for metrics-server's chart.
	MetricsServer *ArtifactOverride `json:"metricsServer,omitempty"`
	// Another source for the manifest of CloudNativePG, the operator of the databases.
	CloudNativePG *ArtifactOverride `json:"cloudNativePG,omitempty"`
	// Another source for the manifest of the Barman plugin, which makes the backups of databases.
	BarmanCloud *ArtifactOverride `json:"barmanCloud,omitempty"`
	// Another source for the custom resource definitions of the Gateway API.
	GatewayAPI *ArtifactOverride `json:"gatewayAPI,omitempty"`
	// Another source for Istio's chart base, which has its custom resource definitions.
	IstioBase *ArtifactOverride `json:"istioBase,omitempty"`
	// Another source for Istio's chart istiod, the control plane of the mesh.
	Istiod *ArtifactOverride `json:"istiod,omitempty"`
	// Another source for Istio's chart cni, which leads the traffic of pods into the mesh.
	IstioCNI *ArtifactOverride `json:"istioCNI,omitempty"`
	// Another source for Istio's chart ztunnel, the proxy of each node.
	Ztunnel *ArtifactOverride `json:"ztunnel,omitempty"`
	// Another source for Linkerd's chart linkerd-crds, which has its custom resource definitions.
	LinkerdCRDs *ArtifactOverride `json:"linkerdCRDs,omitempty"`
	// Another source for Linkerd's chart linkerd-control-plane.
	LinkerdControlPlane *ArtifactOverride `json:"linkerdControlPlane,omitempty"`
	// Another source for Linkerd's chart linkerd2-cni, which leads the traffic of pods into the mesh.
	LinkerdCNI *ArtifactOverride `json:"linkerdCNI,omitempty"`
}

// ArtifactOverride is exactly one of a directory, a chart in a Helm
// repository, and an OCI reference.
type ArtifactOverride struct {
	// A directory with the chart or the manifests, relative to the project. Excludes repository, chart, version and oci.
	Directory string `json:"directory,omitempty" jsonschema:"minLength=1,example=charts/cert-manager"`
	// URL of a Helm repository. Needs chart and version.
	Repository string `json:"repository,omitempty" jsonschema:"format=http-url,example=https://charts.example.com"`
	// Name of the chart in the repository.
	Chart string `json:"chart,omitempty" jsonschema:"minLength=1,example=cert-manager"`
	// Exact version of the chart in the repository.
	Version string `json:"version,omitempty" jsonschema:"format=semver,example=v1.21.2"`
	// OCI reference of the chart with its digest. Excludes directory, repository, chart and version.
	OCI string `json:"oci,omitempty" jsonschema:"format=oci-digest"`
}
