package storage

import (
	"errors"
	"fmt"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/telekom/controlplane-infrastructure/components/storage/elasticache"
	"github.com/telekom/controlplane-infrastructure/components/storage/minio"
	"github.com/telekom/controlplane-infrastructure/components/storage/postgresql"
	"github.com/telekom/controlplane-infrastructure/components/storage/rds"
	"github.com/telekom/controlplane-infrastructure/components/storage/s3"
	"github.com/telekom/controlplane-infrastructure/components/storage/valkey"
	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/part"
)

// Type is the component's type token.
const Type = "controlplane:storage:Storage"

// Args configure the component. Native types decide what exists; Pulumi inputs carry values.
type Args struct {
	// Common goes to every part.
	part.Common
	// MinIO or S3 is the object storage; at most one of them is set, and without both there is none.
	MinIO *minio.Args
	S3    *s3.Args
	// PostgreSQL or RDS are the databases: exactly one of them is set. Of PostgreSQL the object storage that backups go
	// to is filled in here; where it is reached only with MinIO.
	PostgreSQL *postgresql.Args
	RDS        *rds.Args
	// Valkey or ElastiCache is the cache: exactly one of them is set.
	Valkey      *valkey.Args
	ElastiCache *elasticache.Args
}

// checkChoice reports what is there twice or not at all.
func (a Args) checkChoice() error {
	if (a.PostgreSQL == nil) == (a.RDS == nil) {
		return errors.New("exactly one of PostgreSQL and RDS has to be there")
	}
	if (a.Valkey == nil) == (a.ElastiCache == nil) {
		return errors.New("exactly one of Valkey and ElastiCache has to be there")
	}
	return nil
}

// Connections are how the databases will be reached, by their names, before there are passwords, and hosts maybe. The
// Check of either comes first.
func (a Args) Connections() (map[string]postgresql.Connection, error) {
	if a.RDS != nil {
		return a.rds().Connections()
	}
	return a.databases().Connections()
}

// databases are the arguments of databases in the cluster, which there are.
func (a Args) databases() postgresql.Args {
	p := *a.PostgreSQL
	p.Common = a.Common
	if a.MinIO != nil {
		p.ObjectStorage, p.ObjectStoragePorts = minio.Servers(), []int{minio.Port}
	}
	return p
}

// rds are those of databases in Amazon RDS, which there are.
func (a Args) rds() rds.Args {
	r := *a.RDS
	r.Common = a.Common
	return r
}

// valkey are those of a cache in the cluster, which there is.
func (a Args) valkey() valkey.Args {
	v := *a.Valkey
	v.Common = a.Common
	return v
}

// elastiCache are those of a cache in Amazon ElastiCache, which there is.
func (a Args) elastiCache() elasticache.Args {
	e := *a.ElastiCache
	e.Common = a.Common
	return e
}

// minIO are those of our own object storage, which there is.
func (a Args) minIO() minio.Args {
	m := *a.MinIO
	m.Common = a.Common
	return m
}

// Flows are the connections that the data stores open and accept.
func (a Args) Flows() []flow.Flow {
	var flows []flow.Flow
	if a.RDS != nil {
		flows = a.rds().Flows()
	} else {
		flows = a.databases().Flows()
	}
	if a.ElastiCache != nil {
		flows = append(flows, a.elastiCache().Flows()...)
	} else {
		flows = append(flows, a.valkey().Flows()...)
	}
	if a.MinIO != nil {
		flows = append(flows, a.minIO().Flows()...)
	}
	return flows
}

// Storage is a running set of data stores.
type Storage struct {
	pulumi.ResourceState
	manifest.Members
	// Databases are the databases by name.
	Databases map[string]postgresql.Connection
	// Cache is the cache's one endpoint.
	Cache Cache
	// Files is where the File Manager keeps its files; nil without object storage.
	Files *Files
}

// Cache is a store that speaks the Redis protocol, behind one address. There is no plain connection to it, and the
// platform's trust bundle verifies its certificate.
type Cache struct {
	// Host and Port are the address of the primary.
	Host pulumi.StringInput
	Port int
	// User and Password are for clients; a client may send the password alone.
	User     string
	Password pulumi.StringOutput
	// SecretName is the Secret with the password, in the namespace valkey.
	SecretName string
}

// Files is a bucket with versioning, and how the File Manager gets at it.
type Files struct {
	// Endpoint is the S3 interface, as host or host:port.
	Endpoint string
	// STSEndpoint is where RoleARN is assumed; empty without a role.
	STSEndpoint string
	// Region is the bucket's region, Bucket its name.
	Region, Bucket string
	// RoleARN is the IAM role for the File Manager's service account; nil: the keys in CredentialsSecret.
	RoleARN pulumi.StringInput
	// CredentialsSecret names the Secret with the keys, in the Control Plane's namespace; empty: the role.
	CredentialsSecret string
}

// New provisions the component.
func New(ctx *pulumi.Context, name string, args Args, opts ...pulumi.ResourceOption) (*Storage, error) {
	if err := args.checkChoice(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	s := &Storage{}
	if err := ctx.RegisterComponentResource(Type, name, s, opts...); err != nil {
		return nil, fmt.Errorf("register %s: %w", name, err)
	}
	// What the whole component waits for, its parts do: a child does not inherit it.
	opts = append([]pulumi.ResourceOption{pulumi.Parent(s)}, opts...)
	objects, backups, err := s.objectStorage(ctx, name, args, opts)
	if err != nil {
		return nil, err
	}
	databases, err := s.databases(ctx, name, args, objects, backups, opts)
	if err != nil {
		return nil, err
	}
	cache, err := s.cache(ctx, name, args, opts)
	if err != nil {
		return nil, err
	}
	s.Include(slices.Concat(objects.All(), databases.All(), cache.All())...)
	return s, ctx.RegisterResourceOutputs(s, pulumi.Map{})
}

// databases provisions the databases, once there is what their backups need.
func (s *Storage) databases(
	ctx *pulumi.Context, name string, args Args, objects *manifest.Members, backups *part.ObjectStore, opts []pulumi.ResourceOption,
) (*manifest.Members, error) {
	if args.RDS != nil {
		r, err := rds.New(ctx, name+"-rds", args.rds(), opts...)
		if err != nil {
			return nil, err
		}
		s.Databases = r.Databases
		return &r.Members, nil
	}
	pg := args.databases()
	used, err := useBackups(pg.Clusters, backups)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if used {
		opts = append(opts[:len(opts):len(opts)], objects.Ready())
	}
	p, err := postgresql.New(ctx, name+"-postgresql", pg, opts...)
	if err != nil {
		return nil, err
	}
	s.Databases = p.Databases
	return &p.Members, nil
}

// cache provisions the cache.
func (s *Storage) cache(ctx *pulumi.Context, name string, args Args, opts []pulumi.ResourceOption) (*manifest.Members, error) {
	s.Cache = Cache{Port: valkey.Port, User: valkey.User, SecretName: valkey.SecretName}
	if args.ElastiCache != nil {
		e, err := elasticache.New(ctx, name+"-elasticache", args.elastiCache(), opts...)
		if err != nil {
			return nil, err
		}
		s.Cache.Host, s.Cache.Password = e.Host, e.Password
		return &e.Members, nil
	}
	v, err := valkey.New(ctx, name+"-valkey", args.valkey(), opts...)
	if err != nil {
		return nil, err
	}
	s.Cache.Host, s.Cache.Password = pulumi.String(v.Host), v.Password
	return &v.Members, nil
}

// objectStorage provisions the object storage, if there is any, and returns where backups go.
func (s *Storage) objectStorage(
	ctx *pulumi.Context, name string, args Args, opts []pulumi.ResourceOption,
) (*manifest.Members, *part.ObjectStore, error) {
	switch {
	case args.MinIO != nil:
		m, err := minio.New(ctx, name+"-minio", args.minIO(), opts...)
		if err != nil {
			return nil, nil, err
		}
		s.Files = &Files{Endpoint: m.Endpoint, Region: m.Region, Bucket: m.Bucket, CredentialsSecret: m.CredentialsSecret}
		return &m.Members, m.Backups, nil
	case args.S3 != nil:
		b, err := s3.New(ctx, name+"-s3", *args.S3, opts...)
		if err != nil {
			return nil, nil, err
		}
		s.Files = &Files{
			Endpoint: b.Endpoint, STSEndpoint: b.STSEndpoint, Region: b.Region, Bucket: b.Bucket, RoleARN: b.RoleARN,
		}
		return &b.Members, b.Backups, nil
	}
	return &manifest.Members{}, nil, nil
}

// useBackups has the clusters that make backups, or start from one, use the object storage, each below its own path.
// It reports whether there are any.
func useBackups(clusters []postgresql.Cluster, store *part.ObjectStore) (bool, error) {
	used := false
	for _, c := range clusters {
		var targets []*part.ObjectStore
		if c.Backup != nil {
			targets = append(targets, &c.Backup.Store)
		}
		if c.Recovery != nil {
			targets = append(targets, &c.Recovery.Store)
		}
		if len(targets) > 0 && store == nil {
			return false, fmt.Errorf("cluster %s has a backup or a recovery, which need an object storage with a bucket for backups", c.Name)
		}
		for _, target := range targets {
			path := target.Path
			*target = *store
			target.Path = path
			used = true
		}
	}
	return used, nil
}
