package config

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	minTokenLifespan   = time.Minute
	maxTokenLifespan   = time.Hour
	maxSessionLifespan = 168 * time.Hour
)

// What Keycloak itself makes in each realm.
var (
	builtInScopes = []string{
		"acr", "address", "basic", "email", "microprofile-jwt", "offline_access", "phone", "profile", "roles", "service_account", "web-origins",
	}
	builtInClients = []string{"account", "account-console", "admin-cli", "broker", "realm-management", "security-admin-console"}
	builtInRoles   = []string{"offline_access", "uma_authorization"}
)

func (k *checker) realms(path string, realms []Realm) {
	names := map[string]bool{}
	for i, realm := range realms {
		at := fmt.Sprintf("%s.%d", path, i)
		switch {
		case realm.Name == "master":
			k.add(at+".name", realm.Name, "is the realm of Keycloak's administrators and is not configured here; must be another name")
		case names[realm.Name] && realm.Name != "":
			k.add(at+".name", realm.Name, "is the name of another realm already; must be in one item only")
		}
		names[realm.Name] = true
		k.lifespans(at, realm)
		k.bruteForce(at+".bruteForce", realm.BruteForce)
		k.seconds(at+".events.retention", realm.Events.Retention, time.Hour, 8760*time.Hour, "")
		k.roles(at+".roles", realm)
		k.scopes(at+".clientScopes", realm.ClientScopes)
		k.clients(at, realm)
	}
}

// seconds checks a duration that Keycloak keeps in seconds.
func (k *checker) seconds(path string, d Duration, least, most time.Duration, why string) {
	switch value := d.Std(); {
	case value < least || value > most:
		k.add(path, short(value), fmt.Sprintf("must be from %s to %s%s", short(least), short(most), why))
	case value%time.Second != 0:
		k.add(path, short(value), "must be a number of whole seconds")
	}
}

func (k *checker) tokenLifespan(path string, d Duration) {
	why := ": an access token cannot be revoked, and whoever gets hold of one uses it until it expires"
	if d.Std() < minTokenLifespan {
		why = ": with less, clients would ask for new ones all the time"
	}
	k.seconds(path, d, minTokenLifespan, maxTokenLifespan, why)
}

func (k *checker) lifespans(path string, r Realm) {
	k.tokenLifespan(path+".accessTokenLifespan", r.AccessTokenLifespan)
	k.seconds(path+".sessionMaxLifespan", r.SessionMaxLifespan, 5*time.Minute, maxSessionLifespan, ": who has logged in is asked again once it is over")
	k.seconds(path+".sessionIdleTimeout", r.SessionIdleTimeout, time.Minute, maxSessionLifespan, "")
	longest := r.SessionMaxLifespan
	if r.SessionIdleTimeout > longest {
		k.add(path+".sessionIdleTimeout", short(r.SessionIdleTimeout.Std()),
			fmt.Sprintf("must be at most sessionMaxLifespan, which is %q", short(longest.Std())), path+".sessionMaxLifespan")
	}
	if r.AccessTokenLifespan > longest && r.AccessTokenLifespan.Std() <= maxTokenLifespan {
		k.add(path+".accessTokenLifespan", short(r.AccessTokenLifespan.Std()),
			fmt.Sprintf("must be at most sessionMaxLifespan, which is %q: a token ends with its session", short(longest.Std())), path+".sessionMaxLifespan")
	}
}

func (k *checker) bruteForce(path string, b BruteForce) {
	k.seconds(path+".waitIncrement", b.WaitIncrement, time.Second, 24*time.Hour, "")
	k.seconds(path+".maxWait", b.MaxWait, time.Second, 24*time.Hour, "")
	if b.WaitIncrement > b.MaxWait {
		k.add(path+".waitIncrement", short(b.WaitIncrement.Std()), fmt.Sprintf("must be at most maxWait, which is %q", short(b.MaxWait.Std())), path+".maxWait")
	}
}

func (k *checker) roles(path string, r Realm) {
	var names []string
	for _, role := range r.Roles {
		names = append(names, role.Name)
	}
	k.unique(path, "name", "role", names, append(slices.Clone(builtInRoles), "default-roles-"+r.Name))
}

func (k *checker) scopes(path string, scopes []ClientScope) {
	var names []string
	for _, scope := range scopes {
		names = append(names, scope.Name)
	}
	k.unique(path, "name", "client scope", names, builtInScopes)
}

// unique checks the names of a list's items, which must differ from each other
// and from what Keycloak has made already.
func (k *checker) unique(path, key, kind string, names, builtIn []string) {
	for i, name := range names {
		at := fmt.Sprintf("%s.%d.%s", path, i, key)
		switch {
		case name == "": // reported as missing
		case slices.Contains(builtIn, name):
			k.add(at, name, fmt.Sprintf("is a %s that Keycloak makes itself in each realm; must be another name", kind))
		case slices.Contains(names[:i], name):
			k.add(at, name, fmt.Sprintf("is the name of another %s of the realm already; must be in one item only", kind))
		}
	}
}

func (k *checker) clients(realmPath string, r Realm) {
	path := realmPath + ".clients"
	var names []string
	for i, client := range r.Clients {
		names = append(names, client.ID)
		at := fmt.Sprintf("%s.%d", path, i)
		k.flows(at, client)
		if r.Name == RoverRealm && client.ID == RoverClient {
			k.rover(at, client)
		} else if client.Type == ClientPublic {
			k.publicClient(at, client)
		}
		k.browser(at, client)
		if client.AccessTokenLifespan != 0 {
			k.tokenLifespan(at+".accessTokenLifespan", client.AccessTokenLifespan)
		}
		k.granted(at, realmPath, r, client)
	}
	k.unique(path, "clientId", "client", names, builtInClients)
}

func (k *checker) flows(path string, c RealmClient) {
	if !c.ClientCredentials && !c.AuthorizationCode {
		k.add(path, nil, "has no way to get tokens; must have clientCredentials: true, authorizationCode: true, or both",
			path, path+".clientCredentials", path+".authorizationCode", path+".clientId")
	}
	if len(c.Roles) > 0 && !c.ClientCredentials && c.Type == ClientConfidential {
		k.add(path+".roles", nil, "have no effect without clientCredentials: tokens that users get have the users' roles", path+".clientCredentials", path+".type")
	}
}

// rover checks what the Control Plane relies on.
func (k *checker) rover(path string, c RealmClient) {
	const why = " for the client rover of the realm rover, with which the Control Plane gets its tokens"
	if c.Type != ClientConfidential {
		k.add(path+".type", string(c.Type), "must be confidential"+why)
	}
	if !c.ClientCredentials {
		k.add(path+".clientCredentials", false, "must be true"+why)
	}
}

// publicClient refuses what needs a secret.
func (k *checker) publicClient(path string, c RealmClient) {
	const only = "is only allowed with type confidential; type is public, which has no secret"
	if c.ClientCredentials {
		k.add(path+".clientCredentials", true, only, path+".type")
	}
	if c.Secret.IsSet() {
		k.add(path+".secret", nil, only, path+".type")
	}
	if len(c.Roles) > 0 {
		k.add(path+".roles", nil, "are only allowed with type confidential; type is public, which gets no tokens for itself", path+".type")
	}
}

// browser checks what belongs to logins with a browser.
func (k *checker) browser(path string, c RealmClient) {
	if !c.AuthorizationCode {
		for name, given := range map[string]bool{"redirectUris": len(c.RedirectURIs) > 0, "webOrigins": len(c.WebOrigins) > 0} {
			if given {
				k.add(path+"."+name, nil, "have no effect without authorizationCode: true", path+".authorizationCode")
			}
		}
		return
	}
	if len(c.RedirectURIs) == 0 {
		k.add(path+".redirectUris", nil, "are missing; authorizationCode needs the URLs that a browser may return to, such as https://app.example.com/callback", path)
	}
	for i, uri := range c.RedirectURIs {
		if !isRedirectURI(uri) {
			k.add(fmt.Sprintf("%s.redirectUris.%d", path, i), uri,
				"must be an https:// URL, or an http:// one of localhost, with * at most at the end of its path: codes would be sent to whoever else it fits")
		}
	}
}

func isRedirectURI(s string) bool {
	u, err := url.Parse(s)
	if err != nil || u.User != nil || strings.Contains(s, "#") || !isHost(u.Hostname()) || !isPort(u.Port()) {
		return false
	}
	if u.Scheme != "https" && !(u.Scheme == "http" && isLoopback(u.Hostname())) {
		return false
	}
	stars := strings.Count(s, "*")
	return stars == 0 || stars == 1 && strings.HasSuffix(u.Path, "*") && strings.HasSuffix(s, "*")
}

// granted checks that the scopes and roles of a client are there.
func (k *checker) granted(path, realmPath string, r Realm, c RealmClient) {
	scopes, roles := slices.Clone(builtInScopes), []string(nil)
	for _, scope := range r.ClientScopes {
		scopes = append(scopes, scope.Name)
	}
	for _, role := range r.Roles {
		roles = append(roles, role.Name)
	}
	slices.Sort(scopes)
	k.defined(path+".defaultScopes", realmPath+".clientScopes", "client scope", c.DefaultScopes, scopes)
	k.defined(path+".optionalScopes", realmPath+".clientScopes", "client scope", c.OptionalScopes, scopes)
	k.defined(path+".roles", realmPath+".roles", "role", c.Roles, roles)
	for i, scope := range c.OptionalScopes {
		if slices.Contains(c.DefaultScopes, scope) {
			k.add(fmt.Sprintf("%s.optionalScopes.%d", path, i), scope, "is one of defaultScopes already; must be in one of the two only")
		} else if scope == "service_account" && c.ClientCredentials {
			k.add(fmt.Sprintf("%s.optionalScopes.%d", path, i), scope, "must be left out: Keycloak has it in all tokens with clientCredentials", path+".clientCredentials")
		}
	}
}

// defined checks names against those that a list of the realm defines.
func (k *checker) defined(path, list, kind string, names, present []string) {
	if k.isTouched(list) {
		return // what seems to be missing may be among what is wrong
	}
	allowed := "there is none"
	if len(present) > 0 {
		allowed = "must be one of " + strings.Join(present, ", ")
	}
	for i, name := range names {
		if !slices.Contains(present, name) {
			k.suggest(fmt.Sprintf("%s.%d", path, i), name, fmt.Sprintf("is no %s of the realm; %s", kind, allowed), nearest(name, present))
		}
	}
}
