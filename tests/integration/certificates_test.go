package integration

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

var (
	issuers = schema.GroupVersionResource{Group: "cert-manager.io", Version: "v1", Resource: "issuers"}
	bundles = schema.GroupVersionResource{Group: "trust.cert-manager.io", Version: "v1alpha1", Resource: "bundles"}
)

// TestCertificateAuthorities changes the source of the platform CA from one to the next. Each time a certificate is
// issued in one namespace and verified with the bundle that another namespace got.
func TestCertificateAuthorities(t *testing.T) {
	parallel(t)
	given, provided := verify.NewCA(t, "Given CA"), verify.NewCA(t, "Provided CA")
	controlPlane := verify.NewCA(t, "Control Plane CA from outside")

	e := newEnv(t, small(nil))
	e.up()
	e.Namespace("reader", map[string]string{"trust.controlplane.io/bundle": "platform"})
	e.Namespace("stranger", nil)

	t.Run("self-signed", func(t *testing.T) {
		e.Namespace("self-signed", nil)
		root := e.Issuance("self-signed", "reader")
		assert.Equal(t, "Platform Root CA", root.Subject.CommonName)
		assert.NotContains(t, stateOf(t, e), "PRIVATE KEY", "the CA's key stays on the cluster")
		_, err := e.Clients.CoreV1().ConfigMaps("stranger").Get(e.Context(), "platform-trust", metav1.GetOptions{})
		assert.Error(t, err, "only namespaces that ask get the bundle")
		assert.Empty(t, controlPlaneObjects(e), "the Control Plane's PKI is its own")
	})
	t.Run("given by certificate and key", func(t *testing.T) {
		e.configure(small(map[string]any{
			"certTrust": map[string]any{
				"platformCA": map[string]any{"source": "existing", "existing": map[string]any{
					"certificate": given.Certificate, "privateKey": secret(given.Key),
				}},
				"bundle": map[string]any{"additionalCertificates": provided.Certificate}, // the one that comes next
				"controlPlaneIssuer": map[string]any{
					"certificate": controlPlane.Certificate, "privateKey": secret(controlPlane.Key),
				},
			},
		}))
		e.up()
		e.Namespace("given", nil)
		root := e.Issuance("given", "reader")
		assert.Equal(t, "Given CA", root.Subject.CommonName)
		block, _ := pem.Decode([]byte(provided.Certificate))
		next, err := x509.ParseCertificate(block.Bytes)
		require.NoError(t, err)
		_, err = next.Verify(x509.VerifyOptions{Roots: e.Trusted("reader")})
		assert.NoError(t, err, "the CA that comes next is trusted already")
		for _, ca := range []verify.CA{given, controlPlane} {
			assert.NotContains(t, stateOf(t, e), keyBody(ca.Key), "a given key is in the state only encrypted")
		}
		assert.Equal(t, []string{"controlplane-issuer"}, controlPlaneObjects(e), "the issuer and nothing else")
		leaf, _ := e.Issue("controlplane-system", "from-outside", "operator.controlplane-system.svc", "Issuer", "controlplane-issuer")
		assert.Equal(t, "Control Plane CA from outside", leaf.Issuer.CommonName)
		e.requireNoChanges(e.up())
	})
	t.Run("provided as a Secret", func(t *testing.T) {
		_, err := e.Clients.CoreV1().Secrets("cert-manager").Create(e.Context(), &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Name: "company-ca"}, Type: corev1.SecretTypeTLS,
			StringData: map[string]string{"tls.crt": provided.Certificate, "tls.key": provided.Key, "ca.crt": provided.Certificate},
		}, metav1.CreateOptions{})
		require.NoError(t, err)
		e.configure(small(map[string]any{
			"certTrust": map[string]any{
				"platformCA":         map[string]any{"source": "existing", "existing": map[string]any{"secretName": "company-ca"}},
				"controlPlaneIssuer": map[string]any{"fromPlatformCA": true},
			},
		}))
		e.up()
		e.Namespace("provided", nil)
		root := e.Issuance("provided", "reader")
		assert.Equal(t, "Provided CA", root.Subject.CommonName)
		leaf, chain := e.Issue("controlplane-system", "from-platform", "operator.controlplane-system.svc", "Issuer", "controlplane-issuer")
		_, err = leaf.Verify(x509.VerifyOptions{Roots: e.Trusted("reader"), Intermediates: chain})
		assert.NoError(t, err, "the Control Plane's certificates verify with the platform's bundle")
	})
}

// controlPlaneObjects are those objects of the Control Plane's PKI that exist.
func controlPlaneObjects(e *env) []string {
	e.t.Helper()
	owned := map[string]bool{
		"controlplane-bootstrap-issuer": true, "controlplane-root-ca": true,
		"controlplane-issuer": true, "controlplane-trust-bundle": true,
	}
	var found []string
	for _, gvr := range []schema.GroupVersionResource{verify.Certificates, issuers, clusterIssuers, bundles} {
		list, err := e.Dynamic.Resource(gvr).List(e.Context(), metav1.ListOptions{})
		require.NoError(e.t, err)
		for _, item := range list.Items {
			if owned[item.GetName()] {
				found = append(found, item.GetName())
			}
		}
	}
	return found
}

// stateOf is the stack's state as it lies on the disk.
func stateOf(t *testing.T, e *env) string {
	t.Helper()
	dir := filepath.Join(e.cp.Dir, "pulumi", "state")
	if published {
		dir = filepath.Join(e.project, "state")
	}
	var all strings.Builder
	require.NoError(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		all.Write(data)
		return err
	}))
	require.Contains(t, all.String(), "cert-manager-webhook", "the state is where it is looked for")
	return all.String()
}

// keyBody is a line of a key's PEM that appears nowhere else.
func keyBody(key string) string { return strings.Split(key, "\n")[1] }
