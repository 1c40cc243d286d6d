package config

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/resource"
)

// implyManaged adds the sections of data stores that AWS runs, and derived
// values whose zero may be chosen too.
func implyManaged(databases, cache map[string]any, zonal bool) {
	if databases["backend"] == string(DatabasesRDS) {
		absent(group(databases, "rds"), "multiAz", zonal)
	}
	if cache["backend"] == string(CacheElastiCache) {
		group(cache, "elastiCache")
	}
}

func (c *Config) deriveManaged() {
	if rds := c.Storage.PostgreSQL.RDS; rds != nil {
		c.deriveRDS(rds)
	}
	if cache := c.Storage.Cache.ElastiCache; cache != nil {
		c.replicas(&cache.Nodes, 3)
	}
}

func (c *Config) deriveRDS(r *RDS) {
	if r.MaxStorage.IsZero() {
		r.MaxStorage = times(r.Storage, 4)
	}
	if r.BackupRetentionDays == 0 {
		r.BackupRetentionDays = 7
		if c.Availability == Zonal {
			r.BackupRetentionDays = 30
		}
	}
}

// times is a multiple of an amount of bytes, in whole gibibytes as AWS counts.
func times(amount Quantity, factor int64) Quantity {
	return resource.MustParse(fmt.Sprintf("%dGi", gibibytes(amount)*factor))
}

// gibibytes is an amount of bytes in gibibytes, rounded up.
func gibibytes(amount Quantity) int64 {
	const gibibyte = 1 << 30
	return (amount.Value() + gibibyte - 1) / gibibyte
}
