package s3

import (
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/telekom/controlplane-infrastructure/internal/aws"
)

// keyDeletionDays is how long a deleted key can be brought back, and with it everything that it encrypts: the most that
// AWS allows.
const keyDeletionDays = 30

// key returns the ARN of the key that encrypts: a given one, or one of the component's own. Its own has AWS' default
// policy: the account's IAM policies say who may use it. It is left behind with a bucket that is, whose objects nobody
// could read without it.
func (b *builder) key() (pulumi.StringInput, error) {
	if b.args.KMSKeyARN != "" {
		return pulumi.String(b.args.KMSKeyARN), nil
	}
	key, err := b.register(aws.Key, "key", b.tagged(pulumi.Map{
		"description":          pulumi.String("Objects of the bucket " + b.args.Bucket + " and of its backups"),
		"enableKeyRotation":    pulumi.Bool(true),
		"deletionWindowInDays": pulumi.Int(keyDeletionDays),
	}), pulumi.Protect(b.args.Protect), pulumi.RetainOnDelete(b.args.Existing))
	if err != nil {
		return nil, err
	}
	// A key has only a random ID; the alias is for people who look for it. No dots there, unlike in bucket names.
	_, err = b.register(aws.KeyAlias, "key-alias", pulumi.Map{
		"name":        pulumi.String("alias/" + strings.ReplaceAll(b.args.Bucket, ".", "-")),
		"targetKeyId": key.ID(),
	})
	return key.ARN, err
}
