package config

// Grafana configures Grafana, whose data sources and dashboards are provisioned:
// what people change there they change for themselves.
type Grafana struct {
	// Whether there is a Grafana.
	Enabled bool `json:"enabled" jsonschema:"default=true"`
	// Image of Grafana 12.
	Image string `json:"image,omitempty" jsonschema:"format=image,default=docker.io/grafana/grafana:12.3.1"`
	// Replicas. More than one needs a database. At least 2 with availability zonal.
	Replicas int `json:"replicas" jsonschema:"minimum=1,maximum=5" jsonschema_extras:"x-derived=1 (single)\\, 2 (zonal)"`
	// Name of the database among those of storage.postgresql.clusters in which users, sessions and preferences are, so that replicas share them. Without it they are on a volume. Where this changes, Grafana starts anew.
	Database string `json:"database,omitempty" jsonschema:"format=database-name,example=grafana" jsonschema_extras:"x-derived=none (single)\\, grafana (zonal)"`
	// The volume of Grafana. Not allowed with a database.
	Volume *Volume `json:"volume,omitempty" defaults:"size=1Gi" jsonschema_extras:"x-derived=1Gi without a database"`
	// What each replica reserves and may use.
	Resources ResourceClass `json:"resources" defaults:"requests.cpu=100m,requests.memory=256Mi,limits.cpu=500m,limits.memory=512Mi"`
	// Public host name. Without it Grafana can be reached inside the cluster only, or through a forwarded port.
	Hostname string `json:"hostname,omitempty" jsonschema:"format=dns-name,example=grafana.example.com"`
	// Access from outside the cluster. Only with a hostname.
	Ingress GrafanaIngress `json:"ingress"`
	// Login with a user of a realm of the identity provider, beside that of the administrator. Needs hostname.
	OIDC *GrafanaOIDC `json:"oidc,omitempty"`
}

// GrafanaIngress configures the Ingress object of Grafana.
type GrafanaIngress struct {
	// Class of the Ingress object.
	ClassName string `json:"className,omitempty" jsonschema:"format=dns-subdomain,example=traefik" jsonschema_extras:"x-derived=that of network.ingress"`
	// Additional annotations of the Ingress object, for its controller.
	Annotations map[string]string `json:"annotations,omitempty"`
}

// GrafanaOIDC says who may log in to Grafana.
type GrafanaOIDC struct {
	// Realm whose users may log in, one of identity.realms. It gets the confidential client grafana and the roles below.
	Realm string `json:"realm,omitempty" jsonschema:"format=realm-name,default=rover"`
	// Roles of the realm. A user without any of them cannot log in.
	Roles GrafanaRoles `json:"roles"`
}

// GrafanaRoles are the realm's roles for those of Grafana.
type GrafanaRoles struct {
	// Role of administrators.
	Admin string `json:"admin,omitempty" jsonschema:"format=keycloak-name,default=grafana-admin"`
	// Role of those who may make dashboards.
	Editor string `json:"editor,omitempty" jsonschema:"format=keycloak-name,default=grafana-editor"`
	// Role of those who may look.
	Viewer string `json:"viewer,omitempty" jsonschema:"format=keycloak-name,default=grafana-viewer"`
}
