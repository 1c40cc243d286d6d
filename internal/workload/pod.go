package workload

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/telekom/controlplane-infrastructure/internal/manifest"
)

// EditPod lets edit change the pod template of an object, and the pod itself
// of a Pod. Objects that bear no pods stay as they are.
func EditPod(edit func(o *manifest.Object, pod *corev1.PodTemplateSpec) error) manifest.Transform {
	return func(o *manifest.Object) error {
		pod, err := podOf(o)
		if pod == nil || err != nil {
			return err
		}
		if err := edit(o, pod); err != nil {
			return err
		}
		return setPod(o, pod)
	}
}

// podOf decodes the pod template of an object; nil when it bears no pods.
func podOf(o *manifest.Object) (*corev1.PodTemplateSpec, error) {
	path := manifest.PodPath(o)
	if path == nil {
		return nil, nil
	}
	content := o.Object
	if len(path) > 0 {
		node, found, err := unstructured.NestedMap(o.Object, path...)
		if err != nil {
			return nil, fmt.Errorf("pod template: %w", err)
		}
		if !found {
			return nil, fmt.Errorf("no pod template at %s", strings.Join(path, "."))
		}
		content = node
	} else {
		content = map[string]any{"metadata": content["metadata"], "spec": content["spec"]}
	}
	pod := &corev1.PodTemplateSpec{}
	// Strict: a field that the types do not know must not get lost.
	if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(content, pod, true); err != nil {
		return nil, fmt.Errorf("decoding the pod: %w", err)
	}
	return pod, nil
}

// setPod writes a pod template back, without the empty values that Go's types
// bring along.
func setPod(o *manifest.Object, pod *corev1.PodTemplateSpec) error {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(pod)
	if err != nil {
		return fmt.Errorf("encoding the pod: %w", err)
	}
	unstructured.RemoveNestedField(content, "metadata", "creationTimestamp")
	manifest.PruneZeroStructs(content)
	path := manifest.PodPath(o)
	for _, key := range []string{"metadata", "spec"} {
		part, ok := content[key].(map[string]any)
		if !ok || len(part) == 0 {
			unstructured.RemoveNestedField(o.Object, append(path[:len(path):len(path)], key)...)
			continue
		}
		if err := unstructured.SetNestedMap(o.Object, part, append(path[:len(path):len(path)], key)...); err != nil {
			return fmt.Errorf("encoding the pod: %w", err)
		}
	}
	return nil
}

// containers returns every container of a pod, init containers included.
func containers(pod *corev1.PodTemplateSpec) []*corev1.Container {
	var all []*corev1.Container
	for i := range pod.Spec.InitContainers {
		all = append(all, &pod.Spec.InitContainers[i])
	}
	for i := range pod.Spec.Containers {
		all = append(all, &pod.Spec.Containers[i])
	}
	return all
}
