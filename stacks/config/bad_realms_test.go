package config_test

const (
	realmName    = "must be 1 to 36 lower-case letters, digits, - and _, with a letter or digit first and last"
	keycloakName = "must be 1 to 128 letters, digits, ., -, _ and :, with a letter or digit first and last"
	clientSecret = "must be 24 to 255 characters of ASCII without spaces, at least 10 of them different"
	lifespan     = "must be from 1m to 1h: an access token cannot be revoked, and whoever gets hold of one uses it until it expires"
	redirectURI  = "must be an https:// URL, or an http:// one of localhost, with * at most at the end of its path: codes would be sent to whoever else it fits"
	builtInScope = "acr, address, basic, email, microprofile-jwt, offline_access, phone, profile, roles, service_account, web-origins"
	clientKeys   = "accessTokenLifespan, authorizationCode, clientCredentials, clientId, defaultScopes, optionalScopes, redirectUris, roles, secret, type, webOrigins"
)

// realm is an identity provider with one realm, rover, with more keys.
func realm(more string) string { return identity("realms: [{name: rover, " + more + "}]") }

// client is a realm with one client, app, that gets tokens for itself.
func client(more string) string {
	return realm("clients: [{clientId: app, clientCredentials: true, " + more + "}]")
}

// app is a realm with one client, app, that users log in to.
func app(more string) string {
	return realm("clients: [{clientId: app, authorizationCode: true, " + more + "}]")
}

var badRealms = []badConfiguration{
	// Realms.
	{"realm without a name", identity("realms: [{displayName: Rover}]"), []string{
		"controlplane:identity.realms[0].name: is missing; " + realmName}},
	{"realm in capitals", identity("realms: [{name: Rover}]"), []string{
		`controlplane:identity.realms[0].name: "Rover" ` + realmName}},
	{"realm of the administrators", identity("realms: [{name: master}]"), []string{
		`controlplane:identity.realms[0].name: "master" is the realm of Keycloak's administrators and is not configured here; must be another name`}},
	{"realm twice", identity("realms: [{name: shop}, {name: shop}]"), []string{
		`controlplane:identity.realms[1].name: "shop" is the name of another realm already; must be in one item only`}},
	{"misspelt key of a realm", realm("displayname: Rover"), []string{
		`controlplane:identity.realms[0].displayname: is not a key; allowed are accessTokenLifespan, bruteForce, clientScopes, clients, displayName, events, name, roles, sessionIdleTimeout, sessionMaxLifespan, signatureAlgorithm; did you mean "displayName"?`}},
	{"token for a day", realm("accessTokenLifespan: 24h"), []string{
		`controlplane:identity.realms[0].accessTokenLifespan: "24h" ` + lifespan}},
	{"token for half a minute", realm("accessTokenLifespan: 30s"), []string{
		`controlplane:identity.realms[0].accessTokenLifespan: "30s" must be from 1m to 1h: with less, clients would ask for new ones all the time`}},
	{"token for a fraction of a second more", realm("accessTokenLifespan: 60500ms"), []string{
		`controlplane:identity.realms[0].accessTokenLifespan: "1m0.5s" must be a number of whole seconds`}},
	{"token as a number of seconds", realm("accessTokenLifespan: 300"), []string{
		"controlplane:identity.realms[0].accessTokenLifespan: 300 " + duration}},
	{"token that outlives its session", realm("accessTokenLifespan: 30m, sessionIdleTimeout: 5m, sessionMaxLifespan: 10m"), []string{
		`controlplane:identity.realms[0].accessTokenLifespan: "30m" must be at most sessionMaxLifespan, which is "10m": a token ends with its session`}},
	{"idle session that outlives the longest", realm("sessionIdleTimeout: 12h"), []string{
		`controlplane:identity.realms[0].sessionIdleTimeout: "12h" must be at most sessionMaxLifespan, which is "10h"`}},
	{"session for a month", realm("sessionMaxLifespan: 720h"), []string{
		`controlplane:identity.realms[0].sessionMaxLifespan: "720h" must be from 5m to 168h: who has logged in is asked again once it is over`}},
	{"no signature", realm("signatureAlgorithm: none"), []string{
		`controlplane:identity.realms[0].signatureAlgorithm: "none" must be one of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512`}},
	{"signature with a shared key", realm("signatureAlgorithm: HS256"), []string{
		`controlplane:identity.realms[0].signatureAlgorithm: "HS256" must be one of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512; did you mean "ES256"?`}},
	{"a thousand guesses", realm("bruteForce: {maxFailures: 1000}"), []string{
		"controlplane:identity.realms[0].bruteForce.maxFailures: 1000 must be a whole number from 3 to 100"}},
	{"longest wait shorter than the first", realm("bruteForce: {waitIncrement: 30m}"), []string{
		`controlplane:identity.realms[0].bruteForce.waitIncrement: "30m" must be at most maxWait, which is "15m"`}},
	{"events for a minute", realm("events: {retention: 1m}"), []string{
		`controlplane:identity.realms[0].events.retention: "1m" must be from 1h to 8760h`}},

	// Roles and client scopes.
	{"role twice", realm("roles: [{name: admin}, {name: admin}]"), []string{
		`controlplane:identity.realms[0].roles[1].name: "admin" is the name of another role of the realm already; must be in one item only`}},
	{"role of Keycloak's", realm("roles: [{name: default-roles-rover}]"), []string{
		`controlplane:identity.realms[0].roles[0].name: "default-roles-rover" is a role that Keycloak makes itself in each realm; must be another name`}},
	{"role with a space", realm("roles: [{name: my role}]"), []string{
		`controlplane:identity.realms[0].roles[0].name: "my role" ` + keycloakName}},
	{"scope twice", realm("clientScopes: [{name: a}, {name: b}, {name: a}]"), []string{
		`controlplane:identity.realms[0].clientScopes[2].name: "a" is the name of another client scope of the realm already; must be in one item only`}},
	{"scope of Keycloak's", realm("clientScopes: [{name: profile}]"), []string{
		`controlplane:identity.realms[0].clientScopes[0].name: "profile" is a client scope that Keycloak makes itself in each realm; must be another name`}},

	// Clients.
	{"client without an identifier", realm("clients: [{clientCredentials: true}]"), []string{
		"controlplane:identity.realms[0].clients[0].clientId: is missing; " + keycloakName}},
	{"client by its name", realm("clients: [{clientid: app, clientCredentials: true}]"), []string{
		"controlplane:identity.realms[0].clients[0].clientId: is missing; " + keycloakName,
		"controlplane:identity.realms[0].clients[0].clientid: is not a key; allowed are " + clientKeys + `; did you mean "clientId"?`}},
	{"client twice", realm("clients: [{clientId: app, clientCredentials: true}, {clientId: app, clientCredentials: true}]"), []string{
		`controlplane:identity.realms[0].clients[1].clientId: "app" is the name of another client of the realm already; must be in one item only`}},
	{"client of Keycloak's", realm("clients: [{clientId: admin-cli, clientCredentials: true}]"), []string{
		`controlplane:identity.realms[0].clients[0].clientId: "admin-cli" is a client that Keycloak makes itself in each realm; must be another name`}},
	{"client without any flow", realm("clients: [{clientId: app}]"), []string{
		"controlplane:identity.realms[0].clients[0]: has no way to get tokens; must have clientCredentials: true, authorizationCode: true, or both"}},
	{"client with a misspelt flow", realm("clients: [{clientId: app, clientCredential: true}]"), []string{
		"controlplane:identity.realms[0].clients[0].clientCredential: is not a key; allowed are " + clientKeys + `; did you mean "clientCredentials"?`}},
	{"client with an empty secret", client("secret: ''"), []string{
		"controlplane:identity.realms[0].clients[0].secret: [secret] " + clientSecret}},
	{"client with a short secret", client("secret: hunter2hunter2"), []string{
		"controlplane:identity.realms[0].clients[0].secret: [secret] " + clientSecret}},
	{"client with a secret of one character", client("secret: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"), []string{
		"controlplane:identity.realms[0].clients[0].secret: [secret] " + clientSecret}},
	{"secret with a line end", client(`secret: "9f3b1c7de0a84562\n9f3b1c7de0a84562"`), []string{
		"controlplane:identity.realms[0].clients[0].secret: [secret] " + clientSecret}},
	{"public client for itself", client("type: public"), []string{
		"controlplane:identity.realms[0].clients[0].clientCredentials: true is only allowed with type confidential; type is public, which has no secret"}},
	{"public client with secret and roles", realm("roles: [{name: reader}], clients: [{clientId: app, type: public, authorizationCode: true, redirectUris: ['https://a.example.com/'], secret: 9f3b1c7de0a845629f3b1c7de0a84562, roles: [reader]}]"), []string{
		"controlplane:identity.realms[0].clients[0].roles: are only allowed with type confidential; type is public, which gets no tokens for itself",
		"controlplane:identity.realms[0].clients[0].secret: is only allowed with type confidential; type is public, which has no secret"}},
	{"roles without tokens for itself", realm("roles: [{name: reader}], clients: [{clientId: app, authorizationCode: true, redirectUris: ['https://a.example.com/'], roles: [reader]}]"), []string{
		"controlplane:identity.realms[0].clients[0].roles: have no effect without clientCredentials: tokens that users get have the users' roles"}},
	{"token of a client for a day", client("accessTokenLifespan: 24h"), []string{
		`controlplane:identity.realms[0].clients[0].accessTokenLifespan: "24h" ` + lifespan}},
	{"public rover", realm("clients: [{clientId: rover, type: public}]"), []string{
		`controlplane:identity.realms[0].clients[0].type: "public" must be confidential for the client rover of the realm rover, with which the Control Plane gets its tokens`}},
	{"rover without credentials", realm("clients: [{clientId: rover, clientCredentials: false, authorizationCode: true, redirectUris: ['https://a.example.com/']}]"), []string{
		"controlplane:identity.realms[0].clients[0].clientCredentials: false must be true for the client rover of the realm rover, with which the Control Plane gets its tokens"}},

	// Logins with a browser.
	{"nowhere to return to", app("type: public"), []string{
		"controlplane:identity.realms[0].clients[0].redirectUris: are missing; authorizationCode needs the URLs that a browser may return to, such as https://app.example.com/callback"}},
	{"returns to anybody", app("redirectUris: ['*', 'https://*', 'https://*.example.com/', 'https://app.example.com*']"), []string{
		`controlplane:identity.realms[0].clients[0].redirectUris[0]: "*" ` + redirectURI,
		`controlplane:identity.realms[0].clients[0].redirectUris[1]: "https://*" ` + redirectURI,
		`controlplane:identity.realms[0].clients[0].redirectUris[2]: "https://*.example.com/" ` + redirectURI,
		`controlplane:identity.realms[0].clients[0].redirectUris[3]: "https://app.example.com*" ` + redirectURI}},
	{"returns without TLS", app("redirectUris: ['http://app.example.com/callback', 'com.example.app:/callback', 'https://app.example.com/#a', '/callback']"), []string{
		`controlplane:identity.realms[0].clients[0].redirectUris[0]: "http://app.example.com/callback" ` + redirectURI,
		`controlplane:identity.realms[0].clients[0].redirectUris[1]: "com.example.app:/callback" ` + redirectURI,
		`controlplane:identity.realms[0].clients[0].redirectUris[2]: "https://app.example.com/#a" ` + redirectURI,
		`controlplane:identity.realms[0].clients[0].redirectUris[3]: "/callback" ` + redirectURI}},
	{"returns without a login", client("redirectUris: ['https://app.example.com/'], webOrigins: ['+']"), []string{
		"controlplane:identity.realms[0].clients[0].redirectUris: have no effect without authorizationCode: true",
		"controlplane:identity.realms[0].clients[0].webOrigins: have no effect without authorizationCode: true"}},
	{"scripts of anybody", app("redirectUris: ['https://app.example.com/'], webOrigins: ['*', 'https://app.example.com/', 'http://app.example.com']"), []string{
		`controlplane:identity.realms[0].clients[0].webOrigins[0]: "*" must be +, or an origin such as https://app.example.com (http:// only on localhost)`,
		`controlplane:identity.realms[0].clients[0].webOrigins[1]: "https://app.example.com/" must be +, or an origin such as https://app.example.com (http:// only on localhost)`,
		`controlplane:identity.realms[0].clients[0].webOrigins[2]: "http://app.example.com" must be +, or an origin such as https://app.example.com (http:// only on localhost)`}},

	// Scopes and roles of clients.
	{"misspelt scopes", realm("clientScopes: [{name: gateway}], clients: [{clientId: app, clientCredentials: true, defaultScopes: [profil], optionalScopes: [gatway]}]"), []string{
		`controlplane:identity.realms[0].clients[0].defaultScopes[0]: "profil" is no client scope of the realm; must be one of acr, address, basic, email, gateway, microprofile-jwt, offline_access, phone, profile, roles, service_account, web-origins; did you mean "profile"?`,
		`controlplane:identity.realms[0].clients[0].optionalScopes[0]: "gatway" is no client scope of the realm; must be one of acr, address, basic, email, gateway, microprofile-jwt, offline_access, phone, profile, roles, service_account, web-origins; did you mean "gateway"?`}},
	{"scope of another realm", identity("realms: [{name: a, clientScopes: [{name: shared}]}, {name: b, clients: [{clientId: app, clientCredentials: true, defaultScopes: [shared]}]}]"), []string{
		`controlplane:identity.realms[1].clients[0].defaultScopes[0]: "shared" is no client scope of the realm; must be one of ` + builtInScope}},
	{"scope twice of a client", client("defaultScopes: [email], optionalScopes: [phone, email]"), []string{
		`controlplane:identity.realms[0].clients[0].optionalScopes[1]: "email" is one of defaultScopes already; must be in one of the two only`}},
	{"scope that credentials have always", client("optionalScopes: [service_account]"), []string{
		`controlplane:identity.realms[0].clients[0].optionalScopes[0]: "service_account" must be left out: Keycloak has it in all tokens with clientCredentials`}},
	{"role that is not defined", client("roles: [reader]"), []string{
		`controlplane:identity.realms[0].clients[0].roles[0]: "reader" is no role of the realm; there is none`}},
	{"misspelt role", realm("roles: [{name: reader}], clients: [{clientId: rover, roles: [raeder]}]"), []string{
		`controlplane:identity.realms[0].clients[0].roles[0]: "raeder" is no role of the realm; must be one of reader; did you mean "reader"?`}},
	{"role whose definition is wrong", realm("roles: [{nmae: reader}], clients: [{clientId: rover, roles: [reader]}]"), []string{
		"controlplane:identity.realms[0].roles[0].name: is missing; " + keycloakName,
		`controlplane:identity.realms[0].roles[0].nmae: is not a key; allowed are description, name; did you mean "name"?`}},
}
