// Package certmanager writes cert-manager's custom resources.
package certmanager

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/telekom/controlplane-infrastructure/internal/manifest"
)

const (
	version = "cert-manager.io/v1"
	// ready is what makes these resources count as created.
	ready = "condition=Ready"
)

// IssuerRef is a reference to an Issuer or a ClusterIssuer.
func IssuerRef(name, kind string) map[string]any {
	return map[string]any{"name": name, "kind": kind, "group": "cert-manager.io"}
}

// ClusterIssuer issues certificates in every namespace.
func ClusterIssuer(name string, spec map[string]any) *unstructured.Unstructured {
	return manifest.Custom(version, "ClusterIssuer", "", name, ready, spec)
}

// Issuer issues certificates in its namespace.
func Issuer(namespace, name string, spec map[string]any) *unstructured.Unstructured {
	return manifest.Custom(version, "Issuer", namespace, name, ready, spec)
}

// Certificate asks for a certificate.
func Certificate(namespace, name string, spec map[string]any) *unstructured.Unstructured {
	return manifest.Custom(version, "Certificate", namespace, name, ready, spec)
}

// Leaf is a certificate for a server or a client. It lies in the Secret of the certificate's name, as tls.crt, tls.key
// and ca.crt, and is valid for 90 days, of which the last 30 are for its renewal. The private key is new each time.
type Leaf struct {
	Namespace, Name string
	// ClusterIssuer signs it, or Issuer if that is set.
	ClusterIssuer, Issuer string
	// CommonName is for client certificates; servers are known by DNSNames.
	CommonName string
	DNSNames   []string
	// Usages are what the key is for, such as "server auth" and "client auth".
	Usages []string
	// SecretLabels are set on the Secret.
	SecretLabels map[string]string
}

// Object is the custom resource.
func (l Leaf) Object() *unstructured.Unstructured {
	issuer := IssuerRef(l.ClusterIssuer, "ClusterIssuer")
	if l.Issuer != "" {
		issuer = IssuerRef(l.Issuer, "Issuer")
	}
	spec := map[string]any{
		"secretName": l.Name, "issuerRef": issuer,
		"duration": "2160h", "renewBefore": "720h", "revisionHistoryLimit": int64(1),
		"privateKey": map[string]any{"algorithm": "ECDSA", "size": int64(256), "rotationPolicy": "Always"},
		"usages":     list(append([]string{"digital signature"}, l.Usages...)),
	}
	if l.CommonName != "" {
		spec["commonName"] = l.CommonName
	}
	if len(l.DNSNames) > 0 {
		spec["dnsNames"] = list(l.DNSNames)
	}
	if len(l.SecretLabels) > 0 {
		labels := map[string]any{}
		for key, value := range l.SecretLabels {
			labels[key] = value
		}
		spec["secretTemplate"] = map[string]any{"labels": labels}
	}
	return Certificate(l.Namespace, l.Name, spec)
}

func list(texts []string) []any {
	values := make([]any, len(texts))
	for i, text := range texts {
		values[i] = text
	}
	return values
}
