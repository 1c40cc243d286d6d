package kubernetes

import (
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

func TestPatchOwnsItsFieldsAndNotTheObject(t *testing.T) {
	t.Parallel()
	e := reachable(t)
	ns := e.namespaceFor("patch")
	account := func(annotations doc) doc {
		return doc{
			"apiVersion": "v1", "kind": "ServiceAccount", "automountServiceAccountToken": false,
			"metadata": doc{"namespace": ns, "name": "default", "annotations": annotations},
		}
	}
	const urn = "urn:pulumi:test::test::kubernetes:core/v1:ServiceAccountPatch::default"
	m, err := e.tryCreateAs(urn, account(doc{"example.org/a": "1"}), 0)
	require.NoError(t, err, "the account comes a moment after its namespace")
	assert.Equal(t, "patch/default", m.id)
	assert.Equal(t, false, get(t, "serviceaccounts", "v1", ns, "default").Object["automountServiceAccountToken"])
	assert.Empty(t, paths(e.refresh(m)))

	_, err = objects(t, "serviceaccounts", "v1").Namespace(ns).Patch(t.Context(), "default", types.MergePatchType,
		[]byte(`{"metadata":{"annotations":{"example.org/theirs":"x"}}}`), metav1.PatchOptions{})
	require.NoError(t, err)
	assert.Empty(t, paths(e.refresh(m)), "others' fields are theirs")
	d := e.diff(m, account(doc{"example.org/b": "2"}))
	assert.Empty(t, d.GetReplaces())
	e.update(m, account(doc{"example.org/b": "2"}))
	assert.Equal(t, map[string]string{"example.org/b": "2", "example.org/theirs": "x"},
		get(t, "serviceaccounts", "v1", ns, "default").GetAnnotations())

	other, err := e.tryCreateAs(urn, account(doc{"example.org/b": "3"}), 0)
	require.ErrorContains(t, err, "conflict", "two owners of a field find out")
	require.ErrorContains(t, err, ".metadata.annotations.example.org/b")
	assert.Empty(t, other.id)
	forced, err := e.tryCreateAs(urn, account(doc{"example.org/b": "3", annotationForce: "true"}), 0)
	require.NoError(t, err)
	e.drop(forced)

	e.drop(m)
	left := get(t, "serviceaccounts", "v1", ns, "default")
	assert.Equal(t, map[string]string{"example.org/theirs": "x"}, left.GetAnnotations())
	assert.NotContains(t, left.Object, "automountServiceAccountToken")

	response, err := e.client.Check(t.Context(), &pulumirpc.CheckRequest{
		Urn: urn, News: wire(t, doc{"apiVersion": "v1", "kind": "ServiceAccount"}),
	})
	require.NoError(t, err)
	require.Len(t, response.GetFailures(), 1)
	assert.Equal(t, "metadata.name", response.GetFailures()[0].GetProperty())
}

func TestFieldManagerCanBeNamed(t *testing.T) {
	t.Parallel()
	e := reachable(t, "enableConfigMapMutable", "true")
	ns := e.namespaceFor("manager")
	config := func(manager, value string) doc {
		return doc{
			"apiVersion": "v1", "kind": "ConfigMap", "data": doc{"a": value},
			"metadata": doc{"namespace": ns, "name": "c", "annotations": doc{annotationFieldManager: manager}},
		}
	}
	managers := func() (names []string) {
		for _, entry := range get(t, "configmaps", "v1", ns, "c").GetManagedFields() {
			names = append(names, entry.Manager)
		}
		return names
	}
	m := e.create("c", config("first", "1"))
	assert.Equal(t, []string{"first"}, managers())
	e.update(m, config("second", "1"))
	assert.Equal(t, []string{"second"}, managers(), "the former owner is gone")
	assert.Equal(t, "second", e.outputs(m)[keyFieldManager].StringValue())
}
