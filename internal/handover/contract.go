package handover

import (
	"encoding/json"
	"slices"
)

// ContractVersion is that of the form of contract.json. What is added to it leaves the version, what changes or goes does not.
const ContractVersion = "1"

// Contract says what the platform provides, and how the Control Plane is set up with it. It holds no secret value.
type Contract struct {
	ContractVersion string `json:"contractVersion"`
	Stack           string `json:"stack"`
	// Local says that the stack is on a local control plane, which only simulates most pods.
	Local bool `json:"local,omitempty"`
	// ControlPlane is what is to be installed.
	ControlPlane ControlPlane `json:"controlPlane"`
	// Cluster is what is there before.
	Cluster Cluster `json:"cluster"`
	Trust   Trust   `json:"trust"`
	// IdentityProvider, ObjectStorage, Database, GatewayDatabase and Redis are the services, with where their secrets are.
	IdentityProvider IdentityProvider `json:"identityProvider"`
	ObjectStorage    *ObjectStorage   `json:"objectStorage,omitempty"`
	Database         Secret           `json:"database"`
	GatewayDatabase  GatewayDatabase  `json:"gatewayDatabase"`
	Redis            RedisService     `json:"redis"`
	Workloads        []Workload       `json:"workloads"`
	// Assumed are the values that nobody has said, by their path in this document.
	Assumed []string `json:"assumed,omitempty"`
	// Files are those of the directory.
	Files []FileInfo `json:"files"`
	// Versions are those of the platform's parts.
	Versions map[string]string `json:"versions,omitempty"`
}

// ControlPlane is the release and its first environment and zone.
type ControlPlane struct {
	Base             string `json:"base"`
	Version          string `json:"version"`
	Namespace        string `json:"namespace"`
	Environment      string `json:"environment"`
	Zone             string `json:"zone"`
	RoverServerHost  string `json:"roverServerHost"`
	APIHost          string `json:"apiHost,omitempty"`
	GatewayHost      string `json:"gatewayHost"`
	GatewayAdminURL  string `json:"gatewayAdminUrl"`
	TrustedIssuers   string `json:"trustedIssuers"`
	ExternalIssuer   bool   `json:"externalIssuer"`
	NotificationMail bool   `json:"notificationMail"`
}

// Cluster is what the Control Plane's objects meet.
type Cluster struct {
	OIDCIssuer          string `json:"oidcIssuer,omitempty"`
	IngressClass        string `json:"ingressClass"`
	IngressAddress      string `json:"ingressAddress,omitempty"`
	MonitoringNamespace string `json:"monitoringNamespace,omitempty"`
	Mesh                string `json:"mesh"`
	Availability        string `json:"availability"`
}

// Trust is the ConfigMap with the certificates of the platform's authorities, and the label that asks for it.
type Trust struct {
	ConfigMap string `json:"configMap"`
	Key       string `json:"key"`
	Label     string `json:"label"`
	// Public says that certificates of public host names are of an authority that everybody trusts.
	Public bool `json:"public"`
}

// Secret says where a secret value is.
type Secret struct {
	// Output is the stack's, with the path in it.
	Output string `json:"output,omitempty"`
	// Namespace and Name are the Secret in the cluster, Key its key.
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name,omitempty"`
	Key       string `json:"key,omitempty"`
}

// IdentityProvider is Iris.
type IdentityProvider struct {
	URL           string `json:"url"`
	AdminURL      string `json:"adminUrl"`
	AdminUser     string `json:"adminUser"`
	AdminPassword Secret `json:"adminPassword"`
	RoverClientID string `json:"roverClientId"`
	RoverSecret   Secret `json:"roverSecret"`
}

// ObjectStorage is the File Manager's. It has a role, or keys.
type ObjectStorage struct {
	Endpoint    string  `json:"endpoint"`
	Bucket      string  `json:"bucket"`
	Region      string  `json:"region"`
	RoleARN     string  `json:"roleArn,omitempty"`
	STSEndpoint string  `json:"stsEndpoint,omitempty"`
	Credentials *Secret `json:"credentials,omitempty"`
}

// GatewayDatabase is Kong's.
type GatewayDatabase struct {
	Host     string `json:"host"`
	Port     int    `json:"port"`
	Name     string `json:"name"`
	User     string `json:"user"`
	Password Secret `json:"password"`
}

// RedisService is the cache.
type RedisService struct {
	Host     string `json:"host"`
	Port     int    `json:"port"`
	TLS      bool   `json:"tls"`
	Password Secret `json:"password"`
}

// Workload is how a part of the Control Plane runs.
type Workload struct {
	Name     string            `json:"name"`
	Class    string            `json:"class"`
	Replicas int64             `json:"replicas"`
	Requests map[string]string `json:"requests"`
	Limits   map[string]string `json:"limits"`
}

// FileInfo is a file of the directory.
type FileInfo struct {
	Path   string `json:"path"`
	Secret bool   `json:"secret,omitempty"`
}

// newContract gathers it. The options are complete; given are those that somebody has said.
func newContract(stack string, out *Outputs, opt, given Options) *Contract {
	c := &Contract{
		ContractVersion: ContractVersion, Stack: stack, Local: opt.Local,
		ControlPlane: ControlPlane{
			Base: opt.Base, Version: opt.Version, Namespace: out.Namespace, Environment: opt.Environment, Zone: opt.Zone,
			RoverServerHost: "rover-server." + opt.Domain, GatewayHost: opt.GatewayHostname, GatewayAdminURL: opt.GatewayAdminURL,
			TrustedIssuers: out.TrustedIssuers, ExternalIssuer: out.ControlPlaneIssuer, NotificationMail: opt.SMTP != nil,
		},
		Cluster: Cluster{
			OIDCIssuer: out.ClusterOIDCIssuer, IngressClass: out.IngressClass, IngressAddress: out.IngressAddress,
			MonitoringNamespace: out.MonitoringNamespace, Mesh: out.Mesh, Availability: out.Availability,
		},
		Trust: Trust{ConfigMap: out.TrustBundle, Key: out.TrustBundleKey, Label: out.TrustBundleLabel, Public: out.publicTrust()},
		IdentityProvider: IdentityProvider{
			URL: out.identityProvider(), AdminURL: out.IrisAdminURL, AdminUser: out.IrisAdminUser,
			AdminPassword: out.secret("irisAdmin", "password", "irisAdminPassword"),
			RoverClientID: out.RoverClient.ID, RoverSecret: Secret{Output: "roverClient.secret"},
		},
		Database: Secret{Namespace: out.Namespace, Name: out.ControlPlaneDBSecretName, Key: "url"},
		GatewayDatabase: GatewayDatabase{
			Host: out.GatewayDatabase.Host, Port: out.GatewayDatabase.Port, Name: out.GatewayDatabase.Name,
			User: out.GatewayDatabase.User, Password: Secret{Output: "gatewayDatabase.password"},
		},
		Redis: RedisService{
			Host: out.Redis.Host, Port: out.Redis.Port, TLS: out.Redis.TLS,
			Password: out.secret("redis", "password", "redis.password"),
		},
		Versions: out.Versions, Assumed: assumed(given),
	}
	if !opt.WithoutAPI {
		c.ControlPlane.APIHost = "controlplane-api." + opt.Domain
	}
	if out.S3Endpoint != "" {
		c.ObjectStorage = &ObjectStorage{
			Endpoint: out.S3Endpoint, Bucket: out.S3Bucket, Region: out.S3Region, RoleARN: out.S3RoleARN, STSEndpoint: out.S3STSEndpoint,
		}
		if name := out.S3CredentialsSecretName; name != "" {
			c.ObjectStorage.Credentials = &Secret{Namespace: out.Namespace, Name: name, Key: "accessKey, secretKey"}
		}
	}
	for _, p := range opt.used() {
		class := out.ResourceClasses[p.class]
		c.Workloads = append(c.Workloads, Workload{
			Name: p.name, Class: p.class, Replicas: p.replicas(out.zonal()), Requests: class.Requests, Limits: class.Limits,
		})
	}
	return c
}

// assumed are the values that follow from a convention, because no option has said them.
func assumed(given Options) (all []string) {
	for _, a := range []struct {
		path string
		said bool
	}{
		{"controlPlane.roverServerHost", given.Domain != ""},
		{"controlPlane.gatewayHost", given.GatewayHostname != ""},
		{"controlPlane.gatewayAdminUrl", given.GatewayAdminURL != ""},
	} {
		if !a.said {
			all = append(all, a.path)
		}
	}
	if given.Domain == "" && !given.WithoutAPI {
		all = append(all, "controlPlane.apiHost")
	}
	slices.Sort(all)
	return all
}

// JSON is the document.
func (c *Contract) JSON() ([]byte, error) {
	data, err := json.MarshalIndent(c, "", "  ")
	return append(data, '\n'), err
}
