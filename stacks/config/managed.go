package config

// RDS configures databases in Amazon RDS.
type RDS struct {
	// Version of PostgreSQL: the major version, whose newest minor version is taken and followed, or an exact minor version. The major version never goes down.
	EngineVersion string `json:"engineVersion,omitempty" jsonschema:"format=rds-version,default=18"`
	// Class of each instance.
	InstanceClass string `json:"instanceClass,omitempty" jsonschema:"format=rds-class,default=db.m7g.large"`
	// Whether each instance has a standby in another zone, which takes over when it fails.
	MultiAZ bool `json:"multiAz" jsonschema_extras:"x-derived=false (single)\\, true (zonal)"`
	// Storage of each instance, at least 20Gi. It grows and never shrinks.
	Storage Quantity `json:"storage"`
	// What the storage of each instance may grow to by itself when it runs full: the same as storage to have it stay as it is, or at least a tenth more.
	MaxStorage Quantity `json:"maxStorage" jsonschema_extras:"x-derived=four times storage"`
	// For how many days every moment can be restored.
	BackupRetentionDays int `json:"backupRetentionDays" jsonschema:"minimum=1,maximum=35" jsonschema_extras:"x-derived=7 (single)\\, 30 (zonal)"`
	// When the daily backup is made, in UTC and in quotes: at least half an hour.
	BackupWindow string `json:"backupWindow,omitempty" jsonschema:"format=daily-window,default=02:00-03:00"`
	// When AWS may interrupt an instance each week, in UTC: at least half an hour, and not while the backup is made.
	MaintenanceWindow string `json:"maintenanceWindow,omitempty" jsonschema:"format=weekly-window,default=sun:03:30-sun:04:30"`
	// Whether people may log in with tokens of IAM too. The platform itself uses passwords.
	IAMAuthentication bool `json:"iamAuthentication" jsonschema:"default=false"`
	// ARN of the KMS key that storage and backups are encrypted with, in aws.region. It can never change.
	KMSKeyARN string `json:"kmsKeyArn,omitempty" jsonschema:"format=kms-key-arn" jsonschema_extras:"x-derived=a key that is created"`
	// Authorities that have signed the servers' certificates, in PEM. Needed only in regions whose authorities this program does not know.
	CertificateAuthorities string `json:"caBundle,omitempty" jsonschema:"format=pem-certificate" jsonschema_extras:"x-derived=those of the region"`
}

// ElastiCache configures a cache in Amazon ElastiCache.
type ElastiCache struct {
	// Version of Valkey: major and minor, whose newest patch is taken. It never goes down.
	EngineVersion string `json:"engineVersion,omitempty" jsonschema:"format=valkey-version,default=8.1"`
	// Type of each node. A quarter of its memory is kept for buffers.
	NodeType string `json:"nodeType,omitempty" jsonschema:"format=cache-node-type,default=cache.t4g.small"`
	// Nodes: one primary, and replicas of all of its data in other zones, one of which takes over when it fails. At least 2 with availability zonal.
	Nodes int `json:"nodes" jsonschema:"minimum=1,maximum=6" jsonschema_extras:"x-derived=1 (single)\\, 3 (zonal)"`
	// How many days daily snapshots are kept; 0 makes none. Everything in the cache can be made again.
	SnapshotRetentionDays int `json:"snapshotRetentionDays" jsonschema:"minimum=0,maximum=35,default=0"`
	// When AWS may interrupt nodes each week, in UTC: at least an hour.
	MaintenanceWindow string `json:"maintenanceWindow,omitempty" jsonschema:"format=weekly-window,default=sun:03:30-sun:04:30"`
	// ARN of the KMS key that what is on disks is encrypted with, in aws.region.
	KMSKeyARN string `json:"kmsKeyArn,omitempty" jsonschema:"format=kms-key-arn" jsonschema_extras:"x-derived=a key that AWS owns"`
}
