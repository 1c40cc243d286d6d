package preflight_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/telekom/controlplane-infrastructure/components/cluster/preflight"
	"github.com/telekom/controlplane-infrastructure/internal/local"
	"github.com/telekom/controlplane-infrastructure/internal/local/localtest"
)

// cluster is a control plane for all tests of the package. What it has of StorageClasses and the like is changed by one
// test alone.
var cluster *local.ControlPlane

func TestMain(m *testing.M) { localtest.Main(m, &cluster) }

// create makes an object for the time of a test.
func create(t *testing.T, text string) client.Client {
	t.Helper()
	c, err := client.New(cluster.REST(), client.Options{})
	require.NoError(t, err)
	o := &unstructured.Unstructured{}
	require.NoError(t, yaml.Unmarshal([]byte(text), &o.Object))
	require.NoError(t, c.Create(t.Context(), o))
	t.Cleanup(func() { assert.NoError(t, client.IgnoreNotFound(c.Delete(context.Background(), o))) })
	return c
}

// user is somebody with the rules of a ClusterRole, and no others.
func user(t *testing.T, name, rules string) *rest.Config {
	t.Helper()
	create(t, `{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: `+name+`}, rules: `+rules+`}`)
	create(t, `{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: `+name+`},
	  roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: `+name+`},
	  subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: `+name+`}]}`)
	config := rest.CopyConfig(cluster.REST())
	config.Impersonate = rest.ImpersonationConfig{UserName: name}
	return config
}

func check(t *testing.T, config *rest.Config, needs preflight.Needs) []string {
	t.Helper()
	if needs.IngressClass == "" {
		needs.IngressClass = "traefik"
	}
	findings, err := preflight.Check(t.Context(), config, needs)
	require.NoError(t, err)
	var all []string
	for _, f := range findings {
		all = append(all, fmt.Sprintf("%s: %s: found %s", f.Severity, f.Check, f.Found))
		assert.NotEmpty(t, f.Needed)
		assert.NotEmpty(t, f.Remedy)
	}
	return all
}

func TestPermissions(t *testing.T) {
	needs := preflight.Needs{Manages: []preflight.Resource{
		{Name: "namespaces"}, {Group: "apps", Name: "deployments"}, {Group: "cert-manager.io", Name: "issuers"},
		{Group: "rbac.authorization.k8s.io", Name: "clusterroles"},
	}}
	assert.Empty(t, check(t, cluster.REST(), needs), "an administrator may do everything")

	const own = `[get, list, watch, create, patch, delete]`
	config := user(t, "installer", `[
	  {apiGroups: [networking.k8s.io], resources: [ingressclasses], verbs: [list]},
	  {apiGroups: [""], resources: [namespaces], verbs: [get, list, watch]},
	  {apiGroups: [apps], resources: ["*"], verbs: ["*"]},
	  {apiGroups: [cert-manager.io], resources: [issuers], verbs: `+own+`},
	  {apiGroups: [rbac.authorization.k8s.io], resources: [clusterroles], verbs: `+own+`}]`)
	assert.Equal(t, []string{
		"error: permissions: found that the user of the kubeconfig may not create, delete, patch namespaces",
		// Roles could be made, but not those that grant more than the user has.
		"error: permissions: found that the user of the kubeconfig may not bind, escalate clusterroles.rbac.authorization.k8s.io",
	}, check(t, config, needs))
}

// What cannot be read is no error of the cluster's, and no reason to stay silent.
func TestWhatMayNotBeReadIsSaid(t *testing.T) {
	config := user(t, "blind", `[]`)
	assert.Equal(t, []string{
		"warning: storage class: found that the user of the kubeconfig may not look",
		"warning: zones: found that the user of the kubeconfig may not look",
		"warning: metrics API: found that the user of the kubeconfig may not look",
		"warning: ingress class: found that the user of the kubeconfig may not look",
		"warning: network policies: found that the user of the kubeconfig may not look",
		"warning: resource definitions: found that the user of the kubeconfig may not look",
		"warning: token issuer: found that the user of the kubeconfig may not look",
	}, check(t, config, preflight.Needs{
		StorageClasses: []string{""}, Zones: 3, Autoscalers: true, NetworkPolicies: true,
		Definitions: []string{"certificates.cert-manager.io"}, OIDCProviderARN: "arn:aws:iam::1:oidc-provider/example.com",
	}))
}

func TestStorageClasses(t *testing.T) {
	admin := cluster.REST()
	volumes := func(classes ...string) preflight.Needs { return preflight.Needs{StorageClasses: classes} }
	assert.Empty(t, check(t, admin, volumes("")), "the local control plane has one")
	assert.Equal(t, []string{"error: storage class: found local"}, check(t, admin, volumes("fast")))

	create(t, `{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: fixed}, provisioner: example.com/disk}`)
	assert.Equal(t, []string{
		"warning: storage class: found fixed, whose volumes cannot grow",
		"warning: storage class: found fixed, whose volumes are made before it is known where their pods go",
	}, check(t, admin, preflight.Needs{StorageClasses: []string{"fixed"}, Zones: 3}))

	create(t, `{apiVersion: storage.k8s.io/v1, kind: StorageClass, provisioner: example.com/disk, allowVolumeExpansion: true,
	  metadata: {name: second, annotations: {storageclass.kubernetes.io/is-default-class: "true"}}}`)
	assert.Equal(t, []string{"error: storage class: found several defaults: local, second"}, check(t, admin, volumes("")))
	assert.Empty(t, check(t, admin, volumes("second")), "who names a class needs no default")

	c, err := client.New(admin, client.Options{})
	require.NoError(t, err)
	for _, name := range []string{"second", "local"} {
		class := &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": map[string]any{"name": name},
		}}
		set := func(value string) {
			patch := `{"metadata":{"annotations":{"storageclass.kubernetes.io/is-default-class":"` + value + `"}}}`
			require.NoError(t, c.Patch(t.Context(), class, client.RawPatch("application/merge-patch+json", []byte(patch))))
		}
		set("false")
		if name == "local" {
			defer set("true")
		}
	}
	assert.Equal(t, []string{"error: storage class: found no default among fixed, local, second"}, check(t, admin, volumes("")))
}

func TestZones(t *testing.T) {
	assert.Empty(t, check(t, cluster.REST(), preflight.Needs{Zones: 3}))
	assert.Equal(t, []string{"warning: zones: found zone-a, zone-b, zone-c"}, check(t, cluster.REST(), preflight.Needs{Zones: 4}))
}

func TestMetricsAPI(t *testing.T) {
	admin := cluster.REST()
	assert.Empty(t, check(t, admin, preflight.Needs{}), "nobody asks")
	assert.Empty(t, check(t, admin, preflight.Needs{MetricsServer: true, Autoscalers: true}), "it will be there")
	assert.Equal(t, []string{"warning: metrics API: found none"}, check(t, admin, preflight.Needs{Autoscalers: true}))

	create(t, `{apiVersion: apiregistration.k8s.io/v1, kind: APIService, metadata: {name: v1beta1.metrics.k8s.io}, spec: {
	  group: metrics.k8s.io, version: v1beta1, groupPriorityMinimum: 100, versionPriority: 100,
	  service: {namespace: kube-system, name: metrics-server}, insecureSkipTLSVerify: true}}`)
	assert.Equal(t, []string{"error: metrics API: found that of Service kube-system/metrics-server"},
		check(t, admin, preflight.Needs{MetricsServer: true}))
	assert.Equal(t, []string{"warning: metrics API: found that of Service kube-system/metrics-server, which does not answer"},
		check(t, admin, preflight.Needs{Autoscalers: true}))
}

func TestIngressClasses(t *testing.T) {
	admin := cluster.REST()
	class := func(name string) string {
		return `{apiVersion: networking.k8s.io/v1, kind: IngressClass, spec: {controller: example.com/ingress}, metadata: {name: ` + name + `,
		  annotations: {ingressclass.kubernetes.io/is-default-class: "true"}}}`
	}
	findings, err := preflight.Check(t.Context(), admin, preflight.Needs{})
	require.NoError(t, err)
	require.Len(t, findings, 1)
	assert.Equal(t, preflight.Warning, findings[0].Severity, "a controller of another owner may still come")

	create(t, class("traefik"))
	assert.Empty(t, check(t, admin, preflight.Needs{}), "the stack's own from its last update")
	create(t, class("nginx"))
	assert.Equal(t, []string{"error: ingress class: found the default nginx"}, check(t, admin, preflight.Needs{}))
}

func TestDefinitions(t *testing.T) {
	assert.Equal(t, []string{"error: resource definitions: found none of that name"}, check(t, cluster.REST(), preflight.Needs{
		Definitions: []string{"servicemonitors.monitoring.coreos.com"},
	}))

	needs := preflight.Needs{Installs: []string{"certificates.preflight.example.com", "issuers.preflight.example.com"}}
	assert.Empty(t, check(t, cluster.REST(), needs), "nobody has installed them")
	definition := func(kind, metadata string) {
		create(t, `{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: `+kind+`s.preflight.example.com, `+metadata+`},
		  spec: {group: preflight.example.com, scope: Namespaced, names: {plural: `+kind+`s, singular: `+kind+`, kind: `+kind+`},
		    versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]}}`)
	}
	definition("issuer", "labels: {app: own}")
	definition("certificate", "annotations: {meta.helm.sh/release-name: certs, meta.helm.sh/release-namespace: security}")
	assert.Equal(t, []string{
		"error: resource definitions: found certificates.preflight.example.com of the Helm release security/certs",
	}, check(t, cluster.REST(), needs))
}

func TestTokenIssuer(t *testing.T) {
	const other = "arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/OTHER"
	findings := check(t, cluster.REST(), preflight.Needs{OIDCProviderARN: other})
	require.Len(t, findings, 1)
	assert.Contains(t, findings[0], "warning: token issuer: found https://")
}

// Everything is told at once, in words that say what to do.
func TestRequire(t *testing.T) {
	_, err := preflight.Require(t.Context(), cluster.REST(), preflight.Needs{
		StorageClasses: []string{"fast"}, Zones: 4, IngressClass: "traefik", Definitions: []string{"servicemonitors.monitoring.coreos.com"},
	})
	var refused *preflight.Refused
	require.ErrorAs(t, err, &refused)
	assert.Len(t, refused.Findings, 2, "warnings are no reason")
	assert.EqualError(t, err, "the cluster at "+cluster.REST().Host+" lacks what the stack needs; nothing has been changed:\n"+
		"  storage class: found local; needed: fast. Create it, or name another one in the stack's configuration (storageClass).\n"+
		"  resource definitions: found none of that name; needed: servicemonitors.monitoring.coreos.com. "+
		"Install it, or have the stack do it: customResourceDefinitions: install.")
	warnings, err := preflight.Require(t.Context(), cluster.REST(), preflight.Needs{StorageClasses: []string{"local"}, Zones: 4})
	require.NoError(t, err)
	assert.Contains(t, fmt.Sprint(warnings), "zone")
}

func TestKubeconfig(t *testing.T) {
	content, err := os.ReadFile(cluster.Kubeconfig)
	require.NoError(t, err)
	for name, k := range map[string]preflight.Kubeconfig{
		"a path": {Path: cluster.Kubeconfig}, "the content": {Content: string(content)},
	} {
		config, err := k.Load()
		require.NoError(t, err, name)
		assert.Equal(t, cluster.REST().Host, config.Host, name)
	}
	_, err = preflight.Kubeconfig{Path: cluster.Kubeconfig, Context: "elsewhere"}.Load()
	assert.ErrorContains(t, err, "elsewhere")
	_, err = preflight.Kubeconfig{Path: filepath.Join(t.TempDir(), "missing")}.Load()
	assert.ErrorContains(t, err, "missing")
	_, err = preflight.Kubeconfig{Content: "{"}.Load()
	assert.ErrorContains(t, err, "the content of the kubeconfig")
}
