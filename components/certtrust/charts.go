package certtrust

import (
	"strings"

	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
)

// trustPackageTag is the version of the public root certificates that the pinned trust-manager was released with.
const trustPackageTag = "20250419.2"

// certManager is cert-manager's chart. Its post-install hook asks the API to issue a certificate; it comes last in the
// set and counts as part of it.
func (b *builder) certManager() (manifest.Set, error) {
	cm := b.args.CertManager
	values := map[string]any{
		"crds": map[string]any{"enabled": true, "keep": false},
		// Leader election next to the controllers, not in kube-system: no rights outside of the own namespace.
		"global":       map[string]any{"leaderElection": map[string]any{"namespace": Namespace}},
		"replicaCount": cm.ControllerReplicas,
		"webhook":      map[string]any{"replicaCount": cm.WebhookReplicas},
		"cainjector":   map[string]any{"replicaCount": cm.CAInjectorReplicas},
		// The check includes pulling the images of a first installation.
		"startupapicheck": map[string]any{"timeout": "5m"},
		"prometheus": map[string]any{
			"enabled": true, "servicemonitor": map[string]any{"enabled": cm.ServiceMonitor},
		},
	}
	if len(cm.RecursiveNameservers) > 0 {
		values["dns01RecursiveNameservers"] = strings.Join(cm.RecursiveNameservers, ",")
		values["dns01RecursiveNameserversOnly"] = true
	}
	return b.render(manifest.Chart{
		Tree: cm.Chart, Release: "cert-manager", Namespace: Namespace,
		Version: cm.Chart.Version, AppVersion: cm.Chart.Version, Values: values,
	})
}

// trustManager is trust-manager's chart.
func (b *builder) trustManager() (manifest.Set, error) {
	tm := b.args.TrustManager
	return b.render(manifest.Chart{
		Tree: tm.Chart, Release: "trust-manager", Namespace: Namespace,
		Version: tm.Chart.Version, AppVersion: tm.Chart.Version,
		Values: map[string]any{
			"crds":                      map[string]any{"enabled": true, "keep": false},
			"replicaCount":              tm.Replicas,
			"defaultPackage":            map[string]any{"enabled": b.args.Bundle.PublicRoots},
			"defaultPackageImage":       map[string]any{"tag": trustPackageTag},
			"filterExpiredCertificates": map[string]any{"enabled": true},
			"app": map[string]any{
				"trust": map[string]any{"namespace": ControlPlaneNamespace},
				// By default it is a port of API servers, which network policies cannot tell from those where they are not known.
				"webhook": map[string]any{"port": trustWebhookPort},
				"metrics": map[string]any{"service": map[string]any{
					"servicemonitor": map[string]any{"enabled": tm.ServiceMonitor},
				}},
			},
		},
	})
}

// render renders a chart and applies what every workload of this component has in common.
func (b *builder) render(chart manifest.Chart) (manifest.Set, error) {
	set, err := chart.Render()
	if err != nil {
		return set, err
	}
	if err := set.Transform(
		b.args.Classes.Resources(workload.Operator), workload.Spread(b.args.Availability), workload.Restrict(),
	); err != nil {
		return set, err
	}
	return workload.Budgets(set)
}
