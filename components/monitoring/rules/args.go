package rules

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/internal/part"
)

// The severities.
const (
	// Critical is what somebody has to be woken for.
	Critical = "critical"
	// Warning is what somebody should look at during the day.
	Warning = "warning"
	// Info is for the routing of alerts, and for nobody's eyes.
	Info = "info"
)

// Severities are all that there are.
func Severities() []string { return []string{Critical, Warning, Info} }

// DefaultRunbookBase is where the runbooks are that belong to this program.
const DefaultRunbookBase = "https://github.com/telekom/controlplane-infrastructure/blob/main/docs/runbooks/"

// The object storages, meshes and ingress controllers that have rules.
const (
	MinIO   = "minio"
	S3      = "s3"
	Istio   = "istio"
	Linkerd = "linkerd"
	Traefik = "traefik"
)

// Args say what there is to watch. The zero value is a cluster with nothing of the platform but its certificates.
type Args struct {
	part.Common
	// Disabled are the names of alerts that are left out.
	Disabled []string
	// Severity is another severity for some alerts, by name.
	Severity map[string]string
	// RunbookBase is the URL that an alert's name and .md are added to as they are; empty: DefaultRunbookBase.
	RunbookBase string
	// PostgreSQL has the number of instances of each database cluster, by name; nil: there is none.
	PostgreSQL map[string]int
	// Valkey and Iris tell whether the platform has them.
	Valkey, Iris bool
	// Backups tells whether databases are saved, and Pooler whether there is one in front of a database.
	Backups, Pooler bool
	// ObjectStorage is MinIO or S3, which has no metrics; empty: there is none.
	ObjectStorage string
	// Ingress is Traefik, or empty for a controller that is not ours.
	Ingress string
	// Mesh is Istio or Linkerd, or empty.
	Mesh string
	// NodeExporter, APIServer, Etcd, Grafana, RemoteWrite and CoreDNS tell whether they are there and Prometheus asks them.
	NodeExporter, APIServer, Etcd, Grafana, RemoteWrite, CoreDNS bool
}

// Check reports what cannot work; the configuration is checked before, so this is for other callers.
func (a Args) Check() error {
	var problems []error
	add := func(format string, values ...any) { problems = append(problems, fmt.Errorf(format, values...)) }
	known := Names()
	for _, name := range a.Disabled {
		if !slices.Contains(known, name) {
			add("Disabled has %q: there is no such alert", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(a.Severity)) {
		if !slices.Contains(known, name) {
			add("Severity has %q: there is no such alert", name)
		}
		if !slices.Contains(Severities(), a.Severity[name]) {
			add("Severity of %s is %q: allowed are %s", name, a.Severity[name], strings.Join(Severities(), ", "))
		}
	}
	allowed := func(field, value string, values ...string) {
		if value != "" && !slices.Contains(values, value) {
			add("%s is %q: allowed are %s, or none", field, value, strings.Join(values, ", "))
		}
	}
	allowed("ObjectStorage", a.ObjectStorage, MinIO, S3)
	allowed("Ingress", a.Ingress, Traefik)
	allowed("Mesh", a.Mesh, Istio, Linkerd)
	return errors.Join(problems...)
}

// Flows are none: rules are read from the API server, which is the operator's flow.
func (a Args) Flows() []flow.Flow { return nil }

// everything is an installation with all that rules know of, for the names of alerts.
func everything(mesh string) Args {
	return Args{
		PostgreSQL: map[string]int{"main": 3}, Valkey: true, Iris: true, Backups: true, Pooler: true,
		ObjectStorage: MinIO, Ingress: Traefik, Mesh: mesh,
		NodeExporter: true, APIServer: true, Etcd: true, Grafana: true, RemoteWrite: true, CoreDNS: true,
	}
}
