package config_test

const (
	noLabel    = "is no label; must be a name of up to 63 letters, digits, -, _ and . with an optional DNS name and / before it, and a value of the same kind, or an empty one"
	closed     = "cert-manager, cnpg-system, identity, ingress, minio, monitoring, node-exporter, postgresql, valkey"
	ports      = "must be a list, not empty, without repetition, each item a whole number from 1 to 65535"
	policiesAt = "controlplane:network.policies."
)

// policies are network policies with the given keys.
func policies(keys string) string { return "network: {policies: {" + keys + "}}" }

// additional is a connection to a mail server with more keys.
func additional(more string) string {
	return policies("additional: [{name: mail, namespace: identity, why: Users get mail., " + more + "}]")
}

var badPolicies = []badConfiguration{
	{"API server at no range", policies("apiServer: {cidrs: [kubernetes.default.svc, 10.0.0.7/24]}"), []string{
		policiesAt + `apiServer.cidrs[0]: "kubernetes.default.svc" ` + cidr,
		policiesAt + `apiServer.cidrs[1]: "10.0.0.7/24" ` + cidr + `; did you mean "10.0.0.0/24"?`}},
	{"API server at no address", policies("apiServer: {cidrs: []}"), []string{
		policiesAt + "apiServer.cidrs: must be a list, not empty, without repetition, each item a range of IPv4 or IPv6 addresses such as 10.0.0.0/8 or 2001:db8::/32, with no bits set behind its prefix"}},
	{"API server at a port that is none", policies("apiServer: {ports: [0, 6443, 70000]}"), []string{
		policiesAt + "apiServer.ports[0]: 0 " + port,
		policiesAt + "apiServer.ports[2]: 70000 " + port}},
	{"API server at no port", policies("apiServer: {ports: []}"), []string{policiesAt + "apiServer.ports: " + ports}},
	{"port of DNS twice", policies("dns: {ports: [53, 53]}"), []string{policiesAt + "dns.ports: " + ports}},
	{"DNS by no label", policies("dns: {pods: {'k8s app': dns, ok: 'n°'}}"), []string{
		policiesAt + `dns.pods: "k8s app: dns" ` + noLabel,
		policiesAt + `dns.pods: "ok: n°" ` + noLabel}},
	{"label that is no string", policies("dns: {pods: {enabled: true}}"), []string{policiesAt + "dns.pods.enabled: true must be a string"}},
	{"gateways everywhere", policies("gateways: {labels: {}}"), []string{
		policiesAt + "gateways.labels: selects every namespace; must have at least one label, because the pods of these namespaces may use the gateway's database and the cache"}},
	{"ACME server without ACME", policies("acme: {cidrs: [192.0.2.0/24]}"), []string{
		policiesAt + "acme: has no effect; is only allowed with controlplane:certTrust.acme"}},
	{"ACME server at a port that is none", "certTrust: {acme: {server: 'https://acme.example.com:70000/directory', email: a@example.com, http01: {}}}", []string{
		`controlplane:certTrust.acme.server: "https://acme.example.com:70000/directory" must have a port from 1 to 65535, if any`}},
	{"Amazon S3 without Amazon S3", policies("objectStorage: {ports: [8443]}"), []string{
		policiesAt + "objectStorage: has no effect; is only allowed with controlplane:storage.objectStorage.backend s3; backend is minio"}},

	{"connection without a port", additional("cidrs: [192.0.2.25/32]"), []string{
		policiesAt + "additional[0]: names no port; must have ports, udpPorts or both"}},
	{"connection to ports that are none", additional("ports: [587, 65536], udpPorts: [-1]"), []string{
		policiesAt + "additional[0].ports[1]: 65536 " + port,
		policiesAt + "additional[0].udpPorts[0]: -1 " + port}},
	{"connection to no range", additional("ports: [587], cidrs: ['2001:db8::25']"), []string{
		policiesAt + `additional[0].cidrs[0]: "2001:db8::25" ` + cidr + `; did you mean "2001:db8::25/128"?`}},
	{"connection of pods by no label", additional("ports: [587], pods: {'-': a}"), []string{
		policiesAt + `additional[0].pods: "-: a" ` + noLabel}},
	{"connection of which little is said", policies("additional: [{}]"), []string{
		policiesAt + "additional[0]: names no port; must have ports, udpPorts or both",
		policiesAt + "additional[0].name: is missing; " + dnsLabel,
		policiesAt + "additional[0].namespace: is missing; " + dnsLabel,
		policiesAt + "additional[0].why: is missing; must be a string of 1 to 255 characters"}},
	{"connection without a reason", policies("additional: [{name: mail, namespace: identity, ports: [587], why: ''}]"), []string{
		policiesAt + `additional[0].why: "" must be a string of 1 to 255 characters`}},
	{"connection with a name that is none", policies("additional: [{name: Mail_Server, namespace: identity, ports: [587], why: Mail.}]"), []string{
		policiesAt + `additional[0].name: "Mail_Server" ` + dnsLabel}},
	{"two connections of one name", policies("additional: [{name: mail, namespace: identity, ports: [587], why: Mail.}, {name: mail, namespace: minio, ports: [25], why: Mail.}]"), []string{
		policiesAt + `additional[1].name: "mail" is the name of another connection already; must be in one item only`}},
	{"connection from a namespace of others", policies("additional: [{name: mail, namespace: shop, ports: [587], why: Mail.}]"), []string{
		policiesAt + `additional[0].namespace: "shop" is no namespace of the platform; must be one of ` + closed}},
	{"connection from a misspelt namespace", policies("additional: [{name: mail, namespace: identiy, ports: [587], why: Mail.}]"), []string{
		policiesAt + `additional[0].namespace: "identiy" is no namespace of the platform; must be one of ` + closed + `; did you mean "identity"?`}},
	{"connection from the Control Plane, which is open", policies("additional: [{name: mail, namespace: controlplane-system, ports: [587], why: Mail.}]"), []string{
		policiesAt + `additional[0].namespace: "controlplane-system" has no network policies from here, so that its pods may connect to everything anyway; must be one of ` + closed}},
	{"connection from MinIO where there is none", "storage: {objectStorage: {backend: none}}\n" + policies("additional: [{name: audit, namespace: minio, ports: [514], why: Audit.}]"), []string{
		policiesAt + `additional[0].namespace: "minio" is no namespace of the platform; must be one of cert-manager, cnpg-system, identity, ingress, monitoring, node-exporter, postgresql, valkey`}},
	{"connection of a node exporter that is not there", "monitoring: {exporters: {nodeExporter: {enabled: false}}}\n" + policies("additional: [{name: audit, namespace: node-exporter, ports: [514], why: Audit.}]"), []string{
		policiesAt + `additional[0].namespace: "node-exporter" is no namespace of the platform; must be one of cert-manager, cnpg-system, identity, ingress, minio, monitoring, postgresql, valkey`}},
	{"misspelt key of a connection", additional("port: 587"), []string{
		policiesAt + "additional[0].port: is not a key; allowed are cidrs, name, namespace, pods, ports, udpPorts, why" + `; did you mean "ports"?`}},
	{"connections that are no list", policies("additional: {mail: {}}"), []string{
		policiesAt + "additional: a map must be a list, each item a map with the keys cidrs, name, namespace, pods, ports, udpPorts, why"}},
}
