package eks

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Args configure the component.
type Args struct {
	// AWS is the account and region that everything is registered with; Region the same region.
	AWS    pulumi.ProviderResource
	Region string
	// Profile and AssumeRoleARN are those of AWS: the kubeconfig has whoever uses it come as the same principal.
	Profile, AssumeRoleARN string
	// Tags are put on everything that can have tags, nodes and their volumes included.
	Tags map[string]string
	// Protect has the engine refuse to delete or replace the VPC, its subnets, the key and the cluster. The version of
	// the AWS plugin that the program is written for does not know EKS' own deletion protection.
	Protect bool
	// Name is the cluster's name, unique in the account and region.
	Name string
	// Version is its minor version of Kubernetes, such as 1.35. It can go up, one minor at a time, and never down.
	Version string
	// Network is where it runs.
	Network Network
	// ServiceCIDR is where Services have their addresses.
	ServiceCIDR string
	// PrivateCIDRs may reach the private endpoint of the API server, as nodes and pods always may.
	PrivateCIDRs []string
	// PublicCIDRs may reach the API server from outside the VPC; none: nobody.
	PublicCIDRs []string
	// KMSKeyARN is the key that encrypts Secrets; empty: a key of its own, with yearly rotation.
	KMSKeyARN string
	// LogRetentionDays is how long the control plane's logs are kept, of those that CloudWatch has; 0: for ever.
	LogRetentionDays int
	// ExtendedSupport keeps the version beyond its standard support, at a price. Without it AWS upgrades the cluster then.
	ExtendedSupport bool
	// ZonalShift lets AWS move traffic away from a zone that is impaired.
	ZonalShift bool
	// Access is who may use the cluster, beside who creates it.
	Access []Access
	// NodeGroups are the nodes.
	NodeGroups []NodeGroup
	// AddOns are what EKS runs in the cluster.
	AddOns AddOns
	// Autoscaling makes what the cluster autoscaler needs in AWS, and leaves the number of nodes to it.
	Autoscaling bool
}

// Network is a VPC of the cluster's own, or a part of an existing one.
type Network struct {
	// Zones are the availability zones: two or more.
	Zones []Zone
	// CIDR is where the VPC has its addresses.
	CIDR string
	// NATPerZone has each zone reach the internet by itself; otherwise all do by the first one.
	NATPerZone bool
	// FlowLogDays is how long records of all connections are kept; 0: there are none.
	FlowLogDays int
	// VPCID is an existing VPC. It needs ways out to the internet, and tags on its subnets that load balancers are
	// placed by: both belong to its owner.
	VPCID string
}

// Zone is an availability zone.
type Zone struct {
	// Name is such as eu-central-1a.
	Name string
	// PrivateCIDR is where nodes and pods have their addresses, PublicCIDR where load balancers and NAT gateways do.
	PrivateCIDR, PublicCIDR string
	// PrivateSubnetID is that of an existing VPC.
	PrivateSubnetID string
}

// Access is what a principal may do in the cluster.
type Access struct {
	// PrincipalARN is an IAM role or user.
	PrincipalARN string
	// Policy is clusterAdmin, admin, edit or view.
	Policy string
	// Namespaces limit it; none: the whole cluster.
	Namespaces []string
}

// accessPolicies are EKS' own, by the names that Kubernetes has for its ClusterRoles of the same meaning.
var accessPolicies = map[string]string{
	"clusterAdmin": "AmazonEKSClusterAdminPolicy", "admin": "AmazonEKSAdminPolicy",
	"edit": "AmazonEKSEditPolicy", "view": "AmazonEKSViewPolicy",
}

// NodeGroup are nodes of one sort in some zones.
type NodeGroup struct {
	Name string
	// Zones are names of zones of the network.
	Zones []string
	// InstanceTypes are alternatives, such as m7i.xlarge, in order of preference.
	InstanceTypes []string
	// Spot takes capacity that AWS may take back at any time.
	Spot bool
	// Bottlerocket is the operating system instead of Amazon Linux 2023; ARM64 the architecture instead of x86_64.
	Bottlerocket, ARM64 bool
	// MinSize, MaxSize and DesiredSize are nodes in each zone. With autoscaling the last one is where it starts. AWS
	// refuses a minimum above the nodes that are there.
	MinSize, MaxSize, DesiredSize int
	// DiskGiB is the size of the volume for images, logs and emptyDirs.
	DiskGiB int
	Labels  map[string]string
	Taints  []Taint
}

// Taint keeps pods away that do not tolerate it; its effect is as in Kubernetes, such as NoSchedule.
type Taint struct{ Key, Value, Effect string }

// taintEffects are Kubernetes' as EKS spells them.
var taintEffects = map[string]string{
	"NoSchedule": "NO_SCHEDULE", "NoExecute": "NO_EXECUTE", "PreferNoSchedule": "PREFER_NO_SCHEDULE",
}

// AddOns are versions of EKS' add-ons, such as v1.21.1-eksbuild.1. An empty one is that which EKS has as its default for
// the cluster's version when the add-on is made; it stays until another one is given.
type AddOns struct {
	VPCCNI, KubeProxy, PodIdentityAgent, CoreDNS, EBSCSIDriver, MetricsServer string
	// StrictNetworkPolicy has pods refuse all connections until their network policies are known, and those that no
	// policy names for ever; otherwise a pod is open in its first moments.
	StrictNetworkPolicy bool
}

// maxNodeGroupPrefix is how much of the name of a node group can be given, if AWS' plugin makes up the rest.
const maxNodeGroupPrefix = 37

// Check reports what cannot work, all at once.
func (a Args) Check() error {
	var problems []error
	problem := func(format string, values ...any) { problems = append(problems, fmt.Errorf(format, values...)) }
	zones := map[string]bool{}
	for _, z := range a.Network.Zones {
		zones[z.Name] = true
	}
	if len(zones) < 2 {
		problem("EKS needs two zones; there is %d", len(zones))
	}
	open := false
	for _, g := range a.NodeGroups {
		open = open || !g.repels()
		for _, zone := range g.Zones {
			if !zones[zone] {
				problem("node group %s: zone %s is none of the cluster's", g.Name, zone)
			}
			if prefix := a.groupPrefix(g, zone); len(prefix) > maxNodeGroupPrefix {
				problem("node group %s: %q is too long by %d for a name in AWS", g.Name, prefix, len(prefix)-maxNodeGroupPrefix)
			}
		}
		for _, taint := range g.Taints {
			if taintEffects[taint.Effect] == "" {
				problem("node group %s: taint %s: %q is no effect", g.Name, taint.Key, taint.Effect)
			}
		}
	}
	if !open {
		problem("every node group has a taint that keeps pods away: CoreDNS and other add-ons have nowhere to run")
	}
	for _, access := range a.Access {
		if accessPolicies[access.Policy] == "" {
			problem("access of %s: %q is no policy", access.PrincipalARN, access.Policy)
		}
	}
	return errors.Join(problems...)
}

// repels says whether pods without tolerations cannot run there.
func (g NodeGroup) repels() bool {
	for _, taint := range g.Taints {
		if taint.Effect != "PreferNoSchedule" {
			return true
		}
	}
	return false
}
