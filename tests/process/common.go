package process

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/internal/part"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
)

// Trust is the bundle of the rendered components: a ConfigMap with the test's authority in each namespace that asks.
var Trust = part.Trust{
	ConfigMap: "platform-trust", Key: "ca-certificates.crt",
	Label: "trust.controlplane.io/bundle", LabelValue: "platform",
}

// Issuer is the name of the ClusterIssuer that stands for the test's authority.
const Issuer = "platform-ca"

// Provider is a provider that the mocks accept.
type Provider struct{ pulumi.ProviderResourceState }

// Common is what every part is given.
func Common(ctx *pulumi.Context, availability workload.Availability) (part.Common, error) {
	kubernetes, random := &Provider{}, &Provider{}
	for kind, p := range map[string]*Provider{"kubernetes": kubernetes, "random": random} {
		if err := ctx.RegisterResource("pulumi:providers:"+kind, kind, pulumi.Map{}, p); err != nil {
			return part.Common{}, fmt.Errorf("register the provider %s: %w", kind, err)
		}
	}
	return part.Common{
		Provider: kubernetes, Random: random, Availability: availability, Issuer: Issuer, Trust: Trust,
		Surroundings: part.Surroundings{
			APIServer: flow.Peer{Everywhere: true}, APIServerPorts: []int{443, 6443},
			Monitoring: flow.Peer{NamespaceLabels: map[string]string{"metrics": "enabled"}},
		},
		ControlPlaneNamespace: "controlplane-system", Protect: availability == workload.Zonal,
		Classes: workload.Classes{
			workload.Operator:         class("100m", "128Mi", "500m", "512Mi"),
			workload.Gateway:          class("500m", "512Mi", "1", "2Gi"),
			workload.IdentityProvider: class("500m", "1Gi", "1", "2Gi"),
		},
	}, nil
}

func class(cpuRequest, memoryRequest, cpuLimit, memoryLimit string) corev1.ResourceRequirements {
	list := func(cpu, memory string) corev1.ResourceList {
		return corev1.ResourceList{
			corev1.ResourceCPU: resource.MustParse(cpu), corev1.ResourceMemory: resource.MustParse(memory),
		}
	}
	return corev1.ResourceRequirements{Requests: list(cpuRequest, memoryRequest), Limits: list(cpuLimit, memoryLimit)}
}

func typeMeta(kind string) metav1.TypeMeta { return metav1.TypeMeta{APIVersion: "v1", Kind: kind} }

func objectMeta(namespace, name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: namespace, Name: name}
}
