package integration

import (
	"crypto/x509"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/internal/local/acmetest"
)

// TestACME has an ACME server certify a public host name: the server asks the host for the challenge's answer by HTTP,
// through the ingress, and finds the answer of a solver that cert-manager has started.
func TestACME(t *testing.T) {
	parallel(t)
	withIngress := func(config map[string]any) map[string]any {
		config["network"] = map[string]any{}
		return small(config)
	}
	e := newEnv(t, withIngress(map[string]any{}))
	server := acmetest.Start(t, e.cp)
	acme := map[string]any{
		"server": server.Directory, "email": "platform@example.com", "caBundle": string(server.CABundle),
		"http01": map[string]any{"ingressClassName": "traefik"},
	}
	e.configure(withIngress(map[string]any{"certTrust": map[string]any{"acme": acme}}))
	up := e.up()
	assert.Equal(t, "public", up.Outputs["publicIssuer"])
	assert.Equal(t, "platform-ca", up.Outputs["issuer"], "names inside the cluster are still the platform CA's")

	e.Namespace("web", nil)
	leaf, chain := e.Issue("web", "site", "www.example.com", "ClusterIssuer", "public")
	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(server.Roots(t)))
	_, err := leaf.Verify(x509.VerifyOptions{DNSName: "www.example.com", Roots: roots, Intermediates: chain})
	require.NoError(t, err, "the certificate is the ACME server's")
	e.requireNoChanges(e.up())

	// There is no Route 53 here, but cert-manager's webhook says whether it would take such an issuer.
	delete(acme, "http01")
	acme["route53"] = map[string]any{"region": "eu-central-1", "hostedZoneID": "Z0123456789ABCDEFGHIJ"}
	e.configure(withIngress(map[string]any{"certTrust": map[string]any{"acme": acme}}))
	assert.Equal(t, []string{"kubernetes:cert-manager.io/v1:ClusterIssuer public"}, objects(e.preview(), "update"))
}
