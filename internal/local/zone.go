package local

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/ptr"
)

// noticing is how long the controllers and the scheduler get to learn that nodes are gone, before the pods on those go.
// What they decide before they know would send new pods to nodes that are no more.
const noticing = 300 * time.Millisecond

// LoseZone takes the zone's machines away, as a failure does: their nodes are removed, as a cloud's controller does when it
// finds the machines gone, their processes are killed, and their pods are removed without a grace period. It returns when
// nothing of the zone is left. Volumes in the zone stay, and so do the pods that are bound to them, pending.
//
// Pods of nodes that are gone are removed by the pod garbage collector, which first waits for 40 to 60 seconds, by constants
// of its own. LoseZone does it in its place, at once: what happens then is the same, and only the wait is spared.
func (c *ControlPlane) LoseZone(ctx context.Context, zone string) error {
	client, lost, err := c.zone(zone)
	if err != nil {
		return err
	}
	for _, name := range lost {
		err := client.CoreV1().Nodes().Delete(ctx, name, metav1.DeleteOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			return fmt.Errorf("lose zone %s: %w", zone, err)
		}
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(noticing):
	}
	missing, err := await(ctx, func(ctx context.Context) string { return c.removePods(ctx, client, lost) })
	if missing != "" {
		return fmt.Errorf("lose zone %s: after %s: %s", zone, startTimeout, missing)
	}
	return err
}

// RestoreZone brings the machines of a lost zone back, empty, and returns when they take pods.
func (c *ControlPlane) RestoreZone(ctx context.Context, zone string) error {
	client, _, err := c.zone(zone)
	if err != nil {
		return err
	}
	err = createNodes(ctx, client, c.zones, c.nodeCount, func(n *corev1.Node) bool { return n.Labels[corev1.LabelTopologyZone] == zone })
	if err != nil {
		return fmt.Errorf("restore zone %s: %w", zone, err)
	}
	of := metav1.ListOptions{LabelSelector: corev1.LabelTopologyZone + "=" + zone}
	missing, err := await(ctx, func(ctx context.Context) string { return notReady(ctx, client, of) })
	if missing != "" {
		return fmt.Errorf("restore zone %s: after %s: %s", zone, startTimeout, missing)
	}
	return err
}

// zone returns the names of the zone's nodes, whether they are there or not.
func (c *ControlPlane) zone(zone string) (*kubernetes.Clientset, []string, error) {
	var names []string
	for _, node := range nodes(c.zones, c.nodeCount, "") {
		if node.Labels[corev1.LabelTopologyZone] == zone {
			names = append(names, node.Name)
		}
	}
	if len(names) == 0 {
		return nil, nil, fmt.Errorf("the local control plane has no zone %q: it has %v", zone, c.zones)
	}
	client, err := kubernetes.NewForConfig(c.rest)
	return client, names, err
}

// removePods removes all pods on nodes that are no more, and tells what is left of them.
func (c *ControlPlane) removePods(ctx context.Context, client kubernetes.Interface, lost []string) string {
	pods, err := client.CoreV1().Pods(metav1.NamespaceAll).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err.Error()
	}
	left := ""
	for _, pod := range pods.Items {
		if !slices.Contains(lost, pod.Spec.NodeName) {
			continue
		}
		left = fmt.Sprintf("pod %s/%s is still there", pod.Namespace, pod.Name)
		err := client.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, metav1.DeleteOptions{
			GracePeriodSeconds: ptr.To[int64](0), Preconditions: metav1.NewUIDPreconditions(string(pod.UID)),
		})
		if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
			left = err.Error()
		}
	}
	if left != "" {
		return left
	}
	for _, pod := range c.Pods() {
		if slices.Contains(lost, pod.Node) {
			return fmt.Sprintf("pod %s/%s still has a process: %d", pod.Namespace, pod.Name, pod.PID)
		}
	}
	return ""
}
