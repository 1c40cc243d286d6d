package node_test

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/internal/local/acmetest"
)

// The self check of cert-manager and the validation of the ACME server both reach the solver's process through its
// Ingress.
func TestACMEIssuesByHTTP01(t *testing.T) {
	withCertManager(t)
	server := acmetest.Start(t, cluster)
	ns := namespace(t, nil)
	create(t,
		`{apiVersion: cert-manager.io/v1, kind: Issuer, metadata: {name: acme, namespace: `+ns+`},
		  spec: {acme: {server: "`+server.Directory+`", caBundle: `+base64.StdEncoding.EncodeToString(server.CABundle)+`,
		    privateKeySecretRef: {name: account}, solvers: [{http01: {ingress: {ingressClassName: any}}}]}}}`,
		`{apiVersion: cert-manager.io/v1, kind: Certificate, metadata: {name: public, namespace: `+ns+`},
		  spec: {dnsNames: [www.example.test], secretName: public, issuerRef: {name: acme}}}`)

	chain := secret(t, ns, "public").Data["tls.crt"]
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(server.Roots(t)))
	_, rest := pem.Decode(chain)
	between.AppendCertsFromPEM(rest)
	_, err := certificate(t, chain).Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, DNSName: "www.example.test"})
	assert.NoError(t, err, "the certificate is not the ACME server's")
}

func TestIngressWithoutRuleIsNotAnswered(t *testing.T) {
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, cluster.Ingress+"/", nil)
	require.NoError(t, err)
	request.Host = "nobody.example.test"
	response, err := http.DefaultTransport.RoundTrip(request)
	require.NoError(t, err)
	defer response.Body.Close()
	assert.Equal(t, http.StatusBadGateway, response.StatusCode)
}
