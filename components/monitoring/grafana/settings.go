package grafana

import (
	"fmt"
	"strconv"
	"strings"
)

// setting is a key of a section, section one of the file.
type (
	setting struct{ key, value string }
	section struct {
		name     string
		settings []setting
	}
)

const (
	off = "false"
	on  = "true"

	// connections is what each replica may open to its database.
	connections = 20
	// migrationSeconds is how long a replica waits for another one that sets up the database. Its startup probe gives it
	// longer.
	migrationSeconds = 240
)

// contentSecurityPolicy is Grafana's own, without what is outside: grafana.com, images from anywhere and WebSockets.
const contentSecurityPolicy = "script-src 'self' 'unsafe-eval' 'unsafe-inline' 'strict-dynamic' $NONCE;object-src 'none';" +
	"font-src 'self';style-src 'self' 'unsafe-inline' blob:;img-src 'self' data: blob:;base-uri 'self';" +
	"connect-src 'self';manifest-src 'self';media-src 'none';form-action 'self';frame-ancestors 'none';"

// settings are the file grafana.ini, with a database on that host, if there is one. Paths of directories are not in it: the image has them in its environment, which
// counts for more.
func (a Args) settings(databaseHost string) string {
	sections := []section{
		a.server(), a.database(databaseHost), a.security(),
		{"users", []setting{{"allow_sign_up", off}, {"allow_org_create", off}, {"auto_assign_org_role", "Viewer"}}},
		{"auth.anonymous", []setting{{"enabled", off}}},
		{"dashboards", []setting{{"default_home_dashboard_path", a.homeFile()}}},
		// Rules and notifications are Prometheus' and Alertmanager's. The pages that show them belong to this.
		{"unified_alerting", []setting{{"enabled", on}, {"execute_alerts", off}}},
		{"unified_alerting.state_history", []setting{{"enabled", off}}},
		{"recording_rules", []setting{{"enabled", off}}},
		// Each replica would tell only its own browsers.
		{"live", []setting{{"max_connections", "0"}}},
		{"log", []setting{{"mode", "console"}, {"level", "info"}}},
		{"log.console", []setting{{"format", "json"}}},
		a.metrics(),
	}
	sections = append(sections, outside()...)
	if a.OIDC != nil {
		sections = append(sections, a.login())
	}
	return render(sections)
}

func render(sections []section) string {
	var b strings.Builder
	for _, s := range sections {
		fmt.Fprintf(&b, "[%s]\n", s.name)
		for _, each := range s.settings {
			value := each.value
			if strings.ContainsAny(value, "#;") { // what begins a comment
				value = `"""` + value + `"""`
			}
			fmt.Fprintf(&b, "%s = %s\n", each.key, value)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// secretFile stands for the content of a file in the pods.
func secretFile(name string) string { return "$__file{" + secretsDir + "/" + name + "}" }

func (a Args) server() section {
	domain := a.Hostname
	if domain == "" {
		domain = "localhost"
	}
	return section{"server", []setting{
		{"protocol", "https"}, {"min_tls_version", "TLS1.2"}, {"http_port", strconv.Itoa(port)},
		{"cert_file", tlsDir + "/tls.crt"}, {"cert_key", tlsDir + "/tls.key"}, {"certs_watch_interval", "5m"},
		{"domain", domain}, {"root_url", a.URL() + "/"}, {"serve_from_sub_path", off},
	}}
}

func (a Args) database(host string) section {
	d := a.Database
	if d == nil {
		return section{"database", []setting{{"type", "sqlite3"}}}
	}
	return section{"database", []setting{
		{"type", "postgres"}, {"host", fmt.Sprintf("%s:%d", host, d.Port)}, {"name", d.Name}, {"user", d.User},
		{"password", secretFile(databaseKey)}, {"ssl_mode", "verify-full"}, {"ca_cert_path", a.bundle()},
		{"max_open_conn", strconv.Itoa(connections)}, {"locking_attempt_timeout_sec", strconv.Itoa(migrationSeconds)},
	}}
}

func (a Args) security() section {
	s := section{"security", []setting{
		{"admin_user", a.AdminUser}, {"admin_password", secretFile(adminFile)}, {"secret_key", secretFile(secretKeyKey)},
		{"cookie_secure", on}, {"cookie_samesite", "lax"}, {"allow_embedding", off},
		{"content_security_policy", on}, {"content_security_policy_template", contentSecurityPolicy},
		{"disable_gravatar", on},
	}}
	if a.Hostname != "" {
		// Not for localhost: browsers would refuse whatever else is there without TLS.
		s.settings = append(s.settings,
			setting{"strict_transport_security", on}, setting{"strict_transport_security_max_age_seconds", "31536000"})
	}
	return s
}

func (a Args) metrics() section {
	if !a.ServiceMonitor {
		return section{"metrics", []setting{{"enabled", off}}}
	}
	// They are on the port that the public gets to.
	return section{"metrics", []setting{
		{"enabled", on}, {"basic_auth_username", metricsUser}, {"basic_auth_password", secretFile(metricsFile)},
	}}
}

// outside are the settings that keep Grafana from asking others, and from giving anything to them.
func outside() []section {
	return []section{
		{"analytics", []setting{
			{"reporting_enabled", off}, {"check_for_updates", off}, {"check_for_plugin_updates", off},
			{"feedback_links_enabled", off},
		}},
		{"news", []setting{{"news_feed_enabled", off}}},
		{"plugins", []setting{
			{"plugin_admin_enabled", off}, {"preinstall_disabled", on}, {"public_key_retrieval_disabled", on},
		}},
		{"snapshots", []setting{{"enabled", off}, {"external_enabled", off}}},
		{"public_dashboards", []setting{{"enabled", off}}},
	}
}

// login is by users of the realm.
func (a Args) login() section {
	o := a.OIDC
	return section{"auth.generic_oauth", []setting{
		{"enabled", on}, {"name", "Iris"}, {"allow_sign_up", on},
		{"client_id", o.ClientID}, {"client_secret", secretFile(clientKey)}, {"scopes", "openid email profile"},
		{"auth_url", o.RealmURL + protocol + "/auth"},
		{"token_url", o.InternalRealmURL + protocol + "/token"},
		{"api_url", o.InternalRealmURL + protocol + "/userinfo"},
		{"signout_redirect_url", a.signOut()},
		{"tls_client_ca", a.bundle()}, {"use_pkce", on}, {"use_refresh_token", on},
		{"login_attribute_path", "preferred_username"}, {"name_attribute_path", "name"},
		// Grafana needs something; users are not told apart by it.
		{"email_attribute_path", "email || preferred_username"},
		{"role_attribute_path", o.Roles.Expression()}, {"role_attribute_strict", on},
		{"allow_assign_grafana_admin", off}, {"skip_org_role_sync", off},
	}}
}

// protocol is the path below a realm of what OpenID Connect needs.
const protocol = "/protocol/openid-connect"

// signOut ends the realm's session as well. Grafana adds the token that says whose.
func (a Args) signOut() string {
	return a.OIDC.RealmURL + protocol + "/logout?post_logout_redirect_uri=" + strings.NewReplacer(":", "%3A", "/", "%2F").
		Replace(LogoutURI(a.Hostname))
}

// Expression is the JMESPath expression that makes a role of Grafana's of the claims of a user: the greatest that the
// user's roles allow, and nothing for a user without any of them.
func (r Roles) Expression() string {
	var cases []string
	for _, each := range []struct{ role, name string }{{"Admin", r.Admin}, {"Editor", r.Editor}, {"Viewer", r.Viewer}} {
		if each.name != "" {
			cases = append(cases, fmt.Sprintf("contains(%s, '%s') && '%s'", RolesClaim, each.name, each.role))
		}
	}
	// Who has no roles has no such claim, which contains would not take.
	return fmt.Sprintf("%s && (%s)", RolesClaim, strings.Join(cases, " || "))
}

// bundle is the file with the authorities that the platform trusts.
func (a Args) bundle() string { return trustDir + "/" + a.Trust.Key }
