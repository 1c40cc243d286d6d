package node

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// report writes the status whenever it changes.
func (p *pod) report(ctx context.Context) {
	notify(p.dirty)
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.dirty:
		}
		if err := p.writeStatus(ctx); err != nil && ctx.Err() == nil && !apierrors.IsNotFound(err) {
			p.node.logf("pod %s: status: %v", p.key, err)
			pause(ctx, time.Second)
			notify(p.dirty)
		}
	}
}

func (p *pod) writeStatus(ctx context.Context) error {
	status := p.status()
	conditions := make([]map[string]any, len(status.Conditions))
	for i, c := range status.Conditions {
		conditions[i] = map[string]any{
			"type": c.Type, "status": c.Status, "lastTransitionTime": c.LastTransitionTime,
			"reason": nil, // a reason that does not apply any more has to be removed by name
		}
		if c.Reason != "" {
			conditions[i]["reason"] = c.Reason
		}
	}
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"uid": p.key.uid}, // of this pod, and not of its next namesake
		"status": struct {
			corev1.PodStatus
			Conditions []map[string]any `json:"conditions"`
		}{status, conditions},
	})
	if err != nil {
		return fmt.Errorf("status: %w", err)
	}
	_, err = p.node.client.CoreV1().Pods(p.key.Namespace).Patch(ctx, p.key.Name, types.StrategicMergePatchType, patch,
		metav1.PatchOptions{}, "status")
	return err
}

// status is what we have to say about the pod; the scheduler and others have their own conditions.
func (p *pod) status() corev1.PodStatus {
	p.mu.Lock()
	defer p.mu.Unlock()
	status := corev1.PodStatus{
		Phase:     p.phase(),
		StartTime: &p.started,
		PodIP:     p.ip,
		PodIPs:    []corev1.PodIP{{IP: p.ip}},
	}
	if ip := p.hostIP(); ip != "" {
		status.HostIP, status.HostIPs = ip, []corev1.HostIP{{IP: ip}}
	}
	for _, c := range p.init {
		status.InitContainerStatuses = append(status.InitContainerStatuses, c.status())
	}
	for _, c := range p.main {
		status.ContainerStatuses = append(status.ContainerStatuses, c.status())
	}
	initialized := !slices.ContainsFunc(p.init, func(c *container) bool { return !c.initialized() })
	ready := status.Phase == corev1.PodRunning && !slices.ContainsFunc(p.containers(), func(c *container) bool { return !c.ready })
	status.Conditions = []corev1.PodCondition{
		p.condition(corev1.PodReadyToStartContainers, p.mounted, ""),
		p.condition(corev1.PodInitialized, initialized, "ContainersNotInitialized"),
		p.condition(corev1.ContainersReady, ready, "ContainersNotReady"),
		p.condition(corev1.PodReady, ready && p.gatesOpen(), "ContainersNotReady"),
	}
	return status
}

func (p *pod) phase() corev1.PodPhase {
	over := !slices.ContainsFunc(p.main, func(c *container) bool { return !c.over && c.known })
	failed := slices.ContainsFunc(p.containers(), (*container).failed)
	switch {
	case p.ending == none && over, p.ending != none && p.allEnded():
		if failed {
			return corev1.PodFailed
		}
		return corev1.PodSucceeded
	case slices.ContainsFunc(p.init, func(c *container) bool { return c.over && c.failed() && !c.sidecar() }):
		return corev1.PodFailed
	case slices.ContainsFunc(p.init, func(c *container) bool { return !c.initialized() }) || !p.mounted:
		return corev1.PodPending
	}
	return corev1.PodRunning
}

// allEnded reports whether no process of the pod runs any more.
func (p *pod) allEnded() bool {
	return !slices.ContainsFunc(p.main, func(c *container) bool { return c.state.Terminated == nil })
}

// gatesOpen reports whether others, whom the pod names, find it ready as well.
func (p *pod) gatesOpen() bool {
	for _, gate := range p.spec.ReadinessGates {
		open := func(c corev1.PodCondition) bool {
			return c.Type == gate.ConditionType && c.Status == corev1.ConditionTrue
		}
		if !slices.ContainsFunc(p.object.Status.Conditions, open) {
			return false
		}
	}
	return true
}

// condition returns the condition with the time when it last changed.
func (p *pod) condition(kind corev1.PodConditionType, holds bool, reason string) corev1.PodCondition {
	c := corev1.PodCondition{Type: kind, Status: corev1.ConditionFalse, Reason: reason, LastTransitionTime: metav1.Now()}
	if holds {
		c.Status, c.Reason = corev1.ConditionTrue, ""
	}
	if before, known := p.conditions[kind]; known && before.Status == c.Status {
		c.LastTransitionTime = before.LastTransitionTime
	}
	p.conditions[kind] = c
	return c
}

// hostIP returns the address of the pod's node.
func (p *pod) hostIP() string {
	node, err := p.node.nodes.Get(p.spec.NodeName)
	if err != nil {
		return ""
	}
	for _, address := range node.Status.Addresses {
		if address.Type == corev1.NodeInternalIP {
			return address.Address
		}
	}
	return ""
}

// initialized reports whether the containers after this one may start.
func (c *container) initialized() bool {
	if c.sidecar() {
		return c.started
	}
	return c.over && !c.failed()
}

func (c *container) failed() bool {
	return c.state.Terminated != nil && c.state.Terminated.ExitCode != 0
}

func (c *container) status() corev1.ContainerStatus {
	started := c.started
	return corev1.ContainerStatus{
		Name:                 c.spec.Name,
		Image:                c.spec.Image,
		ImageID:              "tool://" + c.image.tool,
		ContainerID:          c.id(),
		State:                c.state,
		LastTerminationState: c.last,
		RestartCount:         c.restarts,
		Started:              &started,
		Ready:                c.ready,
	}
}

// id names the process, so that what a pod's status shows can be found on the machine.
func (c *container) id() string {
	if c.command == nil {
		return ""
	}
	return fmt.Sprintf("process://%d", c.command.Process.Pid)
}
