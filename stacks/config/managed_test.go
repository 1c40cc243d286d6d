package config_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/stacks/config"
)

// TestManaged shows the defaults of what AWS runs, what follows from other
// values, and that a stack may override it.
func TestManaged(t *testing.T) {
	type storage = config.Storage
	databases := func(s storage) any { return toJSON(t, s.PostgreSQL.RDS) }
	cache := func(s storage) any { return *s.Cache.ElastiCache }
	want := config.RDS{
		EngineVersion: "18", InstanceClass: "db.m7g.large", Storage: volume("50Gi", "").Size, MaxStorage: volume("200Gi", "").Size,
		BackupRetentionDays: 7, BackupWindow: "02:00-03:00", MaintenanceWindow: "sun:03:30-sun:04:30",
	}
	zonal, fixed := want, want
	zonal.MultiAZ, zonal.BackupRetentionDays = true, 30
	fixed.Storage, fixed.MaxStorage = volume("100Gi", "").Size, volume("100Gi", "").Size
	wantCache := config.ElastiCache{EngineVersion: "8.1", NodeType: "cache.t4g.small", Nodes: 1, MaintenanceWindow: "sun:03:30-sun:04:30"}
	zonalCache := wantCache
	zonalCache.Nodes = 3
	for _, test := range []struct {
		name, yaml string
		got        func(storage) any
		want       any
	}{
		{"RDS", rds(""), databases, toJSON(t, want)},
		{"RDS over zones", "availability: zonal\n" + rds(""), databases, toJSON(t, zonal)},
		{"RDS that does not grow", rds("storage: 100Gi, maxStorage: 100Gi"), databases, toJSON(t, fixed)},
		{"RDS that may grow", rds("storage: 100Gi"), func(s storage) any { return s.PostgreSQL.RDS.MaxStorage.String() }, "400Gi"},
		{"no RDS", "", func(s storage) any { return s.PostgreSQL.RDS == nil && s.Cache.ElastiCache == nil }, true},
		{"no backups of our own of RDS", "availability: zonal\n" + rds(""),
			func(s storage) any { return []any{s.PostgreSQL.Backup.Enabled, s.PostgreSQL.SynchronousReplicas} }, []any{false, 0}},
		{"databases of RDS", awsNetwork + "\nstorage: {postgresql: {backend: rds, parameters: {log_min_duration_statement: 1000}, clusters: [{" + databaseList + ", parameters: {work_mem: 16384}}]}}",
			func(s storage) any {
				d := s.PostgreSQL.Clusters[0]
				return []any{d.Databases, d.Parameters}
			},
			[]any{
				[]config.Database{{Name: "iris", Owner: "iris"}, {Name: "gateway", Owner: "gateway"}, {Name: "controlplane", Owner: "controlplane"}},
				config.Parameters{"log_min_duration_statement": "1000", "work_mem": "16384"},
			}},
		{"RDS on EKS", eks("") + "\nstorage: {postgresql: {backend: rds, rds: {engineVersion: '17.4', iamAuthentication: true}}}",
			func(s storage) any {
				return []any{s.PostgreSQL.RDS.EngineVersion, s.PostgreSQL.RDS.IAMAuthentication}
			}, []any{"17.4", true}},
		{"ElastiCache", elastiCache(""), cache, wantCache},
		{"ElastiCache over zones", "availability: zonal\n" + elastiCache(""), cache, zonalCache},
		{"what a full ElastiCache drops", awsNetwork + "\nstorage: {cache: {backend: elastiCache, evictionPolicy: volatile-lru}}",
			func(s storage) any { return s.Cache.EvictionPolicy }, config.EvictionPolicy("volatile-lru")},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg, err := parse(t, test.yaml)
			require.NoError(t, err)
			assert.Equal(t, test.want, test.got(cfg.Storage))
		})
	}
}

const databaseList = "name: platform, databases: [{name: iris}, {name: gateway}, {name: controlplane}]"

// TestCheckFootprintOfAWS changes what AWS would replace.
func TestCheckFootprintOfAWS(t *testing.T) {
	const key = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd"
	const replaced = ", which it is now: AWS would replace the cluster, and all that is on it"
	const subnet = ", which it is now: a subnet keeps its addresses; what follows from vpc.cidr changes with the number of zones, so that the lists have to be given, with one more at the end for a new zone"
	const four = "zones: [eu-central-1a, eu-central-1b, eu-central-1c, eu-central-1d]"
	for _, test := range []struct {
		name, before, after string
		want                []string
	}{
		{"nothing", eks(""), eks(""), nil},
		{"what can change", eks(""), eks("version: '1.36', supportType: extended, logRetentionDays: 30, endpoint: {publicCidrs: [203.0.113.0/24]}, vpc: {natGateways: zonal, flowLogs: {enabled: true}}, nodeGroups: [{name: other}]"), nil},
		{"another cluster", "", eks(""), []string{
			`controlplane:cluster.kind: "eks" must be "existing", which it is now: everything runs on the cluster that is there; another one is another stack`}},
		{"an older version", eks("version: '1.34'"), eks("version: '1.33'"), []string{
			`controlplane:cluster.eks.version: "1.33" must be at least "1.34", which it is now: a cluster never goes back to an older version`}},
		{"two versions at once", eks("version: '1.33'"), eks("version: '1.35'"), []string{
			`controlplane:cluster.eks.version: "1.35" must be "1.33" or "1.34": a cluster goes up by one version at a time, and it is "1.33" now`}},
		{"another name, other Services, a key", eks(""), eks("name: blue, serviceCidr: 172.21.0.0/16, kmsKeyArn: '" + key + "'"), []string{
			`controlplane:cluster.eks.kmsKeyArn: "` + key + `" is not allowed: it is not set now, and AWS would replace the cluster, and all that is on it`,
			`controlplane:cluster.eks.name: "blue" must be "controlplane-prod"` + replaced,
			`controlplane:cluster.eks.serviceCidr: "172.21.0.0/16" must be "172.20.0.0/16"` + replaced}},
		{"another network", eks("vpc: {cidr: 10.0.0.0/16, " + subnets + "}"), eks("vpc: {cidr: 10.0.0.0/16, " + strings.Replace(subnets, "vpc-0", "vpc-1", 1) + "}"), []string{
			`controlplane:cluster.eks.vpc.existing.id: "vpc-1123456789abcdef0" must be "vpc-0123456789abcdef0", which it is now: a cluster stays in its network`}},
		{"a zone less", "availability: single\n" + eks(""), eks("zones: [eu-central-1a, eu-central-1b], vpc: {privateCidrs: [10.0.0.0/18, 10.0.64.0/18], publicCidrs: [10.0.192.0/24, 10.0.193.0/24]}"), []string{
			`controlplane:cluster.eks.zones: "eu-central-1a, eu-central-1b" must have eu-central-1c, which it has now: there are volumes in it, which move to no other zone`}},
		{"a zone more, with the subnets that follow", eks(""), eks(four), []string{
			`controlplane:cluster.eks.vpc.privateCidrs[0]: "10.0.0.0/19" must be "10.0.0.0/18"` + subnet,
			`controlplane:cluster.eks.vpc.privateCidrs[1]: "10.0.32.0/19" must be "10.0.64.0/18"` + subnet,
			`controlplane:cluster.eks.vpc.privateCidrs[2]: "10.0.64.0/19" must be "10.0.128.0/18"` + subnet,
			`controlplane:cluster.eks.vpc.publicCidrs[0]: "10.0.224.0/24" must be "10.0.192.0/24"` + subnet,
			`controlplane:cluster.eks.vpc.publicCidrs[1]: "10.0.225.0/24" must be "10.0.193.0/24"` + subnet,
			`controlplane:cluster.eks.vpc.publicCidrs[2]: "10.0.226.0/24" must be "10.0.194.0/24"` + subnet}},
		{"a zone more, with one more subnet each", eks(""), eks(four + ", vpc: {privateCidrs: [10.0.0.0/18, 10.0.64.0/18, 10.0.128.0/18, 10.0.224.0/19], publicCidrs: [10.0.192.0/24, 10.0.193.0/24, 10.0.194.0/24, 10.0.195.0/24]}"), nil},
		{"a third zone beside two", eks("zones: [eu-central-1a, eu-central-1b]"), eks(""), nil},
		{"zones in another order", eks(""), eks("zones: [eu-central-1c, eu-central-1a, eu-central-1b], vpc: {privateCidrs: [10.0.128.0/18, 10.0.0.0/18, 10.0.64.0/18], publicCidrs: [10.0.194.0/24, 10.0.192.0/24, 10.0.193.0/24]}"), nil},
		{"databases that move to RDS", "", rds(""), []string{
			`controlplane:storage.postgresql.backend: "rds" must be "cloudNativePG", which it is now: databases do not move from one to the other; move the data to a new stack`}},
		{"databases that move to the cluster", rds(""), "storage: {postgresql: {walVolume: {}}}", []string{
			`controlplane:storage.postgresql.backend: "cloudNativePG" must be "rds", which it is now: databases do not move from one to the other; move the data to a new stack`}},
		{"what can change in RDS", rds(""), rds("storage: 60Gi, engineVersion: '18.1', instanceClass: db.m7g.xlarge, backupRetentionDays: 14, multiAz: true"), nil},
		{"less of everything in RDS", rds("engineVersion: '18'"), rds("storage: 20Gi, engineVersion: '17.9', kmsKeyArn: '" + key + "'"), []string{
			`controlplane:storage.postgresql.rds.engineVersion: "17.9" must be at least "18", which it is now: AWS never goes back to an older version`,
			`controlplane:storage.postgresql.rds.kmsKeyArn: "` + key + `" is not allowed: it is not set now, and AWS would replace the databases; move the data to a new stack`,
			`controlplane:storage.postgresql.rds.storage: "20Gi" must be at least "50Gi", which it is now: volumes cannot shrink`}},
		{"an older minor version of PostgreSQL", rds("engineVersion: '18.2'"), rds("engineVersion: '18.1'"), []string{
			`controlplane:storage.postgresql.rds.engineVersion: "18.1" must be at least "18.2", which it is now: AWS never goes back to an older version`}},
		{"the newest minor version of PostgreSQL", rds("engineVersion: '17.2'"), rds("engineVersion: '18'"), nil},
		{"a cache that moves", "", elastiCache(""), nil},
		{"an older cache", elastiCache("engineVersion: '8.1'"), elastiCache("engineVersion: '8.0'"), []string{
			`controlplane:storage.cache.elastiCache.engineVersion: "8.0" must be at least "8.1", which it is now: AWS never goes back to an older version`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			before, err := parse(t, test.before)
			require.NoError(t, err)
			after, err := parse(t, test.after)
			require.NoError(t, err)
			before.SetStack("prod")
			after.SetStack("prod")
			err = after.CheckFootprint(before.Footprint())
			if len(test.want) == 0 {
				assert.NoError(t, err)
				return
			}
			assert.EqualError(t, err, strings.Join(test.want, "\n"))
		})
	}
}

// TestFootprintOfEKS names what is kept of a cluster of EKS with databases of
// RDS.
func TestFootprintOfEKS(t *testing.T) {
	cfg, err := parse(t, eks("")+"\nstorage: {postgresql: {backend: rds}, cache: {backend: elastiCache}, objectStorage: {backend: none}}\nmonitoring: {stack: existing}")
	require.NoError(t, err)
	cfg.SetStack("prod")
	assert.Equal(t, map[string]string{
		"cluster.kind":                                      "eks",
		"cluster.eks.name":                                  "controlplane-prod",
		"cluster.eks.version":                               "1.35",
		"cluster.eks.serviceCidr":                           "172.20.0.0/16",
		"cluster.eks.kmsKeyArn":                             "",
		"cluster.eks.zones":                                 "eu-central-1a, eu-central-1b, eu-central-1c",
		"cluster.eks.vpc.cidr":                              "10.0.0.0/16",
		"cluster.eks.vpc.existing.id":                       "",
		"cluster.eks.vpc.privateCidrs[eu-central-1a]":       "10.0.0.0/18",
		"cluster.eks.vpc.privateCidrs[eu-central-1b]":       "10.0.64.0/18",
		"cluster.eks.vpc.privateCidrs[eu-central-1c]":       "10.0.128.0/18",
		"cluster.eks.vpc.publicCidrs[eu-central-1a]":        "10.0.192.0/24",
		"cluster.eks.vpc.publicCidrs[eu-central-1b]":        "10.0.193.0/24",
		"cluster.eks.vpc.publicCidrs[eu-central-1c]":        "10.0.194.0/24",
		"storage.postgresql.backend":                        "rds",
		"storage.postgresql.rds.storage":                    "50Gi",
		"storage.postgresql.rds.engineVersion":              "18",
		"storage.postgresql.rds.kmsKeyArn":                  "",
		"storage.cache.elastiCache.engineVersion":           "8.1",
		"identity.admin.username":                           "admin",
		"identity.database":                                 "iris",
		"identity.version":                                  "26.7",
		"network.ingress.traefik.service.loadBalancerClass": "",
	}, cfg.Footprint())
}
