package identity_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi-random/sdk/v4/go/random"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optrefresh"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/components/identity/realm"
	"github.com/telekom/controlplane-infrastructure/internal/plugins"
	"github.com/telekom/controlplane-infrastructure/internal/plugins/plugintest"
	"github.com/telekom/controlplane-infrastructure/tests/process"
)

// lifetime is that of the access tokens of the realm rover.
const lifetime = 5 * time.Minute

// realms brings the realm rover up through the engine, on a server that runs, and keeps its client's secret.
func (i *installation) realms(t *testing.T) {
	host, err := plugins.Serve(i.t.Context(), plugins.Options{})
	require.NoError(t, err)
	i.t.Cleanup(func() { assert.NoError(i.t, host.Close()) })
	i.stack, _ = plugintest.Stack(i.t, "identity", map[string]string{plugins.EnvKey: host.Env()}, i.realmProgram)
	up, err := i.stack.Up(t.Context())
	require.NoError(t, err)
	require.True(t, up.Outputs["secret"].Secret)
	i.secret, i.grafanaSecret = up.Outputs["secret"].Value.(string), up.Outputs["grafana"].Value.(string)
	i.unchanged(t)
}

func (i *installation) unchanged(t *testing.T) {
	t.Helper()
	_, err := i.stack.Refresh(t.Context(), optrefresh.ExpectNoChanges())
	require.NoError(t, err)
	_, err = i.stack.Up(t.Context(), optup.ExpectNoChanges())
	require.NoError(t, err)
}

// realmProgram registers the realm as a stack does.
func (i *installation) realmProgram(ctx *pulumi.Context) error {
	made, err := random.NewProvider(ctx, "random", nil, pulumi.Version("4.19.0"))
	if err != nil {
		return err
	}
	admin := i.Data("Secret", "iris-admin")
	keycloak, err := realm.NewProvider(ctx, "keycloak", realm.ProviderArgs{
		URL: "https://" + i.servers[0].address + ":8443", CACertificate: i.Data("ConfigMap", process.Trust.ConfigMap)[process.Trust.Key],
		Username: admin["username"], Password: pulumi.String(admin["password"]),
	})
	if err != nil {
		return err
	}
	r, err := realm.New(ctx, "rover", realm.Args{
		Provider: keycloak, Random: made, PasswordGeneration: 1, BaseURL: publicURL, Name: "rover",
		AccessTokenLifespan: lifetime, SessionIdleTimeout: 30 * time.Minute, SessionMaxLifespan: 10 * time.Hour,
		SignatureAlgorithm: "RS256",
		BruteForce:         realm.BruteForce{MaxFailures: 10, WaitIncrement: time.Minute, MaxWait: 15 * time.Minute},
		Events:             realm.Events{Retention: 7 * 24 * time.Hour, Admin: true},
		Roles:              []realm.Role{{Name: grafanaRoles.Admin}, {Name: grafanaRoles.Viewer}, {Name: "other"}},
		Clients:            []realm.Client{{ID: "rover", ClientCredentials: true}, grafanaClient()},
	})
	if err != nil {
		return err
	}
	ctx.Export("secret", r.Secrets["rover"])
	ctx.Export("grafana", r.Secrets["grafana"])
	return nil
}

// drift changes the realm and the client by hand, and has the program repair them.
func (i *installation) drift(t *testing.T) {
	realmURL := internalURL + "/admin/realms/rover"
	var clients []map[string]any
	i.administer(t, http.MethodGet, realmURL+"/clients?clientId=rover", nil, &clients)
	require.Len(t, clients, 1)
	clientURL := realmURL + "/clients/" + clients[0]["id"].(string)

	i.administer(t, http.MethodPut, realmURL, map[string]any{"accessTokenLifespan": 86400, "bruteForceProtected": false}, nil)
	clients[0]["directAccessGrantsEnabled"] = true
	i.administer(t, http.MethodPut, clientURL, clients[0], nil)
	up, err := i.stack.Up(t.Context(), optup.Refresh())
	require.NoError(t, err)
	assert.Equal(t, 2, (*up.Summary.ResourceChanges)["update"])

	settings, client := map[string]any{}, map[string]any{}
	i.administer(t, http.MethodGet, realmURL, nil, &settings)
	assert.EqualValues(t, lifetime.Seconds(), settings["accessTokenLifespan"])
	assert.Equal(t, true, settings["bruteForceProtected"])
	i.administer(t, http.MethodGet, clientURL, nil, &client)
	assert.Equal(t, false, client["directAccessGrantsEnabled"])
	i.unchanged(t)
}

// administer sends a request to the administration's API.
func (i *installation) administer(t *testing.T, method, url string, body, answer any) {
	t.Helper()
	content, err := json.Marshal(body)
	require.NoError(t, err)
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(string(content)))
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer "+i.adminToken(i.servers[0], internalURL))
	request.Header.Set("Content-Type", "application/json")
	response, err := i.client(i.servers[0]).Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Less(t, response.StatusCode, http.StatusBadRequest, "%s %s: %s", method, url, text)
	if answer != nil {
		require.NoError(t, json.Unmarshal(text, answer))
	}
}

// tokens are those of the client: from one server, with keys from another.
func (i *installation) tokens(t *testing.T) {
	realmURL := internalURL + "/realms/rover"
	status, body := i.get(i.servers[1], realmURL+"/.well-known/openid-configuration", nil)
	require.Equal(t, http.StatusOK, status, body)
	var discovery struct {
		Issuer  string `json:"issuer"`
		KeysURL string `json:"jwks_uri"`
	}
	require.NoError(t, json.Unmarshal([]byte(body), &discovery))
	assert.Equal(t, publicURL+"/realms/rover", discovery.Issuer)

	answer, err := send(t.Context(), i.client(i.servers[0]), tokenURL(internalURL, "rover"), credentials("rover", i.secret))
	require.NoError(t, err)
	claims := i.verified(i.servers[1], answer["access_token"].(string), discovery.KeysURL)
	assert.Equal(t, discovery.Issuer, claims["iss"])
	assert.Equal(t, "rover", claims["azp"])
	assert.InDelta(t, lifetime.Seconds(), claims["exp"].(float64)-claims["iat"].(float64), 0)

	_, err = send(t.Context(), i.client(i.servers[0]), tokenURL(internalURL, "rover"), credentials("rover", "a-wrong-one"))
	assert.ErrorContains(t, err, "401")
}
