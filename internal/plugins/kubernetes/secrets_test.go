package kubernetes

import (
	"encoding/json"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/structpb"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

const hidden = "correct-horse-battery"

// visible returns everything of a state that is not marked as secret, as text.
func visible(t *testing.T, state *structpb.Struct) string {
	t.Helper()
	m, err := decode(state)
	require.NoError(t, err)
	text, err := json.Marshal(m.MapRepl(nil, func(v resource.PropertyValue) (any, bool) {
		return "[secret]", v.IsSecret()
	}))
	require.NoError(t, err)
	return string(text)
}

func TestSecretsStaySecret(t *testing.T) {
	t.Parallel()
	e := reachable(t)
	ns := e.namespaceFor("secrets")
	secret := func(stringData doc) doc {
		return doc{
			"apiVersion": "v1", "kind": "Secret",
			"metadata": doc{"namespace": ns, "name": "s", "annotations": doc{annotationLastApplied: hidden}},
			// Not marked by the program: a Secret's contents are secret by what they are.
			"stringData": stringData, "data": doc{"raw": "Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5"},
		}
	}
	m := e.create("s", secret(doc{"password": hidden}))
	for what, s := range map[string]*structpb.Struct{"inputs": m.inputs, "state": m.state} {
		assert.NotContains(t, visible(t, s), "Y29ycmVjdC1ob3", what)
	}
	assert.NotContains(t, visible(t, m.state), hidden)

	live := get(t, "secrets", "v1", ns, "s")
	assert.Equal(t, "Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5", live.Object["data"].(doc)["password"])
	assert.Empty(t, paths(e.diff(m, secret(doc{"password": hidden}))), "stringData is compared, though never read back")
	assert.Empty(t, paths(e.refresh(m)))

	mutable := reachable(t, "enableSecretMutable", "true")
	changed := secret(doc{"password": hidden + "!"})
	assert.Equal(t, map[string]string{"stringData.password": "UPDATE"}, paths(mutable.diff(m, changed)))
	mutable.update(m, changed)

	_, err := objects(t, "secrets", "v1").Namespace(ns).Patch(t.Context(), "s", types.MergePatchType,
		[]byte(`{"stringData":{"password":"changed by hand"}}`), metav1.PatchOptions{})
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"stringData.password": "UPDATE"}, paths(mutable.refresh(m)))
	for what, s := range map[string]*structpb.Struct{"inputs": m.inputs, "state": m.state} {
		assert.NotContains(t, visible(t, s), "changed by hand", what)
	}

	changed["metadata"].(doc)["annotations"] = doc{annotationForce: "true"}
	mutable.update(m, changed)
	mutable.update(m, secret(doc{"other": hidden}))
	assert.NotContains(t, get(t, "secrets", "v1", ns, "s").Object["data"].(doc), "password",
		"a key that the program drops goes away")
}

func TestSecretInputsAreSecretOutputs(t *testing.T) {
	t.Parallel()
	e := reachable(t)
	ns := e.namespaceFor("taint")
	inputs := resource.PropertyMap{
		"apiVersion": resource.NewProperty("v1"), "kind": resource.NewProperty("ConfigMap"),
		"metadata": resource.NewProperty(resource.PropertyMap{
			"namespace": resource.NewProperty(ns), "name": resource.NewProperty("c"),
		}),
		"data": resource.NewProperty(resource.PropertyMap{
			"open": resource.NewProperty("seen"), "closed": resource.MakeSecret(resource.NewProperty(hidden)),
		}),
	}
	news, err := encode(inputs)
	require.NoError(t, err)
	urn := urnOf(doc{"apiVersion": "v1", "kind": "ConfigMap"}, "c")
	checked, err := e.client.Check(t.Context(), &pulumirpc.CheckRequest{Urn: urn, News: news})
	require.NoError(t, err)
	created, err := e.client.Create(t.Context(), &pulumirpc.CreateRequest{Urn: urn, Properties: checked.GetInputs()})
	require.NoError(t, err)
	assert.NotContains(t, visible(t, created.GetProperties()), hidden)
	assert.Contains(t, visible(t, created.GetProperties()), "seen", "what is no secret stays readable")
	assert.Equal(t, doc{"open": "seen", "closed": hidden}, get(t, "configmaps", "v1", ns, "c").Object["data"])
}

func TestOwnersOfFieldsTellNoSecrets(t *testing.T) {
	t.Parallel()
	e := reachable(t)
	ns := e.namespaceFor("owners")
	account := func(name any) doc {
		return doc{
			"apiVersion": "v1", "kind": "ServiceAccount", "metadata": doc{"namespace": ns, "name": "a"},
			"secrets": []any{doc{"name": name}},
		}
	}
	m := e.create("a", account(resource.MakeSecret(resource.NewProperty(hidden))))
	require.Contains(t, string(get(t, "serviceaccounts", "v1", ns, "a").GetManagedFields()[0].FieldsV1.GetRawBytes()), hidden,
		"the API server names the element of the list by its content")
	assert.NotContains(t, visible(t, m.state), hidden)
	assert.Empty(t, paths(e.refresh(m)))
	assert.NotContains(t, visible(t, m.state), hidden)
}

func TestMessagesTellNoSecrets(t *testing.T) {
	t.Parallel()
	e := reachable(t, "enableConfigMapMutable", "true")
	ns := e.namespaceFor("messages")
	// The API server quotes the label that it refuses.
	labelled := doc{
		"apiVersion": "v1", "kind": "ConfigMap", "metadata": doc{"namespace": ns, "name": "c", "labels": doc{
			"secret": resource.MakeSecret(resource.NewProperty(hidden + "!")), "open": "seen!",
		}},
	}
	urn := urnOf(labelled, "c")
	for _, preview := range []bool{true, false} {
		_, err := e.client.Create(t.Context(), &pulumirpc.CreateRequest{
			Urn: urn, Properties: e.check(urn, nil, labelled), Preview: preview,
		})
		require.ErrorContains(t, err, `"[secret]"`)
		assert.ErrorContains(t, err, "seen!", "the rest of the message is as the API server has it")
		assert.NotContains(t, err.Error(), hidden)
	}
	m := e.create("c", doc{"apiVersion": "v1", "kind": "ConfigMap", "metadata": doc{"namespace": ns, "name": "c"}})
	_, err := e.tryUpdate(m, labelled, false)
	require.ErrorContains(t, err, `"[secret]"`)
	assert.NotContains(t, err.Error(), hidden)

	// A program that waits for a Secret's content is told what is there when the time is up, which goes into the state.
	waiting := doc{
		"apiVersion": "v1", "kind": "Secret", "stringData": doc{"password": hidden},
		"metadata": doc{"namespace": ns, "name": "s", "annotations": doc{
			annotationWaitFor: "jsonpath={.data.password}=other", annotationTimeout: "1",
		}},
	}
	m, err = e.tryCreate("s", waiting)
	detail := initError(err)
	require.NotNil(t, detail, "%v", err)
	assert.Contains(t, detail.GetReasons()[0], "it is [secret]")
	assert.Equal(t, detail.GetReasons()[0], initMessage(err))
	e.drop(m)
}

func TestUnknownsArePreviewedAsUnknown(t *testing.T) {
	t.Parallel()
	e := reachable(t)
	news, err := plugin.MarshalProperties(resource.PropertyMap{
		"apiVersion": resource.NewProperty("v1"), "kind": resource.NewProperty("ConfigMap"),
		"data": resource.NewProperty(resource.PropertyMap{
			"later":  resource.MakeComputed(resource.NewProperty("")),
			"secret": resource.MakeSecret(resource.MakeComputed(resource.NewProperty(""))),
		}),
	}, plugin.MarshalOptions{KeepUnknowns: true, KeepSecrets: true})
	require.NoError(t, err)
	urn := urnOf(doc{"apiVersion": "v1", "kind": "ConfigMap"}, "c")
	checked, err := e.client.Check(t.Context(), &pulumirpc.CheckRequest{Urn: urn, News: news})
	require.NoError(t, err)
	planned, err := e.client.Create(t.Context(), &pulumirpc.CreateRequest{
		Urn: urn, Properties: checked.GetInputs(), Preview: true,
	})
	require.NoError(t, err)
	state, err := decode(planned.GetProperties())
	require.NoError(t, err)
	data := state["data"].ObjectValue()
	assert.True(t, data["later"].IsComputed())
	assert.True(t, data["secret"].IsSecret() && data["secret"].SecretValue().Element.IsComputed())
	assert.Equal(t, "default", state["metadata"].ObjectValue()["namespace"].StringValue())
}
