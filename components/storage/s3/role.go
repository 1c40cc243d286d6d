package s3

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/telekom/controlplane-infrastructure/internal/aws"
)

// role is a role that service accounts assume.
type role struct {
	logical, bucket, description string
	subjects                     []string
	policy                       func(keyARN string) aws.Policy
}

// role registers a role and its permissions, and returns its ARN once it has them.
func (b *builder) role(of role, key pulumi.StringInput) (pulumi.StringOutput, error) {
	name := pulumi.String(aws.RoleName(of.bucket, of.logical))
	made, err := b.account.Register(aws.Role, of.logical, pulumi.Map{
		"name":        name,
		"description": pulumi.String(of.description),
		"assumeRolePolicy": b.args.OIDCProviderARN.ToStringOutput().ApplyT(func(arn string) (string, error) {
			trust, err := aws.WebIdentityTrust(arn, Audience, of.subjects)
			if err != nil {
				return "", err
			}
			return trust.JSON()
		}),
	})
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	permissions, err := b.account.Register(aws.RolePolicy, of.logical+"-permissions", pulumi.Map{
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
