package kubernetes

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// maxReasons keeps an error readable: with a hundred pods, the hundredth says what the first has said.
const maxReasons = 6

var pods = schema.GroupVersionResource{Version: "v1", Resource: "pods"}

// explainPods says what is wrong with the pods of a workload, and what happened to it last.
func explainPods(ctx context.Context, c *cluster, workload *unstructured.Unstructured) []string {
	selector, found, _ := unstructured.NestedMap(workload.Object, "spec", "selector")
	if !found {
		return explainEvents(ctx, c, workload)
	}
	var typed metav1.LabelSelector
	if runtime.DefaultUnstructuredConverter.FromUnstructured(selector, &typed) != nil ||
		len(typed.MatchLabels)+len(typed.MatchExpressions) == 0 {
		return explainEvents(ctx, c, workload)
	}
	return limit(append(explainSelected(ctx, c, workload.GetNamespace(), metav1.FormatLabelSelector(&typed)),
		explainEvents(ctx, c, workload)...))
}

// explainSelected says what is wrong with the pods that have certain labels.
func explainSelected(ctx context.Context, c *cluster, namespace, selector string) []string {
	list, err := c.dynamic.Resource(pods).Namespace(namespace).List(ctx, metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		return nil
	}
	var reasons []string
	for i := range list.Items {
		reasons = append(reasons, explainPod(ctx, c, &list.Items[i])...)
	}
	return reasons
}

// explainPod says why a pod is not ready.
func explainPod(ctx context.Context, c *cluster, obj *unstructured.Unstructured) []string {
	var pod corev1.Pod
	if runtime.DefaultUnstructuredConverter.FromUnstructured(obj.Object, &pod) != nil {
		return nil
	}
	var reasons []string
	note := func(format string, args ...any) {
		reasons = append(reasons, fmt.Sprintf("Pod %s: "+format, append([]any{pod.Name}, args...)...))
	}
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodScheduled && condition.Status == corev1.ConditionFalse &&
			pod.Status.Phase == corev1.PodPending {
			note("%s: %s", condition.Reason, condition.Message)
		}
	}
	if pod.Status.Phase == corev1.PodFailed && pod.Status.Message != "" {
		note("%s: %s", pod.Status.Reason, pod.Status.Message)
	}
	for _, container := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		if waiting := container.State.Waiting; waiting != nil && waiting.Reason != "ContainerCreating" &&
			waiting.Reason != "PodInitializing" {
			note("container %s: %s: %s", container.Name, waiting.Reason, waiting.Message)
		}
		for _, ended := range []*corev1.ContainerStateTerminated{
			container.State.Terminated, container.LastTerminationState.Terminated,
		} {
			if ended != nil && ended.ExitCode != 0 {
				note("container %s exited with code %d: %s %s",
					container.Name, ended.ExitCode, ended.Reason, ended.Message)
			}
		}
	}
	if len(reasons) > 0 || pod.Status.Phase == corev1.PodPending {
		reasons = append(reasons, explainEvents(ctx, c, obj)...)
	}
	return limit(reasons)
}

// explainEvents returns the last warnings about an object, the latest first.
func explainEvents(ctx context.Context, c *cluster, obj *unstructured.Unstructured) []string {
	events := schema.GroupVersionResource{Version: "v1", Resource: "events"}
	list, err := c.dynamic.Resource(events).Namespace(namespaceOrDefault(obj.GetNamespace())).
		List(ctx, metav1.ListOptions{FieldSelector: fields.Set{
			"involvedObject.name": obj.GetName(), "involvedObject.kind": obj.GetKind(), "type": corev1.EventTypeWarning,
		}.String()})
	if err != nil {
		return nil
	}
	slices.SortStableFunc(list.Items, func(a, b unstructured.Unstructured) int {
		return strings.Compare(eventTime(&b), eventTime(&a))
	})
	var reasons []string
	for i := range list.Items {
		event := &list.Items[i]
		text := strings.TrimSpace(fmt.Sprintf("%s %s: %s: %s",
			obj.GetKind(), obj.GetName(), nested(event, "reason"), nested(event, "message")))
		if !slices.Contains(reasons, text) {
			reasons = append(reasons, text)
		}
	}
	return limit(reasons)
}

// eventTime is in UTC to the second, and so in the order of its text. Newer reporters do not set the last time.
func eventTime(event *unstructured.Unstructured) string {
	return cmp.Or(nested(event, "lastTimestamp"), nested(event, "metadata", "creationTimestamp"))
}

func limit(reasons []string) []string {
	if len(reasons) > maxReasons {
		return append(slices.Clip(reasons[:maxReasons]), fmt.Sprintf("and %d more", len(reasons)-maxReasons))
	}
	return reasons
}
