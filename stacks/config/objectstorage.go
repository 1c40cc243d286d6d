package config

// ObjectBackend is what keeps objects.
type ObjectBackend string

const (
	// ObjectsMinIO runs MinIO on the cluster.
	ObjectsMinIO ObjectBackend = "minio"
	// ObjectsS3 uses Amazon S3.
	ObjectsS3 ObjectBackend = "s3"
	// ObjectsNone has no object storage.
	ObjectsNone ObjectBackend = "none"
)

// ObjectStorage configures buckets.
type ObjectStorage struct {
	// Where buckets are: `minio` runs MinIO on the cluster; `s3` is Amazon S3, which needs aws.region and, with an existing cluster, cluster.oidcProviderArn; `none` has no buckets, so that the File Manager and backups need another place.
	Backend ObjectBackend `json:"backend,omitempty" jsonschema:"enum=minio,enum=s3,enum=none,default=minio"`
	// Bucket of the File Manager. Required with backend s3, where names are global.
	Bucket string `json:"bucket,omitempty" jsonschema:"format=bucket-name" jsonschema_extras:"x-derived=controlplane-files (minio)"`
	// Bucket of the backups.
	BackupBucket string `json:"backupBucket,omitempty" jsonschema:"format=bucket-name" jsonschema_extras:"x-derived=bucket with -backups behind it"`
	// MinIO. Not allowed with another backend.
	MinIO *MinIO `json:"minio,omitempty"`
	// Amazon S3. Not allowed with another backend.
	S3 *S3 `json:"s3,omitempty"`
}

// MinIO configures an object storage on the cluster.
type MinIO struct {
	// Image of MinIO, with a shell and the client mc in it. The publisher of the community edition archived it in 2026 and publishes no images any more; the default is a maintained build of the same sources.
	Image string `json:"image,omitempty" jsonschema:"format=image,default=docker.io/pgsty/silo:RELEASE.2026-08-06T00-00-00Z"`
	// Servers with a volume each. One keeps single copies; 4 and more spread each object and what repairs it over all of them. At least 4 with availability zonal. The number can never change.
	Servers int `json:"servers" jsonschema:"minimum=1,maximum=16" jsonschema_extras:"x-derived=1 (single)\\, 4 (zonal)"`
	// The volume of each server.
	Volume Volume `json:"volume" defaults:"size=20Gi"`
	// What each server reserves and may use.
	Resources ResourceClass `json:"resources" defaults:"requests.cpu=100m,requests.memory=512Mi,limits.cpu=1000m,limits.memory=1Gi"`
	// Whether a ServiceMonitor has Prometheus scrape MinIO.
	ServiceMonitor bool `json:"serviceMonitor" jsonschema:"default=true"`
}

// S3 configures buckets in Amazon S3.
type S3 struct {
	// Whether the File Manager's bucket exists already and is adopted: its objects stay, its settings are overwritten, and it is never deleted.
	Existing bool `json:"existing" jsonschema:"default=false"`
	// ARN of the KMS key that objects are encrypted with, in the region of the buckets. The key's own policy must leave permissions to IAM, as the default one does.
	KMSKeyARN string `json:"kmsKeyArn,omitempty" jsonschema:"format=kms-key-arn" jsonschema_extras:"x-derived=a key that is created"`
	// Existing bucket that gets a log of every access. Its policy must let logging.s3.amazonaws.com write. Without it, no log is kept.
	AccessLogBucket string `json:"accessLogBucket,omitempty" jsonschema:"format=bucket-name"`
	// How many days a version is kept after it was replaced or deleted; 0 keeps it for ever.
	NoncurrentVersionDays int `json:"noncurrentVersionDays" jsonschema:"minimum=0,maximum=3650,default=90"`
	// After how many days an upload that was never completed is removed; 0 never removes it.
	AbortUploadDays int `json:"abortUploadDays" jsonschema:"minimum=0,maximum=365,default=7"`
}
