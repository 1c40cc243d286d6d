package autoscaler_test

import (
	"context"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/telekom/controlplane-infrastructure/components/cluster/autoscaler"
	"github.com/telekom/controlplane-infrastructure/internal/flow/flowtest"
	"github.com/telekom/controlplane-infrastructure/internal/local"
	"github.com/telekom/controlplane-infrastructure/internal/local/localtest"
	"github.com/telekom/controlplane-infrastructure/internal/namespace"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
	"github.com/telekom/controlplane-infrastructure/tests/process"
	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

// cluster is a control plane for all tests of the package.
var cluster *local.ControlPlane

func TestMain(m *testing.M) { localtest.Main(m, &cluster) }

func render(t *testing.T, a workload.Availability) *process.Objects {
	t.Helper()
	args := autoscaler.Args{
		Image: "registry.example.com/mirror/cluster-autoscaler:v1.35.1", Cluster: "controlplane-prod", Region: "eu-central-1",
	}
	return process.Render(t, verify.NewCA(t, "platform"), func(ctx *pulumi.Context) (err error) {
		if args.Common, err = process.Common(ctx, a); err != nil {
			return err
		}
		args.Namespaces = namespace.Plan{Flows: flowtest.Table(args.Flows()...)}
		made, err := autoscaler.New(ctx, "cluster-autoscaler", args)
		if err != nil {
			return err
		}
		return made.Monitor(ctx)
	})
}

func TestReplicas(t *testing.T) {
	t.Parallel()
	o := render(t, workload.Single)
	assert.EqualValues(t, 1, *process.Decode[appsv1.Deployment](t, o, "Deployment", "cluster-autoscaler").Spec.Replicas)
	assert.Empty(t, o.Of("PodDisruptionBudget"))
	o = render(t, workload.Zonal)
	d := process.Decode[appsv1.Deployment](t, o, "Deployment", "cluster-autoscaler")
	assert.EqualValues(t, 2, *d.Spec.Replicas, "one leads, the other is there when its zone is not")
	assert.Len(t, o.Of("PodDisruptionBudget"), 1)
	assert.Equal(t, "topology.kubernetes.io/zone", d.Spec.Template.Spec.TopologySpreadConstraints[0].TopologyKey)
	assert.Contains(t, d.Spec.Template.Spec.Containers[0].Args,
		"--node-group-auto-discovery=asg:tag=k8s.io/cluster-autoscaler/enabled,k8s.io/cluster-autoscaler/controlplane-prod")
}

// Everything is accepted by a real API server, which enforces Pod Security. With its service account the autoscaler may
// do what it has to, and nothing else.
func TestInACluster(t *testing.T) {
	t.Parallel()
	o := render(t, workload.Zonal)
	c, err := client.New(cluster.REST(), client.Options{})
	require.NoError(t, err)
	for _, object := range o.InOrder() {
		if object.GetKind() == "PodMonitor" {
			continue // its definition is Prometheus'
		}
		require.NoError(t, client.WithFieldValidation(c, metav1.FieldValidationStrict).Apply(t.Context(),
			client.ApplyConfigurationFromUnstructured(object.Unstructured), client.FieldOwner("test")),
			"%s %s", object.GetKind(), object.GetName())
	}
	assert.Eventually(t, func() bool {
		var d appsv1.Deployment
		key := client.ObjectKey{Namespace: autoscaler.Namespace, Name: "cluster-autoscaler"}
		return c.Get(context.WithoutCancel(t.Context()), key, &d) == nil && d.Status.ReadyReplicas == 2
	}, time.Minute, 200*time.Millisecond, "its pods are admitted")

	config := rest.CopyConfig(cluster.REST())
	config.Impersonate.UserName = "system:serviceaccount:" + autoscaler.Namespace + ":" + autoscaler.ServiceAccount
	clients, err := kubernetes.NewForConfig(config)
	require.NoError(t, err)
	everywhere := func(verb, group, resource string) authorizationv1.ResourceAttributes {
		return authorizationv1.ResourceAttributes{Verb: verb, Group: group, Resource: resource}
	}
	// Without any of these it waits for ever before it looks at the first pod.
	for group, resources := range map[string][]string{
		"":                {"namespaces", "nodes", "persistentvolumeclaims", "persistentvolumes", "pods", "replicationcontrollers", "services"},
		"apps":            {"daemonsets", "replicasets", "statefulsets"},
		"batch":           {"jobs"},
		"policy":          {"poddisruptionbudgets"},
		"resource.k8s.io": {"deviceclasses", "resourceclaims", "resourceslices"},
		"storage.k8s.io":  {"csidrivers", "csinodes", "csistoragecapacities", "storageclasses", "volumeattachments"},
	} {
		for _, resource := range resources {
			for _, verb := range []string{"list", "watch"} {
				assert.True(t, may(t, clients, everywhere(verb, group, resource)), "%s %s.%s", verb, resource, group)
			}
		}
	}
	own := func(verb, group, resource, name string) authorizationv1.ResourceAttributes {
		a := everywhere(verb, group, resource)
		a.Namespace, a.Name = autoscaler.Namespace, name
		return a
	}
	eviction := everywhere("create", "", "pods")
	eviction.Subresource = "eviction"
	for _, allowed := range []authorizationv1.ResourceAttributes{
		everywhere("update", "", "nodes"), eviction,
		own("create", "coordination.k8s.io", "leases", ""), own("update", "coordination.k8s.io", "leases", "cluster-autoscaler"),
		own("update", "", "configmaps", "cluster-autoscaler-status"),
	} {
		assert.True(t, may(t, clients, allowed), "%+v", allowed)
	}
	for _, refused := range []authorizationv1.ResourceAttributes{
		everywhere("list", "", "secrets"), everywhere("get", "", "configmaps"), everywhere("delete", "", "pods"),
		everywhere("delete", "", "nodes"), everywhere("update", "coordination.k8s.io", "leases"),
	} {
		assert.False(t, may(t, clients, refused), "%+v", refused)
	}
}

func may(t *testing.T, clients kubernetes.Interface, what authorizationv1.ResourceAttributes) bool {
	t.Helper()
	review, err := clients.AuthorizationV1().SelfSubjectAccessReviews().Create(t.Context(),
		&authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &what}},
		metav1.CreateOptions{})
	require.NoError(t, err)
	return review.Status.Allowed
}

// Its way out is to AWS and the agent on its node, beside the API server.
func TestFlows(t *testing.T) {
	t.Parallel()
	out := map[string][]int{}
	for _, f := range (autoscaler.Args{}).Flows() {
		if f.From.Namespace == autoscaler.Namespace {
			for _, cidr := range append(f.To.CIDRs, f.To.Name) {
				out[cidr] = f.Ports
			}
		}
	}
	assert.Equal(t, []int{80}, out["169.254.170.23/32"])
	assert.Equal(t, []int{443}, out["AWS APIs"])
	assert.Empty(t, (autoscaler.Args{Image: "a", Cluster: "b", Region: "c"}).Check())
	assert.ErrorContains(t, (autoscaler.Args{Image: "a", Cluster: "b"}).Check(), "Region is missing")
}
