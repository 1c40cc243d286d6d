//go:build e2e

// Package e2e brings a stack up on the cluster that KUBECONFIG names, with real pods, checks what a user of the
// platform would notice, and destroys it again. The cluster must not hold a platform already.
package e2e

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/telekom/controlplane-infrastructure/automation"
	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

var stack = flag.String("stack", "dev", "stack to bring up")

func TestStack(t *testing.T) {
	kubeconfig := os.Getenv("KUBECONFIG")
	require.NotEmpty(t, kubeconfig, "KUBECONFIG names the cluster to test on")
	cluster := verify.Connect(t, kubeconfig)
	before := cluster.Inventory()
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
		cluster.Namespace("e2e-reader", map[string]string{"trust.controlplane.io/bundle": "platform"})
		cluster.Issuance("e2e-app", "e2e-reader")
		require.NoError(t, cluster.Clients.CoreV1().Namespaces().Delete(cluster.Context(), "e2e-app", metav1.DeleteOptions{}))
		require.NoError(t, cluster.Clients.CoreV1().Namespaces().Delete(cluster.Context(), "e2e-reader", metav1.DeleteOptions{}))
	})
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
		assert.Eventually(t, func() bool { return assert.ObjectsAreEqual(before, cluster.Inventory()) },
			verify.Patience, verify.Patience/30, "the cluster is as it was before")
	})
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

// podsReady checks the pods of the platform's namespaces.
func podsReady(t *testing.T, cluster *verify.Cluster) {
	namespaces, err := cluster.Clients.CoreV1().Namespaces().List(cluster.Context(), metav1.ListOptions{
		LabelSelector: "app.kubernetes.io/managed-by=pulumi",
	})
	require.NoError(t, err)
	require.NotEmpty(t, namespaces.Items)
	running := 0
	for _, ns := range namespaces.Items {
		pods, err := cluster.Clients.CoreV1().Pods(ns.Name).List(cluster.Context(), metav1.ListOptions{})
		require.NoError(t, err)
		for _, pod := range pods.Items {
			if pod.Status.Phase == corev1.PodSucceeded {
				continue
			}
			running++
			for _, c := range pod.Status.ContainerStatuses {
				assert.True(t, c.Ready, "%s/%s is ready", pod.Namespace, pod.Name)
				assert.Zero(t, c.RestartCount, "%s/%s restarted: %s", pod.Namespace, pod.Name, strings.TrimSpace(c.LastTerminationState.String()))
			}
		}
	}
	assert.Positive(t, running)
}
