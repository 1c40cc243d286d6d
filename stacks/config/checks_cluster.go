package config

import (
	"fmt"
	"slices"
	"strings"
)

const eksPath = "cluster.eks"

func (k *checker) cluster() {
	c := k.cfg.Cluster
	if c.Kubeconfig != "" && c.KubeconfigContent.IsSet() {
		k.add("cluster.kubeconfig", c.Kubeconfig, "contradicts kubeconfigContent; only one of them is allowed", "cluster.kubeconfigContent")
	}
	k.metricsServer("cluster.metricsServer", c)
	if c.EKS == nil {
		return
	}
	if c.Kind != ClusterEKS {
		k.add(eksPath, nil, fmt.Sprintf("is only allowed with kind eks; kind is %s", c.Kind), "cluster.kind")
		return
	}
	for _, key := range []string{"kubeconfig", "kubeconfigContent", "context", "oidcProviderArn"} {
		if k.given["cluster."+key] {
			k.add("cluster."+key, nil, "is only allowed with kind existing; kind is eks, whose cluster is created with all of it", "cluster.kind")
		}
	}
	k.eks(c.EKS)
}

func (k *checker) metricsServer(path string, c Cluster) {
	if !c.MetricsServer.Install {
		return
	}
	if c.Kind == ClusterEKS {
		k.add(path+".install", true, "must be false with kind eks, where metrics-server is an add-on", "cluster.kind")
	}
	k.zonalMinimum(path+".replicas", c.MetricsServer.Replicas, 2, 5)
	k.class(path+".resources", c.MetricsServer.Resources)
}

// needsRegion checks that there is a region for what something makes in AWS.
func (k *checker) needsRegion(by, what string, related ...string) {
	if k.cfg.AWS.Region == "" {
		k.add("aws.region", nil, "is missing; controlplane:"+by+" needs "+what, append(related, "aws")...)
	}
}

// keyInRegion checks that a KMS key is where what it encrypts is.
func (k *checker) keyInRegion(path, arn string) {
	region := k.cfg.AWS.Region
	if parts := strings.Split(arn, ":"); region != "" && len(parts) > 3 && parts[3] != region {
		k.add(path, arn, "must be a key in controlplane:aws.region, which is "+region, "aws")
	}
}

func (k *checker) eks(e *EKS) {
	k.needsRegion("cluster.kind eks", "the AWS region of the cluster", "cluster.kind")
	k.zones(eksPath+".zones", e)
	k.vpc(e)
	k.endpoint(eksPath+".endpoint", e.Endpoint)
	k.keyInRegion(eksPath+".kmsKeyArn", e.KMSKeyARN)
	k.access(eksPath+".access", e.Access)
	k.nodeGroups(eksPath+".nodeGroups", e)
	k.autoscalerImage(eksPath+".autoscaling.image", e)
}

// zones checks those of the cluster.
func (k *checker) zones(path string, e *EKS) {
	region := k.cfg.AWS.Region
	for i, zone := range e.Zones {
		if region != "" && zone[:max(len(zone)-1, 0)] != region && k.given[path] {
			k.add(fmt.Sprintf("%s.%d", path, i), zone, "must be a zone of controlplane:aws.region, which is "+region, "aws", path)
		}
	}
	if existing := e.VPC.Existing; existing != nil {
		k.existingZones(path, e)
		return
	}
	k.enoughZones(path, e.Zones)
}

func (k *checker) enoughZones(path string, zones []string) {
	const minimum, zonal = 2, 3
	n := len(zones)
	switch {
	case n == 0 && k.cfg.AWS.Region != "":
		k.add(path, nil, "are missing; accounts differ in which zones of "+k.cfg.AWS.Region+" they have, so that they must be given", path)
	case n == 0: // the region is reported as missing
	case k.cfg.Availability == Zonal && n < zonal:
		k.add(path, strings.Join(zones, ", "), "must be at least three zones with controlplane:availability zonal", "availability", "cluster.kind")
	case n < minimum:
		k.add(path, strings.Join(zones, ", "), "must be at least two zones: EKS puts its API servers in two", "cluster.kind")
	}
}

// existingZones checks that the subnets that exist are those of the zones.
func (k *checker) existingZones(path string, e *EKS) {
	const subnets = eksPath + ".vpc.existing"
	have := sortedKeys(e.VPC.Existing.PrivateSubnets)
	if !k.given[path] {
		k.enoughZones(subnets+".privateSubnets", have)
		return
	}
	k.enoughZones(path, e.Zones)
	for _, zone := range e.Zones {
		if !slices.Contains(have, zone) {
			k.add(subnets+".privateSubnets", nil, "have none in zone "+zone+" of zones; must have one for each zone", path, subnets)
		}
	}
	for _, zone := range have {
		if !slices.Contains(e.Zones, zone) {
			k.add(subnets+".privateSubnets", zone, "is none of zones; must have one for each zone, and no other", path, subnets)
		}
	}
}

func (k *checker) access(path string, access []EKSAccess) {
	seen := map[string]bool{}
	for i, a := range access {
		at := fmt.Sprintf("%s.%d", path, i)
		if seen[a.PrincipalARN] && a.PrincipalARN != "" {
			k.add(at+".principalArn", a.PrincipalARN, "is in another item already; EKS has one entry for a principal")
		}
		seen[a.PrincipalARN] = true
		if a.Policy == EKSClusterAdmin && len(a.Namespaces) > 0 {
			k.add(at+".namespaces", nil, "are not allowed with policy clusterAdmin, which is for the whole cluster; must be left out, or policy be admin, edit or view", at+".policy")
		}
	}
}

// autoscalerImage checks that the autoscaler is of the cluster's version: it
// knows what pods need only as that version's scheduler does.
func (k *checker) autoscalerImage(path string, e *EKS) {
	repository, tag := splitImage(e.Autoscaling.Image)
	if !strings.HasSuffix(repository, "/cluster-autoscaler") || k.isReported(eksPath+".version", false) {
		return
	}
	if !strings.HasPrefix(strings.TrimPrefix(tag, "v")+".", e.Version+".") {
		k.add(path, e.Autoscaling.Image, fmt.Sprintf("must be of version %s, that of Kubernetes", e.Version), eksPath+".version")
	}
}
