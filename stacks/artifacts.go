package stacks

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/telekom/controlplane-infrastructure/internal/artifact"
	"github.com/telekom/controlplane-infrastructure/stacks/config"
)

// What the stacks are made from, pinned in artifacts/go.mod.
var (
	certManagerChart = artifact.Ref{
		Module: "github.com/cert-manager/cert-manager", Path: "deploy/charts/cert-manager",
	}
	trustManagerChart = artifact.Ref{
		Module: "github.com/cert-manager/trust-manager", Path: "deploy/charts/trust-manager",
	}
	prometheusDefinitions = artifact.Ref{
		Module: "github.com/prometheus-operator/prometheus-operator", Path: "example/prometheus-operator-crd",
	}
	cloudNativePG = artifact.Ref{Module: "github.com/cloudnative-pg/cloudnative-pg", Path: "releases/cnpg-{version}.yaml"}
	barmanCloud   = artifact.Ref{Module: "github.com/cloudnative-pg/plugin-barman-cloud", Path: "manifest.yaml"}
)

// fetch is the pinned artefact, or what the stack puts in its place. Its version becomes an output under the given name.
func (s *stack) fetch(name string, ref artifact.Ref, o *config.ArtifactOverride) (*artifact.Tree, error) {
	var override *artifact.Override
	if o != nil {
		override = &artifact.Override{Repository: o.Repository, Chart: o.Chart, Version: o.Version, OCI: o.OCI}
		if o.Directory != "" {
			override.Directory = Path(s.root, o.Directory)
		}
	}
	tree, err := s.store.Fetch(s.ctx.Context(), ref, override)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	s.versions[name] = pulumi.String(tree.Version)
	return tree, nil
}
