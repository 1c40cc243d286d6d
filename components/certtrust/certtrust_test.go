package certtrust

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/telekom/controlplane-infrastructure/internal/artifact/artifacttest"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
)

// TestRootCertificatesBelongToTheRelease holds the tag of the root certificates' image to the pinned trust-manager.
func TestRootCertificatesBelongToTheRelease(t *testing.T) {
	tree := artifacttest.Fetch(t, "github.com/cert-manager/trust-manager", "make")
	data, err := fs.ReadFile(tree, "00_debian_trixie_version.mk")
	require.NoError(t, err)
	assert.Contains(t, string(data), "DEBIAN_TRIXIE_BUNDLE_VERSION := "+trustPackageTag+"\n")
}

// field reads a value out of the only object of a kind.
func field(t *testing.T, set manifest.Set, kind, name string, path ...string) any {
	t.Helper()
	o := set.Find(kind, name)
	require.NotNil(t, o, "%s %s", kind, name)
	value, found, err := unstructured.NestedFieldNoCopy(o.Object, path...)
	require.NoError(t, err)
	require.True(t, found, "%v of %s %s", path, kind, name)
	return value
}

func TestACMESolvers(t *testing.T) {
	for name, c := range map[string]struct {
		acme   ACME
		solver map[string]any
	}{
		"HTTP-01": {
			ACME{IngressClassName: "traefik"},
			map[string]any{"http01": map[string]any{"ingress": map[string]any{"ingressClassName": "traefik"}}},
		},
		"Route 53": {
			ACME{Route53: &Route53{Region: "eu-central-1", HostedZoneID: "Z1"}},
			map[string]any{"dns01": map[string]any{"route53": map[string]any{"region": "eu-central-1", "hostedZoneID": "Z1"}}},
		},
		"Route 53 with a role": {
			ACME{Route53: &Route53{Region: "eu-central-1", HostedZoneID: "Z1", Role: "arn:aws:iam::1:role/dns"}},
			map[string]any{"dns01": map[string]any{"route53": map[string]any{
				"region": "eu-central-1", "hostedZoneID": "Z1", "role": "arn:aws:iam::1:role/dns",
			}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.acme.Server, c.acme.Email, c.acme.CABundle = "https://acme.example.com/directory", "a@example.com", "PEM"
			set, err := (&builder{args: Args{ACME: &c.acme}}).acmeIssuer()
			require.NoError(t, err)
			assert.Equal(t, []any{c.solver}, field(t, set, "ClusterIssuer", "public", "spec", "acme", "solvers"))
			assert.Equal(t, "UEVN", field(t, set, "ClusterIssuer", "public", "spec", "acme", "caBundle"))
		})
	}
}

// TestAnotherCAHasOtherCertificates: a certificate below a CA must not survive a change to another CA.
func TestAnotherCAHasOtherCertificates(t *testing.T) {
	pair := func(certificate string) *KeyPair {
		return &KeyPair{Certificate: certificate, PrivateKey: pulumi.String("key")}
	}
	seen := map[string]string{}
	for name, ca := range map[string]CA{
		"self-signed": {SelfSigned: &SelfSigned{CommonName: "Root"}}, "one pair": {KeyPair: pair("one")},
		"another pair": {KeyPair: pair("another")}, "a Secret": {SecretName: "company-ca"},
	} {
		b := &builder{args: Args{CA: ca, ControlPlaneIssuer: &ControlPlaneIssuer{}}}
		set, err := b.controlPlaneIssuer()
		require.NoError(t, err)
		secret := field(t, set, "Issuer", "controlplane-issuer", "spec", "ca", "secretName").(string)
		assert.Equal(t, secret, field(t, set, "Certificate", secret, "spec", "secretName"))
		assert.Empty(t, seen[secret], "%s and %s", name, seen[secret])
		seen[secret] = name
	}
}

func TestSourcesOfTheBundle(t *testing.T) {
	anchor := map[string]any{"secret": map[string]any{"name": "company-ca-anchor", "key": "ca.crt"}}
	for name, c := range map[string]struct {
		bundle  Bundle
		sources []any
	}{
		"the CA alone":      {Bundle{}, []any{anchor}},
		"with public roots": {Bundle{PublicRoots: true}, []any{anchor, map[string]any{"useDefaultCAs": true}}},
		"with more":         {Bundle{Additional: "PEM"}, []any{anchor, map[string]any{"inLine": "PEM"}}},
	} {
		t.Run(name, func(t *testing.T) {
			c.bundle.Name, c.bundle.Key = "trust", "ca.crt"
			set, err := (&builder{args: Args{CA: CA{SecretName: "company-ca"}, Bundle: c.bundle}}).bundle()
			require.NoError(t, err)
			assert.Equal(t, c.sources, field(t, set, "Bundle", "trust", "spec", "sources"))
		})
	}
}

// TestDocumentationNamesWhatExists keeps the names in the operations guide in step with the code.
func TestDocumentationNamesWhatExists(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", "docs", "operations", "certificates.md"))
	require.NoError(t, err)
	for _, name := range []string{Namespace + "/" + rootSecret, BundleLabel + ": " + BundleLabelValue} {
		assert.Contains(t, string(data), name)
	}
}
