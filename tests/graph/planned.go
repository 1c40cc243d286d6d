package graph

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"github.com/telekom/controlplane-infrastructure/internal/planned"
)

// Planned are all resources as a preview would tell of them.
func (g *Graph) Planned() ([]planned.Resource, error) {
	var all []planned.Resource
	tree := planned.Tree{}
	for _, r := range g.All {
		component := tree.Add(r.URN, r.Parent)
		inputs, err := planned.FromInputs(r.Inputs)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", r.Kind, r.Name, err)
		}
		all = append(all, planned.Resource{
			URN: r.URN, Type: string(resource.URN(r.URN).Type()), Name: r.Name, Parent: r.Parent, Component: component,
			Protect: r.Protected, Inputs: inputs,
		})
	}
	return all, nil
}
