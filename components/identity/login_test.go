package identity_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/go-ini/ini"
	"github.com/jmespath/go-jmespath"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/components/identity/realm"
	"github.com/telekom/controlplane-infrastructure/components/monitoring/grafana"
	"github.com/telekom/controlplane-infrastructure/components/monitoring/names"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/part"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
	"github.com/telekom/controlplane-infrastructure/tests/process"
)

const (
	grafanaHost = "grafana.example.com"
	// #nosec G101 -- of users that end with the test
	userPassword = "a-password-of-the-test"
)

var grafanaRoles = grafana.Roles{Admin: "grafana-admin", Viewer: "grafana-viewer"}

// grafanaClient is what Grafana needs of a realm.
func grafanaClient() realm.Client {
	return realm.Client{
		ID: "grafana", AuthorizationCode: true, RedirectURIs: []string{grafana.RedirectURI(grafanaHost)},
		LogoutURIs: []string{grafana.LogoutURI(grafanaHost)}, UserRoles: grafanaRoles.Names(), RolesClaim: grafana.RolesClaim,
	}
}

// grafanaSettings are what Grafana is told about logins, with the client's secret.
func (i *installation) grafanaSettings(t *testing.T) map[string]string {
	t.Helper()
	o := process.Render(t, i.ca, func(ctx *pulumi.Context) error {
		common, err := process.Common(ctx, workload.Single)
		if err != nil {
			return err
		}
		owner := &pulumi.ResourceState{}
		if err := ctx.RegisterComponentResource("test:index:Monitoring", "monitoring", owner); err != nil {
			return err
		}
		args := grafana.Args{
			Common: common, Image: "grafana:12", Replicas: 1, Volume: part.Volume{Size: "1Gi"}, AdminUser: "admin",
			Hostname: grafanaHost, Ingress: grafana.Ingress{Issuer: "letsencrypt"},
			PrometheusURL: names.URL(names.Prometheus, names.PrometheusPort), AlertmanagerURL: names.URL(names.Alertmanager, names.AlertmanagerPort),
			OIDC: &grafana.OIDC{
				RealmURL: publicURL + "/realms/rover", InternalRealmURL: internalURL + "/realms/rover",
				ClientID: "grafana", ClientSecret: pulumi.String(i.grafanaSecret), Roles: grafanaRoles,
			},
		}
		secrets, err := args.Secrets(ctx, owner, "grafana")
		if err != nil {
			return err
		}
		_, err = args.Registrar(ctx, owner).Step(func() (manifest.Set, error) { return args.Set(secrets) })
		return err
	})
	file, err := ini.Load([]byte(o.Data("ConfigMap", "grafana-settings")["grafana.ini"]))
	require.NoError(t, err)
	settings := file.Section("auth.generic_oauth").KeysHash()
	settings["client_secret"] = o.Data("Secret", "grafana-credentials")["client-secret"]
	return settings
}

// patient is a client of a pod or of an administrator.
func (i *installation) patient() *http.Client {
	c := i.client(i.servers[0])
	c.Transport = ingress{c.Transport}
	return c
}

// user is made by an administrator, with roles of the realm.
func (i *installation) user(t *testing.T, admin func(method, path string, body, answer any), name string, roles ...string) {
	t.Helper()
	admin(http.MethodPost, "/users", map[string]any{
		"username": name, "enabled": true, "firstName": "Some", "lastName": "Body", "email": name + "@example.com",
		"credentials": []any{map[string]any{"type": "password", "value": userPassword, "temporary": false}},
	}, nil)
	var found []map[string]any
	admin(http.MethodGet, "/users?exact=true&username="+name, nil, &found)
	require.Len(t, found, 1)
	for _, role := range roles {
		representation := map[string]any{}
		admin(http.MethodGet, "/roles/"+role, nil, &representation)
		admin(http.MethodPost, fmt.Sprintf("/users/%s/role-mappings/realm", found[0]["id"]), []any{representation}, nil)
	}
}

// admin administers the realm rover.
func (i *installation) admin(t *testing.T) func(method, path string, body, answer any) {
	t.Helper()
	c, token := i.patient(), i.adminToken(i.servers[0], internalURL)
	return func(method, path string, body, answer any) {
		t.Helper()
		content, err := json.Marshal(body)
		require.NoError(t, err)
		request, err := http.NewRequestWithContext(t.Context(), method, internalURL+"/admin/realms/rover"+path, bytes.NewReader(content))
		require.NoError(t, err)
		request.Header.Set("Authorization", "Bearer "+token)
		request.Header.Set("Content-Type", "application/json")
		response, err := c.Do(request)
		require.NoError(t, err)
		text, _ := read(t, response)
		require.Less(t, response.StatusCode, http.StatusBadRequest, "%s %s: %s", method, path, text)
		if answer != nil {
			require.NoError(t, json.Unmarshal([]byte(text), answer))
		}
	}
}

// ingress leads requests for the public host name to a server, as the ingress controller does.
type ingress struct{ next http.RoundTripper }

func (i ingress) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.URL.Host != publicHost {
		return i.next.RoundTrip(request)
	}
	led := request.Clone(request.Context())
	led.URL.Host, led.Host = service+":8443", publicHost
	led.Header.Set("X-Forwarded-Proto", "https")
	led.Header.Set("X-Forwarded-Host", publicHost)
	led.Header.Set("X-Forwarded-Port", "443")
	return i.next.RoundTrip(led)
}

// browser is one that a user sits in front of. It leaves the identity provider only in thought.
func (i *installation) browser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	c := i.patient()
	c.Jar = jar
	c.CheckRedirect = func(request *http.Request, _ []*http.Request) error {
		if request.URL.Host != publicHost {
			return http.ErrUseLastResponse
		}
		return nil
	}
	return c
}

// visit returns the page, or where the browser is sent when it leaves.
func visit(t *testing.T, c *http.Client, address string) (page string, left *url.URL) {
	t.Helper()
	answer, err := c.Get(address)
	require.NoError(t, err)
	return read(t, answer)
}

func read(t *testing.T, answer *http.Response) (page string, left *url.URL) {
	t.Helper()
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	if answer.StatusCode == http.StatusFound {
		left, err = answer.Location()
		require.NoError(t, err)
	}
	return string(body), left
}

const verifier = "a-code-verifier-of-the-test-which-has-to-have-43-characters"

// authorization is where Grafana sends a browser to log in.
func authorization(settings map[string]string, pkce bool) string {
	query := url.Values{
		"response_type": {"code"}, "client_id": {settings["client_id"]}, "scope": {settings["scopes"]}, "state": {"a-state"},
		"redirect_uri": {grafana.RedirectURI(grafanaHost)},
	}
	if pkce {
		sum := sha256.Sum256([]byte(verifier))
		query.Set("code_challenge", base64.RawURLEncoding.EncodeToString(sum[:]))
		query.Set("code_challenge_method", "S256")
	}
	return settings["auth_url"] + "?" + query.Encode()
}

var formAction = regexp.MustCompile(`<form[^>]*id="kc-form-login"[^>]*action="([^"]+)"`)

// code logs a user in and returns the authorization code.
func code(t *testing.T, browser *http.Client, settings map[string]string, user string) string {
	t.Helper()
	page, _ := visit(t, browser, authorization(settings, true))
	action := formAction.FindStringSubmatch(page)
	require.Len(t, action, 2, "%s", page)
	answer, err := browser.PostForm(html.UnescapeString(action[1]), url.Values{"username": {user}, "password": {userPassword}})
	require.NoError(t, err)
	page, left := read(t, answer)
	require.NotNil(t, left, "%s", page)
	require.Equal(t, grafana.RedirectURI(grafanaHost), strings.SplitN(left.String(), "?", 2)[0])
	require.Equal(t, "a-state", left.Query().Get("state"))
	return left.Query().Get("code")
}

// logins are those of users to Grafana: with what it is told, in the way in which it does it, to the point at which it
// knows what a user is.
func (i *installation) logins(t *testing.T) {
	admin, pod := i.admin(t), i.patient()
	i.user(t, admin, "chief", grafanaRoles.Admin, grafanaRoles.Viewer, "other")
	i.user(t, admin, "guest", grafanaRoles.Viewer)
	i.user(t, admin, "stranger", "other")
	settings := i.grafanaSettings(t)
	require.Equal(t, "true", settings["use_pkce"])

	for user, want := range map[string]struct {
		role  string
		roles any
	}{
		"chief":    {"Admin", []any{"grafana-admin", "grafana-viewer"}},
		"guest":    {"Viewer", []any{"grafana-viewer"}},
		"stranger": {"", nil},
	} {
		t.Run(user, func(t *testing.T) {
			browser := i.browser(t)
			tokens, err := exchange(t, pod, settings, url.Values{
				"grant_type": {"authorization_code"}, "code": {code(t, browser, settings, user)}, "code_verifier": {verifier},
				"redirect_uri": {grafana.RedirectURI(grafanaHost)},
			})
			require.NoError(t, err)
			claims := map[string]any(i.verified(i.servers[0], tokens["id_token"].(string),
				internalURL+"/realms/rover/protocol/openid-connect/certs"))
			assert.Equal(t, publicURL+"/realms/rover", claims["iss"])
			info := userInfo(t, pod, settings, tokens)
			for from, said := range map[string]map[string]any{"ID token": claims, "user info": info} {
				if want.roles == nil {
					assert.NotContains(t, said, grafana.RolesClaim, from)
				} else {
					assert.ElementsMatch(t, want.roles, said[grafana.RolesClaim], from)
				}
				for key, value := range map[string]string{
					"role_attribute_path": want.role, "login_attribute_path": user, "name_attribute_path": "Some Body",
					"email_attribute_path": user + "@example.com",
				} {
					found, err := jmespath.Search(settings[key], said)
					require.NoError(t, err, "%s of the %s", key, from)
					text, _ := found.(string) // anything else is none to Grafana
					assert.Equal(t, value, text, "%s of the %s", key, from)
				}
			}
			signOut(t, browser, pod, settings, tokens)
		})
	}
	t.Run("not without PKCE", func(t *testing.T) {
		_, left := visit(t, i.browser(t), authorization(settings, false))
		require.NotNil(t, left)
		assert.Equal(t, "invalid_request", left.Query().Get("error"))
		assert.Empty(t, left.Query().Get("code"))
	})
	t.Run("not to somewhere else", func(t *testing.T) {
		page, left := visit(t, i.browser(t), strings.Replace(authorization(settings, true), grafanaHost, "evil.example.com", 1))
		assert.Nil(t, left)
		assert.Contains(t, page, "Invalid parameter: redirect_uri")
	})
}

// exchange asks for tokens as a pod does.
func exchange(t *testing.T, pod *http.Client, settings map[string]string, form url.Values) (map[string]any, error) {
	t.Helper()
	form.Set("client_id", settings["client_id"])
	form.Set("client_secret", settings["client_secret"])
	return send(t.Context(), pod, settings["token_url"], form)
}

// userInfo is what the identity provider says of a user beside the ID token.
func userInfo(t *testing.T, pod *http.Client, settings map[string]string, tokens map[string]any) map[string]any {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, settings["api_url"], nil)
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer "+tokens["access_token"].(string))
	response, err := pod.Do(request)
	require.NoError(t, err)
	text, _ := read(t, response)
	require.Equal(t, http.StatusOK, response.StatusCode, text)
	var all map[string]any
	require.NoError(t, json.Unmarshal([]byte(text), &all))
	return all
}

// signOut ends the session, after which nothing can be refreshed and the next login asks for the password again.
func signOut(t *testing.T, browser, pod *http.Client, settings map[string]string, tokens map[string]any) {
	t.Helper()
	refreshed, err := exchange(t, pod, settings, url.Values{
		"grant_type": {"refresh_token"}, "refresh_token": {tokens["refresh_token"].(string)},
	})
	require.NoError(t, err)
	page, _ := visit(t, browser, authorization(settings, true))
	assert.NotContains(t, page, "kc-form-login", "the session goes on")
	page, left := visit(t, browser, settings["signout_redirect_url"]+"&id_token_hint="+refreshed["id_token"].(string))
	require.NotNil(t, left, "%s", page)
	assert.Equal(t, grafana.LogoutURI(grafanaHost), left.String())
	_, err = exchange(t, pod, settings, url.Values{
		"grant_type": {"refresh_token"}, "refresh_token": {refreshed["refresh_token"].(string)},
	})
	assert.ErrorContains(t, err, "invalid_grant")
	page, _ = visit(t, browser, authorization(settings, true))
	assert.Contains(t, page, "kc-form-login")
}
