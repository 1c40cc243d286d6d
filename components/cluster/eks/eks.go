package eks

import (
	"errors"
	"fmt"
	"maps"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/telekom/controlplane-infrastructure/internal/aws"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
)

// Type is the component's type token.
const Type = "controlplane:cluster:EKS"

// AutoscalerNamespace and AutoscalerServiceAccount are where the cluster autoscaler runs: its role is for nobody else.
const (
	AutoscalerNamespace      = "cluster-autoscaler"
	AutoscalerServiceAccount = "cluster-autoscaler"
)

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
	// AutoscalerRoleARN is the cluster autoscaler's role, which is associated with its service account already; the zero
	// value without autoscaling.
	AutoscalerRoleARN pulumi.StringOutput
}

// builder carries what the steps of New share.
type builder struct {
	ctx    *pulumi.Context
	args   Args
	parent *EKS
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
	b := &builder{ctx: ctx, args: args, parent: c}
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

// register registers a resource of the component.
func (b *builder) register(
	token, name string, inputs pulumi.Map, opts ...pulumi.ResourceOption,
) (*aws.Resource, error) {
	made := &aws.Resource{}
	return made, b.registerInto(token, name, inputs, made, opts...)
}

// registerInto registers one whose outputs are read.
func (b *builder) registerInto(
	token, name string, inputs pulumi.Map, made pulumi.CustomResource, opts ...pulumi.ResourceOption,
) error {
	opts = append([]pulumi.ResourceOption{pulumi.Parent(b.parent), pulumi.Provider(b.args.AWS)}, opts...)
	if err := aws.RegisterInto(b.ctx, token, name, inputs, made, opts...); err != nil {
		return err
	}
	b.parent.Include(made)
	return nil
}

// tagged adds the tags that everything has to inputs, and more.
func (b *builder) tagged(inputs pulumi.Map, more map[string]string) pulumi.Map {
	if tags := b.tags(more); len(tags) > 0 {
		inputs["tags"] = tags
	}
	return inputs
}

func (b *builder) tags(more map[string]string) pulumi.StringMap {
	tags := pulumi.StringMap{}
	for _, from := range []map[string]string{b.args.Tags, more} {
		for key, value := range from {
			tags[key] = pulumi.String(value)
		}
	}
	return tags
}

// named is the tag that AWS' console shows as the name of what has none.
func (b *builder) named(what string, more ...map[string]string) map[string]string {
	tags := map[string]string{"Name": b.args.Name + "-" + what}
	for _, m := range more {
		maps.Copy(tags, m)
	}
	return tags
}

// dependOn makes a resource wait for others.
func dependOn(resources ...pulumi.Resource) pulumi.ResourceOption { return pulumi.DependsOn(resources) }

func stringArray(values []string) pulumi.StringArray {
	array := make(pulumi.StringArray, 0, len(values))
	for _, v := range values {
		array = append(array, pulumi.String(v))
	}
	return array
}
