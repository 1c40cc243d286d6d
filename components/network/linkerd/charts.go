package linkerd

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/telekom/controlplane-infrastructure/internal/artifact"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
)

// definitions are those of Linkerd, and of the Gateway API where nobody else installs them. There cannot be two owners
// of one definition, whatever the chart's defaults are.
func (b *builder) definitions() (manifest.Set, error) {
	values := map[string]any{}
	if !b.args.GatewayAPI {
		values["installGatewayAPI"] = true
	}
	set, err := b.render("linkerd-crds", Namespace, b.args.CRDs, values)
	if err != nil || !b.args.GatewayAPI {
		return set, err
	}
	_, own := set.Split(func(o *manifest.Object) bool { return strings.HasSuffix(o.GetName(), ".gateway.networking.k8s.io") })
	return own, nil
}

// networkPlugin is the agent on each node. Pods that a node started before it had the plugin would never work: its
// repair controller has them created again.
func (b *builder) networkPlugin() (manifest.Set, error) {
	return b.render("linkerd-cni", CNINamespace, b.args.CNI, map[string]any{
		"priorityClassName": "system-node-critical",
		"repairController":  map[string]any{"enabled": true},
	})
}

// controlPlane is Linkerd itself, with the names of images that a transform gives them.
func (b *builder) controlPlane() (manifest.Set, error) {
	values := b.values()
	set, err := b.render("linkerd-control-plane", Namespace, b.args.ControlPlane, values)
	if err != nil {
		return set, err
	}
	// What is put into pods later is named in Linkerd's own configuration, where no transform looks for images.
	image, err := b.proxyImage(set)
	if err != nil || image == "" {
		return set, err
	}
	values["proxy"].(map[string]any)["image"] = map[string]any{"name": image}
	return b.render("linkerd-control-plane", Namespace, b.args.ControlPlane, values)
}

// values are those of the chart's own values-ha.yaml when zonal, except for what all our workloads have in common. No
// usage data is sent.
func (b *builder) values() map[string]any {
	values := map[string]any{
		"controllerReplicas": b.args.Replicas,
		"cniEnabled":         true,
		"disableHeartBeat":   true,
		"identity": map[string]any{
			"externalCA": true, "issuer": map[string]any{"scheme": "kubernetes.io/tls"},
		},
		"proxyInjector":    b.webhookValues("linkerd-proxy-injector"),
		"profileValidator": b.webhookValues("linkerd-sp-validator"),
		"policyValidator":  b.webhookValues("linkerd-policy-validator"),
		"proxy": map[string]any{
			"nativeSidecar": true, // else Jobs would never end, and init containers have no network
			"resources": map[string]any{
				"cpu": map[string]any{"request": "100m"}, "memory": map[string]any{"request": "20Mi", "limit": "250Mi"},
			},
		},
		"podMonitor": map[string]any{
			"enabled": b.args.ServiceMonitors, "serviceMirror": map[string]any{"enabled": false},
		},
	}
	if b.args.Availability == workload.Zonal {
		values["webhookFailurePolicy"] = "Fail"
		values["deploymentStrategy"] = map[string]any{
			"rollingUpdate": map[string]any{"maxUnavailable": 1, "maxSurge": "25%"},
		}
	}
	return values
}

// webhookValues have a webhook use a certificate of ours, and be called for the namespaces of the mesh only: should
// Linkerd be down, nothing waits for it that it has no business with, least of all what it needs to come back.
func (b *builder) webhookValues(service string) map[string]any {
	namespaces := slices.Sorted(slices.Values(b.args.Enrolled))
	if len(namespaces) == 0 {
		namespaces = []string{Namespace} // where there is nothing to do; an empty list is not allowed
	}
	return map[string]any{
		"externalSecret": true,
		"injectCaFrom":   Namespace + "/" + webhooks[service],
		"namespaceSelector": map[string]any{"matchExpressions": []any{
			map[string]any{"key": corev1.LabelMetadataName, "operator": "In", "values": namespaces},
			map[string]any{"key": noWebhooks, "operator": "NotIn", "values": []any{"disabled"}},
		}},
	}
}

// render renders a chart and applies what every workload of this component has in common.
func (b *builder) render(release, namespace string, chart *artifact.Tree, values map[string]any) (manifest.Set, error) {
	set, err := manifest.Chart{Tree: chart, Release: release, Namespace: namespace, Values: values}.Render()
	if err != nil {
		return set, err
	}
	return b.args.Workloads(set, b.args.Classes.Resources(workload.Operator))
}

// proxyImage is the name that the transforms give to the image of the proxies, without its tag; empty: they leave it.
func (b *builder) proxyImage(set manifest.Set) (string, error) {
	injector := set.Find("Deployment", "linkerd-proxy-injector")
	if injector == nil {
		return "", fmt.Errorf("the chart linkerd-control-plane has no Deployment linkerd-proxy-injector")
	}
	before, err := imageOf(injector)
	if err != nil {
		return "", err
	}
	transformed := manifest.Set{Objects: []*manifest.Object{injector.DeepCopy()}}
	if err := transformed.Transform(b.args.Transforms...); err != nil {
		return "", err
	}
	after, err := imageOf(transformed.Objects[0])
	if err != nil || after == before {
		return "", err
	}
	name, tag := after[:strings.LastIndex(after, ":")], before[strings.LastIndex(before, ":"):]
	if name+tag != after {
		return "", fmt.Errorf("image %s becomes %s, with another tag: Linkerd takes its version from elsewhere", before, after)
	}
	return name, nil
}

// imageOf is the image of the proxy in a pod of the control plane.
func imageOf(o *manifest.Object) (string, error) {
	image := ""
	err := workload.EditPod(func(_ *manifest.Object, pod *corev1.PodTemplateSpec) error {
		for _, container := range slices.Concat(pod.Spec.InitContainers, pod.Spec.Containers) {
			if container.Name == "linkerd-proxy" && strings.Contains(container.Image, ":") {
				image = container.Image
			}
		}
		return nil
	})(o.DeepCopy())
	if err == nil && image == "" {
		err = fmt.Errorf("%s has no proxy with an image of a version", o)
	}
	return image, err
}
