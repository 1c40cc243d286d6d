package cluster

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Type is the component's type token.
const Type = "controlplane:cluster:Cluster"

// PluginVersion is the version of the published Kubernetes plugin that the program is written for.
const PluginVersion = "4.30.0"

// Cluster is a reachable Kubernetes cluster.
type Cluster struct {
	pulumi.ResourceState
	// Provider is what every Kubernetes resource is registered with.
	Provider *Provider
}

// Provider is the Kubernetes provider of a cluster: server-side apply only, and never a default provider.
type Provider struct{ pulumi.ProviderResourceState }

// New describes the cluster.
func New(ctx *pulumi.Context, name string, args Args, opts ...pulumi.ResourceOption) (*Cluster, error) {
	c := &Cluster{Provider: &Provider{}}
	if err := ctx.RegisterComponentResource(Type, name, c, opts...); err != nil {
		return nil, fmt.Errorf("register %s: %w", name, err)
	}
	inputs := pulumi.Map{
		"enableServerSideApply": pulumi.Bool(true),
		// What a stack declares it also owns: drift that somebody made with another tool is repaired, not a conflict.
		// Fields that a stack does not declare stay with whoever set them.
		"enablePatchForce": pulumi.Bool(true),
		// A changed password or setting is an update of what is there, not another object in its place: whoever reads it
		// meanwhile must find it.
		"enableSecretMutable":    pulumi.Bool(true),
		"enableConfigMapMutable": pulumi.Bool(true),
		"clusterIdentifier":      pulumi.String(args.Identifier),
	}
	if args.Kubeconfig != nil {
		inputs["kubeconfig"] = args.Kubeconfig
	}
	if args.Context != "" {
		inputs["context"] = pulumi.String(args.Context)
	}
	if args.DeleteUnreachable {
		inputs["deleteUnreachable"] = pulumi.Bool(true)
	}
	if err := ctx.RegisterResource("pulumi:providers:kubernetes", name, inputs, c.Provider,
		pulumi.Parent(c), pulumi.Version(PluginVersion)); err != nil {
		return nil, fmt.Errorf("register the Kubernetes provider: %w", err)
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"identifier": pulumi.String(args.Identifier)})
}
