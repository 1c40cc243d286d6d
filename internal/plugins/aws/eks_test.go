package aws

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/internal/aws"
	"github.com/telekom/controlplane-infrastructure/internal/plugins/protocol"
)

func trusting(service string, actions string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":%q},"Action":[%s]}]}`, service, actions)
}

// eks is a network with a cluster, in steps.
type eks struct {
	network
	clusterRole, nodeRole, podRole string
	cluster, group                 values
}

func newEKS(t *testing.T) eks {
	t.Helper()
	e := eks{network: newNetwork(t)}
	role := func(name, trust string) string {
		_, made := e.create(aws.Role, values{"name": name, "assumeRolePolicy": trust})
		return fmt.Sprint(made["arn"])
	}
	e.clusterRole = role("cluster", trusting("eks.amazonaws.com", `"sts:AssumeRole","sts:TagSession"`))
	e.nodeRole = role("node", trusting("ec2.amazonaws.com", `"sts:AssumeRole"`))
	e.podRole = role("pod", trusting("pods.eks.amazonaws.com", `"sts:AssumeRole","sts:TagSession"`))
	e.cluster = values{
		"name": "platform", "roleArn": e.clusterRole, "version": "1.34", "bootstrapSelfManagedAddons": false,
		"vpcConfig":               values{"subnetIds": e.subnets, "endpointPrivateAccess": true, "endpointPublicAccess": false},
		"accessConfig":            values{"authenticationMode": "API"},
		"enabledClusterLogTypes":  []any{"api", "audit"},
		"kubernetesNetworkConfig": values{"serviceIpv4Cidr": "172.20.0.0/16"},
	}
	e.group = values{
		"clusterName": "platform", "nodeGroupNamePrefix": "platform-a-", "nodeRoleArn": e.nodeRole, "subnetIds": e.subnets[:1],
		"scalingConfig": values{"minSize": 1, "desiredSize": 1, "maxSize": 3},
	}
	return e
}

func (e eks) attach(role string, policies ...string) {
	e.t.Helper()
	for _, policy := range policies {
		e.create(aws.PolicyAttachment, values{"role": role, "policyArn": "arn:aws:iam::aws:policy/" + policy})
	}
}

func (e eks) addOn(name string) values { return values{"clusterName": "platform", "addonName": name} }

func TestAClusterLooksLikeOneOfAWS(t *testing.T) {
	t.Parallel()
	e := newEKS(t)
	e.attach("cluster", "AmazonEKSClusterPolicy")
	id, cluster := e.create(aws.EKSCluster, e.cluster)
	assert.Equal(t, "platform", id)
	assert.Equal(t, "arn:aws:eks:eu-central-1:123456789012:cluster/platform", cluster["arn"])
	assert.Regexp(t, `^https://[0-9A-F]{32}\.gr7\.eu-central-1\.eks\.amazonaws\.com$`, cluster["endpoint"])
	issuer := walk(cluster, "identities.oidcs.issuer")[0]
	assert.Regexp(t, `^https://oidc\.eks\.eu-central-1\.amazonaws\.com/id/[0-9A-F]{32}$`, issuer)
	network := object(cluster["vpcConfig"])
	assert.Equal(t, e.vpc, network["vpcId"])
	assert.Equal(t, e.subnets, network["subnetIds"], "what was given stays")
	assert.Equal(t, "API", object(cluster["accessConfig"])["authenticationMode"])

	data, err := base64.StdEncoding.DecodeString(text(object(cluster["certificateAuthority"]), "data"))
	require.NoError(t, err)
	block, _ := pem.Decode(data)
	require.NotNil(t, block)
	authority, err := x509.ParseCertificate(block.Bytes)
	require.NoError(t, err)
	require.NoError(t, authority.CheckSignatureFrom(authority), "it is its own authority")
	later, err := e.update(aws.EKSCluster, id, but(e.cluster, values{"version": "1.35"}))
	require.NoError(t, err)
	assert.Equal(t, "1.35", later["version"])
	for _, stays := range []string{"certificateAuthority", "endpoint", "identities", "createdAt"} {
		assert.Equal(t, cluster[stays], later[stays], "an upgrade does not change the %s", stays)
	}

	group := network["clusterSecurityGroupId"]
	_, _, err = e.try(aws.IngressRule, values{"securityGroupId": group, "ipProtocol": "-1", "cidrIpv4": "10.0.0.0/16"})
	require.NoError(t, err, "AWS has made the group")
	provider, made := e.create(aws.OIDCProvider, values{"url": issuer, "clientIdLists": []any{"sts.amazonaws.com"}})
	assert.Regexp(t, `^arn:aws:iam::123456789012:oidc-provider/oidc\.eks\.eu-central-1\.amazonaws\.com/id/`, provider)
	assert.Len(t, made["thumbprintLists"], 1)
	_, _, err = e.try(aws.LogGroup, values{"name": "/aws/eks/platform/cluster"})
	e.refused("ResourceAlreadyExistsException", err)
}

func TestWhatEKSWantsFirst(t *testing.T) {
	t.Parallel()
	e := newEKS(t)
	refused := func(message, token string, in values) {
		t.Helper()
		_, _, err := e.try(token, in)
		require.ErrorContains(t, err, message)
	}
	cluster := func(path string, v any) values { return but(e.cluster, values{path: v}) }
	refused("AmazonEKSClusterPolicy] are attached", aws.EKSCluster, e.cluster)
	e.attach("cluster", "AmazonEKSClusterPolicy")
	refused("trusted entity is not correct", aws.EKSCluster, cluster("roleArn", e.nodeRole))
	refused("cannot be found", aws.EKSCluster, cluster("roleArn", "arn:aws:iam::123456789012:role/none"))
	refused("The subnet ID 'subnet-0' does not exist", aws.EKSCluster, cluster("vpcConfig.subnetIds", []any{"subnet-0"}))
	refused("at least two different AZs", aws.EKSCluster, cluster("vpcConfig.subnetIds", e.subnets[:1]))
	refused("cannot both be false", aws.EKSCluster, cluster("vpcConfig.endpointPrivateAccess", false))
	refused("overlaps with that of the VPC", aws.EKSCluster, cluster("kubernetesNetworkConfig.serviceIpv4Cidr", "10.0.0.0/20"))
	refused("unsupported Kubernetes version", aws.EKSCluster, cluster("version", "1.22"))
	refused("No cluster found for name: platform.", aws.NodeGroup, e.group)
	e.create(aws.EKSCluster, e.cluster)
	refused("ResourceInUseException", aws.EKSCluster, e.cluster)

	refused("AmazonEKSWorkerNodePolicy] are attached", aws.NodeGroup, e.group)
	e.attach("node", "AmazonEKSWorkerNodeMinimalPolicy", "AmazonEC2ContainerRegistryPullOnly")
	refused("[ec2.amazonaws.com] were not found", aws.NodeGroup, but(e.group, values{"nodeRoleArn": e.podRole}))
	refused("NodeCreationFailure", aws.NodeGroup, e.group)
	refused("InsufficientNumberOfReplicas", aws.AddOn, e.addOn("coredns"))
	cni := but(e.addOn("vpc-cni"), values{"podIdentityAssociations": []any{values{"serviceAccount": "aws-node", "roleArn": e.nodeRole}}})
	refused("must let pods.eks.amazonaws.com do sts:AssumeRole and sts:TagSession", aws.AddOn, cni)
	object(list(cni["podIdentityAssociations"])[0])["roleArn"] = e.podRole
	e.create(aws.AddOn, cni)
	refused("does not suit the cluster's 1.34", aws.NodeGroup, but(e.group, values{"version": "1.35"}))
	template, _ := e.create(aws.LaunchTemplate, values{"name": "nodes"})
	refused("Launch template version 2 does not exist", aws.NodeGroup, but(e.group, values{"launchTemplate": values{"id": template, "version": "2"}}))
	refused("'lt-0' does not exist", aws.NodeGroup, but(e.group, values{"launchTemplate": values{"id": "lt-0", "version": "1"}}))
	_, group := e.create(aws.NodeGroup, but(e.group, values{"launchTemplate": values{"id": template, "version": "1"}}))
	assert.Equal(t, "1.34", group["version"], "that of the cluster")
	assert.Regexp(t, `^eks-platform-a-\d.*-[0-9a-f]{8}-`, walk(group, "resources.autoscalingGroups.name")[0])
	e.create(aws.AddOn, e.addOn("coredns"))

	admins := "arn:aws:iam::123456789012:role/admins"
	access := values{
		"clusterName": "platform", "principalArn": admins, "accessScope": values{"type": "cluster"},
		"policyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
	}
	refused("The specified principalArn could not be found", aws.AccessPolicyAssociation, access)
	e.create(aws.AccessEntry, values{"clusterName": "platform", "principalArn": admins})
	e.create(aws.AccessPolicyAssociation, access)
	pod := values{"clusterName": "platform", "namespace": "n", "serviceAccount": "s", "roleArn": e.podRole}
	association, _ := e.create(aws.PodIdentityAssociation, pod)
	refused("Association already exists: "+association, aws.PodIdentityAssociation, pod)
}

func TestAClusterIsUpgradedStepByStep(t *testing.T) {
	t.Parallel()
	e := newEKS(t)
	e.attach("cluster", "AmazonEKSClusterPolicy")
	e.attach("node", "AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryReadOnly")
	e.cluster["version"] = "1.31"
	e.create(aws.EKSCluster, e.cluster)
	e.create(aws.AddOn, e.addOn("vpc-cni"))
	id, _ := e.create(aws.NodeGroup, e.group)
	to := func(version string) error {
		_, err := e.update(aws.EKSCluster, "platform", but(e.cluster, values{"version": version}))
		return err
	}
	require.ErrorContains(t, to("1.33"), "Unsupported Kubernetes minor version update from 1.31 to 1.33")
	for _, version := range []string{"1.32", "1.33", "1.34"} {
		require.NoError(t, to(version))
	}
	require.ErrorContains(t, to("1.33"), "update from 1.34 to 1.33")
	require.ErrorContains(t, to("1.35"), "is too far behind", "nodes are still at 1.31")
	_, err := e.update(aws.NodeGroup, id, but(e.group, values{"version": "1.34"}))
	require.NoError(t, err)
	require.NoError(t, to("1.35"))
}

func TestAClusterStaysInItsZones(t *testing.T) {
	t.Parallel()
	e := newEKS(t)
	e.attach("cluster", "AmazonEKSClusterPolicy")
	e.create(aws.EKSCluster, e.cluster)
	in := func(zone, cidr string) error {
		id, _ := e.create(aws.Subnet, e.subnet(zone, cidr))
		_, err := e.update(aws.EKSCluster, "platform", but(e.cluster, values{"vpcConfig.subnetIds": append(append([]any{}, e.subnets...), id)}))
		return err
	}
	require.NoError(t, in("a", "10.0.8.0/24"))
	require.ErrorContains(t, in("c", "10.0.9.0/24"), "exact set of AZs 'eu-central-1a,eu-central-1b'")
}

func TestAClusterInANetworkOfSomebodyElse(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "aws.json")
	require.NoError(t, os.WriteFile(file, []byte(`{"resources":{
		"aws:ec2/vpc:Vpc":{"vpc-1":{"inputs":{"cidrBlock":"10.0.0.0/16"}}},
		"aws:ec2/subnet:Subnet":{
			"subnet-1":{"inputs":{"vpcId":"vpc-1","cidrBlock":"10.0.1.0/24","availabilityZone":"eu-central-1a"}},
			"subnet-2":{"inputs":{"vpcId":"vpc-1","cidrBlock":"10.0.2.0/24","availabilityZone":"eu-central-1b"}}}}}`), 0o600))
	c := connect(t, file)
	_, role := c.create(aws.Role, values{"name": "cluster", "assumeRolePolicy": trusting("eks.amazonaws.com", `"sts:AssumeRole"`)})
	c.create(aws.PolicyAttachment, values{"role": "cluster", "policyArn": "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"})
	_, cluster := c.create(aws.EKSCluster, values{
		"name": "platform", "roleArn": role["arn"], "vpcConfig": values{"subnetIds": []any{"subnet-1", "subnet-2"}},
	})
	assert.Equal(t, "vpc-1", object(cluster["vpcConfig"])["vpcId"])
	assert.Equal(t, []any{"0.0.0.0/0"}, object(cluster["vpcConfig"])["publicAccessCidrs"], "what AWS does when it is not told")
	c.refused("DependencyViolation", c.remove(aws.Subnet, "subnet-1"))
}

func TestAClusterIsTakenApartFromItsEnd(t *testing.T) {
	t.Parallel()
	e := newEKS(t)
	e.attach("cluster", "AmazonEKSClusterPolicy")
	e.attach("node", "AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryReadOnly")
	e.create(aws.EKSCluster, e.cluster)
	addOn, _ := e.create(aws.AddOn, e.addOn("vpc-cni"))
	group, _ := e.create(aws.NodeGroup, e.group)

	e.refused("ResourceInUseException", e.remove(aws.EKSCluster, "platform"))
	e.refused("DependencyViolation", e.remove(aws.Subnet, fmt.Sprint(e.subnets[1])))
	for _, policy := range []string{"AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryReadOnly"} {
		require.NoError(t, e.remove(aws.PolicyAttachment, "node-arn:aws:iam::aws:policy/"+policy))
	}
	require.ErrorContains(t, e.remove(aws.Role, "node"), "must remove roles from instance profile first")
	require.NoError(t, e.remove(aws.NodeGroup, group))
	require.NoError(t, e.remove(aws.Role, "node"))
	require.NoError(t, e.remove(aws.EKSCluster, "platform"))
	assert.False(t, e.exists(aws.AddOn, addOn), "add-ons go with their cluster")
	for _, subnet := range e.subnets {
		require.NoError(t, e.remove(aws.Subnet, fmt.Sprint(subnet)))
	}
}

func TestWhatAChangeOfAClusterDoes(t *testing.T) {
	t.Parallel()
	c := connect(t, "")
	cluster := values{
		"name": "platform", "roleArn": "arn:1", "version": "1.34", "bootstrapSelfManagedAddons": false,
		"vpcConfig": values{
			"subnetIds": []any{"a", "b"}, "publicAccessCidrs": []any{"192.0.2.0/24", "198.51.100.0/24"}, "endpointPrivateAccess": true,
		},
		"accessConfig":            values{"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": true},
		"enabledClusterLogTypes":  []any{"api", "audit"},
		"encryptionConfig":        values{"provider": values{"keyArn": "arn:2"}, "resources": []any{"secrets"}},
		"kubernetesNetworkConfig": values{"serviceIpv4Cidr": "172.20.0.0/16"},
		"upgradePolicy":           values{"supportType": "STANDARD"}, "tags": values{"a": "b"},
	}
	group := values{
		"clusterName": "platform", "nodeGroupNamePrefix": "a-", "nodeRoleArn": "arn:3", "subnetIds": []any{"a", "b"},
		"version": "1.34", "instanceTypes": []any{"m7i.xlarge"}, "labels": values{}, "capacityType": "ON_DEMAND",
		"scalingConfig":  values{"minSize": 1, "desiredSize": 1, "maxSize": 3},
		"launchTemplate": values{"id": "lt-1", "version": "1"},
		"taints":         []any{values{"key": "a", "effect": "NO_SCHEDULE"}, values{"key": "b", "effect": "NO_EXECUTE"}},
	}
	addOn := values{"clusterName": "platform", "addonName": "coredns", "addonVersion": "v1.12.4-eksbuild.1"}
	for name, each := range map[string]struct {
		token       string
		in, changes values
		want        string
	}{
		"a version":            {aws.EKSCluster, cluster, values{"version": "1.35"}, "update"},
		"tags":                 {aws.EKSCluster, cluster, values{"tags.c": "d"}, "update"},
		"who may reach it":     {aws.EKSCluster, cluster, values{"vpcConfig.publicAccessCidrs": []any{"192.0.2.0/24"}}, "update"},
		"another order":        {aws.EKSCluster, cluster, values{"vpcConfig.subnetIds": []any{"b", "a"}, "enabledClusterLogTypes": []any{"audit", "api"}}, "none"},
		"one more subnet":      {aws.EKSCluster, cluster, values{"vpcConfig.subnetIds": []any{"b", "a", "c"}}, "update"},
		"logs":                 {aws.EKSCluster, cluster, values{"enabledClusterLogTypes": []any{"api"}}, "update"},
		"support":              {aws.EKSCluster, cluster, values{"upgradePolicy.supportType": "EXTENDED"}, "update"},
		"zonal shift":          {aws.EKSCluster, cluster, values{"zonalShiftConfig": values{"enabled": true}}, "update"},
		"more authentication":  {aws.EKSCluster, cluster, values{"accessConfig.authenticationMode": "API_AND_CONFIG_MAP"}, "update"},
		"its creator's rights": {aws.EKSCluster, cluster, values{"accessConfig.bootstrapClusterCreatorAdminPermissions": false}, "delete, create"},
		"addresses":            {aws.EKSCluster, cluster, values{"kubernetesNetworkConfig.serviceIpv4Cidr": "172.21.0.0/16"}, "delete, create"},
		"its role":             {aws.EKSCluster, cluster, values{"roleArn": "arn:4"}, "delete, create"},
		"its name":             {aws.EKSCluster, cluster, values{"name": "other"}, "create, delete"},
		"no encryption":        {aws.EKSCluster, cluster, values{"encryptionConfig": nil}, "delete, create"},
		"encryption later":     {aws.EKSCluster, but(cluster, values{"encryptionConfig": nil}), values{"encryptionConfig": values{"resources": []any{"secrets"}}}, "update"},
		"its own add-ons":      {aws.EKSCluster, cluster, values{"bootstrapSelfManagedAddons": true}, "delete, create"},

		"nodes of a version":        {aws.NodeGroup, group, values{"version": "1.35"}, "update"},
		"how many":                  {aws.NodeGroup, group, values{"scalingConfig.maxSize": 5}, "update"},
		"labels":                    {aws.NodeGroup, group, values{"labels": values{"a": "b"}}, "update"},
		"taints":                    {aws.NodeGroup, group, values{"taints": []any{}}, "update"},
		"taints in another order":   {aws.NodeGroup, group, values{"taints": []any{list(group["taints"])[1], list(group["taints"])[0]}}, "none"},
		"a version of the template": {aws.NodeGroup, group, values{"launchTemplate.version": "2"}, "update"},
		"another template":          {aws.NodeGroup, group, values{"launchTemplate.id": "lt-2"}, "create, delete"},
		"types of instances":        {aws.NodeGroup, group, values{"instanceTypes": []any{"m7i.2xlarge"}}, "create, delete"},
		"spot":                      {aws.NodeGroup, group, values{"capacityType": "SPOT"}, "create, delete"},
		"a subnet":                  {aws.NodeGroup, group, values{"subnetIds": []any{"a"}}, "create, delete"},
		"subnets in another order":  {aws.NodeGroup, group, values{"subnetIds": []any{"b", "a"}}, "none"},
		"with a name of its own": {
			aws.NodeGroup, but(group, values{"nodeGroupNamePrefix": nil, "nodeGroupName": "a"}), values{"capacityType": "SPOT"}, "delete, create",
		},

		"a version of an add-on": {aws.AddOn, addOn, values{"addonVersion": "v1.13.0-eksbuild.1"}, "update"},
		"its configuration":      {aws.AddOn, addOn, values{"configurationValues": "{}"}, "update"},
		"another add-on":         {aws.AddOn, addOn, values{"addonName": "vpc-cni"}, "create, delete"},
		"another role of pods":   {aws.PodIdentityAssociation, values{"namespace": "n", "roleArn": "a"}, values{"roleArn": "b"}, "update"},
		"other pods":             {aws.PodIdentityAssociation, values{"namespace": "n", "roleArn": "a"}, values{"namespace": "m"}, "create, delete"},
		"groups of an entry":     {aws.AccessEntry, values{"principalArn": "a"}, values{"kubernetesGroups": []any{"g"}}, "update"},
		"a scope": {
			aws.AccessPolicyAssociation, values{"accessScope": values{"type": "cluster"}}, values{"accessScope.type": "namespace"}, "create, delete",
		},
	} {
		assert.Equal(t, each.want, c.change(each.token, each.in, each.changes), name)
	}
	detail := c.diff(aws.EKSCluster, properties(cluster), properties(but(cluster, values{"kubernetesNetworkConfig.serviceIpv4Cidr": "172.21.0.0/16", "version": "1.35"})))
	assert.Equal(t, "UPDATE_REPLACE", detail.GetDetailedDiff()["kubernetesNetworkConfig.serviceIpv4Cidr"].GetKind().String())
	assert.Equal(t, "UPDATE", detail.GetDetailedDiff()["version"].GetKind().String())
	assert.Equal(t, []string{"kubernetesNetworkConfig"}, detail.GetReplaces())
}

func TestMistakesInAClusterAreFoundInAPreview(t *testing.T) {
	t.Parallel()
	addOn := func(name, configuration string) values {
		return values{"clusterName": "c", "addonName": name, "configurationValues": configuration}
	}
	sizes := func(low, desired, high int) values {
		return values{"scalingConfig": values{"minSize": low, "desiredSize": desired, "maxSize": high}}
	}
	for name, c := range map[string]struct {
		token            string
		in               values
		property, reason string
	}{
		"a name":          {aws.EKSCluster, values{"name": "my.cluster"}, "name", "letters, digits, hyphens"},
		"addresses":       {aws.EKSCluster, values{"kubernetesNetworkConfig": values{"serviceIpv4Cidr": "172.20.0.0/25"}}, "kubernetesNetworkConfig", "/12 to /24"},
		"public ones":     {aws.EKSCluster, values{"kubernetesNetworkConfig": values{"serviceIpv4Cidr": "8.8.0.0/16"}}, "kubernetesNetworkConfig", "private"},
		"a type of logs":  {aws.EKSCluster, values{"enabledClusterLogTypes": []any{"apis"}}, "enabledClusterLogTypes", `"apis"`},
		"a network":       {aws.EKSCluster, values{"vpcConfig": values{"publicAccessCidrs": []any{"192.0.2.1/24"}}}, "vpcConfig", "first address"},
		"a sort of mode":  {aws.EKSCluster, values{"accessConfig": values{"authenticationMode": "RBAC"}}, "accessConfig", "CONFIG_MAP"},
		"too many":        {aws.NodeGroup, sizes(1, 4, 3), "scalingConfig", "minSize <= desiredSize <= maxSize"},
		"none ever":       {aws.NodeGroup, sizes(0, 0, 0), "scalingConfig", "at least 1"},
		"a retired image": {aws.NodeGroup, values{"amiType": "AL2_x86_64"}, "amiType", "AL2023_x86_64_STANDARD"},
		"an effect":       {aws.NodeGroup, values{"taints": []any{values{"key": "k", "effect": "NoSchedule"}}}, "taints", "NO_SCHEDULE"},
		"no subnets":      {aws.NodeGroup, values{"subnetIds": []any{}}, "subnetIds", "is required"},
		"a long prefix":   {aws.NodeGroup, values{"nodeGroupNamePrefix": "0123456789012345678901234567890123456789"}, "nodeGroupNamePrefix", "37 characters"},
		"an add-on":       {aws.AddOn, addOn("core-dns", ""), "addonName", "coredns"},
		"no object":       {aws.AddOn, addOn("coredns", "["), "configurationValues", "neither JSON nor YAML"},
		"a truth value":   {aws.AddOn, addOn("vpc-cni", `{"enableNetworkPolicy":true}`), "configurationValues", "true found, string expected"},
		"a mode":          {aws.AddOn, addOn("vpc-cni", `{"env":{"NETWORK_POLICY_ENFORCING_MODE":"hard"}}`), "configurationValues", "strict"},
		"a group":         {aws.AccessEntry, values{"kubernetesGroups": []any{"system:masters"}}, "kubernetesGroups", "system:"},
		"a policy":        {aws.AccessPolicyAssociation, values{"policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}, "policyArn", "AmazonEKSViewPolicy"},
		"namespaces":      {aws.AccessPolicyAssociation, values{"accessScope": values{"type": "cluster", "namespaces": []any{"n"}}}, "accessScope", "go with the type namespace"},
		"days of logs":    {aws.LogGroup, values{"retentionInDays": 42}, "retentionInDays", "one of [0 1 3"},
		"an issuer":       {aws.OIDCProvider, values{"url": "http://issuer"}, "url", "https://"},
		"a fingerprint":   {aws.OIDCProvider, values{"url": "https://i", "clientIdLists": []any{"c"}, "thumbprintLists": []any{"ab"}}, "thumbprintLists", "40 hexadecimal"},
		"metadata":        {aws.LaunchTemplate, values{"metadataOptions": values{"httpTokens": "yes"}}, "metadataOptions", "required"},
		"a volume":        {aws.LaunchTemplate, values{"blockDeviceMappings": []any{values{"deviceName": "/dev/xvda", "ebs": values{"volumeType": "gp4"}}}}, "blockDeviceMappings", "gp3"},
		"an open key":     {aws.LaunchTemplate, values{"blockDeviceMappings": []any{values{"deviceName": "/dev/xvda", "ebs": values{"kmsKeyId": "k"}}}}, "blockDeviceMappings", "needs encrypted"},
	} {
		_, failures := connect(t, "").check(c.token, c.in)
		assert.Contains(t, failures[c.property], c.reason, name)
	}
}

func TestAPreviewKnowsWhatIsGiven(t *testing.T) {
	t.Parallel()
	c := connect(t, "")
	in := values{"name": "platform", "roleArn": "arn", "vpcConfig": values{"subnetIds": []any{"a"}}, "version": "1.35"}
	planned, err := kinds[aws.EKSCluster].planned(c.wire(in))
	require.NoError(t, err)
	state, err := protocol.Decode(planned)
	require.NoError(t, err)
	assert.Equal(t, "1.35", state["version"].StringValue())
	for path, unknown := range map[string]bool{
		"vpcConfig.subnetIds": false, "vpcConfig.clusterSecurityGroupId": true, "vpcConfig.vpcId": true, "endpoint": true,
	} {
		v, there := lookUp(state, path)
		assert.True(t, there, path)
		assert.Equal(t, unknown, v.IsComputed(), path)
	}
}
