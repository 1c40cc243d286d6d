package stacks

import (
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
)

// fetch is the pinned artefact, or what the stack puts in its place.
func (s *stack) fetch(ref artifact.Ref, o *config.ArtifactOverride) (*artifact.Tree, error) {
	if o == nil {
		return s.store.Fetch(s.ctx.Context(), ref, nil)
	}
	override := &artifact.Override{Repository: o.Repository, Chart: o.Chart, Version: o.Version, OCI: o.OCI}
	if o.Directory != "" {
		override.Directory = s.path(o.Directory)
	}
	return s.store.Fetch(s.ctx.Context(), ref, override)
}
