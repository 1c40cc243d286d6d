package stacks

import (
	"fmt"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/telekom/controlplane-infrastructure/components/cluster"
	"github.com/telekom/controlplane-infrastructure/components/cluster/eks"
	"github.com/telekom/controlplane-infrastructure/components/cluster/metricsserver"
	"github.com/telekom/controlplane-infrastructure/components/cluster/preflight"
	"github.com/telekom/controlplane-infrastructure/stacks/config"
)

// clusterArgs are those of the component, but for the provider of a cluster that is made.
func (s *stack) clusterArgs() cluster.Args {
	cfg := s.cfg.Cluster
	args := cluster.Args{Context: cfg.Context, Identifier: cfg.Identifier, DeleteUnreachable: cfg.DeleteUnreachable}
	switch {
	case cfg.Kind == config.ClusterEKS:
		args.EKS, args.AutoscalerImage = s.eks(*cfg.EKS), cfg.EKS.Autoscaling.Image
	case cfg.KubeconfigContent != "":
		args.Kubeconfig = secret(cfg.KubeconfigContent)
	case cfg.Kubeconfig != "":
		args.Kubeconfig = pulumi.String(Path(s.root, cfg.Kubeconfig))
	}
	return args
}

func (s *stack) eks(cfg config.EKS) *eks.Args {
	account, addOns := s.cfg.AWS, cfg.AddOns
	args := &eks.Args{
		Region: account.Region, Profile: account.Profile, AssumeRoleARN: account.AssumeRoleARN, Tags: account.Tags,
		Protect: s.cfg.Storage.DeletionProtection, Name: cfg.Name, Version: cfg.Version, Network: eksNetwork(cfg),
		ServiceCIDR: cfg.ServiceCIDR, PrivateCIDRs: cfg.Endpoint.PrivateCIDRs, PublicCIDRs: cfg.Endpoint.PublicCIDRs, KMSKeyARN: cfg.KMSKeyARN,
		LogRetentionDays: cfg.LogRetentionDays, ExtendedSupport: cfg.Support == config.SupportExtended,
		ZonalShift: s.cfg.Availability == config.Zonal, Autoscaling: cfg.Autoscaling.Enabled,
		AddOns: eks.AddOns{
			VPCCNI: addOns.VPCCNI.Version, KubeProxy: addOns.KubeProxy.Version, CoreDNS: addOns.CoreDNS.Version,
			PodIdentityAgent: addOns.PodIdentityAgent.Version, EBSCSIDriver: addOns.EBSCSIDriver.Version,
			MetricsServer:       addOns.MetricsServer.Version,
			StrictNetworkPolicy: addOns.VPCCNI.NetworkPolicyMode == config.PoliciesStrict,
		},
	}
	for _, a := range cfg.Access {
		args.Access = append(args.Access, eks.Access{
			PrincipalARN: a.PrincipalARN, Policy: string(a.Policy), Namespaces: a.Namespaces,
		})
	}
	for _, g := range cfg.NodeGroups {
		args.NodeGroups = append(args.NodeGroups, nodeGroup(g))
	}
	return args
}

func eksNetwork(cfg config.EKS) eks.Network {
	vpc := cfg.VPC
	n := eks.Network{CIDR: vpc.CIDR, NATPerZone: vpc.NATGateways == config.NATZonal}
	if vpc.FlowLogs.Enabled {
		n.FlowLogDays = vpc.FlowLogs.RetentionDays
	}
	for i, name := range cfg.Zones {
		zone := eks.Zone{Name: name}
		if vpc.Existing != nil {
			zone.PrivateSubnetID = vpc.Existing.PrivateSubnets[name]
		} else {
			zone.PrivateCIDR, zone.PublicCIDR = vpc.PrivateCIDRs[i], vpc.PublicCIDRs[i]
		}
		n.Zones = append(n.Zones, zone)
	}
	if vpc.Existing != nil {
		n.VPCID = vpc.Existing.ID
	}
	return n
}

func nodeGroup(cfg config.EKSNodeGroup) eks.NodeGroup {
	g := eks.NodeGroup{
		Name: cfg.Name, Zones: cfg.Zones, InstanceTypes: cfg.InstanceTypes, Spot: cfg.CapacityType == config.CapacitySpot,
		Bottlerocket: cfg.OperatingSystem == config.NodeBottlerocket, ARM64: cfg.Architecture == config.ArchitectureARM,
		MinSize: cfg.MinSize, MaxSize: cfg.MaxSize, DesiredSize: cfg.DesiredSize,
		DiskGiB: gibibytes(cfg.DiskSize), Labels: cfg.Labels,
	}
	for _, t := range cfg.Taints {
		g.Taints = append(g.Taints, eks.Taint{Key: t.Key, Value: t.Value, Effect: string(t.Effect)})
	}
	return g
}

// gibibytes are an amount of storage as AWS counts it; a broken one is rounded up.
func gibibytes(q config.Quantity) int {
	const gibibyte = 1 << 30
	return int((q.Value() + gibibyte - 1) / gibibyte)
}

// preflight refuses a cluster that lacks what the stack needs, before anything is created. A preview does without: it has
// to work where no cluster can be reached.
func (s *stack) preflight() error {
	if s.options.Cluster == nil || s.ctx.DryRun() || s.cfg.Cluster.Kind == config.ClusterEKS {
		return nil
	}
	target, err := s.options.Cluster(s.root, s.cfg.Cluster)
	if err != nil {
		return fmt.Errorf("cluster of stack %s: %w", s.name, err)
	}
	needs := ClusterNeeds(s.cfg)
	if s.options.Simulated {
		needs = needs.Simulated()
	}
	warnings, err := preflight.Require(s.ctx.Context(), target, needs)
	if err != nil {
		return err
	}
	for _, w := range warnings {
		if err := s.ctx.Log.Warn(w.String(), nil); err != nil {
			return err
		}
	}
	return nil
}

// warn tells what of the configuration is allowed, and will be regretted.
func (s *stack) warn() error {
	for _, w := range s.cfg.Warnings(time.Now()) {
		if err := s.ctx.Log.Warn(w.String(), nil); err != nil {
			return err
		}
	}
	return nil
}

// cluster describes the cluster, or makes it.
func (s *stack) cluster(args cluster.Args) (*cluster.Cluster, error) {
	if args.EKS != nil {
		account, err := s.amazon()
		if err != nil {
			return nil, err
		}
		args.EKS.AWS = account
	}
	c, err := cluster.New(s.ctx, "cluster", args)
	if err != nil || c.EKS == nil || s.options.Made == nil {
		return c, err
	}
	c.EKS.Kubeconfig.ApplyT(func(kubeconfig string) string {
		s.options.Made(kubeconfig)
		return kubeconfig
	})
	return c, nil
}

// metricsServer are the arguments of the component; nil: the cluster has one.
func (s *stack) metricsServer() *metricsserver.Args {
	cfg := s.cfg.Cluster.MetricsServer
	if !cfg.Install {
		return nil
	}
	return &metricsserver.Args{
		Image: cfg.Image, Replicas: cfg.Replicas, Resources: requirements(cfg.Resources),
		SkipKubeletVerification: cfg.SkipKubeletVerification, ServiceMonitor: true,
	}
}

// clusterOutputs tell others how to reach a cluster that is made. That of others is known to those who run the program.
func clusterOutputs(c *cluster.Cluster) pulumi.Map {
	if c.EKS == nil {
		return pulumi.Map{}
	}
	return pulumi.Map{
		// Nothing in it is secret, but what reaches a cluster is better not printed everywhere.
		"kubeconfig": pulumi.ToSecret(c.EKS.Kubeconfig), "clusterOidcIssuer": c.EKS.OIDCIssuer,
		"clusterOidcProviderArn": c.EKS.OIDCProviderARN,
	}
}
