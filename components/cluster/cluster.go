package cluster

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/telekom/controlplane-infrastructure/components/cluster/autoscaler"
	"github.com/telekom/controlplane-infrastructure/components/cluster/eks"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
)

// Type is the component's type token.
const Type = "controlplane:cluster:Cluster"

// PluginVersion is the version of the published Kubernetes plugin that the program is written for.
const PluginVersion = "4.30.0"

// Cluster is a reachable Kubernetes cluster. Its members are what has to be there before anything is installed on it.
type Cluster struct {
	pulumi.ResourceState
	manifest.Members
	// Provider is what every Kubernetes resource is registered with.
	Provider *Provider
	// EKS is the cluster on Amazon EKS; nil: something else has made it.
	EKS *eks.EKS

	autoscaler *autoscaler.Autoscaler // nil: there is none
}

// Provider is the Kubernetes provider of a cluster: server-side apply only, and never a default provider.
type Provider struct{ pulumi.ProviderResourceState }

// New describes an existing cluster, or makes one.
func New(ctx *pulumi.Context, name string, args Args, opts ...pulumi.ResourceOption) (*Cluster, error) {
	if err := args.Check(); err != nil {
		return nil, err
	}
	c := &Cluster{Provider: &Provider{}}
	if err := ctx.RegisterComponentResource(Type, name, c, opts...); err != nil {
		return nil, fmt.Errorf("register %s: %w", name, err)
	}
	if err := c.make(ctx, name, &args); err != nil {
		return nil, err
	}
	if err := c.provide(ctx, name, args); err != nil {
		return nil, err
	}
	args.Provider = c.Provider
	if err := c.equip(ctx, args); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"identifier": pulumi.String(args.Identifier)})
}

// Monitor declares the metrics of what runs here to Prometheus, whose resource definitions come after the cluster.
func (c *Cluster) Monitor(ctx *pulumi.Context, opts ...pulumi.ResourceOption) error {
	if c.autoscaler == nil {
		return nil
	}
	return c.autoscaler.Monitor(ctx, opts...)
}

// make has the cluster made, if it is not there, and gives the arguments its kubeconfig.
func (c *Cluster) make(ctx *pulumi.Context, name string, args *Args) (err error) {
	if args.EKS == nil {
		return nil
	}
	if c.EKS, err = eks.New(ctx, name, *args.EKS, pulumi.Parent(c)); err != nil {
		return err
	}
	c.Include(c.EKS.All()...)
	args.Kubeconfig = c.EKS.Kubeconfig
	return nil
}

// provide registers the provider. One of a cluster that is made comes after its nodes and add-ons: so everything in the
// cluster finds nodes to run on, and is gone before they go.
func (c *Cluster) provide(ctx *pulumi.Context, name string, args Args) error {
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
	opts := []pulumi.ResourceOption{pulumi.Parent(c), pulumi.Version(PluginVersion)}
	if c.EKS != nil {
		opts = append(opts, c.EKS.Ready())
	}
	if err := ctx.RegisterResource("pulumi:providers:kubernetes", name, inputs, c.Provider, opts...); err != nil {
		return fmt.Errorf("register the Kubernetes provider: %w", err)
	}
	return nil
}

// equip installs what a cluster that is made lacks.
func (c *Cluster) equip(ctx *pulumi.Context, args Args) error {
	if c.EKS == nil {
		return nil
	}
	if _, err := args.Registrar(ctx, c).Step(storageClass); err != nil {
		return err
	}
	scaler := args.autoscaler()
	if scaler == nil {
		return nil
	}
	var err error
	if c.autoscaler, err = autoscaler.New(ctx, autoscaler.Namespace, *scaler, pulumi.Parent(c)); err != nil {
		return err
	}
	c.Include(c.autoscaler.All()...)
	return nil
}
