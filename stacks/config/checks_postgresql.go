package config

import (
	"fmt"
	"regexp"
	"strings"
)

const postgresqlPath = "storage.postgresql"

var versionTag = regexp.MustCompile(`^[1-9][0-9](\.[0-9]+)?($|[^0-9.])`)

func (k *checker) postgresql() {
	p := k.cfg.Storage.PostgreSQL
	if p.Backend != CloudNativePG {
		k.databases(p.Clusters)
		return
	}
	if _, tag, _ := strings.Cut(p.Image[strings.LastIndex(p.Image, "/")+1:], ":"); !versionTag.MatchString(tag) {
		k.add(postgresqlPath+".image", p.Image, "must have a tag that begins with the version of PostgreSQL, such as 18.6-standard-trixie: the operator reads it there")
	}
	k.instances(postgresqlPath+".instances", p.Instances)
	k.zonalMinimum(postgresqlPath+".operator.replicas", p.Operator.Replicas, 2, 5)
	if p.Pooler.Enabled {
		k.zonalMinimum(postgresqlPath+".pooler.instances", p.Pooler.Instances, 2, 9)
	}
	k.databaseResources(postgresqlPath+".resources", p.Resources)
	k.dataVolume(postgresqlPath+".volume.size", &p.Volume)
	if p.WALVolume != nil {
		k.walVolume(postgresqlPath+".walVolume.size", p.WALVolume)
	}
	if p.Backup.Enabled {
		k.needsObjectStorage(postgresqlPath+".backup.enabled", true)
	}
	for i, d := range p.Clusters {
		k.databaseCluster(fmt.Sprintf("%s.clusters.%d", postgresqlPath, i), d)
	}
	k.databases(p.Clusters)
	k.serverNames(p.Clusters)
}

// instances checks the number of a cluster's instances: the minimum of the
// profile, and that there are enough for the replicas that a transaction waits
// for.
func (k *checker) instances(path string, instances int) {
	const minimum = 3
	k.zonalMinimum(path, instances, minimum, 9)
	n := k.cfg.Storage.PostgreSQL.SynchronousReplicas
	if n >= instances && (k.cfg.Availability == Single || instances >= minimum) {
		k.add(path, instances, fmt.Sprintf("must be more than postgresql.synchronousReplicas, which are %d", n),
			postgresqlPath+".synchronousReplicas", postgresqlPath+".instances", "availability")
	}
}

func (k *checker) databaseResources(path string, class ResourceClass) {
	k.class(path, class)
	k.atLeast(path+".limits.memory", class.Limits.Memory, "256Mi", ", with which PostgreSQL starts")
}

func (k *checker) dataVolume(path string, v *Volume) { k.atLeast(path, v.Size, "1Gi", "") }

func (k *checker) walVolume(path string, v *Volume) {
	k.atLeast(path, v.Size, "2Gi", ": the log grows to 1Gi by default before it is recycled")
}

func (k *checker) needsObjectStorage(path string, value any) {
	if k.cfg.Storage.ObjectStorage.Backend == ObjectsNone {
		k.add(path, value, "needs object storage; controlplane:storage.objectStorage.backend is none", "storage.objectStorage.backend")
	}
}

// databaseCluster checks what a cluster states itself; what it follows is
// checked where it stands.
func (k *checker) databaseCluster(path string, d DatabaseCluster) {
	p := k.cfg.Storage.PostgreSQL
	if d.Instances != p.Instances {
		k.instances(path+".instances", d.Instances)
	}
	if !sameClass(*d.Resources, p.Resources) {
		k.databaseResources(path+".resources", *d.Resources)
	}
	if p.Volume.Size.Cmp(d.Volume.Size) != 0 {
		k.dataVolume(path+".volume.size", d.Volume)
	}
	if wal := d.WALVolume; wal != nil && (p.WALVolume == nil || p.WALVolume.Size.Cmp(wal.Size) != 0) {
		k.walVolume(path+".walVolume.size", wal)
	}
	if d.Recovery != nil {
		k.needsObjectStorage(path+".recovery", nil)
		k.recovery(path+".recovery", *d.Recovery)
	}
}

func sameClass(a, b ResourceClass) bool {
	return a.Requests.CPU.Cmp(b.Requests.CPU) == 0 && a.Requests.Memory.Cmp(b.Requests.Memory) == 0 &&
		a.Limits.CPU.Cmp(b.Limits.CPU) == 0 && a.Limits.Memory.Cmp(b.Limits.Memory) == 0
}

func (k *checker) recovery(path string, r Recovery) {
	switch {
	case len(r.ServerName) > 63:
		k.add(path+".serverName", r.ServerName, "is what follows from sourceCluster, and longer than 63 characters; must be given", path+".sourceCluster")
	case r.ServerName == r.SourceCluster && r.Path == k.cfg.Storage.PostgreSQL.Backup.Path:
		k.add(path+".serverName", r.ServerName, "is where the backups are that are restored; must be another name, because a cluster never writes among the backups of another",
			path+".sourceCluster", path+".path", postgresqlPath+".backup.path")
	}
}

// gatewayRole is the role that the gateway logs in as, to its database of the
// same name.
const gatewayRole = "gateway"

// needed are the databases that the platform's parts connect to, but for those
// that are named for the identity provider or Grafana and are not their usual
// ones.
func (k *checker) needed() []string {
	databases := []string{"gateway", "controlplane"}
	if k.cfg.Identity.Database == irisDatabase {
		databases = append([]string{irisDatabase}, databases...)
	}
	if k.cfg.grafanaDatabase() == grafanaDatabase {
		databases = append(databases, grafanaDatabase)
	}
	return databases
}

var reservedDatabases = map[string]bool{"postgres": true, "template0": true, "template1": true}

func isReservedRole(name string) bool {
	return name == "postgres" || name == "streaming_replica" || name == "cnpg_pooler_pgbouncer" || strings.HasPrefix(name, "pg_")
}

// databases checks the names of clusters, databases and owners.
func (k *checker) databases(clusters []DatabaseCluster) {
	names, homes := map[string]bool{}, map[string]string{}
	for i, cluster := range clusters {
		path := fmt.Sprintf("%s.clusters.%d", postgresqlPath, i)
		if names[cluster.Name] && cluster.Name != "" {
			k.add(path+".name", cluster.Name, "is the name of another cluster already; must be another name")
		}
		names[cluster.Name] = true
		k.owners(path, cluster.Databases)
		for j, database := range cluster.Databases {
			at := fmt.Sprintf("%s.databases.%d", path, j)
			home, taken := homes[database.Name]
			switch {
			case database.Name == "":
				continue // reported as missing
			case reservedDatabases[database.Name]:
				k.add(at+".name", database.Name, "is a database of PostgreSQL's own; must be another name")
			case taken:
				k.add(at+".name", database.Name, fmt.Sprintf("is a database of cluster %s already; must be in one place only", home))
			}
			homes[database.Name] = cluster.Name
		}
	}
	if k.isTouched(postgresqlPath + ".clusters") {
		return // what seems to be missing may be among what is wrong
	}
	all := k.cfg.Identity.Database + ", gateway and controlplane"
	if grafana := k.cfg.grafanaDatabase(); grafana != "" {
		all = k.cfg.Identity.Database + ", gateway, controlplane and " + grafana
	}
	for _, name := range k.needed() {
		if _, ok := homes[name]; !ok {
			k.add(postgresqlPath+".clusters", nil, fmt.Sprintf("have no database %s; must have %s", name, all), "identity.database", "monitoring.grafana")
		}
	}
}

// owners checks the roles of a cluster's databases.
func (k *checker) owners(cluster string, databases []Database) {
	owned := map[string]string{}
	for i, d := range databases {
		path := fmt.Sprintf("%s.databases.%d.owner", cluster, i)
		other, taken := owned[d.Owner]
		switch {
		case d.Owner == "" || d.Name == "":
			continue
		case isReservedRole(d.Owner):
			k.add(path, d.Owner, "is a role of PostgreSQL's or CloudNativePG's own; must be another name")
		case taken:
			k.add(path, d.Owner, fmt.Sprintf("owns the database %s already; must be another role, so that neither database's user gets at the other", other))
		}
		if d.Name == gatewayRole && d.Owner != gatewayRole {
			k.add(path, d.Owner, "must be gateway, the role that the gateway logs in as")
		}
		owned[d.Owner] = d.Name
	}
}

// serverNames checks that no two clusters write their backups to one place.
func (k *checker) serverNames(clusters []DatabaseCluster) {
	writers := map[string]string{}
	for i, d := range clusters {
		server, path := d.Name, ".name"
		if d.Recovery != nil {
			server, path = d.Recovery.ServerName, ".recovery.serverName"
		}
		writer, taken := writers[server]
		if taken && writer != d.Name {
			k.add(fmt.Sprintf("%s.clusters.%d%s", postgresqlPath, i, path), server,
				fmt.Sprintf("is the server name of the backups of cluster %s already; must be another name", writer))
		}
		writers[server] = d.Name
	}
}
