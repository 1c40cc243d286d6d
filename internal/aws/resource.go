package aws

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// PluginVersion is the version of the published AWS plugin that the program is written for.
const PluginVersion = "6.83.2"

// Resource is a registered AWS resource.
type Resource struct {
	pulumi.CustomResourceState
	// ARN is the Amazon Resource Name, of those types that have one.
	ARN pulumi.StringOutput `pulumi:"arn"`
}

// Provider is an account and a region. Resources must name it: there is no default one.
type Provider struct{ pulumi.ProviderResourceState }

// ProviderArgs say which account and region. Credentials come from the environment, as for every AWS program.
type ProviderArgs struct {
	// Region is where resources are, such as eu-central-1.
	Region string
	// Profile is the profile of the shared configuration and credentials files; empty: what the environment says.
	Profile string
	// AssumeRoleARN is an IAM role to assume, such as that of another account; empty: none.
	AssumeRoleARN string
}

// NewProvider registers a provider.
func NewProvider(
	ctx *pulumi.Context, name string, args ProviderArgs, opts ...pulumi.ResourceOption,
) (*Provider, error) {
	inputs := pulumi.Map{"region": pulumi.String(args.Region)}
	if args.Profile != "" {
		inputs["profile"] = pulumi.String(args.Profile)
	}
	if args.AssumeRoleARN != "" {
		inputs["assumeRole"] = pulumi.Map{
			"roleArn": pulumi.String(args.AssumeRoleARN), "sessionName": pulumi.String("pulumi"),
		}
	}
	p := &Provider{}
	opts = append([]pulumi.ResourceOption{pulumi.Version(PluginVersion)}, opts...)
	if err := ctx.RegisterResource("pulumi:providers:aws", name, inputs, p, opts...); err != nil {
		return nil, fmt.Errorf("register the AWS provider: %w", err)
	}
	return p, nil
}
