package eks

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/telekom/controlplane-infrastructure/internal/aws"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
)

// Type is the component's type token.
const Type = "controlplane:cluster:EKS"

// EKS is a cluster on Amazon EKS. Once its members are there, nodes and add-ons are.
type EKS struct {
	pulumi.ResourceState
	manifest.Members
	// Kubeconfig reaches the cluster with the credentials of whoever uses it; there is nothing secret in it.
	Kubeconfig pulumi.StringOutput
	// OIDCProviderARN is the IAM OIDC provider that stands for the issuer of service account tokens, and OIDCIssuer the
	// issuer's URL.
	OIDCProviderARN, OIDCIssuer pulumi.StringOutput
	// VPCID is where the cluster runs; SubnetIDs are the private subnets, in the order of the zones.
	VPCID     pulumi.StringOutput
	SubnetIDs []pulumi.StringInput
	// SecurityGroupID is the group that nodes and their pods are in.
	SecurityGroupID pulumi.StringOutput
}

// builder carries what the steps of New share.
type builder struct {
	args    Args
	parent  *EKS
	account aws.Account
}

// New provisions the component.
func New(ctx *pulumi.Context, name string, args Args, opts ...pulumi.ResourceOption) (*EKS, error) {
	if err := args.Check(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	c := &EKS{}
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
		"name": pulumi.String(args.Name), "vpcId": c.VPCID, "oidcProviderArn": c.OIDCProviderARN,
	})
}

func (b *builder) build() error {
	net, err := b.network()
	if err != nil {
		return err
	}
	control, err := b.controlPlane(net)
	if err != nil {
		return err
	}
	if err := errors.Join(b.visitors(control), b.access(control)); err != nil {
		return err
	}
	if err := b.identities(control); err != nil {
		return err
	}
	// A node is ready when its network is, and pods get their roles from its agent.
	first, err := b.nodeAddOns(control)
	if err != nil {
		return err
	}
	nodes, err := b.nodeGroups(control, net, first)
	if err != nil {
		return err
	}
	if err := b.clusterAddOns(control, nodes); err != nil {
		return err
	}
	return b.autoscaler(control)
}

// named is the tag that AWS' console shows as the name of what has none.
func (b *builder) named(what string) pulumi.StringMap {
	return pulumi.StringMap{"Name": pulumi.String(b.args.Name + "-" + what)}
}

// dependOn makes a resource wait for others.
func dependOn(resources ...pulumi.Resource) pulumi.ResourceOption { return pulumi.DependsOn(resources) }
