package keycloak

import (
	"context"
	"maps"
	"net/http"
	"slices"
)

// lasting is a duration that the server chooses unless it is given.
func lasting(name string) property {
	return property{name: name, field: name, form: seconds, computed: true}
}

// chosen is a text that the server chooses unless it is given.
func chosen(name string) property { return property{name: name, field: name, computed: true} }

// switched is a flag that is off unless it is given; once made, it stays as it is found.
func switched(name string) property {
	return property{name: name, field: name, form: flag, computed: true}
}

func realm() kind {
	k := kind{what: "realm", imported: []string{"id"}, properties: realmProperties()}.documents(
		func(target) []string { return nil },
		func(t target) []string { return []string{t.id} })
	k.create = func(ctx context.Context, s *session, t target, body values) (string, error) {
		name := t.text("realm")
		if body["id"] == nil {
			body["id"] = name
		}
		if _, err := s.call(ctx, http.MethodPost, nil, body, nil); err != nil {
			return "", err
		}
		// A token has the rights in the realms that there were when it was issued.
		s.mu.Lock()
		s.token = ""
		s.mu.Unlock()
		return name, nil
	}
	k.update = func(ctx context.Context, s *session, t target, body values) error {
		// Attributes that the server does not find in a representation go, the server's own included.
		if attributes, changed := body["attributes"].(values); changed {
			now := values{}
			if _, err := s.call(ctx, http.MethodGet, []string{t.id}, nil, &now); err != nil {
				return err
			}
			all := merged(object(now["attributes"]), attributes)
			maps.DeleteFunc(all, func(_ string, v any) bool { return v == "" })
			body["attributes"] = all
		}
		_, err := s.call(ctx, http.MethodPut, []string{t.id}, body, nil)
		return err
	}
	k.existing = func(_ context.Context, _ *session, t target) string { return t.text("realm") }
	return k
}

func realmProperties() []property {
	return slices.Concat([]property{
		{name: "realm", field: "realm", required: true, immutable: true},
		{name: "internalId", field: "id", computed: true, immutable: true},
		{name: "enabled", field: "enabled", form: flag, fallback: true},
		{name: "displayName", field: "displayName"},
		{name: "displayNameHtml", field: "displayNameHtml"},
		{name: "userManagedAccess", field: "userManagedAccessAllowed", form: flag},
		switched("registrationAllowed"), switched("registrationEmailAsUsername"), switched("editUsernameAllowed"),
		switched("resetPasswordAllowed"), switched("rememberMe"), switched("verifyEmail"),
		switched("loginWithEmailAllowed"), switched("duplicateEmailsAllowed"),
		{name: "sslRequired", field: "sslRequired", fallback: "external", check: oneOf("none", "external", "all")},
		{name: "loginTheme", field: "loginTheme"},
		{name: "accountTheme", field: "accountTheme"},
		{name: "adminTheme", field: "adminTheme"},
		{name: "emailTheme", field: "emailTheme"},
		{name: "defaultSignatureAlgorithm", field: "defaultSignatureAlgorithm", fallback: "RS256"},
		{name: "revokeRefreshToken", field: "revokeRefreshToken", form: flag},
		{name: "refreshTokenMaxReuse", field: "refreshTokenMaxReuse", form: number},
		{name: "offlineSessionMaxLifespanEnabled", field: "offlineSessionMaxLifespanEnabled", form: flag},
		{name: "oauth2DevicePollingInterval", field: "oauth2DevicePollingInterval", form: number, computed: true},
		{name: "passwordPolicy", field: "passwordPolicy"},
		chosen("browserFlow"), chosen("registrationFlow"), chosen("directGrantFlow"), chosen("resetCredentialsFlow"),
		chosen("clientAuthenticationFlow"), chosen("dockerAuthenticationFlow"),
		{name: "attributes", field: "attributes", form: dict},
		{name: "internationalization", form: group, on: "internationalizationEnabled", parts: []property{
			{name: "supportedLocales", field: "supportedLocales", form: set, required: true},
			{name: "defaultLocale", field: "defaultLocale", required: true},
		}},
		{name: "securityDefenses", form: group, parts: []property{headers(), bruteForce()}},
	}, lifespans())
}

func lifespans() []property {
	return []property{
		lasting("ssoSessionIdleTimeout"), lasting("ssoSessionIdleTimeoutRememberMe"),
		lasting("ssoSessionMaxLifespan"), lasting("ssoSessionMaxLifespanRememberMe"),
		lasting("offlineSessionIdleTimeout"), lasting("offlineSessionMaxLifespan"),
		lasting("clientSessionIdleTimeout"), lasting("clientSessionMaxLifespan"),
		lasting("accessTokenLifespan"), lasting("accessTokenLifespanForImplicitFlow"),
		lasting("accessCodeLifespan"), lasting("accessCodeLifespanLogin"), lasting("accessCodeLifespanUserAction"),
		lasting("actionTokenGeneratedByUserLifespan"), lasting("actionTokenGeneratedByAdminLifespan"),
		lasting("oauth2DeviceCodeLifespan"),
	}
}

// headers and bruteForce have the published plugin's defaults, which are Keycloak's of long ago.
func headers() property {
	header := func(name, fallback string) property {
		return property{name: name, field: "browserSecurityHeaders/" + name, fallback: fallback}
	}
	xss := header("xXssProtection", "1; mode=block")
	xss.field = "browserSecurityHeaders/xXSSProtection"
	return property{name: "headers", form: group, parts: []property{
		header("contentSecurityPolicy", "frame-src 'self'; frame-ancestors 'self'; object-src 'none';"),
		header("contentSecurityPolicyReportOnly", ""),
		header("strictTransportSecurity", "max-age=31536000; includeSubDomains"),
		header("xContentTypeOptions", "nosniff"),
		header("xFrameOptions", "SAMEORIGIN"),
		header("xRobotsTag", "none"),
		xss,
	}}
}

func bruteForce() property {
	limit := func(name, field string, fallback float64) property {
		return property{name: name, field: field, form: number, fallback: fallback}
	}
	return property{name: "bruteForceDetection", form: group, on: "bruteForceProtected", parts: []property{
		{name: "permanentLockout", field: "permanentLockout", form: flag},
		limit("maxLoginFailures", "failureFactor", 30),
		limit("waitIncrementSeconds", "waitIncrementSeconds", 60),
		limit("quickLoginCheckMilliSeconds", "quickLoginCheckMilliSeconds", 1000),
		limit("minimumQuickLoginWaitSeconds", "minimumQuickLoginWaitSeconds", 60),
		limit("maxFailureWaitSeconds", "maxFailureWaitSeconds", 900),
		limit("failureResetTimeSeconds", "maxDeltaTimeSeconds", 43200),
	}}
}

// events are a part of a realm that cannot be made or deleted, only changed.
func events() kind {
	where := func(t target) []string { return []string{t.text("realmId"), "events", "config"} }
	k := kind{what: "configuration of events", imported: []string{"realmId"}, properties: []property{
		inRealm,
		{name: "eventsEnabled", field: "eventsEnabled", form: flag},
		{name: "eventsExpiration", field: "eventsExpiration", form: number},
		{name: "eventsListeners", field: "eventsListeners", form: set},
		{name: "adminEventsEnabled", field: "adminEventsEnabled", form: flag},
		{name: "adminEventsDetailsEnabled", field: "adminEventsDetailsEnabled", form: flag},
		// None means all of them to the server, which then says so.
		{name: "enabledEventTypes", field: "enabledEventTypes", form: set, computed: true},
	}}.documents(where, where)
	k.create = func(ctx context.Context, s *session, t target, body values) (string, error) {
		_, err := s.call(ctx, http.MethodPut, where(t), body, nil)
		return t.text("realmId"), err
	}
	k.remove = func(ctx context.Context, s *session, t target) error {
		off := values{
			"eventsEnabled": false, "eventsExpiration": 0, "eventsListeners": []string{}, "enabledEventTypes": []string{},
			"adminEventsEnabled": false, "adminEventsDetailsEnabled": false,
		}
		_, err := s.call(ctx, http.MethodPut, where(t), off, nil)
		return err
	}
	return k
}
