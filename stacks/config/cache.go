package config

// CacheBackend is what runs the cache.
type CacheBackend string

const (
	// Valkey runs on the cluster.
	Valkey CacheBackend = "valkey"
	// CacheElastiCache is Amazon ElastiCache.
	CacheElastiCache CacheBackend = "elastiCache"
)

// EvictionPolicy says what a full cache drops.
type EvictionPolicy string

// Cache configures the cache.
type Cache struct {
	// What runs the cache: `valkey` runs Valkey on the cluster, which speaks the protocol that clients call Redis; `elastiCache` is Amazon ElastiCache with Valkey. With elastiCache, of the keys here only evictionPolicy and elastiCache are allowed.
	Backend CacheBackend `json:"backend,omitempty" jsonschema:"enum=valkey,enum=elastiCache,default=valkey"`
	// Images of the cache.
	Images CacheImages `json:"images"`
	// Servers: one primary, and replicas of all of its data. At least 3 with availability zonal.
	Servers int `json:"servers" jsonschema:"minimum=1,maximum=7" jsonschema_extras:"x-derived=1 (single)\\, 3 (zonal)"`
	// Sentinels, which vote a replica to be the primary when that is gone. An odd number, so that a majority can always be formed. Only with more than one server.
	Sentinels int `json:"sentinels" jsonschema:"minimum=3,maximum=7" jsonschema_extras:"x-derived=none with one server\\, otherwise 3"`
	// Replicas of the proxy, which leads clients to the primary. At least 2 with availability zonal. Only with more than one server.
	Proxies int `json:"proxies" jsonschema:"minimum=1,maximum=5" jsonschema_extras:"x-derived=none with one server\\, otherwise 2"`
	// What each server reserves and may use.
	Resources ResourceClass `json:"resources" defaults:"requests.cpu=100m,requests.memory=512Mi,limits.cpu=500m,limits.memory=1Gi"`
	// Share of a server's memory limit that data may take, in percent. The rest is for buffers of replication and of clients, and for pages that are copied while data is saved.
	MaxMemoryPercent int `json:"maxMemoryPercent" jsonschema:"minimum=10,maximum=90,default=75"`
	// What is dropped when the memory for data is full. By default what was not used for the longest time: everything in the cache can be made again, and a cache that refused to write would stop the gateway. `noeviction` refuses to write.
	EvictionPolicy EvictionPolicy `json:"evictionPolicy,omitempty" jsonschema:"enum=noeviction,enum=allkeys-lru,enum=allkeys-lfu,enum=allkeys-random,enum=volatile-lru,enum=volatile-lfu,enum=volatile-random,enum=volatile-ttl,default=allkeys-lru"`
	// A volume for each server, so that data outlives a restart of all of them. Without it data is in memory only.
	Persistence *Volume `json:"persistence,omitempty" defaults:"size=4Gi"`
	// How long, in whole seconds, the primary goes on writing while no replica answers. It bounds what a failover can lose. Without effect with one server.
	MaxReplicaLag Duration `json:"maxReplicaLag,omitempty" jsonschema:"default=10s"`
	// Whether a ServiceMonitor has Prometheus scrape the cache.
	ServiceMonitor bool `json:"serviceMonitor" jsonschema:"default=true"`
	// Amazon ElastiCache. Not allowed with another backend.
	ElastiCache *ElastiCache `json:"elastiCache,omitempty"`
}

// CacheImages are the images of the cache.
type CacheImages struct {
	// Image of the servers and sentinels.
	Server string `json:"server,omitempty" jsonschema:"format=image,default=docker.io/valkey/valkey:9.0.6"`
	// Image of what exports metrics.
	Exporter string `json:"exporter,omitempty" jsonschema:"format=image,default=docker.io/oliver006/redis_exporter:v1.89.0"`
	// Image of the proxy, HAProxy.
	Proxy string `json:"proxy,omitempty" jsonschema:"format=image,default=docker.io/library/haproxy:3.2.25"`
}
