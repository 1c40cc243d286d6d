package stacks

import (
	"slices"

	"github.com/telekom/controlplane-infrastructure/components/identity"
	"github.com/telekom/controlplane-infrastructure/components/identity/realm"
	"github.com/telekom/controlplane-infrastructure/components/monitoring/dashboards"
	"github.com/telekom/controlplane-infrastructure/components/monitoring/grafana"
	"github.com/telekom/controlplane-infrastructure/components/monitoring/rules"
	"github.com/telekom/controlplane-infrastructure/components/storage/postgresql"
	"github.com/telekom/controlplane-infrastructure/internal/mesh"
)

const (
	// grafanaClient is Grafana as a realm knows it, grafanaAdmin its own administrator.
	grafanaClient = "grafana"
	grafanaAdmin  = "admin"
)

// grafana is what shows the metrics; nil: nothing does.
func (s *stack) grafana(databases map[string]postgresql.Connection) *grafana.Args {
	if !s.cfg.Monitoring.ShowsGrafana() {
		return nil
	}
	cfg := s.cfg.Monitoring.Grafana
	args := &grafana.Args{
		Image: cfg.Image, Replicas: cfg.Replicas, Resources: requirements(cfg.Resources), AdminUser: grafanaAdmin,
		Hostname: cfg.Hostname,
	}
	if cfg.Volume != nil {
		args.Volume = volume(*cfg.Volume)
	}
	if cfg.Hostname != "" {
		args.Ingress = grafana.Ingress{
			ClassName: cfg.Ingress.ClassName, Annotations: cfg.Ingress.Annotations, Issuer: s.publicIssuer(),
			Controller: s.controllerOf(cfg.Ingress.ClassName), HTTP01: s.prover(),
		}
	}
	if cfg.Database != "" {
		c := databases[cfg.Database]
		args.Database = &grafana.Database{Port: c.Port, Name: c.Database, User: c.User, Pods: c.Pods}
	}
	if o := cfg.OIDC; o != nil {
		args.OIDC = &grafana.OIDC{
			RealmURL:         identity.Issuer(s.cfg.Identity.Hostname, o.Realm),
			InternalRealmURL: identity.InternalIssuer(o.Realm),
			ClientID:         grafanaClient,
			Roles:            grafana.Roles{Admin: o.Roles.Admin, Editor: o.Roles.Editor, Viewer: o.Roles.Viewer},
			Pods:             identity.Servers(),
		}
	}
	return args
}

// dashboards show what the stack has, as its rules watch it.
func (s *stack) dashboards(watched rules.Args) dashboards.Args {
	return dashboards.Args{
		PostgreSQL: len(watched.PostgreSQL) > 0, Valkey: watched.Valkey, Iris: watched.Iris,
		Backups: watched.Backups, Pooler: watched.Pooler, ObjectStorage: watched.ObjectStorage,
		Ingress: watched.Ingress != "", Mesh: mesh.Kind(watched.Mesh), NodeExporter: watched.NodeExporter, Etcd: watched.Etcd,
	}
}

// addLogin has the users of a realm log in to Grafana, if it is the realm for that.
func (s *stack) addLogin(args *realm.Args) {
	if !s.cfg.Monitoring.ShowsGrafana() {
		return
	}
	cfg := s.cfg.Monitoring.Grafana
	if cfg.OIDC == nil || cfg.OIDC.Realm != args.Name {
		return
	}
	client := realm.Client{
		ID: grafanaClient, AuthorizationCode: true, RolesClaim: grafana.RolesClaim,
		RedirectURIs: []string{grafana.RedirectURI(cfg.Hostname)}, LogoutURIs: []string{grafana.LogoutURI(cfg.Hostname)},
	}
	for _, role := range []realm.Role{
		{Name: cfg.OIDC.Roles.Admin, Description: "Administers Grafana."},
		{Name: cfg.OIDC.Roles.Editor, Description: "Makes dashboards in Grafana."},
		{Name: cfg.OIDC.Roles.Viewer, Description: "Looks at dashboards in Grafana."},
	} {
		client.UserRoles = append(client.UserRoles, role.Name)
		if !slices.ContainsFunc(args.Roles, func(r realm.Role) bool { return r.Name == role.Name }) {
			args.Roles = append(args.Roles, role)
		}
	}
	args.Clients = append(args.Clients, client)
}
