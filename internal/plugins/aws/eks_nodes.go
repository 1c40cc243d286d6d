package aws

import (
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"time"

	"github.com/telekom/controlplane-infrastructure/internal/aws"
)

var (
	// nodeImages are the operating systems of node groups, as far as they are not retired.
	nodeImages = []string{
		"AL2023_x86_64_STANDARD", "AL2023_ARM_64_STANDARD", "AL2023_x86_64_NVIDIA", "AL2023_x86_64_NEURON",
		"AL2023_ARM_64_NVIDIA", "BOTTLEROCKET_x86_64", "BOTTLEROCKET_ARM_64", "BOTTLEROCKET_x86_64_FIPS",
		"BOTTLEROCKET_ARM_64_FIPS", "BOTTLEROCKET_x86_64_NVIDIA", "BOTTLEROCKET_ARM_64_NVIDIA", "CUSTOM",
	}
	workerPolicies = []string{"AmazonEKSWorkerNodePolicy", "AmazonEKSWorkerNodeMinimalPolicy"}
	imagePolicies  = []string{"AmazonEC2ContainerRegistryReadOnly", "AmazonEC2ContainerRegistryPullOnly"}
)

// madeAt is when a resource was made.
func madeAt(s subject) values {
	if made := text(s.was, "createdAt"); made != "" {
		return values{"createdAt": made}
	}
	return values{"createdAt": time.Now().UTC().Format(time.RFC3339)}
}

// authorityOf is the certificate of a cluster's authority, the same whenever it is asked for.
func authorityOf(s subject) string {
	seed := sha256.Sum256([]byte(s.at.account + s.at.region + s.id + text(s.in, "createdAt")))
	key := ed25519.NewKeyFromSeed(seed[:])
	made, err := time.Parse(time.RFC3339, text(s.in, "createdAt"))
	if err != nil {
		made = time.Unix(0, 0)
	}
	certificate := &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(seed[:8]), Subject: pkix.Name{CommonName: "kubernetes"},
		NotBefore: made.UTC(), NotAfter: made.UTC().AddDate(10, 0, 0), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	// Neither the key nor the template can be wrong, and signatures by Ed25519 take no random numbers.
	der, _ := x509.CreateCertificate(nil, certificate, certificate, key.Public(), key)
	return base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// groupVersion is the version of a node group: without one in its inputs that of its cluster, when it is made.
func groupVersion(s subject) string {
	for _, in := range []values{s.in, s.was} {
		if version := text(in, "version"); version != "" {
			return version
		}
	}
	return clusterVersion(s.account.one(aws.EKSCluster, text(s.in, "clusterName")))
}

func checkGroup(in values) map[string]string {
	scaling, update := object(in["scalingConfig"]), object(in["updateConfig"])
	found := map[string]string{}
	if name := text(in, "nodeGroupName"); name != "" && !nameOfGroup.MatchString(name) {
		found["nodeGroupName"] = fmt.Sprintf("is %q; want up to 63 letters, digits, hyphens and underscores", name)
	}
	if prefix := text(in, "nodeGroupNamePrefix"); len(prefix) > 63-26 {
		found["nodeGroupNamePrefix"] = fmt.Sprintf("is %q; want up to 37 characters, 26 follow", prefix)
	}
	low, lowGiven := scaling["minSize"].(float64)
	high, highGiven := scaling["maxSize"].(float64)
	desired, desiredGiven := scaling["desiredSize"].(float64)
	switch {
	case highGiven && high < 1:
		found["scalingConfig"] = fmt.Sprintf("maxSize is %v; want at least 1", high)
	case lowGiven && highGiven && desiredGiven && (low < 0 || desired < low || high < desired):
		found["scalingConfig"] = fmt.Sprintf("want minSize <= desiredSize <= maxSize, not %v, %v and %v", low, desired, high)
	}
	for property, problem := range map[string]string{
		"amiType":      oneOf(text(in, "amiType"), nodeImages...),
		"capacityType": oneOf(text(in, "capacityType"), "ON_DEMAND", "SPOT", "CAPACITY_BLOCK"),
		"taints":       allOf(walk(in["taints"], "effect"), "NO_SCHEDULE", "NO_EXECUTE", "PREFER_NO_SCHEDULE"),
		"updateConfig": between(update, "maxUnavailable", 1, 100, "nodes") + between(update, "maxUnavailablePercentage", 1, 100, "%"),
	} {
		if problem != "" {
			found[property] = problem
		}
	}
	return found
}

// allowGroup says whether nodes of a group would start and join the cluster.
func allowGroup(s subject) *answer {
	refused := func(format string, with ...any) *answer {
		return &answer{400, "InvalidParameterException", fmt.Sprintf(format, with...)}
	}
	cluster, template := s.account.one(aws.EKSCluster, text(s.in, "clusterName")), object(s.in["launchTemplate"])
	role := text(s.in, "nodeRoleArn")
	for _, policies := range [][]string{workerPolicies, imagePolicies} {
		if s.was == nil && !elsewhere(role, s.at) && !s.account.attached(role, policies...) {
			return refused("The provided role doesn't have the Amazon EKS Managed Policies associated with it. Please ensure the "+
				"following policies [arn:aws:iam::aws:policy/%s] are attached", policies[0])
		}
	}
	vpc := text(object(clusterOutputs(cluster)["vpcConfig"]), "vpcId")
	for _, id := range walkTexts(s.in, "subnetIds") {
		if text(s.account.one(aws.Subnet, id).in, "vpcId") != vpc {
			return refused("Subnets are not tagged with the required tag, or not in the VPC of the cluster: %s", id)
		}
	}
	if (text(template, "id") == "") == (text(template, "name") == "") && len(template) > 0 {
		return refused("Either provide launch template ID or launch template name in the request.")
	}
	if len(template) > 0 && s.in["diskSize"] != nil {
		return refused("Disk size must be specified within the launch template.")
	}
	latest, known := s.account.one(aws.LaunchTemplate, text(template, "id")).in["latestVersion"].(float64)
	if version := text(template, "version"); known && version != "$Latest" && version != "$Default" && !upTo(version, latest) {
		return refused("Launch template version %s does not exist", version)
	}
	if behind := minor(clusterVersion(cluster)) - minor(groupVersion(s)); behind < 0 || behind > 3 {
		return refused("Nodegroup Kubernetes version %s does not suit the cluster's %s", groupVersion(s), clusterVersion(cluster))
	}
	if s.was == nil && cluster.in["bootstrapSelfManagedAddons"] == false && s.account.find(aws.AddOn, cluster.id+":vpc-cni") == nil {
		return &answer{400, "NodeCreationFailure", "Unhealthy nodes in the kubernetes cluster: container runtime network not ready: " +
			"cni plugin not initialized"}
	}
	return nil
}

func upTo(version string, latest float64) bool {
	var n float64
	_, err := fmt.Sscanf(version, "%g", &n)
	return err == nil && n >= 1 && n <= latest
}

func groupOutputs(s subject) values {
	version := groupVersion(s)
	group := "eks-" + text(s.in, "nodeGroupName") + "-" + uniqueUUID(s.at.account+s.id)
	return mergeValues(values{
		"amiType": "AL2023_x86_64_STANDARD", "capacityType": "ON_DEMAND", "instanceTypes": []any{"t3.medium"}, "diskSize": 20.0,
		"updateConfig": values{"maxUnavailable": 1.0},
	}, given(s.in, "amiType", "capacityType", "instanceTypes", "diskSize", "updateConfig"), values{
		"arn":           s.at.arn("eks", s.at.region, "nodegroup/"+text(s.in, "clusterName")+"/"+text(s.in, "nodeGroupName")),
		"nodeGroupName": text(s.in, "nodeGroupName"), "status": "ACTIVE", "tagsAll": tags(s.in), "version": version,
		"releaseVersion": version + ".4-20261109",
		"resources":      []any{values{"autoscalingGroups": []any{values{"name": group}}, "remoteAccessSecurityGroupId": ""}},
	})
}
