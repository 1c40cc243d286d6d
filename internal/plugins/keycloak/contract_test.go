package keycloak

import (
	"net/http"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/internal/plugins/protocol"
)

// hardened is a realm with a property of each sort.
var hardened = values{
	"displayName": "Rover", "accessTokenLifespan": "5m", "ssoSessionIdleTimeout": "30m0s", "loginWithEmailAllowed": true,
	"registrationAllowed": false, "passwordPolicy": "length(12) and notUsername(undefined)", "revokeRefreshToken": true,
	"defaultSignatureAlgorithm": "RS256", "attributes": values{"adminEventsExpiration": "3600"},
	"internationalization": values{"supportedLocales": []any{"en", "de"}, "defaultLocale": "en"},
	"securityDefenses": values{
		"bruteForceDetection": values{"maxLoginFailures": 5, "permanentLockout": false},
		"headers":             values{"xFrameOptions": "DENY"},
	},
}

func TestARealmIsWhatItWasAskedToBe(t *testing.T) {
	everywhere(t, func(c tester) {
		name, realm := c.realm(hardened)
		assert.Equal(c, name, realm.id)
		state := realm.properties()
		assert.Equal(c, name, state["internalId"])
		assert.Equal(c, "external", state["sslRequired"], "the default is told")
		assert.Equal(c, "5m", state["accessTokenLifespan"], "a duration is as it was written")
		assert.Equal(c, "1m0s", state["accessCodeLifespan"], "what the server has chosen is told")
		assert.Equal(c, false, state["resetPasswordAllowed"])

		there := c.byHand(http.MethodGet, name, nil)
		assert.InDelta(c, 300, there["accessTokenLifespan"], 0)
		assert.InDelta(c, 5, there["failureFactor"], 0)
		assert.Equal(c, true, there["bruteForceProtected"])
		assert.Equal(c, "DENY", object(there["browserSecurityHeaders"])["xFrameOptions"])
		assert.Equal(c, "nosniff", object(there["browserSecurityHeaders"])["xContentTypeOptions"])
		assert.Equal(c, "3600", object(there["attributes"])["adminEventsExpiration"])
		assert.ElementsMatch(c, []any{"en", "de"}, there["supportedLocales"])
		assert.Equal(c, true, there["loginWithEmailAllowed"])
	})
}

func TestARealmChangesInPlaceAndExactly(t *testing.T) {
	everywhere(t, func(c tester) {
		name, realm := c.realm(hardened)
		wanted := realm.with(values{
			"accessTokenLifespan": "2m", "displayName": nil, "attributes": nil, "internationalization": nil,
			"securityDefenses": values{
				"bruteForceDetection": values{"maxLoginFailures": 7}, "headers": values{"xFrameOptions": "DENY"},
			},
		})
		assert.Equal(c, []string{
			"accessTokenLifespan", "attributes", "displayName", "internationalization",
			"securityDefenses.bruteForceDetection.maxLoginFailures",
		}, realm.changes(wanted))
		realm.update(wanted)
		there := c.byHand(http.MethodGet, name, nil)
		assert.InDelta(c, 120, there["accessTokenLifespan"], 0)
		assert.Empty(c, there["displayName"])
		assert.Equal(c, false, there["internationalizationEnabled"])
		assert.NotContains(c, object(there["attributes"]), "adminEventsExpiration")
		assert.Contains(c, object(there["attributes"]), "parRequestUriLifespan", "the server's own stay")

		realm.update(realm.with(values{"securityDefenses": nil}))
		assert.Equal(c, false, c.byHand(http.MethodGet, name, nil)["bruteForceProtected"])
		assert.Empty(c, realm.changes(realm.with(values{"accessTokenLifespan": "120s"})), "the same in other words")
		assert.Equal(c, []string{"realm"}, realm.diff(realm.with(values{"realm": "another"})).GetReplaces())
	})
}

func TestWhatChangesByHandIsPutRight(t *testing.T) {
	everywhere(t, func(c tester) {
		name, realm := c.realm(hardened)
		program := c.decode(realm.in)
		c.byHand(http.MethodPut, name, values{
			"registrationAllowed": true, "accessTokenLifespan": 900, "displayNameHtml": "<b>x</b>", "failureFactor": 99,
		})
		require.True(c, realm.refresh())
		assert.Equal(c, "15m0s", realm.properties()["accessTokenLifespan"])
		assert.Equal(c, "15m0s", c.decode(realm.in)["accessTokenLifespan"], "the inputs say so as well")
		assert.Equal(c, []string{
			"accessTokenLifespan", "displayNameHtml", "registrationAllowed", "securityDefenses.bruteForceDetection.maxLoginFailures",
		}, realm.changes(program))
		realm.update(program)
		there := c.byHand(http.MethodGet, name, nil)
		assert.Equal(c, false, there["registrationAllowed"])
		assert.Empty(c, there["displayNameHtml"])

		c.byHand(http.MethodDelete, name, nil)
		require.False(c, realm.refresh(), "deleted by hand is gone")
		realm.remove()
	})
}

func TestEventsAreAPartOfARealm(t *testing.T) {
	everywhere(t, func(c tester) {
		name, _ := c.realm(nil)
		events := c.create("RealmEvents", values{
			"realmId": name, "eventsEnabled": true, "eventsExpiration": 3600, "eventsListeners": []any{"jboss-logging"},
			"enabledEventTypes": []any{"LOGIN_ERROR", "LOGIN"}, "adminEventsEnabled": true,
		})
		assert.Equal(c, name, events.id)
		events.update(events.with(values{"eventsExpiration": 60, "adminEventsDetailsEnabled": true}))
		there := c.byHand(http.MethodGet, name+"/events/config", nil)
		assert.InDelta(c, 60, there["eventsExpiration"], 0)
		assert.ElementsMatch(c, []any{"LOGIN", "LOGIN_ERROR"}, there["enabledEventTypes"])
		events.update(events.with(values{"enabledEventTypes": []any{"LOGOUT"}}))
		events.remove()
		assert.Equal(c, false, c.byHand(http.MethodGet, name+"/events/config", nil)["eventsEnabled"])
	})
}

// machine is a client that gets tokens for itself.
func machine(realm string) values {
	return values{
		"realmId": realm, "clientId": "rover", "name": "Rover", "accessType": "CONFIDENTIAL", "serviceAccountsEnabled": true,
		"standardFlowEnabled": false, "fullScopeAllowed": false, "accessTokenLifespan": "77", "useRefreshTokens": false,
		"extraConfig": values{"oidc.ciba.grant.enabled": "false", "access.token.signed.response.alg": "RS256"},
	}
}

func TestAClientGetsASecretAndAnAccount(t *testing.T) {
	everywhere(t, func(c tester) {
		name, _ := c.realm(nil)
		client := c.create("Client", machine(name))
		state := client.properties()
		assert.Regexp(c, `^[0-9a-f-]{36}$`, client.id)
		assert.Regexp(c, `^[0-9a-f-]{36}$`, state["serviceAccountUserId"])
		assert.NotEmpty(c, state["clientSecret"])
		all, err := protocol.Decode(client.state)
		require.NoError(c, err)
		assert.True(c, all["clientSecret"].IsSecret(), "a secret that the server has made up is one")

		place := name + "/clients/" + client.id
		there := c.byHand(http.MethodGet, place, nil)
		assert.Equal(c, "77", object(there["attributes"])["access.token.lifespan"])
		assert.Equal(c, "RS256", object(there["attributes"])["access.token.signed.response.alg"])
		assert.Equal(c, false, there["directAccessGrantsEnabled"], "a flow that nobody wants is off")
		assert.Equal(c, state["clientSecret"], there["secret"])

		account := state["serviceAccountUserId"]
		client.update(client.with(values{
			"clientSecret": "of-our-own", "clientId": "rover-2", "extraConfig": values{"oidc.ciba.grant.enabled": "false"},
			"description": "The rover",
		}))
		there = c.byHand(http.MethodGet, place, nil)
		assert.Equal(c, "of-our-own", there["secret"])
		assert.Equal(c, "rover-2", there["clientId"])
		assert.NotContains(c, object(there["attributes"]), "access.token.signed.response.alg")
		assert.Equal(c, account, client.properties()["serviceAccountUserId"], "it stays the same client")

		client.update(client.with(values{"serviceAccountsEnabled": false}))
		assert.Empty(c, client.properties()["serviceAccountUserId"])
		assert.Equal(c, []string{"realmId"}, client.diff(client.with(values{"realmId": "another"})).GetReplaces())

		c.byHand(http.MethodPut, place, values{"attributes": values{"oidc.ciba.grant.enabled": "true"}, "fullScopeAllowed": true})
		require.True(c, client.refresh())
		assert.Equal(c, []string{"extraConfig", "fullScopeAllowed"}, client.changes(client.with(values{
			"fullScopeAllowed": false, "extraConfig": values{"oidc.ciba.grant.enabled": "false"},
		})))
		client.remove()
		assert.False(c, client.refresh())
		client.remove()
	})
}

func TestAClientOfABrowserIsPublic(t *testing.T) {
	everywhere(t, func(c tester) {
		name, _ := c.realm(nil)
		client := c.create("Client", values{
			"realmId": name, "clientId": "ui", "name": "UI", "accessType": "PUBLIC", "standardFlowEnabled": true,
			"validRedirectUris": []any{"https://ui.example.com/b", "https://ui.example.com/a"}, "webOrigins": []any{"+"},
			"validPostLogoutRedirectUris": []any{"https://ui.example.com/bye", "https://ui.example.com/"},
			"pkceCodeChallengeMethod":     "S256", "loginTheme": "",
		})
		assert.Empty(c, client.properties()["clientSecret"])
		there := c.byHand(http.MethodGet, name+"/clients/"+client.id, nil)
		assert.Equal(c, "S256", object(there["attributes"])["pkce.code.challenge.method"])
		assert.Empty(c, client.changes(client.with(values{
			"validRedirectUris": []any{"https://ui.example.com/a", "https://ui.example.com/b"},
		})), "the order does not matter")
		client.update(client.with(values{
			"validRedirectUris": []any{"https://ui.example.com/a"}, "pkceCodeChallengeMethod": nil,
		}))
		client.update(client.with(values{"accessType": "CONFIDENTIAL", "accessTokenLifespan": "60"}))
		assert.NotEmpty(c, client.properties()["clientSecret"])

		client.update(client.with(values{
			"standardFlowEnabled": false, "serviceAccountsEnabled": true, "accessTokenLifespan": "",
			"validRedirectUris": []any{}, "webOrigins": []any{},
		}))
		there = c.byHand(http.MethodGet, name+"/clients/"+client.id, nil)
		assert.Empty(c, there["redirectUris"], "what is empty now is empty on the server")
		assert.Empty(c, there["webOrigins"])
		assert.NotContains(c, object(there["attributes"]), "access.token.lifespan")
	})
}

func TestScopesOfAClientAreSets(t *testing.T) {
	everywhere(t, func(c tester) {
		name, _ := c.realm(nil)
		client := c.create("Client", machine(name))
		own := c.create("ClientScope", values{"realmId": name, "name": "rover:read", "description": "Read", "guiOrder": 3})
		in := values{"realmId": name, "clientId": client.id}
		defaults := c.create("ClientDefaultScopes", merged(in, values{"defaultScopes": []any{"roles", "basic", "rover:read"}}))
		assert.Equal(c, name+"/"+client.id, defaults.id)
		_, err := c.attempt("ClientOptionalScopes", merged(in, values{"optionalScopes": []any{"basic"}}))
		require.ErrorContains(c, err, `the client has "basic" among its default scopes, which it has to leave first, in an update before this one`)
		_, err = c.attempt("ClientDefaultScopes", merged(in, values{"defaultScopes": []any{"nothing"}}))
		require.ErrorContains(c, err, `has no client scope "nothing"`)
		optional := c.create("ClientOptionalScopes", merged(in, values{"optionalScopes": []any{}}))
		optional.update(optional.with(values{"optionalScopes": []any{"email"}}))
		defaults.update(defaults.with(values{"defaultScopes": []any{"basic", "rover:read"}}))

		// The server gives a client with an account a scope of its own; a change of the client must not bring it back.
		client.update(client.with(values{"name": "Rover 2"}))
		require.True(c, defaults.refresh())
		assert.Empty(c, defaults.changes(c.decode(defaults.in)))

		own.remove()
		require.True(c, defaults.refresh())
		assert.Equal(c, []string{"defaultScopes"}, defaults.changes(defaults.with(values{
			"defaultScopes": []any{"basic", "rover:read"},
		})), "a scope that was deleted by hand is missed")
		assert.Equal(c, []string{"clientId"}, defaults.diff(defaults.with(values{"clientId": "another"})).GetReplaces())
		client.remove()
		assert.False(c, defaults.refresh())
		defaults.remove()
		optional.remove()
	})
}

func TestAClientScopeChangesInPlace(t *testing.T) {
	everywhere(t, func(c tester) {
		name, _ := c.realm(nil)
		scope := c.create("ClientScope", values{"realmId": name, "name": "s", "description": "One", "guiOrder": 3})
		scope.update(scope.with(values{"description": nil, "includeInTokenScope": false, "guiOrder": nil}))
		there := c.byHand(http.MethodGet, name+"/client-scopes/"+scope.id, nil)
		assert.Equal(c, "false", object(there["attributes"])["include.in.token.scope"])
		assert.Equal(c, "openid-connect", there["protocol"])
		assert.Empty(c, there["description"])
		scope.update(scope.with(values{"consentScreenText": "May it?", "name": "t"}))
		assert.Equal(c, "true", object(c.byHand(http.MethodGet, name+"/client-scopes/"+scope.id, nil)["attributes"])["display.on.consent.screen"])
		scope.update(scope.with(values{"consentScreenText": nil}))
	})
}

func TestRolesOfAServiceAccount(t *testing.T) {
	everywhere(t, func(c tester) {
		name, _ := c.realm(nil)
		client := c.create("Client", machine(name))
		account := client.properties()["serviceAccountUserId"].(string)
		role := c.create("Role", values{"realmId": name, "name": "admin of it all", "description": "Does all"})
		role.update(role.with(values{"description": ""}))
		assert.Empty(c, c.byHand(http.MethodGet, name+"/roles-by-id/"+role.id, nil)["description"])
		role.update(role.with(values{"description": "Does nearly all"}))
		granted := c.create("ClientServiceAccountRealmRole", values{
			"realmId": name, "serviceAccountUserId": account, "role": "admin of it all",
		})
		assert.Equal(c, account+"/"+role.id, granted.id)
		mapped := c.create("GenericRoleMapper", values{"realmId": name, "clientId": client.id, "roleId": role.id})
		assert.Equal(c, name+"/client/"+client.id+"/scope-mappings//"+role.id, mapped.id)
		assert.Equal(c, []string{"role"}, granted.diff(granted.with(values{"role": "another"})).GetReplaces())
		ofClient := c.create("Role", values{"realmId": name, "clientId": client.id, "name": "its own"})
		assert.NotEmpty(c, ofClient.id)
		granted.remove()
		assert.False(c, granted.refresh())
		granted.remove()
		role.remove()
		assert.False(c, mapped.refresh(), "a role that is gone is not granted")
		mapped.remove()
		_, err := c.attempt("ClientServiceAccountRealmRole", values{
			"realmId": name, "serviceAccountUserId": account, "role": "admin of it all",
		})
		require.ErrorContains(c, err, "create the role of a service account: the role: 404")
	})
}

func TestMappersOfClaims(t *testing.T) {
	everywhere(t, func(c tester) {
		name, _ := c.realm(nil)
		client := c.create("Client", machine(name))
		scope := c.create("ClientScope", values{"realmId": name, "name": "s"})
		claim := c.create("HardcodedClaimProtocolMapper", values{
			"realmId": name, "clientScopeId": scope.id, "name": "origin", "claimName": "originZone", "claimValue": "a",
		})
		claim.update(claim.with(values{"claimValue": "b", "addToIdToken": false}))
		note := c.create("UserSessionNoteProtocolMapper", values{
			"realmId": name, "clientId": client.id, "name": "Client ID", "claimName": "clientId", "sessionNote": "clientId",
			"addToIdToken": false,
		})
		c.create("AudienceProtocolMapper", values{
			"realmId": name, "clientId": client.id, "name": "aud", "includedCustomAudience": "rover",
		})
		place := name + "/clients/" + client.id + "/protocol-mappers/models/" + note.id
		assert.Equal(c, "oidc-usersessionmodel-note-mapper", c.byHand(http.MethodGet, place, nil)["protocolMapper"])
		note.remove()
		assert.False(c, note.refresh())
		_, err := c.attempt("AudienceProtocolMapper", values{"realmId": name, "name": "aud"})
		require.ErrorContains(c, err, "one of clientId and clientScopeId")
	})
}

func TestRolesOfUsersInAClaim(t *testing.T) {
	everywhere(t, func(c tester) {
		name, _ := c.realm(nil)
		client := c.create("Client", machine(name))
		scope := c.create("ClientScope", values{"realmId": name, "name": "s"})
		mapper := c.create("UserRealmRoleProtocolMapper", values{
			"realmId": name, "clientId": client.id, "name": "roles", "claimName": "roles", "multivalued": true,
			"addToAccessToken": false,
		})
		ofScope := c.create("UserRealmRoleProtocolMapper", values{
			"realmId": name, "clientScopeId": scope.id, "name": "roles", "claimName": "r", "realmRolePrefix": "realm-",
		})
		place := name + "/clients/" + client.id + "/protocol-mappers/models/" + mapper.id
		there := c.byHand(http.MethodGet, place, nil)
		assert.Equal(c, "oidc-usermodel-realm-role-mapper", there["protocolMapper"])
		config := object(there["config"])
		assert.Equal(c, []any{"roles", "true", "true", "false", "true", "String"}, []any{
			config["claim.name"], config["multivalued"], config["id.token.claim"], config["access.token.claim"],
			config["userinfo.token.claim"], config["jsonType.label"],
		})

		ofScope.update(ofScope.with(values{"realmRolePrefix": nil, "multivalued": true}))
		config["multivalued"], config["access.token.claim"] = "false", "true"
		c.byHand(http.MethodPut, place, there)
		require.True(c, mapper.refresh())
		program := mapper.with(values{"multivalued": true, "addToAccessToken": false})
		assert.Equal(c, []string{"addToAccessToken", "multivalued"}, mapper.changes(program), "what was done by hand shows")
		mapper.update(program)
		assert.Equal(c, "true", object(c.byHand(http.MethodGet, place, nil)["config"])["multivalued"])
		assert.Equal(c, []string{"clientId"}, mapper.diff(mapper.with(values{"clientId": "another"})).GetReplaces())

		for _, each := range []struct {
			*remembered
			importID string
		}{
			{mapper, name + "/client/" + client.id + "/" + mapper.id},
			{ofScope, name + "/client-scope/" + scope.id + "/" + ofScope.id},
		} {
			in := c.decode(each.in)
			_, err := c.attempt("UserRealmRoleProtocolMapper", in)
			require.ErrorContains(c, err, "the ID "+each.importID)
			adopted, err := c.Read(c.Context(), &pulumirpc.ReadRequest{Urn: each.urn, Id: each.importID})
			require.NoError(c, err)
			again := &remembered{c: c, urn: each.urn, id: adopted.GetId(), state: adopted.GetProperties(), in: adopted.GetInputs()}
			assert.Equal(c, each.id, again.id)
			assert.Empty(c, again.changes(in))
		}
		_, err := c.Read(c.Context(), &pulumirpc.ReadRequest{Urn: mapper.urn, Id: name + "/user/" + client.id + "/" + mapper.id})
		require.ErrorContains(c, err, "want realmId/client|client-scope/its ID/id")
		mapper.remove()
		assert.False(c, mapper.refresh())
		mapper.remove()
	})
}

func TestWhatExistsIsNotTakenOverInSilence(t *testing.T) {
	everywhere(t, func(c tester) {
		name, realm := c.realm(hardened)
		client := c.create("Client", machine(name))
		scope := c.create("ClientScope", values{"realmId": name, "name": "s"})
		role := c.create("Role", values{"realmId": name, "name": "r"})
		for kind, each := range map[string]struct {
			*remembered
			importID string
		}{
			"Realm": {realm, name}, "Client": {client, name + "/" + client.id},
			"ClientScope": {scope, name + "/" + scope.id}, "Role": {role, name + "/" + role.id},
		} {
			in := c.decode(each.in)
			_, err := c.attempt(kind, in)
			require.ErrorContains(c, err, "409", kind)
			require.ErrorContains(c, err, "already exists", kind)
			require.ErrorContains(c, err, "the ID "+each.importID, kind)

			adopted, err := c.Read(c.Context(), &pulumirpc.ReadRequest{Urn: each.urn, Id: each.importID})
			require.NoError(c, err)
			assert.Equal(c, each.id, adopted.GetId(), kind)
			again := &remembered{c: c, urn: each.urn, id: adopted.GetId(), state: adopted.GetProperties(), in: adopted.GetInputs()}
			changes := again.changes(in)
			// An import does not know which of many attributes a program is going to name, nor does the published plugin.
			assert.Subset(c, []string{"attributes", "extraConfig"}, changes, kind)
		}
		_, err := c.Read(c.Context(), &pulumirpc.ReadRequest{Urn: client.urn, Id: "rover"})
		require.ErrorContains(c, err, `import a client: the ID is "rover"; want realmId/id`)
	})
}
