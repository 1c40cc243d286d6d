//go:build e2e

package e2e

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/telekom/controlplane-infrastructure/automation"
	"github.com/telekom/controlplane-infrastructure/components/network/traefik"
	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/internal/portforward"
	"github.com/telekom/controlplane-infrastructure/stacks"
	"github.com/telekom/controlplane-infrastructure/stacks/config"
	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

// throughIngress gets a token as somebody outside of the cluster does: by the public name, at the ingress controller's
// pods. What is for administrators is not there, and a name that nobody serves is not found.
func throughIngress(t *testing.T, cluster *verify.Cluster, options automation.Options, up *automation.Result) {
	public, err := url.Parse(up.Outputs["irisUrl"].(string))
	require.NoError(t, err)
	outputs, err := automation.Outputs(cluster.Context(), options)
	require.NoError(t, err)
	client := outputs["roverClient"].Value.(map[string]any)
	entry := portforward.Target{Namespace: traefik.Namespace, Selector: traefik.Selector, Port: traefik.HTTPSPort}
	k := connect(t, cluster, up, entry, public.Host)
	k.host = public.Host

	status, answer, err := k.ask(realmPath+"/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {client["id"].(string)}, "client_secret": {client["secret"].(string)},
	})
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status, answer)
	assert.NotEmpty(t, answer["access_token"])
	for host, path := range map[string]string{public.Host: "/admin/master/console/", "unknown.example.com": realmPath + "/certs"} {
		k.host = host
		status, _, _ = k.ask(path, nil)
		assert.Equal(t, http.StatusNotFound, status, "%s of %s", path, host)
	}
}

// strangers are namespaces outside of the platform, by what they are to it.
func strangers(cfg *config.Config) map[string]map[string]string {
	return map[string]map[string]string{
		"e2e-stranger":   nil,
		"e2e-monitoring": {"metrics": "enabled"},
		"e2e-gateway":    cfg.Network.Policies.Gateways.Labels,
	}
}

// connections has pods of all kinds of namespaces try every port of every pod of the platform that anybody may use. What
// opens must be what the table of flows says. So the cluster has to enforce network policies.
func connections(t *testing.T, cluster *verify.Cluster, options automation.Options) {
	cfg, err := config.Load(options.Project, options.Stack)
	require.NoError(t, err)
	table, err := stacks.Table(cfg)
	require.NoError(t, err)
	image := clientImage(t, cluster, "database")
	for namespace, more := range strangers(cfg) {
		restricted := map[string]string{"pod-security.kubernetes.io/enforce": "restricted"}
		maps.Copy(restricted, more)
		cluster.Namespace(namespace, restricted)
		try(t, cluster, table, flow.Peer{Namespace: namespace, NamespaceLabels: more}, image)
		require.NoError(t, cluster.Clients.CoreV1().Namespaces().Delete(cluster.Context(), namespace, metav1.DeleteOptions{}))
	}
	try(t, cluster, table, flow.Peer{Namespace: clientNamespace}, image)
}

// try runs a client that is of the peer.
func try(t *testing.T, cluster *verify.Cluster, table flow.Table, client flow.Peer, image string) {
	t.Helper()
	var script strings.Builder
	names, wanted := map[string]string{}, map[string]bool{}
	for _, p := range platformPods(t, cluster) {
		if p.Namespace == clientNamespace {
			continue // the Control Plane's own
		}
		if p.Spec.HostNetwork {
			continue // no policy applies to it: it asks for a certificate instead
		}
		for _, port := range portsInto(table, p.Namespace) {
			target := fmt.Sprintf("%s/%d", p.Status.PodIP, port)
			names[target], wanted[target] = p.Namespace+"/"+p.Name, declared(table, client, p, port)
			fmt.Fprintf(&script, "(timeout 10 bash -c '</dev/tcp/%s' 2>/dev/null && echo %[1]s) &\n", target)
		}
	}
	require.NotEmpty(t, wanted)
	runner := pod("connections", image)
	runner.Spec.Containers[0].Command, runner.Spec.Containers[0].Args = []string{"bash", "-c", script.String() + "wait"}, nil
	runner.Spec.SecurityContext.RunAsUser = new(int64(10001))
	_, log := runToEnd(t, cluster, client.Namespace, runner)
	open := strings.Fields(log)
	for target, want := range wanted {
		assert.Equal(t, want, slices.Contains(open, target), "from %s to %s at %s", client.Namespace, names[target], target)
	}
}

// portsInto are those that the table knows in a namespace.
func portsInto(table flow.Table, namespace string) []int {
	var ports []int
	for _, f := range table.Into(namespace) {
		ports = append(ports, f.Ports...)
	}
	slices.Sort(ports)
	return slices.Compact(ports)
}

// declared tells whether the table lets the client connect to the pod.
func declared(table flow.Table, client flow.Peer, to corev1.Pod, port int) bool {
	return slices.ContainsFunc(table.Into(to.Namespace), func(f flow.Flow) bool {
		from := f.From
		match := from.Everywhere || len(from.CIDRs) == 0 && len(from.Pods) == 0 &&
			(from.Namespace == "" || from.Namespace == client.Namespace) &&
			labels.SelectorFromSet(from.NamespaceLabels).Matches(labels.Set(client.NamespaceLabels))
		return match && slices.Contains(f.Ports, port) && labels.SelectorFromSet(f.To.Pods).Matches(labels.Set(to.Labels))
	})
}
