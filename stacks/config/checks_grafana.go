package config

import (
	"fmt"
	"slices"
	"strings"
)

// grafanaClient is the client that Grafana's login is given in a realm.
const grafanaClient = "grafana"

func (k *checker) grafana(path string, g *Grafana) {
	k.zonalMinimum(path+".replicas", g.Replicas, 2, 5)
	k.class(path+".resources", g.Resources)
	k.annotations(path+".ingress.annotations", g.Ingress.Annotations)
	if g.Hostname == "" && len(g.Ingress.Annotations) > 0 {
		k.add(path+".ingress.annotations", nil, "have no effect without hostname, without which there is no Ingress object", path+".hostname")
	}
	k.grafanaState(path, g)
	if g.OIDC != nil {
		k.oidc(path, g)
	}
}

// grafanaState checks where users and preferences are.
func (k *checker) grafanaState(path string, g *Grafana) {
	if g.Database == "" {
		if g.Replicas > 1 {
			k.add(path+".replicas", g.Replicas, "must be 1 without database, or database be the name of one in controlplane:storage.postgresql.clusters, such as grafana: a volume belongs to one replica",
				path+".database", "availability")
		}
		return
	}
	if g.Volume != nil {
		k.add(path+".volume", nil, fmt.Sprintf("has no effect with database, which is %s: there are users and preferences; must be left out", g.Database), path+".database", "availability")
	}
	k.grafanaDatabase(path+".database", g.Database)
}

func (k *checker) grafanaDatabase(path, name string) {
	taken := map[string]string{k.cfg.Identity.Database: "the identity provider"}
	for database, owner := range consumers {
		taken[database] = owner
	}
	if owner := taken[name]; owner != "" {
		k.add(path, name, fmt.Sprintf("is the database of %s; must be another one, because neither may get at the data of the other", owner), "identity.database")
		return
	}
	var present []string
	for _, cluster := range k.cfg.Storage.PostgreSQL.Clusters {
		for _, database := range cluster.Databases {
			if database.Name != "" && taken[database.Name] == "" {
				present = append(present, database.Name)
			}
		}
	}
	if slices.Contains(present, name) || name == grafanaDatabase || k.isTouched(postgresqlPath+".clusters") {
		return // where grafana is missing, the check of clusters says so
	}
	allowed := "must be another one there than those of the identity provider, the gateway and the Control Plane"
	if len(present) > 0 {
		slices.Sort(present)
		allowed = "must be one of them: " + strings.Join(present, ", ")
	}
	k.suggest(path, name, "is no database in controlplane:storage.postgresql.clusters; "+allowed, nearest(name, present))
}

// oidc checks the login by the identity provider.
func (k *checker) oidc(path string, g *Grafana) {
	at := path + ".oidc"
	if g.Hostname == "" {
		k.add(path+".hostname", nil, "is missing; oidc needs the public host name, to which a browser returns after a login", path)
	}
	roles := map[string]string{}
	for _, role := range []struct{ key, name string }{{"admin", g.OIDC.Roles.Admin}, {"editor", g.OIDC.Roles.Editor}, {"viewer", g.OIDC.Roles.Viewer}} {
		if other, used := roles[role.name]; used {
			k.add(at+".roles."+role.key, role.name, fmt.Sprintf("is the role of %s already; must be another one", other), at+".roles."+other)
		} else {
			roles[role.name] = role.key
		}
		if slices.Contains(builtInRoles, role.name) {
			k.add(at+".roles."+role.key, role.name, "is a role that Keycloak gives every user; must be another one")
		}
	}
	k.oidcRealm(at+".realm", g.OIDC.Realm)
}

// oidcRealm checks that the realm is there, and that nobody else owns the
// client in it.
func (k *checker) oidcRealm(path, name string) {
	var names []string
	for i, realm := range k.cfg.Identity.Realms {
		if realm.Name == name {
			for j, client := range realm.Clients {
				if client.ID == grafanaClient {
					k.add(fmt.Sprintf("identity.realms.%d.clients.%d.clientId", i, j), client.ID,
						"is the client that controlplane:monitoring.grafana.oidc makes in this realm; must be left out, or another name", path)
				}
			}
			return
		}
		names = append(names, realm.Name)
	}
	if k.isTouched("identity.realms") {
		return // it may be among what is wrong
	}
	k.suggest(path, name, "is no realm of controlplane:identity.realms; must be one of "+strings.Join(names, ", "), nearest(name, names))
}
