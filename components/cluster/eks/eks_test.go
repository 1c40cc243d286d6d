package eks

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/telekom/controlplane-infrastructure/internal/aws"
	"github.com/telekom/controlplane-infrastructure/internal/aws/awstest"
)

func variants() map[string]Args {
	strict := zonal()
	strict.AddOns = AddOns{VPCCNI: "v1.21.1-eksbuild.1", StrictNetworkPolicy: true}
	return map[string]Args{"zonal": zonal(), "single": single(), "existing": existing(), "strict": strict}
}

func TestInputsAreThoseOfTheSDK(t *testing.T) {
	t.Parallel()
	for name, args := range variants() {
		for what, registered := range run(t, args).all {
			if !strings.HasPrefix(registered.TypeToken, "aws:") {
				continue
			}
			assert.Empty(t, awstest.Problems(registered.TypeToken, registered.Inputs), "%s: %s", name, what)
			assert.Contains(t, registered.Provider, "pulumi:providers:aws::aws", what)
			assert.Contains(t, registered.RegisterRPC.GetParent(), Type, what)
		}
	}
}

func TestWhatANetworkIsMadeOf(t *testing.T) {
	t.Parallel()
	three, two, none := run(t, zonal()), run(t, single()), run(t, existing())
	for token, want := range map[string][3]int{
		aws.VPC: {1, 1, 0}, aws.DefaultSecurityGroup: {1, 1, 0}, aws.InternetGateway: {1, 1, 0}, aws.VPCEndpoint: {1, 1, 0},
		aws.Subnet: {6, 4, 0}, aws.RouteTable: {4, 3, 0}, aws.Route: {4, 3, 0}, aws.RouteTableAssociation: {6, 4, 0},
		aws.NATGateway: {3, 1, 0}, aws.ElasticIP: {3, 1, 0}, aws.FlowLog: {1, 0, 0},
		aws.EKSCluster: {1, 1, 1}, aws.NodeGroup: {4, 2, 4}, aws.LaunchTemplate: {2, 1, 2}, aws.AddOn: {6, 6, 6},
		aws.Key: {1, 1, 0}, aws.KeyAlias: {1, 1, 0}, aws.LogGroup: {2, 1, 1}, aws.OIDCProvider: {1, 1, 1},
		aws.AccessEntry: {2, 0, 2}, aws.AccessPolicyAssociation: {3, 0, 3}, aws.PodIdentityAssociation: {1, 0, 1},
	} {
		got := [3]int{len(three.names(token)), len(two.names(token)), len(none.names(token))}
		assert.Equal(t, want, got, "%s with three zones, with two and one way out, with an existing VPC", token)
	}
	assert.Equal(t, []string{"nat-eu-central-1a"}, two.names(aws.NATGateway))
	for zone, nat := range map[string]string{"eu-central-1a": "nat-eu-central-1a-id", "eu-central-1c": "nat-eu-central-1c-id"} {
		assert.Equal(t, nat, three.inputs(t, aws.Route, "private-"+zone)["natGatewayId"], "a zone has its own way out")
	}
	assert.Equal(t, "nat-eu-central-1a-id", two.inputs(t, aws.Route, "private-eu-central-1b")["natGatewayId"])

	subnet := func(name string) map[string]any { return three.inputs(t, aws.Subnet, name)["tags"].(map[string]any) }
	assert.Equal(t, map[string]any{
		"Name": "controlplane-test-public-eu-central-1b", "owner": "platform",
		"kubernetes.io/role/elb": "1", "kubernetes.io/cluster/controlplane-test": "shared",
	}, subnet("public-eu-central-1b"))
	assert.Contains(t, subnet("private-eu-central-1b"), "kubernetes.io/role/internal-elb")
	closed := three.inputs(t, aws.DefaultSecurityGroup, "default-security-group")
	assert.NotContains(t, closed, "ingress")
	assert.NotContains(t, closed, "egress")
	assert.Equal(t, []any{"private-eu-central-1a-id", "private-eu-central-1b-id", "private-eu-central-1c-id"},
		three.inputs(t, aws.VPCEndpoint, "s3")["routeTableIds"])
	assert.Equal(t, "com.amazonaws.eu-central-1.s3", three.inputs(t, aws.VPCEndpoint, "s3")["serviceName"])
}

func TestTheControlPlaneIsGuarded(t *testing.T) {
	t.Parallel()
	guarded := run(t, zonal())
	assert.Equal(t, map[string]any{
		"securityGroupId": "sg-0123456789abcdef0", "cidrIpv4": "10.20.0.0/16", "ipProtocol": "tcp", "fromPort": 443.0, "toPort": 443.0,
		"description": "Kubernetes API", "tags": map[string]any{"owner": "platform"},
	}, guarded.inputs(t, aws.IngressRule, "api-server-10.20.0.0-16"), "the private endpoint is for nodes and pods, and who is named")
	assert.Empty(t, run(t, single()).names(aws.IngressRule))
	in := guarded.inputs(t, aws.EKSCluster, "cluster")
	assert.Equal(t, map[string]any{
		"name": "controlplane-test", "version": "1.35", "tags": map[string]any{"owner": "platform"},
		"roleArn": "arn:aws:iam::123456789012:role/controlplane-test-eu-central-1-control-plane",
		"vpcConfig": map[string]any{
			"subnetIds":             []any{"private-eu-central-1a-id", "private-eu-central-1b-id", "private-eu-central-1c-id"},
			"endpointPrivateAccess": true, "endpointPublicAccess": true, "publicAccessCidrs": []any{"192.0.2.0/24"},
		},
		"accessConfig": map[string]any{"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": true},
		"encryptionConfig": map[string]any{
			"resources": []any{"secrets"}, "provider": map[string]any{"keyArn": "arn:aws:kms:eu-central-1:123456789012:key/key"},
		},
		"kubernetesNetworkConfig":    map[string]any{"ipFamily": "ipv4", "serviceIpv4Cidr": "172.20.0.0/16"},
		"enabledClusterLogTypes":     []any{"api", "audit", "authenticator", "controllerManager", "scheduler"},
		"upgradePolicy":              map[string]any{"supportType": "STANDARD"},
		"bootstrapSelfManagedAddons": false, "zonalShiftConfig": map[string]any{"enabled": true},
	}, in)

	least := run(t, single()).inputs(t, aws.EKSCluster, "cluster")
	assert.Equal(t, false, least["vpcConfig"].(map[string]any)["endpointPublicAccess"], "nobody from outside")
	assert.NotContains(t, least["vpcConfig"], "publicAccessCidrs")
	assert.NotContains(t, least, "zonalShiftConfig")

	given := existing()
	given.ExtendedSupport = true
	in = run(t, given).inputs(t, aws.EKSCluster, "cluster")
	assert.Equal(t, "EXTENDED", in["upgradePolicy"].(map[string]any)["supportType"])
	assert.Equal(t, "arn:aws:kms:eu-central-1:123456789012:key/given", in["encryptionConfig"].(map[string]any)["provider"].(map[string]any)["keyArn"])
	assert.Equal(t, "subnet-0123456789abcdea", in["vpcConfig"].(map[string]any)["subnetIds"].([]any)[0])
}

func TestNodesAreGuarded(t *testing.T) {
	t.Parallel()
	r := run(t, zonal())
	for _, name := range r.names(aws.LaunchTemplate) {
		in := r.inputs(t, aws.LaunchTemplate, name)
		assert.Equal(t, map[string]any{"httpEndpoint": "enabled", "httpTokens": "required", "httpPutResponseHopLimit": 1.0},
			in["metadataOptions"], "pods must not get the credentials of their node")
		assert.NotContains(t, in, "keyName")
		for _, mapping := range in["blockDeviceMappings"].([]any) {
			ebs := mapping.(map[string]any)["ebs"].(map[string]any)
			assert.Equal(t, []any{"true", "gp3", "true"}, []any{ebs["encrypted"], ebs["volumeType"], ebs["deleteOnTermination"]})
		}
	}
	platform := r.inputs(t, aws.LaunchTemplate, "platform")["blockDeviceMappings"].([]any)
	require.Len(t, platform, 1)
	assert.Equal(t, 50.0, platform[0].(map[string]any)["ebs"].(map[string]any)["volumeSize"])
	batch := r.inputs(t, aws.LaunchTemplate, "batch")["blockDeviceMappings"].([]any)
	require.Len(t, batch, 2, "Bottlerocket has a volume for itself")
	assert.Equal(t, "/dev/xvdb", batch[1].(map[string]any)["deviceName"])
	assert.Equal(t, 80.0, batch[1].(map[string]any)["ebs"].(map[string]any)["volumeSize"])

	assert.Equal(t, []string{
		"batch-eu-central-1b", "platform-eu-central-1a", "platform-eu-central-1b", "platform-eu-central-1c",
	}, r.names(aws.NodeGroup))
	assert.Equal(t, map[string]any{
		"clusterName": "controlplane-test", "nodeGroupNamePrefix": "batch-b-", "version": "1.35",
		"nodeRoleArn": "arn:aws:iam::123456789012:role/controlplane-test-eu-central-1-node",
		"subnetIds":   []any{"private-eu-central-1b-id"}, "amiType": "BOTTLEROCKET_ARM_64", "capacityType": "SPOT",
		"instanceTypes":  []any{"m7g.large"},
		"scalingConfig":  map[string]any{"minSize": 0.0, "maxSize": 3.0, "desiredSize": 0.0},
		"updateConfig":   map[string]any{"maxUnavailable": 1.0},
		"launchTemplate": map[string]any{"id": "batch-id", "version": "3"},
		"labels":         map[string]any{"pool": "batch"},
		"taints":         []any{map[string]any{"key": "batch", "effect": "NO_SCHEDULE"}},
		"tags":           map[string]any{"owner": "platform"},
	}, r.inputs(t, aws.NodeGroup, "batch-eu-central-1b"))
	group := r.get(t, aws.NodeGroup, "platform-eu-central-1a")
	assert.Equal(t, []string{"scalingConfig.desiredSize"}, group.RegisterRPC.GetIgnoreChanges(), "the autoscaler decides")
	assert.False(t, group.RegisterRPC.GetDeleteBeforeReplace(), "the new nodes are there before the old ones go")
	assert.Empty(t, run(t, single()).get(t, aws.NodeGroup, "platform-eu-central-1a").RegisterRPC.GetIgnoreChanges())
}

func TestAddOns(t *testing.T) {
	t.Parallel()
	strict := variants()["strict"]
	r := run(t, strict)
	assert.Equal(t, []string{
		"aws-ebs-csi-driver", "coredns", "eks-pod-identity-agent", "kube-proxy", "metrics-server", "vpc-cni",
	}, r.names(aws.AddOn))
	for _, name := range r.names(aws.AddOn) {
		in := r.inputs(t, aws.AddOn, name)
		assert.Equal(t, []any{name, "OVERWRITE", "OVERWRITE"},
			[]any{in["addonName"], in["resolveConflictsOnCreate"], in["resolveConflictsOnUpdate"]})
	}
	network := r.inputs(t, aws.AddOn, "vpc-cni")
	assert.Equal(t, "v1.21.1-eksbuild.1", network["addonVersion"])
	assert.JSONEq(t, `{"enableNetworkPolicy":"true","env":{"NETWORK_POLICY_ENFORCING_MODE":"strict"}}`,
		network["configurationValues"].(string))
	assert.NotContains(t, r.inputs(t, aws.AddOn, "coredns"), "addonVersion", "EKS' default")
	assert.Contains(t, run(t, single()).inputs(t, aws.AddOn, "vpc-cni")["configurationValues"], `"standard"`)
	for name, of := range map[string]string{"vpc-cni": "aws-node", "aws-ebs-csi-driver": "ebs-csi-controller-sa"} {
		assert.Equal(t, []any{map[string]any{
			"roleArn":        "arn:aws:iam::123456789012:role/controlplane-test-eu-central-1-" + name,
			"serviceAccount": of,
		}}, r.inputs(t, aws.AddOn, name)["podIdentityAssociations"])
	}
	assert.Equal(t, map[string]any{
		"clusterName": "controlplane-test", "namespace": "cluster-autoscaler", "serviceAccount": "cluster-autoscaler",
		"roleArn": "arn:aws:iam::123456789012:role/controlplane-test-eu-central-1-cluster-autoscaler",
		"tags":    map[string]any{"owner": "platform"},
	}, r.inputs(t, aws.PodIdentityAssociation, "cluster-autoscaler"))
}

func TestWhatComesAfterWhat(t *testing.T) {
	t.Parallel()
	r := run(t, zonal())
	const group = "platform-eu-central-1a"
	for _, c := range [][4]string{
		{aws.EKSCluster, "cluster", aws.LogGroup, "logs"},
		{aws.EKSCluster, "cluster", aws.PolicyAttachment, "control-plane-AmazonEKSClusterPolicy"},
		{aws.EKSCluster, "cluster", aws.Subnet, "private-eu-central-1c"},
		{aws.NATGateway, "nat-eu-central-1a", aws.InternetGateway, "internet-gateway"},
		{aws.NATGateway, "nat-eu-central-1a", aws.Route, "public"},
		{aws.ElasticIP, "nat-eu-central-1a", aws.InternetGateway, "internet-gateway"},
		{aws.AddOn, "vpc-cni", aws.AddOn, "eks-pod-identity-agent"},
		{aws.AddOn, "vpc-cni", aws.PolicyAttachment, "vpc-cni-AmazonEKS_CNI_Policy"},
		{aws.NodeGroup, group, aws.EKSCluster, "cluster"},
		{aws.NodeGroup, group, aws.AddOn, "vpc-cni"},
		{aws.NodeGroup, group, aws.AddOn, "kube-proxy"},
		{aws.NodeGroup, group, aws.AddOn, "eks-pod-identity-agent"},
		{aws.NodeGroup, group, aws.Route, "private-eu-central-1a"},
		{aws.NodeGroup, group, aws.RouteTableAssociation, "private-eu-central-1a"},
		{aws.NodeGroup, group, aws.VPCEndpoint, "s3"},
		{aws.NodeGroup, group, aws.PolicyAttachment, "node-AmazonEKSWorkerNodePolicy"},
		{aws.NodeGroup, group, aws.PolicyAttachment, "node-AmazonEC2ContainerRegistryPullOnly"},
		{aws.AddOn, "coredns", aws.NodeGroup, group},
		{aws.AddOn, "metrics-server", aws.NodeGroup, group},
		{aws.AddOn, "aws-ebs-csi-driver", aws.NodeGroup, group},
		{aws.AddOn, "aws-ebs-csi-driver", aws.PolicyAttachment, "aws-ebs-csi-driver-AmazonEBSCSIDriverPolicyV2"},
		{aws.AccessPolicyAssociation, "access-123456789012-role-developers-edit", aws.AccessEntry, "access-123456789012-role-developers"},
		{aws.PodIdentityAssociation, "cluster-autoscaler", aws.RolePolicy, "cluster-autoscaler"},
		{aws.FlowLog, "flow-logs", aws.RolePolicy, "flow-logs"},
	} {
		assert.True(t, r.after(c[0], c[1], c[2], c[3]), "%s %s must wait for %s %s", c[0], c[1], c[2], c[3])
		assert.False(t, r.after(c[2], c[3], c[0], c[1]))
	}
	var members []string
	for _, args := range r.all {
		if strings.HasPrefix(args.TypeToken, "aws:") {
			members = append(members, args.Name)
		}
	}
	assert.Len(t, r.made.All(), len(members), "whoever needs the cluster waits for everything of it")
}

func TestWhatCannotBeBroughtBackIsProtected(t *testing.T) {
	t.Parallel()
	guarded, open := run(t, zonal()), run(t, single())
	protects := map[string]bool{aws.VPC: true, aws.Subnet: true, aws.Key: true, aws.EKSCluster: true}
	for what, args := range guarded.all {
		assert.Equal(t, protects[args.TypeToken], args.RegisterRPC.GetProtect(), what)
	}
	for what, args := range open.all {
		assert.False(t, args.RegisterRPC.GetProtect(), what)
	}
	assert.Equal(t, true, guarded.inputs(t, aws.Key, "key")["enableKeyRotation"])
	assert.Equal(t, 90.0, guarded.inputs(t, aws.LogGroup, "logs")["retentionInDays"])
	assert.Equal(t, "/aws/eks/controlplane-test/cluster", guarded.inputs(t, aws.LogGroup, "logs")["name"])
}

func TestAccess(t *testing.T) {
	t.Parallel()
	r := run(t, zonal())
	assert.Equal(t, []string{"access-123456789012-role-developers", "access-123456789012-role-teams-admins"}, r.names(aws.AccessEntry))
	assert.Equal(t, map[string]any{
		"clusterName": "controlplane-test", "principalArn": "arn:aws:iam::123456789012:role/developers",
		"policyArn":   "arn:aws:eks::aws:cluster-access-policy/AmazonEKSEditPolicy",
		"accessScope": map[string]any{"type": "namespace", "namespaces": []any{"team-a"}},
	}, r.inputs(t, aws.AccessPolicyAssociation, "access-123456789012-role-developers-edit"))
	assert.Equal(t, map[string]any{"type": "cluster"},
		r.inputs(t, aws.AccessPolicyAssociation, "access-123456789012-role-teams-admins-clusterAdmin")["accessScope"])
}

// A preview of a cluster that does not exist yet knows no ARN, no ID and no issuer, and shows everything nevertheless.
func TestThePreviewOfTheFirstDayIsComplete(t *testing.T) {
	t.Parallel()
	for name, args := range variants() {
		preview := &registrations{all: map[string]pulumi.MockResourceArgs{}, outputs: map[string]string{}, unknown: true}
		preview.run(t, args, func(info *pulumi.RunInfo) { info.DryRun = true })
		update := run(t, args)
		for what := range update.all {
			assert.Contains(t, preview.all, what, name)
		}
		assert.Len(t, preview.all, len(update.all), name)
		assert.NotContains(t, preview.outputs, "kubeconfig", "nobody knows it yet")
	}
}

func TestWhatConsumersSee(t *testing.T) {
	t.Parallel()
	args := zonal()
	args.Profile, args.AssumeRoleARN = "platform", "arn:aws:iam::123456789012:role/deployer"
	r := run(t, args)
	assert.Equal(t, issuer, r.outputs["issuer"])
	assert.Equal(t, "arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF",
		r.outputs["oidcProvider"])
	assert.Equal(t, "vpc-id", r.outputs["vpc"])
	assert.Equal(t, "sg-0123456789abcdef0", r.outputs["securityGroup"])
	assert.Len(t, r.made.SubnetIDs, 3)
	assert.Equal(t, map[string]any{
		"url": issuer, "clientIdLists": []any{"sts.amazonaws.com"}, "tags": map[string]any{"owner": "platform"},
	}, r.inputs(t, aws.OIDCProvider, "oidc"))

	config, err := clientcmd.Load([]byte(r.outputs["kubeconfig"]))
	require.NoError(t, err)
	require.NoError(t, clientcmd.Validate(*config))
	at := config.Contexts[config.CurrentContext]
	require.NotNil(t, at)
	assert.Equal(t, "https://0123456789ABCDEF.gr7.eu-central-1.eks.amazonaws.com", config.Clusters[at.Cluster].Server)
	assert.Equal(t, "a certificate", string(config.Clusters[at.Cluster].CertificateAuthorityData))
	exec := config.AuthInfos[at.AuthInfo].Exec
	require.NotNil(t, exec)
	assert.Equal(t, "aws eks get-token --cluster-name controlplane-test --region eu-central-1 --output json "+
		"--profile platform --role-arn arn:aws:iam::123456789012:role/deployer", exec.Command+" "+strings.Join(exec.Args, " "))
	assert.Equal(t, r.outputs["kubeconfig"], run(t, args).outputs["kubeconfig"], "always the same text")
	assert.Equal(t, "vpc-0123456789abcdef0", run(t, existing()).outputs["vpc"])
}

func TestWhatCannotWorkIsRefused(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*Args){
		"EKS needs two zones; there is 1":                 func(a *Args) { a.Network.Zones = a.Network.Zones[:1] },
		"node group platform: zone eu-central-1c is none": func(a *Args) { a.Network.Zones = a.Network.Zones[:2] },
		"every node group has a taint":                    func(a *Args) { a.NodeGroups = a.NodeGroups[1:] },
		"is too long by 11":                               func(a *Args) { a.NodeGroups[0].Name = strings.Repeat("a", 45) },
		`taint batch: "Never" is no effect`:               func(a *Args) { a.NodeGroups[1].Taints[0].Effect = "Never" },
		`role/developers: "owner" is no policy`:           func(a *Args) { a.Access[1].Policy = "owner" },
	} {
		args := zonal()
		change(&args)
		err := pulumi.RunErr(func(ctx *pulumi.Context) error {
			_, err := New(ctx, "eks", args)
			return err
		}, pulumi.WithMocks("controlplane", "test", &registrations{all: map[string]pulumi.MockResourceArgs{}}))
		assert.ErrorContains(t, err, want)
	}
	soft := zonal()
	soft.NodeGroups = soft.NodeGroups[1:]
	soft.NodeGroups[0].Taints[0].Effect = "PreferNoSchedule"
	assert.NoError(t, soft.Check(), "pods may go where they are not wanted")
}
