package linkerd

import (
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/telekom/controlplane-infrastructure/internal/certmanager"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
)

const (
	// certManagerNamespace is where cert-manager looks for the keys of ClusterIssuers. The anchor's key is there, out of
	// reach of Linkerd, which does not need it.
	certManagerNamespace = "cert-manager"

	rootIssuer  = "linkerd-trust-root" // signs nothing but the anchor itself
	trustAnchor = "linkerd-trust-anchor"

	// AnchorLabel with the value AnchorPrevious is on ConfigMaps, in the Control Plane's namespace, with certificates that
	// are trusted next to the anchor's under the key BundleKey.
	AnchorLabel    = "mesh.controlplane.io/trust-anchor"
	AnchorPrevious = "previous"
	// BundleKey is where the control plane and the ConfigMaps have certificates.
	BundleKey = "ca-bundle.crt"

	// The names that Linkerd looks for.
	trustRoots     = "linkerd-identity-trust-roots"
	identityIssuer = "linkerd-identity-issuer"
)

// webhooks are the Secrets of the webhooks' certificates, by the Service that the API server calls.
var webhooks = map[string]string{
	"linkerd-proxy-injector":   "linkerd-proxy-injector-k8s-tls",
	"linkerd-sp-validator":     "linkerd-sp-validator-k8s-tls",
	"linkerd-policy-validator": "linkerd-policy-validator-k8s-tls",
}

// trustAnchor is what all identities in the mesh go back to: a certificate that signs itself, and the ClusterIssuer that
// signs with it. It is renewed with the same key, so that whoever trusts the old certificate trusts what is signed by the
// new one. For another key, see the operations guide.
func (b *builder) trustAnchor() (manifest.Set, error) {
	return manifest.Typed(
		certmanager.Issuer(certManagerNamespace, rootIssuer, map[string]any{"selfSigned": map[string]any{}}),
		certmanager.Certificate(certManagerNamespace, trustAnchor, map[string]any{
			"isCA": true, "commonName": "root.linkerd.cluster.local", "secretName": trustAnchor,
			"duration": "87600h", "renewBefore": "8760h", // ten years, the last one for the renewal
			"privateKey": key("Never"), "usages": []any{"cert sign", "crl sign"},
			"issuerRef": certmanager.IssuerRef(rootIssuer, "Issuer"),
		}),
		certmanager.ClusterIssuer(trustAnchor, map[string]any{"ca": map[string]any{"secretName": trustAnchor}}),
	)
}

// certificates are those that the control plane works with, and the bundle that verifies the mesh's.
func (b *builder) certificates() (manifest.Set, error) {
	objects := []runtime.Object{identity(), anchorCopy(b.args.ControlPlaneNamespace), bundle()}
	for _, service := range slices.Sorted(maps.Keys(webhooks)) {
		certificate, err := webhook(service, webhooks[service], b.args.Issuer)
		if err != nil {
			return manifest.Set{}, err
		}
		objects = append(objects, certificate)
	}
	return manifest.Typed(objects...)
}

// identity is what the control plane signs the certificates of pods with. They last for a day, and nobody shall hold one
// whose issuer has ended: so the issuer is renewed when a little more than a day is left.
func identity() runtime.Object {
	return certmanager.Certificate(Namespace, identityIssuer, map[string]any{
		"isCA": true, "commonName": "identity.linkerd.cluster.local", "secretName": identityIssuer,
		"dnsNames": []any{"identity.linkerd.cluster.local"},
		"duration": "48h", "renewBefore": "25h", "revisionHistoryLimit": int64(1),
		"privateKey": key("Always"), "usages": []any{"cert sign", "crl sign", "server auth", "client auth"},
		"issuerRef": certmanager.IssuerRef(trustAnchor, "ClusterIssuer"),
	})
}

// anchorCopy carries the anchor's certificate, but not its key, to the one namespace that trust-manager reads. It is
// renewed every hour, to follow the anchor.
func anchorCopy(namespace string) runtime.Object {
	return certmanager.Certificate(namespace, trustAnchor, map[string]any{
		"secretName": trustAnchor, "dnsNames": []any{trustAnchor + "." + namespace + ".svc"},
		"duration": "24h", "renewBefore": "23h", "revisionHistoryLimit": int64(1),
		"privateKey": key("Always"),
		"issuerRef":  certmanager.IssuerRef(trustAnchor, "ClusterIssuer"),
	})
}

// bundle is what proxies trust, where Linkerd looks for it: the anchor, and those that the operator adds.
func bundle() runtime.Object {
	return manifest.Custom("trust.cert-manager.io/v1alpha1", "Bundle", "", trustRoots, "condition=Synced", map[string]any{
		"sources": []any{
			map[string]any{"secret": map[string]any{"name": trustAnchor, "key": "ca.crt"}},
			map[string]any{"configMap": map[string]any{
				"selector": map[string]any{"matchLabels": map[string]any{AnchorLabel: AnchorPrevious}}, "key": BundleKey,
			}},
		},
		"target": map[string]any{
			"configMap":         map[string]any{"key": BundleKey},
			"namespaceSelector": map[string]any{"matchLabels": map[string]any{"kubernetes.io/metadata.name": Namespace}},
		},
	})
}

// webhook is the certificate of a webhook. The policy controller reads no key but in PKCS #8.
func webhook(service, secret, issuer string) (runtime.Object, error) {
	certificate := certmanager.Leaf{
		Namespace: Namespace, Name: secret, ClusterIssuer: issuer,
		DNSNames: []string{service + "." + Namespace + ".svc"}, Usages: []string{"server auth"},
	}.Object()
	if err := unstructured.SetNestedField(certificate.Object, "PKCS8", "spec", "privateKey", "encoding"); err != nil {
		return nil, fmt.Errorf("certificate %s: %w", secret, err)
	}
	return certificate, nil
}

// key is of the only sort that Linkerd takes.
func key(rotation string) map[string]any {
	return map[string]any{"algorithm": "ECDSA", "size": int64(256), "rotationPolicy": rotation}
}
