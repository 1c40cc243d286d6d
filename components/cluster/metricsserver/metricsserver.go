package metricsserver

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	corev1 "k8s.io/api/core/v1"

	"github.com/telekom/controlplane-infrastructure/internal/certmanager"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
)

// Type is the component's type token.
const Type = "controlplane:cluster:MetricsServer"

// MetricsServer is the API of what nodes and pods use.
type MetricsServer struct {
	pulumi.ResourceState
	manifest.Members
}

// New provisions the component, on a cluster that issues certificates.
func New(ctx *pulumi.Context, name string, args Args, opts ...pulumi.ResourceOption) (*MetricsServer, error) {
	if err := args.Check(); err != nil {
		return nil, err
	}
	m := &MetricsServer{}
	if err := ctx.RegisterComponentResource(Type, name, m, opts...); err != nil {
		return nil, fmt.Errorf("register %s: %w", name, err)
	}
	if err := args.build(args.Registrar(ctx, m)); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return m, ctx.RegisterResourceOutputs(m, pulumi.Map{})
}

func (a Args) build(reg *manifest.Registrar) error {
	namespace, err := reg.Step(func() (manifest.Set, error) {
		return manifest.Typed(a.Namespaces.Objects(Namespace, a.NamespaceLabels())...)
	})
	if err != nil {
		return err
	}
	certificate, err := reg.Step(func() (manifest.Set, error) {
		return manifest.Typed(certmanager.Leaf{
			Namespace: Namespace, Name: name, ClusterIssuer: a.Issuer, DNSNames: []string{host}, Usages: []string{"server auth"},
		}.Object())
	}, namespace)
	if err != nil {
		return err
	}
	_, err = reg.Step(a.objects, certificate)
	return err
}

// host is the name by which the API server and Prometheus verify it.
const host = name + "." + Namespace + ".svc"

// objects are the chart's, and what every workload of the platform has.
func (a Args) objects() (manifest.Set, error) {
	set, err := manifest.Chart{
		Tree: a.Chart, Release: name, Namespace: Namespace, Version: a.Chart.Version, AppVersion: a.version(), Values: a.values(),
	}.Render()
	if err != nil {
		return manifest.Set{}, err
	}
	if a.ServiceMonitor {
		monitor, err := manifest.Typed(a.monitor())
		if err != nil {
			return manifest.Set{}, err
		}
		set = manifest.Merge(set, monitor)
	}
	return a.Workloads(set, workload.EditPod(a.edit))
}

// version is what the image's tag says.
func (a Args) version() string {
	image, _, _ := strings.Cut(a.Image, "@")
	return strings.TrimPrefix(image[strings.LastIndex(image, ":")+1:], "v")
}

func (a Args) values() map[string]any {
	args := []any{"--tls-min-version=VersionTLS12"}
	if a.SkipKubeletVerification {
		args = append(args, "--kubelet-insecure-tls")
	}
	return map[string]any{
		"replicas": a.Replicas,
		"args":     args,
		"resources": map[string]any{
			"requests": a.Resources.Requests, "limits": a.Resources.Limits,
		},
		"revisionHistoryLimit": 3,
		"tls": map[string]any{
			"type": "existingSecret", "existingSecret": map[string]any{"name": name, "lookup": false},
		},
		"apiService": map[string]any{
			"insecureSkipTLSVerify": false,
			// The authority that has signed the certificate, whichever it is by then.
			"annotations": map[string]any{"cert-manager.io/inject-ca-from": Namespace + "/" + name},
		},
		// It tells its own metrics without asking who wants them: network policies let Prometheus in alone.
		"metrics": map[string]any{"enabled": a.ServiceMonitor},
	}
}

// edit sets what the chart has no value for.
func (a Args) edit(o *manifest.Object, pod *corev1.PodTemplateSpec) error {
	if o.GetKind() != "Deployment" || len(pod.Spec.Containers) != 1 {
		return fmt.Errorf("the chart has more than one Deployment of one container")
	}
	pod.Spec.Containers[0].Image = a.Image
	pod.Spec.EnableServiceLinks = new(false)
	pod.Spec.AutomountServiceAccountToken = new(true)
	if a.Replicas == 1 {
		pod.Spec.Tolerations = append(pod.Spec.Tolerations, workload.SoonElsewhere()...)
	}
	return nil
}
