package config

import (
	"net"
	"net/url"
	"strconv"
)

// UpdateStrategy says how a new version takes the place of the old one.
type UpdateStrategy string

const (
	// RollingUpdate starts the new pods while the old ones still serve.
	RollingUpdate UpdateStrategy = "RollingUpdate"
	// Recreate ends all old pods before new ones start.
	Recreate UpdateStrategy = "Recreate"
)

// Identity configures the identity provider.
type Identity struct {
	// Public host name: realms are at https://<hostname>/auth/realms/<realm>, which is also the issuer in their tokens. A change makes every token that is out invalid, and whoever trusts the issuer has to learn the new one.
	Hostname string `json:"hostname,omitempty" jsonschema:"required,format=dns-name,example=iris.example.com"`
	// Image of Keycloak 26, from 26.2 on, or of one derived from it.
	Image string `json:"image,omitempty" jsonschema:"format=image-or-digest,default=quay.io/keycloak/keycloak:26.7.3"`
	// Whether the image is optimized for PostgreSQL already (`kc.sh build`), so that it is started as it is. Other images are optimized before each start, which takes some 30 seconds. The upstream image is not optimized.
	Optimized bool `json:"optimized" jsonschema:"default=false"`
	// Version of Keycloak in the image. Required where the tag does not begin with it. It never goes back, because a newer Keycloak changes its tables in the database, except together with a database that the same change restores.
	Version string `json:"version,omitempty" jsonschema:"format=keycloak-version,example=26.7.3" jsonschema_extras:"x-derived=what the image's tag begins with"`
	// How new pods take the place of old ones: with `RollingUpdate` the new ones start while the old ones serve; with `Recreate` all old ones end first, which interrupts the service for some minutes. Another major or minor version of Keycloak needs Recreate; set it for that one update.
	UpdateStrategy UpdateStrategy `json:"updateStrategy,omitempty" jsonschema:"enum=RollingUpdate,enum=Recreate,default=RollingUpdate"`
	// Replicas of Keycloak, which form one cluster: 1, or 3 and more, so that when one is lost, the others know that they are the majority. At least 3 with availability zonal.
	Replicas int `json:"replicas" jsonschema:"minimum=1,maximum=9" jsonschema_extras:"x-derived=1 (single)\\, 3 (zonal)"`
	// More replicas under load.
	Autoscaling Autoscaling `json:"autoscaling"`
	// Name of the database among those of storage.postgresql.clusters. It never changes: realms, clients and users are in it.
	Database string `json:"database,omitempty" jsonschema:"minLength=1,default=iris"`
	// Access from outside the cluster.
	Ingress IdentityIngress `json:"ingress"`
	// Administration. The public host name serves no admin paths.
	Admin IdentityAdmin `json:"admin"`
	// How this program itself reaches the admin API, to make realms and clients.
	AdminAPI AdminAPI `json:"adminApi"`
	// Raise it to have the secrets of clients that are not given here made anew by the next up. The administrator's password stays, and that of the database follows storage.passwordGeneration.
	PasswordGeneration int `json:"passwordGeneration" jsonschema:"minimum=1,maximum=1000000,default=1"`
	// Whether a ServiceMonitor has Prometheus scrape Keycloak.
	ServiceMonitor bool `json:"serviceMonitor" jsonschema:"default=true"`
	// Realms of the platform's own. The realm rover with its confidential client rover is always among them; an item of that name changes single values of it. The Control Plane makes and owns the realms <environment> and team-<environment> of each of its environments: they do not belong here.
	Realms []Realm `json:"realms,omitempty" jsonschema_extras:"x-derived=rover\\, with the client rover"`
}

// Autoscaling adds replicas under load and removes them slowly.
type Autoscaling struct {
	// Whether replicas are added under load. `replicas` is then the least there are. Needs the resource metrics API, as metrics-server provides it.
	Enabled bool `json:"enabled" jsonschema_extras:"x-derived=true for Traefik with availability zonal\\, otherwise false"`
	// The most replicas there are. More than replicas.
	MaxReplicas int `json:"maxReplicas" jsonschema:"minimum=2,maximum=50" jsonschema_extras:"x-derived=twice the replicas"`
	// The load that is aimed at, in percent of the CPU that is reserved.
	TargetCPUPercent int `json:"targetCPUPercent" jsonschema:"minimum=10,maximum=100,default=75"`
}

// IdentityIngress configures the Ingress objects of the identity provider.
type IdentityIngress struct {
	// Class of the Ingress objects.
	ClassName string `json:"className,omitempty" jsonschema:"format=dns-subdomain,example=traefik" jsonschema_extras:"x-derived=that of network.ingress"`
	// Additional annotations of the Ingress objects, for their controller.
	Annotations map[string]string `json:"annotations,omitempty"`
}

// IdentityAdmin configures the administration of the identity provider.
type IdentityAdmin struct {
	// Host name that serves the admin console and API, besides realms. Without it they can be reached inside the cluster only.
	Hostname string `json:"hostname,omitempty" jsonschema:"format=dns-name,example=iris-admin.example.com"`
	// User name of the administrator in the realm master. Keycloak makes it at its first start with the database, and never again: another one is only allowed with its password.
	Username string `json:"username,omitempty" jsonschema:"format=user-name,default=admin"`
	// Password of the administrator, where the database has one already, as after a restore into a new stack, or after it was changed in Keycloak.
	Password Secret `json:"password,omitempty" jsonschema:"format=password" jsonschema_extras:"x-derived=made up"`
	// Whether Keycloak also serves HTTP without TLS, inside the cluster, for the Control Plane alone: its operators trust no authority but those of their image.
	PlainHTTP bool `json:"plainHTTP" jsonschema:"default=false"`
}

// AdminAPI says how this program reaches the admin API.
type AdminAPI struct {
	// URL of the server, without a path. For one on localhost, `platform` forwards the port to Keycloak through the API of Kubernetes.
	URL string `json:"url,omitempty" jsonschema:"format=http-url,example=https://iris.identity.svc:8443" jsonschema_extras:"x-derived=https://<admin.hostname>\\, if there is one and certTrust.acme\\, an existing platform CA or caCertificate; otherwise https://localhost:18443"`
	// Certificates in PEM of the authorities that may have signed the server's certificate.
	CACertificate string `json:"caCertificate,omitempty" jsonschema:"format=pem-certificate" jsonschema_extras:"x-derived=the system's"`
}

// ForwardedPort returns the port when the URL is that of this machine, so that
// a port has to be forwarded, and otherwise 0.
func (a AdminAPI) ForwardedPort() int {
	u, err := url.Parse(a.URL)
	if err != nil || !isLoopback(u.Hostname()) {
		return 0
	}
	if u.Port() == "" {
		return map[string]int{"https": 443, "http": 80}[u.Scheme]
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		return 0
	}
	return port
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
