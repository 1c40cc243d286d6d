package postgresql

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	corev1 "k8s.io/api/core/v1"

	"github.com/telekom/controlplane-infrastructure/internal/part"
)

const (
	// defaultConnections is max_connections where it is not configured: PostgreSQL's own 100 leave too few to each of
	// several databases, whose clients all keep pools.
	defaultConnections = 200
	// reservedConnections are kept from the databases' roles, for PostgreSQL's own processes, the operator and metrics.
	reservedConnections = 20
)

// fixedParameters are those that the security of the platform rests on.
var fixedParameters = map[string]string{
	"password_encryption":      "scram-sha-256",
	"ssl_min_protocol_version": "TLSv1.3",
}

// plan is a cluster with all that follows from its description.
type plan struct {
	Cluster
	// parameters are those of postgresql.conf.
	parameters map[string]string
	// connectionLimit is how many connections each role may have.
	connectionLimit int
}

// Names of what belongs to the cluster.
func (p plan) serverCertificate() string      { return p.Name + "-server-tls" }
func (p plan) clientCA() string               { return p.Name + "-client-ca" }
func (p plan) replicationCertificate() string { return p.Name + "-replication-tls" }
func (p plan) poolerName() string             { return p.Name + "-pooler-rw" }
func (p plan) poolerCertificate() string      { return p.Name + "-pooler-tls" }
func (p plan) poolerLogin() string            { return p.Name + "-pooler-login" }
func (p plan) backupStore() string            { return p.Name + "-backup" }
func (p plan) recoveryStore() string          { return p.Name + "-recovery" }
func (p plan) passwordSecret(role string) string {
	return PasswordSecret(p.Name, role)
}

// kubernetesName is the name of a database or a role as part of an object's name.
func kubernetesName(name string) string { return strings.ReplaceAll(name, "_", "-") }

// host is what clients of the cluster connect to.
func (p plan) host() string {
	if p.Pooler != nil {
		return p.poolerName() + "." + Namespace + ".svc"
	}
	return p.primary()
}

// primary is the instance that takes writes.
func (p plan) primary() string { return p.Name + "-rw." + Namespace + ".svc" }

// connection is how clients connect to a database, without the password.
func (p plan) connection(d Database) Connection {
	return Connection{
		Host: pulumi.String(p.host()), Primary: pulumi.String(p.primary()), Port: Port, Pods: Instances(p.Name),
		Database: d.Name, User: d.Owner, SecretName: p.passwordSecret(d.Owner), Cluster: p.Name,
		ConnectionLimit: p.connectionLimit,
	}
}

// serverName is the directory of the cluster's own backups.
func (p plan) serverName() string {
	if p.Backup.ServerName != "" {
		return p.Backup.ServerName
	}
	return p.Name
}

// MaxConnections is how many connections there are in all.
func (c Cluster) MaxConnections() (string, error) {
	p, err := planOf(c)
	return p.parameters["max_connections"], err
}

// planOf works out a cluster's parameters. Each role may have its share of the connections, so that none of them can
// keep the others out; with a pooler at least what the pooler may open for it.
func planOf(c Cluster) (plan, error) {
	p := plan{Cluster: c, parameters: map[string]string{}}
	pooled := 0
	if c.Pooler != nil {
		pooled = c.Pooler.Instances * c.Pooler.PoolSize
	}
	needed := pooled*len(c.Databases) + reservedConnections
	connections := max(defaultConnections, needed)
	if text, given := c.Parameters["max_connections"]; given {
		var err error
		if connections, err = strconv.Atoi(text); err != nil {
			return p, fmt.Errorf("parameter max_connections: %q is not a number", text)
		}
		needed = max(needed, reservedConnections+len(c.Databases))
		if connections < needed {
			return p, fmt.Errorf("parameter max_connections is %d; its databases need at least %d: %d for each pool, %d for the cluster itself",
				connections, needed, pooled, reservedConnections)
		}
	}
	p.connectionLimit = max(pooled, (connections-reservedConnections)/len(c.Databases))
	p.parameters["max_connections"] = strconv.Itoa(connections)
	if size := sharedBuffers(c.Resources); size != "" {
		p.parameters["shared_buffers"] = size
	}
	for name, value := range c.Parameters {
		p.parameters[name] = value
	}
	for name, value := range fixedParameters {
		if given, ok := c.Parameters[name]; ok && given != value {
			return p, fmt.Errorf("parameter %s is always %s; %q is given", name, value, given)
		}
		p.parameters[name] = value
	}
	return p, nil
}

// sharedBuffers is a quarter of the memory that an instance can rely on, which is PostgreSQL's own recommendation.
func sharedBuffers(r corev1.ResourceRequirements) string {
	megabytes := r.Requests.Memory().Value() / 4 >> 20
	if megabytes == 0 {
		return ""
	}
	return fmt.Sprintf("%dMB", megabytes)
}

// Check reports what cannot work. New does as well, but others may want to know before they register anything.
func (a Args) Check() error {
	var problems []error
	owner := map[string]string{}
	for _, c := range a.Clusters {
		if err := a.checkCluster(c); err != nil {
			problems = append(problems, fmt.Errorf("cluster %s: %w", c.Name, err))
		}
		for _, d := range c.Databases {
			if other, taken := owner[d.Name]; taken {
				problems = append(problems, fmt.Errorf("database %s is in cluster %s and in cluster %s", d.Name, other, c.Name))
			}
			owner[d.Name] = c.Name
		}
	}
	if name := a.ControlPlaneDatabase; name != "" && owner[name] == "" {
		problems = append(problems, fmt.Errorf("the Control Plane's database %s is in no cluster", name))
	}
	for _, client := range a.Clients {
		if owner[client.Database] == "" {
			problems = append(problems, fmt.Errorf("database %s of client %s is in no cluster", client.Database, client.Name))
		}
	}
	return errors.Join(problems...)
}

// Connections are how the databases will be reached, by their names, before there are passwords. Check comes first.
func (a Args) Connections() (map[string]Connection, error) {
	all := map[string]Connection{}
	for _, c := range a.Clusters {
		p, err := planOf(c)
		if err != nil {
			return nil, fmt.Errorf("cluster %s: %w", c.Name, err)
		}
		for _, d := range c.Databases {
			all[d.Name] = p.connection(d)
		}
	}
	return all, nil
}

func (a Args) checkCluster(c Cluster) error {
	var roles []string
	for _, d := range c.Databases {
		if slices.Contains(roles, d.Owner) {
			return fmt.Errorf("role %s owns two databases: each role has one", d.Owner)
		}
		roles = append(roles, d.Owner)
	}
	switch {
	case len(c.Databases) == 0:
		return errors.New("it has no database")
	case c.SynchronousReplicas > 0 && c.SynchronousReplicas >= c.Instances:
		return fmt.Errorf("%d synchronous replicas need at least %d instances; it has %d",
			c.SynchronousReplicas, c.SynchronousReplicas+1, c.Instances)
	case a.BackupPlugin == nil && (c.Backup != nil || c.Recovery != nil):
		return errors.New("it has a backup or a recovery, which need the backup plugin")
	case c.Backup != nil && c.Recovery != nil && overwrites(c):
		return fmt.Errorf("its backups would go to the directory %s, which it is restored from: the backup needs another server name",
			c.Recovery.SourceServerName)
	}
	_, err := planOf(c)
	return err
}

// overwrites tells whether a restored cluster would save its write-ahead log among that of the cluster it comes from.
// The database refuses to start then.
func overwrites(c Cluster) bool {
	place := func(s part.ObjectStore) string { return s.Bucket + "/" + s.Path }
	return place(c.Backup.Store) == place(c.Recovery.Store) &&
		plan{Cluster: c}.serverName() == c.Recovery.SourceServerName
}
