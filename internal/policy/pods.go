package policy

import (
	"fmt"
	"maps"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/telekom/controlplane-infrastructure/internal/manifest"
)

// pods are those that an object has run: by Kubernetes itself, or by an operator from a custom resource.
type pods struct {
	corev1.PodTemplateSpec
	replicas int64
	// replicated is false for pods of which each node, or each run, has one.
	replicated bool
	// budgeted says that an operator makes the disruption budget.
	budgeted bool
	// unnamed are the containers whose image is an operator's own affair.
	unnamed map[string]bool
}

// containers are all of them, init containers included.
func (p *pods) containers() []corev1.Container {
	return append(append([]corev1.Container{}, p.Spec.InitContainers...), p.Spec.Containers...)
}

// podsOf decodes the pods of an object, or returns nil.
func podsOf(o *manifest.Object) (*pods, error) {
	if path := manifest.PodPath(o); path != nil {
		return templatePods(o, path)
	}
	switch o.GroupVersionKind().GroupKind().String() {
	case "Prometheus.monitoring.coreos.com", "Alertmanager.monitoring.coreos.com":
		return monitoringPods(o)
	case "Cluster.postgresql.cnpg.io":
		return databasePods(o)
	case "Pooler.postgresql.cnpg.io":
		return poolerPods(o)
	}
	return nil, nil
}

// templatePods are the pods of a workload of Kubernetes' own.
func templatePods(o *manifest.Object, path []string) (*pods, error) {
	p := &pods{replicas: count(o.Object, "spec", "replicas"), replicated: o.GetKind() == "Deployment" || o.GetKind() == "StatefulSet"}
	template := o.Object
	if len(path) > 0 {
		template, _, _ = unstructured.NestedMap(o.Object, path...)
	}
	return p, convert(o, map[string]any{"metadata": template["metadata"], "spec": template["spec"]}, &p.PodTemplateSpec)
}

// monitoringPods are the pods that the Prometheus operator makes. It labels them by the kind and the name of the resource.
func monitoringPods(o *manifest.Object) (*pods, error) {
	spec, _, _ := unstructured.NestedMap(o.Object, "spec")
	p := &pods{replicas: count(spec, "replicas"), replicated: true}
	kind := strings.ToLower(o.GetKind())
	labels, _, _ := unstructured.NestedStringMap(spec, "podMetadata", "labels")
	p.Labels = map[string]string{}
	maps.Copy(p.Labels, labels)
	maps.Copy(p.Labels, map[string]string{
		"app.kubernetes.io/name": kind, "app.kubernetes.io/instance": o.GetName(),
		"app.kubernetes.io/managed-by": "prometheus-operator", kind: o.GetName(),
	})
	return p, convert(o, map[string]any{
		"containers": []any{map[string]any{"name": kind, "image": spec["image"], "resources": spec["resources"]}},
		"affinity":   spec["affinity"], "topologySpreadConstraints": spec["topologySpreadConstraints"],
	}, &p.Spec)
}

// databasePods are the instances that the operator of CloudNativePG makes. It makes their budgets unless told not to, and
// keeps them apart by a notation of its own.
func databasePods(o *manifest.Object) (*pods, error) {
	spec, _, _ := unstructured.NestedMap(o.Object, "spec")
	own, told, _ := unstructured.NestedBool(spec, "enablePDB")
	p := &pods{replicas: count(spec, "instances"), replicated: true, budgeted: own || !told}
	p.Labels = map[string]string{"cnpg.io/cluster": o.GetName(), "cnpg.io/podRole": "instance", "app.kubernetes.io/component": "database"}
	if err := convert(o, map[string]any{
		"containers":                []any{map[string]any{"name": "postgres", "image": spec["imageName"], "resources": spec["resources"]}},
		"topologySpreadConstraints": spec["topologySpreadConstraints"],
	}, &p.Spec); err != nil {
		return nil, err
	}
	if apart, told, _ := unstructured.NestedBool(spec, "affinity", "enablePodAntiAffinity"); apart || !told {
		topology := text(spec, "affinity", "topologyKey")
		if topology == "" {
			topology = corev1.LabelHostname
		}
		p.Spec.Affinity = &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{
			RequiredDuringSchedulingIgnoredDuringExecution: []corev1.PodAffinityTerm{{
				TopologyKey: topology, LabelSelector: &metav1.LabelSelector{MatchLabels: p.Labels},
			}},
		}}
	}
	return p, nil
}

// poolerPods are the pods in front of a database. The operator adds the images to their template.
func poolerPods(o *manifest.Object) (*pods, error) {
	spec, _, _ := unstructured.NestedMap(o.Object, "spec")
	p := &pods{replicas: count(spec, "instances"), replicated: true, unnamed: map[string]bool{}}
	template, _, _ := unstructured.NestedMap(spec, "template")
	if err := convert(o, template, &p.PodTemplateSpec); err != nil {
		return nil, err
	}
	if p.Labels == nil {
		p.Labels = map[string]string{}
	}
	p.Labels["cnpg.io/poolerName"] = o.GetName()
	for _, c := range p.Spec.InitContainers {
		p.unnamed[c.Name] = c.Image == ""
	}
	for i, c := range p.Spec.Containers {
		if c.Name == "pgbouncer" && c.Image == "" {
			p.Spec.Containers[i].Image = text(spec, "pgbouncer", "image")
		}
	}
	return p, nil
}

// count is a number of pods, which is one where nothing is said.
func count(from map[string]any, path ...string) int64 {
	n, found, err := unstructured.NestedInt64(from, path...)
	if err != nil || !found {
		return 1
	}
	return n
}

func convert(o *manifest.Object, from map[string]any, into any) error {
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(from, into); err != nil {
		return fmt.Errorf("%s: decode its pods: %w", o, err)
	}
	return nil
}
