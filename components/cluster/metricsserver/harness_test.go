package metricsserver_test

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/telekom/controlplane-infrastructure/components/cluster/metricsserver"
	"github.com/telekom/controlplane-infrastructure/internal/artifact"
	"github.com/telekom/controlplane-infrastructure/internal/artifact/artifacttest"
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

// chart is the pinned one.
func chart(t *testing.T) *artifact.Tree {
	return artifacttest.Fetch(t, "sigs.k8s.io/metrics-server", "charts/metrics-server")
}

func arguments(t *testing.T) metricsserver.Args {
	amounts := func(cpu, memory string) corev1.ResourceList {
		return corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu), corev1.ResourceMemory: resource.MustParse(memory)}
	}
	return metricsserver.Args{
		Chart: chart(t), Image: "registry.example.com/mirror/metrics-server:v0.8.1", Replicas: 1,
		Resources: corev1.ResourceRequirements{Requests: amounts("100m", "200Mi"), Limits: amounts("500m", "512Mi")},
	}
}

func render(t *testing.T, ca verify.CA, args metricsserver.Args, a workload.Availability) *process.Objects {
	t.Helper()
	return process.Render(t, ca, func(ctx *pulumi.Context) (err error) {
		if args.Common, err = process.Common(ctx, a); err != nil {
			return err
		}
		args.Namespaces = namespace.Plan{Flows: flowtest.Table(args.Flows()...)}
		_, err = metricsserver.New(ctx, "metrics-server", args)
		return err
	})
}
