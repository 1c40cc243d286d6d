package policy

import (
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// replicas is how many pods there may be of a workload, with what an autoscaler adds. It is 0 for those that are not
// replicated.
func (s *stack) replicas(r *resource) int64 {
	if r.pods == nil || !r.pods.replicated {
		return 0
	}
	most := r.pods.replicas
	for _, scaler := range s.byKind["HorizontalPodAutoscaler"] {
		spec := scaler.object.Object
		if scaler.object.GetNamespace() == r.object.GetNamespace() &&
			text(spec, "spec", "scaleTargetRef", "kind") == r.kind() && text(spec, "spec", "scaleTargetRef", "name") == r.object.GetName() {
			most = max(most, count(spec, "spec", "maxReplicas"))
		}
	}
	return most
}

// disruptionBudget wants exactly one budget for pods with replicas: of pods with two, none can be evicted. Where there is
// but one, a budget must not keep it from leaving its node.
func disruptionBudget(s *stack, r *resource) []breach {
	replicas := s.replicas(r)
	if replicas == 0 {
		return nil
	}
	budgets := s.budgets(r)
	var found []breach
	switch {
	case replicas > 1 && len(budgets) == 0 && !r.pods.budgeted:
		found = append(found, breach{message: fmt.Sprintf("it has up to %d replicas and no PodDisruptionBudget", replicas)})
	case len(budgets) > 1 || len(budgets) == 1 && r.pods.budgeted:
		found = append(found, breach{message: "its pods have several PodDisruptionBudgets, so that none of them can be evicted: they must have one"})
	}
	for _, name := range slices.Sorted(maps.Keys(budgets)) {
		if blocks(budgets[name], int(max(r.pods.replicas, 1))) {
			found = append(found, breach{message: fmt.Sprintf("the PodDisruptionBudget %s never lets a pod leave its node", name)})
		}
	}
	return found
}

// budgets are the disruption budgets for the pods of a workload, by name.
func (s *stack) budgets(r *resource) map[string]policyv1.PodDisruptionBudgetSpec {
	found := map[string]policyv1.PodDisruptionBudgetSpec{}
	for _, b := range s.byKind["PodDisruptionBudget"] {
		var spec policyv1.PodDisruptionBudgetSpec
		content, _, _ := unstructured.NestedMap(b.object.Object, "spec")
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(content, &spec); err != nil {
			continue // the API server refuses it
		}
		if b.object.GetNamespace() == r.object.GetNamespace() && selects(spec.Selector, r.pods.Labels) {
			found[b.object.GetName()] = spec
		}
	}
	return found
}

func selects(s *metav1.LabelSelector, pod map[string]string) bool {
	selector, err := metav1.LabelSelectorAsSelector(s)
	return err == nil && selector.Matches(labels.Set(pod))
}

// blocks tells whether a budget forbids to evict any of so many pods.
func blocks(b policyv1.PodDisruptionBudgetSpec, replicas int) bool {
	scaled := func(v *intstr.IntOrString, up bool) int {
		n, err := intstr.GetScaledValueFromIntOrPercent(v, replicas, up)
		if err != nil {
			return 0
		}
		return n
	}
	switch {
	case b.MaxUnavailable != nil:
		return scaled(b.MaxUnavailable, true) == 0
	case b.MinAvailable != nil:
		return scaled(b.MinAvailable, true) >= replicas
	}
	return replicas <= 1 // at least one has to stay
}

// spread wants replicas in several zones, or at least on several nodes.
func spread(s *stack, r *resource) []breach {
	if s.replicas(r) < 2 || overZones(r.pods) || apart(r.pods) {
		return nil
	}
	return []breach{{message: fmt.Sprintf("its replicas may all run in one place: add topologySpreadConstraints over %s, or "+
		"anti-affinity, that select its own pods", corev1.LabelTopologyZone)}}
}

func overZones(p *pods) bool {
	return slices.ContainsFunc(p.Spec.TopologySpreadConstraints, func(c corev1.TopologySpreadConstraint) bool {
		return c.TopologyKey == corev1.LabelTopologyZone && selects(c.LabelSelector, p.Labels)
	})
}

func apart(p *pods) bool {
	if p.Spec.Affinity == nil || p.Spec.Affinity.PodAntiAffinity == nil {
		return false
	}
	anti := p.Spec.Affinity.PodAntiAffinity
	terms := slices.Clone(anti.RequiredDuringSchedulingIgnoredDuringExecution)
	for _, weighted := range anti.PreferredDuringSchedulingIgnoredDuringExecution {
		terms = append(terms, weighted.PodAffinityTerm)
	}
	return slices.ContainsFunc(terms, func(t corev1.PodAffinityTerm) bool {
		return (t.TopologyKey == corev1.LabelTopologyZone || t.TopologyKey == corev1.LabelHostname) && selects(t.LabelSelector, p.Labels)
	})
}
