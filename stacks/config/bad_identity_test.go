package config_test

const (
	dnsName         = "must be a DNS name without scheme, port and path, such as iris.example.com"
	keycloakImage   = "must be an image with its registry and a tag other than latest, or a digest, such as quay.io/keycloak/keycloak:26.7.3"
	keycloakVersion = "must be a version of Keycloak, such as 26.7 or 26.7.3"
	identityKeys    = "admin, adminApi, autoscaling, database, hostname, image, ingress, optimized, passwordGeneration, realms, replicas, serviceMonitor, updateStrategy, version"
)

// identity is an identity provider with its host name and more keys.
func identity(more string) string { return "identity: {" + hostname + ", " + more + "}" }

var badIdentity = []badConfiguration{
	// Host names.
	{"no host name", "identity: {}", []string{
		"controlplane:identity.hostname: is missing; " + dnsName}},
	{"misspelt host name", "identity: {hostnme: iris.example.com}", []string{
		"controlplane:identity.hostname: is missing; " + dnsName,
		"controlplane:identity.hostnme: is not a key; allowed are " + identityKeys + `; did you mean "hostname"?`}},
	{"host name with a scheme", "identity: {hostname: 'https://iris.example.com'}", []string{
		`controlplane:identity.hostname: "https://iris.example.com" ` + dnsName}},
	{"host name with a path", "identity: {hostname: iris.example.com/auth}", []string{
		`controlplane:identity.hostname: "iris.example.com/auth" ` + dnsName}},
	{"host name with a port", "identity: {hostname: 'iris.example.com:8443'}", []string{
		`controlplane:identity.hostname: "iris.example.com:8443" ` + dnsName}},
	{"host name in capitals", "identity: {hostname: Iris.example.com}", []string{
		`controlplane:identity.hostname: "Iris.example.com" ` + dnsName}},
	{"host name without a domain", "identity: {hostname: iris}", []string{
		`controlplane:identity.hostname: "iris" ` + dnsName}},
	{"address as host name", "identity: {hostname: 192.0.2.1}", []string{
		`controlplane:identity.hostname: "192.0.2.1" ` + dnsName}},
	{"empty host name", "identity: {hostname: ''}", []string{
		`controlplane:identity.hostname: "" ` + dnsName}},
	{"administration at the public host name", identity("admin: {hostname: iris.example.com}"), []string{
		`controlplane:identity.admin.hostname: "iris.example.com" is controlplane:identity.hostname already; must be another one, or left out: a host name is used once`}},

	// Image and version.
	{"moving tag", identity("image: 'quay.io/keycloak/keycloak:latest'"), []string{
		`controlplane:identity.image: "quay.io/keycloak/keycloak:latest" ` + keycloakImage}},
	{"image without a registry", identity("image: 'keycloak:26.7.3'"), []string{
		`controlplane:identity.image: "keycloak:26.7.3" ` + keycloakImage}},
	{"image by a digest of another kind", identity("image: 'quay.io/keycloak/keycloak@md5:abc'"), []string{
		`controlplane:identity.image: "quay.io/keycloak/keycloak@md5:abc" ` + keycloakImage}},
	{"upstream image that is not optimized", identity("optimized: true"), []string{
		"controlplane:identity.optimized: true is not allowed with the upstream image, which is not built for PostgreSQL; must be false, or image one that was built with kc.sh build --db=postgres"}},
	{"mirrored upstream image that is not optimized", identity("optimized: true, image: 'registry.example.com/mirror/quay.io/keycloak/keycloak:26.7.3'"), []string{
		"controlplane:identity.optimized: true is not allowed with the upstream image, which is not built for PostgreSQL; must be false, or image one that was built with kc.sh build --db=postgres"}},
	{"older major version", identity("image: 'quay.io/keycloak/keycloak:25.0.6'"), []string{
		`controlplane:identity.image: "quay.io/keycloak/keycloak:25.0.6" must have a tag of Keycloak 26, such as 26.7.3: no other major version is supported`}},
	{"derived image with versions of its own", identity("image: 'registry.example.com/iris:1.4'"), []string{
		`controlplane:identity.image: "registry.example.com/iris:1.4" must be of Keycloak 26, which is all that is supported: its tag "1.4" says another version; if that is not Keycloak's, identity.version must say which one is in the image`}},
	{"derived image without versions", identity("image: 'registry.example.com/iris:stable'"), []string{
		`controlplane:identity.version: is missing; must be the version of Keycloak in the image, such as 26.7.3: the image's tag "stable" does not begin with one`}},
	{"image by digest only", identity("image: 'registry.example.com/iris@sha256:0000000000000000000000000000000000000000000000000000000000000000'"), []string{
		"controlplane:identity.version: is missing; must be the version of Keycloak in the image, such as 26.7.3: the image has no tag that says it"}},
	{"newer major version", identity("version: '27.0', image: 'registry.example.com/iris:1.4'"), []string{
		`controlplane:identity.version: "27.0" must be a version of Keycloak 26, such as 26.7.3: no other major version is supported`}},
	{"minor version without TLS between servers", identity("image: 'quay.io/keycloak/keycloak:26.1.5'"), []string{
		`controlplane:identity.image: "quay.io/keycloak/keycloak:26.1.5" must be of Keycloak 26.2 or newer: the servers of older versions talk to each other without TLS`}},
	{"minor version without TLS between servers in a derived image", identity("version: '26.0', image: 'registry.example.com/iris:1.4'"), []string{
		`controlplane:identity.version: "26.0" must be of Keycloak 26.2 or newer: the servers of older versions talk to each other without TLS`}},
	{"major version only", identity("version: '26'"), []string{
		`controlplane:identity.version: "26" ` + keycloakVersion}},
	{"version as a number", identity("version: 26.7"), []string{
		"controlplane:identity.version: 26.7 " + keycloakVersion + `, in quotes; did you mean "26.7"?`}},
	{"version of another image", identity("version: 26.6.1"), []string{
		`controlplane:identity.version: "26.6.1" contradicts the image's tag; must be 26.7.3, or left out`}},
	{"misspelt update strategy", identity("updateStrategy: recreate"), []string{
		`controlplane:identity.updateStrategy: "recreate" must be one of RollingUpdate, Recreate; did you mean "Recreate"?`}},

	// Replicas and resources.
	{"one replica over zones", "availability: zonal\n" + identity("replicas: 1"), []string{
		"controlplane:identity.replicas: 1 must be from 3 to 9 with controlplane:availability zonal"}},
	{"two replicas over zones", "availability: zonal\n" + identity("replicas: 2"), []string{
		"controlplane:identity.replicas: 2 must be from 3 to 9 with controlplane:availability zonal"}},
	{"two replicas", identity("replicas: 2"), []string{
		"controlplane:identity.replicas: 2 must be 1, or from 3 to 9: when one of two servers is lost, the other cannot know that it is not cut off itself, and stops serving for a minute"}},
	{"too many replicas", identity("replicas: 10"), []string{
		"controlplane:identity.replicas: 10 must be a whole number from 1 to 9"}},
	{"scaled to fewer", identity("replicas: 3, autoscaling: {enabled: true, maxReplicas: 2}"), []string{
		"controlplane:identity.autoscaling.maxReplicas: 2 must be more than identity.replicas, which are 3"}},
	{"scaled to as many", "availability: zonal\n" + identity("autoscaling: {enabled: true, maxReplicas: 3}"), []string{
		"controlplane:identity.autoscaling.maxReplicas: 3 must be more than identity.replicas, which are 3"}},
	{"idle target", identity("autoscaling: {enabled: true, targetCPUPercent: 0}"), []string{
		"controlplane:identity.autoscaling.targetCPUPercent: 0 must be a whole number from 10 to 100"}},
	{"no memory beside the heap", "resources: {identityProvider: {requests: {memory: 768Mi}, limits: {memory: 768Mi}}}", []string{
		`controlplane:resources.identityProvider.limits.memory: "768Mi" must be at least "1Gi": 70 % of it are Keycloak's heap, and it needs some 300 MB beside that`}},

	// The database.
	{"misspelt database", identity("database: irsi"), []string{
		`controlplane:identity.database: "irsi" is no database in controlplane:storage.postgresql.clusters; must be one of them: iris; did you mean "iris"?`}},
	{"unknown database among several", identity("database: sso") + "\n" + owned("{name: iris}, {name: keycloak}, {name: gateway}, {name: controlplane}"), []string{
		`controlplane:identity.database: "sso" is no database in controlplane:storage.postgresql.clusters; must be one of them: iris, keycloak`}},
	{"database of the gateway", identity("database: gateway"), []string{
		`controlplane:identity.database: "gateway" is the database of the gateway; must be another one, because neither may get at the data of the other`}},
	{"database of the Control Plane", identity("database: controlplane"), []string{
		`controlplane:identity.database: "controlplane" is the database of the Control Plane; must be another one, because neither may get at the data of the other`}},
	{"database of another backend", identity("database: 'mysql://db.example.com/keycloak'"), []string{
		`controlplane:identity.database: "mysql://db.example.com/keycloak" must be the name of a database in controlplane:storage.postgresql.clusters, such as iris: Keycloak runs on PostgreSQL here, and on no other database`}},
	{"database of JDBC", identity("database: 'jdbc:mariadb://db.example.com/keycloak'"), []string{
		`controlplane:identity.database: "jdbc:mariadb://db.example.com/keycloak" must be the name of a database in controlplane:storage.postgresql.clusters, such as iris: Keycloak runs on PostgreSQL here, and on no other database`}},
	{"kind of database", identity("database: MariaDB"), []string{
		`controlplane:identity.database: "MariaDB" must be the name of a database in controlplane:storage.postgresql.clusters, such as iris: Keycloak runs on PostgreSQL here, and on no other database`}},
	{"database that is a map", identity("database: {vendor: mysql}"), []string{
		"controlplane:identity.database: a map must be a string that is not empty"}},
	{"nothing left for Keycloak", identity("database: keycloak") + "\n" + owned("{name: gateway}, {name: controlplane}"), []string{
		`controlplane:identity.database: "keycloak" is no database in controlplane:storage.postgresql.clusters; must be one of them`}},

	// Ingress and administration.
	{"annotation that is none", identity("ingress: {annotations: {'proxy body size': 1m}}"), []string{
		`controlplane:identity.ingress.annotations: "proxy body size" is no name of an annotation; must be a name with an optional DNS name before it, such as nginx.ingress.kubernetes.io/proxy-body-size`}},
	{"annotation that is no string", identity("ingress: {annotations: {sticky: true}}"), []string{
		"controlplane:identity.ingress.annotations.sticky: true must be a string"}},
	{"annotations in a list", identity("ingress: {annotations: [sticky]}"), []string{
		"controlplane:identity.ingress.annotations: a list must be a map of names to strings"}},
	{"administrator in capitals", identity("admin: {username: Admin}"), []string{
		`controlplane:identity.admin.username: "Admin" must be 1 to 64 lower-case letters, digits, ., -, _ and @, with a letter or digit first`}},
	{"weak password", identity("admin: {password: admin}"), []string{
		"controlplane:identity.admin.password: [secret] must be 12 to 255 characters, at least 6 of them different"}},
	{"admin API without TLS", identity("adminApi: {url: 'http://iris.identity.svc:8080'}"), []string{
		`controlplane:identity.adminApi.url: "http://iris.identity.svc:8080" must start with https://, because the admin's password is sent there; http:// is only allowed on localhost`}},
	{"admin API without TLS, where Keycloak has nothing else", identity("adminApi: {url: 'http://localhost:8080'}"), []string{
		`controlplane:identity.adminApi.url: "http://localhost:8080" must start with https://, because Keycloak serves no HTTP without TLS unless identity.admin.plainHTTP is true`}},
	{"admin API with a path", identity("adminApi: {url: 'https://iris-admin.example.com/auth'}"), []string{
		`controlplane:identity.adminApi.url: "https://iris-admin.example.com/auth" must be scheme, host and optional port only, such as https://iris.identity.svc:8443: the paths are known`}},
	{"admin API with a password", identity("adminApi: {url: 'https://admin:hunter2@iris-admin.example.com'}"), []string{
		`controlplane:identity.adminApi.url: "https://admin:xxxxx@iris-admin.example.com" must be scheme, host and optional port only, such as https://iris.identity.svc:8443: the paths are known`}},
	{"admin API by its host only", identity("adminApi: {url: 'iris-admin.example.com'}"), []string{
		`controlplane:identity.adminApi.url: "iris-admin.example.com" must be a URL that starts with https:// or http://`}},
	{"admin API at a port that is none", identity("adminApi: {url: 'https://localhost:70000'}"), []string{
		`controlplane:identity.adminApi.url: "https://localhost:70000" must have a host name or IP address, and a port from 1 to 65535 if any`}},
	{"admin API at the public host name", identity("adminApi: {url: 'https://iris.example.com'}"), []string{
		`controlplane:identity.adminApi.url: "https://iris.example.com" is the public host name, which serves no admin paths; must be that of identity.admin.hostname, one inside the cluster, or localhost`}},
	{"authority of a forwarded port", identity("adminApi: {caCertificate: $CA}"), []string{
		"controlplane:identity.adminApi.caCertificate: has no effect on localhost, where the forwarded port is as safe as the API of Kubernetes; must be left out"}},
}
