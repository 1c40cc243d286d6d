package s3

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/telekom/controlplane-infrastructure/internal/aws"
)

// maxRoleName is how long AWS lets the name of a role be.
const maxRoleName = 64

// role is a role that service accounts assume.
type role struct {
	logical, bucket, description string
	subjects                     []string
	policy                       func(keyARN string) aws.Policy
}

// role registers a role and its permissions, and returns its ARN once it has them.
func (b *builder) role(of role, key pulumi.StringInput) (pulumi.StringOutput, error) {
	trust, err := aws.WebIdentityTrust(b.args.OIDCProviderARN, Audience, of.subjects)
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	document, err := trust.JSON()
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	name := pulumi.String(roleName(of.bucket, of.logical))
	made, err := b.register(aws.Role, of.logical, pulumi.Map{
		"name":             name,
		"description":      pulumi.String(of.description),
		"assumeRolePolicy": pulumi.String(document),
	})
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	permissions, err := b.register(aws.RolePolicy, of.logical+"-permissions", pulumi.Map{
		"name": pulumi.String("objects"), "role": name,
		"policy": key.ToStringOutput().ApplyT(func(arn string) (string, error) {
			return of.policy(arn).JSON()
		}),
	}, pulumi.DependsOn([]pulumi.Resource{made}))
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	return pulumi.All(made.ARN, permissions.ID()).ApplyT(func(values []any) string {
		return values[0].(string)
	}).(pulumi.StringOutput), nil
}

// roleName is unique because a bucket's name is. A long one is cut, and told apart by its hash.
func roleName(bucket, use string) string {
	name := bucket + "-" + use
	if len(name) <= maxRoleName {
		return name
	}
	sum := sha256.Sum256([]byte(bucket))
	end := "-" + hex.EncodeToString(sum[:4]) + "-" + use
	return bucket[:maxRoleName-len(end)] + end
}
