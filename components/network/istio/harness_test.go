package istio_test

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/telekom/controlplane-infrastructure/components/network/istio"
	"github.com/telekom/controlplane-infrastructure/internal/artifact"
	"github.com/telekom/controlplane-infrastructure/internal/artifact/artifacttest"
	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/internal/flow/flowtest"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/mesh"
	"github.com/telekom/controlplane-infrastructure/internal/namespace"
	"github.com/telekom/controlplane-infrastructure/internal/part"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
	"github.com/telekom/controlplane-infrastructure/tests/process"
	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

// arguments are those of a mesh with two istiods.
func arguments(t *testing.T) istio.Args {
	t.Helper()
	chart := func(path string) *artifact.Tree {
		return artifacttest.Fetch(t, "istio.io/istio", "manifests/charts/"+path)
	}
	return istio.Args{
		Base: chart("base"), Istiod: chart("istio-control/istio-discovery"), CNI: chart("istio-cni"), Ztunnel: chart("ztunnel"),
		Hub: "docker.io/istio", Tag: "1.31.0", Replicas: 2, ServiceMonitors: true,
		Common: part.Common{
			Availability: workload.Zonal,
			Classes: workload.Classes{
				workload.Operator:  class("100m", "128Mi", "500m", "512Mi"),
				workload.APIServer: class("100m", "256Mi", "500m", "1Gi"),
				workload.Gateway:   class("500m", "512Mi", "1", "2Gi"),
			},
			Surroundings: part.Surroundings{
				APIServer: flow.Peer{Name: "API server", Everywhere: true}, APIServerPorts: []int{443, 6443},
				Monitoring: flow.Peer{NamespaceLabels: map[string]string{"metrics": "enabled"}},
			},
		},
	}
}

func class(cpuRequest, memoryRequest, cpuLimit, memoryLimit string) corev1.ResourceRequirements {
	list := func(cpu, memory string) corev1.ResourceList {
		return corev1.ResourceList{
			corev1.ResourceCPU: resource.MustParse(cpu), corev1.ResourceMemory: resource.MustParse(memory),
		}
	}
	return corev1.ResourceRequirements{Requests: list(cpuRequest, memoryRequest), Limits: list(cpuLimit, memoryLimit)}
}

// shop is the namespace of somebody who takes part in the mesh.
const shop = "shop"

// plan is what namespaces follow from when the shop takes part.
func plan(args istio.Args, kind mesh.Kind) namespace.Plan {
	till := flow.Peer{Namespace: shop, Pods: map[string]string{"app": "till"}}
	flows := []flow.Flow{
		{Name: "shop-pay", From: flow.Peer{Namespace: shop}, To: till, Ports: []int{8443}, Why: "Customers pay."},
		{Name: "shop-visit", To: till, Ports: []int{8080}, Why: "Visitors look."},
		args.Webhook("shop-webhook", till, 9443, "Orders are checked."),
		args.Scrape("shop-metrics", till, 9000),
	}
	m := mesh.Mesh{Kind: kind, Namespaces: []string{shop}}
	if kind == mesh.Istio {
		flows = append(flows, args.Flows()...)
	}
	return namespace.Plan{
		Mesh: m, Flows: flowtest.Table(m.Flows(flows)...),
	}
}

// register provisions the mesh, if there shall be one, and the shop's namespace after it.
func register(ctx *pulumi.Context, args istio.Args, kind mesh.Kind) error {
	args.Namespaces = plan(args, kind)
	var opts []pulumi.ResourceOption
	if kind == mesh.Istio {
		made, err := istio.New(ctx, "istio", args)
		if err != nil {
			return err
		}
		opts = append(opts, pulumi.DependsOn([]pulumi.Resource{made}))
	}
	owner := &pulumi.ResourceState{}
	if err := ctx.RegisterComponentResource("test:shop:Shop", "shop", owner); err != nil {
		return err
	}
	set, err := manifest.Typed(args.Namespaces.Objects(shop, nil)...)
	if err != nil {
		return err
	}
	_, err = args.Registrar(ctx, owner).Register(set, opts...)
	return err
}

// rendered is the component with changed arguments.
func rendered(t *testing.T, change func(*istio.Args)) *process.Objects {
	t.Helper()
	args := arguments(t)
	if change != nil {
		change(&args)
	}
	return process.Render(t, verify.NewCA(t, "platform"), func(ctx *pulumi.Context) error {
		common, err := process.Common(ctx, args.Availability)
		if err != nil {
			return err
		}
		args.Provider = common.Provider
		return register(ctx, args, mesh.Istio)
	})
}

// find decodes the object of that kind and name.
func find[T any](t *testing.T, o *process.Objects, kind, name string) T {
	t.Helper()
	var into T
	require.NoError(t, runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(o.Find(kind, name).Object, &into, true))
	return into
}
