package config_test

import "strings"

const (
	image         = "must be an image with its registry and a tag other than latest, such as docker.io/valkey/valkey:9.0.6"
	bucket        = "must be 3 to 63 lower-case letters, digits and -, with a letter or digit first and last, and no prefix or suffix that Amazon S3 reserves"
	schedule      = "must be a cron expression of six fields with the seconds first, such as 0 0 2 * * *"
	databaseName  = "must be 1 to 63 lower-case letters, digits and _, with a letter first and a letter or digit last"
	clusterName   = "must be 1 to 40 lower-case letters, digits and -, with a letter first and a letter or digit last"
	serverName    = "must be 1 to 63 letters, digits, -, _ and ., with a letter or digit first and last"
	objectPath    = "must be a path without a slash first or last, such as backups/postgresql"
	clusterKeys   = "databases, instances, name, parameters, recovery, resources, volume, walVolume"
	databaseItems = "must be a list, not empty, each item a map with the keys name, owner"
)

// databases are one cluster with all databases; a test adds to it.
const databases = "name: platform, databases: [{name: iris}, {name: gateway}, {name: controlplane}]"

// cluster is a storage with one cluster of PostgreSQL and more keys of it.
func cluster(more string) string {
	return "storage: {postgresql: {clusters: [{" + databases + ", " + more + "}]}}"
}

// owned is a storage with one cluster of the given databases.
func owned(databases string) string {
	return "storage: {postgresql: {clusters: [{name: platform, databases: [" + databases + "]}]}}"
}

// s3 is a storage in Amazon S3 with everything it needs elsewhere.
func s3(objectStorage string) string {
	return "aws: {region: eu-central-1}\ncluster: {oidcProviderArn: 'arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/A1'}\n" +
		"storage: {objectStorage: {backend: s3, " + objectStorage + "}}"
}

var badStorage = []badConfiguration{
	// Keys and types, also in items of lists.
	{"misspelt part", "storage: {postgres: {}}", []string{
		`controlplane:storage.postgres: is not a key; allowed are cache, deletionProtection, objectStorage, passwordGeneration, postgresql, storageClass; did you mean "postgresql"?`}},
	{"misspelt key of a cluster", cluster("instnces: 3"), []string{
		"controlplane:storage.postgresql.clusters[0].instnces: is not a key; allowed are " + clusterKeys + `; did you mean "instances"?`}},
	{"misspelt key of a second database", owned("{name: iris}, {name: gateway, ownr: kong}, {name: controlplane}"), []string{
		`controlplane:storage.postgresql.clusters[0].databases[1].ownr: is not a key; allowed are name, owner; did you mean "owner"?`}},
	{"misspelt name of a needed database's key", owned("{name: iris}, {nmae: gateway}, {name: controlplane}"), []string{
		"controlplane:storage.postgresql.clusters[0].databases[1].name: is missing; " + databaseName,
		`controlplane:storage.postgresql.clusters[0].databases[1].nmae: is not a key; allowed are name, owner; did you mean "name"?`}},
	{"cluster without a name", "storage: {postgresql: {clusters: [{databases: [{name: iris}, {name: gateway}, {name: controlplane}]}]}}", []string{
		"controlplane:storage.postgresql.clusters[0].name: is missing; " + clusterName}},
	{"cluster without databases", "storage: {postgresql: {clusters: [{name: a}, {" + databases + "}]}}", []string{
		"controlplane:storage.postgresql.clusters[0].databases: is missing; " + databaseItems}},
	{"cluster that is a name", "storage: {postgresql: {clusters: [platform]}}", []string{
		`controlplane:storage.postgresql.clusters[0]: a string must be a map with the keys ` + clusterKeys}},
	{"databases that are names", owned("iris, gateway"), []string{
		`controlplane:storage.postgresql.clusters[0].databases[0]: a string must be a map with the keys name, owner`,
		`controlplane:storage.postgresql.clusters[0].databases[1]: a string must be a map with the keys name, owner`}},
	{"no clusters", "storage: {postgresql: {clusters: []}}", []string{
		"controlplane:storage.postgresql.clusters: must be a list, not empty, each item a map with the keys " + clusterKeys}},
	{"parameter with a list", "storage: {postgresql: {parameters: {log_connections: [receipt]}}}", []string{
		"controlplane:storage.postgresql.parameters.log_connections: a list must be a string, a number, true or false"}},
	{"parameters as a text", "storage: {postgresql: {parameters: max_connections=200}}", []string{
		`controlplane:storage.postgresql.parameters: "max_connections=200" must be a map of names to values, each a string, a number, true or false`}},

	// Choices, ranges and formats.
	{"unknown database backend", "storage: {postgresql: {backend: RDS}}", []string{
		`controlplane:storage.postgresql.backend: "RDS" must be one of cloudNativePG, rds; did you mean "rds"?`}},
	{"unknown cache backend", "storage: {cache: {backend: redis}}", []string{
		`controlplane:storage.cache.backend: "redis" must be one of valkey, elastiCache`}},
	{"unknown object storage", "storage: {objectStorage: {backend: mini0}}", []string{
		`controlplane:storage.objectStorage.backend: "mini0" must be one of minio, s3, none; did you mean "minio"?`}},
	{"section of an unknown object storage", "storage: {objectStorage: {backend: S4, s3: {existing: true}}}", []string{
		`controlplane:storage.objectStorage.backend: "S4" must be one of minio, s3, none; did you mean "s3"?`}},
	{"unknown eviction policy", "storage: {cache: {evictionPolicy: allkeys_lru}}", []string{
		`controlplane:storage.cache.evictionPolicy: "allkeys_lru" must be one of noeviction, allkeys-lru, allkeys-lfu, allkeys-random, volatile-lru, volatile-lfu, volatile-random, volatile-ttl; did you mean "allkeys-lru"?`}},
	{"unknown SSL mode", "storage: {postgresql: {controlPlaneSSLMode: disable}}", []string{
		`controlplane:storage.postgresql.controlPlaneSSLMode: "disable" must be one of verify-full, require`}},
	{"unknown pool mode", "storage: {postgresql: {pooler: {mode: statement}}}", []string{
		`controlplane:storage.postgresql.pooler.mode: "statement" must be one of session, transaction`}},
	{"more instances than there can be", "storage: {postgresql: {instances: 10}}", []string{
		"controlplane:storage.postgresql.instances: 10 must be a whole number from 1 to 9"}},
	{"latest image", "storage: {postgresql: {image: 'ghcr.io/cloudnative-pg/postgresql:latest'}}", []string{
		`controlplane:storage.postgresql.image: "ghcr.io/cloudnative-pg/postgresql:latest" ` + image}},
	{"image without a tag", "storage: {objectStorage: {minio: {image: 'localhost:5000/minio'}}}", []string{
		`controlplane:storage.objectStorage.minio.image: "localhost:5000/minio" ` + image}},
	{"image without a registry", "storage: {cache: {images: {server: 'valkey/valkey:9.0.6'}}}", []string{
		`controlplane:storage.cache.images.server: "valkey/valkey:9.0.6" ` + image}},
	{"image with a digest that is none", "storage: {cache: {images: {proxy: 'docker.io/library/haproxy:3.2.25@sha256:abc'}}}", []string{
		`controlplane:storage.cache.images.proxy: "docker.io/library/haproxy:3.2.25@sha256:abc" ` + image}},
	{"schedule of five fields", "storage: {postgresql: {backup: {schedule: '0 2 * * *'}}}", []string{
		`controlplane:storage.postgresql.backup.schedule: "0 2 * * *" ` + schedule}},
	{"schedule that never comes", "storage: {postgresql: {backup: {schedule: '0 0 25 * * *'}}}", []string{
		`controlplane:storage.postgresql.backup.schedule: "0 0 25 * * *" ` + schedule}},
	{"schedule with a time zone", "storage: {postgresql: {backup: {schedule: 'TZ=UTC 0 2 * * *'}}}", []string{
		`controlplane:storage.postgresql.backup.schedule: "TZ=UTC 0 2 * * *" ` + schedule}},
	{"retention in years", "storage: {postgresql: {backup: {retention: 1y}}}", []string{
		`controlplane:storage.postgresql.backup.retention: "1y" must be a number of days, weeks or months, such as 30d, 4w or 6m`}},
	{"backups at a path with slashes around", "storage: {postgresql: {backup: {path: /backups/}}}", []string{
		`controlplane:storage.postgresql.backup.path: "/backups/" ` + objectPath}},
	{"backups above the bucket", "storage: {postgresql: {backup: {path: ../postgresql}}}", []string{
		`controlplane:storage.postgresql.backup.path: "../postgresql" ` + objectPath}},
	{"target time without a zone", cluster("recovery: {targetTime: '2026-11-02T09:30:00'}"), []string{
		`controlplane:storage.postgresql.clusters[0].recovery.targetTime: "2026-11-02T09:30:00" must be a time with its zone, such as 2026-11-02T09:30:00Z`}},
	{"server name with a slash", cluster("recovery: {sourceCluster: a/b}"), []string{
		`controlplane:storage.postgresql.clusters[0].recovery.sourceCluster: "a/b" ` + serverName}},
	{"cluster with a name too long for its services", "storage: {postgresql: {clusters: [{name: " + strings.Repeat("x", 41) + ", databases: [{name: iris}, {name: gateway}, {name: controlplane}]}]}}", []string{
		`controlplane:storage.postgresql.clusters[0].name: "` + strings.Repeat("x", 41) + `" ` + clusterName}},
	{"database with a dash", owned("{name: iris}, {name: gateway}, {name: controlplane}, {name: my-db}"), []string{
		`controlplane:storage.postgresql.clusters[0].databases[3].name: "my-db" ` + databaseName}},
	{"bucket in capitals", "storage: {objectStorage: {bucket: Files}}", []string{
		`controlplane:storage.objectStorage.bucket: "Files" ` + bucket}},
	{"bucket with a reserved suffix", s3("bucket: files-s3alias"), []string{
		`controlplane:storage.objectStorage.bucket: "files-s3alias" ` + bucket}},
	{"region that is none", "aws: {region: Frankfurt}", []string{
		`controlplane:aws.region: "Frankfurt" must be an AWS region such as eu-central-1`}},
	{"ARN of a role for that of a provider", "cluster: {oidcProviderArn: 'arn:aws:iam::123456789012:role/a'}", []string{
		`controlplane:cluster.oidcProviderArn: "arn:aws:iam::123456789012:role/a" must be the ARN of an IAM OIDC provider, such as arn:aws:iam::123456789012:oidc-provider/oidc.example.com/id`}},
	{"key by its alias", s3("bucket: files, s3: {kmsKeyArn: alias/files}"), []string{
		`controlplane:storage.objectStorage.s3.kmsKeyArn: "alias/files" must be the ARN of a KMS key, such as arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab`}},

	// PostgreSQL.
	{"image whose tag has no version", "storage: {postgresql: {image: 'registry.example.com:5000/postgresql:stable-18'}}", []string{
		`controlplane:storage.postgresql.image: "registry.example.com:5000/postgresql:stable-18" must have a tag that begins with the version of PostgreSQL, such as 18.6-standard-trixie: the operator reads it there`}},
	{"backups without object storage", "storage: {postgresql: {backup: {enabled: true}}, objectStorage: {backend: none}}", []string{
		"controlplane:storage.postgresql.backup.enabled: true needs object storage; controlplane:storage.objectStorage.backend is none"}},
	{"recovery without object storage", cluster("recovery: {}")[:len(cluster("recovery: {}"))-1] + ", objectStorage: {backend: none}}", []string{
		"controlplane:storage.postgresql.clusters[0].recovery: needs object storage; controlplane:storage.objectStorage.backend is none"}},
	{"too few instances for zones", "availability: zonal\nstorage: {postgresql: {instances: 2, operator: {replicas: 1}, pooler: {enabled: true, instances: 1}}}", []string{
		"controlplane:storage.postgresql.instances: 2 must be from 3 to 9 with controlplane:availability zonal",
		"controlplane:storage.postgresql.operator.replicas: 1 must be from 2 to 5 with controlplane:availability zonal",
		"controlplane:storage.postgresql.pooler.instances: 1 must be from 2 to 9 with controlplane:availability zonal"}},
	{"one instance for zones", "availability: zonal\nstorage: {postgresql: {instances: 1}}", []string{
		"controlplane:storage.postgresql.instances: 1 must be from 3 to 9 with controlplane:availability zonal"}},
	{"too few instances of one cluster", "availability: zonal\nmonitoring: {grafana: {enabled: false}}\n" + cluster("instances: 1"), []string{
		"controlplane:storage.postgresql.clusters[0].instances: 1 must be from 3 to 9 with controlplane:availability zonal"}},
	{"every replica synchronous and one more", "storage: {postgresql: {instances: 2, synchronousReplicas: 2}}", []string{
		"controlplane:storage.postgresql.instances: 2 must be more than postgresql.synchronousReplicas, which are 2"}},
	{"synchronous replicas that one cluster lacks", "storage: {postgresql: {instances: 3, synchronousReplicas: 1, clusters: [{" + databases + ", instances: 1}]}}", []string{
		"controlplane:storage.postgresql.clusters[0].instances: 1 must be more than postgresql.synchronousReplicas, which are 1"}},
	{"databases with too little", "storage: {postgresql: {resources: {requests: {memory: 128Mi}, limits: {memory: 128Mi}}, volume: {size: 100Mi}, walVolume: {size: 1Gi}}}", []string{
		`controlplane:storage.postgresql.resources.limits.memory: "128Mi" must be at least "256Mi", with which PostgreSQL starts`,
		`controlplane:storage.postgresql.volume.size: "100Mi" must be at least "1Gi"`,
		`controlplane:storage.postgresql.walVolume.size: "1Gi" must be at least "2Gi": the log grows to 1Gi by default before it is recycled`}},
	{"request above its limit in a cluster", cluster("resources: {requests: {memory: 2Gi}}"), []string{
		`controlplane:storage.postgresql.clusters[0].resources.requests.memory: "2Gi" must be at most the limit, which is "1Gi"`}},
	{"small volumes of a cluster", cluster("volume: {size: 1Mi}, walVolume: {size: 1Mi}"), []string{
		`controlplane:storage.postgresql.clusters[0].volume.size: "1Mi" must be at least "1Gi"`,
		`controlplane:storage.postgresql.clusters[0].walVolume.size: "1Mi" must be at least "2Gi": the log grows to 1Gi by default before it is recycled`}},
	{"two clusters of one name", "storage: {postgresql: {clusters: [{name: a, databases: [{name: iris}, {name: gateway}]}, {name: a, databases: [{name: controlplane}]}]}}", []string{
		`controlplane:storage.postgresql.clusters[1].name: "a" is the name of another cluster already; must be another name`}},
	{"database in two clusters", "storage: {postgresql: {clusters: [{" + databases + "}, {name: second, databases: [{name: iris}]}]}}", []string{
		`controlplane:storage.postgresql.clusters[1].databases[0].name: "iris" is a database of cluster platform already; must be in one place only`}},
	{"needed databases that are missing", owned("{name: iris}, {name: other}"), []string{
		"controlplane:storage.postgresql.clusters: have no database gateway; must have iris, gateway and controlplane",
		"controlplane:storage.postgresql.clusters: have no database controlplane; must have iris, gateway and controlplane"}},
	{"gateway with another role", owned("{name: iris}, {name: gateway, owner: kong}, {name: controlplane}"), []string{
		`controlplane:storage.postgresql.clusters[0].databases[1].owner: "kong" must be gateway, the role that the gateway logs in as`}},
	{"one owner of two databases", owned("{name: iris}, {name: gateway}, {name: controlplane, owner: iris}"), []string{
		`controlplane:storage.postgresql.clusters[0].databases[2].owner: "iris" owns the database iris already; must be another role, so that neither database's user gets at the other`}},
	{"reserved names", owned("{name: iris, owner: streaming_replica}, {name: gateway}, {name: controlplane, owner: pg_monitor}, {name: postgres, owner: a}"), []string{
		`controlplane:storage.postgresql.clusters[0].databases[0].owner: "streaming_replica" is a role of PostgreSQL's or CloudNativePG's own; must be another name`,
		`controlplane:storage.postgresql.clusters[0].databases[2].owner: "pg_monitor" is a role of PostgreSQL's or CloudNativePG's own; must be another name`,
		`controlplane:storage.postgresql.clusters[0].databases[3].name: "postgres" is a database of PostgreSQL's own; must be another name`}},
	{"restored cluster that writes among what it was restored from", cluster("recovery: {serverName: platform}"), []string{
		`controlplane:storage.postgresql.clusters[0].recovery.serverName: "platform" is where the backups are that are restored; must be another name, because a cluster never writes among the backups of another`}},
	{"derived server name that is too long", cluster("recovery: {sourceCluster: " + strings.Repeat("x", 60) + "}"), []string{
		`controlplane:storage.postgresql.clusters[0].recovery.serverName: "` + strings.Repeat("x", 60) + `…" is what follows from sourceCluster, and longer than 63 characters; must be given`}},
	{"two clusters that write to one place", "storage: {postgresql: {clusters: [{" + databases + "}, {name: b, recovery: {serverName: platform}, databases: [{name: more}]}]}}", []string{
		`controlplane:storage.postgresql.clusters[1].recovery.serverName: "platform" is the server name of the backups of cluster platform already; must be another name`}},

	// The cache.
	{"too few servers for zones", "availability: zonal\nstorage: {cache: {servers: 2, proxies: 1}}", []string{
		"controlplane:storage.cache.proxies: 1 must be from 2 to 5 with controlplane:availability zonal",
		"controlplane:storage.cache.servers: 2 must be from 3 to 7 with controlplane:availability zonal"}},
	{"even number of sentinels", "storage: {cache: {servers: 3, sentinels: 4}}", []string{
		"controlplane:storage.cache.sentinels: 4 must be an odd number, such as 3 or 5, so that a majority can always be formed"}},
	{"failover with one server", "storage: {cache: {sentinels: 3, proxies: 2}}", []string{
		"controlplane:storage.cache.proxies: 2 is only allowed with more than one server; servers is 1",
		"controlplane:storage.cache.sentinels: 3 is only allowed with more than one server; servers is 1"}},
	{"no room for data", "storage: {cache: {resources: {requests: {memory: 64Mi}, limits: {memory: 64Mi}}}}", []string{
		`controlplane:storage.cache.resources.limits.memory: "64Mi" leaves 47Mi for data with maxMemoryPercent 75; must leave at least 64Mi`}},
	{"volume smaller than what is written to it", "storage: {cache: {resources: {limits: {memory: 4Gi}}, persistence: {size: 4Gi}}}", []string{
		`controlplane:storage.cache.persistence.size: "4Gi" must be at least "6144Mi", twice the memory for data: a file is written anew while the old one is kept`}},
	{"all memory for data", "storage: {cache: {maxMemoryPercent: 100}}", []string{
		"controlplane:storage.cache.maxMemoryPercent: 100 must be a whole number from 10 to 90"}},
	{"fraction of a second", "storage: {cache: {maxReplicaLag: 1500ms}}", []string{
		`controlplane:storage.cache.maxReplicaLag: "1.5s" must be a number of whole seconds, at least 1s`}},

	// Object storage.
	{"three servers for zones", "availability: zonal\nstorage: {objectStorage: {minio: {servers: 3}}}", []string{
		"controlplane:storage.objectStorage.minio.servers: 3 must be from 4 to 16 with controlplane:availability zonal"}},
	{"a cache of two", "storage: {cache: {servers: 2}}", []string{
		"controlplane:storage.cache.servers: 2 must be 1, or from 3 to 7: with two, writes stop when either is gone, so that one alone is better"}},
	{"two servers", "storage: {objectStorage: {minio: {servers: 2}}}", []string{
		"controlplane:storage.objectStorage.minio.servers: 2 must be 1, or from 4 to 16: fewer than 4 servers cannot repair what one of them loses"}},
	{"S3 without AWS", "storage: {objectStorage: {backend: s3}}", []string{
		"controlplane:aws.region: is missing; controlplane:storage.objectStorage.backend s3 needs the AWS region of the buckets",
		"controlplane:cluster.oidcProviderArn: is missing; controlplane:storage.objectStorage.backend s3 needs the ARN of the cluster's IAM OIDC provider, so that pods get at the buckets without stored keys",
		"controlplane:storage.objectStorage.bucket: is missing; backend s3 needs the name of a bucket that nobody else in the world has"}},
	{"S3 with a misspelt region", strings.Replace(s3("bucket: files"), "region", "regoin", 1), []string{
		`controlplane:aws.regoin: is not a key; allowed are assumeRoleArn, network, profile, region, tags; did you mean "region"?`}},
	{"key of another region", s3("bucket: files, s3: {kmsKeyArn: 'arn:aws:kms:eu-west-1:123456789012:key/1234abcd'}"), []string{
		`controlplane:storage.objectStorage.s3.kmsKeyArn: "arn:aws:kms:eu-west-1:123456789012:key/1234abcd" must be a key in controlplane:aws.region, which is eu-central-1`}},
	{"section of MinIO with S3", s3("bucket: files, minio: {servers: 4}"), []string{
		"controlplane:storage.objectStorage.minio: is only allowed with backend minio; backend is s3"}},
	{"section of S3 with MinIO", "storage: {objectStorage: {s3: {existing: true}}}", []string{
		"controlplane:storage.objectStorage.s3: is only allowed with backend s3; backend is minio"}},
	{"buckets of nothing", "storage: {objectStorage: {backend: none, bucket: files, minio: {}}}", []string{
		"controlplane:storage.objectStorage.bucket: \"files\" is only allowed with backend minio or s3; backend is none",
		"controlplane:storage.objectStorage.minio: is only allowed with backend minio; backend is none"}},
	{"backups among the files", "storage: {objectStorage: {backupBucket: controlplane-files}}", []string{
		`controlplane:storage.objectStorage.backupBucket: "controlplane-files" is the File Manager's bucket; must be another one, because that one's users must not read backups`}},
	{"derived bucket that is too long", "storage: {objectStorage: {bucket: " + strings.Repeat("x", 60) + "}}", []string{
		`controlplane:storage.objectStorage.backupBucket: "` + strings.Repeat("x", 60) + `…" is what follows from bucket, and no name of a bucket; must be given`}},
	{"log of accesses to the log", s3("bucket: files, s3: {accessLogBucket: files-backups}"), []string{
		`controlplane:storage.objectStorage.s3.accessLogBucket: "files-backups" is the bucket that is logged; must be another one, because each entry would make one more`}},
}
