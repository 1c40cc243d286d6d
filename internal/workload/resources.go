package workload

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/telekom/controlplane-infrastructure/internal/manifest"
)

// Class names a kind of workload that has the same need of CPU and memory.
type Class string

// The classes of the Control Plane's published infrastructure page.
const (
	Operator         Class = "operator"
	APIServer        Class = "apiServer"
	Gateway          Class = "gateway"
	IdentityProvider Class = "identityProvider"
)

// Classes says what each class requests and is limited to.
type Classes map[Class]corev1.ResourceRequirements

// DefaultClasses returns the published table ("Infrastructure", section
// "Resource requirements").
func DefaultClasses() Classes {
	return Classes{
		Operator:         requirements("100m", "500m", "128Mi", "512Mi"),
		APIServer:        requirements("100m", "500m", "256Mi", "1Gi"),
		Gateway:          requirements("500m", "1000m", "512Mi", "2Gi"),
		IdentityProvider: requirements("500m", "1000m", "1Gi", "2Gi"),
	}
}

func requirements(cpuRequest, cpuLimit, memoryRequest, memoryLimit string) corev1.ResourceRequirements {
	return corev1.ResourceRequirements{
		Requests: corev1.ResourceList{
			corev1.ResourceCPU:    resource.MustParse(cpuRequest),
			corev1.ResourceMemory: resource.MustParse(memoryRequest),
		},
		Limits: corev1.ResourceList{
			corev1.ResourceCPU:    resource.MustParse(cpuLimit),
			corev1.ResourceMemory: resource.MustParse(memoryLimit),
		},
	}
}

// Override returns the classes with those of other in their place, resource by
// resource: an override of one limit keeps the other values.
func (c Classes) Override(other Classes) Classes {
	merged := maps.Clone(c)
	for class, r := range other {
		base := merged[class]
		merged[class] = corev1.ResourceRequirements{
			Requests: mergeLists(base.Requests, r.Requests),
			Limits:   mergeLists(base.Limits, r.Limits),
		}
	}
	return merged
}

func mergeLists(base, over corev1.ResourceList) corev1.ResourceList {
	merged := maps.Clone(base)
	if merged == nil {
		merged = corev1.ResourceList{}
	}
	maps.Copy(merged, over)
	return merged
}

// Resources gives every container of a workload the resources of a class, init
// containers and sidecars included: so a namespace's quota can be computed
// from the class, and no container is without a limit. A container that
// already has requests or limits keeps those values.
func (c Classes) Resources(class Class) manifest.Transform {
	return EditPod(func(_ *manifest.Object, pod *corev1.PodTemplateSpec) error {
		want, ok := c[class]
		if !ok {
			var known []string
			for name := range c {
				known = append(known, string(name))
			}
			slices.Sort(known)
			return fmt.Errorf("no resource class %q; there are %s", class, strings.Join(known, ", "))
		}
		for _, container := range containers(pod) {
			container.Resources.Requests = mergeLists(want.Requests, container.Resources.Requests)
			container.Resources.Limits = mergeLists(want.Limits, container.Resources.Limits)
		}
		return nil
	})
}
