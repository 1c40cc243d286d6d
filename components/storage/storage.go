package storage

import (
	"fmt"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/telekom/controlplane-infrastructure/components/storage/minio"
	"github.com/telekom/controlplane-infrastructure/components/storage/postgresql"
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
	// PostgreSQL are the databases. The object storage that backups go to is filled in here; where it is reached only
	// with MinIO.
	PostgreSQL postgresql.Args
	// Cache is the cache.
	Cache valkey.Args
}

// databases are the databases' part of the arguments.
func (a Args) databases() postgresql.Args {
	p := a.PostgreSQL
	p.Common = a.Common
	if a.MinIO != nil {
		p.ObjectStorage, p.ObjectStoragePorts = minio.Servers(), []int{minio.Port}
	}
	return p
}

// cache are the cache's.
func (a Args) cache() valkey.Args {
	v := a.Cache
	v.Common = a.Common
	return v
}

// minIO are those of our own object storage, which there is.
func (a Args) minIO() minio.Args {
	m := *a.MinIO
	m.Common = a.Common
	return m
}

// Flows are the connections that the data stores open and accept.
func (a Args) Flows() []flow.Flow {
	flows := slices.Concat(a.databases().Flows(), a.cache().Flows())
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
	Cache *valkey.Valkey
	// Files is where the File Manager keeps its files; nil without object storage.
	Files *Files
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
	pg := args.databases()
	needs := opts
	used, err := useBackups(pg.Clusters, backups)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if used {
		needs = append(needs[:len(needs):len(needs)], objects.Ready())
	}
	databases, err := postgresql.New(ctx, name+"-postgresql", pg, needs...)
	if err != nil {
		return nil, err
	}
	if s.Cache, err = valkey.New(ctx, name+"-valkey", args.cache(), opts...); err != nil {
		return nil, err
	}
	s.Databases = databases.Databases
	s.Include(slices.Concat(objects.All(), databases.All(), s.Cache.All())...)
	return s, ctx.RegisterResourceOutputs(s, pulumi.Map{})
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
