package istio_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optpreview"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	clientset "k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/telekom/controlplane-infrastructure/components/cluster"
	"github.com/telekom/controlplane-infrastructure/components/network/istio"
	"github.com/telekom/controlplane-infrastructure/internal/artifact/artifacttest"
	"github.com/telekom/controlplane-infrastructure/internal/local/localtest"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/mesh"
	"github.com/telekom/controlplane-infrastructure/internal/plugins"
	"github.com/telekom/controlplane-infrastructure/internal/plugins/kubernetes"
	"github.com/telekom/controlplane-infrastructure/internal/plugins/plugintest"
)

// platform is a stack on a real API server, whose mesh can be changed.
type platform struct {
	t     *testing.T
	rest  *rest.Config
	stack auto.Stack
	args  istio.Args
	kind  mesh.Kind
}

func newPlatform(t *testing.T) *platform {
	t.Helper()
	p := &platform{t: t, rest: localtest.Start(t).REST(), args: arguments(t), kind: mesh.None}
	host, err := plugins.Serve(t.Context(), plugins.Options{Kubernetes: kubernetes.Options{Target: p.rest}})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, host.Close()) })
	definitions, err := manifest.ParseTree(artifacttest.Fetch(t, artifacttest.PrometheusOperator, artifacttest.PrometheusCRDs))
	require.NoError(t, err)
	monitors, _ := definitions.Split(func(o *manifest.Object) bool { return strings.HasSuffix(o.GetName(), "monitors.monitoring.coreos.com") })
	p.stack, _ = plugintest.Stack(t, "mesh", map[string]string{plugins.EnvKey: host.Env()}, func(ctx *pulumi.Context) error {
		c, err := cluster.New(ctx, "cluster", cluster.Args{Identifier: "test"})
		if err != nil {
			return err
		}
		args := p.args
		args.Provider = c.Provider
		if _, err := args.Registrar(ctx, c).Register(monitors); err != nil {
			return err
		}
		return register(ctx, args, p.kind)
	})
	return p
}

// up brings the stack up.
func (p *platform) up(kind mesh.Kind) {
	p.t.Helper()
	p.kind = kind
	_, err := p.stack.Up(p.t.Context())
	require.NoError(p.t, err)
}

// unchanged shows that nothing is left to do.
func (p *platform) unchanged() {
	p.t.Helper()
	_, err := p.stack.Refresh(p.t.Context())
	require.NoError(p.t, err)
	_, err = p.stack.Preview(p.t.Context(), optpreview.ExpectNoChanges())
	require.NoError(p.t, err)
}

// objects are what the API server has of some kinds: names with labels and specification.
func (p *platform) objects(resources ...schema.GroupVersionResource) map[string]string {
	p.t.Helper()
	client, err := dynamic.NewForConfig(p.rest)
	require.NoError(p.t, err)
	all := map[string]string{}
	for _, resource := range resources {
		list, err := client.Resource(resource).List(p.t.Context(), metav1.ListOptions{})
		require.NoError(p.t, err)
		for _, item := range list.Items {
			spec, err := json.Marshal(map[string]any{
				"labels": item.GetLabels(), "annotations": item.GetAnnotations(), "spec": item.Object["spec"],
			})
			require.NoError(p.t, err)
			all[resource.Resource+" "+item.GetNamespace()+"/"+item.GetName()] = string(spec)
		}
	}
	return all
}

func of(group, version string, resources ...string) (all []schema.GroupVersionResource) {
	for _, r := range resources {
		all = append(all, schema.GroupVersionResource{Group: group, Version: version, Resource: r})
	}
	return all
}

// everything are the kinds that a mesh could leave something behind of.
var everything = slices.Concat(
	of("", "v1", "namespaces", "services"), of("networking.k8s.io", "v1", "networkpolicies"),
	of("apps", "v1", "deployments", "daemonsets"), of("policy", "v1", "poddisruptionbudgets"),
	of("apiextensions.k8s.io", "v1", "customresourcedefinitions"),
	of("rbac.authorization.k8s.io", "v1", "clusterroles", "clusterrolebindings", "roles", "rolebindings"),
	of("admissionregistration.k8s.io", "v1", "mutatingwebhookconfigurations", "validatingwebhookconfigurations", "validatingadmissionpolicies"),
)

// likeIstiod does to the webhooks what istiod does once it answers. What it answers is not verified by the certificate, so
// that from then on nothing is admitted.
func (p *platform) likeIstiod() {
	p.t.Helper()
	client, err := clientset.NewForConfig(p.rest)
	require.NoError(p.t, err)
	configs := client.AdmissionregistrationV1().ValidatingWebhookConfigurations()
	list, err := configs.List(p.t.Context(), metav1.ListOptions{LabelSelector: "app=istiod"})
	require.NoError(p.t, err)
	require.Len(p.t, list.Items, 2)
	for _, config := range list.Items {
		config.Webhooks[0].FailurePolicy = new(admissionv1.Fail)
		config.Webhooks[0].ClientConfig.CABundle = p.rest.CAData
		_, err := configs.Update(p.t.Context(), &config, metav1.UpdateOptions{FieldManager: "pilot-discovery"})
		require.NoError(p.t, err)
	}
}

// Everything of the mesh is accepted by a real API server that enforces Pod Security, and is gone when it is switched
// off, though its webhooks fail closed by then, and do not answer.
func TestMeshOnAndOff(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	empty := p.objects(everything...)
	p.up(mesh.None)
	before := p.objects(everything...)

	p.up(mesh.Istio)
	t.Run("pods of every workload are admitted and run", func(t *testing.T) {
		client, err := clientset.NewForConfig(p.rest)
		require.NoError(t, err)
		nodes, err := client.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
		require.NoError(t, err)
		agents, err := client.CoreV1().Pods(istio.NodeNamespace).List(t.Context(), metav1.ListOptions{})
		require.NoError(t, err)
		assert.Len(t, agents.Items, 2*len(nodes.Items), "both agents on every node")
		pods, err := client.CoreV1().Pods(istio.Namespace).List(t.Context(), metav1.ListOptions{})
		require.NoError(t, err)
		assert.Len(t, pods.Items, 2)
	})
	t.Run("policies of the mesh are what the API server has", func(t *testing.T) {
		got := p.objects(of("security.istio.io", "v1", "peerauthentications", "authorizationpolicies")...)
		assert.Len(t, got, 2+1+4, "%v", got)
	})
	t.Run("what istiod writes stays", func(t *testing.T) {
		p.likeIstiod()
		p.unchanged()
	})
	t.Run("all is as before when it is switched off", func(t *testing.T) {
		p.up(mesh.None)
		assert.Equal(t, before, p.objects(everything...))
	})
	_, err := p.stack.Destroy(t.Context())
	require.NoError(t, err)
	assert.Equal(t, empty, p.objects(everything...))
}
