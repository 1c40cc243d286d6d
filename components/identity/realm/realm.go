package realm

import (
	"fmt"
	"strconv"
	"time"

	"github.com/pulumi/pulumi-keycloak/sdk/v5/go/keycloak"
	"github.com/pulumi/pulumi-keycloak/sdk/v5/go/keycloak/openid"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Type is the component's type token.
const Type = "controlplane:identity:Realm"

const (
	// passwordPolicy asks for length, which is what makes a password hard to guess, and not for kinds of characters.
	passwordPolicy = "length(12) and notUsername(undefined) and notEmail(undefined)"
	// codeLifespan is how long a client has to exchange an authorization code.
	codeLifespan = time.Minute
	// offlineIdle and offlineMax bound offline sessions, which nobody has unless a client asks for offline_access.
	offlineIdle, offlineMax = 7 * 24 * time.Hour, 30 * 24 * time.Hour
	// quickMilliseconds is how close two wrong passwords are that no human typed; quickWait is what follows.
	quickMilliseconds, quickWait = 1000, time.Minute
	// failureReset is after how long without a wrong password the count begins anew.
	failureReset = 12 * time.Hour
)

// Realm is a realm with its clients.
type Realm struct {
	pulumi.ResourceState
	// Issuer is the URL of the realm, the claim iss in its tokens.
	Issuer string
	// Secrets are those of the confidential clients by their ID, known once the client has it.
	Secrets map[string]pulumi.StringOutput
}

// builder carries what the steps of New share.
type builder struct {
	ctx    *pulumi.Context
	name   string
	args   Args
	parent *Realm
	// realm is the realm's name, of the resource, so that whoever uses it waits for the realm.
	realm pulumi.StringOutput
	// roles and scopes are what clients refer to by name.
	roles  map[string]*keycloak.Role
	scopes map[string]*openid.ClientScope
}

// New provisions the component.
func New(ctx *pulumi.Context, name string, args Args, opts ...pulumi.ResourceOption) (*Realm, error) {
	if err := args.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	r := &Realm{Issuer: args.BaseURL + "/realms/" + args.Name, Secrets: map[string]pulumi.StringOutput{}}
	if err := ctx.RegisterComponentResource(Type, name, r, opts...); err != nil {
		return nil, fmt.Errorf("register %s: %w", name, err)
	}
	b := &builder{
		ctx: ctx, name: name, args: args, parent: r,
		roles: map[string]*keycloak.Role{}, scopes: map[string]*openid.ClientScope{},
	}
	if err := b.build(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return r, ctx.RegisterResourceOutputs(r, pulumi.Map{"issuer": pulumi.String(r.Issuer)})
}

func (b *builder) build() error {
	realm, err := keycloak.NewRealm(b.ctx, b.name, b.settings(), b.options(pulumi.Protect(b.args.Protect))...)
	if err != nil {
		return fmt.Errorf("realm: %w", err)
	}
	b.realm = realm.Realm
	if _, err := keycloak.NewRealmEvents(b.ctx, b.name, b.events(), b.options()...); err != nil {
		return fmt.Errorf("events: %w", err)
	}
	for _, role := range b.args.Roles {
		if b.roles[role.Name], err = keycloak.NewRole(b.ctx, b.child(role.Name), &keycloak.RoleArgs{
			RealmId: b.realm, Name: pulumi.String(role.Name), Description: pulumi.String(role.Description),
		}, b.options()...); err != nil {
			return fmt.Errorf("role %s: %w", role.Name, err)
		}
	}
	for _, scope := range b.args.ClientScopes {
		if b.scopes[scope.Name], err = openid.NewClientScope(b.ctx, b.child(scope.Name), &openid.ClientScopeArgs{
			RealmId: b.realm, Name: pulumi.String(scope.Name), Description: pulumi.String(scope.Description),
			IncludeInTokenScope: pulumi.Bool(scope.InToken),
		}, b.options()...); err != nil {
			return fmt.Errorf("client scope %s: %w", scope.Name, err)
		}
	}
	for _, client := range b.args.Clients {
		if err := b.client(client); err != nil {
			return fmt.Errorf("client %s: %w", client.ID, err)
		}
	}
	return nil
}

// child is the logical name of something in the realm. Realms may have the same in them, so the realm's comes first.
func (b *builder) child(name string) string { return b.name + "/" + name }

func (b *builder) options(more ...pulumi.ResourceOption) []pulumi.ResourceOption {
	return append(more, pulumi.Parent(b.parent), pulumi.Provider(b.args.Provider))
}

// settings are those of the realm. Those that are Keycloak's defaults are given as well: what is given is put right
// again when somebody changes it by hand.
func (b *builder) settings() *keycloak.RealmArgs {
	a := b.args
	displayName := a.DisplayName
	if displayName == "" {
		displayName = a.Name
	}
	return &keycloak.RealmArgs{
		Realm: pulumi.String(a.Name), DisplayName: pulumi.String(displayName), Enabled: pulumi.Bool(true),

		// What users could do on their own.
		RegistrationAllowed: pulumi.Bool(false), RegistrationEmailAsUsername: pulumi.Bool(false),
		ResetPasswordAllowed: pulumi.Bool(false), RememberMe: pulumi.Bool(false),
		EditUsernameAllowed: pulumi.Bool(false), UserManagedAccess: pulumi.Bool(false),
		// One address is one user, so it may stand for the user name. It is not verified: no mail can be sent.
		DuplicateEmailsAllowed: pulumi.Bool(false), LoginWithEmailAllowed: pulumi.Bool(true),
		VerifyEmail: pulumi.Bool(false),

		SslRequired:      pulumi.String("external"),
		PasswordPolicy:   pulumi.String(passwordPolicy),
		SecurityDefenses: b.defenses(),

		DefaultSignatureAlgorithm: pulumi.String(a.SignatureAlgorithm),
		AccessTokenLifespan:       duration(a.AccessTokenLifespan),
		// The implicit flow is off; if somebody turns it on, its tokens shall not live longer.
		AccessTokenLifespanForImplicitFlow: duration(a.AccessTokenLifespan),
		AccessCodeLifespan:                 duration(codeLifespan),
		RevokeRefreshToken:                 pulumi.Bool(true), RefreshTokenMaxReuse: pulumi.Int(0),
		SsoSessionIdleTimeout: duration(a.SessionIdleTimeout), SsoSessionMaxLifespan: duration(a.SessionMaxLifespan),
		OfflineSessionMaxLifespanEnabled: pulumi.Bool(true),
		OfflineSessionIdleTimeout:        duration(offlineIdle), OfflineSessionMaxLifespan: duration(offlineMax),

		// Without it what administrators did would be kept for ever; only an attribute says so.
		Attributes: pulumi.Map{"adminEventsExpiration": pulumi.String(seconds(a.Events.Retention))},
	}
}

// defenses protect users who log in: from having their passwords guessed, and from pages of others around a login.
func (b *builder) defenses() *keycloak.RealmSecurityDefensesArgs {
	force := b.args.BruteForce
	return &keycloak.RealmSecurityDefensesArgs{
		BruteForceDetection: &keycloak.RealmSecurityDefensesBruteForceDetectionArgs{
			PermanentLockout:             pulumi.Bool(false),
			MaxLoginFailures:             pulumi.Int(force.MaxFailures),
			WaitIncrementSeconds:         wholeSeconds(force.WaitIncrement),
			MaxFailureWaitSeconds:        wholeSeconds(force.MaxWait),
			FailureResetTimeSeconds:      wholeSeconds(failureReset),
			QuickLoginCheckMilliSeconds:  pulumi.Int(quickMilliseconds),
			MinimumQuickLoginWaitSeconds: wholeSeconds(min(quickWait, force.MaxWait)),
		},
		Headers: &keycloak.RealmSecurityDefensesHeadersArgs{
			XFrameOptions:                   pulumi.String("SAMEORIGIN"),
			ContentSecurityPolicy:           pulumi.String("frame-src 'self'; frame-ancestors 'self'; object-src 'none';"),
			ContentSecurityPolicyReportOnly: pulumi.String(""),
			XContentTypeOptions:             pulumi.String("nosniff"),
			XRobotsTag:                      pulumi.String("none"),
			// Keycloak 26 does not send it any more; the value is the plugin's default.
			XXssProtection:          pulumi.String("1; mode=block"),
			StrictTransportSecurity: pulumi.String("max-age=31536000; includeSubDomains"),
		},
	}
}

// events are what the realm records.
func (b *builder) events() *keycloak.RealmEventsArgs {
	return &keycloak.RealmEventsArgs{
		RealmId: b.realm, EventsEnabled: pulumi.Bool(true), EventsExpiration: wholeSeconds(b.args.Events.Retention),
		EnabledEventTypes: pulumi.ToStringArray(recorded), EventsListeners: pulumi.StringArray{pulumi.String("jboss-logging")},
		AdminEventsEnabled: pulumi.Bool(b.args.Events.Admin), AdminEventsDetailsEnabled: pulumi.Bool(false),
	}
}

// recorded are the types of events that are kept. Successes that are everyday work of machines are not among them:
// CLIENT_LOGIN, CODE_TO_TOKEN, REFRESH_TOKEN, INTROSPECT_TOKEN, USER_INFO_REQUEST, PERMISSION_TOKEN.
var recorded = []string{
	"CLIENT_DELETE", "CLIENT_DELETE_ERROR", "CLIENT_LOGIN_ERROR", "CLIENT_REGISTER", "CLIENT_REGISTER_ERROR",
	"CLIENT_UPDATE", "CLIENT_UPDATE_ERROR", "CODE_TO_TOKEN_ERROR", "DELETE_ACCOUNT", "DELETE_ACCOUNT_ERROR",
	"EXECUTE_ACTIONS", "EXECUTE_ACTIONS_ERROR", "GRANT_CONSENT", "IDENTITY_PROVIDER_LOGIN",
	"IDENTITY_PROVIDER_LOGIN_ERROR", "IMPERSONATE", "IMPERSONATE_ERROR", "INTROSPECT_TOKEN_ERROR", "LOGIN",
	"LOGIN_ERROR", "LOGOUT", "LOGOUT_ERROR", "REFRESH_TOKEN_ERROR", "REGISTER", "REGISTER_ERROR",
	"REMOVE_CREDENTIAL", "REMOVE_CREDENTIAL_ERROR", "RESET_PASSWORD", "RESET_PASSWORD_ERROR", "REVOKE_GRANT",
	"TOKEN_EXCHANGE", "TOKEN_EXCHANGE_ERROR", "UPDATE_CREDENTIAL", "UPDATE_CREDENTIAL_ERROR", "UPDATE_EMAIL",
	"UPDATE_EMAIL_ERROR", "UPDATE_PROFILE", "UPDATE_PROFILE_ERROR", "USER_DISABLED_BY_PERMANENT_LOCKOUT",
	"USER_DISABLED_BY_TEMPORARY_LOCKOUT",
}

// duration is written as the plugin reads it back.
func duration(d time.Duration) pulumi.StringInput { return pulumi.String(d.String()) }

func wholeSeconds(d time.Duration) pulumi.IntInput { return pulumi.Int(int(d / time.Second)) }

func seconds(d time.Duration) string { return strconv.FormatInt(int64(d/time.Second), 10) }
