package eks

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/telekom/controlplane-infrastructure/internal/aws"
)

// network is where the cluster runs.
type network struct {
	// subnets are the private ones, by zone.
	subnets map[string]pulumi.StringInput
	// ways are what nodes reach anything outside by.
	ways []pulumi.Resource
}

// The tags of subnets that load balancers are placed by.
// Source: https://docs.aws.amazon.com/eks/latest/userguide/network-load-balancing.html
const (
	publicBalancers  = "kubernetes.io/role/elb"
	privateBalancers = "kubernetes.io/role/internal-elb"
	ofCluster        = "kubernetes.io/cluster/"
)

// network makes the VPC, or takes subnets of an existing one as they are.
func (b *builder) network() (*network, error) {
	net := &network{subnets: map[string]pulumi.StringInput{}}
	if id := b.args.Network.VPCID; id != "" {
		b.parent.VPCID = pulumi.String(id).ToStringOutput()
		for _, zone := range b.args.Network.Zones {
			net.subnets[zone.Name] = pulumi.String(zone.PrivateSubnetID)
		}
	} else if err := b.vpc(net); err != nil {
		return nil, err
	}
	for _, zone := range b.args.Network.Zones {
		b.parent.SubnetIDs = append(b.parent.SubnetIDs, net.subnets[zone.Name])
	}
	return net, nil
}

func (b *builder) vpc(net *network) error {
	vpc, err := b.account.Register(aws.VPC, "vpc", pulumi.Map{
		"cidrBlock": pulumi.String(b.args.Network.CIDR),
		// Nodes find the private endpoint of the API server by both.
		"enableDnsSupport": pulumi.Bool(true), "enableDnsHostnames": pulumi.Bool(true),
		"tags": b.named("vpc"),
	}, pulumi.Protect(b.args.Protect))
	if err != nil {
		return err
	}
	b.parent.VPCID = vpc.ID().ToStringOutput()
	// Adopting the group that every VPC has, without naming rules, takes those away that it has.
	if _, err := b.account.Register(aws.DefaultSecurityGroup, "default-security-group",
		pulumi.Map{"vpcId": vpc.ID(), "tags": b.named("unused")}); err != nil {
		return err
	}
	if err := b.flowLogs(vpc); err != nil {
		return err
	}
	gateway, err := b.account.Register(aws.InternetGateway, "internet-gateway",
		pulumi.Map{"vpcId": vpc.ID(), "tags": b.named("internet")})
	if err != nil {
		return err
	}
	table, toInternet, err := b.routeTable("public", vpc, pulumi.Map{"gatewayId": gateway.ID()})
	if err != nil {
		return err
	}
	public, err := b.publicSubnets(vpc, table)
	if err != nil {
		return err
	}
	return b.privateSubnets(net, vpc, public, gateway, toInternet)
}

// publicSubnets are where load balancers and NAT gateways are, by zone.
func (b *builder) publicSubnets(vpc, table *aws.Resource) (map[string]*aws.Resource, error) {
	subnets := map[string]*aws.Resource{}
	for _, zone := range b.args.Network.Zones {
		subnet, err := b.subnet("public", zone.Name, zone.PublicCIDR, publicBalancers, vpc)
		if err != nil {
			return nil, err
		}
		if _, err := b.associate("public-"+zone.Name, subnet, table); err != nil {
			return nil, err
		}
		subnets[zone.Name] = subnet
	}
	return subnets, nil
}

// privateSubnets are where nodes and pods are. Each has a route table of its own, so that a NAT gateway more or less
// changes nothing but routes.
func (b *builder) privateSubnets(
	net *network, vpc *aws.Resource, public map[string]*aws.Resource, before ...pulumi.Resource,
) error {
	var nat *aws.Resource
	var tables pulumi.StringArray
	for _, zone := range b.args.Network.Zones {
		var err error
		if nat == nil || b.args.Network.NATPerZone {
			if nat, err = b.nat(zone.Name, public[zone.Name], before...); err != nil {
				return err
			}
		}
		subnet, err := b.subnet("private", zone.Name, zone.PrivateCIDR, privateBalancers, vpc)
		if err != nil {
			return err
		}
		table, route, err := b.routeTable("private-"+zone.Name, vpc, pulumi.Map{"natGatewayId": nat.ID()})
		if err != nil {
			return err
		}
		association, err := b.associate("private-"+zone.Name, subnet, table)
		if err != nil {
			return err
		}
		net.subnets[zone.Name] = subnet.ID().ToStringOutput()
		net.ways = append(net.ways, route, association)
		tables = append(tables, table.ID().ToStringOutput())
	}
	return b.toS3(net, vpc, tables)
}

// toS3 keeps objects and images from passing NAT gateways, which cost by the byte.
func (b *builder) toS3(net *network, vpc *aws.Resource, tables pulumi.StringArray) error {
	endpoint, err := b.account.Register(aws.VPCEndpoint, "s3", pulumi.Map{
		"vpcId": vpc.ID(), "vpcEndpointType": pulumi.String("Gateway"),
		"serviceName":   pulumi.String(aws.EndpointService("s3", b.args.Region)),
		"routeTableIds": tables,
		"tags":          b.named("s3"),
	})
	net.ways = append(net.ways, endpoint)
	return err
}

func (b *builder) subnet(sort, zone, cidr, role string, vpc *aws.Resource) (*aws.Resource, error) {
	tags := b.named(sort + "-" + zone)
	tags[role], tags[ofCluster+b.args.Name] = pulumi.String("1"), pulumi.String("shared")
	return b.account.Register(aws.Subnet, sort+"-"+zone, pulumi.Map{
		"vpcId": vpc.ID(), "availabilityZone": pulumi.String(zone), "cidrBlock": pulumi.String(cidr),
		// What is in a public subnet has the addresses that it asks for.
		"mapPublicIpOnLaunch": pulumi.Bool(false),
		"tags":                tags,
	}, pulumi.Protect(b.args.Protect))
}

// routeTable makes a route table with a default route.
func (b *builder) routeTable(name string, vpc *aws.Resource, way pulumi.Map) (table, route *aws.Resource, err error) {
	if table, err = b.account.Register(aws.RouteTable, name,
		pulumi.Map{"vpcId": vpc.ID(), "tags": b.named(name)}); err != nil {
		return nil, nil, err
	}
	way["routeTableId"], way["destinationCidrBlock"] = table.ID(), pulumi.String("0.0.0.0/0")
	route, err = b.account.Register(aws.Route, name, way)
	return table, route, err
}

func (b *builder) associate(name string, subnet, table *aws.Resource) (*aws.Resource, error) {
	return b.account.Register(aws.RouteTableAssociation, name, pulumi.Map{"subnetId": subnet.ID(), "routeTableId": table.ID()})
}

// nat makes a NAT gateway, which works only once its subnet reaches the internet, and keeps its address until it has gone.
func (b *builder) nat(zone string, subnet *aws.Resource, before ...pulumi.Resource) (*aws.Resource, error) {
	name := fmt.Sprintf("nat-%s", zone)
	address, err := b.account.Register(aws.ElasticIP, name,
		pulumi.Map{"domain": pulumi.String("vpc"), "tags": b.named(name)}, dependOn(before...))
	if err != nil {
		return nil, err
	}
	return b.account.Register(aws.NATGateway, name, pulumi.Map{
		"allocationId": address.ID(), "subnetId": subnet.ID(), "connectivityType": pulumi.String("public"),
		"tags": b.named(name),
	}, dependOn(before...))
}
