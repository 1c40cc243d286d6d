package realm_test

import (
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/components/identity/realm"
)

func TestRealmIsSecureAsItIs(t *testing.T) {
	settings := record(t, rover(), admin(), nil).inputs(t, "Realm rover")
	for _, off := range []string{
		"registrationAllowed", "registrationEmailAsUsername", "resetPasswordAllowed", "rememberMe", "editUsernameAllowed",
		"duplicateEmailsAllowed", "userManagedAccess",
	} {
		assert.Equal(t, false, settings[off], off)
	}
	assert.Equal(t, "external", settings["sslRequired"])
	assert.Contains(t, settings["passwordPolicy"], "length(12)")
	assert.Equal(t, true, settings["revokeRefreshToken"], "a refresh token works once")
	assert.EqualValues(t, 0, settings["refreshTokenMaxReuse"])
	assert.Equal(t, true, settings["offlineSessionMaxLifespanEnabled"], "no session is for ever")
	defenses := settings["securityDefenses"].(map[string]any)
	force := defenses["bruteForceDetection"].(map[string]any)
	assert.Equal(t, false, force["permanentLockout"], "nobody can shut out somebody else for good")
	assert.EqualValues(t, 10, force["maxLoginFailures"])
	assert.EqualValues(t, 60, force["waitIncrementSeconds"])
	assert.EqualValues(t, 900, force["maxFailureWaitSeconds"])
	assert.Contains(t, defenses["headers"].(map[string]any)["contentSecurityPolicy"], "frame-ancestors 'self'")
}

func TestLifetimes(t *testing.T) {
	args := rich()
	args.AccessTokenLifespan = 90 * time.Second
	r := record(t, args, admin(), nil)
	settings := r.inputs(t, "Realm rover")
	assert.Equal(t, "1m30s", settings["accessTokenLifespan"], "as the plugin reads it back")
	assert.Equal(t, "1m30s", settings["accessTokenLifespanForImplicitFlow"])
	assert.Equal(t, "30m0s", settings["ssoSessionIdleTimeout"])
	assert.Equal(t, "10h0m0s", settings["ssoSessionMaxLifespan"])
	assert.Equal(t, "ES256", settings["defaultSignatureAlgorithm"])
	assert.Equal(t, "60", r.inputs(t, "Client rover/job")["accessTokenLifespan"])
	assert.Equal(t, "", r.inputs(t, "Client rover/rover")["accessTokenLifespan"], "as the realm says")
}

func TestEventsAreKeptForATime(t *testing.T) {
	r := record(t, rover(), admin(), nil)
	events := r.inputs(t, "RealmEvents rover")
	assert.Equal(t, true, events["eventsEnabled"])
	assert.EqualValues(t, 604800, events["eventsExpiration"])
	assert.Equal(t, true, events["adminEventsEnabled"])
	assert.Equal(t, false, events["adminEventsDetailsEnabled"], "details may hold secrets")
	assert.Equal(t, map[string]any{"adminEventsExpiration": "604800"}, r.inputs(t, "Realm rover")["attributes"])
	assert.Subset(t, events["enabledEventTypes"], []any{"LOGIN", "LOGIN_ERROR", "CLIENT_LOGIN_ERROR", "REFRESH_TOKEN_ERROR"})
	for _, everyday := range []any{"CLIENT_LOGIN", "CODE_TO_TOKEN", "REFRESH_TOKEN", "INTROSPECT_TOKEN"} {
		assert.NotContains(t, events["enabledEventTypes"], everyday, "no row for every token")
	}
}

func TestFlows(t *testing.T) {
	r := record(t, rich(), admin(), nil)
	for _, client := range []string{"rover", "job", "page"} {
		settings := r.inputs(t, "Client rover/"+client)
		for _, off := range []string{
			"implicitFlowEnabled", "directAccessGrantsEnabled", "oauth2DeviceAuthorizationGrantEnabled", "fullScopeAllowed",
			"useRefreshTokensClientCredentials",
		} {
			assert.Equal(t, false, settings[off], "%s of %s", off, client)
		}
		assert.Equal(t, map[string]any{"oidc.ciba.grant.enabled": "false", "standard.token.exchange.enabled": "false"},
			settings["extraConfig"], client)
		machine := client != "page"
		assert.Equal(t, machine, settings["serviceAccountsEnabled"], client)
		assert.Equal(t, !machine, settings["standardFlowEnabled"], client)
		assert.Equal(t, !machine, settings["useRefreshTokens"], client)
		assert.Equal(t, client, settings["name"], "not one that the plugin makes up")
	}
	page := r.inputs(t, "Client rover/page")
	assert.Equal(t, "PUBLIC", page["accessType"])
	assert.Equal(t, "S256", page["pkceCodeChallengeMethod"])
	assert.Equal(t, []any{"https://app.example.com/*"}, page["validRedirectUris"])
	assert.Equal(t, []any{"https://app.example.com/bye"}, page["validPostLogoutRedirectUris"])
	assert.NotContains(t, page, "clientSecret")
	assert.Equal(t, "CONFIDENTIAL", r.inputs(t, "Client rover/rover")["accessType"])
}

func TestScopes(t *testing.T) {
	r := record(t, rich(), admin(), nil)
	for client, scopes := range map[string][2][]any{
		"rover": {{"basic", "roles", "service_account"}, {}},
		"job":   {{"basic", "roles", "service_account", "team:read"}, {}},
		"page":  {{"acr", "basic", "profile", "roles", "web-origins"}, {"email", "hidden"}},
	} {
		assert.Equal(t, scopes[0], r.inputs(t, "ClientDefaultScopes rover/"+client)["defaultScopes"], client)
		assert.Equal(t, scopes[1], r.inputs(t, "ClientOptionalScopes rover/"+client)["optionalScopes"], client)
		assert.Equal(t, "id-of-rover/"+client, r.inputs(t, "ClientDefaultScopes rover/"+client)["clientId"])
	}
	assert.Equal(t, true, r.inputs(t, "ClientScope rover/team:read")["includeInTokenScope"])
	assert.Equal(t, false, r.inputs(t, "ClientScope rover/hidden")["includeInTokenScope"])
}

func TestScopesLeaveOneListBeforeTheyEnterTheOther(t *testing.T) {
	after := func(r *recorder, first, second string) bool {
		for _, urn := range r.find(t, second).RegisterRPC.GetDependencies() {
			made := resource.URN(urn)
			if string(made.Type().Name())+" "+made.Name() == first {
				return true
			}
		}
		return false
	}
	const defaults, optionals = "ClientDefaultScopes rover/rover", "ClientOptionalScopes rover/rover"
	args := rover()
	args.Clients[0].OptionalScopes = []string{"profile"} // a default scope of any new client
	assert.True(t, after(record(t, args, admin(), nil), defaults, optionals))
	args = rover() // what was an optional scope once may be a default one now
	assert.True(t, after(record(t, args, admin(), nil), optionals, defaults))
	args.Clients[0].OptionalScopes = []string{"address"}
	args.Clients[0].DefaultScopes = []string{"microprofile-jwt"} // an optional one of any new client
	assert.True(t, after(record(t, args, admin(), nil), optionals, defaults))
	r := record(t, rich(), admin(), nil)
	assert.True(t, after(r, "ClientScope rover/team:read", "ClientDefaultScopes rover/job"))
	assert.True(t, after(r, "ClientScope rover/hidden", "ClientOptionalScopes rover/page"))
}

func TestRolesAreInTokensOfTheClientThatHasThem(t *testing.T) {
	r := record(t, rich(), admin(), nil)
	account := r.inputs(t, "ClientServiceAccountRealmRole rover/job/writer")
	assert.Equal(t, "account-of-rover/job", account["serviceAccountUserId"])
	assert.Equal(t, "writer", account["role"])
	scope := r.inputs(t, "GenericRoleMapper rover/job/writer")
	assert.Equal(t, "id-of-rover/job", scope["clientId"])
	assert.Equal(t, "id-of-rover/writer", scope["roleId"])
	claim := r.inputs(t, "UserSessionNoteProtocolMapper rover/job")
	assert.Equal(t, "clientId", claim["claimName"])
	assert.Equal(t, true, claim["addToAccessToken"])
	assert.NotContains(t, r.all, "UserSessionNoteProtocolMapper rover/page")
	assert.NotContains(t, r.all, "GenericRoleMapper rover/job/reader")
}

func TestRolesOfUsersAreSeenByTheClientThatTheyMatterTo(t *testing.T) {
	r := record(t, rich(), admin(), nil)
	scope := r.inputs(t, "GenericRoleMapper rover/page/reader")
	assert.Equal(t, "id-of-rover/page", scope["clientId"])
	assert.Equal(t, "id-of-rover/reader", scope["roleId"])
	assert.NotContains(t, r.all, "GenericRoleMapper rover/page/writer")
	assert.NotContains(t, r.all, "ClientServiceAccountRealmRole rover/page/reader", "the client itself has no role")
	claim := r.inputs(t, "UserRealmRoleProtocolMapper rover/page")
	assert.Equal(t, "id-of-rover/page", claim["clientId"])
	assert.Equal(t, "roles", claim["claimName"])
	assert.Equal(t, []any{true, true, true, false}, []any{
		claim["multivalued"], claim["addToIdToken"], claim["addToUserinfo"], claim["addToAccessToken"],
	})
	assert.NotContains(t, r.all, "UserRealmRoleProtocolMapper rover/job")
}

func TestARoleOfTheClientAndOfUsersIsAskedForOnce(t *testing.T) {
	args := rich()
	both := &args.Clients[1]
	both.AuthorizationCode, both.RedirectURIs, both.UserRoles = true, []string{"https://x"}, []string{"writer", "reader"}
	r := record(t, args, admin(), nil)
	assert.Contains(t, r.all, "GenericRoleMapper rover/job/writer")
	assert.Contains(t, r.all, "GenericRoleMapper rover/job/reader")
	assert.Contains(t, r.all, "ClientServiceAccountRealmRole rover/job/writer")
	assert.NotContains(t, r.all, "ClientServiceAccountRealmRole rover/job/reader")
}

func TestSecrets(t *testing.T) {
	secrets := map[string]string{}
	r := record(t, rich(), admin(), func(made *realm.Realm) {
		assert.Equal(t, "https://iris.example.com/auth/realms/rover", made.Issuer)
		assert.Len(t, made.Secrets, 2, "of the confidential clients")
		for id, secret := range made.Secrets {
			done := make(chan struct{})
			pulumi.All(pulumi.Unsecret(secret)).ApplyT(func(values []any) error {
				secrets[id] = values[0].(string)
				close(done)
				return nil
			})
			<-done
		}
	})
	assert.Equal(t, map[string]string{"rover": "made-up-rover/rover", "job": "given-by-somebody-0123456789"}, secrets)
	for key, property := range map[string]resource.PropertyKey{
		"Client rover/rover": "clientSecret", "Client rover/job": "clientSecret", "keycloak keycloak": "password",
	} {
		assert.True(t, r.find(t, key).Inputs[property].IsSecret(), "%s of %s is encrypted in the state", property, key)
	}
	assert.NotContains(t, r.all, "RandomPassword rover/job")
}

func TestOnlyTheRealmIsProtected(t *testing.T) {
	for key, made := range record(t, rich(), admin(), nil).all {
		assert.Equal(t, key == "Realm rover", made.RegisterRPC.GetProtect(), "%s", key)
	}
	assert.False(t, record(t, rover(), admin(), nil).find(t, "Realm rover").RegisterRPC.GetProtect())
}

func TestProvider(t *testing.T) {
	inputs := func(args realm.ProviderArgs) (map[string]any, *recorder) {
		r := record(t, rover(), args, nil)
		return r.inputs(t, "keycloak keycloak"), r
	}
	args := admin()
	args.CACertificate = "PEM"
	provider, r := inputs(args)
	assert.Equal(t, "https://iris.example.com", provider["url"])
	assert.Equal(t, "/auth", provider["basePath"])
	assert.Equal(t, "master", provider["realm"])
	assert.Equal(t, "admin-cli", provider["clientId"])
	assert.Equal(t, "PEM", provider["rootCaCertificate"])
	assert.Equal(t, false, provider["initialLogin"], "a preview needs no server")
	assert.NotContains(t, provider, "tlsInsecureSkipVerify")
	assert.Equal(t, realm.PluginVersion, r.find(t, "keycloak keycloak").RegisterRPC.GetVersion())
	args.SkipVerify = true
	provider, _ = inputs(args)
	assert.Equal(t, true, provider["tlsInsecureSkipVerify"])
	assert.NotContains(t, provider, "rootCaCertificate", "with it the published plugin would verify")
}

func TestWhatCannotWorkIsRefused(t *testing.T) {
	for message, change := range map[string]func(*realm.Args){
		`Name is "master"`:                         func(a *realm.Args) { a.Name = "master" },
		"AccessTokenLifespan is 1.5s":              func(a *realm.Args) { a.AccessTokenLifespan = 1500 * time.Millisecond },
		"MaxFailures is 0":                         func(a *realm.Args) { a.BruteForce.MaxFailures = 0 },
		"SignatureAlgorithm is missing":            func(a *realm.Args) { a.SignatureAlgorithm = "" },
		`client "rover": neither`:                  func(a *realm.Args) { a.Clients[0].ClientCredentials = false },
		`client "rover": a Public one`:             func(a *realm.Args) { a.Clients[0].Public = true },
		`client "rover": RedirectURIs are missing`: func(a *realm.Args) { a.Clients[0].AuthorizationCode = true },
		`client "rover": RedirectURIs, Web`:        func(a *realm.Args) { a.Clients[0].RedirectURIs = []string{"https://x"} },
		`client "rover": role "boss"`:              func(a *realm.Args) { a.Clients[0].Roles = []string{"boss"} },
		`client "rover": with AuthorizationCode`:   func(a *realm.Args) { a.Clients[0].UserRoles = []string{"boss"} },
		`client "rover": UserRoles are missing`:    func(a *realm.Args) { a.Clients[0].RolesClaim = "roles" },
		`client "page": role "boss" is none`: func(a *realm.Args) {
			*a = rich()
			a.Clients[2].UserRoles = []string{"boss"}
		},
		`and LogoutURIs are allowed`: func(a *realm.Args) { a.Clients[0].LogoutURIs = []string{"https://x"} },
		`client "rover": scope "email"`: func(a *realm.Args) {
			a.Clients[0].DefaultScopes, a.Clients[0].OptionalScopes = []string{"email"}, []string{"email"}
		},
		`client "rover": OptionalScopes has service_account`: func(a *realm.Args) {
			a.Clients[0].OptionalScopes = []string{"service_account"}
		},
	} {
		args := rover()
		change(&args)
		r := &recorder{all: map[string]pulumi.MockResourceArgs{}}
		err := pulumi.RunErr(program(args, admin(), nil), pulumi.WithMocks("controlplane", "test", r))
		require.ErrorContains(t, err, message)
		assert.Len(t, r.all, 2, "nothing but the providers is registered: %s", message)
	}
}
