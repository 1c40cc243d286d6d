package network

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/telekom/controlplane-infrastructure/components/network/gatewayapi"
	"github.com/telekom/controlplane-infrastructure/components/network/istio"
	"github.com/telekom/controlplane-infrastructure/components/network/linkerd"
	"github.com/telekom/controlplane-infrastructure/components/network/traefik"
	"github.com/telekom/controlplane-infrastructure/internal/artifact"
	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/part"
)

// Type is the component's type token.
const Type = "controlplane:network:Network"

// Args configure the component. Native types decide what exists; Pulumi inputs carry values.
type Args struct {
	// Common goes to every part.
	part.Common
	// GatewayAPI are the definitions of the Gateway API; nil: nobody needs them, or somebody else installs them.
	GatewayAPI *artifact.Tree
	// Istio or Linkerd is the mesh; at most one of them is set.
	Istio   *istio.Args
	Linkerd *linkerd.Args
	// Traefik is the ingress controller; nil: the cluster has one.
	Traefik *traefik.Args
}

// Share gives every part what all components have in common.
func (a *Args) Share(common part.Common) {
	a.Common = common
	if a.Istio != nil {
		a.Istio.Common = common
	}
	if a.Linkerd != nil {
		a.Linkerd.Common = common
	}
	if a.Traefik != nil {
		a.Traefik.Common = common
	}
}

// Flows are the connections that the parts open and accept.
func (a Args) Flows() []flow.Flow {
	var flows []flow.Flow
	if a.Istio != nil {
		flows = append(flows, a.Istio.Flows()...)
	}
	if a.Linkerd != nil {
		flows = append(flows, a.Linkerd.Flows()...)
	}
	if a.Traefik != nil {
		flows = append(flows, a.Traefik.Flows()...)
	}
	return flows
}

// Network is a cluster with an entrance.
type Network struct {
	pulumi.ResourceState
	manifest.Members
	// Mesh is what the mesh consists of; nil: none. Pods that take part start after it.
	Mesh *manifest.Members
	// Ingress is the ingress controller; nil: one that was there before, or none yet.
	Ingress *traefik.Ingress

	// definitions are what everything here waits for, those of the Gateway API included.
	definitions []pulumi.ResourceOption
}

// New provisions the component, but for the ingress controller.
func New(ctx *pulumi.Context, name string, args Args, opts ...pulumi.ResourceOption) (*Network, error) {
	n := &Network{}
	if err := ctx.RegisterComponentResource(Type, name, n, opts...); err != nil {
		return nil, fmt.Errorf("register %s: %w", name, err)
	}
	// What the whole component waits for, its parts do: a child does not inherit it.
	opts = append([]pulumi.ResourceOption{pulumi.Parent(n)}, opts...)
	if args.GatewayAPI != nil {
		definitions, err := gatewayapi.New(ctx, name+"-gateway-api", gatewayapi.Args{
			Provider: args.Provider, Source: args.GatewayAPI,
		}, opts...)
		if err != nil {
			return nil, err
		}
		opts = append(opts, definitions.Ready())
	}
	if err := n.mesh(ctx, name, args, opts); err != nil {
		return nil, err
	}
	n.definitions = opts
	return n, ctx.RegisterResourceOutputs(n, pulumi.Map{})
}

// Enter provisions the ingress controller, if it is Traefik; it waits for what New did, and more. It is a step of its own
// because namespaces that are watched by name must be there before.
func (n *Network) Enter(ctx *pulumi.Context, name string, args Args, opts ...pulumi.ResourceOption) error {
	if args.Traefik == nil {
		return nil
	}
	opts = append(opts, n.definitions...)
	if n.Mesh != nil {
		opts = append(opts, n.Mesh.Ready())
	}
	var err error
	n.Ingress, err = traefik.New(ctx, name+"-ingress", *args.Traefik, opts...)
	return err
}

// mesh provisions the mesh, if there is one.
func (n *Network) mesh(ctx *pulumi.Context, name string, args Args, opts []pulumi.ResourceOption) error {
	switch {
	case args.Istio != nil:
		m, err := istio.New(ctx, name+"-istio", *args.Istio, opts...)
		if err != nil {
			return err
		}
		n.Mesh = &m.Members
	case args.Linkerd != nil:
		m, err := linkerd.New(ctx, name+"-linkerd", *args.Linkerd, opts...)
		if err != nil {
			return err
		}
		n.Mesh = &m.Members
	}
	return nil
}
