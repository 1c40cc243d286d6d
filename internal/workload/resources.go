package workload

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

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

// Classes says what each class requests and is limited to. The table itself is
// configuration: its defaults are the published figures.
type Classes map[Class]corev1.ResourceRequirements

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
