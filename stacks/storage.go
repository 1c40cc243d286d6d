package stacks

import (
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	corev1 "k8s.io/api/core/v1"

	"github.com/telekom/controlplane-infrastructure/components/certtrust"
	"github.com/telekom/controlplane-infrastructure/components/storage"
	"github.com/telekom/controlplane-infrastructure/components/storage/minio"
	"github.com/telekom/controlplane-infrastructure/components/storage/postgresql"
	"github.com/telekom/controlplane-infrastructure/components/storage/s3"
	"github.com/telekom/controlplane-infrastructure/components/storage/valkey"
	"github.com/telekom/controlplane-infrastructure/internal/part"
	"github.com/telekom/controlplane-infrastructure/stacks/config"
)

const (
	// gatewayDatabase and controlPlaneDatabase are databases that have their consumers' names.
	gatewayDatabase      = "gateway"
	controlPlaneDatabase = "controlplane"
	// fileManagerAccount is the service account of the File Manager, which the Control Plane's manifests name.
	fileManagerAccount = "file-manager"
)

// storageArgs are those of the data stores that need nothing registered, once it is clear that they can work.
func (s *stack) storageArgs() (storage.Args, error) {
	args := storage.Args{Common: s.common()}
	if s.cfg.Storage.ObjectStorage.Backend == config.ObjectsMinIO {
		args.MinIO = s.minIO()
	}
	if s.cfg.Storage.Cache.Backend == config.CacheElastiCache {
		args.ElastiCache = s.elastiCache()
		if err := args.ElastiCache.Check(); err != nil {
			return args, s.invalid("storage.cache.elastiCache", err)
		}
	} else {
		args.Valkey = s.valkey()
	}
	if s.cfg.Storage.PostgreSQL.Backend == config.DatabasesRDS {
		args.RDS = s.rds()
		return args, s.checkRDS(args.RDS)
	}
	args.PostgreSQL = s.postgreSQL()
	if err := args.PostgreSQL.Check(); err != nil {
		return args, s.invalid("storage.postgresql", err)
	}
	return args, nil
}

// storage provisions the data stores, those of AWS in the account and the network that are known by now.
func (s *stack) storage(args storage.Args, needs []pulumi.ResourceOption) (*storage.Storage, error) {
	var err error
	if s.cfg.Storage.ObjectStorage.Backend == config.ObjectsS3 {
		if args.S3, err = s.amazonS3(); err != nil {
			return nil, err
		}
	}
	if args.RDS != nil {
		if args.RDS.AWS, err = s.amazon(); err != nil {
			return nil, err
		}
		args.RDS.Network = s.storeNetwork()
	}
	if args.ElastiCache != nil {
		if args.ElastiCache.AWS, err = s.amazon(); err != nil {
			return nil, err
		}
		args.ElastiCache.Network = s.storeNetwork()
	}
	return storage.New(s.ctx, "storage", args, needs...)
}

// postgreSQL are databases in the cluster.
func (s *stack) postgreSQL() *postgresql.Args {
	cfg, objects := s.cfg.Storage.PostgreSQL, s.cfg.Network.Policies.ObjectStorage
	args := &postgresql.Args{
		Operator:             postgresql.Operator{Replicas: cfg.Operator.Replicas, PodMonitor: cfg.Operator.PodMonitor},
		ControlPlaneDatabase: controlPlaneDatabase, ControlPlaneSSLMode: string(cfg.ControlPlaneSSLMode),
		Clients:       s.databaseClients(),
		ObjectStorage: outside("object storage", objects.CIDRs), ObjectStoragePorts: objects.Ports,
	}
	for _, c := range cfg.Clusters {
		args.Clusters = append(args.Clusters, s.databaseCluster(c))
	}
	if s.backups() {
		args.BackupPlugin = &postgresql.BackupPlugin{
			Image: postgresql.BackupPluginImage, SidecarImage: postgresql.BackupPluginSidecarImage,
		}
	}
	return args
}

// databaseClients are those that nobody else declares.
func (s *stack) databaseClients() []postgresql.Client {
	return []postgresql.Client{{Name: "gateways", Pods: s.gateways(), Database: gatewayDatabase}}
}

// backups tells whether anything is written to, or read from, backups of databases.
func (s *stack) backups() bool {
	cfg := s.cfg.Storage.PostgreSQL
	if cfg.Backend == config.DatabasesRDS {
		return false // AWS keeps them
	}
	for _, c := range cfg.Clusters {
		if c.Recovery != nil {
			return true
		}
	}
	return cfg.Backup.Enabled
}

func (s *stack) databaseCluster(c config.DatabaseCluster) postgresql.Cluster {
	cfg := s.cfg.Storage.PostgreSQL
	cluster := postgresql.Cluster{
		Name: c.Name, Instances: c.Instances, SynchronousReplicas: cfg.SynchronousReplicas, Image: cfg.Image,
		Volume: volume(*c.Volume), Resources: requirements(*c.Resources), Parameters: c.Parameters, PodMonitor: cfg.PodMonitor,
	}
	if c.WALVolume != nil {
		wal := volume(*c.WALVolume)
		cluster.WALVolume = &wal
	}
	cluster.Databases = databasesOf(c)
	if p := cfg.Pooler; p.Enabled {
		cluster.Pooler = &postgresql.Pooler{
			Instances: p.Instances, Mode: string(p.Mode), Image: p.Image,
			MaxClientConnections: p.MaxClientConnections, PoolSize: p.PoolSize,
		}
	}
	serverName := c.Name
	if r := c.Recovery; r != nil {
		serverName = r.ServerName
		cluster.Recovery = &postgresql.Recovery{
			Store: part.ObjectStore{Path: r.Path}, SourceServerName: r.SourceCluster, TargetTime: r.TargetTime,
		}
	}
	if b := cfg.Backup; b.Enabled {
		cluster.Backup = &postgresql.Backup{
			Store: part.ObjectStore{Path: b.Path}, ServerName: serverName, Schedule: b.Schedule, Retention: b.Retention,
		}
	}
	return cluster
}

func databasesOf(c config.DatabaseCluster) (all []postgresql.Database) {
	for _, d := range c.Databases {
		all = append(all, postgresql.Database{Name: d.Name, Owner: d.Owner})
	}
	return all
}

func (s *stack) valkey() *valkey.Args {
	cfg := s.cfg.Storage.Cache
	args := &valkey.Args{
		Images:  valkey.Images{Server: cfg.Images.Server, Exporter: cfg.Images.Exporter, Proxy: cfg.Images.Proxy},
		Servers: cfg.Servers, Sentinels: cfg.Sentinels, Proxies: cfg.Proxies,
		Resources: requirements(cfg.Resources), MaxMemoryPercent: cfg.MaxMemoryPercent,
		EvictionPolicy: string(cfg.EvictionPolicy), MaxReplicaLag: time.Duration(cfg.MaxReplicaLag),
		ServiceMonitor: cfg.ServiceMonitor,
		Clients:        s.cacheClients(),
	}
	if cfg.Persistence != nil {
		v := volume(*cfg.Persistence)
		args.Persistence = &v
	}
	return args
}

// cacheClients are those beside the Control Plane.
func (s *stack) cacheClients() []valkey.Client {
	return []valkey.Client{{Name: "gateways", Pods: s.gateways()}}
}

func (s *stack) minIO() *minio.Args {
	cfg := s.cfg.Storage.ObjectStorage
	return &minio.Args{
		Image: cfg.MinIO.Image, Servers: cfg.MinIO.Servers, Volume: volume(cfg.MinIO.Volume),
		Resources: requirements(cfg.MinIO.Resources), ServiceMonitor: cfg.MinIO.ServiceMonitor,
		Bucket: cfg.Bucket, BackupBucket: s.backupBucket(),
	}
}

func (s *stack) amazonS3() (*s3.Args, error) {
	provider, err := s.amazon()
	if err != nil {
		return nil, err
	}
	cfg := s.cfg.Storage.ObjectStorage
	args := &s3.Args{
		AWS: provider, Region: s.cfg.AWS.Region, Tags: s.cfg.AWS.Tags, OIDCProviderARN: s.oidcProvider(),
		Protect: s.cfg.Storage.DeletionProtection,
		Bucket:  cfg.Bucket, Existing: cfg.S3.Existing, KMSKeyARN: cfg.S3.KMSKeyARN, AccessLogBucket: cfg.S3.AccessLogBucket,
		NoncurrentVersionDays: cfg.S3.NoncurrentVersionDays, AbortUploadDays: cfg.S3.AbortUploadDays,
		FileManagerSubject: subject(certtrust.ControlPlaneNamespace, fileManagerAccount),
		BackupBucket:       s.backupBucket(),
	}
	for _, c := range s.cfg.Storage.PostgreSQL.Clusters {
		// The operator names a cluster's service account after the cluster.
		args.BackupSubjects = append(args.BackupSubjects, subject(postgresql.Namespace, c.Name))
	}
	return args, nil
}

// backupBucket is the bucket of the backups, or nothing where there are none.
func (s *stack) backupBucket() string {
	if !s.backups() {
		return ""
	}
	return s.cfg.Storage.ObjectStorage.BackupBucket
}

// subject is what a service account is called in its tokens.
func subject(namespace, account string) string {
	return strings.Join([]string{"system:serviceaccount", namespace, account}, ":")
}

func volume(v config.Volume) part.Volume {
	return part.Volume{Size: v.Size.String(), Class: v.StorageClass}
}

// requirements are configured amounts as containers take them.
func requirements(c config.ResourceClass) corev1.ResourceRequirements {
	list := func(a config.ResourceAmounts) corev1.ResourceList {
		return corev1.ResourceList{corev1.ResourceCPU: a.CPU, corev1.ResourceMemory: a.Memory}
	}
	return corev1.ResourceRequirements{Requests: list(c.Requests), Limits: list(c.Limits)}
}

// storageOutputs tells others how to reach the data stores. An output with a password in it is secret as a whole: who
// reads outputs may look at their first level only.
func storageOutputs(st *storage.Storage) pulumi.Map {
	gateway := st.Databases[gatewayDatabase]
	outputs := pulumi.Map{
		"controlplaneDbSecretName": pulumi.String(postgresql.ControlPlaneSecret),
		"gatewayDatabase": pulumi.ToSecret(pulumi.Map{
			"host": gateway.Host, "port": pulumi.Int(gateway.Port), "name": pulumi.String(gateway.Database),
			"user": pulumi.String(gateway.User), "password": gateway.Password,
		}),
		"redis": pulumi.ToSecret(pulumi.Map{
			"host": st.Cache.Host, "port": pulumi.Int(st.Cache.Port), "tls": pulumi.Bool(true),
			"password": st.Cache.Password,
		}),
	}
	f := st.Files
	if f == nil {
		return outputs
	}
	outputs["s3Endpoint"], outputs["s3Bucket"], outputs["s3Region"] = pulumi.String(f.Endpoint), pulumi.String(f.Bucket), pulumi.String(f.Region)
	if f.RoleARN != nil {
		outputs["s3RoleArn"], outputs["s3StsEndpoint"] = f.RoleARN, pulumi.String(f.STSEndpoint)
	} else {
		outputs["s3CredentialsSecretName"] = pulumi.String(f.CredentialsSecret)
	}
	return outputs
}
