package monitoring

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/telekom/controlplane-infrastructure/internal/artifact"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
)

// DefinitionsType is the type token of the layer of resource definitions.
const DefinitionsType = "controlplane:monitoring:Definitions"

// DefinitionsArgs configure the layer of resource definitions.
type DefinitionsArgs struct {
	// Provider is the cluster that everything is registered with.
	Provider pulumi.ProviderResource
	// Source holds the definitions, one or more in each YAML file at its top.
	Source *artifact.Tree
}

// Definitions are the custom resource definitions of the Prometheus operator.
type Definitions struct {
	pulumi.ResourceState
	manifest.Members
}

// NewDefinitions installs the definitions.
func NewDefinitions(ctx *pulumi.Context, name string, args DefinitionsArgs, opts ...pulumi.ResourceOption) (*Definitions, error) {
	d := &Definitions{}
	if err := ctx.RegisterComponentResource(DefinitionsType, name, d, opts...); err != nil {
		return nil, fmt.Errorf("register %s: %w", name, err)
	}
	set, err := definitions(args.Source)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	reg := &manifest.Registrar{Ctx: ctx, Parent: d, Provider: args.Provider}
	if _, err := reg.Register(set); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return d, ctx.RegisterResourceOutputs(d, pulumi.Map{})
}

// definitions are those of the tree, and nothing else that its files may hold.
func definitions(tree *artifact.Tree) (manifest.Set, error) {
	all, err := manifest.ParseTree(tree)
	if err != nil {
		return manifest.Set{}, err
	}
	all = manifest.Set{CRDs: all.CRDs}
	if len(all.CRDs) == 0 {
		return manifest.Set{}, fmt.Errorf("%s holds no custom resource definitions", tree.Origin)
	}
	return all, nil
}
