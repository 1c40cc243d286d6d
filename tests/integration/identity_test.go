package integration

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/telekom/controlplane-infrastructure/automation"
)

// identityProvider looks at what the stack dev hands to those who need tokens. Its pod is simulated here and its realm
// kept by the built-in plugin; both run for real in the tests of their components.
func identityProvider(t *testing.T, e *env) {
	outputs, err := automation.Outputs(e.Context(), e.options())
	require.NoError(t, err)
	const url = "https://iris.dev.controlplane.internal/auth"
	assert.Equal(t, url, outputs["irisUrl"].Value)
	assert.Equal(t, "https://iris.identity.svc:8443/auth/admin/realms", outputs["irisAdminUrl"].Value, "not from outside")
	assert.Equal(t, "admin", outputs["irisAdminUser"].Value)
	assert.Equal(t, url+"/realms/rover", outputs["trustedIssuers"].Value)

	client := outputs["roverClient"].Value.(map[string]any)
	assert.Equal(t, "rover", client["id"])
	assert.Equal(t, outputs["trustedIssuers"].Value, client["issuer"])
	for name, secret := range map[string]string{
		"irisAdminPassword": outputs["irisAdminPassword"].Value.(string), "roverClient": client["secret"].(string),
	} {
		assert.True(t, outputs[name].Secret, "%s is a secret", name)
		assert.GreaterOrEqual(t, len(secret), 32, "%s", name)
		assert.NotContains(t, stateOf(t, e), secret, "the state holds %s only encrypted", name)
	}
	for _, name := range []string{"rover-server-env", "api-env"} {
		read, err := e.Clients.CoreV1().ConfigMaps("controlplane-system").Get(e.Context(), name, metav1.GetOptions{})
		require.NoError(t, err)
		assert.Equal(t, url+"/realms/rover", read.Data["LISTENERS_EXTERNAL_JWT_TRUSTEDISSUERS"])
	}
}
