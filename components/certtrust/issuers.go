package certtrust

import (
	"crypto/sha256"
	"encoding/hex"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/telekom/controlplane-infrastructure/internal/certmanager"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
)

const (
	rootIssuer = "platform-root" // signs nothing but the root itself
	rootSecret = "platform-ca"

	controlPlaneIssuer = "controlplane-issuer" // the name that the Control Plane looks for
	acmeAccountSecret  = "public-acme-account"
)

// secret names the Secret that holds the CA's key pair in cert-manager's namespace. Another CA has another name, and
// so have the certificates below it that are made here: cert-manager would take one that is still valid for good, and
// leave it with the CA that was before.
func (ca CA) secret() string {
	switch {
	case ca.SelfSigned != nil:
		return rootSecret
	case ca.KeyPair != nil:
		return rootSecret + "-" + ca.KeyPair.fingerprint()
	}
	return ca.SecretName
}

// fingerprint tells key pairs apart.
func (p KeyPair) fingerprint() string {
	sum := sha256.Sum256([]byte(p.Certificate))
	return hex.EncodeToString(sum[:4])
}

// authority is the platform CA: its key pair, where it is not there already, and the ClusterIssuer that signs with it.
func (b *builder) authority() (manifest.Set, error) {
	ca := b.args.CA
	issuer, err := manifest.Typed(certmanager.ClusterIssuer(PlatformIssuer, map[string]any{"ca": map[string]any{"secretName": ca.secret()}}))
	if err != nil {
		return issuer, err
	}
	var pair manifest.Set
	switch {
	case ca.SelfSigned != nil:
		pair, err = manifest.Typed(certmanager.ClusterIssuer(rootIssuer, map[string]any{"selfSigned": map[string]any{}}), root(*ca.SelfSigned))
	case ca.KeyPair != nil:
		pair, err = keyPair(Namespace, ca.secret(), *ca.KeyPair)
	}
	return manifest.Merge(pair, issuer), err
}

// root is a certificate that signs itself. Only cert-manager ever sees its private key.
func root(s SelfSigned) runtime.Object {
	key := map[string]any{"algorithm": s.KeyAlgorithm, "rotationPolicy": s.RotationPolicy}
	if s.KeySize > 0 {
		key["size"] = int64(s.KeySize)
	}
	spec := map[string]any{
		"isCA": true, "commonName": s.CommonName, "secretName": rootSecret,
		"duration": s.Duration, "renewBefore": s.RenewBefore, "privateKey": key,
		"usages":    []any{"cert sign", "crl sign", "digital signature"},
		"issuerRef": certmanager.IssuerRef(rootIssuer, "ClusterIssuer"),
	}
	if s.Organization != "" {
		spec["subject"] = map[string]any{"organizations": []any{s.Organization}}
	}
	return certmanager.Certificate(Namespace, rootSecret, spec)
}

// bundle is what workloads trust. Its source is a certificate that the platform CA has signed, in the one namespace
// that trust-manager reads: its Secret carries the CA's certificate, but not the CA's key. It is renewed every hour, to
// follow a CA that is renewed or that somebody else replaces.
func (b *builder) bundle() (manifest.Set, error) {
	var objects []runtime.Object
	anchor := b.args.CA.secret() + "-anchor"
	source := map[string]any{"secret": map[string]any{"name": anchor, "key": "ca.crt"}}
	if pair := b.args.CA.KeyPair; pair != nil {
		source = map[string]any{"inLine": pair.Certificate}
	} else {
		objects = append(objects, certmanager.Certificate(ControlPlaneNamespace, anchor, map[string]any{
			"secretName": anchor,
			"dnsNames":   []any{"platform-trust-anchor." + ControlPlaneNamespace + ".svc"},
			"duration":   "24h", "renewBefore": "23h", "revisionHistoryLimit": int64(1),
			"privateKey": map[string]any{"algorithm": "ECDSA", "size": int64(256), "rotationPolicy": "Always"},
			"issuerRef":  certmanager.IssuerRef(PlatformIssuer, "ClusterIssuer"),
		}))
	}
	sources := []any{source}
	if b.args.Bundle.PublicRoots {
		sources = append(sources, map[string]any{"useDefaultCAs": true})
	}
	if b.args.Bundle.Additional != "" {
		sources = append(sources, map[string]any{"inLine": b.args.Bundle.Additional})
	}
	objects = append(objects, manifest.Custom("trust.cert-manager.io/v1alpha1", "Bundle", "", b.args.Bundle.Name, "condition=Synced",
		map[string]any{
			"sources": sources,
			"target": map[string]any{
				"configMap":         map[string]any{"key": b.args.Bundle.Key},
				"namespaceSelector": map[string]any{"matchLabels": map[string]any{BundleLabel: BundleLabelValue}},
			},
		}))
	return manifest.Typed(objects...)
}

// acmeIssuer is the issuer for public host names, if there is one.
func (b *builder) acmeIssuer() (manifest.Set, error) {
	a := b.args.ACME
	if a == nil {
		return manifest.Set{}, nil
	}
	solver := map[string]any{"http01": map[string]any{"ingress": map[string]any{"ingressClassName": a.IngressClassName}}}
	if r := a.Route53; r != nil {
		zone := map[string]any{"region": r.Region, "hostedZoneID": r.HostedZoneID}
		if r.Role != "" {
			zone["role"] = r.Role
		}
		solver = map[string]any{"dns01": map[string]any{"route53": zone}}
	}
	acme := map[string]any{
		"server": a.Server, "email": a.Email, "solvers": []any{solver},
		"privateKeySecretRef": map[string]any{"name": acmeAccountSecret},
	}
	if a.CABundle != "" {
		acme["caBundle"] = encode(a.CABundle)
	}
	return manifest.Typed(certmanager.ClusterIssuer(PublicIssuer, map[string]any{"acme": acme}))
}

// controlPlaneIssuer is the issuer that the Control Plane uses when its certificates are to come from outside. Nothing
// else of the Control Plane's own certificates is made here.
func (b *builder) controlPlaneIssuer() (manifest.Set, error) {
	c := b.args.ControlPlaneIssuer
	if c == nil {
		return manifest.Set{}, nil
	}
	ca, secret, err := b.controlPlaneCA(c.KeyPair)
	if err != nil {
		return ca, err
	}
	issuer, err := manifest.Typed(certmanager.Issuer(ControlPlaneNamespace, controlPlaneIssuer,
		map[string]any{"ca": map[string]any{"secretName": secret}}))
	return manifest.Merge(ca, issuer), err
}

// controlPlaneCA is what the issuer signs with, and the Secret that holds it: the given key pair, or an intermediate CA
// of the platform's.
func (b *builder) controlPlaneCA(pair *KeyPair) (manifest.Set, string, error) {
	if pair != nil {
		secret := controlPlaneIssuer + "-" + pair.fingerprint()
		set, err := keyPair(ControlPlaneNamespace, secret, *pair)
		return set, secret, err
	}
	secret := controlPlaneIssuer + "-" + b.args.CA.secret()
	set, err := manifest.Typed(certmanager.Certificate(ControlPlaneNamespace, secret, map[string]any{
		"isCA": true, "commonName": "Control Plane CA", "secretName": secret,
		"duration": "43800h", "renewBefore": "8760h", // five years, the last one for the renewal
		"privateKey": map[string]any{"algorithm": "ECDSA", "size": int64(384), "rotationPolicy": "Never"},
		"issuerRef":  certmanager.IssuerRef(PlatformIssuer, "ClusterIssuer"),
	}))
	return set, secret, err
}
