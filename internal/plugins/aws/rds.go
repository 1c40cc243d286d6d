package aws

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/telekom/controlplane-infrastructure/internal/aws"
)

var (
	databaseName   = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)
	databaseGroup  = regexp.MustCompile(`^[a-z0-9 ._-]{1,255}$`)
	databaseClass  = regexp.MustCompile(`^db\.[a-z0-9]+\.[a-z0-9]+$`)
	postgresFamily = regexp.MustCompile(`^postgres1[3-8]$`)
	authorities    = []string{"rds-ca-rsa2048-g1", "rds-ca-rsa4096-g1", "rds-ca-ecc384-g1"}
	// static are parameters of PostgreSQL that it reads when it starts, those that are often set.
	static = []string{
		"autovacuum_freeze_max_age", "autovacuum_max_workers", "huge_pages", "max_connections", "max_locks_per_transaction",
		"max_prepared_transactions", "max_replication_slots", "max_wal_senders", "max_worker_processes",
		"rds.logical_replication", "shared_buffers", "shared_preload_libraries", "track_activity_query_size", "wal_buffers",
	}
	tooFewZones = answer{400, "DBSubnetGroupDoesNotCoverEnoughAZs", "The DB subnet group doesn't meet Availability Zone (AZ) " +
		"coverage requirement. Add subnets to cover at least 2 AZs."}
)

// rdsKinds: what a change replaces is marked "forces new resource" in the reference of the Terraform provider that the
// published plugin is made from, or in its schemas (internal/service/rds).
var rdsKinds = map[string]kind{
	aws.DatabaseSubnetGroup: {
		service: "RDS", create: "CreateDBSubnetGroup", update: "ModifyDBSubnetGroup", remove: "DeleteDBSubnetGroup",
		name: "name", maxName: 255, prefix: "namePrefix",
		required: []string{"subnetIds"},
		replaces: []string{"name", "namePrefix"},
		sets:     []string{"subnetIds"},
		defaults: values{"description": "Managed by Pulumi"},
		computed: []string{"arn", "name", "supportedNetworkTypes", "tagsAll", "vpcId"},
		refers:   []reference{{path: "subnetIds", token: aws.Subnet, absent: answer{400, "InvalidSubnet", "Subnet %s not found"}}},
		inUse: answer{400, "InvalidDBSubnetGroupStateFault", "Cannot delete the subnet group '%s' because at least one database " +
			"instance is still using it."},
		taken: &answer{400, "DBSubnetGroupAlreadyExists", "The DB subnet group already exists."},
		id:    func(_ place, in values) string { return text(in, "name") },
		outputs: func(s subject) values {
			_, vpc := zonesOf(s)
			return values{
				"arn": s.at.arn("rds", s.at.region, "subgrp:"+s.id), "name": s.id, "tagsAll": tags(s.in), "vpcId": vpc,
				"supportedNetworkTypes": []any{"IPV4"},
			}
		},
		check: groupName,
		allow: func(s subject) *answer {
			if zones, _ := zonesOf(s); len(zones) < 2 {
				return &tooFewZones
			}
			return nil
		},
	},
	aws.DatabaseParameters: {
		service: "RDS", create: "CreateDBParameterGroup", update: "ModifyDBParameterGroup", remove: "DeleteDBParameterGroup",
		name: "name", maxName: 255, prefix: "namePrefix",
		required: []string{"family"},
		replaces: []string{"description", "family", "name", "namePrefix"},
		sets:     []string{"parameters"},
		defaults: values{"description": "Managed by Pulumi", "skipDestroy": false},
		computed: []string{"arn", "name", "tagsAll"},
		inUse: answer{400, "InvalidDBParameterGroupState", "One or more database instances are still members of this parameter " +
			"group %s, so the group cannot be deleted"},
		taken: &answer{400, "DBParameterGroupAlreadyExists", "Parameter group already exists"},
		id:    func(_ place, in values) string { return text(in, "name") },
		outputs: func(s subject) values {
			return values{"arn": s.at.arn("rds", s.at.region, "pg:"+s.id), "name": s.id, "tagsAll": tags(s.in)}
		},
		check: func(in values) map[string]string {
			found := groupName(in)
			if family := text(in, "family"); family != "" && !postgresFamily.MatchString(family) {
				found["family"] = fmt.Sprintf("is %q; this account has postgres13 to postgres18", family)
			}
			for _, each := range list(in["parameters"]) {
				name, method := text(object(each), "name"), text(object(each), "applyMethod")
				if problem := oneOf(method, "immediate", "pending-reboot"); problem != "" {
					found["parameters"] = name + ": applyMethod " + problem
				} else if method != "pending-reboot" && slices.Contains(static, name) {
					found["parameters"] = "cannot use immediate apply method for static parameter " + name
				}
			}
			return found
		},
	},
	aws.DatabaseInstance: {
		service: "RDS", create: "CreateDBInstance", update: "ModifyDBInstance", remove: "DeleteDBInstance",
		name: "identifier", maxName: 63, prefix: "identifierPrefix",
		required: []string{"instanceClass"},
		replaces: []string{
			"availabilityZone", "backupTarget", "characterSetName", "dbName", "engine", "identifierPrefix", "kmsKeyId", "name",
			"ncharCharacterSetName", "restoreToPointInTime", "s3Import", "snapshotIdentifier", "storageEncrypted", "timezone",
			"username",
		},
		sets: []string{"enabledCloudwatchLogsExports", "vpcSecurityGroupIds"},
		defaults: values{
			"autoMinorVersionUpgrade": true, "copyTagsToSnapshot": false, "deleteAutomatedBackups": true, "monitoringInterval": 0.0,
			"performanceInsightsEnabled": false, "publiclyAccessible": false, "skipFinalSnapshot": false,
		},
		computed: []string{
			"address", "allocatedStorage", "applyImmediately", "arn", "availabilityZone", "backupRetentionPeriod",
			"backupWindow", "caCertIdentifier", "dbName", "dbSubnetGroupName", "endpoint", "engine", "engineVersion",
			"engineVersionActual", "hostedZoneId", "identifier", "kmsKeyId", "latestRestorableTime", "licenseModel",
			"listenerEndpoints", "maintenanceWindow", "masterUserSecrets", "multiAz", "networkType", "parameterGroupName",
			"port", "replicas", "resourceId", "status", "storageType", "tagsAll", "username", "vpcSecurityGroupIds",
		},
		refers: []reference{
			{path: "dbSubnetGroupName", token: aws.DatabaseSubnetGroup, holds: true, absent: answer{
				404, "DBSubnetGroupNotFoundFault", "DB subnet group '%s' does not exist.",
			}},
			{path: "parameterGroupName", token: aws.DatabaseParameters, holds: true, except: "default.", absent: answer{
				404, "DBParameterGroupNotFound", "DBParameterGroup not found: %s",
			}},
			{path: "vpcSecurityGroupIds", token: aws.SecurityGroup, holds: true, absent: answer{
				400, "InvalidParameterValue", "Invalid security group , groupId= %s, groupName=.",
			}},
			assumes("monitoringRoleArn", "monitoring.rds.amazonaws.com",
				answer{400, "InvalidParameterValue", "IAM role ARN value is invalid or does not include the required permissions: %s"},
				answer{400, "InvalidParameterValue", "IAM role ARN value is invalid or does not include the required permissions"}),
		},
		id:     func(place, values) string { return "db-" + strings.ToUpper(digest(uuid.NewString())[:26]) },
		settle: func(s subject) values { return values{"latestRestorableTime": madeAt(s)["createdAt"]} },
		unsettles: func(changed []string, _ values) []string {
			if slices.Contains(changed, "engineVersion") {
				return []string{"engineVersionActual"}
			}
			return nil
		},
		outputs: databaseOutputs, check: checkDatabase, allow: allowDatabase,
		free: func(s subject) *answer {
			switch {
			case s.in["deletionProtection"] == true:
				return &answer{400, "InvalidParameterCombination", "Cannot delete protected DB Instance, please disable deletion " +
					"protection and try again."}
			case s.in["skipFinalSnapshot"] != true && text(s.in, "finalSnapshotIdentifier") == "":
				return &answer{400, "InvalidParameterCombination", "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot " +
					"is specified."}
			}
			return nil
		},
	},
}

// zonesOf returns the zones of the subnets that a group names, and their network.
func zonesOf(s subject) (zones []string, vpc string) {
	for _, id := range walkTexts(s.in, "subnetIds") {
		subnet := s.account.one(aws.Subnet, id)
		if zone := text(subnet.in, "availabilityZone"); !slices.Contains(zones, zone) {
			zones = append(zones, zone)
		}
		vpc = text(subnet.in, "vpcId")
	}
	return zones, vpc
}

func groupName(in values) map[string]string {
	found := map[string]string{}
	name := text(in, "name")
	if own := name == "default" || strings.HasPrefix(name, "default."); name != "" && (own || !databaseGroup.MatchString(name)) {
		found["name"] = fmt.Sprintf("is %q; want up to 255 lower-case letters, digits and characters of ._-, not default", name)
	}
	return found
}

// release splits a version of a database engine into its numbers; the second one is -1 when it is not given.
func release(version string) (major, minor int) {
	first, second, found := strings.Cut(version, ".")
	major, _ = strconv.Atoi(first)
	if minor = -1; found {
		minor, _ = strconv.Atoi(second)
	}
	return major, minor
}

// actual is the version that runs: the newest one of a major version that is not given further.
func actual(version string) string {
	if !strings.Contains(version, ".") {
		return version + ".1"
	}
	return version
}

func checkDatabase(in values) map[string]string {
	found := map[string]string{
		"engine":                  oneOf(text(in, "engine"), "postgres"),
		"caCertIdentifier":        oneOf(text(in, "caCertIdentifier"), authorities...),
		"storageType":             oneOf(text(in, "storageType"), "standard", "gp2", "gp3", "io1", "io2"),
		"backupRetentionPeriod":   between(in, "backupRetentionPeriod", 0, 35, "days"),
		"allocatedStorage":        between(in, "allocatedStorage", 20, 65536, "GiB"),
		"port":                    between(in, "port", 1150, 65535, ""),
		"password":                passwordProblem(text(in, "password"), 8),
		"identifier":              databaseNameProblem(text(in, "identifier"), 63),
		"finalSnapshotIdentifier": databaseNameProblem(strings.ToLower(text(in, "finalSnapshotIdentifier")), 255),
		"enabledCloudwatchLogsExports": allOf(list(in["enabledCloudwatchLogsExports"]), "postgresql", "upgrade",
			"iam-db-auth-error"),
		"maintenanceWindow": windowsProblem(text(in, "backupWindow"), text(in, "maintenanceWindow")),
	}
	if class := text(in, "instanceClass"); class != "" && !databaseClass.MatchString(class) {
		found["instanceClass"] = fmt.Sprintf("is %q; want a class such as db.m7g.large", class)
	}
	name := text(in, "username")
	if slices.Contains([]string{"admin", "rdsadmin", "public"}, name) || strings.HasPrefix(name, "pg_") {
		found["username"] = fmt.Sprintf("MasterUsername %s cannot be used as it is a reserved word used by the engine", name)
	}
	if in["storageEncrypted"] == false && text(in, "kmsKeyId") != "" {
		found["kmsKeyId"] = "needs storageEncrypted"
	}
	most, _ := in["maxAllocatedStorage"].(float64)
	if size, known := in["allocatedStorage"].(float64); known && most != 0 && most <= size {
		found["maxAllocatedStorage"] = fmt.Sprintf("is %v; want more than the allocatedStorage of %v, or 0", most, size)
	}
	if days, known := in["performanceInsightsRetentionPeriod"].(float64); known && days != 7 && days != 731 && int(days)%31 != 0 {
		found["performanceInsightsRetentionPeriod"] = fmt.Sprintf("is %v; want 7 or 731 days, or months of 31", days)
	}
	if in["multiAz"] == true && text(in, "availabilityZone") != "" {
		found["availabilityZone"] = "cannot be chosen with multiAz"
	}
	return problems(found)
}

func databaseNameProblem(name string, most int) string {
	if name == "" || len(name) <= most && databaseName.MatchString(name) {
		return ""
	}
	return fmt.Sprintf("is %q; want up to %d lower-case letters, digits and single hyphens, with a letter first", name, most)
}

// passwordProblem does not say the password.
func passwordProblem(password string, shortest int) string {
	switch {
	case password == "":
		return ""
	case len(password) < shortest || len(password) > 128:
		return fmt.Sprintf("has %d characters; want %d to 128", len(password), shortest)
	case strings.ContainsAny(password, `/"@ `):
		return `has one of / " @ and space in it`
	}
	return ""
}

// allowDatabase says whether an instance can be where it is to be, and become what it is to be.
func allowDatabase(s subject) *answer {
	refused := func(code, format string, with ...any) *answer {
		return &answer{400, code, fmt.Sprintf(format, with...)}
	}
	for _, other := range s.account.all(aws.DatabaseInstance) {
		if other.id != s.id && text(other.in, "identifier") == text(s.in, "identifier") {
			return refused("DBInstanceAlreadyExists", "DB instance already exists")
		}
	}
	if text(s.in, "snapshotIdentifier")+text(s.in, "replicateSourceDb") == "" && s.in["restoreToPointInTime"] == nil {
		secret := text(s.in, "password") != ""
		if text(s.in, "engine") == "" || text(s.in, "username") == "" || s.in["allocatedStorage"] == nil {
			return refused("InvalidParameterValue", "a new instance needs engine, username and allocatedStorage")
		}
		if secret == (s.in["manageMasterUserPassword"] == true) {
			return refused("InvalidParameterCombination", "an instance has either a password or manageMasterUserPassword")
		}
	}
	_, vpc := zonesOf(s.account.one(aws.DatabaseSubnetGroup, text(s.in, "dbSubnetGroupName")))
	for _, id := range walkTexts(s.in, "vpcSecurityGroupIds") {
		if group := s.account.one(aws.SecurityGroup, id); group.in != nil && vpc != "" && text(group.in, "vpcId") != vpc {
			return refused("InvalidParameterCombination", "The DB instance and EC2 security group are in different VPCs. The DB "+
				"instance is in %s and the EC2 security group is in %s", vpc, text(group.in, "vpcId"))
		}
	}
	return allowRelease(s)
}

func allowRelease(s subject) *answer {
	refused := func(format string, with ...any) *answer {
		return &answer{400, "InvalidParameterCombination", fmt.Sprintf(format, with...)}
	}
	major, minor := release(text(s.in, "engineVersion"))
	if major != 0 && (major < 13 || major > 18) {
		return refused("Cannot find version %s for postgres", text(s.in, "engineVersion"))
	}
	group := s.account.one(aws.DatabaseParameters, text(s.in, "parameterGroupName"))
	if family := text(group.in, "family"); family != "" && major != 0 && family != fmt.Sprintf("postgres%d", major) {
		return refused("The Parameter Group %s with DBParameterGroupFamily %s can't be used for this instance. Please use a "+
			"Parameter Group with DBParameterGroupFamily postgres%d.", group.id, family, major)
	}
	if s.was == nil {
		return nil
	}
	before, patch := release(text(s.was, "engineVersion"))
	size, _ := s.in["allocatedStorage"].(float64)
	had, _ := s.was["allocatedStorage"].(float64)
	switch {
	case major < before, major == before && minor >= 0 && minor < patch:
		return refused("Cannot upgrade postgres from %s to %s", text(s.was, "engineVersion"), text(s.in, "engineVersion"))
	case major > before && s.in["allowMajorVersionUpgrade"] != true:
		return refused("The AllowMajorVersionUpgrade flag must be present when upgrading to a new major version.")
	case size < had:
		return refused("Requested allocated storage cannot be less than %v GB", had)
	}
	return nil
}

func databaseOutputs(s subject) values {
	zones, _ := zonesOf(s.account.one(aws.DatabaseSubnetGroup, text(s.in, "dbSubnetGroupName")))
	zones = append(zones, s.at.region+"a")
	version := text(s.in, "engineVersion")
	if version == "" {
		version = "18"
	}
	major, _ := release(version)
	out := values{
		"engineVersion": version, "port": 5432.0, "backupRetentionPeriod": 0.0, "backupWindow": "03:00-03:30", "dbName": "",
		"maintenanceWindow": "mon:04:00-mon:04:30", "multiAz": false, "networkType": "IPV4", "licenseModel": "postgresql-license",
		"parameterGroupName": fmt.Sprintf("default.postgres%d", major), "dbSubnetGroupName": "default", "applyImmediately": false,
		"storageType": "gp2", "caCertIdentifier": authorities[0], "availabilityZone": zones[0], "kmsKeyId": "",
		"vpcSecurityGroupIds": []any{},
	}
	for key := range out {
		if v, ok := s.in[key]; ok {
			out[key] = v
		}
	}
	address := text(s.in, "identifier") + ".c" + digest(s.at.account, s.at.region)[:11] + "." + regionalHost("rds", s.at.region)
	secrets := []any{}
	if s.in["manageMasterUserPassword"] == true {
		secrets = []any{values{
			"secretArn":    s.at.arn("secretsmanager", s.at.region, "secret:rds!"+s.id+"-"+digest(s.id)[:6]),
			"secretStatus": "active", "kmsKeyId": s.at.arn("kms", s.at.region, "key/"+uniqueUUID("aws/secretsmanager")),
		}}
	}
	return mergeValues(out, values{
		"address": address, "endpoint": fmt.Sprintf("%s:%v", address, out["port"]), "hostedZoneId": "Z1RLNUO7B9Q6NB",
		"arn": s.at.arn("rds", s.at.region, "db:"+text(s.in, "identifier")), "identifier": text(s.in, "identifier"), "resourceId": s.id,
		"engineVersionActual": actual(version), "status": "available", "tagsAll": tags(s.in), "masterUserSecrets": secrets,
		"listenerEndpoints": []any{}, "replicas": []any{},
	})
}

// regionalHost is the end of the host names of what a service makes: service and region change places outside China.
func regionalHost(service, region string) string {
	host := aws.Endpoint(service, region)
	if aws.Partition(region) == "aws-cn" {
		return host
	}
	return strings.Replace(host, service+"."+region+".", region+"."+service+".", 1)
}
