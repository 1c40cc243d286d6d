package stacks

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/pulumi/pulumi-random/sdk/v4/go/random"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/telekom/controlplane-infrastructure/components/certtrust"
	"github.com/telekom/controlplane-infrastructure/components/cluster"
	"github.com/telekom/controlplane-infrastructure/components/cluster/metricsserver"
	"github.com/telekom/controlplane-infrastructure/components/monitoring"
	"github.com/telekom/controlplane-infrastructure/components/network"
	"github.com/telekom/controlplane-infrastructure/components/storage"
	"github.com/telekom/controlplane-infrastructure/internal/artifact"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
	"github.com/telekom/controlplane-infrastructure/stacks/config"
)

// randomVersion is the version of the published plugin that makes passwords.
const randomVersion = "4.19.0"

// stack is one run of the program.
type stack struct {
	ctx  *pulumi.Context
	name string
	cfg  *config.Config
	// options are those of the program.
	options Options
	store   *artifact.Store
	root    string
	// versions are those of the artefacts in use, by name.
	versions pulumi.StringMap
	// aws is the account and region of AWS; nil until something needs it.
	aws pulumi.ProviderResource
	// made is the cluster; nil as long as there is none.
	made *cluster.Cluster
}

// build wires the components: each gets what the ones before it provide.
func (s *stack) build() error {
	if err := s.checkFootprint(); err != nil {
		return err
	}
	// Only the components know what cannot work, and nothing may be registered before that is known.
	p, err := s.plan()
	if err != nil {
		return err
	}
	if err := s.fetchAll(p); err != nil {
		return err
	}
	if err := errors.Join(s.warn(), s.preflight()); err != nil {
		return err
	}
	if err := s.connect(p); err != nil {
		return err
	}
	definitions, err := s.definitions()
	if err != nil {
		return err
	}
	if err := s.made.Monitor(s.ctx, definitions...); err != nil {
		return err
	}
	definitions = append(definitions, s.made.Ready())
	trust, err := certtrust.New(s.ctx, "cert-trust", p.trust, definitions...)
	if err != nil {
		return err
	}
	needs := append(definitions, trust.Ready())
	if p.metrics != nil {
		if _, err := metricsserver.New(s.ctx, "metrics-server", *p.metrics, needs...); err != nil {
			return err
		}
	}
	net, err := network.New(s.ctx, "network", p.network, needs...)
	if err != nil {
		return err
	}
	// Pods take part in a mesh from their start, or not at all.
	if net.Mesh != nil {
		needs = append(needs, net.Mesh.Ready())
	}
	store, err := s.storage(p.storage, needs)
	if err != nil {
		return err
	}
	iris, err := s.identity(p.identity, store, needs)
	if err != nil {
		return err
	}
	if err := s.ingress(net, p.network, iris); err != nil {
		return err
	}
	watch, err := s.monitoring(p.monitoring, store, iris, needs)
	if err != nil {
		return err
	}
	s.export(trust, net, store, iris, watch)
	return nil
}

// definitions installs the Prometheus operator's resource definitions, unless they have another owner.
func (s *stack) definitions() ([]pulumi.ResourceOption, error) {
	if s.cfg.Monitoring.CustomResourceDefinitions == config.CRDsExisting {
		return nil, nil
	}
	source, err := s.fetch("prometheus-operator", prometheusDefinitions, s.cfg.Artifacts.Overrides.PrometheusOperator)
	if err != nil {
		return nil, err
	}
	d, err := monitoring.NewDefinitions(s.ctx, "prometheus-crds", monitoring.DefinitionsArgs{
		Provider: s.made.Provider, Source: source,
	})
	if err != nil {
		return nil, err
	}
	return []pulumi.ResourceOption{d.Ready()}, nil
}

// connect makes the cluster, or reaches it, and gives the components what all of them need.
func (s *stack) connect(p *plan) error {
	passwords, err := random.NewProvider(s.ctx, "random", nil, pulumi.Version(randomVersion))
	if err != nil {
		return err
	}
	common := s.common()
	common.Random, common.Namespaces = passwords, p.namespaces
	common.Transforms = append(common.Transforms, p.namespaces.Mesh.Pods(p.namespaces.Flows))
	p.cluster.Common = common
	if s.made, err = s.cluster(p.cluster); err != nil {
		return err
	}
	common.Provider = s.made.Provider
	p.share(common, s.cfg.Storage.PasswordGeneration)
	return nil
}

// export tells others what they need to know.
func (s *stack) export(trust *certtrust.CertTrust, net *network.Network, store *storage.Storage, iris *iris, watch *monitoring.Monitoring) {
	outputs := storageOutputs(store)
	maps.Copy(outputs, clusterOutputs(s.made))
	maps.Copy(outputs, iris.outputs())
	maps.Copy(outputs, s.networkOutputs(net))
	maps.Copy(outputs, monitoringOutputs(watch))
	maps.Copy(outputs, s.handoverOutputs(store, iris))
	maps.Copy(outputs, pulumi.Map{
		"namespace":        pulumi.String(certtrust.ControlPlaneNamespace),
		"issuer":           trust.IssuerName,
		"publicIssuer":     trust.PublicIssuerName,
		"versions":         s.versions,
		"trustBundle":      trust.BundleName,
		"trustBundleKey":   trust.BundleKey,
		"trustBundleLabel": pulumi.String(certtrust.BundleLabel + "=" + certtrust.BundleLabelValue),
		footprintOutput:    pulumi.ToStringMap(s.cfg.Footprint()),
	})
	for name, value := range outputs {
		s.ctx.Export(name, value)
	}
}

// transforms are what the stack's configuration does to every object, whichever component it belongs to.
func (s *stack) transforms() []manifest.Transform {
	if s.cfg.Artifacts.ImageMirror == "" {
		return nil
	}
	return []manifest.Transform{manifest.MirrorImages(s.cfg.Artifacts.ImageMirror)}
}

// Path is a path of the configuration: relative ones start at the project, ~ is the user's home.
func Path(project, path string) string {
	if rest, found := strings.CutPrefix(path, "~/"); found {
		if home, err := os.UserHomeDir(); err == nil {
			return filepath.Join(home, rest)
		}
	}
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(project, path)
}

// classes are the resource classes as the stack has them.
func (s *stack) classes() workload.Classes {
	r := s.cfg.Resources
	return workload.Classes{
		workload.Operator: requirements(r.Operator), workload.APIServer: requirements(r.APIServer),
		workload.Gateway: requirements(r.Gateway), workload.IdentityProvider: requirements(r.IdentityProvider),
	}
}

// secret is a configured secret as an input that stays secret in state and output.
func secret(s config.Secret) pulumi.StringInput {
	return pulumi.ToSecret(pulumi.String(s.Reveal())).(pulumi.StringOutput)
}
