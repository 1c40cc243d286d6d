// Package grafana describes Grafana: its settings, data sources, folders and dashboards are files that this package
// writes, so nothing has to be set up by hand, and nothing that is set up by hand is needed after a loss. What people do
// there for themselves, such as preferences, is in a database: PostgreSQL, which replicas share, or a file on a volume
// of the only one.
//
// # Data sources and dashboards
//
// Prometheus and Alertmanager have the UIDs prometheus and alertmanager, and nobody can edit them there. Their
// certificates are verified with the platform's trust bundle. Grafana reads the bundle for them when it starts: after a
// change of the platform's authority it has to be started again, by
//
//	kubectl -n monitoring rollout restart deployment/grafana
//
// Each folder is a directory of JSON files out of ConfigMaps. Grafana looks for changed files itself, so new dashboards
// need no restart; with new settings, data sources, folders or passwords new pods start.
//
// Alerts are those of Prometheus and Alertmanager, which Grafana shows. It evaluates none of its own.
//
// # Login
//
// There is an administrator, whose name and password are in the Secret grafana-admin. Grafana takes the password when it
// sets up its database, and never again. With OIDC, people log in through a realm of the identity provider as well, by
// authorization code with PKCE, and which of three of the realm's roles they have decides what they are. Who has none
// of them is refused. A session ends at the latest when the realm's ends, since Grafana has to refresh its token; a
// changed role counts from the next login on. Users are found by the realm's identifier for them, never by their e-mail
// address, so an address that somebody gives themselves opens no account. A user of the realm cannot have the name of
// the administrator.
//
// Pods exchange the code for tokens inside the cluster. Only the browser needs the realm's public address.
//
// # Addresses
//
// With a host name there is an Ingress with a public certificate. Without one, Grafana is at https://localhost:3000 after
//
//	kubectl -n monitoring port-forward service/grafana 3000
//
// with a certificate of the platform's authority. Metrics are at /metrics of the same port, behind a password that
// Prometheus has. A new certificate is served within five minutes, without a restart.
//
// # Nothing from outside
//
// Grafana asks nobody on the internet: no usage reports, update checks, news, avatars, plugins or shared snapshots.
//
// Settings are those of Grafana 12.3; testdata/defaults.ini lists the ones that it knows.
package grafana
