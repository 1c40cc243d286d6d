package stacks

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/telekom/controlplane-infrastructure/components/storage/elasticache"
	"github.com/telekom/controlplane-infrastructure/components/storage/managed"
	"github.com/telekom/controlplane-infrastructure/components/storage/rds"
	"github.com/telekom/controlplane-infrastructure/internal/aws"
	"github.com/telekom/controlplane-infrastructure/stacks/config"
)

// amazon is the account and region of AWS, registered when something needs it first.
func (s *stack) amazon() (pulumi.ProviderResource, error) {
	if s.aws != nil {
		return s.aws, nil
	}
	provider, err := aws.NewProvider(s.ctx, "aws", aws.ProviderArgs{
		Region: s.cfg.AWS.Region, Profile: s.cfg.AWS.Profile, AssumeRoleARN: s.cfg.AWS.AssumeRoleARN,
	})
	if err != nil {
		return nil, err
	}
	s.aws = provider
	return provider, nil
}

// oidcProvider is what stands in IAM for the issuer of the cluster's service account tokens.
func (s *stack) oidcProvider() pulumi.StringInput {
	if s.made != nil && s.made.EKS != nil {
		return s.made.EKS.OIDCProviderARN
	}
	return pulumi.String(s.cfg.Cluster.OIDCProviderARN)
}

// storeNetwork is where data stores of AWS are: with the nodes, or where the configuration says. Its addresses are known
// from the start, the rest when there is a cluster.
func (s *stack) storeNetwork() managed.Network {
	if e := s.cfg.Cluster.EKS; e != nil {
		nodes := e.VPC.PrivateCIDRs
		if e.VPC.Existing != nil {
			nodes = []string{e.VPC.CIDR}
		}
		n := managed.Network{ClientCIDRs: nodes, StoreCIDRs: nodes}
		if s.made != nil {
			n.VPCID, n.SubnetIDs = s.made.EKS.VPCID, s.made.EKS.SubnetIDs
		}
		return n
	}
	var n managed.Network
	if cfg := s.cfg.AWS.Network; cfg != nil {
		n.VPCID, n.ClientCIDRs = pulumi.String(cfg.VPCID), cfg.ClientCIDRs
		for _, id := range cfg.SubnetIDs {
			n.SubnetIDs = append(n.SubnetIDs, pulumi.String(id))
		}
	}
	return n
}

// storeName begins the names of data stores in AWS.
func (s *stack) storeName() string { return "controlplane-" + s.name }

// rds are databases in Amazon RDS.
func (s *stack) rds() *rds.Args {
	cfg := s.cfg.Storage.PostgreSQL
	r := cfg.RDS
	args := &rds.Args{
		Network: s.storeNetwork(), Name: s.storeName(), Tags: s.cfg.AWS.Tags,
		EngineVersion: r.EngineVersion, InstanceClass: r.InstanceClass, MultiAZ: r.MultiAZ,
		StorageGiB: gibibytes(r.Storage), MaxStorageGiB: gibibytes(r.MaxStorage),
		BackupRetentionDays: r.BackupRetentionDays, BackupWindow: r.BackupWindow, MaintenanceWindow: r.MaintenanceWindow,
		IAMAuthentication: r.IAMAuthentication, KMSKeyARN: r.KMSKeyARN, Image: cfg.Image,
		ControlPlaneDatabase: controlPlaneDatabase, ControlPlaneSSLMode: string(cfg.ControlPlaneSSLMode),
		Clients: s.databaseClients(),
	}
	for _, c := range cfg.Clusters {
		args.Instances = append(args.Instances, rds.Instance{Name: c.Name, Parameters: c.Parameters, Databases: databasesOf(c)})
	}
	return args
}

// checkRDS reports what cannot work.
func (s *stack) checkRDS(args *rds.Args) error {
	if err := args.Check(); err != nil {
		return s.invalid("storage.postgresql", err)
	}
	if _, known := rds.Authorities(s.cfg.AWS.Region); !known && s.cfg.Storage.PostgreSQL.RDS.CertificateAuthorities == "" {
		return s.invalid("storage.postgresql.rds.caBundle", fmt.Errorf(
			"what signs the certificates of databases in region %s is not known here: needed are its certificates, as AWS publishes them",
			s.cfg.AWS.Region))
	}
	return nil
}

// elastiCache is a cache in Amazon ElastiCache.
func (s *stack) elastiCache() *elasticache.Args {
	cfg := s.cfg.Storage.Cache
	e := cfg.ElastiCache
	return &elasticache.Args{
		Network: s.storeNetwork(), Name: s.storeName(), Tags: s.cfg.AWS.Tags,
		EngineVersion: e.EngineVersion, NodeType: e.NodeType, Nodes: e.Nodes, EvictionPolicy: string(cfg.EvictionPolicy),
		SnapshotRetentionDays: e.SnapshotRetentionDays, MaintenanceWindow: e.MaintenanceWindow, KMSKeyARN: e.KMSKeyARN,
		Image: cfg.Images.Server, Clients: s.cacheClients(),
	}
}

// storeAuthorities are those that sign the certificates of data stores of AWS, in PEM.
func (s *stack) storeAuthorities() (all []string) {
	if r := s.cfg.Storage.PostgreSQL.RDS; s.cfg.Storage.PostgreSQL.Backend == config.DatabasesRDS {
		if text, known := rds.Authorities(s.cfg.AWS.Region); known {
			all = append(all, text)
		}
		if r.CertificateAuthorities != "" {
			all = append(all, r.CertificateAuthorities)
		}
	}
	if s.cfg.Storage.Cache.Backend == config.CacheElastiCache && !s.cfg.CertTrust.Bundle.PublicRoots {
		all = append(all, elasticache.Authorities)
	}
	return all
}
