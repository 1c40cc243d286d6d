package aws

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/telekom/controlplane-infrastructure/internal/aws"
)

var (
	noVPC    = answer{400, "InvalidVpcID.NotFound", "The vpc ID '%s' does not exist"}
	noSubnet = answer{400, "InvalidSubnetID.NotFound", "The subnet ID '%s' does not exist"}
	inVPC    = reference{path: "vpcId", token: aws.VPC, absent: noVPC, holds: true}
)

// networkKinds: what a change replaces is marked "forces new resource" in the reference of the Terraform provider that
// the published plugin is made from, or in its schemas (internal/service/ec2).
var networkKinds = map[string]kind{
	aws.VPC: {
		service: "EC2", create: "CreateVpc", update: "ModifyVpcAttribute", remove: "DeleteVpc",
		replaces: []string{"cidrBlock", "ipv4IpamPoolId", "ipv4NetmaskLength"},
		defaults: values{"enableDnsSupport": true, "instanceTenancy": "default"},
		computed: []string{
			"arn", "cidrBlock", "defaultNetworkAclId", "defaultRouteTableId", "defaultSecurityGroupId", "dhcpOptionsId",
			"enableDnsHostnames", "enableNetworkAddressUsageMetrics", "mainRouteTableId", "ownerId", "tagsAll",
		},
		inUse: answer{400, "DependencyViolation", "The vpc '%s' has dependencies and cannot be deleted."},
		implies: func(s subject) []named {
			return []named{{aws.SecurityGroup, defaultGroup(s.id)}, {aws.RouteTable, derived("rtb", s.id)}}
		},
		id:      func(place, values) string { return random("vpc") },
		outputs: vpcOutputs,
		check: func(in values) map[string]string {
			return problems(map[string]string{
				"cidrBlock":       cidrProblem(text(in, "cidrBlock"), 16, 28),
				"instanceTenancy": oneOf(text(in, "instanceTenancy"), "default", "dedicated"),
			})
		},
	},
	aws.Subnet: {
		service: "EC2", create: "CreateSubnet", update: "ModifySubnetAttribute", remove: "DeleteSubnet",
		required: []string{"vpcId"},
		replaces: []string{"availabilityZone", "availabilityZoneId", "cidrBlock", "ipv6Native", "outpostArn", "vpcId"},
		defaults: values{"assignIpv6AddressOnCreation": false, "mapPublicIpOnLaunch": false},
		computed: []string{
			"arn", "availabilityZone", "availabilityZoneId", "ownerId", "privateDnsHostnameTypeOnLaunch", "tagsAll",
		},
		refers: []reference{inVPC},
		inUse:  answer{400, "DependencyViolation", "The subnet '%s' has dependencies and cannot be deleted."},
		id:     func(place, values) string { return random("subnet") },
		outputs: func(s subject) values {
			out := own(s, "subnet/")
			out["availabilityZone"] = text(s.in, "availabilityZone")
			if out["availabilityZone"] == "" {
				out["availabilityZone"] = s.at.region + "a"
			}
			zone := fmt.Sprint(out["availabilityZone"])
			// An ID such as euc1-az2 names the same place in every account, a letter need not.
			out["availabilityZoneId"] = shortRegion(s.at.region) + "-az" + fmt.Sprint(zone[len(zone)-1]-'a'+1)
			out["privateDnsHostnameTypeOnLaunch"] = "ip-name"
			return out
		},
		check: func(in values) map[string]string {
			return problems(map[string]string{"cidrBlock": cidrProblem(text(in, "cidrBlock"), 16, 28)})
		},
		allow: fits,
	},
	aws.InternetGateway: {
		service: "EC2", create: "CreateInternetGateway", update: "AttachInternetGateway", remove: "DetachInternetGateway",
		computed: []string{"arn", "ownerId", "tagsAll"},
		refers:   []reference{inVPC},
		id:       func(place, values) string { return random("igw") },
		outputs:  func(s subject) values { return own(s, "internet-gateway/") },
		allow: func(s subject) *answer {
			for _, other := range s.account.all(aws.InternetGateway) {
				if vpc := text(s.in, "vpcId"); vpc != "" && other.id != s.id && text(other.in, "vpcId") == vpc {
					return &answer{400, "InvalidParameterValue", "Network " + vpc + " already has an internet gateway attached"}
				}
			}
			return nil
		},
		free: noPublicAddresses,
	},
	aws.ElasticIP: {
		service: "EC2", create: "AllocateAddress", update: "AssociateAddress", remove: "ReleaseAddress",
		replaces: []string{"address", "domain", "ipamPoolId", "networkBorderGroup", "publicIpv4Pool"},
		computed: []string{"allocationId", "arn", "domain", "networkBorderGroup", "publicDns", "publicIp", "publicIpv4Pool", "tagsAll"},
		inUse:    answer{400, "InvalidIPAddress.InUse", "Address %s is in use."},
		id:       func(place, values) string { return random("eipalloc") },
		outputs:  addressOutputs,
		check: func(in values) map[string]string {
			return problems(map[string]string{"domain": oneOf(text(in, "domain"), "vpc", "standard")})
		},
	},
	aws.NATGateway: {
		service: "EC2", create: "CreateNatGateway", remove: "DeleteNatGateway",
		required: []string{"subnetId"},
		replaces: []string{"allocationId", "connectivityType", "privateIp", "secondaryPrivateIpAddressCount", "subnetId"},
		sets:     []string{"secondaryAllocationIds", "secondaryPrivateIpAddresses"},
		defaults: values{"connectivityType": "public"},
		computed: []string{"associationId", "networkInterfaceId", "privateIp", "publicIp", "tagsAll"},
		refers: []reference{
			{path: "subnetId", token: aws.Subnet, absent: noSubnet, holds: true},
			{path: "allocationId", token: aws.ElasticIP, holds: true, absent: answer{
				400, "InvalidAllocationID.NotFound", "The allocation ID '%s' does not exist",
			}},
		},
		id:      func(place, values) string { return random("nat") },
		outputs: gatewayOutputs,
		allow:   reachesOut,
	},
}

// own are the outputs that all resources of EC2 have.
func own(s subject, what string) values {
	return values{"arn": s.at.arn("ec2", s.at.region, what+s.id), "ownerId": s.at.account, "tagsAll": tags(s.in)}
}

func defaultGroup(vpc string) string { return derived("sg", vpc) }

func vpcOutputs(s subject) values {
	table := derived("rtb", s.id)
	return mergeValues(own(s, "vpc/"), values{
		"defaultSecurityGroupId": defaultGroup(s.id), "mainRouteTableId": table, "defaultRouteTableId": table,
		"defaultNetworkAclId": derived("acl", s.id), "dhcpOptionsId": derived("dopt", s.at.account+s.at.region),
		"cidrBlock": text(s.in, "cidrBlock"), "enableDnsHostnames": s.in["enableDnsHostnames"] == true,
		"enableNetworkAddressUsageMetrics": s.in["enableNetworkAddressUsageMetrics"] == true,
	})
}

// addressOutputs has an address from a range that is kept for documentation (RFC 5737).
func addressOutputs(s subject) values {
	last, _ := strconv.ParseUint(digest(s.id)[:2], 16, 8)
	ip := fmt.Sprintf("203.0.113.%d", last)
	out := own(s, "elastic-ip/")
	delete(out, "ownerId")
	return mergeValues(out, values{
		"allocationId": s.id, "domain": "vpc", "networkBorderGroup": s.at.region, "publicIpv4Pool": "amazon", "publicIp": ip,
		"publicDns": "ec2-" + strings.ReplaceAll(ip, ".", "-") + "." + s.at.region + ".compute.amazonaws.com",
	})
}

func gatewayOutputs(s subject) values {
	address, subnet := s.account.one(aws.ElasticIP, text(s.in, "allocationId")), s.account.one(aws.Subnet, text(s.in, "subnetId"))
	out := values{"tagsAll": tags(s.in), "networkInterfaceId": derived("eni", s.id), "privateIp": text(s.in, "privateIp")}
	if network, err := netip.ParsePrefix(text(subnet.in, "cidrBlock")); err == nil && out["privateIp"] == "" {
		out["privateIp"] = network.Addr().Next().Next().Next().Next().String() // AWS keeps the first ones for itself
	}
	if address.in != nil {
		out["associationId"], out["publicIp"] = derived("eipassoc", s.id), addressOutputs(address)["publicIp"]
	}
	return out
}

// cidrProblem is what is wrong with a network: it must be one of IPv4, written by its first address.
func cidrProblem(text string, shortest, longest int) string {
	if text == "" {
		return ""
	}
	network, err := netip.ParsePrefix(text)
	if err != nil || !network.Addr().Is4() || network != network.Masked() || network.Bits() < shortest || network.Bits() > longest {
		return fmt.Sprintf("is %q; want an IPv4 network of /%d to /%d, written by its first address", text, shortest, longest)
	}
	return ""
}

// fits says that a subnet is in the network of its VPC, apart from all others, and in a zone of the region.
func fits(s subject) *answer {
	network, err := netip.ParsePrefix(text(s.in, "cidrBlock"))
	if err != nil {
		return &answer{400, "MissingParameter", "Either 'cidrBlock' or 'ipv6CidrBlock' should be provided."}
	}
	vpc := s.account.one(aws.VPC, text(s.in, "vpcId"))
	whole, err := netip.ParsePrefix(text(vpc.in, "cidrBlock"))
	if err != nil || !whole.Contains(network.Addr()) || network.Bits() < whole.Bits() {
		return &answer{400, "InvalidSubnet.Range", fmt.Sprintf("The CIDR '%s' is invalid.", network)}
	}
	for _, other := range s.account.all(aws.Subnet) {
		taken, err := netip.ParsePrefix(text(other.in, "cidrBlock"))
		if err == nil && other.id != s.id && text(other.in, "vpcId") == vpc.id && taken.Overlaps(network) {
			return &answer{400, "InvalidSubnet.Conflict", fmt.Sprintf("The CIDR '%s' conflicts with another subnet", network)}
		}
	}
	zone := text(s.in, "availabilityZone")
	letter, inRegion := strings.CutPrefix(zone, s.at.region)
	if zone != "" && (!inRegion || len(letter) != 1 || letter < "a" || letter > "f") {
		return &answer{400, "InvalidParameterValue", fmt.Sprintf("Value (%s) for parameter availabilityZone is invalid. "+
			"Subnets can currently only be created in the following availability zones: %[2]sa, %[2]sb, %[2]sc.", zone, s.at.region)}
	}
	return nil
}

// reachesOut says that a public NAT gateway has an address of its own and a way to the internet.
func reachesOut(s subject) *answer {
	if text(s.in, "connectivityType") == "private" {
		return nil
	}
	address, vpc := text(s.in, "allocationId"), s.vpcOf("subnetId")
	if address == "" {
		return &answer{400, "MissingParameter", "The request must contain the parameter AllocationId"}
	}
	for _, other := range s.account.all(aws.NATGateway) {
		if other.id != s.id && text(other.in, "allocationId") == address {
			return &answer{400, "Resource.AlreadyAssociated", fmt.Sprintf("Elastic IP address [%s] is already associated", address)}
		}
	}
	for _, gateway := range s.account.all(aws.InternetGateway) {
		if text(gateway.in, "vpcId") == vpc {
			return nil
		}
	}
	return &answer{400, "Gateway.NotAttached", fmt.Sprintf("Network %s has no Internet gateway attached", vpc)}
}

// noPublicAddresses refuses to detach an internet gateway through which somebody is reached.
func noPublicAddresses(s subject) *answer {
	for _, gateway := range s.account.all(aws.NATGateway) {
		if vpc := gateway.vpcOf("subnetId"); vpc == text(s.in, "vpcId") && text(gateway.in, "connectivityType") != "private" {
			return &answer{400, "DependencyViolation", fmt.Sprintf("Network %s has some mapped public address(es). Please "+
				"unmap those public address(es) before detaching the gateway.", vpc)}
		}
	}
	return nil
}

// vpcOf returns the VPC of the subnet that an input names.
func (s subject) vpcOf(input string) string {
	return text(s.account.one(aws.Subnet, text(s.in, input)).in, "vpcId")
}

// shortRegion is the form in which the IDs of zones have a region: euc1 for eu-central-1.
func shortRegion(region string) string {
	parts := strings.Split(region, "-")
	if len(parts) != 3 {
		return region
	}
	return parts[0] + parts[1][:1] + parts[2]
}
