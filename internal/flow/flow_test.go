package flow_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/internal/flow/flowtest"
)

var (
	server   = flow.Peer{Namespace: "shop", Pods: map[string]string{"app": "server"}}
	database = flow.Peer{Namespace: "data", Pods: map[string]string{"app": "database"}}
	flows    = []flow.Flow{
		{Name: "database", From: server, To: database, Ports: []int{5432}, Why: "Orders are kept there."},
		{Name: "https", From: flow.Peer{}, To: server, Ports: []int{8443, 9443}, Why: "Customers order."},
		{Name: "metrics", From: flow.Peer{NamespaceLabels: map[string]string{"metrics": "enabled"}}, To: server, Ports: []int{9000}},
		{Name: "pay", From: server, To: flow.Peer{CIDRs: []string{"192.0.2.0/24", "2001:db8::/32"}}, Ports: []int{443}},
		{Name: "webhook", From: flow.Peer{Everywhere: true}, To: server, Ports: []int{9443}},
		{Name: "names", From: server, To: flow.Peer{CIDRs: []string{"192.0.2.0/24"}}, Ports: []int{53}, UDPPorts: []int{53}},
		{Name: "elsewhere", From: database, To: flow.Peer{Namespace: "backup"}, Ports: []int{1}},
	}
	table = flowtest.Table(flows...)
)

// Only flows that begin or end in a namespace are its business.
func TestPoliciesOfANamespace(t *testing.T) {
	assert.Equal(t, []string{
		"default-deny", "allow-dns", "allow-database-egress", "allow-https-ingress", "allow-metrics-ingress", "allow-pay-egress",
		"allow-webhook-ingress", "allow-names-egress",
	}, names(table.Policies("shop")))
	assert.Equal(t, []string{"default-deny", "allow-dns", "allow-database-ingress", "allow-elsewhere-egress"},
		names(table.Policies("data")))
	assert.Equal(t, []string{"default-deny", "allow-dns"}, names(table.Policies("empty")))
}

// What is not allowed is denied, both ways, for every pod.
func TestDefaultDeny(t *testing.T) {
	deny := flow.Table{}.Policies("shop")[0]
	assert.Equal(t, networkingv1.NetworkPolicySpec{
		PodSelector: metav1.LabelSelector{}, PolicyTypes: []networkingv1.PolicyType{"Ingress", "Egress"},
	}, deny.Spec)
}

func TestEachKindOfPeer(t *testing.T) {
	assertSpec(t, "shop", "allow-database-egress", `
podSelector: {matchLabels: {app: server}}
policyTypes: [Egress]
egress:
- to:
  - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: data}}
    podSelector: {matchLabels: {app: database}}
  ports: [{protocol: TCP, port: 5432}]
`)
	assertSpec(t, "data", "allow-database-ingress", `
podSelector: {matchLabels: {app: database}}
policyTypes: [Ingress]
ingress:
- from:
  - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: shop}}
    podSelector: {matchLabels: {app: server}}
  ports: [{protocol: TCP, port: 5432}]
`)
	// Every pod of the cluster, and nobody outside of it.
	assertSpec(t, "shop", "allow-https-ingress", `
podSelector: {matchLabels: {app: server}}
policyTypes: [Ingress]
ingress:
- from:
  - namespaceSelector: {}
  ports: [{protocol: TCP, port: 8443}, {protocol: TCP, port: 9443}]
`)
	assertSpec(t, "shop", "allow-metrics-ingress", `
podSelector: {matchLabels: {app: server}}
policyTypes: [Ingress]
ingress:
- from:
  - namespaceSelector: {matchLabels: {metrics: enabled}}
  ports: [{protocol: TCP, port: 9000}]
`)
	assertSpec(t, "shop", "allow-pay-egress", `
podSelector: {matchLabels: {app: server}}
policyTypes: [Egress]
egress:
- to: [{ipBlock: {cidr: 192.0.2.0/24}}, {ipBlock: {cidr: "2001:db8::/32"}}]
  ports: [{protocol: TCP, port: 443}]
`)
	// Whoever knows the way, nodes among them.
	assertSpec(t, "shop", "allow-webhook-ingress", `
podSelector: {matchLabels: {app: server}}
policyTypes: [Ingress]
ingress:
- ports: [{protocol: TCP, port: 9443}]
`)
	assertSpec(t, "shop", "allow-names-egress", `
podSelector: {matchLabels: {app: server}}
policyTypes: [Egress]
egress:
- to: [{ipBlock: {cidr: 192.0.2.0/24}}]
  ports: [{protocol: TCP, port: 53}, {protocol: UDP, port: 53}]
`)
}

// Who connects by a Service that selects by something else than the peer does is let through to it; who is connected to
// is as open as before.
func TestServicesOfAPeer(t *testing.T) {
	primary := database
	primary.Services = []map[string]string{{"role": "primary"}, {"role": "pooler"}}
	table := flowtest.Table(flow.Flow{Name: "orders", From: server, To: primary, Ports: []int{5432}})
	specs := map[string]networkingv1.NetworkPolicySpec{}
	for _, namespace := range []string{"shop", "data"} {
		for _, policy := range table.Policies(namespace)[2:] {
			specs[policy.Name] = policy.Spec
		}
	}
	data := &metav1.LabelSelector{MatchLabels: map[string]string{"kubernetes.io/metadata.name": "data"}}
	pods := func(key, value string) networkingv1.NetworkPolicyPeer {
		return networkingv1.NetworkPolicyPeer{NamespaceSelector: data, PodSelector: &metav1.LabelSelector{MatchLabels: map[string]string{key: value}}}
	}
	assert.Equal(t, []networkingv1.NetworkPolicyPeer{pods("app", "database"), pods("role", "primary"), pods("role", "pooler")},
		specs["allow-orders-egress"].Egress[0].To)
	assert.Equal(t, database.Pods, specs["allow-orders-ingress"].PodSelector.MatchLabels)
}

// A table that cannot be made policies of is a mistake in the program.
func TestMistakesInATable(t *testing.T) {
	with := func(more ...flow.Flow) error {
		return flowtest.Table(more...).Check()
	}
	why := flow.Flow{Name: "a", To: server, Why: "Because."}
	assert.NoError(t, with(why))
	assert.EqualError(t, with(why, why), `two flows have the name "a"`)
	assert.EqualError(t, with(flow.Flow{Name: "a", To: server}), `flow "a" does not say its name and what it is for`)
	assert.EqualError(t, with(flow.Flow{Name: "a", Why: "Because."}), `flow "a" neither begins nor ends in a namespace of the platform`)
	assert.EqualError(t, flow.Table{}.Check(), "no server resolves names")
}

// Names are resolved by the cluster's DNS pods, over UDP and, for long answers, over TCP, or by the node's own cache.
func TestEveryPodResolvesNames(t *testing.T) {
	assertSpec(t, "empty", "allow-dns", `
podSelector: {}
policyTypes: [Egress]
egress:
- to:
  - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}
    podSelector: {matchLabels: {k8s-app: kube-dns}}
  - ipBlock: {cidr: 169.254.20.10/32}
  ports: [{protocol: UDP, port: 53}, {protocol: TCP, port: 53}]
`)
}

func TestPoliciesSayWhy(t *testing.T) {
	assert.Equal(t, "Orders are kept there.", find(t, "shop", "allow-database-egress").Annotations[flow.WhyAnnotation])
}

func names(policies []*networkingv1.NetworkPolicy) (all []string) {
	for _, p := range policies {
		all = append(all, p.Name)
	}
	return all
}

func find(t *testing.T, namespace, name string) *networkingv1.NetworkPolicy {
	t.Helper()
	for _, p := range table.Policies(namespace) {
		if p.Name == name {
			return p
		}
	}
	require.Failf(t, "no such policy", "%s/%s", namespace, name)
	return nil
}

func assertSpec(t *testing.T, namespace, name, want string) {
	t.Helper()
	var spec networkingv1.NetworkPolicySpec
	require.NoError(t, yaml.UnmarshalStrict([]byte(want), &spec))
	assert.Equal(t, spec, find(t, namespace, name).Spec)
}
