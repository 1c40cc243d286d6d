package s3

import "github.com/pulumi/pulumi/sdk/v3/go/pulumi"

// Args configure the component.
type Args struct {
	// AWS is the account and region that everything is registered with; Region the same region.
	AWS    pulumi.ProviderResource
	Region string
	// OIDCProviderARN is the IAM OIDC provider that stands for the cluster's service account issuer.
	OIDCProviderARN pulumi.StringInput
	// Tags are put on everything that can have tags, but for an existing bucket.
	Tags map[string]string
	// Protect has the engine refuse to delete or replace the buckets and the key.
	Protect bool
	// Bucket is the File Manager's bucket.
	Bucket string
	// Existing adopts the bucket instead of creating it. Its objects and tags stay as they are, and it is never deleted.
	// Its settings become those of this component: what it had for access, encryption, versions and lifecycle, and its
	// policy, is overwritten. What another key has encrypted stays so, and the File Manager cannot read it.
	Existing bool
	// KMSKeyARN is the key that encrypts; empty: a key of its own, with yearly rotation. The policy of a key from
	// elsewhere must leave permissions to IAM, as the default policy does.
	KMSKeyARN string
	// AccessLogBucket receives the access logs, each bucket's below its own name; empty: no logs. Its policy must let
	// logging.s3.amazonaws.com write.
	AccessLogBucket string
	// NoncurrentVersionDays is how many days deleted and overwritten objects can be brought back; 0: for ever.
	NoncurrentVersionDays int
	// AbortUploadDays is after how many days the parts of uploads that were never finished go; 0: never.
	AbortUploadDays int
	// BackupBucket is the bucket for backups; empty: none.
	BackupBucket string
	// BackupSubjects are the service accounts that write backups, as system:serviceaccount:<namespace>:<name>.
	BackupSubjects []string
	// FileManagerSubject is the File Manager's service account, in the same form.
	FileManagerSubject string
}
