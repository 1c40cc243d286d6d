package keycloak

import (
	"reflect"
	"testing"

	sdk "github.com/pulumi/pulumi-keycloak/sdk/v5/go/keycloak"
	"github.com/pulumi/pulumi-keycloak/sdk/v5/go/keycloak/openid"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	grpcstatus "google.golang.org/grpc/status"
)

// typed is something of the SDK that knows the plain Go type behind it.
type typed interface{ ElementType() reflect.Type }

var schemas = map[string]struct{ inputs, state typed }{
	"Realm":                         {sdk.RealmArgs{}, sdk.RealmState{}},
	"RealmEvents":                   {sdk.RealmEventsArgs{}, sdk.RealmEventsState{}},
	"Role":                          {sdk.RoleArgs{}, sdk.RoleState{}},
	"GenericRoleMapper":             {sdk.GenericRoleMapperArgs{}, sdk.GenericRoleMapperState{}},
	"Client":                        {openid.ClientArgs{}, openid.ClientState{}},
	"ClientScope":                   {openid.ClientScopeArgs{}, openid.ClientScopeState{}},
	"ClientDefaultScopes":           {openid.ClientDefaultScopesArgs{}, openid.ClientDefaultScopesState{}},
	"ClientOptionalScopes":          {openid.ClientOptionalScopesArgs{}, openid.ClientOptionalScopesState{}},
	"ClientServiceAccountRealmRole": {openid.ClientServiceAccountRealmRoleArgs{}, openid.ClientServiceAccountRealmRoleState{}},
	"HardcodedClaimProtocolMapper":  {openid.HardcodedClaimProtocolMapperArgs{}, openid.HardcodedClaimProtocolMapperState{}},
	"UserSessionNoteProtocolMapper": {openid.UserSessionNoteProtocolMapperArgs{}, openid.UserSessionNoteProtocolMapperState{}},
	"UserRealmRoleProtocolMapper":   {openid.UserRealmRoleProtocolMapperArgs{}, openid.UserRealmRoleProtocolMapperState{}},
	"AudienceProtocolMapper":        {openid.AudienceProtocolMapperArgs{}, openid.AudienceProtocolMapperState{}},
}

var goForms = map[form]reflect.Kind{
	text: reflect.String, flag: reflect.Bool, number: reflect.Int, seconds: reflect.String, set: reflect.Slice,
	dict: reflect.Map, group: reflect.Struct,
}

// TestTypesAreThoseOfThePublishedPlugin holds the tables of properties to the SDK.
func TestTypesAreThoseOfThePublishedPlugin(t *testing.T) {
	t.Parallel()
	require.Len(t, schemas, len(kinds))
	for name, schema := range schemas {
		k := kinds[tokenOf(t, name)]
		inputs, state := fields(schema.inputs.ElementType()), fields(schema.state.ElementType())
		for _, p := range k.properties {
			from := inputs
			if p.output {
				assert.NotContains(t, inputs, p.name, name)
				from = state
			}
			compare(t, name+"."+p.name, p, from[p.name], k.autonamed && p.name == "name")
		}
	}
	inputs := fields(sdk.ProviderArgs{}.ElementType())
	for _, p := range configuration {
		compare(t, "provider."+p.name, p, inputs[p.name], false)
	}
}

func compare(t *testing.T, path string, p property, known reflect.Type, named bool) {
	t.Helper()
	require.NotNil(t, known, "the SDK has no %s", path)
	optional := known.Kind() == reflect.Pointer
	if optional {
		known = known.Elem()
	}
	assert.Equal(t, goForms[p.form], known.Kind(), path)
	if scalar := p.form == text || p.form == flag || p.form == number || p.form == group; scalar && !named {
		assert.Equal(t, p.required, !optional, path)
	}
	for _, part := range p.parts {
		compare(t, path+"."+part.name, part, fields(known)[part.name], false)
	}
}

func fields(t reflect.Type) map[string]reflect.Type {
	found := map[string]reflect.Type{}
	for _, field := range reflect.VisibleFields(t) {
		if name, ok := field.Tag.Lookup("pulumi"); ok {
			found[name] = field.Type
		}
	}
	return found
}

func TestMistakesAreFoundInAPreview(t *testing.T) {
	t.Parallel()
	client := machine("r")
	for name, c := range map[string]struct {
		kind             string
		in               values
		property, reason string
	}{
		"no name of a realm":     {"Realm", values{}, "realm", "is required"},
		"a duration":             {"Realm", values{"realm": "r", "accessTokenLifespan": "300"}, "accessTokenLifespan", `want a duration in whole seconds, such as "5m"`},
		"half a second":          {"Realm", values{"realm": "r", "accessTokenLifespan": "1500ms"}, "accessTokenLifespan", "whole seconds"},
		"a misspelling":          {"Realm", values{"realm": "r", "bruteForce": true}, "bruteForce", "does not have this property; it has"},
		"what is not there yet":  {"Realm", values{"realm": "r", "smtpServer": values{"host": "h"}}, "smtpServer", "use the published plugins"},
		"inside of an object":    {"Realm", values{"realm": "r", "securityDefenses": values{"headers": values{"xFrame": "x"}}}, "securityDefenses.headers.xFrame", "does not have"},
		"a number inside":        {"Realm", values{"realm": "r", "securityDefenses": values{"bruteForceDetection": values{"maxLoginFailures": "5"}}}, "securityDefenses.bruteForceDetection.maxLoginFailures", "want a whole number"},
		"missing inside":         {"Realm", values{"realm": "r", "internationalization": values{"defaultLocale": "en"}}, "internationalization.supportedLocales", "is required"},
		"TLS":                    {"Realm", values{"realm": "r", "sslRequired": "always"}, "sslRequired", `is "always"; want one of ["none" "external" "all"]`},
		"a type of access":       {"Client", merged(client, values{"accessType": "SECRET"}), "accessType", `is "SECRET"`},
		"a flag":                 {"Client", merged(client, values{"enabled": "true"}), "enabled", "want true or false"},
		"seconds as a text":      {"Client", merged(client, values{"accessTokenLifespan": "5m"}), "accessTokenLifespan", `want a number of seconds, such as "300"`},
		"an output":              {"Client", merged(client, values{"serviceAccountUserId": "u"}), "serviceAccountUserId", "is the server's to say"},
		"two ways":               {"Client", merged(client, values{"extraConfig": values{"use.refresh.tokens": "true"}}), "extraConfig", "is the property useRefreshTokens"},
		"a method of PKCE":       {"Client", merged(client, values{"pkceCodeChallengeMethod": "s256"}), "pkceCodeChallengeMethod", "S256"},
		"a list of other things": {"ClientDefaultScopes", values{"realmId": "r", "clientId": "c", "defaultScopes": []any{1}}, "defaultScopes", "want a list of texts"},
		"no realm":               {"Role", values{"name": "n"}, "realmId", "is required"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			engine := tester{t, New(Options{})}
			_, failures := engine.check(engine.urn(c.kind), c.in, nil)
			require.Len(t, failures, 1)
			assert.Contains(t, failures[c.property], c.reason)
		})
	}
}

func TestWhatKeycloakWouldTakeAndNeverUseIsRefused(t *testing.T) {
	t.Parallel()
	c := connect(t, Options{Memory: &Memory{}}, values{"url": "http://localhost:1"})
	name, _ := c.realm(nil)
	for reason, in := range map[string]values{
		"serviceAccountsEnabled needs accessType CONFIDENTIAL": {"accessType": "PUBLIC"},
		"BEARER-ONLY allows no flow":                           {"accessType": "BEARER-ONLY"},
		"need one of validRedirectUris":                        {"standardFlowEnabled": true},
		"validRedirectUris need standardFlowEnabled":           {"validRedirectUris": []any{"https://a"}},
		"webOrigins need a flow":                               {"webOrigins": []any{"+"}},
	} {
		_, err := c.attempt("Client", merged(machine(name), in))
		assert.ErrorContains(t, err, reason)
	}
}

func TestANameIsMadeUpOnce(t *testing.T) {
	t.Parallel()
	c := tester{t, New(Options{})}
	first, failures := c.check(c.urn("Role"), values{"realmId": "r"}, nil)
	require.Empty(t, failures)
	assert.Regexp(t, `^it-[0-9a-f]{7}$`, c.decode(first)["name"])
	again, err := c.Check(t.Context(), &pulumirpc.CheckRequest{
		Urn: c.urn("Role"), News: c.encode(values{"realmId": "r"}), Olds: first, RandomSeed: []byte("another"),
	})
	require.NoError(t, err)
	assert.Equal(t, c.decode(first), c.decode(again.GetInputs()))
}

func TestATypeThatIsNotThereIsNamed(t *testing.T) {
	t.Parallel()
	_, err := New(Options{}).Check(t.Context(), &pulumirpc.CheckRequest{
		Urn: "urn:pulumi:test::test::keycloak:index/user:User::it",
	})
	require.ErrorContains(t, err, "the built-in keycloak plugin has no type keycloak:index/user:User; it has [keycloak:index/")
}

func halfMade(t *testing.T, err error) *pulumirpc.ErrorResourceInitFailed {
	t.Helper()
	for _, detail := range grpcstatus.Convert(err).Details() {
		if half, ok := detail.(*pulumirpc.ErrorResourceInitFailed); ok {
			return half
		}
	}
	require.Fail(t, "the error says nothing about a resource", "%v", err)
	return nil
}
