package kubernetes

import (
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func configMap(namespace, name, value string) doc {
	return doc{
		"apiVersion": "v1", "kind": "ConfigMap", "metadata": doc{"name": name, "namespace": namespace},
		"data": doc{"key": value},
	}
}

// After a run that was killed, what exists and was made by a plugin is taken over, under the name that owns it.
func TestWhatAKilledRunHasMadeIsTakenOver(t *testing.T) {
	t.Parallel()
	killed := reachable(t, "enablePatchForce", "true")
	ns := killed.namespaceFor("adopt")
	_, err := killed.tryCreate("left", configMap(ns, "left", "old"))
	require.NoError(t, err)
	_, err = objects(t, "configmaps", "v1").Namespace(ns).Patch(t.Context(), "theirs", "application/apply-patch+yaml",
		[]byte(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"theirs"},"data":{"key":"theirs"}}`),
		metav1.PatchOptions{FieldManager: "kubectl"})
	require.NoError(t, err)
	made := maker(get(t, "configmaps", "v1", ns, "left"))
	require.NotEmpty(t, made)

	_, err = killed.tryCreate("left", configMap(ns, "left", "new"))
	require.ErrorContains(t, err, "already exists", "not without having been told to")

	next := dial(t, serve(t, Options{Target: real.REST(), Adopt: func() bool { return true }}))
	next.configure("enablePatchForce", "true")
	m, err := next.tryCreate("left", configMap(ns, "left", "new"))
	require.NoError(t, err)
	assert.Equal(t, made, next.outputs(m)[keyFieldManager].StringValue())
	live := get(t, "configmaps", "v1", ns, "left")
	assert.Equal(t, map[string]any{"key": "new"}, live.Object["data"])
	assert.Len(t, live.GetManagedFields(), 1, "there is one owner")
	assert.Empty(t, next.refresh(m).GetDetailedDiff())

	account := doc{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": doc{"name": "bare", "namespace": ns}}
	_, err = killed.tryCreate("bare", account)
	require.NoError(t, err)
	_, err = next.tryCreate("bare", account)
	require.NoError(t, err, "an object that consists of its name has no owner")

	_, err = next.tryCreate("theirs", configMap(ns, "theirs", "ours"))
	require.ErrorContains(t, err, "no earlier run of a stack has made it")
	assert.Equal(t, map[string]any{"key": "theirs"}, get(t, "configmaps", "v1", ns, "theirs").Object["data"])
}

// What an interrupted creation was about is known by its inputs only.
func TestWhatACreationHasLeftIsFound(t *testing.T) {
	t.Parallel()
	e := reachable(t)
	ns := e.namespaceFor("left")
	m := e.create("mine", configMap(ns, "mine", "it"))
	manager := e.outputs(m)[keyFieldManager]
	_, err := objects(t, "configmaps", "v1").Namespace(ns).Patch(t.Context(), "theirs", "application/apply-patch+yaml",
		[]byte(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"theirs"},"data":{"of":"them"}}`), metav1.PatchOptions{FieldManager: "kubectl"})
	require.NoError(t, err)
	for name, exists := range map[string]bool{"mine": true, "theirs": false, "nothing": false} {
		object := configMap(ns, name, "it")
		urn := urnOf(object, name)
		read, err := e.client.Read(t.Context(), &pulumirpc.ReadRequest{Id: ns + "/" + name, Urn: urn, Inputs: e.check(urn, nil, object)})
		require.NoError(t, err)
		require.Equal(t, exists, read.GetId() != "", name)
		if exists {
			state, err := decode(read.GetProperties())
			require.NoError(t, err)
			assert.Equal(t, manager, state[keyFieldManager], "it keeps its owner")
		}
	}
}
