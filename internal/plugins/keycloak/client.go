package keycloak

import (
	"context"
	"fmt"
	"slices"

	"github.com/Nerzal/gocloak/v13"
)

// attribute is a property that a client has as an attribute, which is always a text.
func attribute(name, key string) property { return property{name: name, field: "attributes/" + key} }

func attributeFlag(name, key string, fallback any) property {
	return property{name: name, field: "attributes/" + key, form: flag, quoted: true, fallback: fallback}
}

// left is a property that stays as it is found unless it is given.
func left(p property) property {
	p.computed = true
	return p
}

func checked(p property, check func(any) string) property {
	p.check = check
	return p
}

func client() kind {
	of, at := under("clients")
	k := kind{
		what: "client", properties: clientProperties(), autonamed: true, imported: []string{"realmId", "id"},
	}.documents(of, at)
	create, read, update := k.create, k.read, k.update
	k.create = func(ctx context.Context, s *session, t target, body values) (string, error) {
		if err := settleAccess(t, body); err != nil {
			return "", err
		}
		return create(ctx, s, t, body)
	}
	k.update = func(ctx context.Context, s *session, t target, body values) error {
		if err := settleAccess(t, body); err != nil {
			return err
		}
		return update(ctx, s, t, body)
	}
	k.read = func(ctx context.Context, s *session, t target) (values, error) {
		found, err := read(ctx, s, t)
		if err != nil {
			return nil, err
		}
		return found, completeClient(ctx, s, t, found)
	}
	k.existing = func(ctx context.Context, s *session, t target) (id string) {
		name, realm := t.text("clientId"), t.text("realmId")
		_ = s.do(ctx, func(ctx context.Context, token string) error {
			all, err := s.client.GetClients(ctx, token, realm, gocloak.GetClientsParams{ClientID: &name})
			if err == nil && len(all) == 1 {
				id = realm + "/" + gocloak.PString(all[0].ID)
			}
			return err
		})
		return id
	}
	return k
}

// accesses are the published plugin's word for two flags of Keycloak's.
var accesses = []string{"CONFIDENTIAL", "PUBLIC", "BEARER-ONLY"}

// settleAccess turns the type of access into flags, and refuses what Keycloak would take and never use.
func settleAccess(t target, body values) error {
	access := t.text("accessType")
	body["protocol"] = "openid-connect"
	body["publicClient"], body["bearerOnly"] = access == "PUBLIC", access == "BEARER-ONLY"
	delete(body, "accessType")
	on := func(name string) bool { return t.in[name] == true }
	flows := on("standardFlowEnabled") || on("implicitFlowEnabled")
	name := t.text("clientId")
	switch {
	case access == "BEARER-ONLY" && (flows || on("directAccessGrantsEnabled") || on("serviceAccountsEnabled")):
		return fmt.Errorf("client %s: accessType BEARER-ONLY allows no flow; Keycloak issues no tokens to it", name)
	case flows && len(texts(t.in["validRedirectUris"])) == 0:
		return fmt.Errorf("client %s: standardFlowEnabled and implicitFlowEnabled need one of validRedirectUris", name)
	case !flows && len(texts(t.in["validRedirectUris"])) > 0:
		return fmt.Errorf("client %s: validRedirectUris need standardFlowEnabled or implicitFlowEnabled", name)
	case !flows && !on("directAccessGrantsEnabled") && len(texts(t.in["webOrigins"])) > 0:
		return fmt.Errorf("client %s: webOrigins need a flow that is enabled", name)
	case on("serviceAccountsEnabled") && access == "PUBLIC":
		return fmt.Errorf("client %s: serviceAccountsEnabled needs accessType CONFIDENTIAL", name)
	}
	return nil
}

// completeClient adds what is elsewhere than in a client's representation.
func completeClient(ctx context.Context, s *session, t target, found values) error {
	switch {
	case found["publicClient"] == true:
		found["accessType"] = accesses[1]
	case found["bearerOnly"] == true:
		found["accessType"] = accesses[2]
	default:
		found["accessType"] = accesses[0]
	}
	if found["serviceAccountsEnabled"] != true {
		return nil
	}
	return s.do(ctx, func(ctx context.Context, token string) error {
		user, err := s.client.GetClientServiceAccount(ctx, token, t.text("realmId"), t.id)
		if err == nil {
			found["serviceAccountUserId"] = gocloak.PString(user.ID)
		}
		return err
	})
}

func clientProperties() []property {
	return slices.Concat([]property{
		inRealm,
		{name: "clientId", field: "clientId", required: true},
		chosen("name"), chosen("description"),
		{name: "enabled", field: "enabled", form: flag, fallback: true},
		{name: "accessType", field: "accessType", required: true, check: oneOf(accesses...)},
		{name: "clientSecret", field: "secret", computed: true, secret: true},
		{name: "clientAuthenticatorType", field: "clientAuthenticatorType", fallback: "client-secret"},
		switched("standardFlowEnabled"), switched("implicitFlowEnabled"), switched("directAccessGrantsEnabled"),
		switched("serviceAccountsEnabled"), switched("consentRequired"),
		{name: "frontchannelLogoutEnabled", field: "frontchannelLogout", form: flag, computed: true},
		{name: "fullScopeAllowed", field: "fullScopeAllowed", form: flag, fallback: true},
		{name: "validRedirectUris", field: "redirectUris", form: set, computed: true},
		{name: "webOrigins", field: "webOrigins", form: set, computed: true},
		chosen("rootUrl"), chosen("adminUrl"), chosen("baseUrl"),
		{name: "serviceAccountUserId", field: "serviceAccountUserId", computed: true, output: true},
		{name: "resourceServerId", field: "resourceServerId", computed: true, output: true},
		{name: "extraConfig", field: "attributes", form: dict, check: ownAttributes},
	}, clientAttributes())
}

func clientAttributes() []property {
	uris := left(attribute("validPostLogoutRedirectUris", "post.logout.redirect.uris"))
	uris.form, uris.joined = set, "##"
	return []property{
		uris,
		checked(attribute("pkceCodeChallengeMethod", "pkce.code.challenge.method"), oneOf("", "plain", "S256")),
		checked(left(attribute("accessTokenLifespan", "access.token.lifespan")), count),
		checked(left(attribute("clientOfflineSessionIdleTimeout", "client.offline.session.idle.timeout")), count),
		checked(left(attribute("clientOfflineSessionMaxLifespan", "client.offline.session.max.lifespan")), count),
		checked(left(attribute("clientSessionIdleTimeout", "client.session.idle.timeout")), count),
		checked(left(attribute("clientSessionMaxLifespan", "client.session.max.lifespan")), count),
		checked(attribute("oauth2DeviceCodeLifespan", "oauth2.device.code.lifespan"), count),
		checked(attribute("oauth2DevicePollingInterval", "oauth2.device.polling.interval"), count),
		left(attribute("consentScreenText", "consent.screen.text")),
		attribute("loginTheme", "login_theme"),
		attribute("frontchannelLogoutUrl", "frontchannel.logout.url"),
		attribute("backchannelLogoutUrl", "backchannel.logout.url"),
		left(attributeFlag("excludeSessionStateFromAuthResponse", "exclude.session.state.from.auth.response", nil)),
		left(attributeFlag("displayOnConsentScreen", "display.on.consent.screen", nil)),
		attributeFlag("useRefreshTokens", "use.refresh.tokens", true),
		attributeFlag("useRefreshTokensClientCredentials", "client_credentials.use_refresh_token", nil),
		attributeFlag("oauth2DeviceAuthorizationGrantEnabled", "oauth2.device.authorization.grant.enabled", nil),
		attributeFlag("backchannelLogoutSessionRequired", "backchannel.logout.session.required", true),
		attributeFlag("backchannelLogoutRevokeOfflineSessions", "backchannel.logout.revoke.offline.tokens", nil),
	}
}

// ownAttributes refuses attributes that have properties of their own.
func ownAttributes(v any) string {
	for _, p := range clientAttributes() {
		if _, given := object(v)[p.field[len("attributes/"):]]; given {
			return fmt.Sprintf("has %q, which is the property %s", p.field[len("attributes/"):], p.name)
		}
	}
	return ""
}
