package config_test

import (
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
				Image: "docker.io/pgsty/minio:RELEASE.2026-06-18T00-00-00Z", Servers: 1, Volume: volume("20Gi", ""),
				Resources: resources, ServiceMonitor: true,
			},
		},
	}
}

func TestDerivedStorage(t *testing.T) {
	cfg, err := parse(t, "availability: zonal")
	require.NoError(t, err)
	s := cfg.Storage
	assert.True(t, s.DeletionProtection)
	assert.True(t, s.PostgreSQL.Backup.Enabled)
	assert.Equal(t, []int{3, 1, 2, 2, 3}, []int{s.PostgreSQL.Instances, s.PostgreSQL.SynchronousReplicas, s.PostgreSQL.Pooler.Instances,
		s.PostgreSQL.Operator.Replicas, s.PostgreSQL.Clusters[0].Instances})
	assert.Equal(t, []int{3, 3, 2}, []int{s.Cache.Servers, s.Cache.Sentinels, s.Cache.Proxies})
	assert.Equal(t, 4, s.ObjectStorage.MinIO.Servers)
}
