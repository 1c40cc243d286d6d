package certtrust

import (
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
)

// controlPlaneLabels are what the Control Plane's own parts look for on its namespace. The Control Plane's manifests
// name the same namespace: with server-side apply each side owns only what it sets.
var controlPlaneLabels = map[string]string{
	"app.kubernetes.io/name":            ControlPlaneNamespace,
	"cp.ei.telekom.de/secret-manager":   "enabled",
	"cp.ei.telekom.de/file-manager":     "enabled",
	"cp.ei.telekom.de/controlplane-api": "enabled",
}

// namespaces are those of cert-manager and of the Control Plane. The latter must exist before trust-manager, which
// reads the sources of bundles there.
func (b *builder) namespaces() (manifest.Set, error) {
	return manifest.Typed(
		workload.Namespace(Namespace, nil),
		workload.Namespace(ControlPlaneNamespace, controlPlaneLabels),
	)
}
