package verify

import (
	"crypto/x509"
	"encoding/pem"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Certificates is cert-manager's resource.
var Certificates = schema.GroupVersionResource{Group: "cert-manager.io", Version: "v1", Resource: "certificates"}

// Issuance has the platform's issuer sign a certificate in namespace and verifies it with the bundle that the
// namespace reader got. It returns the root that verified it.
func (c *Cluster) Issuance(namespace, reader string) *x509.Certificate {
	c.T.Helper()
	host := "app." + namespace + ".svc"
	leaf, chain := c.Issue(namespace, "leaf", host, "ClusterIssuer", "platform-ca")
	var root *x509.Certificate
	require.EventuallyWithT(c.T, func(t *assert.CollectT) {
		chains, err := leaf.Verify(x509.VerifyOptions{DNSName: host, Roots: c.Trusted(reader), Intermediates: chain})
		if assert.NoError(t, err) {
			root = chains[0][len(chains[0])-1]
		}
	}, Patience, 200*time.Millisecond, "the certificate verifies with the bundle of another namespace")
	return root
}

// Issue requests a certificate for host and returns it together with what else its Secret holds.
func (c *Cluster) Issue(namespace, name, host, issuerKind, issuer string) (*x509.Certificate, *x509.CertPool) {
	c.T.Helper()
	_, err := c.Dynamic.Resource(Certificates).Namespace(namespace).Create(c.Context(), &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "metadata": map[string]any{"name": name},
		"spec": map[string]any{
			"secretName": name + "-tls", "dnsNames": []any{host},
			"privateKey": map[string]any{"rotationPolicy": "Always"},
			"issuerRef":  map[string]any{"name": issuer, "kind": issuerKind, "group": "cert-manager.io"},
		},
	}}, metav1.CreateOptions{})
	require.NoError(c.T, err)
	var issued []*x509.Certificate
	require.EventuallyWithT(c.T, func(t *assert.CollectT) {
		secret, err := c.Clients.CoreV1().Secrets(namespace).Get(c.Context(), name+"-tls", metav1.GetOptions{})
		if assert.NoError(t, err) {
			issued = c.parse(string(secret.Data["tls.crt"]))
			assert.NotEmpty(t, issued)
		}
	}, Patience, 200*time.Millisecond, "certificate %s/%s is issued", namespace, name)
	chain := x509.NewCertPool()
	for _, above := range issued[1:] {
		chain.AddCert(above)
	}
	return issued[0], chain
}

// Trusted is the bundle that a namespace got.
func (c *Cluster) Trusted(namespace string) *x509.CertPool {
	c.T.Helper()
	pool := x509.NewCertPool()
	require.EventuallyWithT(c.T, func(t *assert.CollectT) {
		bundle, err := c.Clients.CoreV1().ConfigMaps(namespace).Get(c.Context(), "platform-trust", metav1.GetOptions{})
		if !assert.NoError(t, err) {
			return
		}
		roots := c.parse(bundle.Data["ca-certificates.crt"])
		assert.Greater(t, len(roots), 100, "the platform CA and the public roots")
		for _, r := range roots {
			pool.AddCert(r)
		}
	}, Patience, 200*time.Millisecond, "the bundle is in namespace %s", namespace)
	return pool
}

func (c *Cluster) parse(text string) []*x509.Certificate {
	c.T.Helper()
	var all []*x509.Certificate
	for rest := []byte(text); ; {
		block, next := pem.Decode(rest)
		if block == nil {
			return all
		}
		parsed, err := x509.ParseCertificate(block.Bytes)
		require.NoError(c.T, err)
		all, rest = append(all, parsed), next
	}
}
