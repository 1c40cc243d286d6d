package kubernetes

import (
	"encoding/base64"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

func TestDriftInLists(t *testing.T) {
	t.Parallel()
	e := reachable(t)
	ns := e.namespaceFor("lists")
	subject := func(name string) doc {
		return doc{"kind": "ServiceAccount", "namespace": ns, "name": name}
	}
	role := e.create("binding", doc{
		"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
		"metadata": doc{"namespace": ns, "name": "it"}, "subjects": []any{subject("a")},
		"roleRef": doc{"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
	})
	policy := e.create("policy", doc{
		"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": doc{"namespace": ns, "name": "it"},
		"spec": doc{
			"podSelector": doc{}, "policyTypes": []any{"Ingress"},
			"ingress": []any{doc{"from": []any{doc{"namespaceSelector": doc{}}}, "ports": []any{doc{"port": 80}}}},
		},
	})
	web := e.create("web", deployment(ns, "web", 1, "example.org/web:1"))
	patch := func(resource, version, name string, kind types.PatchType, body string) {
		t.Helper()
		_, err := objects(t, resource, version).Namespace(ns).Patch(t.Context(), name, kind, []byte(body), metav1.PatchOptions{})
		require.NoError(t, err)
	}
	for _, m := range []*managed{role, policy, web} {
		assert.Empty(t, paths(e.refresh(m)), m.urn)
	}
	t.Run("somebody gets a permission", func(t *testing.T) {
		patch("rolebindings", "rbac.authorization.k8s.io/v1", "it", types.JSONPatchType,
			`[{"op":"add","path":"/subjects/-","value":{"kind":"ServiceAccount","namespace":"default","name":"intruder"}}]`)
		assert.Equal(t, map[string]string{"subjects[1]": "DELETE"}, paths(e.refresh(role)))
	})
	t.Run("a policy is widened", func(t *testing.T) {
		patch("networkpolicies", "networking.k8s.io/v1", "it", types.JSONPatchType,
			`[{"op":"remove","path":"/spec/ingress/0/from"}]`)
		assert.Equal(t, map[string]string{"spec.ingress[0].from": "ADD"}, paths(e.refresh(policy)))
	})
	t.Run("a port is added inside a list with one owner", func(t *testing.T) {
		patch("networkpolicies", "networking.k8s.io/v1", "it", types.JSONPatchType,
			`[{"op":"add","path":"/spec/ingress/0/ports/-","value":{"port":443,"protocol":"TCP"}}]`)
		assert.Contains(t, paths(e.refresh(policy)), "spec.ingress[0].ports[1]")
	})
	t.Run("a sidecar is injected", func(t *testing.T) {
		patch("deployments", "apps/v1", "web", types.StrategicMergePatchType,
			`{"spec":{"template":{"spec":{"containers":[{"name":"sidecar","image":"example.org/proxy:1"}]}}}}`)
		containers, _, _ := unstructured.NestedSlice(get(t, "deployments", "apps/v1", ns, "web").Object, "spec", "template", "spec", "containers")
		require.Len(t, containers, 2)
		assert.Empty(t, paths(e.refresh(web)), "a container of another owner is not ours to remove")
	})
	t.Run("our container is changed", func(t *testing.T) {
		patch("deployments", "apps/v1", "web", types.StrategicMergePatchType,
			`{"spec":{"template":{"spec":{"containers":[{"name":"main","image":"example.org/web:evil"}]}}}}`)
		assert.Equal(t, map[string]string{"spec.template.spec.containers[0].image": "UPDATE"}, paths(e.refresh(web)))
	})
}

func TestRefreshWithoutDriftLeavesInputsAsTheyAre(t *testing.T) {
	t.Parallel()
	e := reachable(t)
	ns := e.namespaceFor("untouched")
	set := deployment(ns, "db", 0, "example.org/db:1")
	set["kind"] = "StatefulSet"
	spec := set["spec"].(doc)
	spec["serviceName"] = "db"
	// The API server shows the claim's metadata with a creation time of null.
	spec["volumeClaimTemplates"] = []any{doc{"metadata": doc{"name": "data"}, "spec": doc{
		"accessModes": []any{"ReadWriteOnce"}, "resources": doc{"requests": doc{"storage": "1024Mi"}},
	}}}
	container := spec["template"].(doc)["spec"].(doc)["containers"].([]any)[0].(doc)
	container["env"] = []any{
		doc{"name": "OPEN", "value": "seen"},
		doc{"name": "PASSWORD", "value": resource.MakeSecret(resource.NewProperty(hidden))},
	}
	m := e.create("db", set)
	inputs := m.inputs
	assert.Empty(t, paths(e.refresh(m)))
	assert.Equal(t, visible(t, inputs), visible(t, m.inputs), "what was secret, and nothing else, is")
}

// webhook has a server that nobody runs.
func webhook(name, failurePolicy, caBundle string) doc {
	config := doc{"url": "https://127.0.0.1:1/validate"}
	if caBundle != "" {
		config["caBundle"] = caBundle
	}
	return doc{
		"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
		"metadata": doc{"name": name},
		"webhooks": []any{doc{
			"name": name + ".example.org", "clientConfig": config, "failurePolicy": failurePolicy,
			"sideEffects": "None", "admissionReviewVersions": []any{"v1"}, "timeoutSeconds": 2,
			"rules": []any{doc{
				"apiGroups": []any{""}, "apiVersions": []any{"v1"}, "operations": []any{"CREATE"},
				"resources": []any{"configmaps"},
			}},
			"objectSelector": doc{"matchLabels": doc{"guarded": name}},
		}},
	}
}

func TestInjectedFieldsAreLeftAlone(t *testing.T) {
	t.Parallel()
	e := reachable(t)
	m := e.create("hook", webhook("injected", "Ignore", ""))
	bundle := base64.StdEncoding.EncodeToString(real.REST().CAData)
	inject := func() {
		t.Helper()
		_, err := objects(t, "validatingwebhookconfigurations", "admissionregistration.k8s.io/v1").Patch(t.Context(),
			"injected", types.JSONPatchType,
			[]byte(`[{"op":"add","path":"/webhooks/0/clientConfig/caBundle","value":"`+bundle+`"}]`), metav1.PatchOptions{FieldManager: "cainjector"})
		require.NoError(t, err)
	}
	live := func() string {
		hooks, _, _ := unstructured.NestedSlice(get(t, "validatingwebhookconfigurations", "admissionregistration.k8s.io/v1", "", "injected").Object, "webhooks")
		value, _ := hooks[0].(doc)["clientConfig"].(doc)["caBundle"].(string)
		return value
	}
	t.Run("what a controller adds is no drift, and an update leaves it", func(t *testing.T) {
		inject()
		assert.Empty(t, paths(e.refresh(m)))
		e.update(m, webhook("injected", "Fail", ""))
		assert.Equal(t, bundle, live())
	})
}

func TestPreviewSurvivesAWebhookThatIsNotUpYet(t *testing.T) {
	t.Parallel()
	e := reachable(t)
	ns := e.namespaceFor("webhooks")
	e.create("hook", webhook("absent", "Fail", ""))
	object := doc{"apiVersion": "v1", "kind": "ConfigMap", "metadata": doc{
		"namespace": ns, "name": "guarded", "labels": doc{"guarded": "absent"},
	}}
	urn := urnOf(object, "guarded")
	require.Eventually(t, func() bool {
		_, err := e.client.Create(t.Context(), &pulumirpc.CreateRequest{Urn: urn, Properties: wire(t, object)})
		if err == nil {
			_ = objects(t, "configmaps", "v1").Namespace(ns).Delete(t.Context(), "guarded", metav1.DeleteOptions{})
		}
		return err != nil
	}, 20*time.Second, 100*time.Millisecond, "in the real run, the webhook's absence is an error")
	_, err := e.client.Create(t.Context(), &pulumirpc.CreateRequest{Urn: urn, Properties: wire(t, object), Preview: true})
	require.NoError(t, err)
}

func TestIgnoredPathsAreNotDecided(t *testing.T) {
	t.Parallel()
	e := reachable(t)
	ns := e.namespaceFor("ignored")
	m := e.create("web", deployment(ns, "web", 1, "example.org/web:1"))
	_, err := objects(t, "deployments", "apps/v1").Namespace(ns).Patch(t.Context(), "web", types.MergePatchType,
		[]byte(`{"spec":{"replicas":2}}`), metav1.PatchOptions{FieldManager: "autoscaler"})
	require.NoError(t, err)
	// The engine passes the old value of an ignored path as the new one.
	e.update(m, deployment(ns, "web", 1, "example.org/web:2"), "spec.replicas")
	live := get(t, "deployments", "apps/v1", ns, "web")
	assert.EqualValues(t, 2, live.Object["spec"].(doc)["replicas"], "the autoscaler's decision stands")
}
