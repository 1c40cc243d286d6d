package aws

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/internal/aws"
)

// stores is a network with the groups that databases and caches need.
type stores struct {
	network
	group           string
	database, cache values
}

func newStores(t *testing.T) stores {
	t.Helper()
	s := stores{network: newNetwork(t)}
	s.group, _ = s.create(aws.SecurityGroup, values{"vpcId": s.vpc, "name": "stores"})
	s.create(aws.DatabaseSubnetGroup, values{"name": "platform", "subnetIds": s.subnets})
	s.create(aws.DatabaseParameters, values{"name": "platform-18", "family": "postgres18"})
	s.create(aws.CacheSubnetGroup, values{"name": "platform", "subnetIds": s.subnets})
	s.create(aws.CacheParameters, values{"name": "platform-8", "family": "valkey8"})
	s.database = values{
		"identifier": "platform", "instanceClass": "db.m7g.large", "engine": "postgres", "engineVersion": "18",
		"allocatedStorage": 50, "maxAllocatedStorage": 200, "username": "postgres", "password": "not-a-secret-at-all",
		"dbSubnetGroupName": "platform", "parameterGroupName": "platform-18", "vpcSecurityGroupIds": []any{s.group},
		"storageEncrypted": true, "multiAz": true, "deletionProtection": true, "backupRetentionPeriod": 30,
		"backupWindow": "02:00-03:00", "maintenanceWindow": "sun:03:30-sun:04:30",
	}
	s.cache = values{
		"replicationGroupId": "platform", "description": "d", "engine": "valkey", "engineVersion": "8.1", "nodeType": "cache.t4g.small",
		"numCacheClusters": 3, "automaticFailoverEnabled": true, "multiAzEnabled": true, "transitEncryptionEnabled": true,
		"authToken": "not-a-secret-at-all", "subnetGroupName": "platform", "parameterGroupName": "platform-8",
		"securityGroupIds": []any{s.group}, "atRestEncryptionEnabled": true,
	}
	return s
}

func TestStoresLookLikeThoseOfAWS(t *testing.T) {
	t.Parallel()
	s := newStores(t)
	id, database := s.create(aws.DatabaseInstance, s.database)
	assert.Regexp(t, `^db-[0-9A-F]{26}$`, id, "a renamed instance stays the same")
	assert.Equal(t, "arn:aws:rds:eu-central-1:123456789012:db:platform", database["arn"])
	assert.Regexp(t, `^platform\.c[0-9a-f]{11}\.eu-central-1\.rds\.amazonaws\.com$`, database["address"])
	assert.Equal(t, fmt.Sprint(database["address"])+":5432", database["endpoint"])
	assert.Equal(t, []any{"18", "18.1"}, []any{database["engineVersion"], database["engineVersionActual"]})
	assert.Equal(t, []any{}, database["masterUserSecrets"])
	_, managed := s.create(aws.DatabaseInstance, but(s.database, values{"identifier": "other", "password": nil, "manageMasterUserPassword": true}))
	assert.Regexp(t, `^arn:aws:secretsmanager:`, walk(managed, "masterUserSecrets.secretArn")[0])

	_, cache := s.create(aws.CacheGroup, s.cache)
	assert.Regexp(t, `^master\.platform\.[0-9a-f]{6}\.euc1\.cache\.amazonaws\.com$`, cache["primaryEndpointAddress"])
	assert.Equal(t, []any{"platform-001", "platform-002", "platform-003"}, cache["memberClusters"])
	assert.Equal(t, "8.1.0", cache["engineVersionActual"])
	_, plain := s.create(aws.CacheGroup, but(s.cache, values{"replicationGroupId": "plain", "authToken": nil, "transitEncryptionEnabled": nil}))
	assert.Regexp(t, `^plain\.[0-9a-f]{6}\.euc1\.`, plain["primaryEndpointAddress"])
}

func TestWhatStoresWantFirst(t *testing.T) {
	t.Parallel()
	s := newStores(t)
	other, _ := s.create(aws.VPC, values{"cidrBlock": "10.1.0.0/16"})
	foreign, _ := s.create(aws.SecurityGroup, values{"vpcId": other, "name": "foreign"})
	database := func(path string, v any) values { return but(s.database, values{path: v}) }
	cache := func(path string, v any) values { return but(s.cache, values{path: v}) }
	for name, c := range map[string]struct {
		token   string
		in      values
		message string
	}{
		"one zone":            {aws.DatabaseSubnetGroup, values{"name": "g", "subnetIds": s.subnets[:1]}, "DBSubnetGroupDoesNotCoverEnoughAZs"},
		"no subnet":           {aws.DatabaseSubnetGroup, values{"name": "g", "subnetIds": []any{"subnet-0"}}, "Subnet subnet-0 not found"},
		"no group":            {aws.DatabaseInstance, database("dbSubnetGroupName", "none"), "DBSubnetGroupNotFoundFault"},
		"no parameters":       {aws.DatabaseInstance, database("parameterGroupName", "none"), "DBParameterGroupNotFound"},
		"no guard":            {aws.DatabaseInstance, database("vpcSecurityGroupIds", []any{"sg-0"}), "Invalid security group"},
		"another's guard":     {aws.DatabaseInstance, database("vpcSecurityGroupIds", []any{foreign}), "are in different VPCs"},
		"another version":     {aws.DatabaseInstance, database("engineVersion", "17"), "can't be used for this instance"},
		"an ancient version":  {aws.DatabaseInstance, database("engineVersion", "9.6"), "Cannot find version 9.6"},
		"no password":         {aws.DatabaseInstance, database("password", nil), "either a password or manageMasterUserPassword"},
		"no user":             {aws.DatabaseInstance, database("username", nil), "needs engine, username"},
		"no cache subnets":    {aws.CacheGroup, cache("subnetGroupName", "none"), "CacheSubnetGroupNotFoundFault"},
		"a password in clear": {aws.CacheGroup, cache("transitEncryptionEnabled", false), "only supported when encryption-in-transit is enabled"},
		"another engine":      {aws.CacheGroup, cache("engineVersion", "7.2"), "Expected a parameter group of family valkey7"},
		"a foreign guard":     {aws.CacheGroup, cache("securityGroupIds", []any{foreign}), "and the security group"},
	} {
		_, _, err := s.try(c.token, c.in)
		require.ErrorContains(t, err, c.message, name)
	}
	s.create(aws.DatabaseInstance, database("parameterGroupName", "default.postgres18"))
}

func TestADatabaseIsNotLost(t *testing.T) {
	t.Parallel()
	s := newStores(t)
	id, _ := s.create(aws.DatabaseInstance, s.database)
	cache, _ := s.create(aws.CacheGroup, s.cache)
	s.refused("InvalidParameterCombination", s.remove(aws.DatabaseInstance, id))
	unprotected := but(s.database, values{"deletionProtection": false})
	_, err := s.update(aws.DatabaseInstance, id, unprotected)
	require.NoError(t, err)
	require.ErrorContains(t, s.remove(aws.DatabaseInstance, id), "FinalDBSnapshotIdentifier is required")
	for _, refused := range []struct{ token, id, code string }{
		{aws.DatabaseSubnetGroup, "platform", "InvalidDBSubnetGroupStateFault"},
		{aws.DatabaseParameters, "platform-18", "InvalidDBParameterGroupState"},
		{aws.SecurityGroup, s.group, "DependencyViolation"},
		{aws.CacheSubnetGroup, "platform", "CacheSubnetGroupInUse"},
		{aws.CacheParameters, "platform-8", "InvalidCacheParameterGroupState"},
	} {
		s.refused(refused.code, s.remove(refused.token, refused.id))
	}
	_, err = s.update(aws.DatabaseInstance, id, but(unprotected, values{"finalSnapshotIdentifier": "platform-final"}))
	require.NoError(t, err)
	require.NoError(t, s.remove(aws.DatabaseInstance, id))
	require.NoError(t, s.remove(aws.CacheGroup, cache))
	require.NoError(t, s.remove(aws.DatabaseSubnetGroup, "platform"))
	require.NoError(t, s.remove(aws.SecurityGroup, s.group))
}

func TestADatabaseGrowsAndGetsNewer(t *testing.T) {
	t.Parallel()
	s := newStores(t)
	s.create(aws.DatabaseParameters, values{"name": "platform-17", "family": "postgres17"})
	old := but(s.database, values{"engineVersion": "17", "parameterGroupName": "platform-17"})
	id, _ := s.create(aws.DatabaseInstance, old)
	to := func(changes values) error {
		_, err := s.update(aws.DatabaseInstance, id, but(old, changes))
		return err
	}
	require.ErrorContains(t, to(values{"allocatedStorage": 30}), "cannot be less than 50 GB")
	require.NoError(t, to(values{"allocatedStorage": 100}))
	newer := values{"allocatedStorage": 100, "engineVersion": "18", "parameterGroupName": "platform-18"}
	require.ErrorContains(t, to(newer), "AllowMajorVersionUpgrade flag must be present")
	newer["allowMajorVersionUpgrade"] = true
	require.NoError(t, to(newer))
	require.ErrorContains(t, to(values{"allocatedStorage": 100}), "Cannot upgrade postgres from 18 to 17")
}

func TestWhatAChangeOfAStoreDoes(t *testing.T) {
	t.Parallel()
	s := newStores(t)
	parameters := values{"name": "p", "family": "postgres18", "parameters": []any{values{"name": "a", "value": "1"}, values{"name": "b", "value": "2"}}}
	turned := []any{list(parameters["parameters"])[1], list(parameters["parameters"])[0]}
	for name, each := range map[string]struct {
		token       string
		in, changes values
		want        string
	}{
		"a version":              {aws.DatabaseInstance, s.database, values{"engineVersion": "19"}, "update"},
		"a class":                {aws.DatabaseInstance, s.database, values{"instanceClass": "db.m7g.xlarge"}, "update"},
		"storage":                {aws.DatabaseInstance, s.database, values{"allocatedStorage": 100}, "update"},
		"a password":             {aws.DatabaseInstance, s.database, values{"password": "another-one"}, "update"},
		"tags":                   {aws.DatabaseInstance, s.database, values{"tags": values{"a": "b"}}, "update"},
		"a name":                 {aws.DatabaseInstance, s.database, values{"identifier": "renamed"}, "update"},
		"protection":             {aws.DatabaseInstance, s.database, values{"deletionProtection": false}, "update"},
		"its administrator":      {aws.DatabaseInstance, s.database, values{"username": "root"}, "delete, create"},
		"no encryption":          {aws.DatabaseInstance, s.database, values{"storageEncrypted": false}, "delete, create"},
		"another key":            {aws.DatabaseInstance, s.database, values{"kmsKeyId": "arn"}, "delete, create"},
		"parameters":             {aws.DatabaseParameters, parameters, values{"parameters": turned[:1]}, "update"},
		"in another order":       {aws.DatabaseParameters, parameters, values{"parameters": turned}, "none"},
		"a family":               {aws.DatabaseParameters, parameters, values{"family": "postgres19"}, "delete, create"},
		"subnets":                {aws.DatabaseSubnetGroup, values{"name": "g", "subnetIds": []any{"a"}}, values{"subnetIds": []any{"a", "b"}}, "update"},
		"servers":                {aws.CacheGroup, s.cache, values{"numCacheClusters": 2}, "update"},
		"a type of server":       {aws.CacheGroup, s.cache, values{"nodeType": "cache.m7g.large"}, "update"},
		"a newer version":        {aws.CacheGroup, s.cache, values{"engineVersion": "8.2"}, "update"},
		"an older version":       {aws.CacheGroup, s.cache, values{"engineVersion": "8.0"}, "delete, create"},
		"a token":                {aws.CacheGroup, s.cache, values{"authToken": "another-one-of-it"}, "update"},
		"Redis instead":          {aws.CacheGroup, s.cache, values{"engine": "redis"}, "delete, create"},
		"Valkey instead":         {aws.CacheGroup, but(s.cache, values{"engine": "redis"}), values{"engine": "valkey"}, "update"},
		"nothing on disks":       {aws.CacheGroup, s.cache, values{"atRestEncryptionEnabled": false}, "delete, create"},
		"a port":                 {aws.CacheGroup, s.cache, values{"port": 6380}, "delete, create"},
		"a description of cache": {aws.CacheSubnetGroup, values{"name": "g", "description": "a"}, values{"description": "b"}, "update"},
	} {
		assert.Equal(t, each.want, s.change(each.token, each.in, each.changes), name)
	}
}

func TestMistakesInAStoreAreFoundInAPreview(t *testing.T) {
	t.Parallel()
	s := newStores(t)
	static := values{"name": "p", "family": "postgres18", "parameters": []any{values{"name": "max_connections", "value": "1", "applyMethod": "immediate"}}}
	for name, c := range map[string]struct {
		token            string
		changes          values
		property, reason string
	}{
		"a name":             {aws.DatabaseInstance, values{"identifier": "a--b"}, "identifier", "single hyphens"},
		"an administrator":   {aws.DatabaseInstance, values{"username": "admin"}, "username", "reserved word"},
		"a short password":   {aws.DatabaseInstance, values{"password": "short"}, "password", "has 5 characters; want 8 to 128"},
		"an odd password":    {aws.DatabaseInstance, values{"password": "with a @ in it"}, "password", "has one of"},
		"little storage":     {aws.DatabaseInstance, values{"allocatedStorage": 5}, "allocatedStorage", "want 20"},
		"no room":            {aws.DatabaseInstance, values{"maxAllocatedStorage": 50}, "maxAllocatedStorage", "more than"},
		"backups for ever":   {aws.DatabaseInstance, values{"backupRetentionPeriod": 99}, "backupRetentionPeriod", "0 to 35"},
		"two at a time":      {aws.DatabaseInstance, values{"backupWindow": "03:00-04:00"}, "maintenanceWindow", "must not overlap"},
		"no window":          {aws.DatabaseInstance, values{"backupWindow": "3-4"}, "maintenanceWindow", "backupWindow"},
		"too short a window": {aws.DatabaseInstance, values{"maintenanceWindow": "sun:03:30-sun:03:45"}, "maintenanceWindow", "30 minutes"},
		"an authority":       {aws.DatabaseInstance, values{"caCertIdentifier": "rds-ca-2019"}, "caCertIdentifier", "rds-ca-rsa2048-g1"},
		"a class":            {aws.DatabaseInstance, values{"instanceClass": "m7g.large"}, "instanceClass", "db.m7g.large"},
		"a key for nothing":  {aws.DatabaseInstance, values{"storageEncrypted": false, "kmsKeyId": "k"}, "kmsKeyId", "needs storageEncrypted"},
		"one for two zones":  {aws.CacheGroup, values{"numCacheClusters": 1}, "automaticFailoverEnabled", "at least 2"},
		"no failover":        {aws.CacheGroup, values{"automaticFailoverEnabled": false}, "multiAzEnabled", "needs automaticFailoverEnabled"},
		"a short token":      {aws.CacheGroup, values{"authToken": "0123456789"}, "authToken", "16 to 128"},
		"a version of cache": {aws.CacheGroup, values{"engineVersion": "8"}, "engineVersion", "such as 8.1"},
		"a type of server":   {aws.CacheGroup, values{"nodeType": "t4g.small"}, "nodeType", "cache.t4g.small"},
	} {
		in := s.database
		if c.token == aws.CacheGroup {
			in = s.cache
		}
		_, failures := s.check(c.token, but(in, c.changes))
		assert.Contains(t, failures[c.property], c.reason, name)
	}
	_, failures := s.check(aws.DatabaseParameters, static)
	assert.Contains(t, failures["parameters"], "static parameter max_connections")
	_, failures = s.check(aws.CacheParameters, values{"name": "p", "family": "valkey8", "parameters": []any{values{"name": "maxmemory-policy", "value": "lru"}}})
	assert.Contains(t, failures["parameters"], "allkeys-lru")
	_, failures = s.check(aws.DatabaseInstance, s.database)
	assert.Empty(t, failures)
}

func TestWindowsOfAWeek(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		backup, maintenance string
		problem             bool
	}{
		"one after the other":  {"02:00-03:00", "sun:03:00-sun:04:00", false},
		"within it":            {"02:00-03:00", "wed:02:15-wed:02:45", true},
		"over midnight":        {"23:30-00:30", "mon:00:00-mon:01:00", true},
		"over the week's end":  {"23:30-00:30", "sat:23:45-sun:00:15", true},
		"at another time then": {"23:30-00:30", "sat:12:00-sat:13:00", false},
	} {
		assert.Equal(t, c.problem, windowsProblem(c.backup, c.maintenance) != "", name)
	}
}
