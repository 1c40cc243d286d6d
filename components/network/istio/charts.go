package istio

import (
	"fmt"
	"maps"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/telekom/controlplane-infrastructure/internal/artifact"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
)

// base is the chart with Istio's resource definitions and a webhook.
func (b *builder) base() (manifest.Set, error) {
	return b.render("istio-base", Namespace, b.args.Base, nil)
}

// istiod is the control plane. It is replicated by the profile, not by an autoscaler, and its budget is the platform's.
func (b *builder) istiod() (manifest.Set, error) {
	set, err := b.render("istiod", Namespace, b.args.Istiod, map[string]any{
		"autoscaleEnabled":        false,
		"replicaCount":            b.args.Replicas,
		"trustedZtunnelNamespace": NodeNamespace,
		"env":                     b.gatewayAPI(),
		"global":                  map[string]any{"defaultPodDisruptionBudget": map[string]any{"enabled": false}},
	})
	if err != nil {
		return set, err
	}
	// It serves the configuration of the mesh over an API: the chart's own request, 2 GiB, is for a thousand services.
	return b.workloads(set, serviceMonitor(), reset(), b.args.Classes.Resources(workload.APIServer))
}

// gatewayAPI tells istiod whether the Gateway API is its business. The chart gives it fewer rights if not.
func (b *builder) gatewayAPI() map[string]any {
	if b.args.GatewayAPI {
		return nil
	}
	return map[string]any{
		"PILOT_ENABLE_GATEWAY_API":                       "false",
		"PILOT_ENABLE_GATEWAY_API_STATUS":                "false",
		"PILOT_ENABLE_GATEWAY_API_DEPLOYMENT_CONTROLLER": "false",
	}
}

// cni is the agent on each node that leads the traffic of pods to ztunnel.
func (b *builder) cni() (manifest.Set, error) {
	set, err := b.render("istio-cni", NodeNamespace, b.args.CNI, nil)
	if err != nil {
		return set, err
	}
	return b.workloads(set, podMonitor(agent.Pods, "istio-cni", "metrics"), b.args.Classes.Resources(workload.Operator))
}

// ztunnel is the proxy on each node. It carries everybody's traffic, as a gateway does; what it requests is the chart's.
func (b *builder) ztunnel() (manifest.Set, error) {
	set, err := b.render("ztunnel", NodeNamespace, b.args.Ztunnel, map[string]any{
		"istioNamespace": Namespace, "hub": b.hub, "tag": b.args.Tag,
	})
	if err != nil {
		return set, err
	}
	return b.workloads(set, podMonitor(ztunnel.Pods, "ztunnel", "ztunnel-stats"), b.args.Classes.Resources(workload.Gateway))
}

// workloads applies to a chart what holds for all workloads, and adds what has Prometheus ask them.
func (b *builder) workloads(set manifest.Set, monitor runtime.Object, more ...manifest.Transform) (manifest.Set, error) {
	set, err := b.args.Workloads(set, more...)
	if err != nil || !b.args.ServiceMonitors {
		return set, err
	}
	monitors, err := manifest.Typed(monitor)
	return manifest.Merge(set, monitors), err
}

// render renders one of the charts with what all of them are told.
func (b *builder) render(release, namespace string, chart *artifact.Tree, values map[string]any) (manifest.Set, error) {
	global := map[string]any{"istioNamespace": Namespace, "hub": b.hub, "tag": b.args.Tag, "enableReaderRBAC": false}
	all := map[string]any{"profile": "ambient"}
	if b.args.Platform != "" {
		all["platform"] = b.args.Platform
		global["platform"] = b.args.Platform
	}
	for key, value := range values {
		if nested, ok := value.(map[string]any); ok && key == "global" {
			maps.Copy(global, nested)
			continue
		}
		all[key] = value
	}
	all["global"] = global
	set, err := manifest.Chart{
		Tree: chart, Release: release, Namespace: namespace,
		Version: chart.Version, AppVersion: b.args.Tag, Values: all,
	}.Render()
	if err != nil {
		return set, err
	}
	return set, set.Transform(leaveToIstiod)
}

// leaveToIstiod leaves the failure policy of validating webhooks to istiod, which lets them fail open until it answers,
// and closed from then on. Source: pkg/webhooks/validation/controller of Istio.
func leaveToIstiod(o *manifest.Object) error {
	if o.GetKind() == "ValidatingWebhookConfiguration" {
		o.Options = append(o.Options, pulumi.IgnoreChanges([]string{"webhooks[*].failurePolicy"}))
	}
	return nil
}

// reset takes away what a chart requests, for the class of the workload to say it.
func reset() manifest.Transform {
	return workload.EditPod(func(_ *manifest.Object, pod *corev1.PodTemplateSpec) error {
		for i := range pod.Spec.Containers {
			pod.Spec.Containers[i].Resources = corev1.ResourceRequirements{}
		}
		return nil
	})
}

// mirrored is the hub after the image mirror. istiod names images of its own in what it makes at run time, where no
// transform sees them.
func (b *builder) mirrored() (string, error) {
	const image = "/pilot"
	set, err := manifest.Typed(&corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "image", Namespace: Namespace},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "image", Image: b.args.Hub + image}}},
	})
	if err != nil {
		return "", err
	}
	if err := set.Transform(b.args.Transforms...); err != nil {
		return "", fmt.Errorf("hub %s: %w", b.args.Hub, err)
	}
	pod := corev1.Pod{}
	if err := set.Objects[0].Decode(&pod); err != nil {
		return "", fmt.Errorf("hub %s: %w", b.args.Hub, err)
	}
	return strings.TrimSuffix(pod.Spec.Containers[0].Image, image), nil
}
