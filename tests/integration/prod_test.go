package integration

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/telekom/controlplane-infrastructure/internal/local/localtest"
	"github.com/telekom/controlplane-infrastructure/tests/ha"
	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

// newest is the newest minor version of Kubernetes that is tested.
const newest = "1.37"

// lostZone is the zone that fails.
const lostZone = "zone-a"

// TestProd takes the stack prod through its life: its account in AWS is simulated, and the cluster that it makes there is
// the control plane of this machine.
func TestProd(t *testing.T) {
	parallel(t)
	config := stackConfig(t, "prod")
	e := newEnv(t, config, localtest.Kubernetes(newest))
	before := e.Inventory()

	planned := previewWithoutCluster(t, e.project)
	created := e.up()
	assert.Equal(t, objects(planned, "create"), objects(created, "create"),
		"a preview before the account has seen anything lists exactly what up then creates")
	assert.Contains(t, objects(planned, "create"), "aws:eks/cluster:Cluster cluster")
	t.Run("no state has a secret in plain text", func(t *testing.T) { requireNoPlainSecrets(t, e, "test") })
	t.Run("a second up changes nothing", func(t *testing.T) { e.requireNoChanges(e.up()) })
	t.Run("rehearsal", func(t *testing.T) { rehearse(t, e, config, prodChanges()) })
	t.Run("volumes are encrypted disks in the zone of their pod", func(t *testing.T) { disks(t, e) })
	config = upgraded(config)
	t.Run("what keeps a cluster up to date replaces neither it nor data", func(t *testing.T) { upgrade(t, e, config) })
	t.Run("maintenance of node by node breaks no budget", func(t *testing.T) { drainNodes(t, e) })
	t.Run("the loss of a zone leaves enough of everything", func(t *testing.T) { zoneFailure(t, e) })
	t.Run("destroy leaves nothing behind with a zone gone", func(t *testing.T) {
		e.configure(with(config, map[string]any{"storage.deletionProtection": false}))
		e.up()
		require.NoError(t, e.cp.LoseZone(e.Context(), lostZone))
		e.destroy()
		require.NoError(t, e.cp.RestoreZone(e.Context(), lostZone)) // the machines are not the stack's
		e.Settles(before)
		assert.Empty(t, account(t, e), "nothing is left in AWS")
	})
}

// account are the resources in the simulated account, by type.
func account(t *testing.T, e *env) map[string]int {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(e.cp.Dir, "pulumi", "aws.json"))
	require.NoError(t, err)
	var file struct {
		Resources map[string]map[string]any `json:"resources"`
	}
	require.NoError(t, json.Unmarshal(data, &file))
	count := map[string]int{}
	for token, resources := range file.Resources {
		if len(resources) > 0 {
			count[token] = len(resources)
		}
	}
	return count
}

// disks looks at the volumes of whoever asked for none in particular.
func disks(t *testing.T, e *env) {
	classes, err := e.Clients.StorageV1().StorageClasses().List(e.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	encrypted := map[string]bool{}
	for _, c := range classes.Items {
		encrypted[c.Name] = c.Parameters["encrypted"] == "true"
	}
	claims, err := e.Clients.CoreV1().PersistentVolumeClaims("").List(e.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	require.NotEmpty(t, claims.Items)
	for _, claim := range claims.Items {
		require.NotNil(t, claim.Spec.StorageClassName, claim.Name)
		assert.True(t, encrypted[*claim.Spec.StorageClassName], "%s/%s is of class %s", claim.Namespace, claim.Name, *claim.Spec.StorageClassName)
	}
}

// upgraded has other values for what changes in the life of a cluster: its version, its add-ons, its nodes, who reaches
// it, and tags.
func upgraded(config map[string]any) map[string]any {
	return with(config, map[string]any{
		"aws.tags":                           map[string]any{"cost-center": "4711"},
		"cluster.eks.version":                "1.36",
		"cluster.eks.addOns.coreDns.version": "v1.13.1-eksbuild.1",
		"cluster.eks.logRetentionDays":       180,
		"cluster.eks.endpoint.publicCidrs":   []any{"198.51.100.0/24"},
		"cluster.eks.nodeGroups": []any{map[string]any{
			"name": "platform", "instanceTypes": []any{"m7i.2xlarge"}, "maxSize": 5, "labels": map[string]any{"tier": "platform"},
		}},
	})
}

func upgrade(t *testing.T, e *env, config map[string]any) {
	e.configure(config)
	planned := e.preview()
	done := e.up()
	assert.Equal(t, objects(planned, "replace"), objects(done, "replace"))
	for _, name := range objects(done, "replace") {
		assert.Regexp(t, `^aws:eks/nodeGroup:NodeGroup `, name, "only nodes are replaced")
	}
	assert.Len(t, objects(done, "replace"), 3, "nodes of another type, in each of the three zones")
	assert.Subset(t, objects(done, "update"), []string{"aws:eks/cluster:Cluster cluster"})
	for _, name := range objects(done, "delete") {
		assert.Regexp(t, `^aws:eks/nodeGroup:NodeGroup `, name)
	}
	e.requireNoChanges(e.up())
}

// drainNodes empties the nodes of a zone one after another, as who maintains a cluster does.
func drainNodes(t *testing.T, e *env) {
	ctx, cancel := context.WithTimeout(e.Context(), 4*time.Minute)
	defer cancel()
	watcher, err := ha.Watch(ctx, e.Clients)
	require.NoError(t, err)
	for _, node := range nodesOf(t, e, lostZone) {
		require.NoError(t, ha.Drain(ctx, e.Clients, node))
		require.NoError(t, ha.Uncordon(ctx, e.Clients, node))
	}
	assert.Empty(t, ha.Broken(watcher.Rows(), ha.Row.Seen))
	require.NoError(t, watcher.Settled(ctx))
}

func nodesOf(t *testing.T, e *env, zone string) (names []string) {
	t.Helper()
	nodes, err := e.Clients.CoreV1().Nodes().List(e.Context(), metav1.ListOptions{LabelSelector: "topology.kubernetes.io/zone=" + zone})
	require.NoError(t, err)
	require.NotEmpty(t, nodes.Items)
	for _, n := range nodes.Items {
		names = append(names, n.Name)
	}
	return names
}

// zoneTable is the page that has the table of what a zone's loss costs.
const zoneTable = "../../docs/zone-failure.md"

// zoneFailure takes all nodes of a zone away, as a cloud does, and looks at who is left until everything has found a new
// place, as far as its volume lets it.
func zoneFailure(t *testing.T, e *env) {
	ctx, cancel := context.WithTimeout(e.Context(), 4*time.Minute)
	defer cancel()
	watcher, err := ha.Watch(ctx, e.Clients)
	require.NoError(t, err)
	require.NoError(t, e.cp.LoseZone(ctx, lostZone))
	movedDeployments(t, e)
	require.NoError(t, e.cp.RestoreZone(ctx, lostZone))
	require.NoError(t, watcher.Settled(ctx))

	rows := watcher.Rows()
	assert.Empty(t, ha.Broken(rows, ha.Row.Seen), "with %s lost", lostZone)
	assert.Empty(t, ha.Broken(rows, ha.Row.Minimum), "whichever zone is lost")
	table := ha.Table(rows)
	t.Logf("with a zone lost:\n%s", table)
	page, err := os.ReadFile(zoneTable)
	require.NoError(t, err)
	assert.True(t, strings.Contains(string(page), table), "%s has another table than:\n%s", zoneTable, table)
}

// movedDeployments waits until everything without a volume has all of its pods again, in the zones that are left.
func movedDeployments(t *testing.T, e *env) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		all, err := e.Clients.AppsV1().Deployments("").List(e.Context(), metav1.ListOptions{})
		require.NoError(c, err)
		for _, d := range all.Items {
			if !hasVolume(d.Spec.Template.Spec.Volumes) {
				assert.Equal(c, *d.Spec.Replicas, d.Status.ReadyReplicas, "%s/%s", d.Namespace, d.Name)
			}
		}
	}, verify.Patience, 200*time.Millisecond)
}

func hasVolume(volumes []corev1.Volume) bool {
	return slices.ContainsFunc(volumes, func(v corev1.Volume) bool { return v.PersistentVolumeClaim != nil })
}
