package postgresql

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/telekom/controlplane-infrastructure/internal/artifact"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
)

// operator registers CloudNativePG in two steps. Its webhook configurations come first, against the usual order: at its
// start the operator writes its certificate into them, and ends with an error where they are missing. That also makes
// its readiness mean that the API server can reach and verify it, so a Cluster can be created right away.
func (b *builder) operator(namespaces *manifest.Group) (*manifest.Group, error) {
	set, err := b.prepare(b.args.Operator.Manifest, workload.EditPod(func(_ *manifest.Object, pod *corev1.PodTemplateSpec) error {
		pin(pod)
		return nil
	}))
	if err != nil {
		return nil, fmt.Errorf("operator: %w", err)
	}
	deployment := set.Find("Deployment", "cnpg-controller-manager")
	if deployment == nil {
		return nil, fmt.Errorf("operator: no Deployment cnpg-controller-manager in %s", b.args.Operator.Manifest.Origin)
	}
	if err := unstructured.SetNestedField(deployment.Object, int64(b.args.Operator.Replicas), "spec", "replicas"); err != nil {
		return nil, fmt.Errorf("operator: replicas: %w", err)
	}
	if set, err = workload.Budgets(set); err != nil {
		return nil, fmt.Errorf("operator: %w", err)
	}
	if b.args.Operator.PodMonitor {
		monitor, err := podMonitor(OperatorNamespace, "cnpg-controller-manager",
			map[string]any{"app.kubernetes.io/name": "cloudnative-pg"}, map[string]any{"port": "metrics"})
		if err != nil {
			return nil, err
		}
		set = manifest.Merge(set, monitor)
	}
	webhooks, rest := set.Split(func(o *manifest.Object) bool { return strings.HasSuffix(o.GetKind(), "WebhookConfiguration") })
	configurations, err := b.reg.RegisterAfter(webhooks, namespaces)
	if err != nil {
		return nil, err
	}
	return b.reg.RegisterAfter(rest, namespaces, configurations)
}

// backupPlugin registers the Barman Cloud plugin, if there is one. Its certificates come from its own self-signed
// issuer and stay so: plugin and operator each accept exactly the other's certificate, where with certificates of a
// common authority every client of the platform could pass for the operator.
func (b *builder) backupPlugin(operator *manifest.Group) (*manifest.Group, error) {
	plugin := b.args.BackupPlugin
	if plugin == nil {
		return operator, nil
	}
	set, err := b.prepare(plugin.Manifest, workload.EditPod(func(_ *manifest.Object, pod *corev1.PodTemplateSpec) error {
		return plugin.configure(pod)
	}))
	if err != nil {
		return nil, fmt.Errorf("backup plugin: %w", err)
	}
	identity, rest := set.Split(func(o *manifest.Object) bool {
		return strings.HasPrefix(o.GetAPIVersion(), "cert-manager.io/")
	})
	for _, o := range identity.Objects {
		o.SetAnnotations(map[string]string{"pulumi.com/waitFor": "condition=Ready"})
	}
	// The only Secret of the manifest holds the name of an image, which configure has replaced.
	_, rest = rest.Split(func(o *manifest.Object) bool { return o.GetKind() == "Secret" })
	certificates, err := b.reg.RegisterAfter(identity, operator)
	if err != nil {
		return nil, err
	}
	return b.reg.RegisterAfter(rest, operator, certificates)
}

// configure gives the plugin its released images and lets it log what matters. A second replica would stand by without
// being ready, so there is one; the operator can do nothing with a cluster while it is away, not even make a replica the
// primary, so it leaves a failed node soon.
func (p *BackupPlugin) configure(pod *corev1.PodTemplateSpec) error {
	pin(pod)
	pod.Spec.Tolerations = append(pod.Spec.Tolerations, workload.SoonElsewhere()...)
	for i := range pod.Spec.Containers {
		container := &pod.Spec.Containers[i]
		container.Image = p.Image
		for j, arg := range container.Args {
			if strings.HasPrefix(arg, "--log-level=") {
				container.Args[j] = "--log-level=info"
			}
		}
		for j, variable := range container.Env {
			if variable.Name == "SIDECAR_IMAGE" {
				container.Env[j] = corev1.EnvVar{Name: variable.Name, Value: p.SidecarImage}
				return nil
			}
		}
	}
	return fmt.Errorf("no container reads SIDECAR_IMAGE in %s", p.Manifest.Origin)
}

// pin removes from an operator's containers what the platform decides: resources come from its class, and an image
// that is named by its version need not be asked for at each start.
func pin(pod *corev1.PodTemplateSpec) {
	for i := range pod.Spec.Containers {
		pod.Spec.Containers[i].Resources = corev1.ResourceRequirements{}
		pod.Spec.Containers[i].ImagePullPolicy = corev1.PullIfNotPresent
	}
}

// prepare reads a manifest and applies what every operator has in common. The namespace in it is ours to describe.
func (b *builder) prepare(tree *artifact.Tree, edit manifest.Transform) (manifest.Set, error) {
	set, err := manifest.ParseTree(tree)
	if err != nil {
		return set, err
	}
	_, set = set.Split(func(o *manifest.Object) bool { return o.GetKind() == "Namespace" })
	return set, set.Transform(
		edit, b.args.Classes.Resources(workload.Operator), workload.Spread(b.args.Availability), workload.Restrict(),
	)
}
