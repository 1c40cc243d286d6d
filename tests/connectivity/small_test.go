package connectivity_test

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/internal/flow/flowtest"
)

// small is a cluster with every kind of peer, and a table for it.
func small() (cluster, flow.Table) {
	shop := flow.Peer{Namespace: "shop", Pods: map[string]string{"app": "shop"}}
	data := flow.Peer{Namespace: "data", Pods: map[string]string{"app": "data"}}
	table := flowtest.Table(
		flow.Flow{Name: "orders", From: shop, To: data, Ports: []int{5432}},
		flow.Flow{Name: "peers", From: data, To: data, Ports: []int{5432, 7000}},
		flow.Flow{Name: "customers", From: flow.Peer{Everywhere: true}, To: shop, Ports: []int{8443}},
		flow.Flow{Name: "pods", From: flow.Peer{}, To: shop, Ports: []int{8080}},
		flow.Flow{Name: "metrics", From: flow.Peer{NamespaceLabels: map[string]string{"metrics": "enabled"}}, To: data, Ports: []int{9187}},
		flow.Flow{Name: "bank", From: shop, To: flow.Peer{CIDRs: []string{"198.51.100.0/24", "203.0.113.64/26"}}, Ports: []int{443}},
		flow.Flow{Name: "api", From: data, To: flow.Peer{Everywhere: true}, Ports: []int{6443}},
		flow.Flow{Name: "time", From: data, To: flow.Peer{CIDRs: []string{"198.51.100.8/32"}}, UDPPorts: []int{123}},
		flow.Flow{Name: "help", From: flow.Peer{Namespace: "other"}, To: shop},
		flow.Flow{Name: "office", From: flow.Peer{CIDRs: []string{"192.0.2.0/24"}}, To: data, Ports: []int{22}},
	)
	c := cluster{
		namespaces: map[string]map[string]string{
			"shop": nil, "data": nil, "other": nil, "kube-system": nil, "monitoring": {"metrics": "enabled"},
		},
		closed: map[string]bool{"shop": true, "data": true},
		workloads: []end{
			{namespace: "shop", name: "shop", labels: shop.Pods}, {namespace: "shop", name: "helper"},
			{namespace: "data", name: "data", labels: data.Pods}, {namespace: "other", name: "other"},
			{namespace: "kube-system", name: "dns", labels: map[string]string{"k8s-app": "kube-dns"}},
			{namespace: "monitoring", name: "prometheus"},
		},
	}
	for name := range c.closed {
		c.policies = append(c.policies, table.Policies(name)...)
	}
	c.addresses = boundaries(blocks(c.policies, table))
	return c, table
}

func TestEachKindOfPeer(t *testing.T) {
	c, table := small()
	found, err := differences(c, table)
	require.NoError(t, err)
	assert.Empty(t, found)

	a, err := analyse(c)
	require.NoError(t, err)
	ends := map[string]end{"198.51.101.0": {address: netip.MustParseAddr("198.51.101.0")}}
	for _, e := range c.ends() {
		ends[e.String()] = e
	}
	for _, want := range []struct{ from, to, ports string }{
		{"shop/shop", "data/data", "TCP 5432"},
		{"data/data", "data/data", "TCP 5432, TCP 7000"},
		{"shop/shop", "shop/shop", "nothing"},
		{"monitoring/prometheus", "data/data", "TCP 9187"},
		{"monitoring/prometheus", "shop/shop", "TCP 8080, TCP 8443"},
		{"other/other", "shop/shop", "everything"},
		{"other/other", "shop/helper", "nothing"},
		{"shop/helper", "kube-system/dns", "TCP 53, UDP 53"},
		{"shop/helper", "169.254.20.10", "TCP 53, UDP 53"},
		{"shop/shop", "198.51.100.0", "TCP 443"},
		{"shop/shop", "198.51.100.255", "TCP 443"},
		{"shop/shop", "198.51.101.0", "nothing"},
		{"shop/shop", "203.0.113.127", "TCP 443"},
		{"shop/shop", "203.0.113.128", "nothing"},
		{"data/data", "198.51.100.8", "TCP 6443, UDP 123"},
		{"data/data", "shop/shop", "nothing"},
		{"data/data", "other/other", "TCP 6443"},
		{"192.0.2.255", "data/data", "TCP 22"},
		{"192.0.3.0", "data/data", "nothing"},
		{"192.0.3.0", "shop/shop", "TCP 8443"},
	} {
		computed, err := a.allowed(ends[want.from], ends[want.to])
		require.NoError(t, err)
		assert.Equal(t, want.ports, computed.String(), "%s to %s", want.from, want.to)
	}
}

// A comparison that cannot fail is worth nothing: each policy that goes, and each that allows more, is noticed.
func TestEachChangeIsNoticed(t *testing.T) {
	c, table := small()
	original := c.policies
	for i, policy := range original {
		if policy.Name == "default-deny" {
			continue // TestNothingStaysOpen
		}
		c.policies = slices.Delete(slices.Clone(original), i, i+1)
		found, err := differences(c, table)
		require.NoError(t, err)
		assert.NotEmpty(t, found, "without %s/%s", policy.Namespace, policy.Name)

		c.policies = slices.Clone(original)
		c.policies[i] = withPort(policy, 1)
		found, err = differences(c, table)
		require.NoError(t, err)
		if policy.Name != "allow-help-ingress" { // leaves every port open anyway
			assert.NotEmpty(t, found, "%s/%s with a port more", policy.Namespace, policy.Name)
		}
	}
	for i := range table.Flows {
		other := table
		other.Flows = slices.Delete(slices.Clone(table.Flows), i, i+1)
		c.policies = original
		found, err := differences(c, other)
		require.NoError(t, err)
		assert.NotEmpty(t, found, "a flow %s that nobody has declared", table.Flows[i].Name)
	}
}

// withPort is the policy with one port more in each of its rules.
func withPort(policy *networkingv1.NetworkPolicy, number int) *networkingv1.NetworkPolicy {
	more := intstr.FromInt(number)
	changed := policy.DeepCopy()
	for i := range changed.Spec.Ingress {
		changed.Spec.Ingress[i].Ports = append(changed.Spec.Ingress[i].Ports, networkingv1.NetworkPolicyPort{Port: &more})
	}
	for i := range changed.Spec.Egress {
		changed.Spec.Egress[i].Ports = append(changed.Spec.Egress[i].Ports, networkingv1.NetworkPolicyPort{Port: &more})
	}
	return changed
}
