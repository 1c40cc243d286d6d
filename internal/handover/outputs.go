package handover

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// Outputs are those of a stack that the handover is made of, under their own names.
type Outputs struct {
	Availability    string           `json:"availability"`
	Mesh            string           `json:"mesh"`
	ResourceClasses map[string]Class `json:"resourceClasses"`
	ImageMirror     string           `json:"imageMirror,omitempty"`

	Namespace           string            `json:"namespace"`
	MonitoringNamespace string            `json:"monitoringNamespace,omitempty"`
	IngressClass        string            `json:"ingressClass"`
	IngressNamespace    string            `json:"ingressNamespace,omitempty"`
	IngressAddress      string            `json:"ingressAddress,omitempty"`
	ClusterOIDCIssuer   string            `json:"clusterOidcIssuer,omitempty"`
	Versions            map[string]string `json:"versions"`

	Issuer             string `json:"issuer"`
	PublicIssuer       string `json:"publicIssuer"`
	ControlPlaneIssuer bool   `json:"controlPlaneIssuer,omitempty"`
	TrustBundle        string `json:"trustBundle"`
	TrustBundleKey     string `json:"trustBundleKey"`
	TrustBundleLabel   string `json:"trustBundleLabel"`

	IrisURL           string      `json:"irisUrl"`
	IrisAdminURL      string      `json:"irisAdminUrl"`
	IrisAdminUser     string      `json:"irisAdminUser"`
	IrisAdminPassword string      `json:"irisAdminPassword"`
	TrustedIssuers    string      `json:"trustedIssuers"`
	RoverClient       RoverClient `json:"roverClient"`

	S3Endpoint              string `json:"s3Endpoint,omitempty"`
	S3Bucket                string `json:"s3Bucket,omitempty"`
	S3Region                string `json:"s3Region,omitempty"`
	S3RoleARN               string `json:"s3RoleArn,omitempty"`
	S3STSEndpoint           string `json:"s3StsEndpoint,omitempty"`
	S3CredentialsSecretName string `json:"s3CredentialsSecretName,omitempty"`

	ControlPlaneDBSecretName string            `json:"controlplaneDbSecretName"`
	GatewayDatabase          Database          `json:"gatewayDatabase"`
	Redis                    Redis             `json:"redis"`
	SecretNames              map[string]string `json:"secretNames"`

	GrafanaURL    string `json:"grafanaUrl,omitempty"`
	PrometheusURL string `json:"prometheusUrl,omitempty"`
}

// Class is what containers of a resource class reserve and may use, in Kubernetes' notation.
type Class struct {
	Requests map[string]string `json:"requests"`
	Limits   map[string]string `json:"limits"`
}

// RoverClient is the client that the Control Plane logs in to gateways with.
type RoverClient struct {
	ID     string `json:"id"`
	Secret string `json:"secret"`
	Issuer string `json:"issuer"`
}

// Database is that of the gateway.
type Database struct {
	Host     string `json:"host"`
	Port     int    `json:"port"`
	Name     string `json:"name"`
	User     string `json:"user"`
	Password string `json:"password"`
}

// Redis is the cache.
type Redis struct {
	Host     string `json:"host"`
	Port     int    `json:"port"`
	TLS      bool   `json:"tls"`
	Password string `json:"password"`
}

// Missing are outputs that the handover cannot do without and the stack has not.
type Missing struct{ Names []string }

func (m *Missing) Error() string {
	return fmt.Sprintf("the stack has no output %s: run up with this version, which adds what is missing", strings.Join(m.Names, ", "))
}

// always are the outputs of every stack. What depends on the object storage is asked for by Read.
var always = []string{
	"availability", "mesh", "resourceClasses", "namespace", "ingressClass", "trustBundle", "trustBundleKey", "trustBundleLabel",
	"publicIssuer", "irisUrl", "irisAdminUrl", "irisAdminUser", "irisAdminPassword", "trustedIssuers", "roverClient",
	"controlplaneDbSecretName", "gatewayDatabase", "redis", "secretNames",
}

// Read takes the outputs of a stack, with secret values in the clear.
func Read(values map[string]any) (*Outputs, error) {
	var missing []string
	need := func(names ...string) {
		for _, name := range names {
			if v, found := values[name]; !found || v == nil || v == "" {
				missing = append(missing, name)
			}
		}
	}
	need(always...)
	if values["s3Endpoint"] != nil {
		need("s3Bucket", "s3Region")
		if values["s3CredentialsSecretName"] == nil {
			need("s3RoleArn", "s3StsEndpoint")
		}
	}
	if len(missing) > 0 {
		return nil, &Missing{Names: missing}
	}
	data, err := json.Marshal(values)
	if err != nil {
		return nil, fmt.Errorf("outputs: %w", err)
	}
	var o Outputs
	if err := json.Unmarshal(data, &o); err != nil {
		return nil, fmt.Errorf("outputs: %w", err)
	}
	return &o, o.check()
}

// check finds what is there and says nothing: an empty password would have the Control Plane invent one of its own.
func (o *Outputs) check() error {
	var empty []string
	for name, value := range map[string]string{
		"redis.password": o.Redis.Password, "redis.host": o.Redis.Host, "roverClient.secret": o.RoverClient.Secret,
		"gatewayDatabase.host": o.GatewayDatabase.Host, "gatewayDatabase.password": o.GatewayDatabase.Password,
		"resourceClasses.operator":  o.ResourceClasses[classOperator].Requests["cpu"],
		"resourceClasses.apiServer": o.ResourceClasses[classAPIServer].Requests["cpu"],
	} {
		if value == "" {
			empty = append(empty, name)
		}
	}
	if len(empty) > 0 {
		slices.Sort(empty)
		return &Missing{Names: empty}
	}
	if _, err := url.Parse(o.IrisURL); err != nil {
		return fmt.Errorf("output irisUrl: %w", err)
	}
	return nil
}

// zonal tells whether the platform survives the loss of a zone, and the Control Plane is to as well.
func (o *Outputs) zonal() bool { return o.Availability == "zonal" }

// identityProvider is the public address as a Zone wants it: the Control Plane adds /auth itself.
func (o *Outputs) identityProvider() string {
	return strings.TrimSuffix(strings.TrimSuffix(o.IrisURL, "/"), "/auth") + "/"
}

// domain is where the identity provider's host name is in, and the Control Plane's own names are to be.
func (o *Outputs) domain() string {
	u, err := url.Parse(o.IrisURL)
	if err != nil {
		return ""
	}
	_, domain, found := strings.Cut(u.Hostname(), ".")
	if !found {
		return u.Hostname()
	}
	return domain
}

// publicTrust tells whether everybody trusts the certificates of public host names.
func (o *Outputs) publicTrust() bool { return o.PublicIssuer != o.Issuer }

// secret is where a secret value is: the Secret that the stack calls name, and one of its outputs.
func (o *Outputs) secret(name, key, output string) Secret {
	s := Secret{Output: output}
	if namespace, secret, found := strings.Cut(o.SecretNames[name], "/"); found {
		s.Namespace, s.Name, s.Key = namespace, secret, key
	}
	return s
}
