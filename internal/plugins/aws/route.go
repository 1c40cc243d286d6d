package aws

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/telekom/controlplane-infrastructure/internal/aws"
)

var (
	noRouteTable = answer{400, "InvalidRouteTableID.NotFound", "The routeTable ID '%s' does not exist"}
	destinations = []string{"destinationCidrBlock", "destinationIpv6CidrBlock", "destinationPrefixListId"}
	targets      = []string{
		"carrierGatewayId", "coreNetworkArn", "egressOnlyGatewayId", "gatewayId", "localGatewayId", "natGatewayId",
		"networkInterfaceId", "transitGatewayId", "vpcEndpointId", "vpcPeeringConnectionId",
	}
)

// routeKinds: sources as of networkKinds. The published plugin removes the associations of a route table itself.
var routeKinds = map[string]kind{
	aws.RouteTable: {
		service: "EC2", create: "CreateRouteTable", remove: "DeleteRouteTable",
		required: []string{"vpcId"}, replaces: []string{"vpcId"},
		sets:     []string{"propagatingVgws", "routes"},
		computed: []string{"arn", "ownerId", "propagatingVgws", "routes", "tagsAll"},
		refers:   []reference{inVPC},
		id:       func(place, values) string { return random("rtb") },
		outputs: func(s subject) values {
			out := own(s, "route-table/")
			for _, key := range []string{"routes", "propagatingVgws"} {
				if out[key] = list(s.in[key]); s.in[key] == nil {
					out[key] = []any{}
				}
			}
			return out
		},
	},
	aws.Route: {
		service: "EC2", create: "CreateRoute", update: "ReplaceRoute", remove: "DeleteRoute",
		required: []string{"routeTableId"},
		replaces: append([]string{"routeTableId"}, destinations...),
		computed: []string{"instanceId", "instanceOwnerId", "networkInterfaceId", "origin", "state"},
		partOf:   &owner{token: aws.RouteTable, input: "routeTableId", missing: noRouteTable},
		refers: []reference{
			{path: "gatewayId", token: aws.InternetGateway, absent: answer{
				400, "InvalidInternetGatewayID.NotFound", "The internetGateway ID '%s' does not exist",
			}},
			{path: "natGatewayId", token: aws.NATGateway, absent: answer{
				400, "InvalidNatGatewayID.NotFound", "The natGateway ID '%s' does not exist",
			}},
		},
		taken: &answer{400, "RouteAlreadyExists", "The route identified by this destination already exists."},
		id: func(_ place, in values) string {
			to := slices.IndexFunc(destinations, func(d string) bool { return text(in, d) != "" })
			if to < 0 {
				return "r-" + text(in, "routeTableId")
			}
			number, _ := strconv.ParseUint(digest(text(in, destinations[to]))[:8], 16, 32)
			return fmt.Sprintf("r-%s%d", text(in, "routeTableId"), number)
		},
		outputs: func(subject) values {
			return values{"origin": "CreateRoute", "state": "active", "instanceId": "", "instanceOwnerId": "", "networkInterfaceId": ""}
		},
		check: func(in values) map[string]string {
			return problems(map[string]string{"destinationCidrBlock": cidrProblem(text(in, "destinationCidrBlock"), 0, 32)})
		},
		allow: leadsSomewhere,
	},
	aws.RouteTableAssociation: {
		service: "EC2", create: "AssociateRouteTable", update: "ReplaceRouteTableAssociation", remove: "DisassociateRouteTable",
		required: []string{"routeTableId"},
		replaces: []string{"gatewayId", "subnetId"},
		partOf:   &owner{token: aws.RouteTable, input: "routeTableId", missing: noRouteTable},
		refers:   []reference{{path: "subnetId", token: aws.Subnet, absent: noSubnet}},
		id:       func(place, values) string { return random("rtbassoc") },
		allow: func(s subject) *answer {
			subnet := text(s.in, "subnetId")
			for _, other := range s.account.all(aws.RouteTableAssociation) {
				if other.id != s.id && subnet != "" && text(other.in, "subnetId") == subnet {
					return &answer{400, "Resource.AlreadyAssociated", fmt.Sprintf("the specified association for route table "+
						"%s conflicts with an existing association", text(s.in, "routeTableId"))}
				}
			}
			table := s.account.one(aws.RouteTable, text(s.in, "routeTableId"))
			if subnet != "" && text(table.in, "vpcId") != s.vpcOf("subnetId") {
				return apart(table.id, subnet)
			}
			return nil
		},
	},
	aws.VPCEndpoint: {
		service: "EC2", create: "CreateVpcEndpoint", update: "ModifyVpcEndpoint", remove: "DeleteVpcEndpoints",
		required: []string{"vpcId"},
		replaces: []string{
			"resourceConfigurationArn", "serviceName", "serviceNetworkArn", "serviceRegion", "vpcEndpointType", "vpcId",
		},
		sets:      []string{"routeTableIds", "securityGroupIds", "subnetIds", "subnetConfigurations"},
		defaults:  values{"vpcEndpointType": "Gateway"},
		documents: map[string]form{"policy": {principal: true, resource: true, limit: 20480}},
		computed: []string{
			"arn", "cidrBlocks", "dnsEntries", "ipAddressType", "networkInterfaceIds", "ownerId", "policy", "prefixListId",
			"privateDnsEnabled", "requesterManaged", "serviceRegion", "state", "tagsAll",
		},
		refers: []reference{
			inVPC,
			{path: "routeTableIds", token: aws.RouteTable, absent: noRouteTable},
			{path: "subnetIds", token: aws.Subnet, absent: noSubnet, holds: true},
			{path: "securityGroupIds", token: aws.SecurityGroup, absent: noGroup, holds: true},
		},
		id:      func(place, values) string { return random("vpce") },
		outputs: endpointOutputs,
		check: func(in values) map[string]string {
			return problems(map[string]string{"vpcEndpointType": oneOf(text(in, "vpcEndpointType"), "Gateway", "Interface",
				"GatewayLoadBalancer", "Resource", "ServiceNetwork")})
		},
		allow: servesTables,
	},
}

// apart is the answer about two that are not in the same VPC.
func apart(table, other string) *answer {
	return &answer{400, "InvalidParameterValue", fmt.Sprintf("route table %s and %s belong to different networks", table, other)}
}

// leadsSomewhere says that a route has one destination and one target in its network.
func leadsSomewhere(s subject) *answer {
	given := func(keys []string) int {
		return len(slices.DeleteFunc(slices.Clone(keys), func(key string) bool { return text(s.in, key) == "" }))
	}
	if to, through := given(destinations), given(targets); to != 1 || through != 1 {
		return &answer{400, "InvalidParameterCombination", fmt.Sprintf("a route has one destination and one target, not %d and %d",
			to, through)}
	}
	table := s.account.one(aws.RouteTable, text(s.in, "routeTableId"))
	vpc := text(table.in, "vpcId")
	if gateway := text(s.in, "gatewayId"); gateway != "" && text(s.account.one(aws.InternetGateway, gateway).in, "vpcId") != vpc {
		return apart(table.id, "network gateway "+gateway)
	}
	if nat := text(s.in, "natGatewayId"); nat != "" && s.account.one(aws.NATGateway, nat).vpcOf("subnetId") != vpc {
		return apart(table.id, "NAT gateway "+nat)
	}
	return nil
}

// servesTables says that there is such a service, and that no other gateway of it is in the same route tables.
func servesTables(s subject) *answer {
	service := text(s.in, "serviceName")
	if !strings.HasPrefix(service, aws.EndpointService("", s.at.region)) {
		return &answer{400, "InvalidServiceName", fmt.Sprintf("The Vpc Endpoint Service '%s' does not exist", service)}
	}
	if text(s.in, "vpcEndpointType") != "Gateway" {
		return nil
	}
	if !slices.Contains([]string{"s3", "dynamodb"}, service[strings.LastIndex(service, ".")+1:]) {
		return &answer{400, "InvalidParameter", fmt.Sprintf("The service '%s' has no gateway endpoints", service)}
	}
	for _, table := range walkTexts(s.in, "routeTableIds") {
		if text(s.account.one(aws.RouteTable, table).in, "vpcId") != text(s.in, "vpcId") {
			return apart(table, text(s.in, "vpcId"))
		}
		for _, other := range s.account.all(aws.VPCEndpoint) {
			there := text(other.in, "serviceName") == service && slices.Contains(walkTexts(other.in, "routeTableIds"), table)
			if other.id != s.id && there {
				return &answer{400, "RouteAlreadyExists", fmt.Sprintf("route table %s already has a route with "+
					"destination-prefix-list-id %s", table, derived("pl", service))}
			}
		}
	}
	return nil
}

func endpointOutputs(s subject) values {
	out := mergeValues(own(s, "vpc-endpoint/"), values{
		"dnsEntries": []any{}, "networkInterfaceIds": []any{}, "requesterManaged": false, "serviceRegion": s.at.region,
		"state": "available", "privateDnsEnabled": s.in["privateDnsEnabled"] == true, "ipAddressType": "ipv4",
		"policy": `{"Version":"2008-10-17","Statement":[{"Action":"*","Effect":"Allow","Principal":"*","Resource":"*"}]}`,
	})
	if text(s.in, "vpcEndpointType") == "Gateway" {
		out["prefixListId"], out["cidrBlocks"] = derived("pl", text(s.in, "serviceName")), []any{"3.5.136.0/22"}
	}
	for _, key := range []string{"policy", "ipAddressType", "serviceRegion"} {
		if given, ok := s.in[key]; ok {
			out[key] = given
		}
	}
	return out
}
