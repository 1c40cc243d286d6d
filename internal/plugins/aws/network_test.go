package aws

import (
	"fmt"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/internal/aws"
	"github.com/telekom/controlplane-infrastructure/internal/plugins/protocol"
)

// network is a VPC with a subnet in each of two zones.
type network struct {
	client
	vpc     string
	subnets []any
}

func newNetwork(t *testing.T) network {
	t.Helper()
	n := network{client: connect(t, "")}
	n.vpc, _ = n.create(aws.VPC, values{"cidrBlock": "10.0.0.0/16", "enableDnsHostnames": true})
	for i, zone := range []string{"a", "b"} {
		id, _ := n.create(aws.Subnet, n.subnet(zone, fmt.Sprintf("10.0.%d.0/24", i)))
		n.subnets = append(n.subnets, id)
	}
	return n
}

func (n network) subnet(zone, cidr string) values {
	return values{"vpcId": n.vpc, "cidrBlock": cidr, "availabilityZone": "eu-central-1" + zone}
}

func TestANetworkLooksLikeOneOfAWS(t *testing.T) {
	t.Parallel()
	c := connect(t, "")
	id, vpc := c.create(aws.VPC, values{"cidrBlock": "10.0.0.0/16", "tags": values{"Name": "n"}})
	assert.Regexp(t, `^vpc-0[0-9a-f]{16}$`, id)
	assert.Equal(t, "arn:aws:ec2:eu-central-1:123456789012:vpc/"+id, vpc["arn"])
	assert.Regexp(t, `^sg-0[0-9a-f]{16}$`, vpc["defaultSecurityGroupId"])
	assert.Equal(t, false, vpc["enableDnsHostnames"])
	assert.Equal(t, values{"Name": "n"}, vpc["tagsAll"])

	closed, group := c.create(aws.DefaultSecurityGroup, values{"vpcId": id})
	assert.Equal(t, vpc["defaultSecurityGroupId"], closed, "the one that is there is taken over")
	assert.Equal(t, "default", group["name"])

	_, subnet := c.create(aws.Subnet, values{"vpcId": id, "cidrBlock": "10.0.1.0/24", "availabilityZone": "eu-central-1b"})
	assert.Equal(t, "euc1-az2", subnet["availabilityZoneId"])
	address, ip := c.create(aws.ElasticIP, values{"domain": "vpc"})
	assert.Equal(t, address, ip["allocationId"])
	assert.Regexp(t, `^203\.0\.113\.\d+$`, ip["publicIp"])

	table, _ := c.create(aws.RouteTable, values{"vpcId": id})
	_, endpoint := c.create(aws.VPCEndpoint, values{"vpcId": id, "serviceName": "com.amazonaws.eu-central-1.s3", "routeTableIds": []any{table}})
	assert.Regexp(t, `^pl-`, endpoint["prefixListId"])
	assert.Equal(t, "available", endpoint["state"])
}

func TestWhereSubnetsGo(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	for name, c := range map[string]struct {
		in   values
		code string
	}{
		"no VPC":           {values{"vpcId": "vpc-0", "cidrBlock": "10.0.9.0/24"}, "InvalidVpcID.NotFound"},
		"out of the VPC":   {n.subnet("a", "10.1.0.0/24"), "InvalidSubnet.Range"},
		"over another":     {n.subnet("c", "10.0.0.128/25"), "InvalidSubnet.Conflict"},
		"another region's": {values{"vpcId": n.vpc, "cidrBlock": "10.0.9.0/24", "availabilityZone": "eu-west-1a"}, "InvalidParameterValue"},
		"no zone":          {values{"vpcId": n.vpc, "cidrBlock": "10.0.9.0/24", "availabilityZone": "eu-central-1"}, "InvalidParameterValue"},
	} {
		_, _, err := n.try(aws.Subnet, c.in)
		require.ErrorContains(t, err, "api error "+c.code, name)
	}
	for name, c := range map[string]struct {
		token, property string
		in              values
	}{
		"a VPC too large":      {aws.VPC, "cidrBlock", values{"cidrBlock": "10.0.0.0/15"}},
		"a subnet too small":   {aws.Subnet, "cidrBlock", n.subnet("a", "10.0.9.0/29")},
		"not its first":        {aws.Subnet, "cidrBlock", n.subnet("a", "10.0.9.1/24")},
		"a subnet without VPC": {aws.Subnet, "vpcId", values{"cidrBlock": "10.0.9.0/24"}},
	} {
		_, failures := n.check(c.token, c.in)
		assert.Contains(t, failures, c.property, name)
	}
}

func TestTheWayOut(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	address, _ := n.create(aws.ElasticIP, values{"domain": "vpc"})
	nat := values{"subnetId": n.subnets[0], "allocationId": address}
	_, _, err := n.try(aws.NATGateway, nat)
	n.refused("Gateway.NotAttached", err)
	gateway, _ := n.create(aws.InternetGateway, values{"vpcId": n.vpc})
	_, _, err = n.try(aws.InternetGateway, values{"vpcId": n.vpc})
	n.refused("InvalidParameterValue", err)
	out, made := n.create(aws.NATGateway, nat)
	assert.Equal(t, "10.0.0.4", made["privateIp"])
	_, _, err = n.try(aws.NATGateway, but(nat, values{"subnetId": n.subnets[1]}))
	n.refused("Resource.AlreadyAssociated", err)

	table, _ := n.create(aws.RouteTable, values{"vpcId": n.vpc})
	route := values{"routeTableId": table, "destinationCidrBlock": "0.0.0.0/0", "natGatewayId": out}
	n.create(aws.Route, route)
	_, _, err = n.try(aws.Route, but(route, values{"natGatewayId": nil, "gatewayId": gateway}))
	n.refused("RouteAlreadyExists", err)
	_, _, err = n.try(aws.Route, but(route, values{"natGatewayId": nil, "gatewayId": "igw-0", "destinationCidrBlock": "1.0.0.0/8"}))
	n.refused("InvalidInternetGatewayID.NotFound", err)
	_, _, err = n.try(aws.Route, but(route, values{"gatewayId": gateway, "destinationCidrBlock": "1.0.0.0/8"}))
	n.refused("InvalidParameterCombination", err)
	n.create(aws.RouteTableAssociation, values{"routeTableId": table, "subnetId": n.subnets[0]})
	_, _, err = n.try(aws.RouteTableAssociation, values{"routeTableId": table, "subnetId": n.subnets[0]})
	n.refused("Resource.AlreadyAssociated", err)

	other, _ := n.create(aws.VPC, values{"cidrBlock": "10.1.0.0/16"})
	foreign, _ := n.create(aws.RouteTable, values{"vpcId": other})
	_, _, err = n.try(aws.Route, but(route, values{"routeTableId": foreign}))
	require.ErrorContains(t, err, "belong to different networks")
	_, _, err = n.try(aws.RouteTableAssociation, values{"routeTableId": foreign, "subnetId": n.subnets[1]})
	require.ErrorContains(t, err, "belong to different networks")

	t.Run("is taken apart from its end", func(t *testing.T) {
		n.refused("DependencyViolation", n.remove(aws.InternetGateway, gateway))
		n.refused("InvalidIPAddress.InUse", n.remove(aws.ElasticIP, address))
		n.refused("DependencyViolation", n.remove(aws.Subnet, fmt.Sprint(n.subnets[0])))
		require.NoError(t, n.remove(aws.NATGateway, out))
		require.NoError(t, n.remove(aws.ElasticIP, address))
		require.NoError(t, n.remove(aws.InternetGateway, gateway))
		n.refused("DependencyViolation", n.remove(aws.VPC, n.vpc))
		for _, subnet := range n.subnets {
			require.NoError(t, n.remove(aws.Subnet, fmt.Sprint(subnet)))
		}
		n.refused("DependencyViolation", n.remove(aws.VPC, n.vpc))
		require.NoError(t, n.remove(aws.RouteTable, table))
		require.NoError(t, n.remove(aws.VPC, n.vpc))
	})
}

func TestSecurityGroupsAndTheirRules(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	group := func(name string) string {
		id, made := n.create(aws.SecurityGroup, values{"vpcId": n.vpc, "name": name})
		assert.Equal(t, "Managed by Pulumi", made["description"])
		return id
	}
	database, clients := group("database"), group("clients")
	_, _, err := n.try(aws.SecurityGroup, values{"vpcId": n.vpc, "name": "clients"})
	n.refused("InvalidGroup.Duplicate", err)
	rule := values{"securityGroupId": database, "ipProtocol": "tcp", "fromPort": 5432, "toPort": 5432, "referencedSecurityGroupId": clients}
	admitted, _ := n.create(aws.IngressRule, rule)
	_, _, err = n.try(aws.IngressRule, rule)
	n.refused("InvalidPermission.Duplicate", err)
	_, _, err = n.try(aws.IngressRule, but(rule, values{"cidrIpv4": "10.0.0.0/16"}))
	n.refused("InvalidParameterCombination", err)
	n.refused("DependencyViolation", n.remove(aws.SecurityGroup, clients))
	n.refused("DependencyViolation", n.remove(aws.VPC, n.vpc))
	require.NoError(t, n.remove(aws.SecurityGroup, database), "rules go with their group")
	assert.False(t, n.exists(aws.IngressRule, admitted))
	require.NoError(t, n.remove(aws.SecurityGroup, clients))

	first, _ := n.create(aws.SecurityGroup, values{"vpcId": n.vpc, "namePrefix": "nodes-"})
	_, second := n.create(aws.SecurityGroup, values{"vpcId": n.vpc, "namePrefix": "nodes-"})
	assert.Regexp(t, `^nodes-\d`, second["name"])
	assert.True(t, n.exists(aws.SecurityGroup, first), "names with a prefix do not collide")
}

func TestALaunchTemplateGetsVersions(t *testing.T) {
	t.Parallel()
	c := connect(t, "")
	in := values{"name": "nodes", "metadataOptions": values{"httpTokens": "required", "httpPutResponseHopLimit": 1}}
	id, made := c.create(aws.LaunchTemplate, in)
	assert.InDelta(t, 1, made["latestVersion"], 0)
	changed := but(in, values{"metadataOptions.httpPutResponseHopLimit": 2, "updateDefaultVersion": true})

	plan := func(news values) resource.PropertyMap {
		response, err := c.Update(t.Context(), &pulumirpc.UpdateRequest{
			Urn: urn(aws.LaunchTemplate), Id: id, Olds: c.wire(made), News: c.wire(news), Preview: true,
		})
		require.NoError(t, err)
		planned, err := protocol.Decode(response.GetProperties())
		require.NoError(t, err)
		return planned
	}
	assert.True(t, plan(changed)["latestVersion"].IsComputed(), "a preview cannot know the number")
	assert.Equal(t, made["latestVersion"], plan(but(in, values{"description": "d"}))["latestVersion"].NumberValue())

	after, err := c.update(aws.LaunchTemplate, id, changed)
	require.NoError(t, err)
	assert.InDelta(t, 2, after["latestVersion"], 0)
	assert.InDelta(t, 2, after["defaultVersion"], 0)
	after, err = c.update(aws.LaunchTemplate, id, but(changed, values{"tags": values{"a": "b"}}))
	require.NoError(t, err)
	assert.InDelta(t, 2, after["latestVersion"], 0, "tags are not in a version")
}

// change is what an engine would do with a change: nothing, an update, or a replacement in one order or the other.
func (c client) change(token string, in, changes values) string {
	c.t.Helper()
	response := c.diff(token, properties(in), properties(but(in, changes)))
	switch {
	case response.GetChanges() == pulumirpc.DiffResponse_DIFF_NONE:
		return "none"
	case len(response.GetReplaces()) == 0:
		return "update"
	case response.GetDeleteBeforeReplace():
		return "delete, create"
	}
	return "create, delete"
}

func TestWhatAChangeOfANetworkDoes(t *testing.T) {
	t.Parallel()
	c := connect(t, "")
	rule := values{"securityGroupId": "sg-1", "ipProtocol": "tcp", "fromPort": 1, "toPort": 1, "cidrIpv4": "10.0.0.0/8"}
	endpoint := values{"vpcId": "vpc-1", "serviceName": "s", "routeTableIds": []any{"rtb-1", "rtb-2"}}
	group := values{"vpcId": "vpc-1", "name": "g"}
	template := values{"name": "t", "metadataOptions": values{"httpTokens": "required"}}
	for name, each := range map[string]struct {
		token       string
		in, changes values
		want        string
	}{
		"a network's addresses":      {aws.VPC, values{"cidrBlock": "10.0.0.0/16"}, values{"cidrBlock": "10.1.0.0/16"}, "create, delete"},
		"its names of hosts":         {aws.VPC, values{"cidrBlock": "10.0.0.0/16"}, values{"enableDnsHostnames": true}, "update"},
		"tags":                       {aws.Subnet, values{"vpcId": "vpc-1", "cidrBlock": "10.0.0.0/24"}, values{"tags": values{"a": "b"}}, "update"},
		"a zone":                     {aws.Subnet, values{"vpcId": "vpc-1", "availabilityZone": "a"}, values{"availabilityZone": "b"}, "create, delete"},
		"another NAT gateway":        {aws.Route, values{"routeTableId": "r", "natGatewayId": "nat-1"}, values{"natGatewayId": "nat-2"}, "update"},
		"another order":              {aws.VPCEndpoint, endpoint, values{"routeTableIds": []any{"rtb-2", "rtb-1"}}, "none"},
		"one more":                   {aws.VPCEndpoint, endpoint, values{"routeTableIds": []any{"rtb-2", "rtb-1", "rtb-3"}}, "update"},
		"another route table":        {aws.RouteTableAssociation, values{"routeTableId": "a", "subnetId": "s"}, values{"routeTableId": "b"}, "update"},
		"ports":                      {aws.IngressRule, rule, values{"toPort": 2}, "update"},
		"another network of clients": {aws.IngressRule, rule, values{"cidrIpv4": "10.0.0.0/9"}, "update"},
		"a group instead":            {aws.IngressRule, rule, values{"cidrIpv4": nil, "referencedSecurityGroupId": "sg-2"}, "create, delete"},
		"a description":              {aws.SecurityGroup, group, values{"description": "d"}, "delete, create"},
		"with a prefix":              {aws.SecurityGroup, values{"vpcId": "vpc-1", "namePrefix": "g"}, values{"description": "d"}, "create, delete"},
		"what nodes start with":      {aws.LaunchTemplate, template, values{"metadataOptions.httpTokens": "optional"}, "update"},
		"days that logs are kept":    {aws.LogGroup, values{"name": "l", "retentionInDays": 7}, values{"retentionInDays": 30}, "update"},
		"what flow logs have":        {aws.FlowLog, values{"vpcId": "v", "trafficType": "ALL"}, values{"trafficType": "REJECT"}, "create, delete"},
		"an issuer":                  {aws.OIDCProvider, values{"url": "https://a"}, values{"url": "https://b"}, "create, delete"},
	} {
		assert.Equal(t, each.want, c.change(each.token, each.in, each.changes), name)
	}
}
