package gatewayapi

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/telekom/controlplane-infrastructure/internal/artifact"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
)

// Type is the component's type token.
const Type = "controlplane:network:GatewayAPI"

// Args configure the component.
type Args struct {
	// Provider is the cluster that everything is registered with.
	Provider pulumi.ProviderResource
	// Source holds the manifests, one or more in each YAML file.
	Source *artifact.Tree
}

// GatewayAPI are the resource definitions of the Gateway API.
type GatewayAPI struct {
	pulumi.ResourceState
	manifest.Members
}

// New provisions the component.
func New(ctx *pulumi.Context, name string, args Args, opts ...pulumi.ResourceOption) (*GatewayAPI, error) {
	g := &GatewayAPI{}
	if err := ctx.RegisterComponentResource(Type, name, g, opts...); err != nil {
		return nil, fmt.Errorf("register %s: %w", name, err)
	}
	definitions, guard, err := sets(args.Source)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	reg := &manifest.Registrar{Ctx: ctx, Parent: g, Provider: args.Provider}
	installed, err := reg.Register(definitions)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	// The policy comes after what it judges, and goes before it: it holds for whoever else comes along.
	if _, err := reg.RegisterAfter(guard, installed); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return g, ctx.RegisterResourceOutputs(g, pulumi.Map{})
}

// sets are the definitions of the tree and the admission policy that guards them, and nothing else that it may hold.
func sets(tree *artifact.Tree) (definitions, guard manifest.Set, err error) {
	all, err := manifest.ParseTree(tree)
	if err != nil {
		return definitions, guard, err
	}
	if len(all.CRDs) == 0 {
		return definitions, guard, fmt.Errorf("%s holds no custom resource definitions", tree.Origin)
	}
	guard, _ = all.Split(func(o *manifest.Object) bool {
		return o.GetKind() == "ValidatingAdmissionPolicy" || o.GetKind() == "ValidatingAdmissionPolicyBinding"
	})
	return manifest.Set{CRDs: all.CRDs}, guard, nil
}
