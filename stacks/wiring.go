package stacks

import (
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/pulumi/pulumi-random/sdk/v4/go/random"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/telekom/controlplane-infrastructure/components/certtrust"
	"github.com/telekom/controlplane-infrastructure/components/cluster"
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
	ctx   *pulumi.Context
	name  string
	cfg   *config.Config
	store *artifact.Store
	root  string
	// versions are those of the artefacts in use, by name.
	versions pulumi.StringMap
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
	c, err := s.cluster()
	if err != nil {
		return err
	}
	definitions, err := s.definitions(c)
	if err != nil {
		return err
	}
	if err := s.connect(p, c); err != nil {
		return err
	}
	trust, err := certtrust.New(s.ctx, "cert-trust", p.trust, definitions...)
	if err != nil {
		return err
	}
	needs := append(definitions, trust.Ready())
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

func (s *stack) cluster() (*cluster.Cluster, error) {
	cfg := s.cfg.Cluster
	args := cluster.Args{Context: cfg.Context, Identifier: cfg.Identifier, DeleteUnreachable: cfg.DeleteUnreachable}
	switch {
	case cfg.KubeconfigContent != "":
		args.Kubeconfig = secret(cfg.KubeconfigContent)
	case cfg.Kubeconfig != "":
		args.Kubeconfig = pulumi.String(Path(s.root, cfg.Kubeconfig))
	}
	return cluster.New(s.ctx, "cluster", args)
}

// definitions installs the Prometheus operator's resource definitions, unless they have another owner.
func (s *stack) definitions(c *cluster.Cluster) ([]pulumi.ResourceOption, error) {
	if s.cfg.Monitoring.CustomResourceDefinitions == config.CRDsExisting {
		return nil, nil
	}
	source, err := s.fetch("prometheus-operator", prometheusDefinitions, s.cfg.Artifacts.Overrides.PrometheusOperator)
	if err != nil {
		return nil, err
	}
	d, err := monitoring.NewDefinitions(s.ctx, "prometheus-crds", monitoring.DefinitionsArgs{
		Provider: c.Provider, Source: source,
	})
	if err != nil {
		return nil, err
	}
	return []pulumi.ResourceOption{d.Ready()}, nil
}

// connect gives the components the cluster, and the namespaces that all of them together follow from.
func (s *stack) connect(p *plan, c *cluster.Cluster) error {
	passwords, err := random.NewProvider(s.ctx, "random", nil, pulumi.Version(randomVersion))
	if err != nil {
		return err
	}
	common := s.common()
	common.Provider, common.Random, common.Namespaces = c.Provider, passwords, p.namespaces
	common.Transforms = append(common.Transforms, p.namespaces.Mesh.Pods(p.namespaces.Flows))
	p.share(common, s.cfg.Storage.PasswordGeneration)
	return nil
}

// export tells others what they need to know.
func (s *stack) export(trust *certtrust.CertTrust, net *network.Network, store *storage.Storage, iris *iris, watch *monitoring.Monitoring) {
	outputs := storageOutputs(store)
	maps.Copy(outputs, iris.outputs())
	maps.Copy(outputs, s.networkOutputs(net))
	maps.Copy(outputs, monitoringOutputs(watch))
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
