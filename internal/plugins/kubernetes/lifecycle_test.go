package kubernetes

import (
	"maps"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

func deployment(namespace, name string, replicas int, image string) doc {
	labels := doc{"app": name}
	return doc{
		"apiVersion": "apps/v1", "kind": "Deployment",
		"metadata": doc{"namespace": namespace, "name": name},
		"spec": doc{
			"replicas": replicas, "selector": doc{"matchLabels": labels},
			"template": doc{
				"metadata": doc{"labels": labels},
				"spec": doc{"containers": []any{doc{
					"name": "main", "image": image,
					"resources": doc{"requests": doc{"cpu": "1000m", "memory": "64Mi"}},
				}}},
			},
		},
	}
}

func TestDeploymentAndServiceFromCreationToDeletion(t *testing.T) {
	t.Parallel()
	e := reachable(t)
	ns := e.namespaceFor("life")
	m := e.create("web", deployment(ns, "web", 2, "example.org/web:1"))
	assert.Equal(t, "life/web", m.id)
	assert.EqualValues(t, 2, e.outputs(m)["status"].ObjectValue()["readyReplicas"].NumberValue(),
		"the creation waits until the pods are ready")

	service := e.create("svc", doc{
		"apiVersion": "v1", "kind": "Service", "metadata": doc{"namespace": ns, "name": "web"},
		"spec": doc{"selector": doc{"app": "web"}, "ports": []any{doc{"port": 80}}},
	})
	require.True(t, e.outputs(service)["spec"].ObjectValue()["clusterIP"].HasValue())

	t.Run("nothing has changed", func(t *testing.T) {
		assert.Empty(t, paths(e.diff(m, deployment(ns, "web", 2, "example.org/web:1"))))
		assert.Empty(t, paths(e.refresh(m)))
		assert.Empty(t, paths(e.refresh(service)))
	})
	t.Run("another spelling is no change", func(t *testing.T) {
		same := deployment(ns, "web", 2, "example.org/web:1")
		container := same["spec"].(doc)["template"].(doc)["spec"].(doc)["containers"].([]any)[0].(doc)
		container["resources"] = doc{"requests": doc{"cpu": "1", "memory": "65536Ki"}}
		assert.Empty(t, paths(e.diff(m, same)))
	})
	t.Run("an update", func(t *testing.T) {
		changed := deployment(ns, "web", 3, "example.org/web:2")
		assert.Equal(t, map[string]string{
			"spec.replicas":                          "UPDATE",
			"spec.template.spec.containers[0].image": "UPDATE",
		}, paths(e.diff(m, changed)))
		preview, err := e.tryUpdate(m, changed, true)
		require.NoError(t, err)
		planned, err := decode(preview.GetProperties())
		require.NoError(t, err)
		assert.EqualValues(t, 3, planned["spec"].ObjectValue()["replicas"].NumberValue())
		assert.EqualValues(t, 2, get(t, "deployments", "apps/v1", ns, "web").Object["spec"].(doc)["replicas"],
			"a preview changes nothing")

		e.update(m, changed)
		assert.EqualValues(t, 3, e.outputs(m)["status"].ObjectValue()["readyReplicas"].NumberValue())
		assert.Empty(t, paths(e.diff(m, changed)))
		assert.Empty(t, paths(e.refresh(m)))

		manager := e.outputs(m)[keyFieldManager].StringValue()
		for _, entry := range get(t, "deployments", "apps/v1", ns, "web").GetManagedFields() {
			if entry.Manager == manager {
				assert.Equal(t, metav1.ManagedFieldsOperationApply, entry.Operation,
					"after an update, the fields have one owner, by apply")
			}
		}
	})
	t.Run("drift is found and repaired", func(t *testing.T) {
		desired := deployment(ns, "web", 3, "example.org/web:2")
		_, err := objects(t, "deployments", "apps/v1").Namespace(ns).Patch(t.Context(), "web", types.MergePatchType,
			[]byte(`{"metadata":{"labels":{"others":"business"}},"spec":{"replicas":1}}`), metav1.PatchOptions{})
		require.NoError(t, err)
		assert.Equal(t, map[string]string{"spec.replicas": "UPDATE"}, paths(e.refresh(m)))
		assert.Equal(t, map[string]string{"spec.replicas": "UPDATE"}, paths(e.diff(m, desired)))

		_, err = e.tryUpdate(m, desired, false)
		require.ErrorContains(t, err, "conflict", "a field that somebody else has taken is not taken back silently")
		require.ErrorContains(t, err, ".spec.replicas")

		desired["metadata"].(doc)["annotations"] = doc{annotationForce: "true"}
		e.update(m, desired)
		live := get(t, "deployments", "apps/v1", ns, "web")
		assert.EqualValues(t, 3, live.Object["spec"].(doc)["replicas"])
		assert.Equal(t, "business", live.GetLabels()["others"])
	})
	t.Run("a changed selector", func(t *testing.T) {
		other := deployment(ns, "web", 3, "example.org/web:2")
		other["spec"].(doc)["selector"] = doc{"matchLabels": doc{"app": "else"}}
		d := e.diff(m, other)
		assert.Equal(t, []string{"spec.selector.matchLabels.app"}, d.GetReplaces())
		assert.True(t, d.GetDeleteBeforeReplace(), "two objects cannot have the name at once")
	})
	t.Run("deletion", func(t *testing.T) {
		e.drop(m)
		pods, err := objects(t, "pods", "v1").Namespace(ns).List(t.Context(), metav1.ListOptions{LabelSelector: "app=web"})
		require.NoError(t, err)
		assert.Empty(t, pods.Items, "a deletion waits for what the object owns")
		m.id = "life/web"
		e.drop(m) // once more: it is gone, which is what is wanted
	})
}

func TestExistingObjectIsNotTakenOver(t *testing.T) {
	t.Parallel()
	e := reachable(t)
	ns := e.namespaceFor("exists")
	config := doc{
		"apiVersion": "v1", "kind": "ConfigMap", "metadata": doc{"namespace": ns, "name": "mine"},
		"data": doc{"a": "1"},
	}
	e.create("one", config)
	m, err := e.tryCreate("two", config)
	require.ErrorContains(t, err, `configmaps "mine" already exists`)
	assert.Empty(t, m.id)

	adopting := reachable(t, "upsertExistingObjects", "true")
	config["metadata"].(doc)["annotations"] = doc{annotationForce: "true"}
	config["data"] = doc{"a": "2"}
	_, err = adopting.tryCreate("three", config)
	require.NoError(t, err)
	assert.Equal(t, doc{"a": "2"}, get(t, "configmaps", "v1", ns, "mine").Object["data"])
}

func TestConfigMapContentReplacesUnlessConfigured(t *testing.T) {
	t.Parallel()
	config := func(value string, immutable bool) doc {
		return doc{
			"apiVersion": "v1", "kind": "ConfigMap", "metadata": doc{"namespace": "replace"}, "immutable": immutable,
			"data": doc{"key.with.dots": value},
		}
	}
	e := reachable(t)
	e.namespaceFor("replace")
	m := e.create("settings", config("1", false))
	assert.Regexp(t, `^replace/settings-[0-9a-f]{8}$`, m.id)
	d := e.diff(m, config("2", false))
	assert.Equal(t, map[string]string{`data["key.with.dots"]`: "UPDATE_REPLACE"}, paths(d))
	assert.False(t, d.GetDeleteBeforeReplace(), "the replacement gets another name")

	mutable := reachable(t, "enableConfigMapMutable", "true")
	assert.Equal(t, map[string]string{`data["key.with.dots"]`: "UPDATE"}, paths(mutable.diff(m, config("2", false))))
	assert.Equal(t, "UPDATE_REPLACE", paths(mutable.diff(m, config("2", true)))[`data["key.with.dots"]`])

	mutable.update(m, config("2", false))
	assert.Equal(t, map[string]string{`data["key.with.dots"]`: "DELETE", "data.b": "ADD"}, paths(mutable.diff(m, func() doc {
		c := config("", false)
		c["data"] = doc{"b": "3"}
		return c
	}())))
}

func TestGoneObjectsAreNotFound(t *testing.T) {
	t.Parallel()
	e := reachable(t)
	ns := e.namespaceFor("gone")
	config := doc{
		"apiVersion": "v1", "kind": "ConfigMap", "metadata": doc{"namespace": ns, "name": "c"}, "data": doc{"a": "1"},
	}
	m := e.create("c", config)
	require.NoError(t, objects(t, "configmaps", "v1").Namespace(ns).Delete(t.Context(), "c", metav1.DeleteOptions{}))

	stale := maps.Clone(config)
	stale["data"] = doc{"a": "2"}
	_, err := e.tryUpdate(m, stale, false)
	require.ErrorContains(t, err, `configmaps "c" not found`)
	e.drop(&managed{id: m.id, urn: m.urn, state: m.state, inputs: m.inputs})
	assert.Nil(t, e.refresh(m), "a refresh forgets it")
}

func TestErrorsOfTheAPIServerArePassedOn(t *testing.T) {
	t.Parallel()
	e := reachable(t)
	ns := e.namespaceFor("invalid")
	bad := doc{
		"apiVersion": "v1", "kind": "ConfigMap", "metadata": doc{"namespace": ns, "name": "Not_A_Name"},
	}
	_, err := e.tryCreate("bad", bad)
	require.ErrorContains(t, err, "a lowercase RFC 1123 subdomain must consist of")

	_, err = e.client.Create(t.Context(), &pulumirpc.CreateRequest{
		Urn: urnOf(bad, "bad"), Properties: wire(t, bad), Preview: true,
	})
	require.ErrorContains(t, err, "a lowercase RFC 1123 subdomain must consist of", "the preview says so as well")
}

func TestAttributesOfTheStateAreThePublishedOnes(t *testing.T) {
	t.Parallel()
	e := reachable(t)
	ns := e.namespaceFor("state")
	m := e.create("c", doc{
		"apiVersion": "v1", "kind": "ConfigMap", "metadata": doc{"namespace": ns, "name": "c"}, "data": doc{"a": "1"},
	})
	state := e.outputs(m)
	assert.Regexp(t, `^pulumi-kubernetes-[0-9a-f]{8}$`, state["__fieldManager"].StringValue())
	assert.Equal(t, "v1", state["__initialApiVersion"].StringValue())
	assert.Equal(t, resource.NewProperty("1"), state["__inputs"].ObjectValue()["data"].ObjectValue()["a"])
	assert.True(t, state["metadata"].ObjectValue()["managedFields"].IsArray())
	assert.True(t, state["metadata"].ObjectValue()["uid"].IsString())

	imported, err := e.client.Read(t.Context(), &pulumirpc.ReadRequest{Id: "state/c", Urn: m.urn})
	require.NoError(t, err)
	inputs, err := decode(imported.GetInputs())
	require.NoError(t, err)
	assert.Equal(t, resource.NewPropertyMapFromMap(doc{
		"apiVersion": "v1", "kind": "ConfigMap", "metadata": doc{"namespace": ns, "name": "c"}, "data": doc{"a": "1"},
	}), inputs, "an import finds the inputs")
}

func TestNamespaceIsGoneAfterItsDeletion(t *testing.T) {
	t.Parallel()
	e := reachable(t)
	m := e.create("ns", namespace("short-lived"))
	e.create("c", doc{
		"apiVersion": "v1", "kind": "ConfigMap",
		"metadata": doc{"namespace": "short-lived", "name": "held", "finalizers": []any{"example.org/hold"}},
	})
	_, err := e.client.Delete(t.Context(), &pulumirpc.DeleteRequest{Id: m.id, Urn: m.urn, Properties: m.state, Timeout: 8})
	require.ErrorContains(t, err, "timed out after 8s waiting for the deletion")
	require.ErrorContains(t, err, "example.org/hold in 1 resource instances", "the error says what holds it up")

	_, err = objects(t, "configmaps", "v1").Namespace("short-lived").Patch(t.Context(), "held", types.MergePatchType,
		[]byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{})
	require.NoError(t, err)
	e.drop(m)
	_, err = objects(t, "namespaces", "v1").Get(t.Context(), "short-lived", metav1.GetOptions{})
	assert.True(t, apierrors.IsNotFound(err))
}
