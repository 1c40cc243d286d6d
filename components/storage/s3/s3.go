package s3

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/telekom/controlplane-infrastructure/internal/aws"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/part"
)

// Type is the component's type token.
const Type = "controlplane:storage:S3"

// Audience is what a service account token must be meant for, to be exchanged for the credentials of a role.
const Audience = "sts.amazonaws.com"

// S3 is object storage that the File Manager can use, and databases for their backups.
type S3 struct {
	pulumi.ResourceState
	manifest.Members
	// Endpoint is the host name of S3 in the region, without a scheme.
	Endpoint string
	// Region is where the buckets are; Bucket is the File Manager's.
	Region, Bucket string
	// RoleARN is the role that the File Manager assumes.
	RoleARN pulumi.StringOutput
	// STSEndpoint is the URL where it does so.
	STSEndpoint string
	// Backups is where backups go; nil: nowhere.
	Backups *part.ObjectStore
}

// builder carries what the steps of New share.
type builder struct {
	args    Args
	parent  *S3
	account aws.Account
}

// New provisions the component.
func New(ctx *pulumi.Context, name string, args Args, opts ...pulumi.ResourceOption) (*S3, error) {
	c := &S3{
		Endpoint: aws.Endpoint("s3", args.Region), Region: args.Region, Bucket: args.Bucket,
		STSEndpoint: "https://" + aws.Endpoint("sts", args.Region),
	}
	if err := ctx.RegisterComponentResource(Type, name, c, opts...); err != nil {
		return nil, fmt.Errorf("register %s: %w", name, err)
	}
	b := &builder{args: args, parent: c, account: aws.Account{
		Ctx: ctx, Provider: args.AWS, Parent: c, Include: c.Include, Tags: args.Tags,
	}}
	if err := b.build(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{
		"endpoint": pulumi.String(c.Endpoint), "bucket": pulumi.String(c.Bucket), "roleArn": c.RoleARN,
	})
}

func (b *builder) build() error {
	key, err := b.key()
	if err != nil {
		return err
	}
	files := bucket{logical: "files", name: b.args.Bucket, existing: b.args.Existing}
	if err := b.bucket(files, key); err != nil {
		return err
	}
	if b.parent.RoleARN, err = b.role(role{
		logical: "file-manager", bucket: b.args.Bucket, subjects: []string{b.args.FileManagerSubject},
		description: "The File Manager's objects", policy: b.filePolicy,
	}, key); err != nil || b.args.BackupBucket == "" {
		return err
	}
	if err := b.bucket(bucket{logical: "backups", name: b.args.BackupBucket}, key); err != nil {
		return err
	}
	roleARN, err := b.role(role{
		logical: "backup", bucket: b.args.BackupBucket, subjects: b.args.BackupSubjects,
		description: "Backups of databases", policy: b.backupPolicy,
	}, key)
	b.parent.Backups = &part.ObjectStore{Region: b.args.Region, Bucket: b.args.BackupBucket, RoleARN: roleARN}
	return err
}
