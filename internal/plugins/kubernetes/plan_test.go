package kubernetes

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/structpb"
)

// What follows plans without a cluster, as the first preview of a new stack does.

// change returns an object with one field set; a nil value removes it.
func change(object doc, value any, path ...string) doc {
	out := doc{}
	for k, v := range object {
		out[k] = v
	}
	if len(path) > 1 {
		inner, _ := out[path[0]].(doc)
		out[path[0]] = change(inner, value, path[1:]...)
	} else if value == nil {
		delete(out, path[0])
	} else {
		out[path[0]] = value
	}
	return out
}

// plan compares two versions of an object that was made with the first.
func plan(t *testing.T, e *engine, before, after doc, ignore ...string) *pulumirpc.DiffResponse {
	t.Helper()
	m := &managed{id: "default/it", urn: urnOf(before, "it"), inputs: e.check(urnOf(before, "it"), nil, before)}
	m.state = m.inputs
	return e.diff(m, after, ignore...)
}

func TestReplacementsByKind(t *testing.T) {
	t.Parallel()
	e := unreachableEngine(t)
	object := func(version, kind string, fields doc) doc {
		fields["apiVersion"], fields["kind"], fields["metadata"] = version, kind, doc{"namespace": "default", "name": "it"}
		return fields
	}
	pod := doc{"containers": []any{doc{"name": "a", "image": "i:1"}}}
	workload := func(version, kind string) doc {
		return object(version, kind, doc{"spec": doc{
			"replicas": 1, "selector": doc{"matchLabels": doc{"a": "b"}}, "template": doc{"spec": pod},
		}})
	}
	for name, c := range map[string]struct {
		object   doc
		path     []string
		value    any
		replaces bool
	}{
		"Deployment selector":    {workload("apps/v1", "Deployment"), []string{"spec", "selector"}, doc{"matchLabels": doc{"a": "c"}}, true},
		"Deployment replicas":    {workload("apps/v1", "Deployment"), []string{"spec", "replicas"}, 2, false},
		"Deployment template":    {workload("apps/v1", "Deployment"), []string{"spec", "template"}, doc{"spec": doc{"containers": []any{doc{"name": "a", "image": "i:2"}}}}, false},
		"DaemonSet selector":     {workload("apps/v1", "DaemonSet"), []string{"spec", "selector"}, doc{"matchLabels": doc{"x": "y"}}, true},
		"StatefulSet selector":   {workload("apps/v1", "StatefulSet"), []string{"spec", "selector", "matchLabels", "a"}, "c", true},
		"StatefulSet service":    {workload("apps/v1", "StatefulSet"), []string{"spec", "serviceName"}, "s", true},
		"StatefulSet claims":     {workload("apps/v1", "StatefulSet"), []string{"spec", "volumeClaimTemplates"}, []any{doc{"metadata": doc{"name": "d"}}}, true},
		"StatefulSet replicas":   {workload("apps/v1", "StatefulSet"), []string{"spec", "replicas"}, 3, false},
		"Job template":           {workload("batch/v1", "Job"), []string{"spec", "template"}, doc{"spec": doc{"containers": []any{doc{"name": "b"}}}}, true},
		"Job ttl":                {workload("batch/v1", "Job"), []string{"spec", "ttlSecondsAfterFinished"}, 5, false},
		"Pod image":              {object("v1", "Pod", doc{"spec": pod}), []string{"spec", "containers"}, []any{doc{"name": "a", "image": "i:2"}}, true},
		"Pod label":              {object("v1", "Pod", doc{"spec": pod}), []string{"metadata", "labels"}, doc{"a": "b"}, false},
		"Pod without spec":       {object("v1", "Pod", doc{"spec": pod}), []string{"spec"}, nil, true},
		"Service address":        {object("v1", "Service", doc{"spec": doc{"type": "ClusterIP"}}), []string{"spec", "clusterIP"}, "None", true},
		"Service ports":          {object("v1", "Service", doc{"spec": doc{"type": "ClusterIP"}}), []string{"spec", "ports"}, []any{doc{"port": 80}}, false},
		"RoleBinding role":       {object("rbac.authorization.k8s.io/v1", "RoleBinding", doc{"roleRef": doc{"name": "a"}}), []string{"roleRef", "name"}, "b", true},
		"RoleBinding subjects":   {object("rbac.authorization.k8s.io/v1", "RoleBinding", doc{"roleRef": doc{"name": "a"}}), []string{"subjects"}, []any{doc{"name": "x"}}, false},
		"ClusterRoleBinding":     {object("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", doc{"roleRef": doc{"name": "a"}}), []string{"roleRef", "name"}, "b", true},
		"StorageClass":           {object("storage.k8s.io/v1", "StorageClass", doc{"provisioner": "a"}), []string{"parameters"}, doc{"a": "b"}, true},
		"claim class":            {object("v1", "PersistentVolumeClaim", doc{"spec": doc{}}), []string{"spec", "storageClassName"}, "c", true},
		"claim size":             {object("v1", "PersistentVolumeClaim", doc{"spec": doc{}}), []string{"spec", "resources"}, doc{"requests": doc{"storage": "2Gi"}}, false},
		"Secret type":            {object("v1", "Secret", doc{"type": "Opaque"}), []string{"type"}, "kubernetes.io/tls", true},
		"Secret data":            {object("v1", "Secret", doc{"type": "Opaque"}), []string{"data"}, doc{"a": "Yg=="}, true},
		"Secret text":            {object("v1", "Secret", doc{"type": "Opaque"}), []string{"stringData"}, doc{"a": "b"}, true},
		"ConfigMap data":         {object("v1", "ConfigMap", doc{}), []string{"data"}, doc{"a": "b"}, true},
		"name":                   {object("v1", "ConfigMap", doc{}), []string{"metadata", "name"}, "other", true},
		"namespace":              {object("v1", "ConfigMap", doc{}), []string{"metadata", "namespace"}, "other", true},
		"default namespace":      {object("v1", "ConfigMap", doc{}), []string{"metadata", "namespace"}, nil, false},
		"custom resource's spec": {object("example.org/v1", "Deployment", doc{"spec": doc{}}), []string{"spec", "selector"}, doc{"a": "b"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := plan(t, e, c.object, change(c.object, c.value, c.path...))
			assert.Equal(t, c.replaces, len(d.GetReplaces()) > 0, "%v", paths(d))
			for _, path := range d.GetReplaces() {
				assert.Contains(t, paths(d)[path], "_REPLACE")
			}
		})
	}
}

func TestChangesAreNamedByTheirPath(t *testing.T) {
	t.Parallel()
	e := unreachableEngine(t)
	before := deployment("default", "it", 1, "i:1")
	annotated := change(before, doc{"example.org/key": "v"}, "metadata", "annotations")
	assert.Equal(t, map[string]string{"metadata.annotations": "ADD"}, paths(plan(t, e, before, annotated)))
	assert.Equal(t, map[string]string{`metadata.annotations["example.org/key"]`: "UPDATE"},
		paths(plan(t, e, annotated, change(annotated, "w", "metadata", "annotations", "example.org/key"))))
	assert.Equal(t, map[string]string{"metadata.annotations": "DELETE"}, paths(plan(t, e, annotated, before)))
	assert.Empty(t, paths(plan(t, e, before, change(before, 2, "spec", "replicas"), "spec.replicas")),
		"a path that is ignored is no change")
	assert.Empty(t, paths(plan(t, e, before, change(before, 1.0, "spec", "replicas"))))

	d := plan(t, e, before, change(before, 2, "spec", "replicas"))
	assert.Equal(t, []string{"spec"}, d.GetDiffs())
	assert.True(t, d.GetHasDetailedDiff())
}

func TestAnythingCanBeCompared(t *testing.T) {
	t.Parallel()
	e := unreachableEngine(t)
	custom := doc{
		"apiVersion": "example.org/v1", "kind": "Thing", "metadata": doc{"name": "it"}, "data": []any{doc{"a": "1"}, "b"},
	}
	assert.Equal(t, map[string]string{"data[0]": "UPDATE", "data[1]": "DELETE"},
		paths(plan(t, e, custom, change(custom, []any{"a"}, "data"))), "data need not be a map")
	assert.Equal(t, map[string]string{"data": "UPDATE"}, paths(plan(t, e, custom, change(custom, "text", "data"))))

	sets := members([]any{doc{"a": "1"}, "b"}, []any{doc{"a": "1"}, "b"}, []any{doc{"a": "1"}})
	assert.Equal(t, []any{doc{"a": "1"}}, sets, "the elements of a set need not be scalars")
}

func TestWhatIsNotKnownYetChangesNothingElse(t *testing.T) {
	t.Parallel()
	e := unreachableEngine(t)
	claim := doc{"metadata": doc{"name": "d"}, "spec": doc{"resources": doc{"requests": doc{"storage": "1024Mi"}}}}
	before := doc{
		"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": doc{"namespace": "default", "name": "it"},
		"spec": doc{"volumeClaimTemplates": []any{claim}},
	}
	d := plan(t, e, before, change(before, resource.MakeComputed(resource.NewProperty("")), "spec", "serviceName"))
	assert.Equal(t, map[string]string{"spec.serviceName": "ADD_REPLACE"}, paths(d), "1024Mi and 1Gi are the same")
}

func TestNames(t *testing.T) {
	t.Parallel()
	e := unreachableEngine(t)
	object := doc{"apiVersion": "v1", "kind": "ConfigMap", "data": doc{"a": "1"}}
	urn := urnOf(object, "settings")
	name := func(s *structpb.Struct) string {
		metadata := s.GetFields()["metadata"].GetStructValue().GetFields()
		return metadata["namespace"].GetStringValue() + "/" + metadata["name"].GetStringValue()
	}
	first := e.check(urn, nil, object)
	assert.Regexp(t, `^default/settings-[0-9a-f]{8}$`, name(first))
	assert.Equal(t, name(first), name(e.check(urn, nil, object)), "the same seed gives the same name")
	assert.Equal(t, name(first), name(e.check(urn, first, object)), "a name stays")
	assert.Equal(t, "true", first.GetFields()["metadata"].GetStructValue().GetFields()["annotations"].
		GetStructValue().GetFields()[annotationAutonamed].GetStringValue())
	assert.Equal(t, "default/given", name(e.check(urn, first, change(object, doc{"name": "given"}, "metadata"))))

	check := func(object doc, autonaming *pulumirpc.CheckRequest_AutonamingOptions) *pulumirpc.CheckResponse {
		response, err := e.client.Check(t.Context(), &pulumirpc.CheckRequest{
			Urn: urn, News: wire(t, object), Autonaming: autonaming,
		})
		require.NoError(t, err)
		return response
	}
	proposed := check(object, &pulumirpc.CheckRequest_AutonamingOptions{
		ProposedName: "as-configured", Mode: pulumirpc.CheckRequest_AutonamingOptions_ENFORCE,
	})
	assert.Equal(t, "default/as-configured", name(proposed.GetInputs()))
	refused := check(object, &pulumirpc.CheckRequest_AutonamingOptions{
		Mode: pulumirpc.CheckRequest_AutonamingOptions_DISABLE,
	})
	require.Len(t, refused.GetFailures(), 1)
	assert.Contains(t, refused.GetFailures()[0].GetReason(), "set metadata.name")
	generated := check(change(object, doc{"generateName": "x-"}, "metadata"), nil)
	require.Len(t, generated.GetFailures(), 1)
	assert.Equal(t, "metadata.generateName", generated.GetFailures()[0].GetProperty())

	cluster := e.check(urnOf(doc{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole"}, "r"), nil,
		doc{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": doc{"name": "r"}})
	assert.Equal(t, "/r", name(cluster), "a cluster role has no namespace, cluster or not")
}

func TestWithoutAClusterPreviewsGoOnAndTheRestSaysWhy(t *testing.T) {
	t.Parallel()
	e := unreachableEngine(t)
	object := change(deployment("ns", "it", 1, "i:1"), nil, "metadata", "creationTimestamp")
	urn := urnOf(object, "it")
	inputs := e.check(urn, nil, object)
	planned, err := e.client.Create(t.Context(), &pulumirpc.CreateRequest{Urn: urn, Properties: inputs, Preview: true})
	require.NoError(t, err)
	assert.Equal(t, visible(t, inputs), visible(t, planned.GetProperties()))
	updated, err := e.client.Update(t.Context(), &pulumirpc.UpdateRequest{
		Id: "ns/it", Urn: urn, Olds: inputs, News: inputs, Preview: true,
	})
	require.NoError(t, err)
	assert.Equal(t, visible(t, inputs), visible(t, updated.GetProperties()))

	_, err = e.client.Create(t.Context(), &pulumirpc.CreateRequest{Urn: urn, Properties: inputs})
	assert.ErrorContains(t, err, "configured Kubernetes cluster is unreachable: the API server at http://127.0.0.1:1")
	_, err = e.client.Delete(t.Context(), &pulumirpc.DeleteRequest{Id: "ns/it", Urn: urn, Properties: inputs})
	assert.ErrorContains(t, err, "PULUMI_K8S_DELETE_UNREACHABLE")
	_, err = e.client.Read(t.Context(), &pulumirpc.ReadRequest{Id: "ns/it", Urn: urn, Properties: inputs, Inputs: inputs})
	assert.ErrorContains(t, err, "unreachable cluster")

	lost := unreachableEngine(t, "deleteUnreachable", "true")
	_, err = lost.client.Delete(t.Context(), &pulumirpc.DeleteRequest{Id: "ns/it", Urn: urn, Properties: inputs})
	assert.NoError(t, err)
	read, err := lost.client.Read(t.Context(), &pulumirpc.ReadRequest{Id: "ns/it", Urn: urn, Properties: inputs, Inputs: inputs})
	require.NoError(t, err)
	assert.Empty(t, read.GetId(), "what cannot be reached any more is forgotten, as asked")

	skipping := unreachableEngine(t, "skipUpdateUnreachable", "true")
	read, err = skipping.client.Read(t.Context(), &pulumirpc.ReadRequest{Id: "ns/it", Urn: urn, Properties: inputs, Inputs: inputs})
	require.NoError(t, err)
	assert.Equal(t, "ns/it", read.GetId())
}
