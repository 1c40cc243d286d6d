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
	metricsServerChart = artifact.Ref{Module: "sigs.k8s.io/metrics-server", Path: "charts/metrics-server"}

	cloudNativePG = artifact.Ref{Module: "github.com/cloudnative-pg/cloudnative-pg", Path: "releases/cnpg-{version}.yaml"}
	gatewayAPI    = artifact.Ref{Module: "sigs.k8s.io/gateway-api", Path: "config/crd/standard"}
	barmanCloud   = artifact.Ref{Module: "github.com/cloudnative-pg/plugin-barman-cloud", Path: "manifest.yaml"}
)

// istioChart is a chart of Istio's.
func istioChart(path string) artifact.Ref {
	return artifact.Ref{Module: "istio.io/istio", Path: "manifests/charts/" + path}
}

// linkerdChart is a chart of Linkerd's, which no module has.
func linkerdChart(name, version string) artifact.Ref {
	return artifact.Ref{Repository: linkerdRepository, Chart: name, Version: version}
}

// linkerdRepository has the charts of Linkerd's edge releases. There are no others.
const linkerdRepository = "https://helm.linkerd.io/edge"

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
