package aws

import (
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/telekom/controlplane-infrastructure/internal/aws"
)

// clusterVersions are the minor versions of Kubernetes that clusters may have, with the add-ons' usual build of each.
// Source: https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html
var clusterVersions = []string{"1.31", "1.32", "1.33", "1.34", "1.35", "1.36"}

var (
	logTypes    = []string{"api", "audit", "authenticator", "controllerManager", "scheduler"}
	clusterName = regexp.MustCompile(`^[0-9A-Za-z][A-Za-z0-9_-]{0,99}$`)
	// nameOfGroup is the form of a node group's name; with a prefix AWS' plugin adds 26 characters.
	nameOfGroup = regexp.MustCompile(`^[0-9A-Za-z][A-Za-z0-9_-]{0,62}$`)
	noCluster   = answer{404, "ResourceNotFoundException", "No cluster found for name: %s."}
	ofCluster   = owner{token: aws.EKSCluster, input: "clusterName", missing: noCluster}
	badSubnet   = answer{400, "InvalidParameterException", "The subnet ID '%s' does not exist"}
	badGroup    = answer{400, "InvalidParameterException", "The security group ID '%s' does not exist"}
	badRole     = answer{400, "InvalidParameterException", "The role with name %s cannot be found."}
)

// eksKinds: what a change replaces is marked "forces new resource" in the reference of the Terraform provider that the
// published plugin is made from, or in its schemas (internal/service/eks).
var eksKinds = map[string]kind{
	aws.EKSCluster: {
		service: "EKS", create: "CreateCluster", update: "UpdateClusterConfig", remove: "DeleteCluster",
		name: "name", maxName: 100,
		required: []string{"roleArn", "vpcConfig"},
		replaces: []string{
			"accessConfig.bootstrapClusterCreatorAdminPermissions", "bootstrapSelfManagedAddons",
			"kubernetesNetworkConfig.ipFamily", "kubernetesNetworkConfig.serviceIpv4Cidr", "name",
			"outpostConfig.controlPlaneInstanceType", "outpostConfig.controlPlanePlacement", "remoteNetworkConfig", "roleArn",
		},
		// Secrets that are encrypted with a key stay so.
		replacesIf: func(olds, news values) []string {
			if olds["encryptionConfig"] != nil && news["encryptionConfig"] == nil {
				return []string{"encryptionConfig"}
			}
			return nil
		},
		sets: []string{
			"enabledClusterLogTypes", "encryptionConfig.resources", "vpcConfig.publicAccessCidrs", "vpcConfig.securityGroupIds",
			"vpcConfig.subnetIds",
		},
		defaults: values{"bootstrapSelfManagedAddons": true},
		computed: []string{
			"accessConfig", "accessConfig.authenticationMode", "arn", "certificateAuthorities", "certificateAuthority",
			"clusterId", "createdAt", "endpoint", "identities", "kubernetesNetworkConfig",
			"kubernetesNetworkConfig.elasticLoadBalancing", "kubernetesNetworkConfig.ipFamily",
			"kubernetesNetworkConfig.serviceIpv4Cidr", "platformVersion", "status", "tagsAll", "upgradePolicy", "version",
			"vpcConfig.clusterSecurityGroupId", "vpcConfig.publicAccessCidrs", "vpcConfig.vpcId",
		},
		refers: []reference{
			{path: "vpcConfig.subnetIds", token: aws.Subnet, absent: badSubnet, holds: true},
			{path: "vpcConfig.securityGroupIds", token: aws.SecurityGroup, absent: badGroup, holds: true},
			assumes("roleArn", "eks.amazonaws.com", badRole, answer{400, "InvalidParameterException",
				"Role could not be assumed because the trusted entity is not correct"}),
		},
		implies: func(s subject) []named {
			made := []named{{aws.SecurityGroup, clusterGroup(s)}}
			if len(list(s.in["enabledClusterLogTypes"])) > 0 {
				made = append(made, named{aws.LogGroup, "/aws/eks/" + s.id + "/cluster"})
			}
			return made
		},
		taken:  &answer{409, "ResourceInUseException", "Cluster already exists with name"},
		id:     func(_ place, in values) string { return text(in, "name") },
		settle: func(s subject) values { return mergeValues(madeAt(s), values{"version": clusterVersion(s)}) },
		unsettles: func(changed []string, _ values) []string {
			if slices.Contains(changed, "version") {
				return []string{"platformVersion"}
			}
			return nil
		},
		outputs: clusterOutputs, check: checkCluster, allow: allowCluster,
	},
	aws.NodeGroup: {
		service: "EKS", create: "CreateNodegroup", update: "UpdateNodegroupConfig", remove: "DeleteNodegroup",
		name: "nodeGroupName", maxName: 63, prefix: "nodeGroupNamePrefix",
		required: []string{"clusterName", "nodeRoleArn", "scalingConfig", "subnetIds"},
		replaces: []string{
			"amiType", "capacityType", "clusterName", "diskSize", "instanceTypes", "launchTemplate.id", "launchTemplate.name",
			"nodeGroupName", "nodeGroupNamePrefix", "nodeRoleArn", "remoteAccess", "subnetIds",
		},
		sets: []string{"subnetIds", "taints"},
		computed: []string{
			"amiType", "arn", "capacityType", "diskSize", "instanceTypes", "nodeGroupName", "releaseVersion", "resources",
			"status", "tagsAll", "updateConfig", "version",
		},
		partOf: &owner{
			token: ofCluster.token, input: ofCluster.input, missing: noCluster,
			keeps: &answer{409, "ResourceInUseException", "Cluster has nodegroups attached"},
		},
		refers: []reference{
			{path: "subnetIds", token: aws.Subnet, absent: badSubnet, holds: true},
			{path: "launchTemplate.id", token: aws.LaunchTemplate, absent: answer{
				400, "InvalidParameterException", "The launch template ID '%s' does not exist",
			}},
			nodeRole(),
		},
		taken:  &answer{409, "ResourceInUseException", "NodeGroup already exists with name and cluster name"},
		id:     func(_ place, in values) string { return text(in, "clusterName") + ":" + text(in, "nodeGroupName") },
		settle: func(s subject) values { return values{"version": groupVersion(s)} },
		unsettles: func(changed []string, _ values) []string {
			if slices.Contains(changed, "version") || slices.Contains(changed, "launchTemplate") {
				return []string{"releaseVersion"}
			}
			return nil
		},
		outputs: groupOutputs, check: checkGroup, allow: allowGroup,
	},
}

// nodeRole is the role of a node group, which EKS puts into an instance profile.
func nodeRole() reference {
	r := assumes("nodeRoleArn", "ec2.amazonaws.com", badRole, answer{400, "InvalidParameterException", "Following required " +
		"service principals [ec2.amazonaws.com] were not found in the trust relationships of nodeRole"})
	r.holds = true
	return r
}

func clusterGroup(s subject) string { return derived("sg", s.at.region+"/eks/"+s.id) }

// clusterVersion is the version that a cluster has: without one in its inputs that which AWS takes, once.
func clusterVersion(s subject) string {
	for _, in := range []values{s.in, s.was} {
		if version := text(in, "version"); version != "" {
			return version
		}
	}
	return "1.35"
}

func minor(version string) int {
	_, text, _ := strings.Cut(version, ".")
	n, _ := strconv.Atoi(text)
	return n
}

func checkCluster(in values) map[string]string {
	network, access := object(in["kubernetesNetworkConfig"]), object(in["accessConfig"])
	found := map[string]string{}
	if name := text(in, "name"); name != "" && !clusterName.MatchString(name) {
		found["name"] = fmt.Sprintf("is %q; want up to 100 letters, digits, hyphens and underscores", name)
	}
	service := text(network, "serviceIpv4Cidr")
	if problem := cidrProblem(service, 12, 24); problem != "" {
		found["kubernetesNetworkConfig"] = "serviceIpv4Cidr " + problem
	} else if cidr, err := netip.ParsePrefix(service); err == nil && !cidr.Addr().IsPrivate() {
		found["kubernetesNetworkConfig"] = fmt.Sprintf("serviceIpv4Cidr is %q; want a private network", service)
	}
	for property, problem := range map[string]string{
		"accessConfig":           oneOf(text(access, "authenticationMode"), "API", "API_AND_CONFIG_MAP", "CONFIG_MAP"),
		"upgradePolicy":          oneOf(text(object(in["upgradePolicy"]), "supportType"), "STANDARD", "EXTENDED"),
		"enabledClusterLogTypes": allOf(list(in["enabledClusterLogTypes"]), logTypes...),
		"encryptionConfig":       allOf(list(object(in["encryptionConfig"])["resources"]), "secrets"),
	} {
		if problem != "" {
			found[property] = problem
		}
	}
	for _, cidr := range walkTexts(in, "vpcConfig.publicAccessCidrs") {
		if n, err := netip.ParsePrefix(cidr); err != nil || n != n.Masked() {
			found["vpcConfig"] = fmt.Sprintf("publicAccessCidrs has %q; want networks, written by their first address", cidr)
		}
	}
	return found
}

// allowCluster says whether a cluster can be where it is to be, and have the version that it is to have.
func allowCluster(s subject) *answer {
	refused := func(format string, with ...any) *answer {
		return &answer{400, "InvalidParameterException", fmt.Sprintf(format, with...)}
	}
	network := object(s.in["vpcConfig"])
	zones, vpcs := whereabouts(s.account, s.in)
	before, _ := whereabouts(s.account, s.was)
	switch {
	case s.was != nil && !maps.Equal(zones, before):
		return refused("Provided subnets belong to the AZs '%s'. But they should belong to the exact set of AZs '%s' in which "+
			"subnets were provided during cluster creation.", listed(zones), listed(before))
	case len(zones) < 2:
		return refused("Subnets specified must be in at least two different AZs")
	case len(vpcs) > 1:
		return refused("Subnets specified must belong to the same VPC")
	case network["endpointPublicAccess"] == false && network["endpointPrivateAccess"] != true:
		return refused("Private and public endpoint access cannot both be false")
	case s.was == nil && !s.account.attached(text(s.in, "roleArn"), "AmazonEKSClusterPolicy"):
		return refused("The provided role doesn't have the Amazon EKS Managed Policies associated with it. Please ensure the " +
			"following policies [arn:aws:iam::aws:policy/AmazonEKSClusterPolicy] are attached")
	}
	for vpc := range vpcs {
		whole, _ := netip.ParsePrefix(text(s.account.one(aws.VPC, vpc).in, "cidrBlock"))
		service, err := netip.ParsePrefix(text(object(s.in["kubernetesNetworkConfig"]), "serviceIpv4Cidr"))
		if err == nil && whole.Overlaps(service) {
			return refused("The service IPv4 CIDR %s overlaps with that of the VPC %s", service, whole)
		}
	}
	return allowVersion(s)
}

// whereabouts are the zones and the networks of a cluster's subnets.
func whereabouts(a *account, cluster values) (zones, vpcs map[string]bool) {
	zones, vpcs = map[string]bool{}, map[string]bool{}
	for _, id := range walkTexts(cluster, "vpcConfig.subnetIds") {
		subnet := a.one(aws.Subnet, id)
		zones[text(subnet.in, "availabilityZone")], vpcs[text(subnet.in, "vpcId")] = true, true
	}
	return zones, vpcs
}

func listed(set map[string]bool) string { return strings.Join(slices.Sorted(maps.Keys(set)), ",") }

// allowVersion refuses versions that there are not, steps over a version, and all steps back.
func allowVersion(s subject) *answer {
	version := clusterVersion(s)
	if !slices.Contains(clusterVersions, version) {
		return &answer{400, "InvalidParameterException", "unsupported Kubernetes version"}
	}
	before := text(s.was, "version")
	if step := minor(version) - minor(before); before != "" && (step < 0 || step > 1) {
		return &answer{400, "InvalidParameterException", fmt.Sprintf(
			"Unsupported Kubernetes minor version update from %s to %s", before, version)}
	}
	for _, group := range s.account.all(aws.NodeGroup) {
		if nodes := text(group.in, "version"); text(group.in, "clusterName") == s.id && s.id != "" && minor(version)-minor(nodes) > 3 {
			return &answer{400, "InvalidRequestException", fmt.Sprintf(
				"Nodegroup %s with version %s is too far behind for an update of the cluster to %s", group.id, nodes, version)}
		}
	}
	return nil
}

func clusterOutputs(s subject) values {
	id := strings.ToUpper(digest(s.at.account, s.at.region, s.id, text(s.in, "createdAt"))[:32])
	authority, issuer := authorityOf(s), "https://"+aws.Endpoint("oidc.eks", s.at.region)+"/id/"+id
	host := strings.Replace(aws.Endpoint("eks", s.at.region), "eks."+s.at.region+".", s.at.region+".eks.", 1)
	out := values{
		"arn": s.at.arn("eks", s.at.region, "cluster/"+s.id), "tagsAll": tags(s.in), "status": "ACTIVE", "clusterId": "",
		"platformVersion":        fmt.Sprintf("eks.%d", minor(clusterVersion(s))-25),
		"endpoint":               "https://" + id + ".gr7." + host,
		"certificateAuthority":   values{"data": authority},
		"certificateAuthorities": []any{values{"data": authority}},
		"identities":             []any{values{"oidcs": []any{values{"issuer": issuer}}}},
		"kubernetesNetworkConfig": with(s.in["kubernetesNetworkConfig"], values{
			"ipFamily": "ipv4", "serviceIpv4Cidr": "172.20.0.0/16", "elasticLoadBalancing": values{"enabled": false},
		}),
		"accessConfig": with(s.in["accessConfig"], values{
			"authenticationMode": "CONFIG_MAP", "bootstrapClusterCreatorAdminPermissions": true,
		}),
		"upgradePolicy": with(s.in["upgradePolicy"], values{"supportType": "EXTENDED"}),
	}
	network := values{"clusterSecurityGroupId": clusterGroup(s)}
	if object(s.in["vpcConfig"])["endpointPublicAccess"] != false {
		network["publicAccessCidrs"] = []any{"0.0.0.0/0"}
	}
	for _, subnet := range walkTexts(s.in, "vpcConfig.subnetIds") {
		network["vpcId"] = text(s.account.one(aws.Subnet, subnet).in, "vpcId")
	}
	out["vpcConfig"] = with(s.in["vpcConfig"], network)
	return out
}
