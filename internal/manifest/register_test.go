package manifest_test

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/telekom/controlplane-infrastructure/internal/manifest"
)

func TestCertManagerGraph(t *testing.T) {
	set := manifest.Merge(render(t, certManager(t)), typed(t, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "cert-manager"}}))
	got := register(t, set, func(g *manifest.Group) {
		require.Len(t, g.Resources(), 51)
	})

	require.Len(t, got, 51)
	for key, r := range got {
		require.Contains(t, r.Parent, "::test:index:Component::parent", key)
		require.Contains(t, r.Provider, "pulumi:providers:kubernetes::cluster", key)
		require.True(t, strings.HasPrefix(r.Token, "kubernetes:"), key)
	}
	require.Equal(t, "kubernetes:core/v1:ServiceAccount", got["ServiceAccount cert-manager/cert-manager"].Token)
	require.Equal(t, "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole", got["ClusterRole cert-manager-view"].Token)

	require.Empty(t, got["Namespace cert-manager"].Dependencies)
	require.Equal(t, []string{"Namespace cert-manager"}, got["ServiceAccount cert-manager/cert-manager"].Dependencies)

	webhook := got["Deployment cert-manager/cert-manager-webhook"].Dependencies
	require.Contains(t, webhook, "Namespace cert-manager")
	require.Contains(t, webhook, "ServiceAccount cert-manager/cert-manager-webhook")
	require.Contains(t, webhook, "ClusterRoleBinding cert-manager-webhook:subjectaccessreviews")
	require.Contains(t, webhook, "RoleBinding kube-system/cert-manager:leaderelection")
	require.NotContains(t, webhook, "Service cert-manager/cert-manager-webhook", "the service waits for the pods")

	validating := got["ValidatingWebhookConfiguration cert-manager-webhook"]
	require.Contains(t, validating.Dependencies, "Deployment cert-manager/cert-manager-webhook", "the API server must not call a webhook that is not there")
	require.Contains(t, validating.Dependencies, "Service cert-manager/cert-manager-webhook")
	require.Equal(t, []string{"webhooks[*].clientConfig.caBundle"}, validating.Ignored)

	check := got["Job cert-manager/cert-manager-startupapicheck"].Dependencies
	require.Len(t, check, 50, "the API check waits for everything else")
	require.NotContains(t, got["ServiceAccount cert-manager/cert-manager-startupapicheck"].Dependencies, "Job cert-manager/cert-manager-startupapicheck")
}

func TestCustomResourcesWaitForTheirDefinition(t *testing.T) {
	got := register(t, render(t, chart(map[string]string{
		"crds/crds.yaml": `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec: {group: example.com, scope: Cluster, names: {kind: Widget, plural: widgets}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.example.com}
spec:
  group: example.com
  names: {kind: Gadget, plural: gadgets}
  conversion: {webhook: {clientConfig: {caBundle: Cg==, service: {name: x, namespace: y}}}}
`,
		"templates/widget.yaml": "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: mine}\n",
		"templates/pre.yaml":    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: before, annotations: {helm.sh/hook: pre-install}}\n",
	})), nil)

	require.ElementsMatch(t, []string{"CustomResourceDefinition widgets.example.com", "ConfigMap demo/before"}, got["Widget mine"].Dependencies)
	require.Empty(t, got["ConfigMap demo/before"].Dependencies)
	require.Equal(t, []string{"spec.conversion.webhook.clientConfig.caBundle"}, got["CustomResourceDefinition gadgets.example.com"].Ignored)
	require.Empty(t, got["CustomResourceDefinition widgets.example.com"].Ignored)
}

func TestHooksRunInTheOrderOfTheirWeights(t *testing.T) {
	hook := func(name, weight string) string {
		return "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + ", annotations: {helm.sh/hook: post-install, helm.sh/hook-weight: '" + weight + "'}}\n"
	}
	got := register(t, parse(t, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: object}\n"+hook("last", "10")+hook("first", "-5")+hook("middle", "0")), nil)

	require.Equal(t, []string{"ConfigMap object"}, got["ConfigMap first"].Dependencies)
	require.ElementsMatch(t, []string{"ConfigMap object", "ConfigMap first"}, got["ConfigMap middle"].Dependencies)
	require.ElementsMatch(t, []string{"ConfigMap object", "ConfigMap first", "ConfigMap middle"}, got["ConfigMap last"].Dependencies)
}

func TestHooksOfEqualWeightRunTogetherExceptForWhatTheirPodsNeed(t *testing.T) {
	const annotations = "annotations: {helm.sh/hook: post-install}}\n"
	got := register(t, parse(t, "apiVersion: batch/v1\nkind: Job\nmetadata: {name: a, "+annotations+
		"---\napiVersion: batch/v1\nkind: Job\nmetadata: {name: b, "+annotations+
		"---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: c, "+annotations), nil)

	require.Empty(t, got["ServiceAccount c"].Dependencies)
	require.Equal(t, []string{"ServiceAccount c"}, got["Job a"].Dependencies)
	require.Equal(t, []string{"ServiceAccount c"}, got["Job b"].Dependencies)
}

func TestCABundlesOfTheirOwnAreKept(t *testing.T) {
	set := parse(t, `apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: own}
webhooks: [{name: a, clientConfig: {caBundle: QUJD}}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: injected, annotations: {cert-manager.io/inject-ca-from: x/y}}
webhooks: [{name: a, clientConfig: {caBundle: QUJD}}]
---
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1.example.com, annotations: {cert-manager.io/inject-ca-from: x/y}}
spec: {group: example.com, version: v1, service: {name: a, namespace: b}}
`)
	got := register(t, set, nil)
	require.Empty(t, got["ValidatingWebhookConfiguration own"].Ignored)
	require.Contains(t, got["ValidatingWebhookConfiguration own"].Inputs["webhooks"].String(), "QUJD")
	require.Equal(t, []string{"webhooks[*].clientConfig.caBundle"}, got["ValidatingWebhookConfiguration injected"].Ignored)
	require.NotContains(t, got["ValidatingWebhookConfiguration injected"].Inputs["webhooks"].String(), "QUJD")

	waitFor := func(name string) string {
		return got["ValidatingWebhookConfiguration "+name].Inputs["metadata"].ObjectValue()["annotations"].String()
	}
	require.NotContains(t, waitFor("own"), "waitFor")
	require.Contains(t, waitFor("injected"), "jsonpath={.webhooks[0].clientConfig.caBundle}", "whoever calls it before would fail")

	api := got["APIService v1.example.com"]
	require.Equal(t, []string{"spec.caBundle"}, api.Ignored)
	require.Contains(t, api.Inputs["metadata"].ObjectValue()["annotations"].String(), "condition=Available")
}

func TestOptionsOfOneObject(t *testing.T) {
	set := parse(t, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n")
	set.Find("ConfigMap", "a").Options = []pulumi.ResourceOption{pulumi.IgnoreChanges([]string{"data"})}
	got := register(t, set, nil)
	require.Equal(t, []string{"data"}, got["ConfigMap a"].Ignored)
	require.Empty(t, got["ConfigMap b"].Ignored)
}

func TestSecretsStaySecret(t *testing.T) {
	set := typed(t, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "credentials", Namespace: "demo"},
		StringData: map[string]string{"user": "admin"},
	})
	set.Objects[0].Set(pulumi.ToSecret(pulumi.String("hunter2")).(pulumi.StringOutput), "stringData", "password")
	secret := register(t, set, nil)["Secret demo/credentials"]

	require.Equal(t, []string{"data", "stringData"}, secret.SecretOut)
	content := secret.Inputs["stringData"]
	for key, value := range content.ObjectValue() {
		require.True(t, value.IsSecret(), key)
	}
	require.Equal(t, resource.NewProperty(resource.PropertyMap{
		"user": resource.NewProperty("admin"), "password": resource.NewProperty("hunter2"),
	}), plain(content))
	require.False(t, secret.Inputs["metadata"].ContainsSecrets())
}

func TestValuesThatAreKnownAtRunTimeAppearAtTheirPath(t *testing.T) {
	set := parse(t, `apiVersion: v1
kind: Service
metadata: {name: demo}
spec: {ports: [{port: 80, name: http}]}
`)
	set.Objects[0].Set(pulumi.String("arn:aws:iam::1:role/x"), "metadata", "annotations", "eks.amazonaws.com/role-arn")
	set.Objects[0].Set(pulumi.Int(8443), "spec", "ports", "0", "targetPort")
	set.Objects[0].Set(pulumi.Map{"port": pulumi.Int(9000)}, "spec", "ports", "1")
	inputs := register(t, set, nil)["Service demo"].Inputs

	require.Equal(t, map[string]any{
		"apiVersion": "v1", "kind": "Service",
		"metadata": map[string]any{"name": "demo", "annotations": map[string]any{"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/x"}},
		"spec": map[string]any{"ports": []any{
			map[string]any{"port": 80.0, "name": "http", "targetPort": 8443.0},
			map[string]any{"port": 9000.0},
		}},
	}, inputs.Mappable())

	for pointer, want := range map[string]string{
		"/kind/of":            `"of" lies below a plain value`,
		"/spec/ports/5/port":  `"5" is not an index into a list of 1`,
		"/spec/ports/x":       `"x" is not an index into a list of 1`,
		"metadata.annotation": "is not a JSON pointer",
	} {
		bad := set.DeepCopy()
		bad.Objects[0].Inputs = map[string]pulumi.Input{pointer: pulumi.String("x")}
		_, err := tryRegister(bad, nil)
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, "Service demo")
	}
}

func TestRegisteringLeavesTheSetAsItIs(t *testing.T) {
	set := parse(t, "apiVersion: v1\nkind: Pod\nmetadata: {name: demo}\nspec: {containers: [{name: a, image: nginx}]}\n")
	before := set.DeepCopy()
	got := register(t, set, nil, manifest.MirrorImages("mirror.example.com"))

	require.Equal(t, before, set)
	pod := got["Pod demo"].Inputs.Mappable()["spec"].(map[string]any)["containers"].([]any)[0]
	require.Equal(t, map[string]any{"name": "a", "image": "mirror.example.com/docker.io/library/nginx"}, pod)
}

func TestOneObjectHasOneDescription(t *testing.T) {
	const cm = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: demo}\n"
	_, err := tryRegister(manifest.Merge(parse(t, cm), parse(t, cm)), nil)
	require.ErrorContains(t, err, `ConfigMap demo is described twice, in "test.yaml" and in "test.yaml"`)
}

func TestDependantsCanWaitForTheWholeGroup(t *testing.T) {
	mocks := &registered{resources: map[string]pulumi.MockResourceArgs{}}
	require.NoError(t, pulumi.RunErr(func(ctx *pulumi.Context) error {
		parent, kubernetes := &component{}, &provider{}
		require.NoError(t, ctx.RegisterComponentResource("test:index:Component", "parent", parent))
		require.NoError(t, ctx.RegisterResource("pulumi:providers:kubernetes", "cluster", pulumi.Map{}, kubernetes))
		r := manifest.Registrar{Ctx: ctx, Parent: parent, Provider: kubernetes}
		group, err := r.Register(render(t, certManager(t)))
		require.NoError(t, err)
		_, err = r.Register(parse(t, "apiVersion: cert-manager.io/v1\nkind: ClusterIssuer\nmetadata: {name: root}\nspec: {selfSigned: {}}\n"), group.Ready())
		return err
	}, pulumi.WithMocks("project", "stack", mocks)))
	issuer := mocks.resources["kubernetes:cert-manager.io/v1:ClusterIssuer::root"].RegisterRPC.GetDependencies()
	require.Len(t, issuer, 50)
	require.Contains(t, strings.Join(issuer, "\n"), "Job::cert-manager/cert-manager-startupapicheck")
}

func typed(t *testing.T, objs ...runtime.Object) manifest.Set {
	t.Helper()
	set, err := manifest.Typed(objs...)
	require.NoError(t, err)
	return set
}

// plain removes the secrets' marks.
func plain(v resource.PropertyValue) resource.PropertyValue {
	switch {
	case v.IsSecret():
		return plain(v.SecretValue().Element)
	case v.IsOutput():
		return plain(v.OutputValue().Element)
	case v.IsObject():
		m := resource.PropertyMap{}
		for key, value := range v.ObjectValue() {
			m[key] = plain(value)
		}
		return resource.NewProperty(m)
	}
	return v
}
