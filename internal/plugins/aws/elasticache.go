package aws

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/telekom/controlplane-infrastructure/internal/aws"
)

var (
	cacheType     = regexp.MustCompile(`^cache\.[a-z0-9]+\.[a-z0-9]+$`)
	cacheFamilies = []string{"valkey7", "valkey8", "valkey9", "redis6.x", "redis7"}
	evictions     = []string{
		"volatile-lru", "allkeys-lru", "volatile-lfu", "allkeys-lfu", "volatile-random", "allkeys-random", "volatile-ttl",
		"noeviction",
	}
)

// cacheKinds: sources as of rdsKinds (internal/service/elasticache).
var cacheKinds = map[string]kind{
	aws.CacheSubnetGroup: {
		service: "ElastiCache", create: "CreateCacheSubnetGroup", update: "ModifyCacheSubnetGroup", remove: "DeleteCacheSubnetGroup",
		name: "name", maxName: 255,
		required: []string{"subnetIds"},
		replaces: []string{"name"},
		sets:     []string{"subnetIds"},
		defaults: values{"description": "Managed by Pulumi"},
		computed: []string{"arn", "tagsAll", "vpcId"},
		refers:   []reference{{path: "subnetIds", token: aws.Subnet, absent: answer{400, "InvalidSubnet", "Subnet %s not found"}}},
		inUse:    answer{400, "CacheSubnetGroupInUse", "Cache subnet group %s is currently in use by a cache cluster."},
		taken:    &answer{400, "CacheSubnetGroupAlreadyExists", "Cache Subnet Group already exists."},
		id:       func(_ place, in values) string { return text(in, "name") },
		outputs: func(s subject) values {
			_, vpc := zonesOf(s)
			return values{"arn": s.at.arn("elasticache", s.at.region, "subnetgroup:"+s.id), "tagsAll": tags(s.in), "vpcId": vpc}
		},
		check: groupName,
	},
	aws.CacheParameters: {
		service: "ElastiCache", create: "CreateCacheParameterGroup", update: "ModifyCacheParameterGroup",
		remove: "DeleteCacheParameterGroup",
		name:   "name", maxName: 255,
		required: []string{"family"},
		replaces: []string{"description", "family", "name"},
		sets:     []string{"parameters"},
		defaults: values{"description": "Managed by Pulumi"},
		computed: []string{"arn", "tagsAll"},
		inUse:    answer{400, "InvalidCacheParameterGroupState", "One or more cache clusters are still members of parameter group %s."},
		taken:    &answer{400, "CacheParameterGroupAlreadyExists", "Cache Parameter Group already exists"},
		id:       func(_ place, in values) string { return text(in, "name") },
		outputs: func(s subject) values {
			return values{"arn": s.at.arn("elasticache", s.at.region, "parametergroup:"+s.id), "tagsAll": tags(s.in)}
		},
		check: func(in values) map[string]string {
			found := groupName(in)
			if problem := oneOf(text(in, "family"), cacheFamilies...); problem != "" {
				found["family"] = problem
			}
			for _, each := range list(in["parameters"]) {
				if name := text(object(each), "name"); name == "maxmemory-policy" {
					if problem := oneOf(text(object(each), "value"), evictions...); problem != "" {
						found["parameters"] = name + " " + problem
					}
				}
			}
			return found
		},
	},
	aws.CacheGroup: {
		service: "ElastiCache", create: "CreateReplicationGroup", update: "ModifyReplicationGroup", remove: "DeleteReplicationGroup",
		name: "replicationGroupId", maxName: 40,
		required: []string{"description"},
		replaces: []string{
			"atRestEncryptionEnabled", "dataTieringEnabled", "globalReplicationGroupId", "kmsKeyId", "networkType", "port",
			"replicationGroupId", "securityGroupNames", "snapshotArns", "snapshotName", "subnetGroupName",
		},
		replacesIf: func(olds, news values) []string {
			var paths []string
			older := func(in values) float64 { n, _ := strconv.ParseFloat(text(in, "engineVersion"), 64); return n }
			if before, after := older(olds), older(news); after != 0 && after < before {
				paths = append(paths, "engineVersion")
			}
			if before, after := text(olds, "engine"), text(news, "engine"); before != after && (before != "redis" || after != "valkey") {
				paths = append(paths, "engine")
			}
			return paths
		},
		sets:     []string{"logDeliveryConfigurations", "securityGroupIds", "userGroupIds"},
		defaults: values{"automaticFailoverEnabled": false, "multiAzEnabled": false},
		computed: []string{
			"applyImmediately", "arn", "atRestEncryptionEnabled", "autoMinorVersionUpgrade", "clusterEnabled", "clusterMode",
			"configurationEndpointAddress", "dataTieringEnabled", "engine", "engineVersion", "engineVersionActual",
			"globalReplicationGroupId", "ipDiscovery", "maintenanceWindow", "memberClusters", "networkType", "nodeType",
			"numCacheClusters", "numNodeGroups", "parameterGroupName", "primaryEndpointAddress", "readerEndpointAddress",
			"replicasPerNodeGroup", "securityGroupIds", "snapshotWindow", "subnetGroupName", "tagsAll",
			"transitEncryptionEnabled", "transitEncryptionMode",
		},
		refers: []reference{
			{path: "subnetGroupName", token: aws.CacheSubnetGroup, holds: true, absent: answer{
				400, "CacheSubnetGroupNotFoundFault", "Cache Subnet Group %s does not exist.",
			}},
			{path: "parameterGroupName", token: aws.CacheParameters, holds: true, except: "default.", absent: answer{
				404, "CacheParameterGroupNotFound", "CacheParameterGroup %s not found.",
			}},
			{path: "securityGroupIds", token: aws.SecurityGroup, holds: true, absent: answer{
				400, "InvalidParameterValue", "Some security group Ids not found: %s",
			}},
		},
		taken: &answer{400, "ReplicationGroupAlreadyExists", "Replication group already exists"},
		id:    func(_ place, in values) string { return text(in, "replicationGroupId") },
		unsettles: func(changed []string, _ values) []string {
			var anew []string
			if slices.Contains(changed, "numCacheClusters") {
				anew = append(anew, "memberClusters")
			}
			if slices.Contains(changed, "engineVersion") {
				anew = append(anew, "engineVersionActual")
			}
			return anew
		},
		outputs: cacheOutputs, check: checkCache, allow: allowCache,
	},
}

func checkCache(in values) map[string]string {
	found := map[string]string{
		"replicationGroupId":      databaseNameProblem(text(in, "replicationGroupId"), 40),
		"engine":                  oneOf(text(in, "engine"), "valkey", "redis"),
		"numCacheClusters":        between(in, "numCacheClusters", 1, 6, ""),
		"snapshotRetentionLimit":  between(in, "snapshotRetentionLimit", 0, 35, "days"),
		"transitEncryptionMode":   oneOf(text(in, "transitEncryptionMode"), "preferred", "required"),
		"authTokenUpdateStrategy": oneOf(text(in, "authTokenUpdateStrategy"), "SET", "ROTATE", "DELETE"),
		"authToken":               passwordProblem(text(in, "authToken"), 16),
	}
	if kind := text(in, "nodeType"); kind != "" && !cacheType.MatchString(kind) {
		found["nodeType"] = fmt.Sprintf("is %q; want a type such as cache.t4g.small", kind)
	}
	if weekly := text(in, "maintenanceWindow"); weekly != "" {
		found["maintenanceWindow"] = windowsProblem("", weekly)
	}
	if version := text(in, "engineVersion"); version != "" && text(in, "engine") == "valkey" && !slices.Contains([]string{
		"7.2", "8.0", "8.1", "8.2", "9.0",
	}, version) {
		found["engineVersion"] = fmt.Sprintf("is %q; want a major and a minor version of Valkey, such as 8.1", version)
	}
	if in["multiAzEnabled"] == true && in["automaticFailoverEnabled"] == false {
		found["multiAzEnabled"] = "needs automaticFailoverEnabled"
	}
	if nodes, known := in["numCacheClusters"].(float64); known && nodes < 2 && in["automaticFailoverEnabled"] == true {
		found["automaticFailoverEnabled"] = fmt.Sprintf("needs numCacheClusters of at least 2, not %v", nodes)
	}
	if text(in, "kmsKeyId") != "" && in["atRestEncryptionEnabled"] == false {
		found["kmsKeyId"] = "needs atRestEncryptionEnabled"
	}
	return problems(found)
}

// allowCache says whether a cache can be where it is to be. What check cannot tell from what is not known yet is here.
func allowCache(s subject) *answer {
	refused := func(format string, with ...any) *answer {
		return &answer{400, "InvalidParameterCombination", fmt.Sprintf(format, with...)}
	}
	subnets := s.account.one(aws.CacheSubnetGroup, text(s.in, "subnetGroupName"))
	zones, vpc := zonesOf(subnets)
	for _, id := range walkTexts(s.in, "securityGroupIds") {
		if group := s.account.one(aws.SecurityGroup, id); group.in != nil && vpc != "" && text(group.in, "vpcId") != vpc {
			return refused("The cache is in %s and the security group %s is in %s", vpc, id, text(group.in, "vpcId"))
		}
	}
	family := text(s.account.one(aws.CacheParameters, text(s.in, "parameterGroupName")).in, "family")
	major, _, _ := strings.Cut(text(s.in, "engineVersion"), ".")
	switch {
	case text(s.in, "authToken") != "" && s.in["transitEncryptionEnabled"] != true:
		return refused("The AUTH token is only supported when encryption-in-transit is enabled")
	case text(s.in, "transitEncryptionMode") != "" && s.in["transitEncryptionEnabled"] != true:
		return refused("TransitEncryptionMode needs TransitEncryptionEnabled")
	case s.in["multiAzEnabled"] == true && subnets.in != nil && len(zones) < 2:
		return refused("Multi-AZ needs subnets in at least two zones")
	case family != "" && major != "" && !strings.HasPrefix(family, text(s.in, "engine")+major):
		return refused("Expected a parameter group of family %s%s but found one of family %s", text(s.in, "engine"), major, family)
	case text(s.in, "nodeType") == "" && text(s.in, "globalReplicationGroupId") == "":
		return refused("The cache node type must be specified")
	}
	return nil
}

func cacheOutputs(s subject) values {
	version, engine := text(s.in, "engineVersion"), text(s.in, "engine")
	if version == "" {
		version = "8.1"
	}
	if engine == "" {
		engine = "redis"
	}
	nodes, known := s.in["numCacheClusters"].(float64)
	if !known {
		nodes = 1
	}
	members := []any{}
	for i := range int(nodes) {
		members = append(members, fmt.Sprintf("%s-%03d", s.id, i+1))
	}
	major, _, _ := strings.Cut(version, ".")
	out := values{
		"engine": engine, "engineVersion": version, "numCacheClusters": nodes, "numNodeGroups": 1.0, "replicasPerNodeGroup": nodes - 1,
		"parameterGroupName": "default." + engine + major, "clusterMode": "disabled", "ipDiscovery": "ipv4", "networkType": "ipv4",
		"maintenanceWindow": "sun:05:00-sun:06:00", "snapshotWindow": "03:00-04:00", "nodeType": text(s.in, "nodeType"),
		"autoMinorVersionUpgrade": true, "dataTieringEnabled": false, "applyImmediately": false, "atRestEncryptionEnabled": false,
		"transitEncryptionEnabled": false, "transitEncryptionMode": "", "globalReplicationGroupId": "",
		"subnetGroupName": "default", "securityGroupIds": []any{},
	}
	for key := range out {
		if v, ok := s.in[key]; ok {
			out[key] = v
		}
	}
	suffix := strings.TrimPrefix(aws.Endpoint("", s.at.region), "."+s.at.region+".")
	end := digest(s.at.account, s.at.region)[:6] + "." + shortRegion(s.at.region) + ".cache." + suffix
	// With TLS there is a part before the name that says which of the servers it is.
	host := func(encrypted, plain string) string {
		if out["transitEncryptionEnabled"] == true {
			return encrypted + "." + s.id + "." + end
		}
		return s.id + plain + "." + end
	}
	return mergeValues(out, values{
		"primaryEndpointAddress": host("master", ""), "readerEndpointAddress": host("replica", "-ro"),
		"configurationEndpointAddress": "", "clusterEnabled": false, "memberClusters": members, "engineVersionActual": version + ".0",
		"arn": s.at.arn("elasticache", s.at.region, "replicationgroup:"+s.id), "tagsAll": tags(s.in),
	})
}
