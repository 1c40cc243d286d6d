//go:build e2e

// Package e2e brings a stack up on the cluster that KUBECONFIG names, with real pods, checks what a user of the
// platform would notice, and destroys it again. The cluster must not hold a platform already.
package e2e

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/telekom/controlplane-infrastructure/automation"
	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

var (
	stack  = flag.String("stack", "dev", "stack to bring up")
	values = flag.String("values", "", "file with configuration that goes over that of the stack, in the form of a stack file")
)

func TestStack(t *testing.T) {
	kubeconfig := os.Getenv("KUBECONFIG")
	require.NotEmpty(t, kubeconfig, "KUBECONFIG names the cluster to test on")
	cluster := verify.Connect(t, kubeconfig)
	before := cluster.Inventory()
	requireVacant(t, before)
	options := project(t)

	destroyed := false
	t.Cleanup(func() {
		if !destroyed { // whatever failed before: leave the cluster as it was
			_, err := automation.Destroy(cluster.Context(), options)
			assert.NoError(t, err)
		}
	})
	up, err := automation.Up(cluster.Context(), options)
	require.NoError(t, err)
	assert.Positive(t, up.Changes["create"])

	t.Run("every pod is ready and none has been restarted", func(t *testing.T) { podsReady(t, cluster) })
	t.Run("a certificate verifies with the bundle of another namespace", func(t *testing.T) {
		cluster.Namespace("e2e-app", nil)
		cluster.Namespace("e2e-reader", bundleLabel(t, up))
		cluster.For(t).Issuance("e2e-app", "e2e-reader")
	})
	t.Run("a pod finds the bundle where Go programs look for it", func(t *testing.T) { mountBundle(t, cluster, up) })
	t.Run("the webhooks refuse what cannot work", func(t *testing.T) { refusals(t, cluster) })
	t.Run("a privileged pod is refused", func(t *testing.T) { privilegedPod(t, cluster) })
	prepareClients(t, cluster, options, up)
	for name, client := range clients {
		t.Run("a consumer uses the "+name, func(t *testing.T) {
			runClient(t, cluster, name, "write", client.write)
			runClient(t, cluster, name, "refuse", client.refuse)
		})
	}
	t.Run("a machine gets a token of the trusted issuer", func(t *testing.T) { machineToken(t, cluster, options, up) })
	t.Run("the administrator logs in, but not from outside", func(t *testing.T) { administration(t, cluster, options, up) })
	t.Run("the identity provider's servers form one cluster", func(t *testing.T) { oneCluster(t, cluster) })
	t.Run("a machine gets a token through the ingress", func(t *testing.T) { throughIngress(t, cluster, options, up) })
	t.Run("pods reach what is declared, and nothing else", func(t *testing.T) { connections(t, cluster, options) })
	t.Run("what nodes and pods use can be asked", func(t *testing.T) { usage(t, cluster) })
	t.Run("Prometheus reads the metrics of every pod", func(t *testing.T) { scrapes(t, cluster, up) })
	t.Run("the platform calls itself healthy", func(t *testing.T) { healthy(t, cluster, up) })
	t.Run("the Control Plane finds what it wants", func(t *testing.T) { handOver(t, cluster, options) })
	t.Run("certificates are issued after the loss of all pods", func(t *testing.T) {
		loseAllPods(t, cluster)
		cluster.For(t).Issue("e2e-app", "after-loss", "after.e2e-app.svc", "ClusterIssuer", "platform-ca")
	})
	for name, client := range clients {
		t.Run("a consumer uses the "+name+" after the loss of all pods", func(t *testing.T) {
			runClient(t, cluster, name, "again", client.again)
		})
	}
	t.Run("a machine gets a token after the loss of all pods", func(t *testing.T) { machineToken(t, cluster, options, up) })
	for _, name := range []string{consumer, trust} {
		require.NoError(t, cluster.Clients.CoreV1().Secrets(clientNamespace).Delete(cluster.Context(), name, metav1.DeleteOptions{}))
	}
	for _, name := range []string{"e2e-app", "e2e-reader"} {
		require.NoError(t, cluster.Clients.CoreV1().Namespaces().Delete(cluster.Context(), name, metav1.DeleteOptions{}))
	}
	t.Run("a second up changes nothing", func(t *testing.T) {
		again, err := automation.Up(cluster.Context(), options)
		require.NoError(t, err)
		assert.False(t, again.HasChanges(), "%+v", again.Steps)
	})
	t.Run("a refresh finds no drift", func(t *testing.T) {
		found, err := automation.Refresh(cluster.Context(), options)
		require.NoError(t, err)
		assert.Empty(t, found.Steps)
	})
	t.Run("destroy leaves nothing behind", func(t *testing.T) {
		_, err := automation.Destroy(cluster.Context(), options)
		require.NoError(t, err)
		destroyed = true
		cluster.For(t).Settles(before)
	})
}

// requireVacant refuses a cluster where somebody else has installed what the stack brings: up would take it over, and
// destroy would remove it.
func requireVacant(t *testing.T, inventory []string) {
	t.Helper()
	for _, taken := range []string{
		"namespaces. /cert-manager", "namespaces. /controlplane-system",
		"namespaces. /cnpg-system", "namespaces. /postgresql", "namespaces. /valkey", "namespaces. /minio", "namespaces. /identity",
		"namespaces. /ingress", "namespaces. /istio-system", "namespaces. /linkerd", "namespaces. /monitoring", "namespaces. /node-exporter",
		"namespaces. /metrics-server",
		"customresourcedefinitions.apiextensions.k8s.io /clusters.postgresql.cnpg.io",
		"customresourcedefinitions.apiextensions.k8s.io /certificates.cert-manager.io",
		"customresourcedefinitions.apiextensions.k8s.io /bundles.trust.cert-manager.io",
		"customresourcedefinitions.apiextensions.k8s.io /servicemonitors.monitoring.coreos.com",
	} {
		require.False(t, slices.Contains(inventory, taken), "the cluster of KUBECONFIG is in use: it holds %q", taken)
	}
}

// project is a copy of the project with the stack's file as it is, so that nothing is written to the working tree.
func project(t *testing.T) automation.Options {
	t.Helper()
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	dir := t.TempDir()
	for _, name := range []string{"Pulumi.yaml", "Pulumi." + *stack + ".yaml"} {
		data, err := os.ReadFile(filepath.Join(root, name))
		require.NoError(t, err)
		if name != "Pulumi.yaml" {
			data = withValues(t, data)
		}
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), data, 0o600))
	}
	require.NoError(t, os.Symlink(filepath.Join(root, "artifacts"), filepath.Join(dir, "artifacts")))
	state := filepath.Join(dir, "state")
	require.NoError(t, os.Mkdir(state, 0o700))
	t.Setenv("PULUMI_BACKEND_URL", "file://"+state)
	t.Setenv("PULUMI_CONFIG_PASSPHRASE", "e2e")
	plugins := automation.PluginsBuiltin
	if p := os.Getenv("PLUGINS"); p != "" {
		plugins = automation.Plugins(p)
	}
	return automation.Options{Project: dir, Stack: *stack, Plugins: plugins, Progress: os.Stderr}
}

// withValues is a stack file with the values of the flag over its own, key by key: such as lower requests, where the
// cluster is smaller than what the stack is meant for, or images that its registry has.
func withValues(t *testing.T, stackFile []byte) []byte {
	t.Helper()
	if *values == "" {
		return stackFile
	}
	over, err := os.ReadFile(*values)
	require.NoError(t, err)
	var all, add map[string]any
	require.NoError(t, yaml.Unmarshal(stackFile, &all))
	require.NoError(t, yaml.UnmarshalStrict(over, &add), *values)
	require.Len(t, add, 1, "%s has one key, config", *values)
	require.Contains(t, add, "config", *values)
	data, err := yaml.Marshal(mergeInto(all, add))
	require.NoError(t, err)
	return data
}

// mergeInto sets what the second map has in the first; maps are merged, everything else is replaced.
func mergeInto(all, add map[string]any) map[string]any {
	for key, value := range add {
		below, isMap := value.(map[string]any)
		if present, both := all[key].(map[string]any); isMap && both {
			all[key] = mergeInto(present, below)
			continue
		}
		all[key] = value
	}
	return all
}
