package integration

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/telekom/controlplane-infrastructure/automation"
)

var (
	networkPolicies = schema.GroupVersionResource{Group: "networking.k8s.io", Version: "v1", Resource: "networkpolicies"}
	clusterSecrets  = schema.GroupVersionResource{Version: "v1", Resource: "secrets"}
)

// driftIsRepaired changes objects behind the back of a small stack that is up, while its configuration waits for the next
// up: drift tells the former, and repairs nothing else.
func driftIsRepaired(t *testing.T, e *env) {
	assert.Empty(t, e.drift(automation.DriftOptions{}).Objects, "right after an up")

	patch := func(gvr schema.GroupVersionResource, namespace, name, body string) {
		t.Helper()
		_, err := e.Dynamic.Resource(gvr).Namespace(namespace).Patch(t.Context(), name, types.MergePatchType, []byte(body), metav1.PatchOptions{})
		require.NoError(t, err)
	}
	policies, err := e.Dynamic.Resource(networkPolicies).Namespace("cert-manager").List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	require.NotEmpty(t, policies.Items)
	gone := policies.Items[0].GetName()
	require.NoError(t, e.Dynamic.Resource(networkPolicies).Namespace("cert-manager").Delete(t.Context(), gone, metav1.DeleteOptions{}))
	patch(deployments, "cert-manager", "cert-manager", `{"metadata":{"labels":{"team":"another"}},"spec":{"replicas":4}}`)
	secretName := e.randomSecret()
	patch(clusterSecrets, "valkey", secretName, `{"data":{"password":"c3RvbGVuLWFuZC1jaGFuZ2Vk"}}`)
	e.configure(small(map[string]any{"identity": map[string]any{"hostname": "moved.example.com"}}))

	report := e.drift(automation.DriftOptions{})
	found := map[string]automation.DriftedObject{}
	for _, object := range report.Objects {
		found[object.Name] = object
	}
	require.Len(t, report.Objects, 3)
	assert.Equal(t, []automation.DriftedField{{Path: "spec.replicas", Wanted: int64(1), Found: int64(4)}},
		found["cert-manager/cert-manager"].Fields, "a label of others' is no drift")
	assert.Equal(t, "cert-trust", found["cert-manager/cert-manager"].Component)
	assert.True(t, found["cert-manager/"+gone].Gone)
	require.NotEmpty(t, found["valkey/"+secretName].Fields)
	for _, field := range found["valkey/"+secretName].Fields {
		assert.Equal(t, []any{"[secret]", "[secret]"}, []any{field.Wanted, field.Found}, "%s is named, not shown", field.Path)
	}
	assert.Nil(t, report.Repair)
	assert.Len(t, e.drift(automation.DriftOptions{}).Objects, 3, "to look changes nothing, not even the state")

	repaired := e.drift(automation.DriftOptions{Repair: true})
	assert.Len(t, repaired.Objects, 3)
	assert.Equal(t, map[string]int{"create": 1, "update": 2}, changes(repaired.Repair))
	assert.Empty(t, e.drift(automation.DriftOptions{}).Objects)
	assert.True(t, e.preview().HasChanges(), "the changed configuration still waits for an up")
	requireNothingLost(t, e, "test")
	requireNoPlainSecrets(t, e, "test")
}

func (e *env) drift(d automation.DriftOptions) *automation.DriftReport {
	e.t.Helper()
	report, err := automation.Drift(e.Context(), e.options(), d)
	require.NoError(e.t, err)
	return report
}

// randomSecret is the name of a Secret of the cache that has a password in it.
func (e *env) randomSecret() string {
	e.t.Helper()
	all, err := e.Clients.CoreV1().Secrets("valkey").List(e.Context(), metav1.ListOptions{})
	require.NoError(e.t, err)
	for _, s := range all.Items {
		if len(s.Data["password"]) > 0 {
			return s.Name
		}
	}
	require.Fail(e.t, "no Secret in the namespace of the cache has a password")
	return ""
}
