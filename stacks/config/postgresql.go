package config

// DatabaseBackend is what runs PostgreSQL.
type DatabaseBackend string

const (
	// CloudNativePG is an operator that runs PostgreSQL on the cluster.
	CloudNativePG DatabaseBackend = "cloudNativePG"
	// DatabasesRDS is Amazon RDS.
	DatabasesRDS DatabaseBackend = "rds"
)

// PostgreSQL configures the databases.
type PostgreSQL struct {
	// What runs PostgreSQL: `cloudNativePG` is an operator that runs it on the cluster; `rds` is Amazon RDS, where each of clusters is an instance with its databases. With rds, of the keys here only clusters (name, databases, parameters), parameters, image, controlPlaneSSLMode and rds are allowed.
	Backend DatabaseBackend `json:"backend,omitempty" jsonschema:"enum=cloudNativePG,enum=rds,default=cloudNativePG"`
	// Image of the database. Its tag begins with the version of PostgreSQL. With backend rds it is that of the client that makes databases and roles.
	Image string `json:"image,omitempty" jsonschema:"format=image,default=ghcr.io/cloudnative-pg/postgresql:18.6-standard-trixie"`
	// Instances of each cluster: one primary, and replicas of all of its data. At least 3 with availability zonal.
	Instances int `json:"instances" jsonschema:"minimum=1,maximum=9" jsonschema_extras:"x-derived=1 (single)\\, 3 (zonal)"`
	// How many replicas must have a transaction before it counts as committed. Fewer than instances.
	SynchronousReplicas int `json:"synchronousReplicas" jsonschema:"minimum=0,maximum=8" jsonschema_extras:"x-derived=0 (single)\\, 1 (zonal)"`
	// The volume of each instance.
	Volume Volume `json:"volume" defaults:"size=10Gi"`
	// A volume of its own for the write-ahead log of each instance. Without it the log is on the volume of the data. It can be added later, and never removed.
	WALVolume *Volume `json:"walVolume,omitempty" defaults:"size=5Gi"`
	// What each instance reserves and may use.
	Resources ResourceClass `json:"resources" defaults:"requests.cpu=100m,requests.memory=512Mi,limits.cpu=1000m,limits.memory=1Gi"`
	// Parameters of postgresql.conf.
	Parameters Parameters `json:"parameters,omitempty"`
	// A connection pooler in front of each cluster.
	Pooler Pooler `json:"pooler"`
	// Backups to the object storage, which allow to restore every moment since the oldest one.
	Backup Backup `json:"backup"`
	// Whether a PodMonitor has Prometheus scrape the instances.
	PodMonitor bool `json:"podMonitor" jsonschema:"default=true"`
	// The operator.
	Operator DatabaseOperator `json:"operator"`
	// Clusters of PostgreSQL with their databases: one for all consumers, or several. The databases gateway, controlplane and those of identity.database and monitoring.grafana.database must be in one of them each.
	Clusters []DatabaseCluster `json:"clusters,omitempty" jsonschema:"minItems=1" jsonschema_extras:"x-derived=one\\, platform\\, with the databases iris\\, gateway and controlplane\\, and with Grafana in the profile zonal: grafana"`
	// How strictly the Control Plane checks the database's certificate, as sslmode of the URL in the Secret controlplane-db: `verify-full` also checks who signed it and for which host, which needs the trust bundle among the roots of the process (SSL_CERT_FILE); `require` encrypts only.
	ControlPlaneSSLMode SSLMode `json:"controlPlaneSSLMode,omitempty" jsonschema:"enum=verify-full,enum=require,default=verify-full"`
	// Amazon RDS. Not allowed with another backend.
	RDS *RDS `json:"rds,omitempty" defaults:"storage=50Gi"`
}

// SSLMode says how strictly a client of PostgreSQL checks the server.
type SSLMode string

const (
	// SSLVerifyFull checks the certificate's issuer and host name.
	SSLVerifyFull SSLMode = "verify-full"
	// SSLRequire encrypts without a check.
	SSLRequire SSLMode = "require"
)

// PoolMode says when a pooled connection goes back to the pool.
type PoolMode string

const (
	// PoolSession keeps a connection until the client leaves.
	PoolSession PoolMode = "session"
	// PoolTransaction keeps a connection until the transaction ends.
	PoolTransaction PoolMode = "transaction"
)

// Pooler configures PgBouncer.
type Pooler struct {
	// Whether there is a pooler.
	Enabled bool `json:"enabled" jsonschema:"default=false"`
	// Replicas of the pooler. At least 2 with availability zonal.
	Instances int `json:"instances" jsonschema:"minimum=1,maximum=9" jsonschema_extras:"x-derived=1 (single)\\, 2 (zonal)"`
	// When a connection goes back to the pool: with `session` when the client leaves; with `transaction` at the end of each transaction, which excludes prepared statements by name, advisory locks and LISTEN.
	Mode PoolMode `json:"mode,omitempty" jsonschema:"enum=session,enum=transaction,default=session"`
	// How many clients each replica takes.
	MaxClientConnections int `json:"maxClientConnections" jsonschema:"minimum=1,maximum=10000,default=200"`
	// How many connections each replica keeps to the database per user and database.
	PoolSize int `json:"poolSize" jsonschema:"minimum=1,maximum=1000,default=20"`
	// Image of PgBouncer.
	Image string `json:"image,omitempty" jsonschema:"format=image,default=ghcr.io/cloudnative-pg/pgbouncer:1.25.1"`
}

// Backup configures the backups of databases.
type Backup struct {
	// Whether databases are backed up: their write-ahead log continuously, the whole on schedule. Needs objectStorage.
	Enabled bool `json:"enabled" jsonschema_extras:"x-derived=true with availability zonal and an object storage\\, otherwise false"`
	// When a backup of the whole starts, as a cron expression of six fields with the seconds first.
	Schedule string `json:"schedule,omitempty" jsonschema:"format=cron-seconds,default=0 0 2 * * *"`
	// How long backups are kept: a number of days (d), weeks (w) or months (m).
	Retention string `json:"retention,omitempty" jsonschema:"format=retention,default=30d"`
	// Prefix of the backups in the bucket.
	Path string `json:"path,omitempty" jsonschema:"format=object-prefix,default=postgresql"`
}

// DatabaseOperator configures the operator of the databases.
type DatabaseOperator struct {
	// Replicas of the operator. One leads, the others stand by.
	Replicas int `json:"replicas" jsonschema:"minimum=1,maximum=5" jsonschema_extras:"x-derived=1 (single)\\, 2 (zonal)"`
	// Whether a PodMonitor has Prometheus scrape the operator.
	PodMonitor bool `json:"podMonitor" jsonschema:"default=true"`
}

// DatabaseCluster is a cluster of PostgreSQL. What it does not state follows
// the keys of the same name of PostgreSQL.
type DatabaseCluster struct {
	// Name of the cluster: its host is <name>-rw.
	Name string `json:"name" jsonschema:"required,format=database-cluster-name"`
	// Databases of the cluster, each with its owner.
	Databases []Database `json:"databases" jsonschema:"required,minItems=1"`
	// Instances of the cluster. At least 3 with availability zonal.
	Instances int `json:"instances" jsonschema:"minimum=1,maximum=9" jsonschema_extras:"x-derived=postgresql.instances"`
	// The volume of each instance.
	Volume *Volume `json:"volume,omitempty" jsonschema_extras:"x-derived=postgresql.volume"`
	// A volume of its own for the write-ahead log of each instance. It can be added later, and never removed.
	WALVolume *Volume `json:"walVolume,omitempty" jsonschema_extras:"x-derived=postgresql.walVolume; 5Gi where that is not set"`
	// What each instance reserves and may use.
	Resources *ResourceClass `json:"resources,omitempty" jsonschema_extras:"x-derived=postgresql.resources"`
	// Parameters of postgresql.conf, beside those of postgresql.parameters and before them.
	Parameters Parameters `json:"parameters,omitempty"`
	// Starts the cluster with data from backups. It is read when the cluster is created: it can be neither added later, nor changed or removed as long as the cluster stays.
	Recovery *Recovery `json:"recovery,omitempty"`
}

// Database is a database and the role that owns it.
type Database struct {
	// Name of the database.
	Name string `json:"name" jsonschema:"required,format=database-name"`
	// Role that owns the database and may log in. No other database of the cluster has it.
	Owner string `json:"owner,omitempty" jsonschema:"format=database-name" jsonschema_extras:"x-derived=the name of the database"`
}

// Recovery says what a new cluster of PostgreSQL starts with.
type Recovery struct {
	// The server name whose backups are restored: the name of the cluster that made them, or its recovery.serverName, if it was restored itself.
	SourceCluster string `json:"sourceCluster,omitempty" jsonschema:"format=label-value" jsonschema_extras:"x-derived=the cluster's own name"`
	// Prefix of the backups that are restored.
	Path string `json:"path,omitempty" jsonschema:"format=object-prefix" jsonschema_extras:"x-derived=postgresql.backup.path"`
	// The moment that is restored, as RFC 3339 writes it.
	TargetTime string `json:"targetTime,omitempty" jsonschema:"format=timestamp,example=2026-11-02T09:30:00Z" jsonschema_extras:"x-derived=the newest there is"`
	// The server name of the backups that the restored cluster makes from now on. Nothing may be under it: the cluster refuses to start where other backups are. A second restore from the same source needs one of its own.
	ServerName string `json:"serverName,omitempty" jsonschema:"format=label-value" jsonschema_extras:"x-derived=sourceCluster with -restored behind it"`
}
