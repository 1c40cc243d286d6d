package istio

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/telekom/controlplane-infrastructure/internal/manifest"
)

// Type is the component's type token.
const Type = "controlplane:network:Istio"

const (
	// Namespace is where istiod runs. It is Istio's root namespace: policies there hold for the whole mesh.
	Namespace = "istio-system"
	// NodeNamespace is where the agents on the nodes run.
	NodeNamespace = "istio-dataplane"
)

// Istio is a mesh that namespaces can take part in.
type Istio struct {
	pulumi.ResourceState
	manifest.Members
}

// builder carries what the steps of New share.
type builder struct {
	args Args
	reg  *manifest.Registrar
	// hub is where the images come from after all, the image mirror included.
	hub string
}

// New provisions the component.
func New(ctx *pulumi.Context, name string, args Args, opts ...pulumi.ResourceOption) (*Istio, error) {
	i := &Istio{}
	if err := ctx.RegisterComponentResource(Type, name, i, opts...); err != nil {
		return nil, fmt.Errorf("register %s: %w", name, err)
	}
	if err := args.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	b := &builder{args: args, reg: args.Registrar(ctx, i)}
	if err := b.build(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return i, ctx.RegisterResourceOutputs(i, pulumi.Map{})
}

// build registers the parts in the order in which Istio wants them installed and upgraded.
func (b *builder) build() (err error) {
	if b.hub, err = b.mirrored(); err != nil {
		return err
	}
	namespaces, err := b.reg.Step(b.namespaces)
	if err != nil {
		return err
	}
	base, err := b.base()
	if err != nil {
		return err
	}
	definitions, err := b.reg.RegisterAfter(manifest.Set{CRDs: base.CRDs}, namespaces)
	if err != nil {
		return err
	}
	// The webhook of the chart base is served by istiod: in one set with it, it comes after istiod and goes before.
	control, err := b.reg.Step(func() (manifest.Set, error) {
		set, err := b.istiod()
		return manifest.Merge(manifest.Set{Objects: base.Objects}, set), err
	}, definitions)
	if err != nil {
		return err
	}
	plugin, err := b.reg.Step(b.cni, control)
	if err != nil {
		return err
	}
	_, err = b.reg.Step(b.ztunnel, plugin)
	return err
}

// namespaces are Istio's own, with the network policies of Flows.
func (b *builder) namespaces() (manifest.Set, error) {
	plan := b.args.Namespaces
	return manifest.Typed(append(plan.Objects(Namespace, nil), plan.Objects(NodeNamespace, nil)...)...)
}
