package grafana_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/go-ini/ini"
	"github.com/jmespath/go-jmespath"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/components/monitoring/grafana"
	"github.com/telekom/controlplane-infrastructure/tests/process"
)

const settingsPath = "/etc/platform/settings/grafana.ini"

var fileReference = regexp.MustCompile(`\$__file\{([^}]+)\}`)

// settings are what Grafana makes of the file: it uses the same library, and then puts in the contents of files.
func settings(t *testing.T, o *process.Objects) map[string]map[string]string {
	t.Helper()
	all := files(t, o)
	parsed, err := ini.Load([]byte(all[settingsPath]))
	require.NoError(t, err)
	found := map[string]map[string]string{}
	for _, section := range parsed.Sections() {
		for _, key := range section.Keys() {
			if found[section.Name()] == nil {
				found[section.Name()] = map[string]string{}
			}
			found[section.Name()][key.Name()] = fileReference.ReplaceAllStringFunc(key.String(), func(reference string) string {
				path := fileReference.FindStringSubmatch(reference)[1]
				require.Contains(t, all, path, "%s of %s", key.Name(), section.Name())
				return strings.TrimSpace(all[path])
			})
		}
	}
	return found
}

func TestGrafanaKnowsAllSettings(t *testing.T) {
	data, err := os.ReadFile("testdata/defaults.ini")
	require.NoError(t, err)
	known, err := ini.Load(data)
	require.NoError(t, err)
	for name, args := range map[string]grafana.Args{"single": single(), "zonal": zonal()} {
		o := rendered(t, args)
		for section, keys := range settings(t, o) {
			for key := range keys {
				assert.True(t, known.HasSection(section) && known.Section(section).HasKey(key), "%s: [%s] %s", name, section, key)
			}
		}
		for _, v := range deployment(t, o).Template.Spec.Containers[0].Env {
			key, of := strings.CutPrefix(v.Name, "GF_PATHS_")
			assert.True(t, of && (known.Section("paths").HasKey(strings.ToLower(key)) || key == "CONFIG"), v.Name)
		}
	}
}

func TestFilesOfTheSettingsAreThere(t *testing.T) {
	o := rendered(t, zonal())
	all := files(t, o)
	s := settings(t, o)
	for _, path := range []string{
		s["server"]["cert_file"], s["server"]["cert_key"], s["database"]["ca_cert_path"], s["auth.generic_oauth"]["tls_client_ca"],
		s["dashboards"]["default_home_dashboard_path"],
	} {
		assert.NotEmpty(t, all[path], path)
	}
	assert.Contains(t, all[s["server"]["cert_file"]], "BEGIN CERTIFICATE")
	assert.Contains(t, all[s["database"]["ca_cert_path"]], "BEGIN CERTIFICATE")
	assert.Contains(t, all[s["dashboards"]["default_home_dashboard_path"]], `"uid":"overview"`)
	for _, v := range deployment(t, o).Template.Spec.Containers[0].Env {
		if v.Name == "GF_PATHS_CONFIG" {
			assert.Equal(t, settingsPath, v.Value)
		}
	}
}

func TestDatabaseIsVerified(t *testing.T) {
	s := settings(t, rendered(t, zonal()))["database"]
	assert.Equal(t, "postgres", s["type"])
	assert.Equal(t, "platform-rw.postgresql.svc:5432", s["host"])
	assert.Equal(t, "verify-full", s["ssl_mode"])
	assert.Equal(t, databasePassword, s["password"], "no sign in it means anything to the file")
	assert.NotEmpty(t, s["locking_attempt_timeout_sec"], "replicas that start at once wait for each other")
	assert.Equal(t, map[string]string{"type": "sqlite3"}, settings(t, rendered(t, single()))["database"])
}

func TestAddresses(t *testing.T) {
	public, local := settings(t, rendered(t, zonal())), settings(t, rendered(t, single()))
	assert.Equal(t, "https://grafana.example.com/", public["server"]["root_url"])
	assert.Equal(t, hostname, public["server"]["domain"])
	assert.Equal(t, "https://localhost:3000/", local["server"]["root_url"])
	assert.Equal(t, "true", public["security"]["strict_transport_security"])
	assert.NotContains(t, local["security"], "strict_transport_security", "not for all that is at localhost")
	for _, s := range []map[string]map[string]string{public, local} {
		assert.Equal(t, "https", s["server"]["protocol"])
		assert.Equal(t, "true", s["security"]["cookie_secure"])
		assert.NotEmpty(t, s["server"]["certs_watch_interval"], "new certificates are found")
	}
	assert.Equal(t, "https://grafana.example.com", zonal().URL())
	assert.Equal(t, "https://localhost:3000", single().URL())
}

func TestNothingFromOutside(t *testing.T) {
	for _, args := range []grafana.Args{single(), zonal()} {
		s := settings(t, rendered(t, args))
		for _, off := range []string{
			"analytics/reporting_enabled", "analytics/check_for_updates", "analytics/check_for_plugin_updates",
			"news/news_feed_enabled", "plugins/plugin_admin_enabled", "snapshots/enabled", "snapshots/external_enabled",
			"public_dashboards/enabled", "auth.anonymous/enabled", "users/allow_sign_up", "users/allow_org_create",
			"unified_alerting/execute_alerts",
		} {
			section, key, _ := strings.Cut(off, "/")
			assert.Equal(t, "false", s[section][key], off)
		}
		for _, on := range []string{
			"security/disable_gravatar", "plugins/preinstall_disabled", "plugins/public_key_retrieval_disabled",
			"security/content_security_policy",
		} {
			section, key, _ := strings.Cut(on, "/")
			assert.Equal(t, "true", s[section][key], on)
		}
		policy := s["security"]["content_security_policy_template"]
		assert.Len(t, strings.Split(strings.TrimSuffix(policy, ";"), ";"), 11, "all of it, no comment begins in it: %s", policy)
		assert.NotContains(t, policy, "grafana.com")
		assert.NotContains(t, policy, "*")
	}
}

func TestMetricsHaveAPassword(t *testing.T) {
	o := rendered(t, zonal())
	s := settings(t, o)["metrics"]
	secret := o.Data("Secret", "grafana-metrics")
	assert.Equal(t, secret["username"], s["basic_auth_username"])
	assert.Equal(t, secret["password"], s["basic_auth_password"])
	assert.Len(t, secret["password"], 32)
	assert.Equal(t, map[string]string{"enabled": "false"}, settings(t, rendered(t, single()))["metrics"])
}

func TestAdministrator(t *testing.T) {
	o := rendered(t, single())
	s := settings(t, o)["security"]
	secret := o.Data("Secret", "grafana-admin")
	assert.Equal(t, map[string]string{"username": "admin", "password": s["admin_password"]}, secret)
	assert.Equal(t, "admin", s["admin_user"])
	assert.Len(t, s["secret_key"], 32, "not the one that everybody has")
	assert.NotEqual(t, s["admin_password"], s["secret_key"])
}

func TestLogin(t *testing.T) {
	s := settings(t, rendered(t, zonal()))["auth.generic_oauth"]
	const public, inside = "https://iris.example.com/auth/realms/rover", "https://iris.identity.svc:8443/auth/realms/rover"
	assert.Equal(t, public+"/protocol/openid-connect/auth", s["auth_url"], "for browsers")
	assert.Equal(t, inside+"/protocol/openid-connect/token", s["token_url"], "for pods")
	assert.Equal(t, inside+"/protocol/openid-connect/userinfo", s["api_url"])
	assert.Equal(t, public+"/protocol/openid-connect/logout?post_logout_redirect_uri=https%3A%2F%2Fgrafana.example.com%2Flogin",
		s["signout_redirect_url"])
	assert.Equal(t, "grafana", s["client_id"])
	assert.Equal(t, clientSecret, s["client_secret"])
	for _, on := range []string{"enabled", "use_pkce", "use_refresh_token", "role_attribute_strict", "allow_sign_up"} {
		assert.Equal(t, "true", s[on], on)
	}
	assert.NotContains(t, s, "tls_skip_verify_insecure")
	assert.Equal(t, "false", s["allow_assign_grafana_admin"])
	assert.Equal(t, zonal().OIDC.Roles.Expression(), s["role_attribute_path"], "no sign in it means anything to the file")
	assert.NotContains(t, settings(t, rendered(t, single())), "auth.generic_oauth")
	assert.Equal(t, "https://grafana.example.com/login/generic_oauth", grafana.RedirectURI(hostname))
	assert.Equal(t, "https://grafana.example.com/login", grafana.LogoutURI(hostname))
}

// Grafana takes a role from an expression only if it is a text; anything else is none, and refused.
func TestRolesOfUsers(t *testing.T) {
	all := zonal().OIDC.Roles
	for _, c := range []struct {
		roles grafana.Roles
		claim any
		want  string
	}{
		{all, []any{"grafana-admin"}, "Admin"},
		{all, []any{"other", "grafana-editor"}, "Editor"},
		{all, []any{"grafana-viewer", "grafana-admin", "grafana-editor"}, "Admin"},
		{all, []any{"grafana-viewer"}, "Viewer"},
		{all, []any{"other", "grafana"}, ""},
		{all, []any{"my-grafana-admin"}, ""},
		{all, []any{}, ""},
		{all, nil, ""},
		{grafana.Roles{Viewer: "on call 24/7"}, []any{"on call 24/7", "grafana-admin"}, "Viewer"},
		{grafana.Roles{Admin: "a", Viewer: "v"}, []any{"e"}, ""},
	} {
		claims := map[string]any{"preferred_username": "u"}
		if c.claim != nil {
			claims[grafana.RolesClaim] = c.claim
		}
		found, err := jmespath.Search(c.roles.Expression(), claims)
		require.NoError(t, err, "%v", c)
		role, _ := found.(string)
		assert.Equal(t, c.want, role, fmt.Sprint(c))
	}
}
