package certtrust

import "github.com/telekom/controlplane-infrastructure/internal/manifest"

// controlPlaneLabels are what the Control Plane's own parts look for on its namespace. The Control Plane's manifests
// name the same namespace: with server-side apply each side owns only what it sets.
var controlPlaneLabels = map[string]string{
	"app.kubernetes.io/name":            ControlPlaneNamespace,
	"cp.ei.telekom.de/secret-manager":   "enabled",
	"cp.ei.telekom.de/file-manager":     "enabled",
	"cp.ei.telekom.de/controlplane-api": "enabled",
}

// namespaces are those of cert-manager and of the Control Plane. The latter must exist before trust-manager, which
// reads the sources of bundles there; it has no network policies of ours, because the Control Plane brings its own.
func (b *builder) namespaces() (manifest.Set, error) {
	return manifest.Typed(append(b.args.Namespaces.Objects(Namespace, nil),
		b.args.Namespaces.Open(ControlPlaneNamespace, controlPlaneLabels))...)
}
