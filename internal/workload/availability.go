package workload

import (
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/telekom/controlplane-infrastructure/internal/manifest"
)

// Availability is what a stack must survive.
type Availability string

const (
	// Single runs one replica of everything.
	Single Availability = "single"
	// Zonal survives the loss of a node or of a zone.
	Zonal Availability = "zonal"
)

// Spread places the replicas of Deployments and StatefulSets in different
// zones, and where possible on different nodes. It does nothing when single.
//
// Zones are binding: the scheduler would rather let a pod wait than put two
// replicas into one zone while another is empty. But a zone whose nodes are
// all tainted, as they are when it fails, does not count, so that its replicas
// move to the others. Nodes are a preference, so that a small cluster can
// still roll an update.
func Spread(a Availability) manifest.Transform {
	return func(o *manifest.Object) error {
		if a != Zonal || !isReplicated(o) {
			return nil
		}
		selector, err := selectorOf(o)
		if err != nil {
			return err
		}
		return EditPod(func(o *manifest.Object, pod *corev1.PodTemplateSpec) error {
			pod.Spec.TopologySpreadConstraints = []corev1.TopologySpreadConstraint{
				spreadOver(o, corev1.LabelTopologyZone, corev1.DoNotSchedule, selector),
				spreadOver(o, corev1.LabelHostname, corev1.ScheduleAnyway, selector),
			}
			if pod.Spec.Affinity == nil {
				pod.Spec.Affinity = &corev1.Affinity{}
			}
			pod.Spec.Affinity.PodAntiAffinity = &corev1.PodAntiAffinity{
				PreferredDuringSchedulingIgnoredDuringExecution: []corev1.WeightedPodAffinityTerm{{
					Weight:          100,
					PodAffinityTerm: corev1.PodAffinityTerm{TopologyKey: corev1.LabelHostname, LabelSelector: selector},
				}},
			}
			return nil
		})(o)
	}
}

func spreadOver(o *manifest.Object, topology string, action corev1.UnsatisfiableConstraintAction, selector *metav1.LabelSelector) corev1.TopologySpreadConstraint {
	honor := corev1.NodeInclusionPolicyHonor
	constraint := corev1.TopologySpreadConstraint{
		MaxSkew:           1,
		TopologyKey:       topology,
		WhenUnsatisfiable: action,
		LabelSelector:     selector,
		NodeTaintsPolicy:  &honor,
	}
	// Each revision is spread on its own; else the old pods of a rolling
	// update would decide where the new ones may go, and then disappear.
	if o.GetKind() == "Deployment" {
		constraint.MatchLabelKeys = []string{"pod-template-hash"}
	}
	return constraint
}

// Budget returns a PodDisruptionBudget for a Deployment or StatefulSet, which
// lets one replica at a time be evicted. It returns nil for other kinds and
// for a single replica: a budget there would block every drain of its node.
// Pods that are not ready can always be evicted, so that a broken workload
// does not block a drain either.
func Budget(o *manifest.Object) (*manifest.Object, error) {
	if !isReplicated(o) {
		return nil, nil
	}
	replicas, found, err := unstructured.NestedInt64(o.Object, "spec", "replicas")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o, err)
	}
	if !found || replicas < 2 {
		return nil, nil
	}
	selector, err := selectorOf(o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o, err)
	}
	one, always := intstr.FromInt32(1), policyv1.AlwaysAllow
	set, err := manifest.Typed(&policyv1.PodDisruptionBudget{
		ObjectMeta: metav1.ObjectMeta{Name: o.GetName(), Namespace: o.GetNamespace(), Labels: o.GetLabels()},
		Spec: policyv1.PodDisruptionBudgetSpec{
			MaxUnavailable:             &one,
			Selector:                   selector,
			UnhealthyPodEvictionPolicy: &always,
		},
	})
	if err != nil {
		return nil, err
	}
	return set.Objects[0], nil
}

// Budgets returns the set with a budget for each of its workloads that has
// none yet.
func Budgets(set manifest.Set) (manifest.Set, error) {
	taken := map[string]bool{}
	for _, o := range set.Objects {
		if o.GetKind() == "PodDisruptionBudget" {
			selector, err := selectorOf(o)
			if err != nil {
				return manifest.Set{}, fmt.Errorf("%s: %w", o, err)
			}
			taken[o.GetNamespace()+"/"+metav1.FormatLabelSelector(selector)] = true
		}
	}
	budgets := manifest.Set{}
	for _, o := range set.Objects {
		budget, err := Budget(o)
		if err != nil {
			return manifest.Set{}, err
		}
		if budget == nil {
			continue
		}
		selector, err := selectorOf(budget)
		if err != nil {
			return manifest.Set{}, fmt.Errorf("%s: %w", budget, err)
		}
		if !taken[o.GetNamespace()+"/"+metav1.FormatLabelSelector(selector)] {
			budgets.Objects = append(budgets.Objects, budget)
		}
	}
	return manifest.Merge(set, budgets), nil
}

func isReplicated(o *manifest.Object) bool {
	gk := o.GroupVersionKind().GroupKind().String()
	return gk == "Deployment.apps" || gk == "StatefulSet.apps"
}

func selectorOf(o *manifest.Object) (*metav1.LabelSelector, error) {
	node, found, err := unstructured.NestedMap(o.Object, "spec", "selector")
	if err != nil {
		return nil, fmt.Errorf("spec.selector: %w", err)
	}
	if !found {
		return nil, errors.New("no spec.selector")
	}
	selector := &metav1.LabelSelector{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(node, selector, true); err != nil {
		return nil, fmt.Errorf("spec.selector: %w", err)
	}
	return selector, nil
}
