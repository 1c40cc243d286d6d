package s3

import (
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/telekom/controlplane-infrastructure/internal/aws"
)

// key returns the ARN of the key that encrypts: a given one, or one of the component's own. Its own has AWS' default
// policy: the account's IAM policies say who may use it. It is left behind with a bucket that is, whose objects nobody
// could read without it.
func (b *builder) key() (pulumi.StringInput, error) {
	if b.args.KMSKeyARN != "" {
		return pulumi.String(b.args.KMSKeyARN), nil
	}
	return b.account.Key(aws.KeyNames{
		Key: "key", KeyAlias: "key-alias", Alias: strings.ReplaceAll(b.args.Bucket, ".", "-"), // no dots there, unlike in names of buckets
	}, "Objects of the bucket "+b.args.Bucket+" and of its backups",
		pulumi.Protect(b.args.Protect), pulumi.RetainOnDelete(b.args.Existing))
}
