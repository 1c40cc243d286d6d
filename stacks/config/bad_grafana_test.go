package config_test

const (
	grafanaAt = "controlplane:monitoring.grafana."
	inUse     = "; must be another one, because neither may get at the data of the other"
)

// grafana is a Grafana with the given keys.
func grafana(keys string) string { return "monitoring: {grafana: {" + keys + "}}" }

var badGrafana = []badConfiguration{
	{"one replica of Grafana over zones", "availability: zonal\n" + grafana("replicas: 1"), []string{
		grafanaAt + "replicas: 1 must be from 2 to 5 with controlplane:availability zonal"}},
	{"two replicas of Grafana with one volume", grafana("replicas: 2"), []string{
		grafanaAt + "replicas: 2 must be 1 without database, or database be the name of one in controlplane:storage.postgresql.clusters, such as grafana: a volume belongs to one replica"}},
	{"volume beside a database", "availability: zonal\n" + grafana("volume: {size: 2Gi}"), []string{
		grafanaAt + "volume: has no effect with database, which is grafana: there are users and preferences; must be left out"}},
	{"clusters without Grafana's database", "availability: zonal\n" + owned("{name: iris}, {name: gateway}, {name: controlplane}"), []string{
		"controlplane:storage.postgresql.clusters: have no database grafana; must have iris, gateway, controlplane and grafana"}},
	{"unknown database of Grafana", grafana("database: dashboards"), []string{
		grafanaAt + `database: "dashboards" is no database in controlplane:storage.postgresql.clusters; must be another one there than those of the identity provider, the gateway and the Control Plane`}},
	{"misspelt database of Grafana", grafana("database: dashbords") + "\n" + owned("{name: iris}, {name: gateway}, {name: controlplane}, {name: dashboards}"), []string{
		grafanaAt + `database: "dashbords" is no database in controlplane:storage.postgresql.clusters; must be one of them: dashboards; did you mean "dashboards"?`}},
	{"Grafana in the database of the identity provider", grafana("database: iris"), []string{
		grafanaAt + `database: "iris" is the database of the identity provider` + inUse}},
	{"Grafana in the database of the gateway", grafana("database: gateway"), []string{
		grafanaAt + `database: "gateway" is the database of the gateway` + inUse}},
	{"Grafana at a URL", grafana("hostname: 'https://grafana.example.com'"), []string{
		grafanaAt + `hostname: "https://grafana.example.com" ` + dnsName}},
	{"Grafana at the identity provider's name", grafana("hostname: iris.example.com"), []string{
		grafanaAt + "hostname: \"iris.example.com\" is controlplane:identity.hostname" + otherName}},
	{"Grafana at a name of the default certificate", grafana("hostname: grafana.example.com") + "\n" + traefik("certificate: {hostnames: [app.example.com, grafana.example.com]}"), []string{
		"controlplane:" + hostnames + `[1]: "grafana.example.com" is controlplane:monitoring.grafana.hostname` + otherName}},
	{"Grafana where Traefik does not look", grafana("hostname: grafana.example.com") + "\n" + traefik("namespaces: [identity]"), []string{
		"controlplane:network.ingress.traefik.namespaces: has no monitoring, the namespace of Grafana, whose Ingress object is of the class traefik; must have it"}},
	{"annotations of no Ingress object", grafana("ingress: {annotations: {a: b}}"), []string{
		grafanaAt + "ingress.annotations: have no effect without hostname, without which there is no Ingress object"}},
	{"annotation of Grafana that is none", grafana("hostname: grafana.example.com, ingress: {annotations: {'a b': c}}"), []string{
		grafanaAt + `ingress.annotations: "a b" is no name of an annotation; must be a name with an optional DNS name before it, such as nginx.ingress.kubernetes.io/proxy-body-size`}},
	{"request above the limit of Grafana", grafana("resources: {requests: {memory: 1Gi}}"), []string{
		grafanaAt + `resources.requests.memory: "1Gi" must be at most the limit, which is "512Mi"`}},

	{"login without a host name", grafana("oidc: {}"), []string{
		grafanaAt + "hostname: is missing; oidc needs the public host name, to which a browser returns after a login"}},
	{"login with an unknown realm", grafana("hostname: grafana.example.com, oidc: {realm: people}"), []string{
		grafanaAt + `oidc.realm: "people" is no realm of controlplane:identity.realms; must be one of rover`}},
	{"login with a misspelt realm", identity("realms: [{name: people}]") + "\n" + grafana("hostname: grafana.example.com, oidc: {realm: poeple}"), []string{
		grafanaAt + `oidc.realm: "poeple" is no realm of controlplane:identity.realms; must be one of people, rover; did you mean "people"?`}},
	{"login with the realm of administrators", grafana("hostname: grafana.example.com, oidc: {realm: master}"), []string{
		grafanaAt + `oidc.realm: "master" is no realm of controlplane:identity.realms; must be one of rover`}},
	{"login with a realm that is wrong", identity("realms: [{name: People}]") + "\n" + grafana("hostname: grafana.example.com, oidc: {realm: people}"), []string{
		`controlplane:identity.realms[0].name: "People" must be 1 to 36 lower-case letters, digits, - and _, with a letter or digit first and last`}},
	{"login with a client that somebody has", identity("realms: [{name: rover, clients: [{clientId: grafana, clientCredentials: true}]}]") + "\n" + grafana("hostname: grafana.example.com, oidc: {}"), []string{
		`controlplane:identity.realms[0].clients[0].clientId: "grafana" is the client that controlplane:monitoring.grafana.oidc makes in this realm; must be left out, or another name`}},
	{"login with one role for all", grafana("hostname: grafana.example.com, oidc: {roles: {admin: staff, viewer: staff}}"), []string{
		grafanaAt + `oidc.roles.viewer: "staff" is the role of admin already; must be another one`}},
	{"login with a role of everybody", grafana("hostname: grafana.example.com, oidc: {roles: {viewer: offline_access}}"), []string{
		grafanaAt + `oidc.roles.viewer: "offline_access" is a role that Keycloak gives every user; must be another one`}},
	{"Grafana that is not there", grafana("enabled: false, hostname: 7"), []string{
		grafanaAt + "hostname: 7 " + dnsName}},
}
