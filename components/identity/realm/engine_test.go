package realm_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optrefresh"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/components/identity/realm"
	"github.com/telekom/controlplane-infrastructure/internal/plugins"
	"github.com/telekom/controlplane-infrastructure/internal/plugins/keycloak"
	"github.com/telekom/controlplane-infrastructure/internal/plugins/plugintest"
)

// server is a Keycloak in memory, and a stack of the real engine that works in it.
type server struct {
	t     *testing.T
	file  string
	args  realm.Args
	stack auto.Stack
}

func newServer(t *testing.T, args realm.Args) *server {
	t.Helper()
	s := &server{t: t, file: filepath.Join(t.TempDir(), "keycloak.json"), args: args}
	host, err := plugins.Serve(t.Context(), plugins.Options{
		Keycloak: keycloak.Options{Memory: &keycloak.Memory{StateFile: s.file}},
	})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, host.Close()) })
	s.stack, _ = plugintest.Stack(t, "realm", map[string]string{plugins.EnvKey: host.Env()}, func(ctx *pulumi.Context) error {
		return program(s.args, admin(), func(made *realm.Realm) {
			for id, secret := range made.Secrets {
				ctx.Export(id, secret)
			}
		})(ctx)
	})
	return s
}

// up brings the stack up and returns what it did and the outputs.
func (s *server) up(options ...optup.Option) (changes map[string]int, outputs auto.OutputMap) {
	s.t.Helper()
	up, err := s.stack.Up(s.t.Context(), options...)
	require.NoError(s.t, err)
	return *up.Summary.ResourceChanges, up.Outputs
}

func (s *server) unchanged() {
	s.t.Helper()
	_, err := s.stack.Refresh(s.t.Context(), optrefresh.ExpectNoChanges())
	require.NoError(s.t, err)
	s.up(optup.ExpectNoChanges())
}

func (s *server) read() map[string]map[string]map[string]any {
	s.t.Helper()
	all := map[string]map[string]map[string]any{}
	data, err := os.ReadFile(s.file)
	require.NoError(s.t, err)
	require.NoError(s.t, json.Unmarshal(data, &all))
	return all
}

// change edits the realm and its client behind the engine's back.
func (s *server) change(edit func(settings map[string]any, client map[string]any)) {
	s.t.Helper()
	all := s.read()
	settings, client := s.rover(all, "job")
	edit(settings, client)
	data, err := json.Marshal(all)
	require.NoError(s.t, err)
	require.NoError(s.t, os.WriteFile(s.file, data, 0o600))
}

// rover returns the settings of the realm and of one of its clients.
func (s *server) rover(all map[string]map[string]map[string]any, id string) (settings, client map[string]any) {
	s.t.Helper()
	realm := all["realms"]["rover"]
	require.NotNil(s.t, realm)
	for _, c := range realm["clients"].(map[string]any) {
		if c := c.(map[string]any); c["clientId"] == id {
			return realm["realm"].(map[string]any), c
		}
	}
	require.Failf(s.t, "no such client", "%s", id)
	return nil, nil
}

func TestLifeOfARealm(t *testing.T) {
	t.Parallel()
	s := newServer(t, rich())
	ctx := t.Context()

	planned, err := s.stack.Preview(ctx)
	require.NoError(t, err)
	changes, outputs := s.up()
	assert.Equal(t, planned.ChangeSummary[apitype.OpCreate], changes["create"], "a preview shows everything")
	assert.True(t, outputs["rover"].Secret)
	assert.Len(t, outputs["rover"].Value, 32)
	assert.Equal(t, "given-by-somebody-0123456789", outputs["job"].Value)
	s.unchanged()

	t.Run("what changed by hand is put right", func(t *testing.T) {
		s.change(func(settings, client map[string]any) {
			settings["registrationAllowed"], settings["accessTokenLifespan"] = true, 86400
			client["directAccessGrantsEnabled"], client["fullScopeAllowed"] = true, true
		})
		changes, _ := s.up(optup.Refresh())
		assert.Equal(t, 2, changes["update"])
		settings, client := s.rover(s.read(), "job")
		assert.Equal(t, false, settings["registrationAllowed"])
		assert.EqualValues(t, 300, settings["accessTokenLifespan"])
		assert.Equal(t, false, client["directAccessGrantsEnabled"])
		assert.Equal(t, false, client["fullScopeAllowed"])
	})
	t.Run("changes replace nothing", func(t *testing.T) {
		_, before := s.rover(s.read(), "job")
		s.args.DisplayName, s.args.AccessTokenLifespan, s.args.SignatureAlgorithm = "Another", 10*time.Minute, "PS256"
		s.args.Roles[0].Description, s.args.ClientScopes[0].Description = "Another", "Another"
		s.args.PasswordGeneration = 2
		job, page := &s.args.Clients[1], &s.args.Clients[2]
		job.Secret = pulumi.String("given-by-somebody-else-0123456789")
		job.DefaultScopes, job.OptionalScopes, job.AccessTokenLifespan = nil, []string{"team:read"}, 0
		page.OptionalScopes, page.RedirectURIs = nil, []string{"https://app.example.com/callback"}
		changes, after := s.up()
		// The password has no other way to change than to be another one.
		assert.Equal(t, map[string]int{"update": 10, "replace": 1}, map[string]int{
			"update": changes["update"], "replace": changes["replace"],
		}, "%v", changes)
		assert.NotEqual(t, outputs["rover"].Value, after["rover"].Value)
		assert.Equal(t, "given-by-somebody-else-0123456789", after["job"].Value)
		settings, client := s.rover(s.read(), "job")
		assert.EqualValues(t, 600, settings["accessTokenLifespan"])
		assert.Equal(t, before["id"], client["id"])
		assert.NotContains(t, client["attributes"], "access.token.lifespan", "the realm's counts again")
		s.unchanged()
	})
	t.Run("a client may change from one flow to the other", func(t *testing.T) {
		logins := s.args.Clients[2]
		s.args.Clients[2] = realm.Client{ID: "page", ClientCredentials: true}
		s.args.Roles[0].Description, s.args.ClientScopes[0].Description = "", ""
		s.up()
		_, client := s.rover(s.read(), "page")
		assert.Equal(t, true, client["serviceAccountsEnabled"])
		assert.Empty(t, client["redirectUris"])
		assert.Empty(t, client["webOrigins"])
		for _, role := range s.read()["realms"]["rover"]["roles"].(map[string]any) {
			if role := role.(map[string]any); role["name"] == "writer" {
				assert.Empty(t, role["description"], "what is not said any more does not stay")
			}
		}
		s.unchanged()
		s.args.Clients[2] = logins
		s.up()
		s.unchanged()
	})
	t.Run("what is not configured any more goes", func(t *testing.T) {
		s.args.Clients = s.args.Clients[:2]
		s.args.Clients[1].Roles, s.args.Roles = nil, s.args.Roles[1:]
		changes, _ := s.up()
		assert.Equal(t, 8, changes["delete"], "a client with its scopes, role and claim, a role, and who had it: %v", changes)
	})
	t.Run("the realm stays until it is not protected any more", func(t *testing.T) {
		_, err := s.stack.Destroy(ctx)
		require.ErrorContains(t, err, "protect")
		assert.NotNil(t, s.read()["realms"]["rover"])
		plugintest.Command(t, s.stack, "state", "unprotect", "--all", "--yes")
		_, err = s.stack.Destroy(ctx)
		require.NoError(t, err)
		assert.Nil(t, s.read()["realms"]["rover"])
	})
}
