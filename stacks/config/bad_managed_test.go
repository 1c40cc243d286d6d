package config_test

const (
	notOfRDS         = "is not allowed with backend rds, which does not use it"
	notOfElastiCache = "is not allowed with backend elastiCache, which does not use it"
	awsNetwork       = "aws: {region: eu-central-1, network: {vpcId: vpc-0123456789abcdef0, subnetIds: [subnet-0123456789abcdef0, subnet-0123456789abcdef1], clientCidrs: [10.0.0.0/16]}}"
	rdsNetwork       = "is missing; controlplane:storage.postgresql.backend rds needs it with cluster.kind existing: the VPC, subnets and clients of what AWS runs"
)

// rds are databases of Amazon RDS beside an existing cluster.
func rds(keys string) string {
	return awsNetwork + "\nstorage: {postgresql: {backend: rds, rds: {" + keys + "}}}"
}

// elastiCache is a cache of Amazon ElastiCache beside an existing cluster.
func elastiCache(keys string) string {
	return awsNetwork + "\nstorage: {cache: {backend: elastiCache, elastiCache: {" + keys + "}}}"
}

var badManaged = []badConfiguration{
	// Where they are.
	{"RDS without AWS", "storage: {postgresql: {backend: rds}}", []string{
		"controlplane:aws.network: " + rdsNetwork,
		"controlplane:aws.region: is missing; controlplane:storage.postgresql.backend rds needs the AWS region of the databases"}},
	{"ElastiCache without AWS", "storage: {cache: {backend: elastiCache}}", []string{
		"controlplane:aws.network: is missing; controlplane:storage.cache.backend elastiCache needs it with cluster.kind existing: the VPC, subnets and clients of what AWS runs",
		"controlplane:aws.region: is missing; controlplane:storage.cache.backend elastiCache needs the AWS region of the cache"}},
	{"network for nothing", awsNetwork, []string{
		"controlplane:aws.network: has no effect; is only allowed with controlplane:storage.postgresql.backend rds or storage.cache.backend elastiCache"}},
	{"network beside that of EKS", rds("") + "\ncluster: {kind: eks}", []string{
		"controlplane:aws.network: is only allowed with controlplane:cluster.kind existing; kind is eks, whose network is used"}},
	{"network of one subnet that everybody reaches", "aws: {region: eu-central-1, network: {vpcId: vpc-0123456789abcdef0, subnetIds: [subnet-0123456789abcdef0], clientCidrs: [0.0.0.0/0]}}\nstorage: {postgresql: {backend: rds}}", []string{
		"controlplane:aws.network.clientCidrs: let everybody reach the data; must be the addresses of the cluster's pods or nodes",
		`controlplane:aws.network.subnetIds: "subnet-0123456789abcdef0" must be at least two subnets, in different zones, which RDS demands`}},

	{"tags that AWS does not take", "aws: {tags: {'aws:team': a, '': b, team: 'a;b'}}", []string{
		`controlplane:aws.tags: "" is no key of a tag; must be 1 to 128 letters, digits, spaces and _.:/=+-@`,
		`controlplane:aws.tags: "aws:team" begins with aws:, which is reserved; must begin otherwise`,
		`controlplane:aws.tags: "team: a;b" has no value of a tag; must be up to 256 letters, digits, spaces and _.:/=+-@`}},

	// RDS.
	{"section of RDS without it", "storage: {postgresql: {rds: {}}}", []string{
		"controlplane:storage.postgresql.rds: is only allowed with backend rds; backend is cloudNativePG"}},
	{"settings of CloudNativePG with RDS", awsNetwork + "\nstorage: {postgresql: {backend: rds, image: 'registry.example.com/psql:stable', instances: 3, synchronousReplicas: 1, volume: {size: 20Gi}, walVolume: {}, resources: {limits: {cpu: 2}}, pooler: {enabled: true}, backup: {enabled: true}, podMonitor: false, operator: {replicas: 2}}}", []string{
		"controlplane:storage.postgresql.backup: " + notOfRDS,
		"controlplane:storage.postgresql.instances: " + notOfRDS, "controlplane:storage.postgresql.operator: " + notOfRDS,
		"controlplane:storage.postgresql.podMonitor: " + notOfRDS, "controlplane:storage.postgresql.pooler: " + notOfRDS,
		"controlplane:storage.postgresql.resources: " + notOfRDS, "controlplane:storage.postgresql.synchronousReplicas: " + notOfRDS,
		"controlplane:storage.postgresql.volume: " + notOfRDS, "controlplane:storage.postgresql.walVolume: " + notOfRDS}},
	{"settings of CloudNativePG for one instance of RDS", awsNetwork + "\nstorage: {postgresql: {backend: rds, clusters: [{" + databases + ", instances: 3, volume: {}, recovery: {}}]}}", []string{
		"controlplane:storage.postgresql.clusters[0].instances: " + notOfRDS,
		"controlplane:storage.postgresql.clusters[0].recovery: " + notOfRDS,
		"controlplane:storage.postgresql.clusters[0].volume: " + notOfRDS}},
	{"operator of databases that AWS runs", rds("") + "\nartifacts: {overrides: {cloudNativePG: {directory: a}, barmanCloud: {directory: b}}}", []string{
		"controlplane:artifacts.overrides.barmanCloud: has no effect; controlplane:storage.postgresql.backend is not cloudNativePG, so that nothing is installed from it",
		"controlplane:artifacts.overrides.cloudNativePG: has no effect; controlplane:storage.postgresql.backend is not cloudNativePG, so that nothing is installed from it"}},
	{"needed databases that RDS lacks", awsNetwork + "\nstorage: {postgresql: {backend: rds, clusters: [{name: a--b, databases: [{name: iris}, {name: gateway}, {name: rdsadmin}, {name: x, owner: rds_superuser}]}]}}", []string{
		"controlplane:storage.postgresql.clusters: have no database controlplane; must have iris, gateway and controlplane",
		`controlplane:storage.postgresql.clusters[0].databases[2].name: "rdsadmin" is a name of RDS' own; must be another name`,
		`controlplane:storage.postgresql.clusters[0].databases[3].owner: "rds_superuser" is a role of RDS' own; must be another name`,
		`controlplane:storage.postgresql.clusters[0].name: "a--b" must not have two - in a row, which RDS takes in no name`}},
	{"old PostgreSQL", rds("engineVersion: '13'"), []string{
		`controlplane:storage.postgresql.rds.engineVersion: "13" must be a major version of PostgreSQL from 14 on, such as "18", or a minor one such as "18.1", in quotes`}},
	{"version of PostgreSQL without quotes", rds("engineVersion: 17"), []string{
		`controlplane:storage.postgresql.rds.engineVersion: 17 must be a major version of PostgreSQL from 14 on, such as "18", or a minor one such as "18.1", in quotes; did you mean "17"?`}},
	{"class of an EC2 instance", rds("instanceClass: m7g.large"), []string{
		`controlplane:storage.postgresql.rds.instanceClass: "m7g.large" must be a class of RDS instances such as db.m7g.large`}},
	{"one zone of RDS with zonal", "availability: zonal\nmonitoring: {grafana: {enabled: false}}\n" + rds("multiAz: false"), []string{
		"controlplane:storage.postgresql.rds.multiAz: false must be true with controlplane:availability zonal"}},
	{"small storage", rds("storage: 10Gi"), []string{
		`controlplane:storage.postgresql.rds.storage: "10Gi" must be at least "20Gi"`}},
	{"storage between sizes", rds("storage: 20500Mi, maxStorage: 100Ti"), []string{
		`controlplane:storage.postgresql.rds.maxStorage: "100Ti" must be at most "64Ti"`,
		`controlplane:storage.postgresql.rds.storage: "20500Mi" must be whole gibibytes, such as 100Gi`}},
	{"growth by less than AWS grows by", rds("storage: 100Gi, maxStorage: 105Gi"), []string{
		`controlplane:storage.postgresql.rds.maxStorage: "105Gi" must be "100Gi", with which storage stays as it is, or at least "110Gi", a tenth more`}},
	{"storage that shrinks by itself", rds("storage: 100Gi, maxStorage: 50Gi"), []string{
		`controlplane:storage.postgresql.rds.maxStorage: "50Gi" must be "100Gi", with which storage stays as it is, or at least "110Gi", a tenth more`}},
	{"no backups", rds("backupRetentionDays: 0"), []string{
		"controlplane:storage.postgresql.rds.backupRetentionDays: 0 must be a whole number from 1 to 35"}},
	{"windows that overlap", rds("backupWindow: '23:45-00:45', maintenanceWindow: 'mon:00:30-mon:01:30'"), []string{
		`controlplane:storage.postgresql.rds.maintenanceWindow: "mon:00:30-mon:01:30" overlaps with backupWindow, which is "23:45-00:45"; must be at another time`}},
	{"windows too short", rds("backupWindow: '02:00-02:10', maintenanceWindow: 'sun:04:00-sun:04:10'"), []string{
		`controlplane:storage.postgresql.rds.backupWindow: "02:00-02:10" must be at least half an hour`,
		`controlplane:storage.postgresql.rds.maintenanceWindow: "sun:04:00-sun:04:10" must be at least 30m and at most 24h`}},
	{"windows that are none", rds("backupWindow: '2-3', maintenanceWindow: sunday"), []string{
		`controlplane:storage.postgresql.rds.backupWindow: "2-3" must be a time span of each day in quotes, such as "02:00-03:00"`,
		`controlplane:storage.postgresql.rds.maintenanceWindow: "sunday" must be a time span of each week such as sun:03:30-sun:04:30`}},
	{"key of another region for databases", rds("kmsKeyArn: 'arn:aws:kms:eu-west-1:123456789012:key/1234abcd'"), []string{
		`controlplane:storage.postgresql.rds.kmsKeyArn: "arn:aws:kms:eu-west-1:123456789012:key/1234abcd" must be a key in controlplane:aws.region, which is eu-central-1`}},
	{"expired authority of databases", rds("caBundle: $EXPIRED"), []string{
		`controlplane:storage.postgresql.rds.caBundle: "CN=expired" expired on …; must be valid`}},

	// ElastiCache.
	{"section of ElastiCache without it", "storage: {cache: {elastiCache: {}}}", []string{
		"controlplane:storage.cache.elastiCache: is only allowed with backend elastiCache; backend is valkey"}},
	{"settings of Valkey with ElastiCache", awsNetwork + "\nstorage: {cache: {backend: elastiCache, servers: 3, sentinels: 3, proxies: 2, images: {}, resources: {}, maxMemoryPercent: 50, persistence: {}, maxReplicaLag: 5s, serviceMonitor: true}}", []string{
		"controlplane:storage.cache.images: " + notOfElastiCache, "controlplane:storage.cache.maxMemoryPercent: " + notOfElastiCache,
		"controlplane:storage.cache.maxReplicaLag: " + notOfElastiCache, "controlplane:storage.cache.persistence: " + notOfElastiCache,
		"controlplane:storage.cache.proxies: " + notOfElastiCache, "controlplane:storage.cache.resources: " + notOfElastiCache,
		"controlplane:storage.cache.sentinels: " + notOfElastiCache, "controlplane:storage.cache.servers: " + notOfElastiCache,
		"controlplane:storage.cache.serviceMonitor: " + notOfElastiCache}},
	{"one node with zonal", "availability: zonal\n" + elastiCache("nodes: 1"), []string{
		"controlplane:storage.cache.elastiCache.nodes: 1 must be from 2 to 6 with controlplane:availability zonal"}},
	{"version of Redis", elastiCache("engineVersion: '6.2', nodeType: t4g.small"), []string{
		`controlplane:storage.cache.elastiCache.engineVersion: "6.2" must be a version of Valkey such as "8.1", in quotes`,
		`controlplane:storage.cache.elastiCache.nodeType: "t4g.small" must be a type of ElastiCache nodes such as cache.t4g.small`}},
	{"maintenance of half an hour", elastiCache("maintenanceWindow: 'sun:23:45-mon:00:15', kmsKeyArn: 'arn:aws:kms:eu-west-1:123456789012:key/1234abcd'"), []string{
		`controlplane:storage.cache.elastiCache.kmsKeyArn: "arn:aws:kms:eu-west-1:123456789012:key/1234abcd" must be a key in controlplane:aws.region, which is eu-central-1`,
		`controlplane:storage.cache.elastiCache.maintenanceWindow: "sun:23:45-mon:00:15" must be at least 1h and at most 24h`}},
	{"class of a load balancer of the cloud provider", eks("") + "\n" + traefik("service: {loadBalancer: nlb-cloud-provider, loadBalancerClass: service.k8s.aws/nlb}"), []string{
		`controlplane:network.ingress.traefik.service.loadBalancerClass: "service.k8s.aws/nlb" has another controller make the load balancer than nlb-cloud-provider, which has no class; must be left out, or loadBalancer be none or nlb`}},
}
