package stacks_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// other returns a resource that is no Kubernetes object.
func (g *graph) other(t *testing.T, kind, name string) registered {
	t.Helper()
	for _, r := range g.all {
		if r.kind == kind && r.name == name {
			return r
		}
	}
	require.Failf(t, "no such resource", "%s %s", kind, name)
	return registered{}
}

const (
	realmKind    = "keycloak:index/realm:Realm"
	providerKind = "pulumi:providers:keycloak"
)

func TestIdentity(t *testing.T) {
	g := run(t, profiles["zonal"])
	t.Run("a realm is made once Keycloak runs, and that once it can log in to its database", func(t *testing.T) {
		assert.Subset(t, g.after(g.other(t, realmKind, "realm-rover")), []string{"identity/iris", "postgresql/platform-check"})
	})
	t.Run("it has a pool of its own and goes past the database's", func(t *testing.T) {
		g := run(t, map[string]string{"availability": "zonal", "storage": `{"postgresql":{"pooler":{"enabled":true}}}`})
		assert.Equal(t, "platform-rw.postgresql.svc", g.environment(t, "identity/iris")["KC_DB_URL_HOST"])
		egress := g.find(t, "NetworkPolicy", "identity/allow-database-egress").object.Object["spec"]
		assert.Contains(t, textOf(t, egress), `{"cnpg.io/cluster":"platform"}`)
	})
	t.Run("the Control Plane's servers trust the realm rover and no other", func(t *testing.T) {
		g := run(t, map[string]string{"identity": `{"hostname":"iris.example.com","realms":[{"name":"partners"}]}`})
		for _, name := range []string{"rover-server-env", "api-env"} {
			data := g.find(t, "ConfigMap", "controlplane-system/"+name).object.Object["data"]
			assert.Equal(t, map[string]any{"LISTENERS_EXTERNAL_JWT_TRUSTEDISSUERS": "https://iris.example.com/auth/realms/rover"}, data)
		}
	})
	t.Run("who connects from outside verifies with the public issuer's authority", func(t *testing.T) {
		issuer := func(g *graph) any {
			spec := g.find(t, "Certificate", "identity/iris-public-tls").object.Object["spec"].(map[string]any)
			return spec["issuerRef"].(map[string]any)["name"]
		}
		assert.Equal(t, "platform-ca", issuer(g))
		acme := run(t, map[string]string{"certTrust": `{"acme":{"server":"https://acme.example.com/directory","email":"ops@example.com","http01":{"ingressClassName":"traefik"}}}`})
		assert.Equal(t, "public", issuer(acme))
	})
	t.Run("over zones its realms are protected like other data", func(t *testing.T) {
		assert.True(t, g.other(t, realmKind, "realm-rover").protected)
		assert.False(t, run(t, nil).other(t, realmKind, "realm-rover").protected)
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
			provider := run(t, map[string]string{"identity": "{" + c.settings + "}", "certTrust": c.certTrust}).other(t, providerKind, "keycloak")
			assert.Equal(t, c.url, provider.inputs["url"].StringValue())
			unverified := provider.inputs["tlsInsecureSkipVerify"]
			assert.Equal(t, c.unverified, unverified.IsString() && unverified.StringValue() == "true" || unverified.IsBool() && unverified.BoolValue())
			assert.True(t, provider.inputs["password"].ContainsSecrets())
		})
	}
}

// A destroy ends also when Keycloak does not answer any more: nobody asks it to delete what is gone with it. Where
// realms are protected it is not to forget them.
func TestRealmsGoWithKeycloak(t *testing.T) {
	single, zonal := run(t, nil), run(t, profiles["zonal"])
	realm := single.other(t, "controlplane:identity:Realm", "realm-rover")
	assert.Equal(t, single.other(t, "controlplane:identity:Identity", "identity").urn, realm.deletedWith)
	assert.Empty(t, zonal.other(t, "controlplane:identity:Realm", "realm-rover").deletedWith)
}

// environment are the plain variables of a Deployment's first container.
func (g *graph) environment(t *testing.T, name string) map[string]string {
	t.Helper()
	variables := map[string]string{}
	d := g.find(t, "Deployment", name)
	for _, c := range containersOf(t, d.object, []string{"spec", "template"}) {
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
