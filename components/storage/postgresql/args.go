package postgresql

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/telekom/controlplane-infrastructure/internal/artifact"
	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/internal/part"
)

// Images of the released backup plugin: its manifest names those of a test.
const (
	BackupPluginImage        = "ghcr.io/cloudnative-pg/plugin-barman-cloud:v0.15.0"
	BackupPluginSidecarImage = "ghcr.io/cloudnative-pg/plugin-barman-cloud-sidecar:v0.15.0"
)

// Args configure the component. Native types decide what exists; Pulumi inputs carry values.
type Args struct {
	part.Common
	// Operator is CloudNativePG.
	Operator Operator
	// BackupPlugin makes and restores backups; nil: no cluster has any.
	BackupPlugin *BackupPlugin
	// Clusters are the clusters of PostgreSQL. A database's name is unique among all of them.
	Clusters []Cluster
	// ControlPlaneDatabase is the database that the Control Plane finds in the Secret controlplane-db; empty: none.
	ControlPlaneDatabase string
	// ControlPlaneSSLMode is how strictly the Control Plane checks the database's certificate, such as verify-full.
	ControlPlaneSSLMode string
	// Clients are who uses databases beside the Control Plane, as far as nobody else declares their connections.
	Clients []Client
	// ObjectStorage is where the clusters' buckets, and what gives out credentials for them, are reached, on the ports
	// ObjectStoragePorts.
	ObjectStorage      flow.Peer
	ObjectStoragePorts []int
}

// Operator configures CloudNativePG. Two replicas or more get a disruption budget.
type Operator struct {
	// Manifest is the release's manifest, with the resource definitions.
	Manifest *artifact.Tree
	// Replicas is at least 1; one leads, and all answer the API server's questions about new objects.
	Replicas int
	// PodMonitor declares the metrics to Prometheus; it needs the PodMonitor resource definition.
	PodMonitor bool
}

// BackupPlugin configures the Barman Cloud plugin.
type BackupPlugin struct {
	// Manifest is the release's manifest, with the resource definition.
	Manifest *artifact.Tree
	// Image is the plugin's, SidecarImage that of what it adds to the pods of the database.
	Image, SidecarImage string
}

// Cluster is a primary and its replicas, all with the same databases.
type Cluster struct {
	// Name is the Cluster's name: clients reach the primary as <name>-rw.
	Name string
	// Instances is the primary and its replicas, at least 1.
	Instances int
	// SynchronousReplicas must have a transaction before it counts as committed; fewer than Instances. 0: none.
	SynchronousReplicas int
	// Image is the database's. Its tag begins with the version.
	Image string
	// Volume is the storage of each instance.
	Volume part.Volume
	// WALVolume holds the write-ahead log of each instance; nil: it lies with the data.
	WALVolume *part.Volume
	// Resources are what each instance reserves and may use.
	Resources corev1.ResourceRequirements
	// Parameters are those of postgresql.conf, on top of the component's own.
	Parameters map[string]string
	// Databases are the databases, at least one.
	Databases []Database
	// Pooler is a connection pooler in front of the primary; nil: clients connect directly.
	Pooler *Pooler
	// Backup is where backups go; nil: nowhere.
	Backup *Backup
	// Recovery is the backup that a new cluster starts from; nil: it starts empty. It has no effect on a cluster that
	// exists.
	Recovery *Recovery
	// PodMonitor declares the metrics to Prometheus; it needs the PodMonitor resource definition.
	PodMonitor bool
}

// Database is a database and the role that owns it. The role can log in to this database and to no other.
type Database struct {
	Name, Owner string
}

// Pooler configures PgBouncer. Two instances or more get a disruption budget.
type Pooler struct {
	// Instances is at least 1.
	Instances int
	// Mode is session or transaction.
	Mode string
	// MaxClientConnections is how many clients an instance serves.
	MaxClientConnections int
	// PoolSize is how many connections to the database an instance keeps for each of them.
	PoolSize int
	// Image is PgBouncer's.
	Image string
	// Resources are what each instance reserves and may use; empty: what an operator may.
	Resources corev1.ResourceRequirements
}

// Backup configures the backups of a cluster: the write-ahead log always, and everything on a schedule.
type Backup struct {
	// Store is the bucket.
	Store part.ObjectStore
	// ServerName is the cluster's directory in Store; empty: the cluster's name.
	ServerName string
	// Schedule is when everything is saved, as a cron expression of six fields, the first of which are seconds.
	Schedule string
	// Retention is how long a backup is kept: a number of days, weeks or months, such as 30d, 4w or 6m.
	Retention string
}

// Recovery configures what a new cluster is restored from.
type Recovery struct {
	// Store is the bucket with the backups.
	Store part.ObjectStore
	// SourceServerName is the directory in Store of the cluster that they were made of.
	SourceServerName string
	// TargetTime is the moment to go back to, as RFC 3339 has it; empty: the latest one.
	TargetTime string
}
