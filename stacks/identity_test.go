package stacks_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/tests/graph"
)

const (
	realmKind    = "keycloak:index/realm:Realm"
	providerKind = "pulumi:providers:keycloak"
)

func TestIdentity(t *testing.T) {
	g := graph.Run(t, graph.Zonal)
	t.Run("a realm is made once Keycloak runs, and that once it can log in to its database", func(t *testing.T) {
		assert.Subset(t, g.After(g.Resource(t, realmKind, "realm-rover")), []string{"identity/iris", "postgresql/platform-check"})
	})
	t.Run("it has a pool of its own and goes past the database's", func(t *testing.T) {
		g := graph.Run(t, graph.Configuration{"availability": "zonal", "storage": `{"postgresql":{"pooler":{"enabled":true}}}`})
		assert.Equal(t, "platform-rw.postgresql.svc", environment(t, g, "identity/iris")["KC_DB_URL_HOST"])
		egress := g.Object(t, "NetworkPolicy", "identity/allow-iris-database-egress").Object.Object["spec"]
		assert.Contains(t, textOf(t, egress), `{"cnpg.io/cluster":"platform","cnpg.io/podRole":"instance"}`)
	})
	t.Run("the Control Plane's servers trust the realm rover and no other", func(t *testing.T) {
		g := graph.Run(t, graph.Configuration{"identity": `{"hostname":"iris.example.com","realms":[{"name":"partners"}]}`})
		for _, name := range []string{"rover-server-env", "api-env"} {
			data := g.Object(t, "ConfigMap", "controlplane-system/"+name).Object.Object["data"]
			assert.Equal(t, map[string]any{"LISTENERS_EXTERNAL_JWT_TRUSTEDISSUERS": "https://iris.example.com/auth/realms/rover"}, data)
		}
	})
	t.Run("who connects from outside verifies with the public issuer's authority", func(t *testing.T) {
		issuer := func(g *graph.Graph) any {
			spec := g.Object(t, "Certificate", "identity/iris-public-tls").Object.Object["spec"].(map[string]any)
			return spec["issuerRef"].(map[string]any)["name"]
		}
		assert.Equal(t, "platform-ca", issuer(g))
		acme := graph.Run(t, graph.Configuration{"certTrust": `{"acme":{"server":"https://acme.example.com/directory","email":"ops@example.com","http01":{"ingressClassName":"traefik"}}}`})
		assert.Equal(t, "public", issuer(acme))
	})
	t.Run("over zones its realms are protected like other data", func(t *testing.T) {
		assert.True(t, g.Resource(t, realmKind, "realm-rover").Protected)
		assert.False(t, graph.Run(t, nil).Resource(t, realmKind, "realm-rover").Protected)
	})
}

// The address of the admin API, and whether its certificate is verified.
func TestWayToTheAdminAPI(t *testing.T) {
	const acme = `{"acme":{"server":"https://acme.example.com/directory","email":"ops@example.com","http01":{"ingressClassName":"traefik"}}}`
	for name, c := range map[string]struct {
		settings   string
		certTrust  string
		url        string
		unverified bool
	}{
		"a forwarded port": {`"hostname":"iris.example.com"`, "{}", "https://localhost:18443", true},
		"the admin host name": {
			`"hostname":"iris.example.com","admin":{"hostname":"iris-admin.example.com"}`, acme, "https://iris-admin.example.com", false,
		},
		"a forwarded port, as the admin host name's certificate is of an authority that nobody knows yet": {
			`"hostname":"iris.example.com","admin":{"hostname":"iris-admin.example.com"}`, "{}", "https://localhost:18443", true,
		},
		"the cluster's network": {
			`"hostname":"iris.example.com","adminApi":{"url":"https://iris.identity.svc:8443"}`, "{}", "https://iris.identity.svc:8443", false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			provider := graph.Run(t, graph.Configuration{"identity": "{" + c.settings + "}", "certTrust": c.certTrust}).Resource(t, providerKind, "keycloak")
			assert.Equal(t, c.url, provider.Inputs["url"].StringValue())
			unverified := provider.Inputs["tlsInsecureSkipVerify"]
			assert.Equal(t, c.unverified, unverified.IsString() && unverified.StringValue() == "true" || unverified.IsBool() && unverified.BoolValue())
			assert.True(t, provider.Inputs["password"].ContainsSecrets())
		})
	}
}

// A destroy ends also when Keycloak does not answer any more: nobody asks it to delete what is gone with it. Where
// realms are protected it is not to forget them.
func TestRealmsGoWithKeycloak(t *testing.T) {
	single, zonal := graph.Run(t, nil), graph.Run(t, graph.Zonal)
	realm := single.Resource(t, "controlplane:identity:Realm", "realm-rover")
	assert.Equal(t, single.Resource(t, "controlplane:identity:Identity", "identity").URN, realm.DeletedWith)
	assert.Empty(t, zonal.Resource(t, "controlplane:identity:Realm", "realm-rover").DeletedWith)
}

// environment are the plain variables of a Deployment's first container.
func environment(t *testing.T, g *graph.Graph, name string) map[string]string {
	t.Helper()
	variables := map[string]string{}
	d := g.Object(t, "Deployment", name)
	for _, c := range containersOf(t, d.Object, []string{"spec", "template"}) {
		if c.Name != "iris" {
			continue
		}
		for _, v := range c.Env {
			variables[v.Name] = v.Value
		}
	}
	return variables
}

func textOf(t *testing.T, value any) string {
	t.Helper()
	data, err := json.Marshal(value)
	require.NoError(t, err)
	return string(data)
}
