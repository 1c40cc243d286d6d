package s3

import "github.com/telekom/controlplane-infrastructure/internal/aws"

type condition = map[string]map[string][]string

// bucketPolicy refuses what nobody may do, whatever permissions they have: to talk without TLS or with an outdated
// one, and to have objects encrypted by anything but the key service. An upload that does not say how it wants to be
// encrypted is encrypted by the bucket's default. Which key an upload may name is left to the permissions on keys.
func bucketPolicy(region, name string) aws.Policy {
	bucket := aws.BucketARN(region, name)
	deny := func(sid string, actions, resources []string, when condition) aws.Statement {
		return aws.Statement{
			Sid: sid, Effect: "Deny", Principal: aws.Anyone(), Action: actions, Resource: resources, Condition: when,
		}
	}
	everything, all := []string{bucket, bucket + "/*"}, []string{"s3:*"}
	const encrypted = "s3:x-amz-server-side-encryption"
	return aws.Policy{
		deny("PlainHTTP", all, everything, condition{"Bool": {"aws:SecureTransport": {"false"}}}),
		deny("OutdatedTLS", all, everything, condition{"NumericLessThan": {"s3:TlsVersion": {"1.2"}}}),
		deny("OtherEncryption", []string{"s3:PutObject"}, []string{bucket + "/*"}, condition{
			"Null": {encrypted: {"false"}}, "StringNotEquals": {encrypted: {"aws:kms"}},
		}),
	}
}

// filePolicy is what the File Manager does: it puts, gets and deletes objects.
func (b *builder) filePolicy(keyARN string) aws.Policy {
	return aws.Policy{
		{
			Sid: "Objects", Effect: "Allow",
			Action:   []string{"s3:PutObject", "s3:GetObject", "s3:DeleteObject"},
			Resource: []string{aws.BucketARN(b.args.Region, b.args.Bucket) + "/*"},
		},
		useKey(keyARN),
	}
}

// backupPolicy is what a backup does: it also looks for what is there, and cleans up behind broken uploads.
func (b *builder) backupPolicy(keyARN string) aws.Policy {
	bucket := aws.BucketARN(b.args.Region, b.args.BackupBucket)
	return aws.Policy{
		{
			Sid: "Objects", Effect: "Allow",
			Action: []string{
				"s3:PutObject", "s3:GetObject", "s3:DeleteObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts",
			},
			Resource: []string{bucket + "/*"},
		},
		{Sid: "List", Effect: "Allow", Action: []string{"s3:ListBucket"}, Resource: []string{bucket}},
		useKey(keyARN),
	}
}

// useKey lets S3 encrypt and decrypt in the name of who uses it.
func useKey(arn string) aws.Statement {
	return aws.Statement{
		Sid: "Key", Effect: "Allow",
		Action: []string{"kms:GenerateDataKey", "kms:Decrypt"}, Resource: []string{arn},
	}
}
