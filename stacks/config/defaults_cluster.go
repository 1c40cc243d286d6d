package config

import (
	"math/bits"
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

// implyCluster adds the section of a cluster that is created, with a group of
// nodes.
func implyCluster(cluster map[string]any) {
	if cluster["kind"] != string(ClusterEKS) {
		return
	}
	eks := group(cluster, "eks")
	absent(eks, "nodeGroups", []any{map[string]any{"name": "platform"}})
}

func (c *Config) deriveCluster() {
	c.replicas(&c.Cluster.MetricsServer.Replicas, 2)
	eks := c.Cluster.EKS
	if eks == nil {
		return
	}
	eks.deriveZones(c.AWS.Region)
	eks.deriveVPC(c.Availability)
	for i := range eks.NodeGroups {
		eks.NodeGroups[i].follow(eks)
	}
	if known, ok := eksVersion(eks.Version); ok && eks.Autoscaling.Image == "" {
		eks.Autoscaling.Image = known.autoscaler
	}
}

// unusualZones are the zones of regions that do not have a, b and c for every
// account. In us-west-1 an account has two of three, and which differs.
var unusualZones = map[string][]string{
	"ap-northeast-1": {"a", "c", "d"},
	"ca-central-1":   {"a", "b", "d"},
	"us-west-1":      nil,
}

func (e *EKS) deriveZones(region string) {
	switch {
	case len(e.Zones) > 0:
	case e.VPC.Existing != nil:
		e.Zones = sortedKeys(e.VPC.Existing.PrivateSubnets)
	case region != "":
		letters, unusual := unusualZones[region]
		if !unusual {
			letters = []string{"a", "b", "c"}
		}
		for _, letter := range letters {
			e.Zones = append(e.Zones, region+letter)
		}
	}
}

const defaultVPC = "10.0.0.0/16"

func (e *EKS) deriveVPC(availability Availability) {
	v := &e.VPC
	if v.Existing != nil {
		return
	}
	if v.CIDR == "" {
		v.CIDR = defaultVPC
	}
	if v.NATGateways == "" {
		v.NATGateways = NATSingle
		if availability == Zonal {
			v.NATGateways = NATZonal
		}
	}
	private, public := divide(v.CIDR, len(e.Zones))
	if len(v.PrivateCIDRs) == 0 {
		v.PrivateCIDRs = private
	}
	if len(v.PublicCIDRs) == 0 {
		v.PublicCIDRs = public
	}
}

// largestPublic is the prefix of public subnets where there is room: nothing
// but load balancers and NAT gateways is in them.
const largestPublic = 24

// divide makes two subnets for each of n zones: it cuts the range into the
// least power of two of parts that leaves one, of which the last is cut again.
func divide(cidr string, n int) (private, public []string) {
	whole, err := netip.ParsePrefix(cidr)
	if err != nil || !whole.Addr().Is4() || n == 0 {
		return nil, nil // reported
	}
	parts := whole.Bits() + bits.Len(uint(n))
	small := max(parts+bits.Len(uint(n-1)), largestPublic)
	if small > 28 {
		return nil, nil // the range is reported as too small
	}
	last := subnet(whole, parts, 1<<bits.Len(uint(n))-1)
	for i := range n {
		private = append(private, subnet(whole, parts, i).String())
		public = append(public, subnet(last, small, i).String())
	}
	return private, public
}

// subnet returns the i-th part, counted from 0, of this length of an IPv4 range.
func subnet(of netip.Prefix, length, i int) netip.Prefix {
	a := of.Addr().As4()
	n := uint32(a[0])<<24 | uint32(a[1])<<16 | uint32(a[2])<<8 | uint32(a[3])
	n += uint32(i) << (32 - length)
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}), length)
}

// apiServerCIDRs are where pods reach the API server: its interfaces in the
// subnets, and the first address for Services, which is that of the Service
// kubernetes. The network policies of EKS see where a pod connects to before
// that becomes the address of an interface.
// Source: getMatchingServiceClusterIPs in
// https://github.com/aws/amazon-network-policy-controller-k8s.
func (e EKS) apiServerCIDRs() []string {
	cidrs := e.VPC.clusterCIDRs()
	services, err := netip.ParsePrefix(e.ServiceCIDR)
	if err != nil || len(cidrs) == 0 {
		return cidrs // reported
	}
	return append(cidrs, netip.PrefixFrom(services.Masked().Addr().Next(), services.Addr().BitLen()).String())
}

// clusterCIDRs are the ranges that nodes, pods and the API server's interfaces
// are in.
func (v EKSVPC) clusterCIDRs() []string {
	if v.Existing == nil {
		return slices.Clone(v.PrivateCIDRs)
	}
	if v.CIDR == "" {
		return nil // reported as missing
	}
	return []string{v.CIDR}
}

func (g *EKSNodeGroup) follow(e *EKS) {
	if len(g.Zones) == 0 {
		g.Zones = slices.Clone(e.Zones)
	}
	if len(g.InstanceTypes) == 0 {
		g.InstanceTypes = []string{map[Architecture]string{ArchitectureX86: "m7i.xlarge", ArchitectureARM: "m7g.xlarge"}[g.Architecture]}
	}
	if g.DesiredSize == 0 {
		g.DesiredSize = g.MinSize
	}
}

var notInNames = regexp.MustCompile(`[^A-Za-z0-9_-]+`)

// eksName is the name of a stack's cluster where none is given.
func eksName(stack string) string {
	const longest = 100
	name := "controlplane-" + strings.Trim(notInNames.ReplaceAllString(stack, "-"), "-")
	return name[:min(len(name), longest)]
}
