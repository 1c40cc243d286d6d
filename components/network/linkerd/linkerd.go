package linkerd

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/mesh"
)

// Type is the component's type token.
const Type = "controlplane:network:Linkerd"

const (
	// Namespace is where the control plane runs.
	Namespace = mesh.LinkerdNamespace
	// CNINamespace is where the network plugin's agents run.
	CNINamespace = "linkerd-cni"
)

// Linkerd is a service mesh. When it is registered, new pods of its namespaces get proxies.
type Linkerd struct {
	pulumi.ResourceState
	manifest.Members
	// Namespace is where the control plane runs.
	Namespace pulumi.StringOutput
}

// builder carries what the steps of New share.
type builder struct {
	args Args
	reg  *manifest.Registrar
}

// New provisions the component. It needs cert-manager and trust-manager, and the definitions that Args name.
func New(ctx *pulumi.Context, name string, args Args, opts ...pulumi.ResourceOption) (*Linkerd, error) {
	l := &Linkerd{Namespace: pulumi.String(Namespace).ToStringOutput()}
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if err := ctx.RegisterComponentResource(Type, name, l, opts...); err != nil {
		return nil, fmt.Errorf("register %s: %w", name, err)
	}
	b := &builder{args: args, reg: args.Registrar(ctx, l)}
	if err := b.build(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return l, ctx.RegisterResourceOutputs(l, pulumi.Map{"namespace": l.Namespace})
}

// build registers the parts in the order in which each can work. The control plane needs its certificates and its
// definitions, and its pods the network plugin.
func (b *builder) build() error {
	namespaces, err := b.reg.Step(b.namespaces)
	if err != nil {
		return err
	}
	anchor, err := b.reg.Step(b.trustAnchor, namespaces)
	if err != nil {
		return err
	}
	certificates, err := b.reg.Step(b.certificates, anchor)
	if err != nil {
		return err
	}
	definitions, err := b.reg.Step(b.definitions, namespaces)
	if err != nil {
		return err
	}
	plugin, err := b.reg.Step(b.networkPlugin, namespaces)
	if err != nil {
		return err
	}
	_, err = b.reg.Step(b.controlPlane, certificates, definitions, plugin)
	return err
}

// noWebhooks is the label of namespaces for which Linkerd's webhooks are not called: its own must be able to start
// without them.
const noWebhooks = "config.linkerd.io/admission-webhooks"

// namespaces are that of the control plane and that of the network plugin.
func (b *builder) namespaces() (manifest.Set, error) {
	objects := b.args.Namespaces.Objects(Namespace, map[string]string{
		"linkerd.io/is-control-plane": "true", "linkerd.io/control-plane-ns": Namespace, noWebhooks: "disabled",
	})
	return manifest.Typed(append(objects, b.args.Namespaces.Objects(CNINamespace, map[string]string{
		"linkerd.io/cni-resource": "true", noWebhooks: "disabled",
	})...)...)
}
