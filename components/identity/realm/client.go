package realm

import (
	"fmt"
	"slices"

	"github.com/pulumi/pulumi-keycloak/sdk/v5/go/keycloak"
	"github.com/pulumi/pulumi-keycloak/sdk/v5/go/keycloak/openid"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/telekom/controlplane-infrastructure/internal/part"
)

const scopeServiceAccount = "service_account"

var (
	// scopesOfAll, scopesOfMachines and scopesOfUsers are what tokens of any kind, by client credentials and of users
	// need; the package's documentation says what for.
	scopesOfAll      = []string{"basic", "roles"}
	scopesOfMachines = []string{scopeServiceAccount}
	scopesOfUsers    = []string{"acr", "email", "profile", "web-origins"}
	// optionalFirst are the optional scopes that Keycloak gives to a new client.
	optionalFirst = []string{"address", "microprofile-jwt", "offline_access", "organization", "phone"}
)

// client registers a client and everything that belongs to it.
func (b *builder) client(c Client) error {
	secret, err := b.secret(c)
	if err != nil {
		return err
	}
	made, err := openid.NewClient(b.ctx, b.child(c.ID), b.clientSettings(c, secret), b.options()...)
	if err != nil {
		return err
	}
	if !c.Public {
		b.parent.Secrets[c.ID] = pulumi.ToSecret(made.ClientSecret).(pulumi.StringOutput)
	}
	if err := b.clientScopes(c, made); err != nil {
		return err
	}
	for _, role := range rolesOf(c) {
		if err := b.mayCarry(c, made, role); err != nil {
			return fmt.Errorf("role %s: %w", role, err)
		}
	}
	if c.ClientCredentials {
		if err := b.serviceAccount(c, made); err != nil {
			return err
		}
	}
	if c.RolesClaim == "" {
		return nil
	}
	return b.rolesClaim(c, made)
}

// serviceAccount is what the client itself is in its tokens.
func (b *builder) serviceAccount(c Client, made *openid.Client) error {
	// The session of a service account knows the client by this name.
	if _, err := openid.NewUserSessionNoteProtocolMapper(b.ctx, b.child(c.ID), &openid.UserSessionNoteProtocolMapperArgs{
		RealmId: b.realm, ClientId: made.ID().ToStringOutput(), Name: pulumi.String("Client ID"),
		ClaimName: pulumi.String("clientId"), ClaimValueType: pulumi.String("String"), SessionNote: pulumi.String("clientId"),
		AddToAccessToken: pulumi.Bool(true), AddToIdToken: pulumi.Bool(false),
	}, b.options()...); err != nil {
		return fmt.Errorf("claim clientId: %w", err)
	}
	for _, role := range c.Roles {
		if _, err := openid.NewClientServiceAccountRealmRole(b.ctx, b.child(c.ID+"/"+role), &openid.ClientServiceAccountRealmRoleArgs{
			RealmId: b.realm, ServiceAccountUserId: made.ServiceAccountUserId, Role: b.roles[role].Name,
		}, b.options()...); err != nil {
			return fmt.Errorf("role %s: %w", role, err)
		}
	}
	return nil
}

// rolesOf are the roles that tokens of the client may carry, its own and those of users.
func rolesOf(c Client) []string {
	all := slices.Concat(c.Roles, c.UserRoles)
	slices.Sort(all)
	return slices.Compact(all)
}

// mayCarry lets tokens of the client carry a role: full scope is off.
func (b *builder) mayCarry(c Client, made *openid.Client, role string) error {
	_, err := keycloak.NewGenericRoleMapper(b.ctx, b.child(c.ID+"/"+role), &keycloak.GenericRoleMapperArgs{
		RealmId: b.realm, ClientId: made.ID().ToStringOutput(), RoleId: b.roles[role].ID().ToStringOutput(),
	}, b.options()...)
	return err
}

// rolesClaim is for clients that read no access tokens. It lists what the client's tokens may carry.
func (b *builder) rolesClaim(c Client, made *openid.Client) error {
	if _, err := openid.NewUserRealmRoleProtocolMapper(b.ctx, b.child(c.ID), &openid.UserRealmRoleProtocolMapperArgs{
		RealmId: b.realm, ClientId: made.ID().ToStringOutput(), Name: pulumi.String("Roles"),
		ClaimName: pulumi.String(c.RolesClaim), ClaimValueType: pulumi.String("String"), Multivalued: pulumi.Bool(true),
		AddToIdToken: pulumi.Bool(true), AddToUserinfo: pulumi.Bool(true), AddToAccessToken: pulumi.Bool(false),
	}, b.options()...); err != nil {
		return fmt.Errorf("claim %s: %w", c.RolesClaim, err)
	}
	return nil
}

// secret is the client's: given or made up; nil for a public one.
func (b *builder) secret(c Client) (pulumi.StringPtrInput, error) {
	switch {
	case c.Public:
		return nil, nil
	case c.Secret != nil:
		return c.Secret.ToStringOutput().ToStringPtrOutput(), nil
	}
	made, err := part.Common{Random: b.args.Random, PasswordGeneration: b.args.PasswordGeneration}.
		Password(b.ctx, b.parent, b.child(c.ID))
	if err != nil {
		return nil, err
	}
	return made.ToStringPtrOutput(), nil
}

func (b *builder) clientSettings(c Client, secret pulumi.StringPtrInput) *openid.ClientArgs {
	settings := &openid.ClientArgs{
		RealmId: b.realm, ClientId: pulumi.String(c.ID), Name: pulumi.String(c.ID), Enabled: pulumi.Bool(true),
		AccessType: pulumi.String("CONFIDENTIAL"), ClientSecret: secret, ClientAuthenticatorType: pulumi.String("client-secret"),

		ServiceAccountsEnabled: pulumi.Bool(c.ClientCredentials), StandardFlowEnabled: pulumi.Bool(c.AuthorizationCode),
		ImplicitFlowEnabled: pulumi.Bool(false), DirectAccessGrantsEnabled: pulumi.Bool(false),
		Oauth2DeviceAuthorizationGrantEnabled: pulumi.Bool(false),
		// The plugin has no properties for these; off is Keycloak's default, and given to be put right again.
		ExtraConfig: pulumi.Map{
			"oidc.ciba.grant.enabled": pulumi.String("false"), "standard.token.exchange.enabled": pulumi.String("false"),
		},

		FullScopeAllowed: pulumi.Bool(false), ConsentRequired: pulumi.Bool(false),
		FrontchannelLogoutEnabled: pulumi.Bool(false), BackchannelLogoutSessionRequired: pulumi.Bool(true),
		UseRefreshTokens: pulumi.Bool(c.AuthorizationCode),
		// A client that has its secret asks for another token; a refresh token would be one more thing to lose.
		UseRefreshTokensClientCredentials: pulumi.Bool(false),

		// Given even if there are none: what is not given stays as it is, and redirect URIs without a flow that uses them
		// are an error of the plugin's.
		ValidRedirectUris: pulumi.ToStringArray(c.RedirectURIs), WebOrigins: pulumi.ToStringArray(c.WebOrigins),
		AccessTokenLifespan: pulumi.String(""), // the realm's
	}
	if c.Public {
		settings.AccessType = pulumi.String("PUBLIC")
	}
	if c.AccessTokenLifespan > 0 {
		settings.AccessTokenLifespan = pulumi.String(seconds(c.AccessTokenLifespan))
	}
	if c.AuthorizationCode {
		settings.PkceCodeChallengeMethod = pulumi.String("S256")
		settings.ValidPostLogoutRedirectUris = pulumi.ToStringArray(c.LogoutURIs)
	}
	return settings
}

// clientScopes gives the client exactly the scopes that it shall have, instead of those that any new client gets.
func (b *builder) clientScopes(c Client, made *openid.Client) error {
	id := made.ID().ToStringOutput()
	var custom []pulumi.Resource
	for _, scope := range slices.Concat(c.DefaultScopes, c.OptionalScopes) {
		if own := b.scopes[scope]; own != nil {
			custom = append(custom, own)
		}
	}
	defaults := func(after ...pulumi.Resource) (pulumi.Resource, error) {
		return openid.NewClientDefaultScopes(b.ctx, b.child(c.ID), &openid.ClientDefaultScopesArgs{
			RealmId: b.realm, ClientId: id, DefaultScopes: pulumi.ToStringArray(defaultScopes(c)),
		}, b.options(pulumi.DependsOn(slices.Concat(custom, after)))...)
	}
	optionals := func(after ...pulumi.Resource) (pulumi.Resource, error) {
		return openid.NewClientOptionalScopes(b.ctx, b.child(c.ID), &openid.ClientOptionalScopesArgs{
			RealmId: b.realm, ClientId: id, OptionalScopes: pulumi.ToStringArray(c.OptionalScopes),
		}, b.options(pulumi.DependsOn(slices.Concat(custom, after)))...)
	}
	// A scope cannot be both, so it has to leave one list before it enters the other. What is moved is not known here,
	// so this does what can be meant.
	first, second := defaults, optionals
	if len(c.OptionalScopes) == 0 || slices.ContainsFunc(c.DefaultScopes, isOptionalFirst) {
		first, second = optionals, defaults
	}
	done, err := first()
	if err == nil {
		_, err = second(done)
	}
	if err != nil {
		return fmt.Errorf("scopes: %w", err)
	}
	return nil
}

func isOptionalFirst(scope string) bool { return slices.Contains(optionalFirst, scope) }

// defaultScopes are the scopes of all tokens of the client, in order.
func defaultScopes(c Client) []string {
	scopes := slices.Concat(scopesOfAll, c.DefaultScopes)
	if c.ClientCredentials {
		scopes = append(scopes, scopesOfMachines...)
	}
	if c.AuthorizationCode {
		scopes = append(scopes, scopesOfUsers...)
	}
	scopes = slices.DeleteFunc(scopes, func(s string) bool { return slices.Contains(c.OptionalScopes, s) })
	slices.Sort(scopes)
	return slices.Compact(scopes)
}
