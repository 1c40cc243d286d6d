package realm

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Args configure the component. Native types decide what exists.
type Args struct {
	// Provider is the Keycloak that everything is registered with, of [NewProvider]; Random makes the secrets.
	Provider, Random pulumi.ProviderResource
	// PasswordGeneration is raised to have the secrets of clients made anew that are not given.
	PasswordGeneration int
	// BaseURL is the public URL of Keycloak with its path, such as https://iris.example.com/auth.
	BaseURL string
	// Name is the realm's name, which never changes: another one is another realm.
	Name string
	// DisplayName is what people see; empty: the name.
	DisplayName string
	// AccessTokenLifespan is how long access tokens are valid. They cannot be revoked, only expire.
	AccessTokenLifespan time.Duration
	// SessionIdleTimeout ends a user's session that is not used, SessionMaxLifespan any.
	SessionIdleTimeout, SessionMaxLifespan time.Duration
	// SignatureAlgorithm is what tokens are signed with, such as RS256 or ES256.
	SignatureAlgorithm string
	// BruteForce slows down who guesses passwords.
	BruteForce BruteForce
	// Events are what the realm records.
	Events Events
	// Roles are the realm's own.
	Roles []Role
	// ClientScopes are the realm's own, besides those that each realm has.
	ClientScopes []ClientScope
	// Clients are the realm's own, besides those that each realm has.
	Clients []Client
	// Protect has the engine refuse to delete or replace the realm, and with it everything in it.
	Protect bool
}

// BruteForce says how long a user has to wait after wrong passwords.
type BruteForce struct {
	// MaxFailures is after how many wrong passwords a user has to wait.
	MaxFailures int
	// WaitIncrement is by how much the wait grows each time, MaxWait the longest one.
	WaitIncrement, MaxWait time.Duration
}

// Events say what a realm records.
type Events struct {
	// Retention is how long events are kept in the database.
	Retention time.Duration
	// Admin also records changes by administrators, without what they changed.
	Admin bool
}

// Role is a role of the realm.
type Role struct {
	// Name is how tokens call it, Description what it is for.
	Name, Description string
}

// ClientScope is a client scope of the realm.
type ClientScope struct {
	// Name is how clients ask for it, Description what it is for.
	Name, Description string
	// InToken has the name in the claim scope of tokens.
	InToken bool
}

// Client is a client of the realm.
type Client struct {
	// ID is the client's identifier, the claim azp of its tokens.
	ID string
	// Public is for a client that cannot keep a secret, such as a page in a browser.
	Public bool
	// Secret is that of a confidential client; nil: one is made up.
	Secret pulumi.StringInput
	// ClientCredentials gets the client tokens for itself; AuthorizationCode tokens for users who log in.
	ClientCredentials, AuthorizationCode bool
	// RedirectURIs are where a browser may return to after a login, WebOrigins whose scripts may use the realm's
	// endpoints. Only with AuthorizationCode.
	RedirectURIs, WebOrigins []string
	// LogoutURIs are where a browser may return to after a logout. Only with AuthorizationCode.
	LogoutURIs []string
	// AccessTokenLifespan is how long the client's access tokens are valid; 0: as the realm says.
	AccessTokenLifespan time.Duration
	// DefaultScopes are in all tokens of the client, besides those that its flows need; OptionalScopes are in those
	// tokens where the client asks for them, also where its flows would have them always. A scope can become an
	// optional one at once. The other way round, where optional ones are left, it takes one update without any
	// optional ones before.
	DefaultScopes, OptionalScopes []string
	// Roles are the realm's roles that the client itself has in tokens by ClientCredentials.
	Roles []string
	// UserRoles are the realm's roles that matter to the client: which of them a user has is in the user's tokens for it.
	// Only with AuthorizationCode.
	UserRoles []string
	// RolesClaim is the claim of ID tokens and of the user info that lists them too; empty: there is none. A user without
	// any has no such claim.
	RolesClaim string
}

// check reports what cannot work; the configuration is checked before, so this is for other callers.
func (a Args) check() error {
	var problems []error
	add := func(format string, values ...any) { problems = append(problems, fmt.Errorf(format, values...)) }
	if a.Name == "" || a.Name == "master" {
		add("Name is %q: allowed are names of realms other than master", a.Name)
	}
	for field, value := range map[string]time.Duration{
		"AccessTokenLifespan": a.AccessTokenLifespan, "SessionIdleTimeout": a.SessionIdleTimeout,
		"SessionMaxLifespan": a.SessionMaxLifespan, "BruteForce.WaitIncrement": a.BruteForce.WaitIncrement,
		"BruteForce.MaxWait": a.BruteForce.MaxWait, "Events.Retention": a.Events.Retention,
	} {
		if value < time.Second || value%time.Second != 0 {
			add("%s is %s: allowed are whole seconds", field, value)
		}
	}
	if a.BruteForce.MaxFailures < 1 {
		add("BruteForce.MaxFailures is %d: allowed are numbers above 0", a.BruteForce.MaxFailures)
	}
	if a.SignatureAlgorithm == "" {
		add("SignatureAlgorithm is missing")
	}
	for _, c := range a.Clients {
		if err := a.checkClient(c); err != nil {
			add("client %q: %w", c.ID, err)
		}
	}
	return errors.Join(problems...)
}

func (a Args) checkClient(c Client) error {
	switch {
	case c.ID == "":
		return errors.New("ID is missing")
	case !c.ClientCredentials && !c.AuthorizationCode:
		return errors.New("neither ClientCredentials nor AuthorizationCode: allowed are one of them or both")
	case c.Public && (c.ClientCredentials || c.Secret != nil):
		return errors.New("a Public one is allowed neither ClientCredentials nor a Secret")
	case c.AuthorizationCode && len(c.RedirectURIs) == 0:
		return errors.New("RedirectURIs are missing: AuthorizationCode needs one and more")
	case !c.AuthorizationCode && len(c.RedirectURIs)+len(c.WebOrigins)+len(c.LogoutURIs) > 0:
		return errors.New("RedirectURIs, WebOrigins and LogoutURIs are allowed with AuthorizationCode only")
	case !c.AuthorizationCode && len(c.UserRoles) > 0:
		return errors.New("with AuthorizationCode only are UserRoles allowed")
	case c.RolesClaim != "" && len(c.UserRoles) == 0:
		return fmt.Errorf("UserRoles are missing: the claim %s would never have any", c.RolesClaim)
	case !c.ClientCredentials && len(c.Roles) > 0:
		return errors.New("with ClientCredentials only are Roles allowed")
	case c.AccessTokenLifespan%time.Second != 0:
		return fmt.Errorf("AccessTokenLifespan is %s: allowed are whole seconds", c.AccessTokenLifespan)
	case c.ClientCredentials && slices.Contains(c.OptionalScopes, scopeServiceAccount):
		return fmt.Errorf("OptionalScopes has %s: Keycloak makes it a default one with ClientCredentials", scopeServiceAccount)
	}
	for _, scope := range c.OptionalScopes {
		if slices.Contains(c.DefaultScopes, scope) {
			return fmt.Errorf("scope %q is in DefaultScopes and in OptionalScopes: allowed is one of them", scope)
		}
	}
	for _, role := range slices.Concat(c.Roles, c.UserRoles) {
		if !slices.ContainsFunc(a.Roles, func(r Role) bool { return r.Name == role }) {
			return fmt.Errorf("role %q is none of the realm's Roles", role)
		}
	}
	return nil
}
