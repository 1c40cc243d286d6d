package config

// Namespace is the namespace of the project's keys in a stack file, which is
// also the name of the Pulumi project.
const Namespace = "controlplane"

// Config is the configuration of a stack, with every default filled in.
type Config struct {
	// How much failure the platform survives. Replicas, spread and disruption budgets follow from it: with `single` each part runs once; with `zonal` each part runs several times over the availability zones and survives the loss of one.
	Availability Availability `json:"availability,omitempty" jsonschema:"enum=single,enum=zonal,default=single"`
	// The Kubernetes cluster that everything is installed on.
	Cluster Cluster `json:"cluster"`
	// Where charts, manifests and container images come from. By default charts and manifests come from the pinned Go modules in artifacts/go.mod, and images from their publishers.
	Artifacts Artifacts `json:"artifacts"`
	// The resource classes that workloads are sized by. A request is what the scheduler reserves for a container, a limit is what the container may use at most.
	Resources Resources `json:"resources"`
	// Monitoring of the platform: Prometheus, Alertmanager, Grafana and exporters.
	Monitoring Monitoring `json:"monitoring"`
	// What is created in Amazon Web Services, and as whom.
	AWS AWS `json:"aws"`
	// Certificates and trust: cert-manager, trust-manager, the platform CA and its trust bundle, and optional issuers.
	CertTrust CertTrust `json:"certTrust"`
	// The data of the platform: databases, cache and object storage.
	Storage Storage `json:"storage"`
	// The identity provider: Keycloak, with its realms and clients.
	Identity Identity `json:"identity"`
	// The network: ingress, network policies, and optionally a service mesh.
	Network Network `json:"network"`
}

// Availability is a profile that replicas, spread and budgets follow from.
type Availability string

const (
	// Single runs each part once.
	Single Availability = "single"
	// Zonal runs each part several times, spread over the zones.
	Zonal Availability = "zonal"
)

// SetStack fills in what defaults to the stack's name. [Load] does it; a
// program that uses [Parse] or [ParseJSON] calls it.
func (c *Config) SetStack(stack string) {
	if c.Cluster.Identifier == "" {
		c.Cluster.Identifier = stack
	}
	if eks := c.Cluster.EKS; eks != nil && eks.Name == "" {
		eks.Name = eksName(stack)
	}
}
