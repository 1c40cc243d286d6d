package integration

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/telekom/controlplane-infrastructure/automation"
)

var (
	deployments     = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
	namespaces      = schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}
	clusterIssuers  = schema.GroupVersionResource{Group: "cert-manager.io", Version: "v1", Resource: "clusterissuers"}
	serviceMonitors = schema.GroupVersionResource{Group: "monitoring.coreos.com", Version: "v1", Resource: "servicemonitors"}
)

// TestLifecycle takes the stack dev through its whole life.
func TestLifecycle(t *testing.T) {
	parallel(t)
	e := newEnv(t, stackConfig(t, "dev"))
	before := e.Inventory()

	planned := previewWithoutCluster(t, e.project)
	created := e.up()
	assert.Equal(t, objects(planned, "create"), objects(created, "create"),
		"a preview without a cluster lists exactly what up then creates")
	assert.Greater(t, len(objects(created, "create")), 50)
	for _, name := range []string{"cert-manager", "cert-manager-webhook", "cert-manager-cainjector", "trust-manager"} {
		ready, _, _ := unstructured.NestedInt64(e.Get(deployments, "cert-manager", name).Object, "status", "readyReplicas")
		assert.EqualValues(t, 1, ready, "%s runs once in the profile single", name)
	}
	assert.Equal(t, "platform-ca", created.Outputs["issuer"])
	assert.Len(t, created.Outputs["versions"], 4, "of cert-manager, trust-manager, the Prometheus operator's definitions and CloudNativePG")

	t.Run("who needs tokens finds the identity provider", func(t *testing.T) { identityProvider(t, e) })
	t.Run("no state has a secret in plain text", func(t *testing.T) { requireNoPlainSecrets(t, e, "test") })
	t.Run("a second up changes nothing", func(t *testing.T) { e.requireNoChanges(e.up()) })
	t.Run("a refresh without drift finds nothing", func(t *testing.T) {
		assert.Empty(t, e.refresh().Steps)
	})
	t.Run("the namespace of the Control Plane is shared", func(t *testing.T) { sharedNamespace(t, e) })
	t.Run("drift is found and repaired", func(t *testing.T) { drift(t, e) })
	t.Run("a changed value changes what it should", func(t *testing.T) { changedValue(t, e) })
	t.Run("destroy leaves nothing behind", func(t *testing.T) {
		e.destroy()
		assert.Equal(t, before, e.Inventory())
	})
}

// previewWithoutCluster is the preview of a stack for which no cluster exists.
func previewWithoutCluster(t *testing.T, project string) *automation.Result {
	t.Helper()
	result, err := automation.Preview(t.Context(), automation.Options{
		Project: project, Stack: "test", Local: true, LocalDir: t.TempDir() + "/none",
	})
	require.NoError(t, err)
	return result
}

// sharedNamespace plays the Control Plane's own manifests, which own the same namespace.
func sharedNamespace(t *testing.T, e *env) {
	_, err := e.Dynamic.Resource(namespaces).Patch(e.Context(), "controlplane-system", types.ApplyPatchType, []byte(
		`{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"controlplane-system","labels":{"control-plane":"operator"}}}`),
		metav1.PatchOptions{FieldManager: "kubectl"})
	require.NoError(t, err)
	assert.Empty(t, e.refresh().Steps, "what the other owner sets is no drift")
	e.requireNoChanges(e.up())
	labels := e.Get(namespaces, "", "controlplane-system").GetLabels()
	assert.Equal(t, "operator", labels["control-plane"])
	for _, feature := range []string{"secret-manager", "file-manager", "controlplane-api"} {
		assert.Equal(t, "enabled", labels["cp.ei.telekom.de/"+feature])
	}
	assert.Equal(t, "restricted", labels["pod-security.kubernetes.io/enforce"])
}

// drift changes one object and deletes another behind the stack's back.
func drift(t *testing.T, e *env) {
	_, err := e.Dynamic.Resource(deployments).Namespace("cert-manager").Patch(e.Context(), "cert-manager", types.MergePatchType,
		[]byte(`{"spec":{"replicas":4}}`), metav1.PatchOptions{})
	require.NoError(t, err)
	require.NoError(t, e.Dynamic.Resource(serviceMonitors).Namespace("cert-manager").
		Delete(e.Context(), "trust-manager", metav1.DeleteOptions{}))

	found := e.refresh()
	require.Len(t, found.Steps, 2)
	for _, s := range found.Steps {
		switch s.Name {
		case "cert-manager/cert-manager":
			assert.Equal(t, "update", s.Operation)
			assert.Equal(t, []string{"spec.replicas"}, s.Properties)
		case "cert-manager/trust-manager":
			assert.Equal(t, "delete", s.Operation)
		default:
			t.Errorf("unexpected drift: %+v", s)
		}
	}
	repaired := e.up()
	assert.Equal(t, map[string]int{"create": 1, "update": 1}, changes(repaired))
	replicas, _, _ := unstructured.NestedInt64(e.Get(deployments, "cert-manager", "cert-manager").Object, "spec", "replicas")
	assert.EqualValues(t, 1, replicas)
	e.Get(serviceMonitors, "cert-manager", "trust-manager")
}

// changedValue goes from one profile to the other: replicas, budgets and spread follow, nothing is replaced.
func changedValue(t *testing.T, e *env) {
	// One server of objects cannot become four, so this stack goes on without.
	e.configure(map[string]any{"availability": "zonal", "monitoring": map[string]any{}, "storage": map[string]any{
		"deletionProtection": false, "objectStorage": map[string]any{"backend": "none"},
	}})
	planned := e.preview()
	done := e.up()
	for _, operation := range []string{"create", "update", "delete"} {
		assert.Equal(t, objects(planned, operation), objects(done, operation))
	}
	assert.Contains(t, objects(done, "create"), "kubernetes:policy/v1:PodDisruptionBudget cert-manager/cert-manager-webhook")
	for _, name := range objects(done, "delete") {
		assert.Regexp(t, "minio|platform-objectstorage|PersistentVolumeClaim monitoring/grafana$", name,
			"nothing goes but the object storage, and the volume of a Grafana that has a database now")
	}
	assert.Equal(t, []string{"kubernetes:batch/v1:Job postgresql/platform-check"}, objects(done, "replace"),
		"neither the database nor the cache starts anew; that the new database of Grafana can be reached is checked")

	assert.Len(t, zonesOf(t, e, "cert-manager", "app.kubernetes.io/name=webhook"), 3, "three replicas in three zones")
	assert.Len(t, zonesOf(t, e, "postgresql", "cnpg.io/podRole=instance"), 3)
	assert.Len(t, zonesOf(t, e, "valkey", "app.kubernetes.io/component=server"), 3)
	assert.Len(t, zonesOf(t, e, "identity", "app.kubernetes.io/name=iris"), 3)
	assert.Len(t, zonesOf(t, e, "monitoring", "app.kubernetes.io/name=prometheus"), 2)
	assert.Len(t, zonesOf(t, e, "monitoring", "app.kubernetes.io/name=alertmanager"), 3)
	assert.Len(t, zonesOf(t, e, "monitoring", "app.kubernetes.io/name=grafana"), 2)
	e.requireNoChanges(e.up())
}

// TestInterruptedUpContinues cancels an up in the middle; the next one goes on from there.
func TestInterruptedUpContinues(t *testing.T) {
	parallel(t)
	e := newEnv(t, small(nil))
	ctx, cancel := context.WithCancel(e.Context())
	o := e.options()
	// Half of the objects exist by the time that cert-manager's Deployments are waited for.
	o.Progress = onLine{log: o.Progress, until: "create   cert-manager/cert-manager  kubernetes:core/v1:Service", then: cancel}
	started := time.Now()
	var cancelled time.Time
	context.AfterFunc(ctx, func() { cancelled = time.Now() })
	partial, err := automation.Up(ctx, o)
	require.Error(t, err)
	var failed *automation.OperationError
	require.ErrorAs(t, err, &failed)
	assert.True(t, failed.Cancelled)
	assert.Less(t, time.Since(cancelled), 10*time.Second, "a cancelled up ends soon (after %s)", time.Since(started))

	rest := e.up()
	assert.NotEmpty(t, objects(partial, "create"))
	assert.Positive(t, rest.Changes["same"], "what the first up created is not created again")
	assert.Positive(t, rest.Changes["create"])
	e.requireNoChanges(e.up())
}

// onLine calls then when a line of progress starts with until; every line is logged.
type onLine struct {
	log   io.Writer
	until string
	then  func()
}

func (w onLine) Write(p []byte) (int, error) {
	_, _ = w.log.Write(p)
	if strings.HasPrefix(string(p), w.until) {
		w.then()
	}
	return len(p), nil
}

// changes are a result's changes without the unchanged.
func changes(r *automation.Result) map[string]int {
	counted := map[string]int{}
	for op, n := range r.Changes {
		if op != "same" && n > 0 {
			counted[op] = n
		}
	}
	return counted
}
