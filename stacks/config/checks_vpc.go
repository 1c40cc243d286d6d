package config

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
)

const vpcPath = eksPath + ".vpc"

func (k *checker) vpc(e *EKS) {
	v := e.VPC
	if v.Existing != nil {
		k.existingVPC(v)
	}
	// EKS and EC2 take /16 to /28; below /20 three zones have few addresses for pods.
	shortest, longest := 16, 20
	if v.Existing != nil {
		longest = 28
	}
	network := k.ipv4(vpcPath+".cidr", v.CIDR, shortest, longest)
	if network.IsValid() && v.Existing == nil {
		k.subnets(e, network)
	}
	k.serviceCIDR(eksPath+".serviceCidr", e.ServiceCIDR, network)
}

// ipv4 checks the family and the size of a range, and returns it if it is one
// to go on with. What is no range at all is reported by the schema.
func (k *checker) ipv4(path, cidr string, shortest, longest int) netip.Prefix {
	prefix, err := netip.ParsePrefix(cidr)
	switch {
	case err != nil || k.isReported(path, false):
		return netip.Prefix{}
	case !prefix.Addr().Is4() || prefix.Bits() < shortest || prefix.Bits() > longest:
		k.add(path, cidr, fmt.Sprintf("must be a range of IPv4 addresses of /%d to /%d", shortest, longest))
		return netip.Prefix{}
	}
	return prefix
}

func (k *checker) existingVPC(v EKSVPC) {
	const path = vpcPath + ".existing"
	if v.CIDR == "" {
		k.add(vpcPath+".cidr", nil, "is missing; must be the range of the existing VPC, from which pods and the API server connect", vpcPath)
	}
	for _, key := range []string{"privateCidrs", "publicCidrs", "natGateways", "flowLogs"} {
		if k.given[vpcPath+"."+key] {
			k.add(vpcPath+"."+key, nil, "is not allowed with existing: the network is made by something else", path)
		}
	}
	k.existingSubnets(path+".privateSubnets", v.Existing.PrivateSubnets)
}

var (
	zoneName = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9][a-z]$`)
	subnetID = regexp.MustCompile(`^subnet-([0-9a-f]{8}|[0-9a-f]{17})$`)
)

func (k *checker) existingSubnets(path string, subnets map[string]string) {
	if len(subnets) == 0 {
		k.add(path, nil, "have no subnet; must be a map of zones to IDs of subnets", path)
	}
	uses := map[string]string{}
	for _, zone := range sortedKeys(subnets) {
		switch region := k.cfg.AWS.Region; {
		case !zoneName.MatchString(zone):
			k.add(path, zone, "is no zone; must be a map of zones such as eu-central-1a to IDs of subnets")
		case region != "" && zone[:len(zone)-1] != region:
			k.add(path, zone, "must be a zone of controlplane:aws.region, which is "+region, "aws")
		}
		id := subnets[zone]
		if !subnetID.MatchString(id) {
			k.add(path+"."+zone, id, "must be the ID of a subnet such as subnet-0123456789abcdef0")
		} else if other, taken := uses[id]; taken {
			k.add(path+"."+zone, id, "is the subnet of "+other+" already; must be another one")
		}
		uses[id] = zone
	}
}

// smallestSubnet is the longest prefix of a subnet. Source: the user guide of
// Amazon VPC, Subnet sizing for IPv4.
const smallestSubnet = 28

// subnets checks those that are created: one for each zone of each kind, in
// the network, and none in another.
func (k *checker) subnets(e *EKS, network netip.Prefix) {
	type placed struct {
		path   string
		prefix netip.Prefix
	}
	var all []placed
	for _, list := range []struct {
		path  string
		cidrs []string
	}{{vpcPath + ".privateCidrs", e.VPC.PrivateCIDRs}, {vpcPath + ".publicCidrs", e.VPC.PublicCIDRs}} {
		given := k.given[list.path]
		if given && len(e.Zones) > 0 && len(list.cidrs) != len(e.Zones) {
			k.add(list.path, nil, fmt.Sprintf("has %d subnets for %d zones; must have one for each zone", len(list.cidrs), len(e.Zones)), eksPath+".zones")
		}
		for i, cidr := range list.cidrs {
			at, follows := fmt.Sprintf("%s.%d", list.path, i), ""
			if !given {
				at, follows = list.path, "is what follows from cidr, and "
			}
			prefix := k.ipv4(at, cidr, network.Bits(), smallestSubnet)
			if !prefix.IsValid() {
				continue
			}
			if !within(network, prefix) {
				k.add(at, cidr, fmt.Sprintf("must be in vpc.cidr, which is %s", network), vpcPath+".cidr")
			}
			for _, other := range all {
				if prefix.Overlaps(other.prefix) {
					k.add(at, cidr, fmt.Sprintf("%soverlaps with %s, which is %s; must have addresses of its own", follows, display(tokens(other.path)), other.prefix), list.path)
					break
				}
			}
			all = append(all, placed{at, prefix})
		}
	}
}

// within says whether all of a range is in another one.
func within(outer, inner netip.Prefix) bool {
	return outer.Bits() <= inner.Bits() && outer.Contains(inner.Addr())
}

// privateRanges are those that nobody has on the internet (RFC 1918).
var privateRanges = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"),
}

// serviceCIDR checks the addresses of Services. Source: the API reference of
// Amazon EKS, KubernetesNetworkConfigRequest.
func (k *checker) serviceCIDR(path, cidr string, network netip.Prefix) {
	services := k.ipv4(path, cidr, 12, 24)
	if !services.IsValid() {
		return
	}
	if !slices.ContainsFunc(privateRanges, func(r netip.Prefix) bool { return within(r, services) }) {
		k.add(path, cidr, "must be in 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16")
	}
	if network.IsValid() && services.Overlaps(network) {
		k.add(path, cidr, fmt.Sprintf("overlaps with vpc.cidr, which is %s; must have addresses of its own", network), vpcPath+".cidr")
	}
}

// notOnTheInternet are ranges that no packet from the internet comes from,
// which EKS refuses as public ones.
var notOnTheInternet = append([]netip.Prefix{
	netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("127.0.0.0/8"),
	netip.MustParsePrefix("169.254.0.0/16"), netip.MustParsePrefix("224.0.0.0/3"),
}, privateRanges...)

func (k *checker) endpoint(path string, e EKSEndpoint) {
	for i, cidr := range e.PrivateCIDRs {
		prefix, err := netip.ParsePrefix(cidr)
		switch at := fmt.Sprintf("%s.privateCidrs.%d", path, i); {
		case err != nil:
		case !prefix.Addr().Is4():
			k.add(at, cidr, "must be a range of IPv4 addresses: the cluster has no others")
		case prefix.Bits() < mostOfAnybody:
			k.add(at, cidr, fmt.Sprintf("is more than any network has; must be /%d or smaller", mostOfAnybody))
		}
	}
	if e.OpenToWorld && len(e.PublicCIDRs) == 0 {
		k.add(path+".openToWorld", true, "has no effect without publicCidrs; must be false, or publicCidrs have 0.0.0.0/0", path)
		return
	}
	world := isWorld(e.PublicCIDRs)
	if world && !e.OpenToWorld {
		k.add(path+".publicCidrs", nil, "let the whole internet reach the API server; must be the addresses of those who work with it, or openToWorld be true to say that this is meant", path+".openToWorld")
		return
	}
	for i, cidr := range e.PublicCIDRs {
		at := fmt.Sprintf("%s.publicCidrs.%d", path, i)
		prefix, err := netip.ParsePrefix(cidr)
		switch {
		case err != nil:
		case !prefix.Addr().Is4():
			k.add(at, cidr, "must be a range of IPv4 addresses: the cluster has no others")
		case slices.ContainsFunc(notOnTheInternet, func(r netip.Prefix) bool { return within(r, prefix) }):
			k.add(at, cidr, "never comes from the internet; must be public addresses. Addresses inside of the network reach the API server anyway")
		}
	}
}

// mostOfAnybody is the prefix of the largest range that one organization has.
const mostOfAnybody = 8

// isWorld says whether ranges are, together, more than one organization has:
// the whole internet can be cut in many ways.
func isWorld(cidrs []string) bool {
	var ranges []netip.Prefix
	for _, cidr := range cidrs {
		prefix, err := netip.ParsePrefix(cidr)
		if err != nil {
			continue
		}
		if prefix.Bits() < mostOfAnybody {
			return true
		}
		ranges = append(ranges, prefix)
	}
	var addresses uint64
	for i, r := range ranges {
		inAnother := slices.ContainsFunc(slices.Concat(ranges[:i], ranges[i+1:]), func(o netip.Prefix) bool { return o != r && within(o, r) })
		if r.Addr().Is4() && !inAnother && !slices.Contains(ranges[:i], r) {
			addresses += 1 << (32 - r.Bits())
		}
	}
	return addresses > 1<<(32-mostOfAnybody)
}
