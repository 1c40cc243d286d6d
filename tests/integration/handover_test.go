package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/yaml"

	"github.com/telekom/controlplane-infrastructure/automation"
	"github.com/telekom/controlplane-infrastructure/internal/handover"
	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

var definitions = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}

// TestHandover installs manifests in the shape of the Control Plane's own on a small platform, as the handover says, and
// then breaks one precondition after the other.
func TestHandover(t *testing.T) {
	parallel(t)
	e := newEnv(t, map[string]any{
		"storage": map[string]any{"objectStorage": map[string]any{"backend": "minio"}},
		"network": map[string]any{"ingress": map[string]any{"traefik": map[string]any{"service": map[string]any{"type": "NodePort"}}}},
	})
	e.up()
	monitoring(t, e)

	t.Run("every precondition holds that can be seen", func(t *testing.T) {
		checks, err := automation.CheckHandover(e.Context(), e.options())
		require.NoError(t, err)
		assert.Greater(t, len(checks), 20)
		for _, c := range checks {
			want := handover.OK
			if c.Name == "network-policies" {
				want = handover.Unknown // there is no network of pods
			}
			assert.Equal(t, want, c.Status, "%s: %s", c.Name, c.Detail)
		}
	})
	dir := filepath.Join(t.TempDir(), "handover")
	contract, err := automation.Handover(e.Context(), e.options(), automation.HandoverOptions{
		Dir: dir, Base: "../../internal/handover/testdata/controlplane/install/bundle",
	})
	require.NoError(t, err)
	t.Run("the API server takes the Control Plane, and runs it", func(t *testing.T) { install(t, e, dir) })
	t.Run("the zone is what the Control Plane understands", func(t *testing.T) {
		for _, name := range []string{"environment.yaml", "zone.yaml"} {
			data, err := os.ReadFile(filepath.Join(dir, "zone", name))
			require.NoError(t, err)
			for document := range strings.SplitSeq(string(data), "---\n") {
				o := &unstructured.Unstructured{}
				require.NoError(t, yaml.Unmarshal([]byte(document), &o.Object))
				apply(t, e, o)
			}
		}
	})
	t.Run("the stack finds nothing changed", func(t *testing.T) { e.requireNoChanges(e.up()) })
	t.Run("what breaks is found", func(t *testing.T) { breakDown(t, e, contract) })
}

// monitoring is what somebody else has installed, as the stack is told.
func monitoring(t *testing.T, e *env) {
	t.Helper()
	const name = "monitoring"
	e.Namespace(name, map[string]string{"metrics": "enabled"})
	_, err := e.Clients.RbacV1().ClusterRoles().Create(e.Context(), &rbacv1.ClusterRole{
		ObjectMeta: metav1.ObjectMeta{Name: "test-scraper"},
		Rules:      []rbacv1.PolicyRule{{NonResourceURLs: []string{"/metrics"}, Verbs: []string{"get"}}},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	_, err = e.Clients.RbacV1().ClusterRoleBindings().Create(e.Context(), &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "test-scraper"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "test-scraper"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: name, Name: "scraper"}},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	apply(t, e, &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "monitoring.coreos.com/v1", "kind": "Prometheus", "metadata": map[string]any{"namespace": name, "name": "test"},
		"spec": map[string]any{
			"serviceAccountName": "scraper", "serviceMonitorSelector": map[string]any{}, "serviceMonitorNamespaceSelector": map[string]any{},
		},
	}})
}

// apply does what kubectl apply --server-side does: what another has set is a conflict.
func apply(t *testing.T, e *env, o *unstructured.Unstructured) {
	t.Helper()
	require.EventuallyWithT(t, func(t *assert.CollectT) {
		// Anew each time: definitions that were applied before may take a moment.
		mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(e.Clients.Discovery()))
		kind := o.GroupVersionKind()
		mapping, err := mapper.RESTMapping(kind.GroupKind(), kind.Version)
		require.NoError(t, err)
		namespace := o.GetNamespace()
		if mapping.Scope.Name() == meta.RESTScopeNameRoot {
			namespace = "" // kustomize does not know which custom resources have none
		}
		_, err = e.Dynamic.Resource(mapping.Resource).Namespace(namespace).
			Apply(e.Context(), o.GetName(), o, metav1.ApplyOptions{FieldManager: "kubectl"})
		require.NoError(t, err, "%s %s", o.GetKind(), o.GetName())
	}, 20*time.Second, 200*time.Millisecond)
}

// install applies the overlay, in kubectl's order, and waits for the pods.
func install(t *testing.T, e *env, dir string) {
	objects, err := handover.Build(filepath.Join(dir, "overlay"))
	require.NoError(t, err)
	for _, r := range objects.Resources() {
		content, err := r.Map()
		require.NoError(t, err)
		o := &unstructured.Unstructured{}
		data, err := yaml.Marshal(content)
		require.NoError(t, err)
		require.NoError(t, yaml.Unmarshal(data, &o.Object))
		apply(t, e, o)
	}
	require.EventuallyWithT(t, func(t *assert.CollectT) {
		list, err := e.Clients.AppsV1().Deployments("controlplane-system").List(e.Context(), metav1.ListOptions{})
		require.NoError(t, err)
		assert.Len(t, list.Items, 14)
		for _, d := range list.Items {
			assert.Equal(t, *d.Spec.Replicas, d.Status.AvailableReplicas, d.Name)
		}
	}, verify.Patience, 500*time.Millisecond, "every Deployment has its pods")
	events, err := e.Clients.CoreV1().Events("controlplane-system").List(e.Context(), metav1.ListOptions{FieldSelector: "reason=FailedCreate"})
	require.NoError(t, err)
	assert.Empty(t, events.Items, "every pod is admitted")
}

// breakDown takes away what the Control Plane needs, piece by piece. What is broken stays so.
func breakDown(t *testing.T, e *env, contract *handover.Contract) {
	target, err := clientcmd.BuildConfigFromFlags("", e.cp.Kubeconfig)
	require.NoError(t, err)
	outputs, err := automation.Outputs(e.Context(), e.options())
	require.NoError(t, err)
	values := map[string]any{}
	for name, o := range outputs {
		values[name] = o.Value
	}
	const system = "controlplane-system"
	patch := func(err error) { require.NoError(t, err) }
	merge := func(text string) (types.PatchType, []byte, metav1.PatchOptions) {
		return types.MergePatchType, []byte(text), metav1.PatchOptions{}
	}
	core := e.Clients.CoreV1()
	for _, c := range []struct {
		check, detail string
		undo          func()
	}{
		{"namespace", "without cp.ei.telekom.de/file-manager=enabled", func() {
			kind, data, options := merge(`{"metadata":{"labels":{"cp.ei.telekom.de/file-manager":null}}}`)
			_, err := core.Namespaces().Patch(e.Context(), system, kind, data, options)
			patch(err)
		}},
		{"ingress-controller", "no class is the default", func() {
			kind, data, options := merge(`{"metadata":{"annotations":{"ingressclass.kubernetes.io/is-default-class":"false"}}}`)
			_, err := e.Clients.NetworkingV1().IngressClasses().Patch(e.Context(), contract.Cluster.IngressClass, kind, data, options)
			patch(err)
		}},
		{"control-plane-database", "no URL of a PostgreSQL database", func() {
			kind, data, options := merge(`{"stringData":{"url":"mysql://user:secret@db/controlplane"}}`)
			_, err := core.Secrets(system).Patch(e.Context(), contract.Database.Name, kind, data, options)
			patch(err)
		}},
		{"object-storage", "has no key secretKey", func() {
			kind, data, options := merge(`{"data":{"secretKey":null}}`)
			_, err := core.Secrets(system).Patch(e.Context(), contract.ObjectStorage.Credentials.Name, kind, data, options)
			patch(err)
		}},
		{"redis", "not found", func() {
			at := contract.Redis.Password
			patch(core.Secrets(at.Namespace).Delete(e.Context(), at.Name, metav1.DeleteOptions{}))
		}},
		{"prometheus-tokens", "monitoring/test reads none", func() {
			kind, data, options := merge(`{"spec":{"arbitraryFSAccessThroughSMs":{"deny":true}}}`)
			_, err := e.Dynamic.Resource(schema.GroupVersionResource{Group: "monitoring.coreos.com", Version: "v1", Resource: "prometheuses"}).
				Namespace("monitoring").Patch(e.Context(), "test", kind, data, options)
			patch(err)
		}},
		{"prometheus-access", "service account monitoring/scraper may not", func() {
			patch(e.Clients.RbacV1().ClusterRoleBindings().Delete(e.Context(), "test-scraper", metav1.DeleteOptions{}))
		}},
		{"control-plane-pki", "Issuer controlplane-bootstrap-issuer was made by Pulumi", func() {
			kind, data, options := merge(`{"metadata":{"labels":{"mine":"yes"}}}`)
			options.FieldManager = "pulumi-kubernetes-test"
			_, err := e.Dynamic.Resource(clusterIssuers.GroupVersion().WithResource("issuers")).Namespace(system).
				Patch(e.Context(), "controlplane-bootstrap-issuer", kind, data, options)
			patch(err)
		}},
		{"definitions", "bundles.trust.cert-manager.io belongs to another and ", func() {
			const name = "bundles.trust.cert-manager.io"
			theirs := e.Get(definitions, "", name)
			theirs.SetManagedFields(nil)
			theirs.SetResourceVersion("")
			unstructured.RemoveNestedField(theirs.Object, "status")
			_, err := e.Dynamic.Resource(definitions).Apply(e.Context(), name, theirs, metav1.ApplyOptions{FieldManager: "another", Force: true})
			patch(err)
		}},
		{"identity-provider", "has no pod that is ready", func() {
			kind, data, options := merge(`{"spec":{"replicas":0}}`)
			_, err := e.Clients.AppsV1().Deployments("identity").Patch(e.Context(), "iris", kind, data, options)
			patch(err)
		}},
		{"trust-manager", "has no pod that works", func() {
			kind, data, options := merge(`{"spec":{"replicas":0}}`)
			_, err := e.Clients.AppsV1().Deployments("cert-manager").Patch(e.Context(), "trust-manager", kind, data, options)
			patch(err)
		}},
	} {
		c.undo()
		require.EventuallyWithT(t, func(t *assert.CollectT) {
			checks, err := handover.Inspect(e.Context(), target, values)
			require.NoError(t, err)
			assert.False(t, handover.AllHold(checks))
			for _, found := range checks {
				if found.Name == c.check {
					assert.Equal(t, handover.Failed, found.Status)
					assert.Contains(t, found.Detail, c.detail)
					assert.NotContains(t, found.Detail, "secret@")
					assert.NotEmpty(t, found.Mend)
				}
			}
		}, verify.Patience, 300*time.Millisecond, c.check)
	}
	checks, err := automation.CheckHandover(e.Context(), e.options())
	require.NoError(t, err)
	assert.False(t, handover.AllHold(checks))
	_, err = core.Namespaces().Get(e.Context(), "handover-check--zone", metav1.GetOptions{})
	assert.Error(t, err, "looking changes nothing")
}
