package linkerd

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/telekom/controlplane-infrastructure/internal/artifact"
	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/internal/flow/flowtest"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/mesh"
	"github.com/telekom/controlplane-infrastructure/internal/part"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
)

// chartVersion is that of the tests' charts.
const chartVersion = "2026.6.3"

// fetched are the charts of testdata, by their names, from a Helm repository of the test's.
func fetched(t *testing.T) map[string]*artifact.Tree {
	t.Helper()
	names := []string{"linkerd-crds", "linkerd-control-plane", "linkerd2-cni"}
	mux, index := http.NewServeMux(), "apiVersion: v1\nentries:\n"
	for _, name := range names {
		archive := packed(t, os.DirFS(path.Join("testdata", name)), name)
		mux.HandleFunc("/edge/"+name+".tgz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(archive) })
		index += fmt.Sprintf("  %s: [{name: %[1]s, version: %s, digest: %x, urls: [%[1]s.tgz]}]\n", name, chartVersion, sha256.Sum256(archive))
	}
	mux.HandleFunc("/edge/index.yaml", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(index)) })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)

	root, err := artifact.FindRoot()
	require.NoError(t, err)
	store, err := artifact.Open(root)
	require.NoError(t, err)
	trees := map[string]*artifact.Tree{}
	for _, name := range names {
		trees[name], err = store.Fetch(t.Context(), artifact.Ref{Repository: server.URL + "/edge", Chart: name, Version: chartVersion}, nil)
		require.NoError(t, err)
	}
	return trees
}

// packed is a chart as `helm package` packs it.
func packed(t *testing.T, chart fs.FS, name string) []byte {
	t.Helper()
	var buffer bytes.Buffer
	zip := gzip.NewWriter(&buffer)
	archive := tar.NewWriter(zip)
	require.NoError(t, fs.WalkDir(chart, ".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(chart, file)
		require.NoError(t, err)
		require.NoError(t, archive.WriteHeader(&tar.Header{Name: path.Join(name, file), Mode: 0o644, Size: int64(len(content))}))
		_, err = archive.Write(content)
		return err
	}))
	require.NoError(t, archive.Close())
	require.NoError(t, zip.Close())
	return buffer.Bytes()
}

// zonal are arguments for a platform over several zones.
func zonal(t *testing.T) Args {
	t.Helper()
	charts := fetched(t)
	list := func(cpu, memory string) corev1.ResourceList {
		return corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu), corev1.ResourceMemory: resource.MustParse(memory)}
	}
	return Args{
		Common: part.Common{
			Availability: workload.Zonal, Issuer: "platform-ca", ControlPlaneNamespace: "controlplane-system",
			Classes: workload.Classes{workload.Operator: {Requests: list("100m", "128Mi"), Limits: list("500m", "512Mi")}},
			Surroundings: part.Surroundings{
				APIServer: flow.Peer{Everywhere: true}, APIServerPorts: []int{443, 6443},
				Monitoring: flow.Peer{NamespaceLabels: map[string]string{"metrics": "enabled"}},
			},
		},
		CRDs: charts["linkerd-crds"], ControlPlane: charts["linkerd-control-plane"], CNI: charts["linkerd2-cni"],
		Replicas: 3, Enrolled: []string{"ingress", "identity"}, ServiceMonitors: true, GatewayAPI: true,
	}
}

func rendered(t *testing.T, step func() (manifest.Set, error)) manifest.Set {
	t.Helper()
	set, err := step()
	require.NoError(t, err)
	require.NotEmpty(t, set.All())
	return set
}

func decoded[T any](t *testing.T, set manifest.Set, kind, name string) T {
	t.Helper()
	var into T
	o := set.Find(kind, name)
	require.NotNil(t, o, "%s %s", kind, name)
	require.NoError(t, o.Decode(&into))
	return into
}

// TestNoCertificateIsMadeWhileRendering: with its own defaults the chart makes a certificate for each webhook, which is
// another one each time.
func TestNoCertificateIsMadeWhileRendering(t *testing.T) {
	args := zonal(t)
	_, err := manifest.Chart{Tree: args.ControlPlane, Release: "linkerd-control-plane", Namespace: Namespace, Values: map[string]any{
		"identity": map[string]any{"externalCA": true, "issuer": map[string]any{"scheme": "kubernetes.io/tls"}},
	}}.Render()
	require.ErrorContains(t, err, "renders differently each time")

	set := rendered(t, (&builder{args: args}).controlPlane)
	for _, o := range set.All() {
		assert.NotEqual(t, "Secret", o.GetKind(), o.GetName())
	}
	assert.Nil(t, set.Find("ConfigMap", "linkerd-identity-trust-roots"), "trust-manager makes it")
	assert.Nil(t, set.Find("CronJob", "linkerd-heartbeat"), "nothing is sent to the makers of Linkerd")
}

func TestControlPlaneSurvivesAZone(t *testing.T) {
	set := rendered(t, (&builder{args: zonal(t)}).controlPlane)
	for _, name := range []string{"linkerd-identity", "linkerd-destination", "linkerd-proxy-injector"} {
		d := decoded[appsv1.Deployment](t, set, "Deployment", name)
		assert.EqualValues(t, 3, *d.Spec.Replicas)
		assert.Equal(t, 1, d.Spec.Strategy.RollingUpdate.MaxUnavailable.IntValue())
		assert.Equal(t, corev1.LabelTopologyZone, d.Spec.Template.Spec.TopologySpreadConstraints[0].TopologyKey)
		assert.NotNil(t, set.Find("PodDisruptionBudget", name))
		require.NoError(t, workload.CheckRestricted(set.Find("Deployment", name)))
		first := d.Spec.Template.Spec.InitContainers
		require.Len(t, first, 2)
		assert.Equal(t, "linkerd-network-validator", first[0].Name, "no container changes the pod's network")
		assert.Equal(t, corev1.ContainerRestartPolicyAlways, *first[1].RestartPolicy, "the proxy starts first and ends last")
		for _, container := range append(first, d.Spec.Template.Spec.Containers...) {
			assert.NotZero(t, container.Resources.Limits.Memory(), "%s %s", name, container.Name)
		}
	}
	args := zonal(t)
	args.Availability, args.Replicas = workload.Single, 1
	single := rendered(t, (&builder{args: args}).controlPlane)
	assert.Nil(t, single.Find("PodDisruptionBudget", "linkerd-identity"), "the only pod can be evicted")
	hook := decoded[admissionv1.MutatingWebhookConfiguration](t, single, "MutatingWebhookConfiguration", "linkerd-proxy-injector-webhook-config")
	assert.Equal(t, admissionv1.Ignore, *hook.Webhooks[0].FailurePolicy, "pods start also while the only injector does not run")
}

// TestWebhooksConcernTheMeshAlone: a pod without its proxy must not start when others rely on it, but whoever is not in the mesh
// must not have to wait for it.
func TestWebhooksConcernTheMeshAlone(t *testing.T) {
	set := rendered(t, (&builder{args: zonal(t)}).controlPlane)
	for kind, names := range map[string][]string{
		"MutatingWebhookConfiguration":   {"linkerd-proxy-injector"},
		"ValidatingWebhookConfiguration": {"linkerd-sp-validator", "linkerd-policy-validator"},
	} {
		for _, name := range names {
			o := set.Find(kind, name+"-webhook-config")
			require.NotNil(t, o, name)
			assert.Equal(t, "linkerd/"+name+"-k8s-tls", o.GetAnnotations()["cert-manager.io/inject-ca-from"])
			hook := decoded[admissionv1.ValidatingWebhookConfiguration](t, manifest.Set{Objects: []*manifest.Object{asValidating(o)}}, "ValidatingWebhookConfiguration", o.GetName()).Webhooks[0]
			assert.Equal(t, admissionv1.Fail, *hook.FailurePolicy)
			assert.Empty(t, hook.ClientConfig.CABundle)
			namespaces := hook.NamespaceSelector.MatchExpressions[0]
			assert.Equal(t, "kubernetes.io/metadata.name", namespaces.Key)
			assert.Equal(t, []string{"identity", "ingress"}, namespaces.Values)
		}
	}
}

// asValidating is a webhook configuration of either kind as one of those that only look.
func asValidating(o *manifest.Object) *manifest.Object {
	c := o.DeepCopy()
	c.SetKind("ValidatingWebhookConfiguration")
	for _, hook := range c.Object["webhooks"].([]any) {
		delete(hook.(map[string]any), "reinvocationPolicy")
	}
	return c
}

// TestCertificatesFitTheChart: what cert-manager makes is where the pods look for it.
func TestCertificatesFitTheChart(t *testing.T) {
	b := &builder{args: zonal(t)}
	made := map[string]bool{}
	certificates := rendered(t, b.certificates)
	for _, o := range certificates.All() {
		if o.GetKind() == "Certificate" && o.GetNamespace() == Namespace {
			secret, _, _ := unstructured.NestedString(o.Object, "spec", "secretName")
			made[secret] = true
		}
	}
	used := map[string]bool{}
	for _, o := range rendered(t, b.controlPlane).Objects {
		if o.GetKind() != "Deployment" {
			continue
		}
		d := &appsv1.Deployment{}
		require.NoError(t, o.Decode(d))
		for _, volume := range d.Spec.Template.Spec.Volumes {
			if volume.Secret != nil {
				used[volume.Secret.SecretName] = true
			}
			if volume.ConfigMap != nil && volume.ConfigMap.Name != "linkerd-config" {
				assert.NotNil(t, certificates.Find("Bundle", volume.ConfigMap.Name), volume.ConfigMap.Name)
			}
		}
	}
	assert.Equal(t, used, made)
}

func TestOneOwnerOfTheGatewayAPI(t *testing.T) {
	const routes = "httproutes.gateway.networking.k8s.io"
	args := zonal(t)
	elsewhere := rendered(t, (&builder{args: args}).definitions)
	assert.Nil(t, elsewhere.Find("CustomResourceDefinition", routes))
	assert.NotNil(t, elsewhere.Find("CustomResourceDefinition", "servers.policy.linkerd.io"))
	args.GatewayAPI = false
	assert.NotNil(t, rendered(t, (&builder{args: args}).definitions).Find("CustomResourceDefinition", routes))
}

func TestOnlyTheNodeAgentHasRightsOnTheNode(t *testing.T) {
	set := rendered(t, (&builder{args: zonal(t)}).networkPlugin)
	var exceptions []string
	for _, o := range set.All() {
		assert.Equal(t, strings.HasPrefix(o.GetKind(), "ClusterRole"), o.GetNamespace() == "", "%s", o)
		if workload.CheckLevel(o, "restricted") != nil {
			exceptions = append(exceptions, o.GetKind()+"/"+o.GetName())
		}
	}
	assert.Equal(t, workload.Exceptions()[CNINamespace].Workloads, exceptions)
	agent := decoded[appsv1.DaemonSet](t, set, "DaemonSet", "linkerd-cni").Spec.Template.Spec
	assert.Equal(t, "system-node-critical", agent.PriorityClassName)
	assert.True(t, slices.ContainsFunc(agent.Containers, func(c corev1.Container) bool { return c.Name == "repair-controller" }))
}

// TestProxiesComeFromTheMirror: the injector takes the image's name from its configuration.
func TestProxiesComeFromTheMirror(t *testing.T) {
	args := zonal(t)
	image := func() any {
		text, _, err := unstructured.NestedString(rendered(t, (&builder{args: args}).controlPlane).Find("ConfigMap", "linkerd-config").Object, "data", "values")
		require.NoError(t, err)
		values, err := manifest.ParseYAML("values", []byte("apiVersion: v1\nkind: Values\nmetadata: {name: x}\n"+text))
		require.NoError(t, err)
		name, _, err := unstructured.NestedString(values.Objects[0].Object, "proxy", "image", "name")
		require.NoError(t, err)
		return name
	}
	assert.Equal(t, "cr.l5d.io/linkerd/proxy", image())
	args.Transforms = []manifest.Transform{manifest.MirrorImages("registry.example.com:5000/mirror")}
	assert.Equal(t, "registry.example.com:5000/mirror/cr.l5d.io/linkerd/proxy", image())
}

func TestFlowsOfTheMesh(t *testing.T) {
	args := zonal(t)
	m := mesh.Mesh{Kind: mesh.Linkerd, Namespaces: args.Enrolled}
	table := flowtest.Table(m.Flows(args.Flows())...)
	require.NoError(t, table.Check())
	ports := func(from flow.Peer, to flow.Peer) (all []int) {
		for _, f := range table.Flows {
			if assert.ObjectsAreEqual(f.From, from) && assert.ObjectsAreEqual(f.To, to) {
				all = append(all, f.Ports...)
			}
		}
		slices.Sort(all)
		return all
	}
	own, proxies := flow.Peer{Namespace: Namespace}, flow.Peer{Namespace: "identity"}
	assert.Equal(t, []int{443, 6443}, ports(own, args.APIServer))
	assert.Equal(t, []int{8443}, ports(args.APIServer, mesh.LinkerdPods("proxy-injector")))
	assert.Equal(t, []int{8443, 9443}, ports(args.APIServer, mesh.LinkerdPods("destination")))
	for _, from := range []flow.Peer{own, proxies} {
		assert.Equal(t, []int{8080}, ports(from, mesh.LinkerdPods("identity")))
		assert.Equal(t, []int{8086, 8090}, ports(from, mesh.LinkerdPods("destination")))
	}
	assert.Equal(t, []int{4191, 9990, 9995, 9996, 9997}, ports(args.Monitoring, own))
	assert.Equal(t, []int{4191}, ports(args.Monitoring, proxies))

	args.ServiceMonitors = false
	for _, f := range args.Flows() {
		assert.NotEqual(t, args.Monitoring, f.From, f.Name)
	}
}

func TestNamespacesThatCannotTakePart(t *testing.T) {
	for _, namespace := range []string{"linkerd", "linkerd-cni", "cert-manager", "kube-system"} {
		args := zonal(t)
		args.Enrolled = append(args.Enrolled, namespace)
		assert.ErrorContains(t, args.validate(), "namespace "+namespace+" cannot take part in the mesh")
	}
	args := zonal(t)
	args.Replicas = 0
	assert.ErrorContains(t, args.validate(), "at least 1")
}
