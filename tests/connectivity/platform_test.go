package connectivity_test

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/telekom/controlplane-infrastructure/components/certtrust"
	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/stacks"
	"github.com/telekom/controlplane-infrastructure/stacks/config"
	"github.com/telekom/controlplane-infrastructure/tests/graph"
)

const root = "../.."

const acme = `"server":"https://acme.example.com/directory","email":"ops@example.com"`

// profiles are the configurations that everything here holds for, beside those of the stack files.
var profiles = map[string]graph.Configuration{
	"zonal":     graph.Zonal,
	"Amazon S3": graph.Amazon,
	"Istio":     graph.Istio,
	"Linkerd":   graph.Linkerd,
	"pooler, Gateway API, ACME over HTTP": {
		"storage":   `{"postgresql":{"pooler":{"enabled":true}}}`,
		"network":   `{"gatewayAPI":{"enabled":true},"ingress":{"traefik":{"certificate":{"hostnames":["api.example.com"]}}}}`,
		"certTrust": `{"acme":{` + acme + `,"http01":{}}}`,
	},
	"known addresses": graph.Amazon.With(graph.Configuration{
		"certTrust": `{"acme":{` + acme + `,"route53":{"region":"eu-central-1","hostedZoneID":"Z0123456789ABCDEFGHIJ"}},
			"certManager":{"dns01RecursiveNameservers":["192.0.2.53:53"]}}`,
		"network": `{
			"ingress":{"existing":{"className":"nginx","namespace":"ingress-nginx","pods":{"app.kubernetes.io/name":"ingress-nginx"}}},
			"policies":{
				"apiServer":{"cidrs":["10.0.0.0/28","2001:db8::/64"],"ports":[6443]},
				"dns":{"namespace":"openshift-dns","pods":{"dns.operator.openshift.io/daemonset-dns":"default"},"cidrs":["169.254.25.10/32"],"ports":[5353]},
				"objectStorage":{"cidrs":["198.51.100.0/24"]},
				"acme":{"cidrs":["203.0.113.0/25"]},
				"additional":[
					{"name":"smtp","namespace":"identity","pods":{"app.kubernetes.io/name":"iris"},"cidrs":["192.0.2.25/32"],"ports":[587],"why":"Keycloak sends mail."},
					{"name":"time","namespace":"postgresql","cidrs":["192.0.2.123/32"],"udpPorts":[123],"why":"Databases ask for the time."}
				]}}`,
	}),
}

// configurations are the profiles and the stack files.
func configurations(t *testing.T) map[string]graph.Configuration {
	t.Helper()
	all := map[string]graph.Configuration{}
	for name, c := range profiles {
		all[name] = c
	}
	names, err := config.Stacks(root)
	require.NoError(t, err)
	require.NotEmpty(t, names)
	for _, name := range names {
		c, err := graph.StackFile(root, name)
		require.NoError(t, err)
		all["stack "+name] = c
	}
	return all
}

// platform is the cluster of a configuration, with everything that runs there, and its table.
func platform(t *testing.T, c graph.Configuration) (cluster, flow.Table) {
	t.Helper()
	cfg, err := c.Parse()
	require.NoError(t, err)
	table, err := stacks.Table(cfg)
	require.NoError(t, err)
	six := standIns{}
	table = six.table(table)

	// The largest definitions have no part in this, and take half of the time.
	g := graph.Run(t, graph.Configuration{"monitoring": `{"customResourceDefinitions":"existing"}`}.With(c))
	p := cluster{namespaces: map[string]map[string]string{}, closed: map[string]bool{}}
	for _, r := range g.Objects("Namespace") {
		p.namespaces[r.Object.GetName()] = r.Object.GetLabels()
		p.closed[r.Object.GetName()] = r.Object.GetName() != certtrust.ControlPlaneNamespace
	}
	for _, r := range g.Objects("NetworkPolicy") {
		policy := &networkingv1.NetworkPolicy{}
		require.NoError(t, runtime.DefaultUnstructuredConverter.FromUnstructured(r.Object.Object, policy))
		p.policies = append(p.policies, six.policy(policy))
	}
	p.workloads, p.onNodes = registered(t, g)
	p.workloads = append(p.workloads, madeByOperators(t, g)...)
	p.add(others)
	p.addresses = append(boundaries(blocks(p.policies, table)), netip.MustParseAddr("233.252.0.1"))
	return p, table
}

// add puts ends into the cluster whose namespaces are not the platform's.
func (c *cluster) add(outsiders []outsider) {
	for _, o := range outsiders {
		if _, there := c.namespaces[o.namespace]; !there {
			c.namespaces[o.namespace] = o.namespaceLabels
		}
		c.workloads = append(c.workloads, o.end)
	}
}

// registered are the workloads that the program registers, those whose pods are in their node's network apart.
func registered(t *testing.T, g *graph.Graph) (workloads, onNodes []end) {
	t.Helper()
	seen := map[string]bool{}
	for _, r := range g.Objects() {
		path := manifest.PodPath(r.Manifest())
		if path == nil {
			continue
		}
		content, _, err := unstructured.NestedMap(r.Object.Object, path...)
		require.NoError(t, err)
		var template corev1.PodTemplateSpec
		require.NoError(t, runtime.DefaultUnstructuredConverter.FromUnstructured(content, &template))
		e := end{namespace: r.Object.GetNamespace(), name: r.Object.GetName(), labels: template.Labels}
		require.False(t, seen[e.String()], "two workloads are called %s", e)
		seen[e.String()] = true
		if template.Spec.HostNetwork {
			onNodes = append(onNodes, e)
		} else {
			workloads = append(workloads, e)
		}
	}
	require.Greater(t, len(workloads), 10)
	return workloads, onNodes
}

// madeByOperators are the pods that operators make of what the program registers, with the labels that they give them.
func madeByOperators(t *testing.T, g *graph.Graph) []end {
	t.Helper()
	var pods []end
	standIn := func(o *unstructured.Unstructured, role string, labels map[string]string) {
		pods = append(pods, end{namespace: o.GetNamespace(), name: fmt.Sprintf("%s-%s", o.GetName(), role), labels: labels})
	}
	// CloudNativePG, pkg/specs/{pods,jobs}.go and pkg/specs/pgbouncer/deployments.go.
	labels := func(cluster, component string, more ...string) map[string]string {
		all := map[string]string{
			"cnpg.io/cluster": cluster, "app.kubernetes.io/name": "postgresql", "app.kubernetes.io/instance": cluster,
			"app.kubernetes.io/component": component, "app.kubernetes.io/managed-by": "cloudnative-pg",
		}
		for i := 0; i < len(more); i += 2 {
			all[more[i]] = more[i+1]
		}
		return all
	}
	for _, r := range g.Objects("Cluster") {
		name := r.Object.GetName()
		standIn(r.Object, "instance", labels(name, "database", "cnpg.io/podRole", "instance", "cnpg.io/instanceName", name+"-1"))
		standIn(r.Object, "initdb", labels(name, "database", "cnpg.io/jobRole", "initdb", "cnpg.io/instanceName", name+"-1"))
		standIn(r.Object, "join", labels(name, "database", "cnpg.io/jobRole", "join", "cnpg.io/instanceName", name+"-2"))
	}
	for _, r := range g.Objects("Pooler") {
		cluster, _, err := unstructured.NestedString(r.Object.Object, "spec", "cluster", "name")
		require.NoError(t, err)
		standIn(r.Object, "pooler", labels(cluster, "pooler", "cnpg.io/podRole", "pooler", "cnpg.io/poolerName", r.Object.GetName()))
	}
	// Prometheus operator, pkg/prometheus/server/statefulset.go and pkg/alertmanager/statefulset.go.
	for kind, component := range map[string]string{"Prometheus": "prometheus", "Alertmanager": "alertmanager"} {
		for _, r := range g.Objects(kind) {
			standIn(r.Object, component, map[string]string{
				"app.kubernetes.io/name": component, "app.kubernetes.io/instance": r.Object.GetName(),
				"app.kubernetes.io/managed-by": "prometheus-operator",
			})
		}
	}
	// cert-manager, pkg/issuer/acme/http/pod.go: one beside each Certificate, as long as it is ordered.
	for _, r := range g.Objects("Certificate") {
		issuer, _, err := unstructured.NestedString(r.Object.Object, "spec", "issuerRef", "name")
		require.NoError(t, err)
		if issuer == certtrust.PublicIssuer && answersOverHTTP(t, g) {
			standIn(r.Object, "solver", map[string]string{
				"acme.cert-manager.io/http01-solver": "true",
				"acme.cert-manager.io/http-domain":   "1", "acme.cert-manager.io/http-token": "2",
			})
		}
	}
	return pods
}

// answersOverHTTP tells whether the public issuer answers challenges over HTTP.
func answersOverHTTP(t *testing.T, g *graph.Graph) bool {
	t.Helper()
	for _, r := range g.Objects("ClusterIssuer") {
		if r.Object.GetName() != certtrust.PublicIssuer {
			continue
		}
		solvers, _, err := unstructured.NestedSlice(r.Object.Object, "spec", "acme", "solvers")
		require.NoError(t, err)
		for _, solver := range solvers {
			if _, found := solver.(map[string]any)["http01"]; found {
				return true
			}
		}
	}
	return false
}

// outsider is something that is not the platform's.
type outsider struct {
	end
	namespaceLabels map[string]string
}

// others are those who have to do with the platform, and those who have not.
var others = []outsider{
	{end{namespace: "watch", name: "prometheus"}, map[string]string{"metrics": "enabled"}},
	{end{namespace: certtrust.ControlPlaneNamespace, name: "file-manager"}, nil},
	{end{namespace: "poc", name: "some-environment"}, nil},
	{end{namespace: "poc--zone", name: "gateway"}, map[string]string{"controlplane.io/gateway": "enabled"}},
	{end{namespace: "kube-system", name: "dns", labels: map[string]string{"k8s-app": "kube-dns"}}, nil},
	{end{namespace: "kube-system", name: "other"}, nil},
	{end{namespace: "openshift-dns", name: "dns", labels: map[string]string{"dns.operator.openshift.io/daemonset-dns": "default"}}, nil},
	{end{namespace: "ingress-nginx", name: "controller", labels: map[string]string{"app.kubernetes.io/name": "ingress-nginx"}}, nil},
	{stranger, nil},
}

var stranger = end{namespace: "elsewhere", name: "stranger"}
