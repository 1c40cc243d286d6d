package policy

import (
	"path"
	"slices"
)

// Exception is what may break a rule, with the reason.
type Exception struct {
	// Rule is the rule's name.
	Rule string
	// Resource is a kind and a name in the program, such as "Service valkey/valkey", where * stands for a part of a name.
	Resource string
	// About are the parts of the resource that may break the rule, such as ports.
	About []string
	// Reason says why it does, and why that is no harm.
	Reason string
}

func (e Exception) covers(rule string, r *resource, b breach) bool {
	if matched, err := path.Match(e.Resource, r.key()); e.Rule != rule || err != nil || !matched {
		return false
	}
	return slices.Contains(e.About, b.about)
}

// Exceptions are all that may break a rule.
func Exceptions() []Exception { return slices.Clone(exceptions) }

// exceptions are grouped by rule. One that no stack needs any more fails a test.
var exceptions = []Exception{
	{
		Rule: "rbac", Resource: "ClusterRole cert-manager-controller-*", About: []string{"secrets"},
		Reason: "cert-manager writes certificates and their keys into the Secrets that they are asked for in, and reads the accounts of issuers, " +
			"in namespaces that come and go.",
	},
	{
		Rule: "rbac", Resource: "ClusterRole cert-manager-controller-challenges", About: []string{"pods"},
		Reason: "To prove to an ACME authority who owns a host, cert-manager runs a pod that answers for it, in the namespace of the certificate.",
	},
	{
		Rule: "rbac", Resource: "ClusterRole cert-manager-cainjector",
		About: []string{"secrets", "mutatingwebhookconfigurations", "validatingwebhookconfigurations"},
		Reason: "The CA injector copies authorities from Secrets into the webhooks that ask for it, its own and those of others. " +
			"It may create no webhook.",
	},
	{
		Rule: "rbac", Resource: "ClusterRole cnpg-manager",
		About: []string{
			"secrets", "pods", "pods/exec", "jobs", "deployments", "roles", "rolebindings",
			"mutatingwebhookconfigurations", "validatingwebhookconfigurations",
		},
		Reason: "The operator of CloudNativePG makes what a database consists of: pods, Jobs, poolers, their passwords, and a Role for each. " +
			"It starts backups by a command in a pod, and puts the authority of its certificate into its own webhooks. Its manifest is for all namespaces.",
	},
	{
		Rule: "rbac", Resource: "ClusterRole plugin-barman-cloud", About: []string{"secrets", "roles", "rolebindings"},
		Reason: "The backup plugin reads the credentials of backup stores, and lets each database read its own, by a Role. " +
			"Its manifest is for all namespaces.",
	},
	{
		Rule: "rbac", Resource: "ClusterRole traefik", About: []string{"secrets"},
		Reason: "The certificates of Ingresses are in Secrets beside them, in namespaces that the Control Plane makes at run time. " +
			"Where those are known, controlplane:network.ingress.traefik.namespaces narrows it to them.",
	},
	{
		Rule: "rbac", Resource: "ClusterRole istiod-clusterrole-istio-system",
		About: []string{
			"resources *", "verbs *", "secrets", "mutatingwebhookconfigurations", "validatingwebhookconfigurations",
		},
		Reason: "Istio's chart lets istiod read every kind of its own API groups and of the Gateway API, set the status of Ingresses, read the " +
			"certificates of gateways, and put its authority into its own webhooks.",
	},
	{
		Rule: "rbac", Resource: "ClusterRole istiod-gateway-controller-istio-system", About: []string{"deployments"},
		Reason: "Where the Gateway API asks for a gateway of Istio's, istiod runs it, in the namespace of the Gateway.",
	},
	{
		Rule: "rbac", Resource: "ClusterRole linkerd-linkerd-destination", About: []string{"resources *"},
		Reason: "Linkerd's chart lets its control plane read every kind of its own API groups, and change none.",
	},

	{
		Rule: "tls", Resource: "Service cert-manager/cert-manager*", About: []string{"9402"},
		Reason: "Metrics of cert-manager: names of certificates, counts and times. The network policy lets Prometheus in and nobody else.",
	},
	{
		Rule: "tls", Resource: "Service cert-manager/trust-manager-metrics", About: []string{"9402"},
		Reason: "Metrics of trust-manager: counts and times. The network policy lets Prometheus in and nobody else.",
	},
	{
		Rule: "tls", Resource: "Service cnpg-system/barman-cloud", About: []string{"9090"},
		Reason: "It speaks TLS with certificates on both sides, those that its annotations name; its manifest leaves the port without a name.",
	},
	{
		Rule: "tls", Resource: "Service identity/iris", About: []string{"8080"},
		Reason: "It is there with controlplane:identity.admin.plainHTTP only: the Control Plane's operators trust no private authority. " +
			"The network policy lets them in and nobody else.",
	},
	{
		Rule: "tls", Resource: "Service valkey/valkey*", About: []string{"6379", "26379"},
		Reason: "Valkey and its sentinels speak TLS only (tls-port, and port 0). The ports bear the names of their protocols.",
	},
	{
		Rule: "tls", Resource: "Service ingress/traefik", About: []string{"80"},
		Reason: "Whoever comes by HTTP is sent on to HTTPS, and ACME authorities ask here who owns a host.",
	},
	{
		Rule: "tls", Resource: "Service istio-system/istiod", About: []string{"15010", "15014"},
		Reason: "The mesh has its configuration from port 15012, over TLS. Port 15010 is the same in plain text, which the network policies let nobody " +
			"reach; 15014 has istiod's metrics, for Prometheus alone.",
	},
	{
		Rule: "tls", Resource: "Service linkerd/linkerd-*", About: []string{"8080", "8086", "8090"},
		Reason: "Each pod of Linkerd's control plane has a proxy of the mesh in front, which takes these ports over TLS.",
	},
}
