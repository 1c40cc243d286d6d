package connectivity_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	networkingv1 "k8s.io/api/networking/v1"

	"github.com/telekom/controlplane-infrastructure/components/certtrust"
	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/tests/graph"
)

// The policies of every configuration allow what its flows declare: nothing is missing, and nothing is left open beside.
func TestPoliciesAllowWhatFlowsDeclare(t *testing.T) {
	for name, c := range configurations(t) {
		t.Run(name, func(t *testing.T) {
			p, table := platform(t, c)
			found, err := differences(p, table)
			require.NoError(t, err)
			assert.Empty(t, found)
		})
	}
}

// Every namespace of the platform denies what is not allowed, both ways, for all of its pods. The Control Plane's have
// policies of their own, which ours would add to.
func TestNothingStaysOpen(t *testing.T) {
	for name, c := range configurations(t) {
		t.Run(name, func(t *testing.T) {
			p, _ := platform(t, c)
			denied := map[string]bool{}
			for _, policy := range p.policies {
				assert.True(t, p.closed[policy.Namespace], "policy %s is in a namespace of the platform: %s", policy.Name, policy.Namespace)
				spec := policy.Spec
				everyPod := len(spec.PodSelector.MatchLabels)+len(spec.PodSelector.MatchExpressions) == 0
				if everyPod && len(spec.PolicyTypes) == 2 && len(spec.Ingress)+len(spec.Egress) == 0 {
					denied[policy.Namespace] = true
				}
			}
			for namespace, closed := range p.closed {
				assert.Equal(t, namespace != certtrust.ControlPlaneNamespace, closed, namespace)
				assert.Equal(t, closed, denied[namespace], "namespace %s denies what is not allowed", namespace)
			}
		})
	}
}

// A flow whose labels select nobody is a mistake that no connection shows.
func TestEveryFlowHasTwoEnds(t *testing.T) {
	for name, c := range configurations(t) {
		t.Run(name, func(t *testing.T) {
			p, table := platform(t, c)
			d := p.declaration(table, whole)
			for _, f := range table.Flows {
				for _, peer := range []flow.Peer{f.From, f.To} {
					assert.True(t, slices.ContainsFunc(append(p.ends(), p.onNodes...), func(e end) bool { return d.covers(peer, e) }),
						"flow %s: nobody is %s", f.Name, peer.Words())
				}
			}
		})
	}
}

// accidents are the connections that are open because one end may talk to anybody and the other listens to anybody, with
// the reason why that has to be so. A star is any namespace.
var accidents = map[string]string{
	"ingress to cert-manager/cert-manager-webhook on TCP 10250":     backends,
	"ingress to cert-manager/trust-manager on TCP 10260":            backends,
	"ingress to cnpg-system/cnpg-controller-manager on TCP 9443":    backends,
	"ingress to metrics-server/metrics-server on TCP 10250":         backends,
	"ingress to istio-system/istiod on TCP 15017":                   backends,
	"ingress to linkerd/linkerd-destination on TCP 8443":            backends,
	"ingress to linkerd/linkerd-destination on TCP 9443":            backends,
	"ingress to linkerd/linkerd-proxy-injector on TCP 8443":         backends,
	"ingress to ingress/traefik on TCP 8000":                        backends,
	"ingress to ingress/traefik on TCP 8443":                        backends,
	"ingress to monitoring/prometheus-operator-webhook on TCP 8443": backends,

	"metrics-server to cert-manager/cert-manager-webhook on TCP 10250": kubelets,
	"metrics-server to metrics-server/metrics-server on TCP 10250":     kubelets,

	"monitoring to cert-manager/cert-manager-webhook on TCP 10250":  targets,
	"monitoring to cert-manager/trust-manager on TCP 10260":         targets,
	"monitoring to cnpg-system/cnpg-controller-manager on TCP 9443": targets,
	"monitoring to identity/iris on TCP 8443":                       targets,
	"monitoring to identity/iris on TCP 15008":                      targets,
	"monitoring to ingress/traefik on TCP 8000":                     targets,
	"monitoring to ingress/traefik on TCP 8443":                     targets,
	"monitoring to istio-system/istiod on TCP 15017":                targets,
	"monitoring to linkerd/linkerd-destination on TCP 8443":         targets,
	"monitoring to linkerd/linkerd-destination on TCP 9443":         targets,
	"monitoring to linkerd/linkerd-proxy-injector on TCP 8443":      targets,
}

const (
	kubelets = "metrics-server goes to kubelets, whose addresses are not known, and so to those who listen to anybody on their port"
	targets  = "Prometheus goes to whatever pods monitors name, and so to those that listen to anybody"
	backends = "the ingress controller goes to whatever pods Ingress objects name, and so to those that listen to anybody"
)

// Two namespaces of the platform talk to each other because a flow says so that names both, but for the above.
func TestNoConnectionByAccident(t *testing.T) {
	happened := map[string]bool{}
	for name, c := range configurations(t) {
		t.Run(name, func(t *testing.T) {
			p, table := platform(t, c)
			for accident := range unnamed(p, table) {
				_, rest, _ := strings.Cut(accident, " to ")
				anybody := "* to " + rest
				assert.True(t, accidents[accident]+accidents[anybody] != "", accident)
				happened[accident], happened[anybody] = true, true
			}
		})
	}
	p, table := platform(t, profiles["known addresses"])
	assert.Equal(t, map[string]bool{"monitoring to identity/iris on TCP 8443": true}, unnamed(p, table),
		"little is left to chance where the API server's addresses are known, and the ingress controller is another one")
	for accident := range accidents {
		assert.True(t, happened[accident], "%s: nowhere", accident)
	}
}

// unnamed are the connections between namespaces of the platform that no flow names both ends of.
func unnamed(p cluster, table flow.Table) map[string]bool {
	d, found := p.declaration(table, whole), map[string]bool{}
	for _, from := range p.workloads {
		for _, to := range p.workloads {
			if !p.closed[from.namespace] || !p.closed[to.namespace] {
				continue
			}
			named := ports{}
			for _, f := range table.Flows {
				if f.From.Namespace == from.namespace && f.To.Namespace == to.namespace && d.covers(f.From, from) && d.covers(f.To, to) {
					named.add(f)
				}
			}
			for open := range d.allowed(from, to) {
				if !named[open] && !named[everything] {
					found[fmt.Sprintf("%s to %s on %s", from.namespace, to, open)] = true
				}
			}
		}
	}
	return found
}

// What the platform has nothing to do with reaches what is there for everybody, and is reached by who may go anywhere.
func TestAStranger(t *testing.T) {
	p, _ := platform(t, graph.Zonal)
	a, err := analyse(p)
	require.NoError(t, err)
	reaches, reachedBy := map[string]string{}, map[string]string{}
	for _, e := range p.workloads {
		if !p.closed[e.namespace] {
			continue
		}
		open, err := a.allowed(stranger, e)
		require.NoError(t, err)
		if len(open) > 0 {
			reaches[e.String()] = open.String()
		}
		if open, err = a.allowed(e, stranger); len(open) > 0 {
			reachedBy[e.namespace] = open.String()
		}
		require.NoError(t, err)
	}
	assert.Equal(t, map[string]string{
		"identity/iris": "TCP 8443", "ingress/traefik": "TCP 8000, TCP 8443",
		// Webhooks, as long as nobody says where the API server is.
		"cert-manager/cert-manager-webhook": "TCP 10250", "cert-manager/trust-manager": "TCP 10260",
		"cnpg-system/cnpg-controller-manager": "TCP 9443", "monitoring/prometheus-operator-webhook": "TCP 8443",
	}, reaches)
	const kubernetes = "TCP 443, TCP 6443"
	assert.Equal(t, map[string]string{
		"cert-manager": kubernetes, "cnpg-system": kubernetes, "postgresql": kubernetes,
		"ingress": everything, "monitoring": everything,
	}, reachedBy)
}

// Each policy that goes, and each that leaves one port more open, is noticed, unless its flow is a part of another one,
// such as that of the ingress controller to Keycloak, which any pod may reach.
func TestEachChangeOfThePlatformIsNoticed(t *testing.T) {
	p, table := platform(t, graph.Zonal)
	noticed := func(policy *networkingv1.NetworkPolicy, policies []*networkingv1.NetworkPolicy) bool {
		other := p
		other.policies = policies
		v := view(policy.Spec.PolicyTypes[0])
		found, err := other.seen(v).differences(other.declaration(table, v), at(policy.Namespace, v))
		require.NoError(t, err)
		return len(found) > 0
	}
	looked := 0
	for i, policy := range p.policies {
		if policy.Name == "default-deny" || p.partOfAnother(table, policy) {
			continue // TestNothingStaysOpen looks at the former
		}
		if !slices.ContainsFunc(p.workloads, func(e end) bool { return e.namespace == policy.Namespace }) {
			continue // policies do not apply to pods in their node's network
		}
		looked++
		name := policy.Namespace + "/" + policy.Name
		assert.True(t, noticed(policy, slices.Delete(slices.Clone(p.policies), i, i+1)), "without %s", name)
		more := slices.Clone(p.policies)
		more[i] = withPort(policy, 1)
		assert.True(t, everyPort(policy) || noticed(policy, more), "%s with a port more", name)
	}
	assert.Greater(t, looked, 50)
}

// at looks at what leaves or enters a namespace.
func at(namespace string, v view) func(from, to end) bool {
	return func(from, to end) bool {
		return v == out && from.namespace == namespace || v == in && to.namespace == namespace
	}
}

// partOfAnother tells whether the table would say the same without the flow that a policy is made of.
func (c cluster) partOfAnother(table flow.Table, policy *networkingv1.NetworkPolicy) bool {
	v := view(policy.Spec.PolicyTypes[0])
	without := table
	without.Flows = slices.DeleteFunc(slices.Clone(table.Flows), func(f flow.Flow) bool {
		return policy.Name == "allow-"+f.Name+"-"+strings.ToLower(string(v))
	})
	look, all, rest := at(policy.Namespace, v), c.declaration(table, v), c.declaration(without, v)
	for _, from := range c.ends() {
		for _, to := range c.ends() {
			if look(from, to) && !maps.Equal(all.allowed(from, to), rest.allowed(from, to)) {
				return false
			}
		}
	}
	return len(without.Flows) < len(table.Flows)
}

// everyPort tells whether a policy leaves every port open anyway.
func everyPort(policy *networkingv1.NetworkPolicy) bool {
	for _, rule := range policy.Spec.Ingress {
		if len(rule.Ports) == 0 {
			return true
		}
	}
	for _, rule := range policy.Spec.Egress {
		if len(rule.Ports) == 0 {
			return true
		}
	}
	return false
}
