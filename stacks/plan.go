package stacks

import (
	"fmt"
	"slices"

	"github.com/telekom/controlplane-infrastructure/components/certtrust"
	"github.com/telekom/controlplane-infrastructure/components/cluster"
	"github.com/telekom/controlplane-infrastructure/components/cluster/metricsserver"
	"github.com/telekom/controlplane-infrastructure/components/identity"
	"github.com/telekom/controlplane-infrastructure/components/monitoring"
	"github.com/telekom/controlplane-infrastructure/components/network"
	"github.com/telekom/controlplane-infrastructure/components/storage"
	"github.com/telekom/controlplane-infrastructure/internal/artifact"
	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/internal/namespace"
	"github.com/telekom/controlplane-infrastructure/internal/part"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
	"github.com/telekom/controlplane-infrastructure/stacks/config"
)

// plan is what follows from the configuration alone: the components' arguments, as far as they do not need each other,
// and the namespaces.
type plan struct {
	cluster    cluster.Args
	metrics    *metricsserver.Args // nil: the cluster has one
	trust      certtrust.Args
	network    network.Args
	storage    storage.Args
	identity   identity.Args
	monitoring *monitoring.Args // nil: it has another owner
	namespaces namespace.Plan
}

// Table is every flow of a stack with this configuration.
func Table(cfg *config.Config) (flow.Table, error) {
	p, err := (&stack{cfg: cfg}).plan()
	if err != nil {
		return flow.Table{}, err
	}
	return p.namespaces.Flows, nil
}

// plan has the components check what only they know.
func (s *stack) plan() (*plan, error) {
	stores, err := s.storageArgs()
	if err != nil {
		return nil, err
	}
	databases, err := stores.Connections()
	if err != nil {
		return nil, err
	}
	keycloak, err := s.identityArgs(databases)
	if err != nil {
		return nil, err
	}
	watch, err := s.monitoringArgs(databases)
	if err != nil {
		return nil, err
	}
	p := &plan{
		cluster: s.clusterArgs(), metrics: s.metricsServer(),
		trust: s.certTrust(), network: s.network(), storage: stores, identity: keycloak, monitoring: watch,
	}
	p.share(s.common(), s.cfg.Storage.PasswordGeneration)
	p.cluster.Common = s.common()
	if err := p.cluster.Check(); err != nil {
		return nil, s.invalid("cluster", err)
	}
	p.namespaces, err = s.namespaces(p)
	return p, err
}

// namespaces join what the components declare.
func (s *stack) namespaces(p *plan) (namespace.Plan, error) {
	m := s.mesh()
	dns := s.cfg.Network.Policies.DNS
	flows := slices.Concat(p.cluster.Flows(), p.trust.Flows(), p.network.Flows(), p.storage.Flows(), p.identity.Flows(), s.additionalFlows())
	if p.metrics != nil {
		flows = append(flows, p.metrics.Flows()...)
	}
	if p.monitoring != nil {
		flows = append(flows, p.monitoring.Flows()...)
	}
	table := flow.Table{
		Flows: m.Flows(flows),
		DNS:   dnsServers(dns), DNSPorts: dns.Ports,
	}
	if err := table.Check(); err != nil {
		return namespace.Plan{}, fmt.Errorf("network policies: %w", err)
	}
	return namespace.Plan{Flows: table, Mesh: m}, nil
}

// common is what every component is given of the configuration.
func (s *stack) common() part.Common {
	return part.Common{
		Transforms: s.transforms(), Availability: workload.Availability(s.cfg.Availability), Classes: s.classes(),
		Issuer: certtrust.PlatformIssuer,
		Trust: part.Trust{
			ConfigMap: s.cfg.CertTrust.Bundle.Name, Key: s.cfg.CertTrust.Bundle.Key,
			Label: certtrust.BundleLabel, LabelValue: certtrust.BundleLabelValue,
		},
		Surroundings:          s.surroundings(),
		ControlPlaneNamespace: certtrust.ControlPlaneNamespace,
		Protect:               s.cfg.Storage.DeletionProtection,
	}
}

// invalid is a mistake of the configuration that only a component could find.
func (s *stack) invalid(key string, err error) error {
	return fmt.Errorf("stack %s is not valid:\n%w", s.name, config.Errors{{
		Path: config.Namespace + ":" + key, Message: err.Error(),
	}})
}

// share gives the components what they have in common. The generation is that of the passwords of data stores.
func (p *plan) share(common part.Common, generation int) {
	p.trust.Provider, p.trust.Transforms, p.trust.Namespaces = common.Provider, common.Transforms, common.Namespaces
	p.trust.Availability, p.trust.Classes, p.trust.Surroundings = common.Availability, common.Classes, common.Surroundings
	p.network.Share(common)
	p.identity.Common = common
	if p.metrics != nil {
		p.metrics.Common = common
	}
	if p.monitoring != nil {
		p.monitoring.Common = common
	}
	p.storage.Common = common
	p.storage.PasswordGeneration = generation
}

// fetchAll gets the artefacts that the components are made of.
func (s *stack) fetchAll(p *plan) error {
	o := s.cfg.Artifacts.Overrides
	type item struct {
		into     **artifact.Tree
		name     string
		ref      artifact.Ref
		override *config.ArtifactOverride
	}
	items := []item{
		{&p.trust.CertManager.Chart, "cert-manager", certManagerChart, o.CertManager},
		{&p.trust.TrustManager.Chart, "trust-manager", trustManagerChart, o.TrustManager},
	}
	if databases := p.storage.PostgreSQL; databases != nil {
		items = append(items, item{&databases.Operator.Manifest, "cloudnative-pg", cloudNativePG, o.CloudNativePG})
		if databases.BackupPlugin != nil {
			items = append(items, item{&databases.BackupPlugin.Manifest, "plugin-barman-cloud", barmanCloud, o.BarmanCloud})
		}
	}
	if m := p.network.Istio; m != nil {
		items = append(items,
			item{&m.Base, "istio-base", istioChart("base"), o.IstioBase},
			item{&m.Istiod, "istiod", istioChart("istio-control/istio-discovery"), o.Istiod},
			item{&m.CNI, "istio-cni", istioChart("istio-cni"), o.IstioCNI},
			item{&m.Ztunnel, "ztunnel", istioChart("ztunnel"), o.Ztunnel},
		)
	}
	if m := p.network.Linkerd; m != nil {
		version := s.cfg.Network.Mesh.Linkerd.Version
		items = append(items,
			item{&m.CRDs, "linkerd-crds", linkerdChart("linkerd-crds", version), o.LinkerdCRDs},
			item{&m.ControlPlane, "linkerd-control-plane", linkerdChart("linkerd-control-plane", version), o.LinkerdControlPlane},
			item{&m.CNI, "linkerd2-cni", linkerdChart("linkerd2-cni", version), o.LinkerdCNI},
		)
	}
	if s.installsGatewayAPI() {
		items = append(items, item{&p.network.GatewayAPI, "gateway-api", gatewayAPI, o.GatewayAPI})
	}
	if p.metrics != nil {
		items = append(items, item{&p.metrics.Chart, "metrics-server", metricsServerChart, o.MetricsServer})
	}
	for _, i := range items {
		var err error
		if *i.into, err = s.fetch(i.name, i.ref, i.override); err != nil {
			return err
		}
	}
	return nil
}
