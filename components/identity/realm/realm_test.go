package realm_test

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pulumi/pulumi-random/sdk/v4/go/random"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/components/identity/realm"
)

// rover is the realm with one client for machines, as it is without further configuration.
func rover() realm.Args {
	return realm.Args{
		PasswordGeneration: 1, BaseURL: "https://iris.example.com/auth", Name: "rover",
		AccessTokenLifespan: 5 * time.Minute, SessionIdleTimeout: 30 * time.Minute, SessionMaxLifespan: 10 * time.Hour,
		SignatureAlgorithm: "RS256",
		BruteForce:         realm.BruteForce{MaxFailures: 10, WaitIncrement: time.Minute, MaxWait: 15 * time.Minute},
		Events:             realm.Events{Retention: 7 * 24 * time.Hour, Admin: true},
		Clients:            []realm.Client{{ID: "rover", ClientCredentials: true}},
	}
}

// rich is a realm with everything that can be configured.
func rich() realm.Args {
	a := rover()
	a.DisplayName, a.SignatureAlgorithm, a.Protect = "Rover", "ES256", true
	a.Roles = []realm.Role{{Name: "writer", Description: "May write"}, {Name: "reader"}}
	a.ClientScopes = []realm.ClientScope{{Name: "team:read", Description: "A team's own", InToken: true}, {Name: "hidden"}}
	a.Clients = append(a.Clients,
		realm.Client{
			ID: "job", Secret: pulumi.String("given-by-somebody-0123456789"), ClientCredentials: true,
			AccessTokenLifespan: time.Minute, DefaultScopes: []string{"team:read"}, Roles: []string{"writer"},
		},
		realm.Client{
			ID: "page", Public: true, AuthorizationCode: true, RedirectURIs: []string{"https://app.example.com/*"},
			WebOrigins: []string{"+"}, OptionalScopes: []string{"email", "hidden"},
			LogoutURIs: []string{"https://app.example.com/bye"}, UserRoles: []string{"reader"}, RolesClaim: "roles",
		},
	)
	return a
}

// recorder remembers what the program registers.
type recorder struct {
	mutex sync.Mutex
	all   map[string]pulumi.MockResourceArgs // by type and name
}

func (r *recorder) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if args.TypeToken == realm.Type {
		return "", nil, nil // the component itself
	}
	kind := args.TypeToken[strings.LastIndex(args.TypeToken, ":")+1:]
	r.all[kind+" "+args.Name] = args
	outputs := args.Inputs.Copy()
	switch kind {
	case "RandomPassword":
		outputs["result"] = resource.NewProperty("made-up-" + args.Name)
	case "Client":
		outputs["serviceAccountUserId"] = resource.NewProperty("account-of-" + args.Name)
	}
	return "id-of-" + args.Name, outputs, nil
}

func (*recorder) Call(pulumi.MockCallArgs) (resource.PropertyMap, error) { return nil, nil }

// program registers the realm, and gives what comes out of it to use.
func program(args realm.Args, provider realm.ProviderArgs, use func(*realm.Realm)) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		random, err := random.NewProvider(ctx, "random", nil, pulumi.Version("4.19.0"))
		if err != nil {
			return err
		}
		keycloak, err := realm.NewProvider(ctx, "keycloak", provider)
		if err != nil {
			return err
		}
		args := args
		args.Provider, args.Random = keycloak, random
		made, err := realm.New(ctx, args.Name, args)
		if err == nil && use != nil {
			use(made)
		}
		return err
	}
}

func admin() realm.ProviderArgs {
	return realm.ProviderArgs{URL: "https://iris.example.com", Username: "admin", Password: pulumi.String("secret")}
}

func record(t *testing.T, args realm.Args, provider realm.ProviderArgs, use func(*realm.Realm)) *recorder {
	t.Helper()
	r := &recorder{all: map[string]pulumi.MockResourceArgs{}}
	require.NoError(t, pulumi.RunErr(program(args, provider, use), pulumi.WithMocks("controlplane", "test", r)))
	return r
}

func (r *recorder) find(t *testing.T, key string) pulumi.MockResourceArgs {
	t.Helper()
	found, ok := r.all[key]
	require.True(t, ok, "%s is not registered", key)
	return found
}

// inputs are plain values.
func (r *recorder) inputs(t *testing.T, key string) map[string]any {
	t.Helper()
	return r.find(t, key).Inputs.MapRepl(nil, func(v resource.PropertyValue) (any, bool) {
		if v.IsSecret() {
			return v.SecretValue().Element.V, true
		}
		return nil, false
	})
}

func TestOneClientNeedsNoMoreThanThis(t *testing.T) {
	r := record(t, rover(), admin(), nil)
	assert.Equal(t, []string{
		"Client rover/rover", "ClientDefaultScopes rover/rover", "ClientOptionalScopes rover/rover",
		"RandomPassword rover/rover", "Realm rover", "RealmEvents rover", "UserSessionNoteProtocolMapper rover/rover",
		"keycloak keycloak", "random random",
	}, slices.Sorted(maps.Keys(r.all)))
}

func TestEverythingBelongsToTheRealm(t *testing.T) {
	r := record(t, rich(), admin(), nil)
	for key, made := range r.all {
		if strings.HasPrefix(made.TypeToken, "pulumi:providers:") {
			continue
		}
		assert.Equal(t, realm.Type, string(resource.URN(made.RegisterRPC.GetParent()).Type()), "%s has the component as parent", key)
		provider := "pulumi:providers:keycloak::keycloak"
		if strings.HasPrefix(made.TypeToken, "random:") {
			provider = "pulumi:providers:random::random"
		}
		assert.Contains(t, made.Provider, provider, "%s", key)
		if value, found := made.Inputs["realmId"]; found {
			assert.Equal(t, "rover", value.StringValue(), "%s", key)
		}
	}
}
