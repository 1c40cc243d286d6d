package manifest_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/telekom/controlplane-infrastructure/internal/artifact/artifacttest"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
)

func TestCertManagerRendersCompletely(t *testing.T) {
	set := render(t, certManager(t))

	require.Len(t, set.CRDs, 6)
	require.Len(t, set.Objects, 40)
	require.Len(t, set.Hooks, 4)

	job := set.Hooks[3]
	require.Equal(t, "Job cert-manager/cert-manager-startupapicheck", job.String(), "the API check comes after its permissions")
	require.Equal(t, &manifest.Hook{Weight: 1}, job.Hook)
	for _, hook := range set.Hooks {
		require.NotContains(t, hook.GetAnnotations(), "helm.sh/hook")
		require.NotContains(t, hook.GetAnnotations(), "helm.sh/hook-delete-policy")
	}

	controller := set.Find("Deployment", "cert-manager")
	require.Contains(t, images(t, controller), "quay.io/jetstack/cert-manager-controller:v1.21.2", "the tag is the module's version")
	require.Equal(t, "v1.21.2", controller.GetLabels()["app.kubernetes.io/version"])

	for _, kind := range []string{"MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"} {
		webhooks := set.Find(kind, "cert-manager-webhook").Object["webhooks"].([]any)
		require.NotContains(t, webhooks[0].(map[string]any)["clientConfig"], "caBundle")
	}
}

func TestTrustManagerRendersCompletely(t *testing.T) {
	set := render(t, trustManager(t))

	require.Len(t, set.All(), 15)
	require.Equal(t, "bundles.trust.cert-manager.io", set.CRDs[0].GetName())
	deployment := set.Find("Deployment", "trust-manager")
	require.Contains(t, images(t, deployment), "quay.io/jetstack/trust-manager:v0.25.0")
	require.Contains(t, images(t, deployment), "quay.io/jetstack/trust-pkg-debian-trixie:20250419.0")
	require.Contains(t, container(t, deployment)["args"], "--trust-namespace=controlplane-system")
}

func TestPrometheusOperatorCRDs(t *testing.T) {
	set, err := manifest.ParseTree(artifacttest.Fetch(t, artifacttest.PrometheusOperator, artifacttest.PrometheusCRDs))
	require.NoError(t, err)
	require.Len(t, set.CRDs, 10)
	require.Empty(t, set.Objects)
	require.NotNil(t, set.Find("CustomResourceDefinition", "servicemonitors.monitoring.coreos.com"))
}

func TestRenderingTwiceGivesTheSameObjects(t *testing.T) {
	for name, c := range map[string]manifest.Chart{"cert-manager": certManager(t), "trust-manager": trustManager(t)} {
		require.Equal(t, render(t, c), render(t, c), name)
	}
}

func TestTemplatesThatGenerateValuesAreRejected(t *testing.T) {
	const secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: demo}\nstringData:\n  value: "
	for name, expression := range map[string]string{
		"password":    `{{ default (randAlphaNum 16) .Values.password }}`,
		"certificate": `{{ (genCA "demo" 365).Cert | b64enc }}`,
		"date":        `{{ now | date "2006" | quote }}`,
		"UUID":        `{{ uuidv4 }}`,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := chart(map[string]string{
				"templates/good.yaml":   "# nothing",
				"templates/secret.yaml": secret + expression,
			}).Render()
			require.ErrorContains(t, err, "template demo/templates/secret.yaml renders differently each time")
		})
	}
	t.Run("unless the value is supplied", func(t *testing.T) {
		c := chart(map[string]string{"templates/secret.yaml": secret + "{{ default (randAlphaNum 16) .Values.password }}"})
		c.Values = map[string]any{"password": "given"}
		require.Equal(t, map[string]any{"value": "given"}, render(t, c).Objects[0].Object["stringData"])
	})
}

func TestUnknownValuesAreErrors(t *testing.T) {
	for name, tc := range map[string]struct {
		values map[string]any
		want   []string
	}{
		"a typo at the top":       {map[string]any{"replicaCuont": 2}, []string{`the chart has no value "replicaCuont"; did you mean "replicaCount"?`}},
		"two at once":             {map[string]any{"replicaCuont": 2, "webhoook": 1}, []string{`did you mean "replicaCount"?`, `did you mean "webhook"?`}},
		"nothing like it":         {map[string]any{"completelyElse": 2}, []string{"it has", "replicaCount"}},
		"a typo further down":     {map[string]any{"webhook": map[string]any{"replicaCuont": 2}}, []string{"replicaCuont"}},
		"a value of another type": {map[string]any{"replicaCount": "two"}, []string{"replicaCount", "number"}},
	} {
		t.Run(name, func(t *testing.T) {
			c := certManager(t)
			c.Values = tc.values
			_, err := c.Render()
			require.ErrorContains(t, err, "chart cert-manager")
			for _, want := range tc.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
}

// Istio's charts keep their defaults one level down.
func TestLayeredDefaults(t *testing.T) {
	c := chart(map[string]string{
		"values.yaml":       "_internal_defaults_do_not_set: {replicaCount: 1, global: {hub: example.com}}\n",
		"templates/cm.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: demo}\ndata: {replicas: {{ .Values.replicaCount | quote }}}\n",
	})
	c.Values = map[string]any{"profile": "ambient", "platform": "k3s", "global": map[string]any{"tag": "1"}, "replicaCount": 2}
	require.Equal(t, map[string]any{"replicas": "2"}, render(t, c).Objects[0].Object["data"])

	c.Values = map[string]any{"replicaCuont": 2, "_internal_defaults_do_not_set": map[string]any{"replicaCount": 2}}
	_, err := c.Render()
	require.ErrorContains(t, err, `the chart has no value "replicaCuont"; did you mean "replicaCount"?`)
	require.ErrorContains(t, err, `the chart has no value "_internal_defaults_do_not_set"`)
}

func TestTemplatesSeeTheClusterThatIsAskedFor(t *testing.T) {
	c := chart(map[string]string{
		"values.yaml": "size: 1\n",
		"templates/cm.yaml": `apiVersion: v1
kind: ConfigMap
metadata: {name: "{{ .Release.Name }}"}
data:
  version: {{ .Capabilities.KubeVersion.Version | quote }}
  minor: {{ .Capabilities.KubeVersion.Minor | quote }}
  budgets: {{ .Capabilities.APIVersions.Has "policy/v1/PodDisruptionBudget" | quote }}
  podSecurityPolicy: {{ .Capabilities.APIVersions.Has "policy/v1beta1" | quote }}
  monitors: {{ .Capabilities.APIVersions.Has "monitoring.coreos.com/v1" | quote }}
  existing: {{ lookup "v1" "Secret" "demo" "demo" | len | quote }}
  size: {{ .Values.size | quote }}
  chart: {{ .Chart.Version }}
`,
		"templates/NOTES.txt": "Thank you for installing {{ .Chart.Name }}.",
	})
	data := func(c manifest.Chart) any { return render(t, c).Objects[0].Object["data"] }
	require.Equal(t, map[string]any{
		"version": "v1.31.0", "minor": "31", "budgets": "true", "podSecurityPolicy": "false",
		"monitors": "false", "existing": "0", "size": "1", "chart": "0.0.0",
	}, data(c))

	c.KubeVersion, c.APIVersions, c.Version = "1.35.2", []string{"monitoring.coreos.com/v1"}, "3.0.0"
	c.Values = map[string]any{"size": 5}
	require.Equal(t, map[string]any{
		"version": "v1.35.2", "minor": "35", "budgets": "true", "podSecurityPolicy": "false",
		"monitors": "true", "existing": "0", "size": "5", "chart": "3.0.0",
	}, data(c))
}

func TestChartThatNeedsANewerCluster(t *testing.T) {
	c := chart(map[string]string{"Chart.yaml": "apiVersion: v2\nname: demo\nversion: 0.0.0\nkubeVersion: '>= 1.32.0-0'\n"})
	_, err := c.Render()
	require.EqualError(t, err, "chart demo: needs Kubernetes >= 1.32.0-0, not v1.31.0")
	c.KubeVersion = "v1.35.0-eks-1"
	_, err = c.Render()
	require.NoError(t, err)
}

func TestCRDDirectoryHooksAndNamespaces(t *testing.T) {
	const cm = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: "
	set := render(t, chart(map[string]string{
		"crds/widget.yaml": `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: clusters.example.com}
spec: {group: example.com, scope: Namespaced, names: {kind: Cluster, plural: clusters}}
`,
		"templates/a.yaml":      "apiVersion: example.com/v1\nkind: Cluster\nmetadata: {name: mine}\n",
		"templates/b.yaml":      "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: reader}\n",
		"templates/c.yaml":      cm + "elsewhere\n  namespace: kube-system\n",
		"templates/pre.yaml":    cm + "before\n  annotations: {helm.sh/hook: 'pre-install,pre-upgrade', keep: this}\n",
		"templates/post.yaml":   cm + "after\n  annotations: {helm.sh/hook: post-install, helm.sh/hook-weight: '-3'}\n",
		"templates/test.yaml":   cm + "test\n  annotations: {helm.sh/hook: test}\n",
		"templates/delete.yaml": cm + "delete\n  annotations: {helm.sh/hook: 'pre-delete,post-rollback'}\n",
		"templates/job.yaml": `apiVersion: batch/v1
kind: Job
metadata: {name: after, annotations: {helm.sh/hook: post-install}}
spec: {ttlSecondsAfterFinished: 60, template: {spec: {containers: []}}}
`,
	}))
	require.Equal(t, []string{
		"CustomResourceDefinition clusters.example.com",
		"ClusterRole reader",
		"ConfigMap kube-system/elsewhere",
		"Cluster demo/mine",
		"ConfigMap demo/before",
		"ConfigMap demo/after",
		"Job demo/after",
	}, sorted(set))
	require.Equal(t, map[string]string{"keep": "this"}, set.Find("ConfigMap", "before").GetAnnotations())
	require.True(t, set.Find("ConfigMap", "before").Hook.BeforeInstall)
	require.Equal(t, -3, set.Find("ConfigMap", "after").Hook.Weight)
	require.NotContains(t, set.Find("Job", "after").Object["spec"], "ttlSecondsAfterFinished", "a Job that vanishes would look like drift")
}

func TestSubchartsFollowTheirConditions(t *testing.T) {
	c := chart(map[string]string{
		"Chart.yaml":                    "apiVersion: v2\nname: demo\nversion: 0.0.0\ndependencies: [{name: extra, version: '*', condition: extra.enabled}]\n",
		"values.yaml":                   "size: 1\n",
		"charts/extra/Chart.yaml":       "apiVersion: v2\nname: extra\nversion: 0.0.0\n",
		"charts/extra/values.yaml":      "colour: red\n",
		"charts/extra/templates/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: extra}\ndata: {colour: '{{ .Values.colour }}'}\n",
	})
	c.Values = map[string]any{"extra": map[string]any{"enabled": true, "colour": "blue"}}
	require.Equal(t, map[string]any{"colour": "blue"}, render(t, c).Find("ConfigMap", "extra").Object["data"])
	c.Values = map[string]any{"extra": map[string]any{"enabled": false}}
	require.Empty(t, render(t, c).All())
}

func TestIgnoredFilesAreNotRendered(t *testing.T) {
	set := render(t, chart(map[string]string{
		".helmignore":           "*.orig.yaml\nold/\n",
		"templates/a.yaml":      "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
		"templates/a.orig.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n",
		"templates/old/c.yaml":  "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n",
	}))
	require.Equal(t, []string{"ConfigMap demo/a"}, sorted(set))
}

func TestErrorsNameTheTemplate(t *testing.T) {
	for content, want := range map[string]string{
		"{{ .Values.a.b.c }}": "templates/bad.yaml",
		"kind: ConfigMap\n":   "demo/templates/bad.yaml: document 1: not a Kubernetes object: apiVersion or kind is missing",
		"apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: x}\n": "ConfigMap without metadata.name",
		"a: {": "demo/templates/bad.yaml: document 1",
	} {
		_, err := chart(map[string]string{"templates/bad.yaml": content}).Render()
		require.ErrorContains(t, err, want)
	}
}

// sorted lists the objects in the set's order.
func sorted(set manifest.Set) (names []string) {
	for _, o := range set.All() {
		names = append(names, o.String())
	}
	return names
}

func container(t *testing.T, o *manifest.Object) map[string]any {
	t.Helper()
	containers, found, err := unstructured.NestedSlice(o.Object, append(manifest.PodPath(o), "spec", "containers")...)
	require.NoError(t, err)
	require.True(t, found)
	return containers[0].(map[string]any)
}

// images returns everything that looks like an image in an object.
func images(t *testing.T, o *manifest.Object) (found []string) {
	t.Helper()
	var walk func(node any)
	walk = func(node any) {
		switch node := node.(type) {
		case map[string]any:
			if image, ok := node["image"].(string); ok {
				found = append(found, image)
			}
			for _, value := range node {
				walk(value)
			}
		case []any:
			for _, value := range node {
				walk(value)
			}
		}
	}
	walk(o.Object)
	return found
}
