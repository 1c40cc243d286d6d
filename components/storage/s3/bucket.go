package s3

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/telekom/controlplane-infrastructure/internal/aws"
)

// bucket is a bucket to be made or adopted.
type bucket struct {
	logical, name string
	existing      bool
}

// bucket registers a bucket and everything that guards it.
func (b *builder) bucket(of bucket, key pulumi.StringInput) error {
	inputs := pulumi.Map{"bucket": pulumi.String(of.name), "forceDestroy": pulumi.Bool(false)}
	made, err := b.account.Register(aws.Bucket, of.logical, inputs, b.bucketOptions(of)...)
	if err != nil {
		return err
	}
	policy, err := bucketPolicy(b.args.Region, of.name).JSON()
	if err != nil {
		return err
	}
	// By its name, not by its ID, which a preview does not know yet.
	setting := func(token, what string, inputs pulumi.Map, after ...pulumi.Resource) (*aws.Resource, error) {
		inputs["bucket"] = pulumi.String(of.name)
		return b.account.Register(token, of.logical+"-"+what, inputs,
			pulumi.DependsOn(append(after, made)), pulumi.RetainOnDelete(of.existing))
	}
	private, err := setting(aws.BucketPublicAccessBlock, "public-access", pulumi.Map{
		"blockPublicAcls": pulumi.Bool(true), "blockPublicPolicy": pulumi.Bool(true),
		"ignorePublicAcls": pulumi.Bool(true), "restrictPublicBuckets": pulumi.Bool(true),
	})
	if err != nil {
		return err
	}
	// S3 refuses a policy while it changes public access.
	if _, err := setting(aws.BucketPolicy, "policy", pulumi.Map{"policy": pulumi.String(policy)}, private); err != nil {
		return err
	}
	if _, err := setting(aws.BucketOwnershipControls, "ownership", pulumi.Map{
		"rule": pulumi.Map{"objectOwnership": pulumi.String("BucketOwnerEnforced")},
	}); err != nil {
		return err
	}
	if _, err := setting(aws.BucketEncryption, "encryption", encryption(key)); err != nil {
		return err
	}
	versions, err := setting(aws.BucketVersioning, "versions", pulumi.Map{
		"versioningConfiguration": pulumi.Map{"status": pulumi.String("Enabled")},
	})
	if err != nil {
		return err
	}
	if rules := b.lifecycle(); len(rules) > 0 {
		if _, err := setting(aws.BucketLifecycle, "lifecycle", pulumi.Map{"rules": rules}, versions); err != nil {
			return err
		}
	}
	if b.args.AccessLogBucket != "" {
		_, err = setting(aws.BucketLogging, "access-log", pulumi.Map{
			"targetBucket": pulumi.String(b.args.AccessLogBucket), "targetPrefix": pulumi.String(of.name + "/"),
		})
	}
	return err
}

// bucketOptions protect a bucket with data in it. One that was there before is left behind when the protection is
// lifted, and its settings with it.
func (b *builder) bucketOptions(of bucket) []pulumi.ResourceOption {
	protect := pulumi.Protect(b.args.Protect)
	if !of.existing {
		return []pulumi.ResourceOption{protect}
	}
	return []pulumi.ResourceOption{
		pulumi.Import(pulumi.ID(of.name)), protect, pulumi.RetainOnDelete(true),
		// What it has been created with is not ours to change.
		pulumi.IgnoreChanges([]string{"tags", "objectLockEnabled", "forceDestroy"}),
	}
}

// encryption makes the key the default. A bucket key saves a request to the key service per object.
func encryption(key pulumi.StringInput) pulumi.Map {
	return pulumi.Map{"rules": pulumi.Array{pulumi.Map{
		"applyServerSideEncryptionByDefault": pulumi.Map{
			"sseAlgorithm": pulumi.String("aws:kms"), "kmsMasterKeyId": key,
		},
		"bucketKeyEnabled": pulumi.Bool(true),
	}}}
}

// lifecycle removes what nobody can see any more.
func (b *builder) lifecycle() pulumi.Array {
	var rules pulumi.Array
	rule := func(id string, what pulumi.Map) {
		what["id"], what["status"], what["filter"] = pulumi.String(id), pulumi.String("Enabled"), pulumi.Map{}
		rules = append(rules, what)
	}
	if days := b.args.NoncurrentVersionDays; days > 0 {
		rule("noncurrent-versions", pulumi.Map{
			"noncurrentVersionExpiration": pulumi.Map{"noncurrentDays": pulumi.Int(days)},
			// The mark of a deletion goes with the last version that it hides.
			"expiration": pulumi.Map{"expiredObjectDeleteMarker": pulumi.Bool(true)},
		})
	}
	if days := b.args.AbortUploadDays; days > 0 {
		rule("broken-uploads", pulumi.Map{
			"abortIncompleteMultipartUpload": pulumi.Map{"daysAfterInitiation": pulumi.Int(days)},
		})
	}
	return rules
}
