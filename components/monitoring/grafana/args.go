package grafana

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/internal/part"
)

// Args configure Grafana. Native types decide what exists.
type Args struct {
	part.Common
	// Image is Grafana 12.
	Image string
	// Replicas is how many there are. More than one need a Database.
	Replicas int
	// Resources are what each one reserves and may use; what is missing is that of the class operator.
	Resources corev1.ResourceRequirements
	// Database is where everything is kept; nil: in a file on the Volume.
	Database *Database
	// Volume is the storage of the only replica, without a Database.
	Volume part.Volume
	// Hostname is the public host name; empty: there is no way in from outside of the cluster.
	Hostname string
	// Ingress is how the public gets there. Only with a Hostname.
	Ingress Ingress
	// AdminUser is the administrator that the first start makes.
	AdminUser string
	// OIDC lets users of a realm log in; nil: there is only the administrator. Only with a Hostname.
	OIDC *OIDC
	// PrometheusURL and AlertmanagerURL are the data sources, with certificates that the trust bundle verifies.
	PrometheusURL, AlertmanagerURL string
	// ScrapeInterval is how often Prometheus asks most targets, such as 30s: the resolution of graphs.
	ScrapeInterval string
	// Dashboards are what there is to see.
	Dashboards []Dashboard
	// Home is the UID of the dashboard that people see first; empty: Grafana's own page.
	Home string
	// ServiceMonitor declares the metrics to Prometheus; it needs the ServiceMonitor resource definition.
	ServiceMonitor bool
}

// Database is a PostgreSQL database whose certificate the trust bundle verifies.
type Database struct {
	Host pulumi.StringInput
	Port int
	// Name is the database, User its owner.
	Name, User string
	Password   pulumi.StringInput
	// Pods is where the database runs.
	Pods flow.Peer
}

// Ingress is how requests come from outside of the cluster.
type Ingress struct {
	// ClassName is the IngressClass; empty: the cluster's default.
	ClassName string
	// Annotations are added to the Ingress.
	Annotations map[string]string
	// Issuer is the ClusterIssuer of the public certificate.
	Issuer string
	// Controller is where the pods of the class's ingress controller run. Without anything it is any pod.
	Controller flow.Peer
	// HTTP01 is where those of the controller run that answers for host names; nil: they are not proven by HTTP-01.
	HTTP01 *flow.Peer
}

// OIDC is a realm of Keycloak with a confidential client for Grafana. The client's users come back to [RedirectURI] after
// a login and to [LogoutURI] after a logout, and the claim [RolesClaim] of ID tokens lists the roles that they have.
type OIDC struct {
	// RealmURL is the realm's public address, such as https://iris.example.com/auth/realms/rover, for browsers.
	RealmURL string
	// InternalRealmURL is the realm's address inside the cluster, with a certificate that the trust bundle verifies.
	InternalRealmURL string
	// ClientID and ClientSecret are the client's.
	ClientID     string
	ClientSecret pulumi.StringInput
	// Roles are the realm's roles for those of Grafana.
	Roles Roles
	// Pods is where Keycloak runs.
	Pods flow.Peer
}

// Roles are the realm's roles for those of Grafana. One and more of them are given.
type Roles struct{ Admin, Editor, Viewer string }

// Names are the realm's roles that are given.
func (r Roles) Names() []string {
	var all []string
	for _, name := range []string{r.Admin, r.Editor, r.Viewer} {
		if name != "" {
			all = append(all, name)
		}
	}
	return all
}

// Dashboard is a dashboard in the form that Grafana reads.
type Dashboard struct {
	// Folder and Title are what people see, UID is in its address.
	Folder, UID, Title string
	JSON               []byte
}

// RolesClaim is the claim of ID tokens and of the user info that lists the roles of a user.
const RolesClaim = "roles"

// RedirectURI is where a browser returns to after a login.
func RedirectURI(hostname string) string { return "https://" + hostname + "/login/generic_oauth" }

// LogoutURI is where a browser returns to after a logout.
func LogoutURI(hostname string) string { return "https://" + hostname + "/login" }

// URL is where people find it; without a Hostname it is that of a forwarded port.
func (a Args) URL() string {
	if a.Hostname == "" {
		return fmt.Sprintf("https://localhost:%d", port)
	}
	return "https://" + a.Hostname
}

// Check reports what cannot work. Set does as well, but others may want to know before they register anything: then
// passwords may be missing.
func (a Args) Check() error {
	problems := a.checkStorage()
	add := func(format string, values ...any) { problems = append(problems, fmt.Errorf(format, values...)) }
	for _, each := range []struct{ field, value string }{{"Image", a.Image}, {"AdminUser", a.AdminUser}} {
		if each.value == "" {
			add("%s is missing", each.field)
		}
	}
	for _, each := range []struct{ field, value string }{
		{"PrometheusURL", a.PrometheusURL}, {"AlertmanagerURL", a.AlertmanagerURL},
	} {
		if !isHTTPS(each.value) {
			add("%s is %q: allowed are URLs with https", each.field, each.value)
		}
	}
	if a.Hostname != "" && a.Ingress.Issuer == "" {
		add("Ingress.Issuer is missing: the host name %s needs a certificate", a.Hostname)
	}
	if a.OIDC != nil {
		problems = append(problems, a.checkOIDC()...)
	}
	problems = append(problems, a.checkDashboards()...)
	return errors.Join(problems...)
}

func (a Args) checkStorage() []error {
	var problems []error
	add := func(format string, values ...any) { problems = append(problems, fmt.Errorf(format, values...)) }
	if a.Replicas < 1 {
		add("Replicas is %d: allowed are 1 and more", a.Replicas)
	}
	if d := a.Database; d != nil {
		for _, each := range []struct{ field, value string }{
			{"Database.Name", d.Name}, {"Database.User", d.User},
		} {
			if each.value == "" {
				add("%s is missing", each.field)
			}
		}
		if d.Port < 1 || d.Port > 65535 {
			add("Database.Port is %d: allowed are 1 to 65535", d.Port)
		}
		if a.Volume != (part.Volume{}) {
			add("Volume has no use with a Database: allowed is one of them")
		}
		return problems
	}
	if a.Replicas > 1 {
		add("Replicas is %d: without a Database, which they would share, allowed is 1", a.Replicas)
	}
	if _, err := resource.ParseQuantity(a.Volume.Size); err != nil {
		add("Volume.Size is %q: without a Database needed is a size such as 1Gi", a.Volume.Size)
	}
	return problems
}

// roleName are those names that need no quoting, neither in the file nor in the expression there.
var roleName = regexp.MustCompile(`^[\pL\d_.:@/+-]+( [\pL\d_.:@/+-]+)*$`)

func (a Args) checkOIDC() []error {
	var problems []error
	add := func(format string, values ...any) { problems = append(problems, fmt.Errorf(format, values...)) }
	o := a.OIDC
	if a.Hostname == "" {
		add("OIDC needs a Hostname, which browsers return to after a login")
	}
	if o.ClientID == "" {
		add("OIDC.ClientID is missing")
	}
	for _, each := range []struct{ field, value string }{
		{"OIDC.RealmURL", o.RealmURL}, {"OIDC.InternalRealmURL", o.InternalRealmURL},
	} {
		if !isHTTPS(each.value) {
			add("%s is %q: allowed are URLs with https", each.field, each.value)
		}
	}
	roles := o.Roles.Names()
	if len(roles) == 0 {
		add("OIDC.Roles are missing: without any nobody could log in")
	}
	seen := map[string]bool{}
	for _, role := range roles {
		switch {
		case !roleName.MatchString(role):
			add("OIDC.Roles has %q: allowed are letters, digits, single blanks and . _ : @ / + -", role)
		case seen[role]:
			add("OIDC.Roles has %q twice: allowed are different ones", role)
		}
		seen[role] = true
	}
	return problems
}

var dashboardUID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,40}$`)

func (a Args) checkDashboards() []error {
	var problems []error
	add := func(format string, values ...any) { problems = append(problems, fmt.Errorf(format, values...)) }
	seen, folders := map[string]bool{}, map[string]string{}
	for _, d := range a.Dashboards {
		var content struct{ UID, Title string }
		err := json.Unmarshal(d.JSON, &content)
		switch {
		case !dashboardUID.MatchString(d.UID):
			add("dashboard %q has the UID %q: allowed are 1 to 40 letters, digits, _ and -", d.Title, d.UID)
		case seen[d.UID]:
			add("there are two dashboards with the UID %s", d.UID)
		case err != nil:
			add("dashboard %s: %w", d.UID, err)
		case content.UID != d.UID || content.Title != d.Title:
			add("dashboard %s %q: its JSON says uid %q and title %q", d.UID, d.Title, content.UID, content.Title)
		case len(d.JSON) > mapBytes:
			add("dashboard %s has %d bytes: allowed are %d", d.UID, len(d.JSON), mapBytes)
		}
		seen[d.UID] = true
		switch slug := slugOf(d.Folder); {
		case slug == "":
			add("dashboard %s has the folder %q: allowed are names with a letter or a digit", d.UID, d.Folder)
		case folders[slug] != "" && folders[slug] != d.Folder:
			add("the folders %q and %q differ too little", folders[slug], d.Folder)
		default:
			folders[slug] = d.Folder
		}
	}
	if a.Home != "" && !seen[a.Home] {
		add("Home is %q: allowed are the UIDs of the Dashboards", a.Home)
	}
	return problems
}

func isHTTPS(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Scheme == "https" && u.Host != "" && !strings.ContainsAny(text, " \t\n\"`#;%$")
}
