package config

// SignatureAlgorithm is what tokens are signed with.
type SignatureAlgorithm string

// ClientType says whether a client can keep a secret.
type ClientType string

const (
	// ClientConfidential authenticates itself with a secret.
	ClientConfidential ClientType = "confidential"
	// ClientPublic runs where a secret could be read, as in a browser.
	ClientPublic ClientType = "public"
)

const (
	// RoverRealm is the realm that always exists.
	RoverRealm = "rover"
	// RoverClient is the client of that realm that always exists.
	RoverClient = "rover"
)

// Realm is a realm of the platform's own.
type Realm struct {
	// Name of the realm, which is part of its issuer.
	Name string `json:"name" jsonschema:"required,format=realm-name"`
	// Name that people see.
	DisplayName string `json:"displayName,omitempty" jsonschema:"minLength=1,maxLength=255"`
	// How long an access token is valid, from 1m to 1h. It cannot be revoked.
	AccessTokenLifespan Duration `json:"accessTokenLifespan,omitempty" jsonschema:"default=5m"`
	// How long a user's session stays without being used. At most sessionMaxLifespan.
	SessionIdleTimeout Duration `json:"sessionIdleTimeout,omitempty" jsonschema:"default=30m"`
	// How long a user's session stays at most. At most 168h.
	SessionMaxLifespan Duration `json:"sessionMaxLifespan,omitempty" jsonschema:"default=10h"`
	// What tokens are signed with.
	SignatureAlgorithm SignatureAlgorithm `json:"signatureAlgorithm,omitempty" jsonschema:"enum=RS256,enum=RS384,enum=RS512,enum=PS256,enum=PS384,enum=PS512,enum=ES256,enum=ES384,enum=ES512,default=RS256"`
	// Protection from guessing passwords.
	BruteForce BruteForce `json:"bruteForce"`
	// What is recorded of logins and of changes.
	Events Events `json:"events"`
	// Roles of the realm.
	Roles []RealmRole `json:"roles,omitempty"`
	// Client scopes of the realm, beside those that each realm has.
	ClientScopes []ClientScope `json:"clientScopes,omitempty"`
	// Clients of the realm.
	Clients []RealmClient `json:"clients,omitempty" jsonschema_extras:"x-derived=in the realm rover: rover"`
}

// BruteForce configures how long a user is locked out after wrong passwords.
type BruteForce struct {
	// After how many wrong passwords a user has to wait.
	MaxFailures int `json:"maxFailures" jsonschema:"minimum=3,maximum=100,default=10"`
	// By how much the wait grows each time.
	WaitIncrement Duration `json:"waitIncrement,omitempty" jsonschema:"default=1m"`
	// The longest wait. At least waitIncrement, at most 24h.
	MaxWait Duration `json:"maxWait,omitempty" jsonschema:"default=15m"`
}

// Events configures what a realm records.
type Events struct {
	// How long logins and what else users and clients did are kept in the database, from 1h to 8760h.
	Retention Duration `json:"retention,omitempty" jsonschema:"default=168h"`
	// Whether changes by administrators are recorded too.
	Admin bool `json:"admin" jsonschema:"default=true"`
}

// RealmRole is a role of a realm.
type RealmRole struct {
	// Name of the role.
	Name string `json:"name" jsonschema:"required,format=keycloak-name"`
	// What it is for.
	Description string `json:"description,omitempty" jsonschema:"minLength=1,maxLength=255"`
}

// ClientScope is a client scope of a realm.
type ClientScope struct {
	// Name of the client scope.
	Name string `json:"name" jsonschema:"required,format=keycloak-name"`
	// What it is for.
	Description string `json:"description,omitempty" jsonschema:"minLength=1,maxLength=255"`
	// Whether the name is in the claim scope of tokens.
	InToken bool `json:"inToken" jsonschema:"default=true"`
}

// RealmClient is a client of a realm.
type RealmClient struct {
	// The client's identifier.
	ID string `json:"clientId" jsonschema:"required,format=keycloak-name"`
	// Whether the client has a secret: a `confidential` one does; a `public` one runs where a secret could be read, as in a browser.
	Type ClientType `json:"type,omitempty" jsonschema:"enum=confidential,enum=public,default=confidential"`
	// Secret of a confidential client.
	Secret Secret `json:"secret,omitempty" jsonschema:"format=client-secret" jsonschema_extras:"x-derived=made up"`
	// Whether the client gets tokens for itself, with its secret.
	ClientCredentials bool `json:"clientCredentials" jsonschema_extras:"x-derived=true for the client rover of the realm rover\\, otherwise false"`
	// Whether users log in to the client with a browser, by the authorization code flow with PKCE. Needs redirectUris.
	AuthorizationCode bool `json:"authorizationCode" jsonschema:"default=false"`
	// Where a browser may return to after a login: https:// URLs, or http:// ones of localhost, with * at most at the end of the path.
	RedirectURIs []string `json:"redirectUris,omitempty" jsonschema:"uniqueItems=true,minItems=1,example=https://app.example.com/callback"`
	// Origins whose scripts may use the realm's endpoints in a browser; `+` stands for those of redirectUris.
	WebOrigins []string `json:"webOrigins,omitempty" jsonschema:"format=web-origin,uniqueItems=true,minItems=1,example=https://app.example.com"`
	// How long the client's access tokens are valid, from 1m to 1h.
	AccessTokenLifespan Duration `json:"accessTokenLifespan,omitempty" jsonschema_extras:"x-derived=accessTokenLifespan of the realm"`
	// More client scopes that all tokens of the client have, of clientScopes or of those that each realm has. Those of `basic` and `roles` are always in, with clientCredentials `service_account`, and with authorizationCode `acr`, `email`, `profile` and `web-origins`.
	DefaultScopes []string `json:"defaultScopes,omitempty" jsonschema:"uniqueItems=true,minItems=1"`
	// Client scopes that are in the tokens for which the client asks for them.
	OptionalScopes []string `json:"optionalScopes,omitempty" jsonschema:"uniqueItems=true,minItems=1"`
	// Roles of the realm that the client itself has in tokens by its credentials. Needs clientCredentials.
	Roles []string `json:"roles,omitempty" jsonschema:"uniqueItems=true,minItems=1"`
}
