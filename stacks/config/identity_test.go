package config_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/stacks/config"
)

func minutes(n int) config.Duration { return config.Duration(time.Duration(n) * time.Minute) }

// defaultIdentity is the identity provider of a stack that configures no more
// than its host name.
func defaultIdentity() config.Identity {
	return config.Identity{
		Hostname: "iris.example.com", Image: "quay.io/keycloak/keycloak:26.7.3", Version: "26.7.3",
		UpdateStrategy: config.RollingUpdate, Replicas: 1, Autoscaling: config.Autoscaling{MaxReplicas: 2, TargetCPUPercent: 75},
		Database: "iris", Ingress: config.IdentityIngress{ClassName: "traefik"}, Admin: config.IdentityAdmin{Username: "admin"}, AdminAPI: config.AdminAPI{URL: "https://localhost:18443"},
		PasswordGeneration: 1, ServiceMonitor: true,
		Realms: []config.Realm{defaultRealm(config.RealmClient{ID: "rover", Type: config.ClientConfidential, ClientCredentials: true})},
	}
}

// defaultRealm is the realm rover with the given clients.
func defaultRealm(clients ...config.RealmClient) config.Realm {
	return config.Realm{
		Name: "rover", AccessTokenLifespan: minutes(5), SessionIdleTimeout: minutes(30), SessionMaxLifespan: hours(10), SignatureAlgorithm: "RS256",
		BruteForce: config.BruteForce{MaxFailures: 10, WaitIncrement: minutes(1), MaxWait: minutes(15)},
		Events:     config.Events{Retention: hours(168), Admin: true}, Clients: clients,
	}
}

// TestDerivedIdentity shows what follows from other values, and that a stack
// may override it.
func TestDerivedIdentity(t *testing.T) {
	type id = config.Identity
	version := func(i id) any { return i.Version }
	api := func(i id) any { return i.AdminAPI.URL }
	digest := "@sha256:" + strings.Repeat("0", 64)
	for _, test := range []struct {
		name, yaml string
		got        func(id) any
		want       any
	}{
		{"replicas of zonal", "availability: zonal", func(i id) any { return []int{i.Replicas, i.Autoscaling.MaxReplicas} }, []int{3, 6}},
		{"replicas of its own", identity("replicas: 4, autoscaling: {enabled: true, maxReplicas: 9}"),
			func(i id) any { return []int{i.Replicas, i.Autoscaling.MaxReplicas} }, []int{4, 9}},
		{"one replica that ends first", identity("updateStrategy: Recreate"), func(i id) any { return i.UpdateStrategy }, config.Recreate},
		{"version of a tag", identity("image: 'quay.io/keycloak/keycloak:26.6.1'"), version, "26.6.1"},
		{"version of a moving tag", identity("image: 'quay.io/keycloak/keycloak:26.6'"), version, "26.6"},
		{"version of a tag with more", identity("image: 'registry.example.com/iris:v26.6.1-4" + digest + "'"), version, "26.6.1"},
		{"version beside the same tag", identity("version: '26.7'"), version, "26.7"},
		{"version of a derived image", identity("image: 'registry.example.com/iris:1.4', version: '26.5.2', optimized: true"), version, "26.5.2"},
		{"version of an image by digest", identity("image: 'registry.example.com/iris" + digest + "', version: '26.5'"), version, "26.5"},
		{"admin API at its host name", identity("admin: {hostname: iris-admin.example.com}") + "\n" +
			"certTrust: {acme: {server: 'https://acme.example.com/directory', email: ops@example.com, http01: {ingressClassName: traefik}}}",
			api, "https://iris-admin.example.com"},
		{"admin API at its host name, of a known authority", identity("admin: {hostname: iris-admin.example.com}, adminApi: {caCertificate: $CA}"),
			api, "https://iris-admin.example.com"},
		{"admin API at its host name, of an authority that is still to be made", identity("admin: {hostname: iris-admin.example.com}"),
			api, "https://localhost:18443"},
		{"admin API of a pipeline inside the network", identity("admin: {hostname: iris-admin.example.com}, adminApi: {url: 'https://iris.identity.svc:8443', caCertificate: $CA}"),
			api, "https://iris.identity.svc:8443"},
		{"admin API without TLS on this machine", identity("admin: {plainHTTP: true}, adminApi: {url: 'http://[::1]:8080'}"), api, "http://[::1]:8080"},
		{"database of another name", identity("database: keycloak") + "\n" + owned("{name: keycloak}, {name: gateway}, {name: controlplane}"),
			func(i id) any { return i.Database }, "keycloak"},
		{"annotations", identity("ingress: {className: traefik, annotations: {nginx.ingress.kubernetes.io/proxy-buffer-size: 16k}}"),
			func(i id) any { return i.Ingress },
			config.IdentityIngress{ClassName: "traefik", Annotations: map[string]string{"nginx.ingress.kubernetes.io/proxy-buffer-size": "16k"}}},
		{"password of a restored database", identity("admin: {password: correct-horse}"), func(i id) any { return i.Admin.Password.Reveal() }, "correct-horse"},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg, err := parse(t, test.yaml)
			require.NoError(t, err)
			assert.Equal(t, test.want, test.got(cfg.Identity))
		})
	}
}

// TestRealms shows that the realm and the client rover are always there, and
// that an item of that name changes single values of them.
func TestRealms(t *testing.T) {
	const secret = "9f3b1c7de0a845629f3b1c7de0a84562"
	rover := config.RealmClient{ID: "rover", Type: config.ClientConfidential, ClientCredentials: true}
	shop := config.RealmClient{
		ID: "shop", Type: config.ClientPublic, AuthorizationCode: true, WebOrigins: []string{"+", "https://shop.example.com", "http://localhost:3000"},
		RedirectURIs:  []string{"https://shop.example.com/*", "http://localhost:3000/callback?from=shop", "http://127.0.0.1/"},
		DefaultScopes: []string{"profile", "orders"}, OptionalScopes: []string{"offline_access"},
	}
	for _, test := range []struct {
		name, yaml string
		want       func() []config.Realm
	}{
		{"none", "", func() []config.Realm { return []config.Realm{defaultRealm(rover)} }},
		{"values of rover", realm("accessTokenLifespan: 1h, signatureAlgorithm: ES256, bruteForce: {maxFailures: 5}, events: {admin: false}"), func() []config.Realm {
			r := defaultRealm(rover)
			r.AccessTokenLifespan, r.SignatureAlgorithm, r.BruteForce.MaxFailures, r.Events.Admin = hours(1), "ES256", 5, false
			return []config.Realm{r}
		}},
		{"values of the client rover", realm("roles: [{name: reader}], clients: [{clientId: rover, secret: " + secret + ", roles: [reader], accessTokenLifespan: 1m}]"), func() []config.Realm {
			c := rover
			c.Secret, c.Roles, c.AccessTokenLifespan = secret, []string{"reader"}, minutes(1)
			r := defaultRealm(c)
			r.Roles = []config.RealmRole{{Name: "reader"}}
			return []config.Realm{r}
		}},
		{"another client in the realm rover", realm("clients: [{clientId: app, clientCredentials: true}]"), func() []config.Realm {
			return []config.Realm{defaultRealm(config.RealmClient{ID: "app", Type: config.ClientConfidential, ClientCredentials: true}, rover)}
		}},
		{"another realm", identity("realms: [{name: shop, displayName: The shop, clientScopes: [{name: orders, inToken: false}], clients: [{clientId: shop, type: public, authorizationCode: true, " +
			"webOrigins: ['+', 'https://shop.example.com', 'http://localhost:3000'], redirectUris: ['https://shop.example.com/*', 'http://localhost:3000/callback?from=shop', 'http://127.0.0.1/'], " +
			"defaultScopes: [profile, orders], optionalScopes: [offline_access]}]}]"), func() []config.Realm {
			r := defaultRealm(shop)
			r.Name, r.DisplayName, r.ClientScopes = "shop", "The shop", []config.ClientScope{{Name: "orders"}}
			return []config.Realm{r, defaultRealm(rover)}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg, err := parse(t, test.yaml)
			require.NoError(t, err)
			assert.Equal(t, test.want(), cfg.Identity.Realms)
		})
	}
}

func TestForwardedPort(t *testing.T) {
	for url, want := range map[string]int{
		"https://localhost:18443": 18443, "https://127.0.0.1:1": 1, "http://[::1]:8080": 8080, "https://localhost": 443, "http://localhost": 80,
		"https://iris-admin.example.com": 0, "https://iris-admin.example.com:18443": 0, "https://10.0.0.1:8443": 0, "": 0, ":": 0,
	} {
		assert.Equal(t, want, config.AdminAPI{URL: url}.ForwardedPort(), url)
	}
}

// TestHostnameOfNobody gives no value at all.
func TestHostnameOfNobody(t *testing.T) {
	_, err := config.Parse(nil)
	assert.EqualError(t, err, "controlplane:identity.hostname: is missing; "+dnsName)
}

// TestLoadSecretsOfClients shows that secrets in lists are encrypted, and how.
func TestLoadSecretsOfClients(t *testing.T) {
	const file = "config:\n  controlplane:identity:\n    " + hostname + "\n    realms:\n      - name: rover\n        clients:\n          - clientId: rover\n            secret: "
	cfg, err := config.Load(project(t, map[string]string{"Pulumi.dev.yaml": file + "{secure: v1:abc}\n"}), "dev")
	require.NoError(t, err)
	secret := cfg.Identity.Realms[0].Clients[0].Secret
	assert.True(t, secret.IsSet())
	assert.False(t, secret.Known())

	_, err = config.Load(project(t, map[string]string{"Pulumi.dev.yaml": file + "9f3b1c7de0a845629f3b1c7de0a84562\n"}), "dev")
	const path = "controlplane:identity.realms[0].clients[0].secret"
	assert.EqualError(t, err, "Pulumi.dev.yaml:8: "+path+": is a secret in plain text; must be encrypted: pulumi config set --secret --path '"+path+"'")
}
