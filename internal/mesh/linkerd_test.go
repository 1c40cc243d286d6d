package mesh

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/internal/flow/flowtest"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
)

// linkerd is a mesh of three namespaces, one of which lets everybody in.
var linkerd = Mesh{Kind: Linkerd, Namespaces: []string{"identity", "ingress", "system"}, Lenient: []string{"system"}}

var (
	servers  = flow.Peer{Namespace: "identity", Pods: map[string]string{"app": "iris"}}
	ingress  = flow.Peer{Namespace: "ingress"}
	outside  = flow.Peer{Namespace: "storage"}
	anywhere = flow.Peer{Everywhere: true}
	metrics  = flow.Peer{NamespaceLabels: map[string]string{"metrics": "enabled"}}
)

func between(from, to flow.Peer, ports ...int) flow.Flow {
	return flow.Flow{Name: "flow", From: from, To: to, Ports: ports, Why: "test"}
}

// TestMeshedTrafficArrivesAtTheProxy: between pods of the mesh, traffic goes to the proxy's port whichever port it is
// for, and policies see only that one.
func TestMeshedTrafficArrivesAtTheProxy(t *testing.T) {
	for name, c := range map[string]struct {
		flow flow.Flow
		more []flow.Flow
		want []int
	}{
		"both ends in the mesh":             {flow: between(ingress, servers, 8443), want: []int{8443, 4143}},
		"within a namespace":                {flow: between(servers, servers, 7800, 57800), want: []int{7800, 57800, 4143}},
		"to a namespace that lets all in":   {flow: between(ingress, flow.Peer{Namespace: "system"}, 8443), want: []int{8443, 4143}},
		"to any pod":                        {flow: between(ingress, flow.Peer{}, 8443), want: []int{8443, 4143}},
		"to a namespace outside":            {flow: between(servers, outside, 5432), want: []int{5432}},
		"from a namespace outside":          {flow: between(outside, servers, 8443), want: []int{8443}},
		"to every address":                  {flow: between(servers, anywhere, 443), want: []int{443}},
		"to addresses outside":              {flow: between(servers, flow.Peer{CIDRs: []string{"192.0.2.0/24"}}, 443), want: []int{443}},
		"from any pod, past the proxy":      {flow: between(flow.Peer{}, servers, 8443), want: []int{8443}},
		"from Prometheus, past the proxy":   {flow: between(metrics, servers, 9000), want: []int{9000}},
		"a port that others make a detour":  {flow: between(ingress, servers, 8443), more: []flow.Flow{between(anywhere, servers, 8443)}, want: []int{8443}},
		"one of two ports":                  {flow: between(ingress, servers, 8443, 8080), more: []flow.Flow{between(anywhere, servers, 8443)}, want: []int{8443, 8080, 4143}},
		"others may reach every port":       {flow: between(ingress, servers, 8443), more: []flow.Flow{between(anywhere, servers)}, want: []int{8443}},
		"the proxy itself":                  {flow: between(ingress, servers, 4191), want: []int{4191}},
		"every port is open anyway":         {flow: between(ingress, servers), want: nil},
		"any pod to one that lets all in":   {flow: between(flow.Peer{}, flow.Peer{Namespace: "system"}, 8443), want: []int{8443, 4143}},
		"from outside to that lets all in":  {flow: between(anywhere, flow.Peer{Namespace: "system"}, 8443), want: []int{8443}},
		"Prometheus to a namespace outside": {flow: between(metrics, outside, 9187), want: []int{9187}},
	} {
		given := append([]flow.Flow{c.flow}, c.more...)
		got := linkerd.Flows(given)
		assert.Equal(t, c.want, got[0].Ports, name)
		assert.Equal(t, c.flow.Ports, given[0].Ports, "%s: what was given stays", name)
	}
	udp := flow.Flow{Name: "udp", From: ingress, To: servers, UDPPorts: []int{53}}
	assert.Empty(t, linkerd.Flows([]flow.Flow{udp})[0].Ports, "the mesh carries TCP only")
}

func TestProxiesReachTheControlPlane(t *testing.T) {
	table := flowtest.Table(linkerd.Flows(nil)...)
	require.NoError(t, table.Check())
	for _, namespace := range linkerd.Namespaces {
		ports := map[string][]int{}
		for _, f := range table.Flows {
			if f.From.Namespace == namespace && f.To.Namespace == "linkerd" {
				ports[f.To.Pods["linkerd.io/control-plane-component"]] = f.Ports
			}
		}
		assert.Equal(t, map[string][]int{"identity": {8080}, "destination": {8086, 8090}}, ports, namespace)
	}
}

func TestAnnotationsOfNamespaces(t *testing.T) {
	from := func(flows ...flow.Flow) flow.Table { return flow.Table{Flows: linkerd.Flows(flows)} }
	for name, c := range map[string]struct {
		flows []flow.Flow
		skip  string
	}{
		"only the mesh comes in":           {[]flow.Flow{between(ingress, servers, 8443)}, ""},
		"others come in, in order":         {[]flow.Flow{between(metrics, servers, 9000), between(flow.Peer{}, servers, 8443), between(anywhere, servers, 443, 8443)}, "443,8443,9000"},
		"from addresses":                   {[]flow.Flow{between(flow.Peer{CIDRs: []string{"192.0.2.0/24"}}, servers, 8443)}, "8443"},
		"from a namespace outside":         {[]flow.Flow{between(outside, servers, 8080)}, "8080"},
		"UDP does not concern the proxies": {[]flow.Flow{{From: outside, To: servers, UDPPorts: []int{53}}}, ""},
		"on every port":                    {[]flow.Flow{between(outside, servers), between(outside, servers, 80)}, "1-65535"},
		"the proxy's own":                  {[]flow.Flow{between(metrics, servers, 4191)}, ""},
	} {
		want := map[string]string{"linkerd.io/inject": "enabled", "config.linkerd.io/default-inbound-policy": "all-authenticated"}
		if c.skip != "" {
			want["config.linkerd.io/skip-inbound-ports"] = c.skip
		}
		assert.Equal(t, want, linkerd.Annotations("identity", from(c.flows...).Into("identity")), name)
	}
	lenient := from(between(anywhere, flow.Peer{Namespace: "system"}, 8443)).Into("system")
	assert.Equal(t, map[string]string{
		"linkerd.io/inject": "enabled", "config.linkerd.io/default-inbound-policy": "all-unauthenticated",
	}, linkerd.Annotations("system", lenient), "who lets everybody in has the mesh see everything")
	assert.Nil(t, linkerd.Annotations("storage", nil))
	assert.Nil(t, Mesh{Kind: None, Namespaces: linkerd.Namespaces}.Annotations("identity", nil))
}

func TestPodsAreCreatedAnewWhenTheMeshComesOrGoes(t *testing.T) {
	const yaml = `apiVersion: apps/v1
kind: StatefulSet
metadata: {name: iris, namespace: identity}
spec: {template: {spec: {containers: [{name: iris, image: iris}]}}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: once, namespace: identity}
spec: {template: {spec: {containers: [{name: once, image: once}]}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: database, namespace: storage}
spec: {template: {spec: {containers: [{name: db, image: db}]}}}
`
	transformed := func(m Mesh) manifest.Set {
		set, err := manifest.ParseYAML("test.yaml", []byte(yaml))
		require.NoError(t, err)
		require.NoError(t, set.Transform(m.Pods(flow.Table{})))
		return set
	}
	annotation := func(set manifest.Set, kind, name string) any {
		template := set.Find(kind, name).Object["spec"].(map[string]any)["template"].(map[string]any)
		metadata, _ := template["metadata"].(map[string]any)
		annotations, _ := metadata["annotations"].(map[string]any)
		return annotations["linkerd.io/inject"]
	}
	on, off := transformed(linkerd), transformed(Mesh{})
	assert.Equal(t, "enabled", annotation(on, "StatefulSet", "iris"))
	assert.Nil(t, annotation(on, "Job", "once"), "what has run does not run again")
	assert.Nil(t, annotation(on, "Deployment", "database"))
	plain, err := manifest.ParseYAML("test.yaml", []byte(yaml))
	require.NoError(t, err)
	assert.Equal(t, plain.Find("StatefulSet", "iris").Object, off.Find("StatefulSet", "iris").Object)
}

// TestDatabasesAreCreatedAnewToo: without, they would stay outside, and afterwards have proxies that nobody tells where
// traffic goes.
func TestDatabasesAreCreatedAnewToo(t *testing.T) {
	const yaml = `apiVersion: postgresql.cnpg.io/v1
kind: Cluster
metadata: {name: platform, namespace: NAMESPACE}
spec: {env: [{name: TZ, value: UTC}]}
---
apiVersion: postgresql.cnpg.io/v1
kind: Pooler
metadata: {name: platform-pooler, namespace: NAMESPACE}
spec: {template: {metadata: {annotations: {other: stays}}, spec: {containers: []}}}
`
	transformed := func(m Mesh, namespace string, flows ...flow.Flow) (env []any, pooler map[string]string) {
		set, err := manifest.ParseYAML("test.yaml", []byte(strings.ReplaceAll(yaml, "NAMESPACE", namespace)))
		require.NoError(t, err)
		require.NoError(t, set.Transform(m.Pods(flow.Table{Flows: flows})))
		env, _, err = unstructured.NestedSlice(set.Find("Cluster", "platform").Object, "spec", "env")
		require.NoError(t, err)
		pooler, _, err = unstructured.NestedStringMap(set.Find("Pooler", "platform-pooler").Object, "spec", "template", "metadata", "annotations")
		require.NoError(t, err)
		return env, pooler
	}
	off, _ := transformed(Mesh{}, "identity")
	assert.Equal(t, []any{map[string]any{"name": "TZ", "value": "UTC"}}, off)
	outside, _ := transformed(linkerd, "storage")
	assert.Equal(t, off, outside)

	on, pooler := transformed(linkerd, "identity")
	assert.Len(t, on, 2)
	assert.Equal(t, map[string]string{
		"other": "stays", "linkerd.io/inject": "enabled", "config.linkerd.io/default-inbound-policy": "all-authenticated",
	}, pooler)
	more, _ := transformed(linkerd, "identity", between(anywhere, flow.Peer{Namespace: "identity"}, 5432))
	assert.NotEqual(t, on, more, "what is let in has changed")
}

// TestProbesThatProxiesCannotSee: nobody but the probe may use the port, so that no flow leads past the proxy there.
func TestProbesThatProxiesCannotSee(t *testing.T) {
	const yaml = `apiVersion: apps/v1
kind: Deployment
metadata: {name: app, namespace: NAMESPACE}
spec: {template: {spec: {containers: [{name: app, image: app,
  ports: [{name: management, containerPort: 9000}],
  startupProbe: {httpGet: {path: /started, port: management, scheme: HTTPS}},
  readinessProbe: {httpGet: {path: /ready, port: management, scheme: HTTPS}},
  livenessProbe: PROBE}]}}}
`
	table := flow.Table{Flows: []flow.Flow{between(flow.Peer{}, servers, 8443), between(ingress, servers, 8080)}}
	for probe, want := range map[string]string{
		"{httpGet: {path: /live, port: 8404}}":                "8443,9000",
		"{httpGet: {path: /live, port: 9001, scheme: HTTPS}}": "8443,9000,9001",
		"{grpc: {port: 9002}}":                                "8443,9000,9002",
		"{tcpSocket: {port: 9003}}":                           "8443,9000",
	} {
		annotations := func(namespace string) map[string]any {
			text := strings.NewReplacer("NAMESPACE", namespace, "PROBE", probe).Replace(yaml)
			set, err := manifest.ParseYAML("test.yaml", []byte(text))
			require.NoError(t, err)
			require.NoError(t, set.Transform(linkerd.Pods(table)))
			found, _, err := unstructured.NestedMap(set.Objects[0].Object, "spec", "template", "metadata", "annotations")
			require.NoError(t, err)
			return found
		}
		pods := annotations("identity")
		assert.Equal(t, want, pods["config.linkerd.io/skip-inbound-ports"], probe)
		assert.Equal(t, "all-authenticated", pods["config.linkerd.io/default-inbound-policy"])
		assert.NotContains(t, annotations("system"), "config.linkerd.io/skip-inbound-ports", "who lets everybody in")
		assert.Empty(t, annotations("storage"), "outside of the mesh")
	}
}
