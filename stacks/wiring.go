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
	"github.com/telekom/controlplane-infrastructure/components/storage"
	"github.com/telekom/controlplane-infrastructure/internal/artifact"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/part"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
	"github.com/telekom/controlplane-infrastructure/stacks/config"
)

// randomVersion is the version of the published plugin that makes passwords.
const randomVersion = "4.19.0"

// stack is one run of the program.
type stack struct {
	ctx   *pulumi.Context
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
	databases, err := s.postgreSQL()
	if err != nil {
		return err
	}
	keycloak, err := s.identityArgs(databases)
	if err != nil {
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
	trust, err := s.certTrust(c, definitions)
	if err != nil {
		return err
	}
	common, err := s.common(c)
	if err != nil {
		return err
	}
	needs := append(definitions, pulumi.DependsOn([]pulumi.Resource{trust}))
	store, err := s.storage(common, databases, needs)
	if err != nil {
		return err
	}
	iris, err := s.identity(keycloak, common, store, needs)
	if err != nil {
		return err
	}
	s.export(trust, store, iris)
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
	return []pulumi.ResourceOption{pulumi.DependsOn([]pulumi.Resource{d})}, nil
}

func (s *stack) certTrust(c *cluster.Cluster, opts []pulumi.ResourceOption) (*certtrust.CertTrust, error) {
	cfg := s.cfg.CertTrust
	certManager, err := s.fetch("cert-manager", certManagerChart, s.cfg.Artifacts.Overrides.CertManager)
	if err != nil {
		return nil, err
	}
	trustManager, err := s.fetch("trust-manager", trustManagerChart, s.cfg.Artifacts.Overrides.TrustManager)
	if err != nil {
		return nil, err
	}
	return certtrust.New(s.ctx, "cert-trust", certtrust.Args{
		Provider:     c.Provider,
		Transforms:   s.transforms(),
		Availability: workload.Availability(s.cfg.Availability),
		Classes:      s.classes(),
		CertManager: certtrust.CertManager{
			Chart:              certManager,
			ControllerReplicas: cfg.CertManager.ControllerReplicas, WebhookReplicas: cfg.CertManager.WebhookReplicas,
			CAInjectorReplicas: cfg.CertManager.CAInjectorReplicas, ServiceMonitor: cfg.CertManager.ServiceMonitor,
			RecursiveNameservers: cfg.CertManager.DNS01RecursiveNameservers,
		},
		TrustManager: certtrust.TrustManager{
			Chart: trustManager, Replicas: cfg.TrustManager.Replicas, ServiceMonitor: cfg.TrustManager.ServiceMonitor,
		},
		CA:   platformCA(cfg.PlatformCA),
		ACME: acme(cfg.ACME),
		Bundle: certtrust.Bundle{
			Name: cfg.Bundle.Name, Key: cfg.Bundle.Key, PublicRoots: cfg.Bundle.PublicRoots,
			Additional: cfg.Bundle.AdditionalCertificates,
		},
		ControlPlaneIssuer: controlPlaneIssuer(cfg.ControlPlaneIssuer),
	}, opts...)
}

// common is what every component is given that holds passwords or data.
func (s *stack) common(c *cluster.Cluster) (part.Common, error) {
	passwords, err := random.NewProvider(s.ctx, "random", nil, pulumi.Version(randomVersion))
	if err != nil {
		return part.Common{}, err
	}
	return part.Common{
		Provider: c.Provider, Random: passwords, Transforms: s.transforms(),
		Availability: workload.Availability(s.cfg.Availability), Classes: s.classes(),
		Issuer: certtrust.PlatformIssuer,
		Trust: part.Trust{
			ConfigMap: s.cfg.CertTrust.Bundle.Name, Key: s.cfg.CertTrust.Bundle.Key,
			Label: certtrust.BundleLabel, LabelValue: certtrust.BundleLabelValue,
		},
		ControlPlaneNamespace: certtrust.ControlPlaneNamespace,
		Protect:               s.cfg.Storage.DeletionProtection,
	}, nil
}

// export tells others what they need to know.
func (s *stack) export(trust *certtrust.CertTrust, store *storage.Storage, iris *iris) {
	outputs := storageOutputs(store)
	maps.Copy(outputs, iris.outputs())
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
