package keycloak_test

import (
	"net/http"
	"testing"

	"github.com/Nerzal/gocloak/v13"
	"github.com/pulumi/pulumi-keycloak/sdk/v5/go/keycloak"
	"github.com/pulumi/pulumi-keycloak/sdk/v5/go/keycloak/openid"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optpreview"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optrefresh"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/internal/plugins"
	plugin "github.com/telekom/controlplane-infrastructure/internal/plugins/keycloak"
	"github.com/telekom/controlplane-infrastructure/internal/plugins/keycloak/keycloaktest"
	"github.com/telekom/controlplane-infrastructure/internal/plugins/plugintest"
)

// settings are what a run of the program can change.
type settings struct {
	url, realm, lifespan string
}

// run is a program with a realm and a client that gets tokens for itself, as a typed SDK registers them.
func (s *settings) run(ctx *pulumi.Context) error {
	provider, err := keycloak.NewProvider(ctx, "keycloak", &keycloak.ProviderArgs{
		Url: pulumi.String(s.url), BasePath: pulumi.String(keycloaktest.BasePath), ClientId: pulumi.String("admin-cli"),
		Username: pulumi.String(keycloaktest.Username), InitialLogin: pulumi.Bool(false), ClientTimeout: pulumi.Int(60),
		Password: pulumi.ToSecret(pulumi.String(keycloaktest.Password)).(pulumi.StringOutput).ToStringPtrOutput(),
	})
	if err != nil {
		return err
	}
	with := pulumi.Provider(provider)
	realm, err := keycloak.NewRealm(ctx, "realm", &keycloak.RealmArgs{
		Realm: pulumi.String(s.realm), AccessTokenLifespan: pulumi.String("5m"), LoginWithEmailAllowed: pulumi.Bool(true),
		SecurityDefenses: &keycloak.RealmSecurityDefensesArgs{
			BruteForceDetection: &keycloak.RealmSecurityDefensesBruteForceDetectionArgs{MaxLoginFailures: pulumi.Int(5)},
		},
	}, with)
	if err != nil {
		return err
	}
	if _, err := keycloak.NewRealmEvents(ctx, "events", &keycloak.RealmEventsArgs{
		RealmId: realm.ID(), EventsEnabled: pulumi.Bool(true), EventsExpiration: pulumi.Int(3600),
	}, with); err != nil {
		return err
	}
	role, err := keycloak.NewRole(ctx, "role", &keycloak.RoleArgs{RealmId: realm.ID(), Name: pulumi.String("driver")}, with)
	if err != nil {
		return err
	}
	return s.client(ctx, realm, role, with)
}

func (s *settings) client(ctx *pulumi.Context, realm *keycloak.Realm, role *keycloak.Role, with pulumi.ResourceOption) error {
	scope, err := openid.NewClientScope(ctx, "scope", &openid.ClientScopeArgs{
		RealmId: realm.ID(), Name: pulumi.String("rover:read"),
	}, with)
	if err != nil {
		return err
	}
	client, err := openid.NewClient(ctx, "client", &openid.ClientArgs{
		RealmId: realm.ID(), ClientId: pulumi.String("rover"), Name: pulumi.String("Rover"),
		AccessType: pulumi.String("CONFIDENTIAL"), ServiceAccountsEnabled: pulumi.Bool(true),
		FullScopeAllowed: pulumi.Bool(false), AccessTokenLifespan: pulumi.String(s.lifespan),
	}, with)
	if err != nil {
		return err
	}
	ctx.Export("secret", client.ClientSecret)
	if _, err := openid.NewClientDefaultScopes(ctx, "default", &openid.ClientDefaultScopesArgs{
		RealmId: realm.ID(), ClientId: client.ID(),
		DefaultScopes: pulumi.StringArray{pulumi.String("basic"), pulumi.String("roles"), scope.Name},
	}, with); err != nil {
		return err
	}
	if _, err := keycloak.NewGenericRoleMapper(ctx, "scope", &keycloak.GenericRoleMapperArgs{
		RealmId: realm.ID(), ClientId: client.ID(), RoleId: role.ID(),
	}, with); err != nil {
		return err
	}
	_, err = openid.NewClientServiceAccountRealmRole(ctx, "role", &openid.ClientServiceAccountRealmRoleArgs{
		RealmId: realm.ID(), ServiceAccountUserId: client.ServiceAccountUserId, Role: role.Name,
	}, with)
	return err
}

func TestAProgramIsBroughtUpTwiceWithoutChanges(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	host, err := plugins.Serve(ctx, plugins.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, host.Close()) })
	program := &settings{url: "http://127.0.0.1:1", realm: "program", lifespan: "77"}
	stack, backend := plugintest.Stack(t, "program", map[string]string{plugins.EnvKey: host.Env()}, program.run)
	_, err = stack.Preview(ctx)
	require.NoError(t, err, "a preview needs no server")

	program.url = plugin.Server(t).URL
	up, err := stack.Up(ctx)
	require.NoError(t, err)
	require.True(t, up.Outputs["secret"].Secret)
	secret := up.Outputs["secret"].Value.(string)
	_, err = stack.Up(ctx, optup.ExpectNoChanges())
	require.NoError(t, err)
	_, err = stack.Refresh(ctx, optrefresh.ExpectNoChanges())
	require.NoError(t, err)

	keycloak := gocloak.NewClient(program.url + keycloaktest.BasePath)
	// claims are those of a new token of the client's, once its signature is verified with the realm's keys.
	claims := func() map[string]any {
		token, err := keycloak.LoginClient(ctx, "rover", secret, program.realm)
		require.NoError(t, err)
		_, claims, err := keycloak.DecodeAccessToken(ctx, token.AccessToken, program.realm)
		require.NoError(t, err)
		return *claims
	}
	lifespan := func(claims map[string]any) float64 { return claims["exp"].(float64) - claims["iat"].(float64) }
	first := claims()
	assert.InDelta(t, 77, lifespan(first), 0)
	assert.Equal(t, map[string]any{"roles": []any{"driver"}}, first["realm_access"])
	assert.Equal(t, "rover:read", first["scope"])
	_, err = keycloak.LoginClient(ctx, "rover", "another", program.realm)
	require.ErrorContains(t, err, "401")

	admin, err := keycloak.LoginAdmin(ctx, keycloaktest.Username, keycloaktest.Password, "master")
	require.NoError(t, err)
	off, name := false, program.realm
	require.NoError(t, keycloak.UpdateRealm(ctx, admin.AccessToken, gocloak.RealmRepresentation{
		Realm: &name, BruteForceProtected: &off,
	}))
	program.lifespan = "66"
	preview, err := stack.Preview(ctx, optpreview.Refresh())
	require.NoError(t, err)
	assert.Equal(t, 2, preview.ChangeSummary["update"], "the client's change, and what was done by hand: %v", preview.ChangeSummary)
	_, err = stack.Up(ctx, optup.Refresh())
	require.NoError(t, err)
	realm, err := keycloak.GetRealm(ctx, admin.AccessToken, program.realm)
	require.NoError(t, err)
	assert.True(t, *realm.BruteForceProtected)
	assert.InDelta(t, 66, lifespan(claims()), 0)

	_, err = stack.Destroy(ctx)
	require.NoError(t, err)
	_, err = keycloak.GetRealm(ctx, admin.AccessToken, program.realm)
	require.ErrorContains(t, err, "404")
	for _, hidden := range []string{secret, keycloaktest.Password} {
		assert.NotContains(t, plugintest.Written(t, backend), hidden, "no secret is written down in plain text")
	}
}

func TestAWrongPasswordIsNamedAndNotShown(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	host, err := plugins.Serve(ctx, plugins.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, host.Close()) })
	url := plugin.Server(t).URL
	stack, _ := plugintest.Stack(t, "wrong", map[string]string{plugins.EnvKey: host.Env()}, func(ctx *pulumi.Context) error {
		provider, err := keycloak.NewProvider(ctx, "keycloak", &keycloak.ProviderArgs{
			Url: pulumi.String(url), BasePath: pulumi.String(keycloaktest.BasePath), ClientId: pulumi.String("admin-cli"),
			Username: pulumi.String("admin"), Password: pulumi.String("not-the-password"),
		})
		if err != nil {
			return err
		}
		_, err = keycloak.NewRealm(ctx, "realm", &keycloak.RealmArgs{Realm: pulumi.String("never")}, pulumi.Provider(provider))
		return err
	})
	_, err = stack.Up(ctx)
	require.ErrorContains(t, err, "log in to Keycloak at "+url+" as user admin of realm master: ")
	require.ErrorContains(t, err, "Invalid user credentials")
	assert.NotContains(t, err.Error(), "not-the-password")
	assert.NotContains(t, err.Error(), http.MethodPost)
}
