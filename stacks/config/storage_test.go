package config_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/telekom/controlplane-infrastructure/stacks/config"
)

func volume(size, class string) config.Volume {
	return config.Volume{Size: resource.MustParse(size), StorageClass: class}
}

// defaultStorage is the storage of a stack that configures nothing.
func defaultStorage() config.Storage {
	size, resources := volume("10Gi", ""), config.ResourceClass{Requests: amounts("100m", "512Mi"), Limits: amounts("1000m", "1Gi")}
	return config.Storage{
		PasswordGeneration: 1,
		PostgreSQL: config.PostgreSQL{
			Backend: config.CloudNativePG, Image: "ghcr.io/cloudnative-pg/postgresql:18.6-standard-trixie",
			Instances: 1, Volume: size, Resources: resources,
			Pooler: config.Pooler{
				Instances: 1, Mode: config.PoolSession, MaxClientConnections: 200, PoolSize: 20,
				Image: "ghcr.io/cloudnative-pg/pgbouncer:1.25.1",
			},
			Backup:     config.Backup{Schedule: "0 0 2 * * *", Retention: "30d", Path: "postgresql"},
			PodMonitor: true, Operator: config.DatabaseOperator{Replicas: 1, PodMonitor: true},
			Clusters: []config.DatabaseCluster{{
				Name: "platform", Instances: 1, Volume: &size, Resources: &resources,
				Databases: []config.Database{{Name: "iris", Owner: "iris"}, {Name: "gateway", Owner: "gateway"}, {Name: "controlplane", Owner: "controlplane"}},
			}},
			ControlPlaneSSLMode: config.SSLVerifyFull,
		},
		Cache: config.Cache{
			Backend: config.Valkey,
			Images: config.CacheImages{
				Server: "docker.io/valkey/valkey:9.0.6", Exporter: "docker.io/oliver006/redis_exporter:v1.89.0", Proxy: "docker.io/library/haproxy:3.2.25",
			},
			Servers: 1, Resources: config.ResourceClass{Requests: amounts("100m", "512Mi"), Limits: amounts("500m", "1Gi")},
			MaxMemoryPercent: 75, EvictionPolicy: "allkeys-lru", MaxReplicaLag: config.Duration(10 * time.Second), ServiceMonitor: true,
		},
		ObjectStorage: config.ObjectStorage{
			Backend: config.ObjectsMinIO, Bucket: "controlplane-files", BackupBucket: "controlplane-files-backups",
			MinIO: &config.MinIO{
				Image: "docker.io/pgsty/silo:RELEASE.2026-08-06T00-00-00Z", Servers: 1, Volume: volume("20Gi", ""),
				Resources: resources, ServiceMonitor: true,
			},
		},
	}
}

// TestDerivedStorage shows what follows from other values, and that a stack may
// override it.
func TestDerivedStorage(t *testing.T) {
	type storage = config.Storage
	counts := func(s storage) any {
		p, c := s.PostgreSQL, s.Cache
		return []int{p.Instances, p.SynchronousReplicas, p.Pooler.Instances, p.Operator.Replicas, c.Servers, c.Sentinels, c.Proxies, s.ObjectStorage.MinIO.Servers}
	}
	first := func(s storage) config.DatabaseCluster { return s.PostgreSQL.Clusters[0] }
	recovery := func(s storage) any { return *first(s).Recovery }
	for _, test := range []struct {
		name, yaml string
		got        func(storage) any
		want       any
	}{
		{"numbers of single", "", counts, []int{1, 0, 1, 1, 1, 0, 0, 1}},
		{"numbers of zonal", "availability: zonal", counts, []int{3, 1, 2, 2, 3, 3, 2, 4}},
		{"numbers of its own", "availability: zonal\nstorage: {postgresql: {instances: 5, synchronousReplicas: 2}, cache: {servers: 5, sentinels: 5}, objectStorage: {minio: {servers: 8}}}",
			counts, []int{5, 2, 2, 2, 5, 5, 2, 8}},
		{"no synchronous replica although zonal", "availability: zonal\nstorage: {postgresql: {synchronousReplicas: 0}}",
			func(s storage) any { return s.PostgreSQL.SynchronousReplicas }, 0},
		{"failover in one zone", "storage: {cache: {servers: 3}}",
			func(s storage) any { return []int{s.Cache.Servers, s.Cache.Sentinels, s.Cache.Proxies} }, []int{3, 3, 2}},
		{"protected and backed up when zonal", "availability: zonal",
			func(s storage) any { return []bool{s.DeletionProtection, s.PostgreSQL.Backup.Enabled} }, []bool{true, true}},
		{"not protected although zonal", "availability: zonal\nstorage: {deletionProtection: false, postgresql: {backup: {enabled: false}}}",
			func(s storage) any { return []bool{s.DeletionProtection, s.PostgreSQL.Backup.Enabled} }, []bool{false, false}},
		{"protected and backed up although single", "storage: {deletionProtection: true, postgresql: {backup: {enabled: true}}}",
			func(s storage) any { return []bool{s.DeletionProtection, s.PostgreSQL.Backup.Enabled} }, []bool{true, true}},
		{"no backup without object storage", "availability: zonal\nstorage: {objectStorage: {backend: none}}",
			func(s storage) any {
				return []any{s.PostgreSQL.Backup.Enabled, s.ObjectStorage.MinIO, s.ObjectStorage.Bucket}
			},
			[]any{false, (*config.MinIO)(nil), ""}},
		{"storage class of every volume", "storage: {storageClass: fast, postgresql: {walVolume: {storageClass: log}}, cache: {persistence: {}}}",
			func(s storage) any {
				return []string{s.PostgreSQL.Volume.StorageClass, first(s).Volume.StorageClass, first(s).WALVolume.StorageClass,
					s.Cache.Persistence.StorageClass, s.ObjectStorage.MinIO.Volume.StorageClass}
			}, []string{"fast", "fast", "log", "fast", "fast"}},
		{"cluster that follows", "storage: {postgresql: {instances: 3, volume: {size: 50Gi}, walVolume: {size: 7Gi}, parameters: {work_mem: 8MB}, clusters: [{" + databases + "}]}}",
			func(s storage) any { return toJSON(t, first(s)) },
			toJSON(t, config.DatabaseCluster{
				Name: "platform", Instances: 3, Volume: ptr(volume("50Gi", "")), WALVolume: ptr(volume("7Gi", "")),
				Databases:  []config.Database{{Name: "iris", Owner: "iris"}, {Name: "gateway", Owner: "gateway"}, {Name: "controlplane", Owner: "controlplane"}},
				Resources:  &config.ResourceClass{Requests: amounts("100m", "512Mi"), Limits: amounts("1000m", "1Gi")},
				Parameters: config.Parameters{"work_mem": "8MB"},
			})},
		{"cluster with values of its own", "storage: {postgresql: {parameters: {work_mem: 8MB, jit: false}, clusters: [{" + databases +
			", instances: 2, volume: {size: 1Ti}, walVolume: {}, resources: {limits: {cpu: 3}}, parameters: {work_mem: 16MB, max_connections: 200}}]}}",
			func(s storage) any {
				d := first(s)
				d.Databases = nil
				return toJSON(t, d)
			},
			toJSON(t, config.DatabaseCluster{
				Name: "platform", Instances: 2, Volume: ptr(volume("1Ti", "")), WALVolume: ptr(volume("5Gi", "")),
				Resources:  &config.ResourceClass{Requests: amounts("100m", "512Mi"), Limits: amounts("3", "1Gi")},
				Parameters: config.Parameters{"work_mem": "16MB", "jit": "off", "max_connections": "200"},
			})},
		{"owner of its own", owned("{name: iris, owner: keycloak}, {name: gateway}, {name: controlplane}"),
			func(s storage) any { return first(s).Databases[0] }, config.Database{Name: "iris", Owner: "keycloak"}},
		{"recovery of the same cluster", cluster("recovery: {}"), recovery,
			config.Recovery{SourceCluster: "platform", Path: "postgresql", ServerName: "platform-restored"}},
		{"recovery of what was restored itself", cluster("recovery: {sourceCluster: platform-restored, path: old, targetTime: '2026-11-02T09:30:00+01:00'}"), recovery,
			config.Recovery{SourceCluster: "platform-restored", Path: "old", TargetTime: "2026-11-02T09:30:00+01:00", ServerName: "platform-restored-restored"}},
		{"buckets of MinIO", "storage: {objectStorage: {bucket: files}}",
			func(s storage) any { return s.ObjectStorage.Bucket + " " + s.ObjectStorage.BackupBucket }, "files files-backups"},
		{"Amazon S3", s3("bucket: files, backupBucket: other"),
			func(s storage) any {
				return []any{s.ObjectStorage.BackupBucket, *s.ObjectStorage.S3, s.ObjectStorage.MinIO}
			},
			[]any{"other", config.S3{NoncurrentVersionDays: 90, AbortUploadDays: 7}, (*config.MinIO)(nil)}},
		{"one backup schedule of the week", "storage: {postgresql: {backup: {schedule: '0 30 3 * * SUN', retention: 8w}}}",
			func(s storage) any { return s.PostgreSQL.Backup.Schedule + " " + s.PostgreSQL.Backup.Retention }, "0 30 3 * * SUN 8w"},
		{"image by digest", "storage: {cache: {images: {server: 'registry.example.com:5000/valkey:9.0.6@sha256:" + strings.Repeat("a", 64) + "'}}}",
			func(s storage) any { return s.Cache.Images.Server }, "registry.example.com:5000/valkey:9.0.6@sha256:" + strings.Repeat("a", 64)},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg, err := parse(t, test.yaml)
			require.NoError(t, err)
			assert.Equal(t, test.want, test.got(cfg.Storage))
		})
	}
}

func ptr[T any](value T) *T { return &value }

// TestClustersDoNotShare changes what one cluster has.
func TestClustersDoNotShare(t *testing.T) {
	cfg, err := parse(t, "storage: {postgresql: {parameters: {work_mem: 8MB}, clusters: [{name: a, databases: [{name: iris}, {name: gateway}]}, {name: b, databases: [{name: controlplane}]}]}}")
	require.NoError(t, err)
	p := cfg.Storage.PostgreSQL
	p.Clusters[0].Parameters["work_mem"] = "1GB"
	p.Clusters[0].Volume.Size.Add(resource.MustParse("1Gi"))
	assert.Equal(t, "8MB", p.Clusters[1].Parameters["work_mem"])
	assert.Equal(t, "8MB", p.Parameters["work_mem"])
	assert.Equal(t, "10Gi", p.Clusters[1].Volume.Size.String())
}
