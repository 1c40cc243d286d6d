package integration

import (
	"crypto/x509"
	"encoding/pem"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/telekom/controlplane-infrastructure/automation"
	"github.com/telekom/controlplane-infrastructure/internal/local/localtest"
)

// oldest is the oldest minor version of Kubernetes that is supported.
const oldest = "1.31"

// TestOtherMinors runs each stack of the project on the other end of the range of Kubernetes versions than the tests do
// that take it through its life.
func TestOtherMinors(t *testing.T) {
	for name, c := range map[string]struct {
		stack, version string
		changes        map[string]any
		look           func(*testing.T, *env)
		review         map[string]change
	}{
		"dev":    {stack: "dev", version: newest},
		"onprem": {stack: "onprem", version: newest},
		"prod, with data stores of AWS": {stack: "prod", version: oldest, look: dataStores, review: storeChanges(), changes: map[string]any{
			"storage.postgresql.backend": "rds", "storage.cache.backend": "elastiCache",
		}},
	} {
		t.Run(name+" on "+c.version, func(t *testing.T) {
			parallel(t)
			config := with(stackConfig(t, c.stack), c.changes)
			e := newEnv(t, config, localtest.Kubernetes(c.version))
			server, err := e.Clients.Discovery().ServerVersion()
			require.NoError(t, err)
			assert.Equal(t, c.version, server.Major+"."+server.Minor)
			e.up()
			if c.look != nil {
				c.look(t, e)
			}
			e.requireNoChanges(e.up())
			t.Run("rehearsal", func(t *testing.T) { rehearse(t, e, config, c.review) })
		})
	}
}

// dataStores looks at what consumers are told of databases and a cache in AWS: the same as of those in the cluster.
func dataStores(t *testing.T, e *env) {
	outputs, err := automation.Outputs(e.Context(), e.options())
	require.NoError(t, err)
	gateway := outputs["gatewayDatabase"].Value.(map[string]any)
	assert.Regexp(t, `^controlplane-test-platform\..*\.rds\.amazonaws\.com$`, gateway["host"])
	assert.Equal(t, "gateway", gateway["user"])
	redis := outputs["redis"].Value.(map[string]any)
	assert.Regexp(t, `\.cache\.amazonaws\.com$`, redis["host"])
	assert.Equal(t, true, redis["tls"])
	for _, store := range []map[string]any{gateway, redis} {
		assert.Len(t, store["password"], 32)
		assert.NotContains(t, stateOf(t, e), store["password"])
	}
	secret, err := e.Clients.CoreV1().Secrets("controlplane-system").Get(e.Context(), outputs["controlplaneDbSecretName"].Value.(string), metav1.GetOptions{})
	require.NoError(t, err)
	assert.Regexp(t, `^postgresql://controlplane:[A-Za-z0-9]{32}@controlplane-test-platform\..*:5432/controlplane\?sslmode=verify-full$`, string(secret.Data["url"]))
	bundle, err := e.Clients.CoreV1().ConfigMaps("identity").Get(e.Context(), "platform-trust", metav1.GetOptions{})
	require.NoError(t, err)
	assert.Contains(t, subjects(t, bundle.Data["ca-certificates.crt"]), "Amazon RDS eu-central-1 Root CA RSA2048 G1",
		"databases are verified by the bundle that everything else is verified by")
}

// subjects are the names of the authorities in a bundle.
func subjects(t *testing.T, bundle string) (names []string) {
	t.Helper()
	rest := []byte(bundle)
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return names
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		require.NoError(t, err)
		names = append(names, certificate.Subject.CommonName)
	}
}
