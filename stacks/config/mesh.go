package config

// The namespaces of the platform. Components name them as well; config cannot
// import those.
const (
	NamespaceAutoscaler       = "cluster-autoscaler"
	NamespaceCertManager      = "cert-manager"
	NamespaceControlPlane     = "controlplane-system"
	NamespaceDatabaseOperator = "cnpg-system"
	NamespaceIdentity         = "identity"
	NamespaceIngress          = "ingress"
	NamespaceIstio            = "istio-system"
	NamespaceIstioNodes       = "istio-dataplane"
	NamespaceLinkerd          = "linkerd"
	NamespaceLinkerdNodes     = "linkerd-cni"
	NamespaceMetricsServer    = "metrics-server"
	NamespaceMinIO            = "minio"
	NamespaceMonitoring       = "monitoring"
	NamespaceNodeExporter     = "node-exporter"
	NamespacePostgreSQL       = "postgresql"
	NamespaceValkey           = "valkey"
)

// MeshType is a service mesh.
type MeshType string

const (
	// MeshNone is no mesh.
	MeshNone MeshType = "none"
	// MeshIstio is Istio in ambient mode.
	MeshIstio MeshType = "istio"
	// MeshLinkerd is Linkerd.
	MeshLinkerd MeshType = "linkerd"
)

// Mesh configures the service mesh.
type Mesh struct {
	// Which mesh is installed: `istio` is Istio in ambient mode, whose proxies belong to the nodes; `linkerd` is Linkerd, which puts a proxy into each pod; `none` is no mesh. Either can be switched on and off again.
	Type MeshType `json:"type,omitempty" jsonschema:"enum=none,enum=istio,enum=linkerd,default=none"`
	// Namespaces whose pods take part. Only with type istio or linkerd; namespaces that others own take part by labels or annotations of their own.
	Namespaces []string `json:"namespaces,omitempty" jsonschema:"format=dns-label,minItems=1,example=identity" jsonschema_extras:"x-derived=identity\\, controlplane-system\\, and ingress with Traefik"`
	// Istio. Not allowed with another type.
	Istio *IstioMesh `json:"istio,omitempty"`
	// Linkerd. Not allowed with another type.
	Linkerd *LinkerdMesh `json:"linkerd,omitempty"`
}

// IstioMesh configures Istio.
type IstioMesh struct {
	// Registry, with a path if any, of Istio's images.
	Hub string `json:"hub,omitempty" jsonschema:"format=image-mirror,default=docker.io/istio"`
	// Version of Istio's images. It must be of the minor version that the charts are of, unless artifacts.overrides brings others.
	Version string `json:"version,omitempty" jsonschema:"format=bare-version,default=1.31.1"`
	// The platform that the cluster runs on, if it is one with directories or settings of its own.
	Platform string `json:"platform,omitempty" jsonschema:"enum=gke,enum=k3d,enum=k3s,enum=microk8s,enum=minikube,enum=openshift" jsonschema_extras:"x-derived=none of them\\, such as EKS or what kubeadm sets up"`
}

// LinkerdMesh configures Linkerd.
type LinkerdMesh struct {
	// Version of Linkerd's charts. Linkerd publishes edge releases only.
	Version string `json:"version,omitempty" jsonschema:"format=bare-version,default=2026.9.1"`
}
