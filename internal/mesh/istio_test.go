package mesh_test

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/internal/flow/flowtest"
	"github.com/telekom/controlplane-infrastructure/internal/mesh"
)

// ambient is a mesh of two namespaces.
var ambient = mesh.Mesh{Kind: mesh.Istio, Namespaces: []string{"shop", "ingress"}}

func pods(labels ...string) flow.Peer {
	peer := flow.Peer{Namespace: "shop"}
	for _, label := range labels {
		key, value, _ := strings.Cut(label, "=")
		if peer.Pods == nil {
			peer.Pods = map[string]string{}
		}
		peer.Pods[key] = value
	}
	return peer
}

// objects are those of the namespace shop, by kind and name.
func objects(t *testing.T, m mesh.Mesh, flows ...flow.Flow) map[string]map[string]any {
	t.Helper()
	table := flow.Table{Flows: m.Flows(flows)}
	all := map[string]map[string]any{}
	for _, object := range m.Objects("shop", table.Into("shop")) {
		u, ok := object.(*unstructured.Unstructured)
		require.True(t, ok)
		assert.Equal(t, "shop", u.GetNamespace())
		assert.Equal(t, "background", u.GetAnnotations()["pulumi.com/deletionPropagationPolicy"])
		key := u.GetKind() + " " + u.GetName()
		assert.NotContains(t, all, key)
		all[key] = u.Object["spec"].(map[string]any)
	}
	return all
}

// The tunnel is open where both ends may take part, and nowhere else.
func TestTunnel(t *testing.T) {
	till, outside := pods("app=till"), flow.Peer{Namespace: "elsewhere"}
	for name, c := range map[string]struct {
		from, to flow.Peer
		tunnel   bool
	}{
		"both take part":            {flow.Peer{Namespace: "ingress"}, till, true},
		"the same namespace":        {till, till, true},
		"anybody":                   {flow.Peer{}, till, true},
		"to anybody":                {till, flow.Peer{}, true},
		"namespaces by their label": {flow.Peer{NamespaceLabels: map[string]string{"metrics": "enabled"}}, till, true},
		"from outside of the mesh":  {outside, till, false},
		"to outside of the mesh":    {till, outside, false},
		"addresses":                 {flow.Peer{CIDRs: []string{"192.0.2.0/24"}}, till, false},
		"to addresses":              {till, flow.Peer{CIDRs: []string{"192.0.2.0/24"}}, false},
		"every address":             {flow.Peer{Everywhere: true}, till, false},
		"neither":                   {outside, outside, false},
	} {
		given := []flow.Flow{{Name: "a", From: c.from, To: c.to, Ports: []int{1}}}
		got := ambient.Flows(given)[0]
		assert.Equal(t, c.tunnel, slices.Contains(got.Ports, 15008), name)
		assert.Equal(t, []int{1}, given[0].Ports, "what is given stays as it is")
	}
	every := ambient.Flows([]flow.Flow{{Name: "a", From: till, To: till}, {Name: "b", From: till, To: till, UDPPorts: []int{53}}})
	assert.Empty(t, every[0].Ports, "every port is every port")
	assert.Empty(t, every[1].Ports, "the mesh leaves UDP alone")
}

// Probes get a face of their own, which network policies have to admit.
func TestProbes(t *testing.T) {
	flows := ambient.Flows(nil)
	require.Len(t, flows, 2)
	for i, namespace := range ambient.Namespaces {
		assert.Equal(t, "istio-probes-"+namespace, flows[i].Name)
		assert.Equal(t, flow.Peer{Namespace: namespace}, flows[i].To)
		assert.Contains(t, flows[i].From.CIDRs, "169.254.7.127/32")
		assert.Empty(t, flows[i].Ports)
	}
	require.NoError(t, flowtest.Table(flows...).Check())
}

func TestWithoutFlowsNothingComesIn(t *testing.T) {
	assert.Equal(t, map[string]map[string]any{
		"PeerAuthentication default": {"mtls": map[string]any{"mode": "STRICT"}}, "AuthorizationPolicy default-deny": {},
	}, objects(t, ambient))
	assert.Empty(t, mesh.Mesh{Kind: mesh.Istio, Namespaces: []string{"ingress"}}.Objects("shop", nil), "others are left alone")
	assert.Empty(t, mesh.Mesh{}.Objects("shop", nil))
}

// connection is what somebody tries.
type connection struct {
	to   map[string]string // labels of the pod
	port int
	// principal is the namespace of whoever comes through the mesh, empty for others.
	principal string
}

// accepts tells what a mesh does with a connection by the policies of a namespace, as ztunnel does: whatever authentication
// refuses is refused; of the rest, what some policy allows is accepted. Of authentications with a selector, the one that
// is given counts, since only one does: the oldest.
func accepts(all map[string]map[string]any, c connection, oldest string) bool {
	if c.principal == "" && authentication(all, c, oldest) == "STRICT" {
		return false
	}
	for name, spec := range all {
		if strings.HasPrefix(name, "AuthorizationPolicy ") && selects(spec, c.to) && allows(spec, c) {
			return true
		}
	}
	return false
}

func authentication(all map[string]map[string]any, c connection, oldest string) any {
	spec := all["PeerAuthentication default"]
	if oldest != "" {
		spec = all[oldest]
	}
	ports, _ := spec["portLevelMtls"].(map[string]any)
	if port, ok := ports[strconv.Itoa(c.port)].(map[string]any); ok {
		return port["mode"]
	}
	return spec["mtls"].(map[string]any)["mode"]
}

func selects(spec map[string]any, pod map[string]string) bool {
	selector, _ := spec["selector"].(map[string]any)
	labels, _ := selector["matchLabels"].(map[string]any)
	for key, value := range labels {
		if pod[key] != value {
			return false
		}
	}
	return true
}

func allows(spec map[string]any, c connection) bool {
	rules, _ := spec["rules"].([]any)
	for _, r := range rules {
		rule := r.(map[string]any)
		if from, ok := rule["from"].([]any); ok {
			source := from[0].(map[string]any)["source"].(map[string]any)
			if namespaces, ok := source["namespaces"].([]any); ok && !slices.Contains(namespaces, any(c.principal)) {
				continue
			}
			if _, ok := source["notPrincipals"]; ok && c.principal != "" {
				continue
			}
		}
		to, limited := rule["to"].([]any)
		if !limited || slices.Contains(to[0].(map[string]any)["operation"].(map[string]any)["ports"].([]any), any(strconv.Itoa(c.port))) {
			return true
		}
	}
	return false
}

// candidates are the authentications with a selector that may count for a pod; without any, that of the namespace does.
func candidates(all map[string]map[string]any, pod map[string]string) []string {
	var names []string
	for name, spec := range all {
		if strings.HasPrefix(name, "PeerAuthentication outside-") && selects(spec, pod) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return []string{""}
	}
	return names
}

// Whatever the flows are, and whichever policy is the oldest: what comes through the mesh reaches the ports that a flow
// from its namespace is about, and no other; what comes from outside reaches the ports of flows from there.
func TestPoliciesAreWhatTheFlowsSay(t *testing.T) {
	outside := flow.Peer{Namespace: "elsewhere"}
	flows := []flow.Flow{
		{Name: "pay", From: flow.Peer{Namespace: "ingress"}, To: pods("app=till"), Ports: []int{8443}},
		{Name: "webhook", From: flow.Peer{Everywhere: true}, To: pods("app=till"), Ports: []int{9443}},
		{Name: "metrics", From: flow.Peer{NamespaceLabels: map[string]string{"metrics": "enabled"}}, To: pods("tier=front"), Ports: []int{9000}},
		{Name: "backup", From: outside, To: pods("app=till", "tier=front"), Ports: []int{5432}},
		{Name: "look", To: pods("app=window"), Ports: []int{80}},
		{Name: "cluster", From: pods("app=till"), To: pods("app=till"), Ports: []int{7800}},
		{Name: "partner", From: flow.Peer{CIDRs: []string{"192.0.2.0/24"}}, To: pods("app=window"), Ports: []int{443}},
		{Name: "anything", From: outside, To: pods("app=cellar")},
		{Name: "time", From: outside, To: pods("app=clock"), UDPPorts: []int{123}},
	}
	all := objects(t, ambient, flows...)
	anybody := func(f flow.Flow) bool {
		return f.From.Everywhere || f.From.Namespace == "" && len(f.From.CIDRs) == 0
	}
	checked := 0
	for _, pod := range []map[string]string{
		{"app": "till"}, {"app": "till", "tier": "front"}, {"app": "window"}, {"app": "window", "tier": "front"},
		{"tier": "front"}, {"app": "cellar"}, {"app": "cellar", "tier": "front"}, {"app": "clock"}, {},
	} {
		for _, port := range []int{80, 443, 5432, 7800, 8443, 9000, 9443, 15008, 1} {
			for _, principal := range []string{"", "ingress", "shop", "elsewhere"} {
				c := connection{pod, port, principal}
				want := slices.ContainsFunc(flows, func(f flow.Flow) bool {
					to := compatible(f.To.Pods, pod) && (slices.Contains(f.Ports, port) || len(f.Ports)+len(f.UDPPorts) == 0)
					inside := f.From.Namespace != "" && ambient.Enrolled(f.From.Namespace)
					return to && (anybody(f) || inside == (principal != "") && (!inside || f.From.Namespace == principal))
				})
				for _, oldest := range candidates(all, pod) {
					checked++
					assert.Equal(t, want, accepts(all, c, oldest), fmt.Sprintf("%v, %s", c, oldest))
				}
			}
		}
	}
	assert.Greater(t, checked, 300)
}

// compatible tells whether a pod has the labels of a selector.
func compatible(selector, pod map[string]string) bool {
	for key, value := range selector {
		if pod[key] != value {
			return false
		}
	}
	return true
}

// An exemption for all pods cannot name ports: the namespace accepts the rest by its authorization policies.
func TestExemptionOfAllPods(t *testing.T) {
	all := objects(t, ambient,
		flow.Flow{Name: "metrics", From: flow.Peer{NamespaceLabels: map[string]string{"metrics": "enabled"}}, To: pods(), Ports: []int{9000}},
		flow.Flow{Name: "pay", From: flow.Peer{Namespace: "ingress"}, To: pods("app=till"), Ports: []int{8443}})
	assert.Equal(t, []string{
		"AuthorizationPolicy allow-metrics", "AuthorizationPolicy allow-pay", "AuthorizationPolicy default-deny", "PeerAuthentication default",
	}, slices.Sorted(maps.Keys(all)))
	till := map[string]string{"app": "till"}
	assert.True(t, accepts(all, connection{till, 9000, ""}, ""))
	assert.False(t, accepts(all, connection{till, 8443, ""}, ""))
	assert.True(t, accepts(all, connection{till, 8443, "ingress"}, ""))
}

// A lenient namespace takes what comes past the mesh as well, on the ports of its flows.
func TestLenientNamespace(t *testing.T) {
	m := ambient
	m.Lenient = []string{"shop"}
	all := objects(t, m, flow.Flow{Name: "pay", From: flow.Peer{Namespace: "ingress"}, To: pods("app=till"), Ports: []int{8443}})
	till := map[string]string{"app": "till"}
	assert.True(t, accepts(all, connection{till, 8443, ""}, ""))
	assert.True(t, accepts(all, connection{till, 8443, "ingress"}, ""))
	assert.False(t, accepts(all, connection{till, 9000, ""}, ""))
}

// The names of policies do not depend on the order of flows: another order changes nothing in the cluster.
func TestOrderDoesNotMatter(t *testing.T) {
	flows := []flow.Flow{
		{Name: "b", To: pods("app=till"), Ports: []int{1}}, {Name: "a", To: pods("app=till"), Ports: []int{2}},
		{Name: "c", To: pods("app=window"), Ports: []int{3}},
	}
	forward := objects(t, ambient, flows...)
	slices.Reverse(flows)
	assert.Equal(t, forward, objects(t, ambient, flows...))
	assert.Contains(t, forward, "PeerAuthentication outside-a")
}
