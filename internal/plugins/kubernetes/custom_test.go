package kubernetes

import (
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

func definition(group, kind, plural, scope string) doc {
	return doc{
		"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
		"metadata": doc{"name": plural + "." + group},
		"spec": doc{
			"group": group, "scope": scope, "names": doc{"kind": kind, "plural": plural},
			"versions": []any{doc{
				"name": "v1", "served": true, "storage": true, "subresources": doc{"status": doc{}},
				"schema": doc{"openAPIV3Schema": doc{
					"type": "object", "x-kubernetes-preserve-unknown-fields": true,
					"properties": doc{"spec": doc{"type": "object", "properties": doc{
						"size":  doc{"type": "string"},
						"rules": doc{"type": "array", "items": doc{"type": "string"}},
						"mode":  doc{"type": "string", "default": "auto"},
					}}},
				}},
			}},
		},
	}
}

func TestDefinitionAndItsObjectsInOneRun(t *testing.T) {
	t.Parallel()
	e := reachable(t)
	ns := e.namespaceFor("custom")
	// The garbage collector takes up to half a minute to learn of a new kind, and foreground deletion waits for it.
	quickly := doc{annotationPropagation: "background"}
	gadget := doc{
		"apiVersion": "example.org/v1", "kind": "Gadget",
		"metadata": doc{"namespace": ns, "name": "g", "annotations": quickly},
		"spec":     doc{"size": "1000m", "rules": []any{"a", "b"}},
	}
	gizmo := doc{
		"apiVersion": "example.org/v1", "kind": "Gizmo", "metadata": doc{"name": "z", "annotations": quickly},
		"spec": doc{"size": "1"},
	}
	crds := []doc{
		definition("example.org", "Gadget", "gadgets", "Namespaced"), definition("example.org", "Gizmo", "gizmos", "Cluster"),
	}
	t.Run("the preview needs no definitions", func(t *testing.T) {
		for _, object := range append(crds, gadget, gizmo) {
			urn := urnOf(object, "p")
			planned, err := e.client.Create(t.Context(), &pulumirpc.CreateRequest{
				Urn: urn, Properties: e.check(urn, nil, object), Preview: true,
			})
			require.NoError(t, err)
			assert.Contains(t, visible(t, planned.GetProperties()), object["kind"])
		}
		checked, err := decode(e.check(urnOf(gizmo, "z"), nil, gizmo))
		require.NoError(t, err)
		assert.NotContains(t, checked["metadata"].ObjectValue(), "namespace",
			"the program's own definition says that the kind has none")
	})

	e.create("gadgets", crds[0])
	m := e.create("g", gadget)
	assert.Equal(t, "custom/g", m.id)
	e.create("gizmos", crds[1])
	z := e.create("z", gizmo)
	assert.Equal(t, "z", z.id, "a kind that comes later to a known group is found as well")

	assert.Empty(t, paths(e.refresh(m)), "a default of the schema is no drift")
	patch := func(body string) {
		t.Helper()
		_, err := objects(t, "gadgets", "example.org/v1").Namespace(ns).Patch(
			t.Context(), "g", types.MergePatchType, []byte(body), metav1.PatchOptions{})
		require.NoError(t, err)
	}
	patch(`{"spec":{"mode":"manual"}}`)
	assert.Empty(t, paths(e.refresh(m)), "a field that the program does not set is others' business")
	patch(`{"spec":{"rules":["a","b","c"]}}`)
	assert.Equal(t, map[string]string{"spec.rules[2]": "DELETE"}, paths(e.refresh(m)))
	patch(`{"spec":{"size":null}}`)
	assert.Equal(t, map[string]string{"spec.size": "ADD"}, paths(e.refresh(m)))
}

func TestMissingKindIsExplained(t *testing.T) {
	t.Parallel()
	e := dial(t, serve(t, Options{Target: real.REST()}))
	e.configure()
	urn := urnOf(doc{"apiVersion": "missing.example.org/v1", "kind": "Nothing"}, "n")
	_, err := e.client.Delete(t.Context(), &pulumirpc.DeleteRequest{
		Urn: urn, Id: "default/n",
		Properties: wire(t, doc{"apiVersion": "missing.example.org/v1", "kind": "Nothing", "metadata": doc{"name": "n"}}),
	})
	require.NoError(t, err, "an object whose kind is gone is gone")
	read, err := e.client.Read(t.Context(), &pulumirpc.ReadRequest{Urn: urn, Id: "default/n"})
	require.NoError(t, err)
	assert.Empty(t, read.GetId())
}
