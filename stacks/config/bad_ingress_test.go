package config_test

const (
	cidr        = "must be a range of IPv4 or IPv6 addresses such as 10.0.0.0/8 or 2001:db8::/32, with no bits set behind its prefix"
	dnsLabel    = "must be 1 to 63 lower-case letters, digits and -, with a letter or digit first and last"
	certName    = "must be a DNS name without scheme, port and path, such as app.example.com or *.apps.example.com"
	hstsAge     = "must be a duration of whole seconds such as 8760h, or 0s"
	nodePort    = "must be a whole number from 30000 to 32767"
	port        = "must be a whole number from 1 to 65535"
	otherName   = " already; must be another one, or left out: a host name is used once"
	http01      = "certTrust: {acme: {server: 'https://acme.example.com/directory', email: a@example.com, http01: {}}}"
	hostnames   = "network.ingress.traefik.certificate.hostnames"
	ingressKeys = "controller, existing, traefik"
	networkKeys = "gatewayAPI, ingress, mesh, policies"
	traefikKeys = "autoscaling, certificate, className, defaultClass, hsts, image, namespaces, proxyProtocol, replicas, service, serviceMonitor, trustedProxies"
)

// traefik is an ingress controller with the given keys.
func traefik(keys string) string { return "network: {ingress: {traefik: {" + keys + "}}}" }

// ingress is the section of the ingress controller.
func ingress(keys string) string { return "network: {ingress: {" + keys + "}}" }

var badIngress = []badConfiguration{
	// One owner.
	{"two owners of ingress", ingress("traefik: {}, existing: {className: nginx}"), []string{
		"controlplane:network.ingress: has traefik and existing, so that two controllers would own Ingress objects; must have exactly one of them"}},
	{"two owners of ingress, one of them chosen", ingress("controller: existing, traefik: {}, existing: {className: nginx}"), []string{
		"controlplane:network.ingress: has traefik and existing, so that two controllers would own Ingress objects; must have exactly one of them"}},
	{"an existing controller beside Traefik", ingress("controller: traefik, existing: {className: nginx}"), []string{
		"controlplane:network.ingress.existing: is only allowed with controller existing; controller is traefik"}},
	{"Traefik beside an existing controller", ingress("controller: existing, traefik: {replicas: 2}"), []string{
		"controlplane:network.ingress.existing: is missing; controller existing needs existing.className, the name of its IngressClass",
		"controlplane:network.ingress.traefik: is only allowed with controller traefik; controller is existing"}},
	{"an existing controller of which nothing is known", ingress("controller: existing"), []string{
		"controlplane:network.ingress.existing: is missing; controller existing needs existing.className, the name of its IngressClass"}},
	{"an existing controller without a class", ingress("existing: {namespace: ingress-nginx}"), []string{
		"controlplane:network.ingress.existing.className: is missing; " + name}},
	{"class in capitals", ingress("existing: {className: NGINX}"), []string{
		`controlplane:network.ingress.existing.className: "NGINX" ` + name}},
	{"pods by no label", ingress("existing: {className: nginx, pods: {app: 'a b'}}"), []string{
		`controlplane:network.ingress.existing.pods: "app: a b" is no label; must be a name of up to 63 letters, digits, -, _ and . with an optional DNS name and / before it, and a value of the same kind, or an empty one`}},
	{"unknown controller", ingress("controller: treafik"), []string{
		`controlplane:network.ingress.controller: "treafik" must be one of traefik, existing; did you mean "traefik"?`}},
	{"another controller", ingress("controller: nginx"), []string{
		`controlplane:network.ingress.controller: "nginx" must be one of traefik, existing`}},
	{"misspelt key of the network", "network: {ingres: {}}", []string{
		"controlplane:network.ingres: is not a key; allowed are " + networkKeys + `; did you mean "ingress"?`}},
	{"misspelt key of ingress", ingress("traefic: {}"), []string{
		"controlplane:network.ingress.traefic: is not a key; allowed are " + ingressKeys + `; did you mean "traefik"?`}},
	{"misspelt key of Traefik", traefik("trustedProxy: []"), []string{
		"controlplane:network.ingress.traefik.trustedProxy: is not a key; allowed are " + traefikKeys + `; did you mean "trustedProxies"?`}},

	// Image, replicas.
	{"older Traefik", traefik("image: 'docker.io/library/traefik:v3.6.6'"), []string{
		`controlplane:network.ingress.traefik.image: "docker.io/library/traefik:v3.6.6" must be of Traefik 3.7 or newer: older versions lack settings that are needed`}},
	{"another major version of Traefik", traefik("image: 'registry.example.com/mirror/traefik:2.11'"), []string{
		`controlplane:network.ingress.traefik.image: "registry.example.com/mirror/traefik:2.11" must have a tag of Traefik 3, such as v3.7.13: no other major version is supported`}},
	{"another major version of Traefik, of which no more is said", traefik("image: 'docker.io/library/traefik:v4'"), []string{
		`controlplane:network.ingress.traefik.image: "docker.io/library/traefik:v4" must have a tag of Traefik 3, such as v3.7.13: no other major version is supported`}},
	{"moving tag of Traefik", traefik("image: 'docker.io/library/traefik:latest'"), []string{
		`controlplane:network.ingress.traefik.image: "docker.io/library/traefik:latest" must be an image with its registry and a tag other than latest, such as docker.io/valkey/valkey:9.0.6`}},
	{"one Traefik over zones", "availability: zonal\n" + traefik("replicas: 1"), []string{
		"controlplane:network.ingress.traefik.replicas: 1 must be from 2 to 20 with controlplane:availability zonal"}},
	{"no Traefik", traefik("replicas: 0"), []string{
		"controlplane:network.ingress.traefik.replicas: 0 must be a whole number from 1 to 20"}},
	{"Traefik scaled to fewer", traefik("replicas: 4, autoscaling: {enabled: true, maxReplicas: 4}"), []string{
		"controlplane:network.ingress.traefik.autoscaling.maxReplicas: 4 must be more than network.ingress.traefik.replicas, which are 4"}},
	{"Traefik scaled to fewer over zones, where it scales unasked", "availability: zonal\n" + traefik("autoscaling: {maxReplicas: 2}"), []string{
		"controlplane:network.ingress.traefik.autoscaling.maxReplicas: 2 must be more than network.ingress.traefik.replicas, which are 3"}},

	// The Service.
	{"unknown type of Service", traefik("service: {type: loadbalancer}"), []string{
		`controlplane:network.ingress.traefik.service.type: "loadbalancer" must be one of LoadBalancer, NodePort, ClusterIP; did you mean "LoadBalancer"?`}},
	{"unknown load balancer", traefik("service: {loadBalancer: elb}"), []string{
		`controlplane:network.ingress.traefik.service.loadBalancer: "elb" must be one of none, nlb, nlb-cloud-provider; did you mean "nlb"?`}},
	{"a load balancer for no load balancer", traefik("service: {type: NodePort, loadBalancer: nlb, loadBalancerClass: service.k8s.aws/nlb, sourceRanges: [192.0.2.0/24]}"), []string{
		`controlplane:network.ingress.traefik.service.loadBalancer: "nlb" is only allowed with type LoadBalancer; type is NodePort`,
		`controlplane:network.ingress.traefik.service.loadBalancerClass: "service.k8s.aws/nlb" is only allowed with type LoadBalancer; type is NodePort`,
		"controlplane:network.ingress.traefik.service.sourceRanges: is only allowed with type LoadBalancer; type is NodePort"}},
	{"class of load balancer with spaces", traefik("service: {loadBalancerClass: my class}"), []string{
		`controlplane:network.ingress.traefik.service.loadBalancerClass: "my class" must be a name of up to 63 letters, digits, -, _ and . with an optional DNS name and / before it, such as service.k8s.aws/nlb`}},
	{"ports of nodes for a load balancer", traefik("service: {nodePorts: {http: 30080, https: 30443}}"), []string{
		"controlplane:network.ingress.traefik.service.nodePorts.http: 30080 is only allowed with type NodePort; type is LoadBalancer",
		"controlplane:network.ingress.traefik.service.nodePorts.https: 30443 is only allowed with type NodePort; type is LoadBalancer"}},
	{"ports of nodes that are none", traefik("service: {type: NodePort, nodePorts: {http: 80, https: 32768}}"), []string{
		"controlplane:network.ingress.traefik.service.nodePorts.http: 80 " + nodePort,
		"controlplane:network.ingress.traefik.service.nodePorts.https: 32768 " + nodePort}},
	{"one port of nodes for two", traefik("service: {type: NodePort, nodePorts: {http: 30080, https: 30080}}"), []string{
		"controlplane:network.ingress.traefik.service.nodePorts.https: 30080 is the port of nodePorts.http; must be another one"}},
	{"one port for two", traefik("service: {httpPort: 443}"), []string{
		"controlplane:network.ingress.traefik.service.httpsPort: 443 is the port of httpPort; must be another one"}},
	{"ports that are none", traefik("service: {httpPort: 0, httpsPort: 65536}"), []string{
		"controlplane:network.ingress.traefik.service.httpPort: 0 " + port,
		"controlplane:network.ingress.traefik.service.httpsPort: 65536 " + port}},
	{"annotation of the Service that is none", traefik("service: {annotations: {'a b': c}}"), []string{
		`controlplane:network.ingress.traefik.service.annotations: "a b" is no name of an annotation; must be a name with an optional DNS name before it, such as nginx.ingress.kubernetes.io/proxy-body-size`}},

	// Addresses.
	{"source range with host bits", traefik("service: {sourceRanges: [192.0.2.7/24]}"), []string{
		`controlplane:network.ingress.traefik.service.sourceRanges[0]: "192.0.2.7/24" ` + cidr + `; did you mean "192.0.2.0/24"?`}},
	{"address for a range", traefik("trustedProxies: [192.0.2.7, '2001:db8::1']"), []string{
		`controlplane:network.ingress.traefik.trustedProxies[0]: "192.0.2.7" ` + cidr + `; did you mean "192.0.2.7/32"?`,
		`controlplane:network.ingress.traefik.trustedProxies[1]: "2001:db8::1" ` + cidr + `; did you mean "2001:db8::1/128"?`}},
	{"ranges of IPv6 that are none", traefik("trustedProxies: ['2001:db8::1/32', '2001:DB8::/32', '::ffff:192.0.2.0/120', '2001:db8::/129']"), []string{
		`controlplane:network.ingress.traefik.trustedProxies[0]: "2001:db8::1/32" ` + cidr + `; did you mean "2001:db8::/32"?`,
		`controlplane:network.ingress.traefik.trustedProxies[1]: "2001:DB8::/32" ` + cidr + `; did you mean "2001:db8::/32"?`,
		`controlplane:network.ingress.traefik.trustedProxies[2]: "::ffff:192.0.2.0/120" ` + cidr,
		`controlplane:network.ingress.traefik.trustedProxies[3]: "2001:db8::/129" ` + cidr}},
	{"host name for a range", traefik("trustedProxies: [proxy.example.com, '10.0.0.0/33']"), []string{
		`controlplane:network.ingress.traefik.trustedProxies[0]: "proxy.example.com" ` + cidr,
		`controlplane:network.ingress.traefik.trustedProxies[1]: "10.0.0.0/33" ` + cidr}},
	{"empty list of proxies", traefik("trustedProxies: []"), []string{
		"controlplane:network.ingress.traefik.trustedProxies: must be a list, not empty, without repetition, each item a range of IPv4 or IPv6 addresses such as 10.0.0.0/8 or 2001:db8::/32, with no bits set behind its prefix"}},
	{"everybody is a proxy", traefik("trustedProxies: [10.0.0.0/8, 0.0.0.0/0, '::/0']"), []string{
		`controlplane:network.ingress.traefik.trustedProxies[1]: "0.0.0.0/0" is every address, so that every client could claim any address as its own; must be those of proxies only`,
		`controlplane:network.ingress.traefik.trustedProxies[2]: "::/0" is every address, so that every client could claim any address as its own; must be those of proxies only`}},
	{"PROXY protocol of nobody", traefik("proxyProtocol: true"), []string{
		"controlplane:network.ingress.traefik.proxyProtocol: true needs trustedProxies, the addresses of those who speak the PROXY protocol; must be false without them"}},
	{"PROXY protocol of proxies that are wrong", traefik("proxyProtocol: true, trustedProxies: [10.0.0.1/8]"), []string{
		`controlplane:network.ingress.traefik.trustedProxies[0]: "10.0.0.1/8" ` + cidr + `; did you mean "10.0.0.0/8"?`}},

	// Namespaces.
	{"namespace in capitals", traefik("namespaces: [identity, Shop]"), []string{
		`controlplane:network.ingress.traefik.namespaces[1]: "Shop" ` + dnsLabel}},
	{"the identity provider unseen", traefik("namespaces: [shop]"), []string{
		"controlplane:network.ingress.traefik.namespaces: has no identity, the namespace of the identity provider, whose Ingress objects are of the class traefik; must have it"}},
	{"the Gateway unseen", "network: {gatewayAPI: {enabled: true}, ingress: {traefik: {namespaces: [identity]}}}", []string{
		"controlplane:network.ingress.traefik.namespaces: has no ingress, the namespace of the Gateway; must have it with controlplane:network.gatewayAPI.enabled"}},
	{"challenges unseen", http01 + "\n" + traefik("namespaces: [identity], certificate: {hostnames: [app.example.com]}"), []string{
		"controlplane:network.ingress.traefik.namespaces: has no ingress, the namespace in which controlplane:certTrust.acme.http01 answers for the default certificate; must have it"}},

	// Host names.
	{"host names that are none", traefik("certificate: {hostnames: [App.example.com, '*.*.example.com', 'a.*.example.com', '*', 192.0.2.1, 'https://app.example.com']}"), []string{
		`controlplane:` + hostnames + `[0]: "App.example.com" ` + certName,
		`controlplane:` + hostnames + `[1]: "*.*.example.com" ` + certName,
		`controlplane:` + hostnames + `[2]: "a.*.example.com" ` + certName,
		`controlplane:` + hostnames + `[3]: "*" ` + certName,
		`controlplane:` + hostnames + `[4]: "192.0.2.1" ` + certName,
		`controlplane:` + hostnames + `[5]: "https://app.example.com" ` + certName}},
	{"no host name", traefik("certificate: {hostnames: []}"), []string{
		"controlplane:" + hostnames + ": must be a list, not empty, each item a DNS name without scheme, port and path, such as app.example.com or *.apps.example.com"}},
	{"a host name twice in a list", traefik("certificate: {hostnames: [app.example.com, '*.example.com', app.example.com]}"), []string{
		"controlplane:" + hostnames + `[2]: "app.example.com" is controlplane:` + hostnames + "[0]" + otherName}},
	{"host names of the identity provider", identity("admin: {hostname: admin.example.com}") + "\n" + traefik("certificate: {hostnames: [app.example.com, admin.example.com, iris.example.com]}"), []string{
		"controlplane:" + hostnames + `[1]: "admin.example.com" is controlplane:identity.admin.hostname` + otherName,
		"controlplane:" + hostnames + `[2]: "iris.example.com" is controlplane:identity.hostname` + otherName}},
	{"a host name three times", identity("admin: {hostname: iris.example.com}") + "\n" + traefik("certificate: {hostnames: [iris.example.com]}"), []string{
		`controlplane:identity.admin.hostname: "iris.example.com" is controlplane:identity.hostname` + otherName,
		"controlplane:" + hostnames + `[0]: "iris.example.com" is controlplane:identity.hostname` + otherName}},
	{"wildcard that HTTP-01 cannot prove", http01 + "\n" + traefik("certificate: {hostnames: [app.example.com, '*.apps.example.com']}"), []string{
		"controlplane:" + hostnames + `[1]: "*.apps.example.com" cannot be proven by controlplane:certTrust.acme.http01, which asks each name for an answer; must be names without *, or certTrust.acme have route53 instead`}},

	// HSTS and the Gateway API.
	{"age in days", traefik("hsts: {maxAge: 365d}"), []string{
		`controlplane:network.ingress.traefik.hsts.maxAge: "365d" ` + hstsAge + `; did you mean "8760h"?`}},
	{"age as a number", traefik("hsts: {maxAge: 0}"), []string{
		"controlplane:network.ingress.traefik.hsts.maxAge: 0 " + hstsAge}},
	{"age in parts of a second", traefik("hsts: {maxAge: 1500ms}"), []string{
		`controlplane:network.ingress.traefik.hsts.maxAge: "1500ms" ` + hstsAge}},
	{"preload without its conditions", traefik("hsts: {preload: true}"), []string{
		"controlplane:network.ingress.traefik.hsts.preload: true needs includeSubdomains, without which browsers take no host into their lists; must be false without it"}},
	{"preload of a short age", traefik("hsts: {preload: true, includeSubdomains: true, maxAge: 24h}"), []string{
		`controlplane:network.ingress.traefik.hsts.preload: true needs a maxAge of 8760h or more, which is "24h"; must be false with less`}},
	{"subdomains of nothing", traefik("hsts: {includeSubdomains: true, maxAge: 0s}"), []string{
		"controlplane:network.ingress.traefik.hsts.includeSubdomains: true has no effect with maxAge 0s; must be false, or maxAge more"}},
	{"the Gateway API of others", "network: {ingress: {existing: {className: nginx}}, gatewayAPI: {enabled: true, customResourceDefinitions: existing}}", []string{
		"controlplane:network.gatewayAPI.enabled: true has no effect; its definitions and the ingress controller are there already, and no mesh is installed; must be false"}},
	{"other definitions for a Gateway API that is off", "artifacts: {overrides: {gatewayAPI: {directory: a}}}", []string{
		"controlplane:artifacts.overrides.gatewayAPI: has no effect; controlplane:network.gatewayAPI is not enabled, or its customResourceDefinitions are existing, so that nothing is installed from it"}},
}
