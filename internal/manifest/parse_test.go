package manifest_test

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/telekom/controlplane-infrastructure/internal/manifest"
)

func TestParseYAML(t *testing.T) {
	set := parse(t, `# a comment alone
---
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: in-a-list}}
- {apiVersion: v1, kind: Namespace, metadata: {name: in-a-list}}
---
{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "json", "creationTimestamp": null, "labels": null},
 "spec": {"ports": [{"port": 80, "nodePort": null}]}, "status": {"loadBalancer": {}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: text}
data:
  script: |
    first
    --- not a separator
`)
	require.Equal(t, []string{"Namespace in-a-list", "ConfigMap in-a-list", "ConfigMap text", "Service json"}, sorted(set))
	require.Equal(t, map[string]any{
		"apiVersion": "v1", "kind": "Service", "metadata": map[string]any{"name": "json"},
		"spec": map[string]any{"ports": []any{map[string]any{"port": int64(80)}}},
	}, set.Find("Service", "json").Object, "what the API server owns, and keys without value, are gone")
	require.Equal(t, "first\n--- not a separator\n", set.Find("ConfigMap", "text").Object["data"].(map[string]any)["script"])
}

func TestParseErrorsNameTheDocument(t *testing.T) {
	for data, want := range map[string]string{
		"a: 1\n---\nb: [\n":                 "test.yaml: document 1: not a Kubernetes object: apiVersion or kind is missing",
		"# comment\n---\n- a\n- b\n":        "test.yaml: document 2: not a Kubernetes object: must be a map",
		"apiVersion: v1\nkind: ConfigMap\n": "test.yaml: document 1: ConfigMap without metadata.name",
		"apiVersion: v1\nkind: Job\nmetadata: {name: x, annotations: {helm.sh/hook: post-install, helm.sh/hook-weight: heavy}}": `annotation helm.sh/hook-weight: "heavy" is not a number`,
	} {
		_, err := manifest.ParseYAML("test.yaml", []byte(data))
		require.ErrorContains(t, err, want)
	}
}

func TestParseTreeReadsManifestsOnly(t *testing.T) {
	set, err := manifest.ParseTree(fstest.MapFS{
		"b.yml":       {Data: []byte("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n")},
		"sub/a.json":  {Data: []byte(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}`)},
		"README.md":   {Data: []byte("# not YAML: at all: {")},
		"sub/code.go": {Data: []byte("package sub")},
	})
	require.NoError(t, err)
	require.Equal(t, []string{"ConfigMap b", "ConfigMap a"}, sorted(set))

	_, err = manifest.ParseTree(fstest.MapFS{"README.md": {}})
	require.ErrorContains(t, err, "no object in any")
}

func TestTypedObjectsAreClean(t *testing.T) {
	set := typed(t,
		&appsv1.Deployment{
			ObjectMeta: metav1.ObjectMeta{Name: "demo", Namespace: "demo"},
			Spec: appsv1.DeploymentSpec{
				Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"a": "b"}},
				Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{
					Containers: []corev1.Container{{Name: "a", Image: "nginx"}},
					Volumes:    []corev1.Volume{{Name: "tmp", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}},
				}},
			},
		},
		&networkingv1.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Name: "deny", Namespace: "demo"}},
		&unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "monitoring.coreos.com/v1", "kind": "ServiceMonitor", "metadata": map[string]any{"name": "demo", "namespace": "demo"},
			"spec": map[string]any{"sampleLimit": 5, "podTargetLabels": []string{"app"}},
		}},
	)
	require.Equal(t, []string{"NetworkPolicy demo/deny", "Deployment demo/demo", "ServiceMonitor demo/demo"}, sorted(set))
	require.Equal(t, map[string]any{
		"apiVersion": "apps/v1", "kind": "Deployment",
		"metadata": map[string]any{"name": "demo", "namespace": "demo"},
		"spec": map[string]any{
			"selector": map[string]any{"matchLabels": map[string]any{"a": "b"}},
			"template": map[string]any{"metadata": map[string]any{}, "spec": map[string]any{
				"containers": []any{map[string]any{"name": "a", "image": "nginx"}},
				"volumes":    []any{map[string]any{"name": "tmp", "emptyDir": map[string]any{}}},
			}},
		},
	}, set.Find("Deployment", "demo").Object)
	require.Equal(t, map[string]any{"sampleLimit": int64(5), "podTargetLabels": []any{"app"}}, set.Find("ServiceMonitor", "demo").Object["spec"])
	require.Contains(t, set.Find("NetworkPolicy", "deny").Object["spec"], "podSelector", "an empty selector means all pods")

	_, err := manifest.Typed(&metav1.Status{})
	require.Error(t, err)
	_, err = manifest.Typed(&corev1.ConfigMap{})
	require.ErrorContains(t, err, "ConfigMap without metadata.name")
}

func TestFind(t *testing.T) {
	set := render(t, certManager(t))
	require.NotNil(t, set.Find("Deployment", "cert-manager"))
	require.Nil(t, set.Find("Deployment", "cert-mangler"))
}

func TestDecodeLosesNothing(t *testing.T) {
	var deployment appsv1.Deployment
	require.NoError(t, render(t, certManager(t)).Find("Deployment", "cert-manager").Decode(&deployment))
	require.Equal(t, "cert-manager-controller", deployment.Spec.Template.Spec.Containers[0].Name)

	set := parse(t, "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: demo}\nspec: {replikas: 2}\n")
	require.ErrorContains(t, set.Objects[0].Decode(&deployment), `unknown field "spec.replikas"`)
}
