package aws

import (
	"fmt"
	"slices"
	"strings"

	"github.com/telekom/controlplane-infrastructure/internal/aws"
)

var (
	noGroup = answer{400, "InvalidGroup.NotFound", "The security group '%s' does not exist"}
	// sources are what an ingress rule admits.
	sources = []string{"cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId"}
)

// securityKinds: sources as of networkKinds.
var securityKinds = map[string]kind{
	aws.DefaultSecurityGroup: {
		service: "EC2", create: "DescribeSecurityGroups", update: "AuthorizeSecurityGroupIngress", remove: "DescribeSecurityGroups",
		required: []string{"vpcId"},
		replaces: []string{"vpcId"},
		sets:     []string{"egress", "ingress"},
		defaults: values{"revokeRulesOnDelete": false},
		computed: []string{"arn", "description", "name", "ownerId", "tagsAll"},
		partOf:   &owner{token: aws.VPC, input: "vpcId", missing: noVPC},
		id:       func(_ place, in values) string { return defaultGroup(text(in, "vpcId")) },
		outputs: func(s subject) values {
			return mergeValues(own(s, "security-group/"), values{"name": "default", "description": "default VPC security group"})
		},
	},
	aws.SecurityGroup: {
		service: "EC2", create: "CreateSecurityGroup", update: "ModifySecurityGroupRules", remove: "DeleteSecurityGroup",
		name: "name", maxName: 255, prefix: "namePrefix",
		replaces: []string{"description", "name", "namePrefix", "vpcId"},
		sets:     []string{"egress", "ingress"},
		defaults: values{"description": "Managed by Pulumi", "revokeRulesOnDelete": false},
		computed: []string{"arn", "egress", "ingress", "name", "ownerId", "tagsAll"},
		refers: []reference{
			inVPC,
			{path: "ingress.securityGroups", token: aws.SecurityGroup, absent: noGroup, holds: true},
			{path: "egress.securityGroups", token: aws.SecurityGroup, absent: noGroup, holds: true},
		},
		inUse: answer{400, "DependencyViolation", "resource %s has a dependent object"},
		id:    func(place, values) string { return random("sg") },
		outputs: func(s subject) values {
			out := mergeValues(own(s, "security-group/"), values{"egress": []any{}, "ingress": []any{}, "name": text(s.in, "name")})
			for _, key := range []string{"egress", "ingress"} {
				if given, ok := s.in[key]; ok {
					out[key] = given
				}
			}
			return out
		},
		check: func(in values) map[string]string {
			found := map[string]string{}
			if name := text(in, "name"); len(name) > 255 || strings.HasPrefix(name, "sg-") {
				found["name"] = fmt.Sprintf("is %q; want up to 255 characters that do not begin with sg-", name)
			}
			if len(text(in, "description")) > 255 {
				found["description"] = "is longer than 255 characters"
			}
			return found
		},
		allow: func(s subject) *answer {
			for _, other := range s.account.all(aws.SecurityGroup) {
				if other.id != s.id && text(other.in, "vpcId") == text(s.in, "vpcId") && text(other.in, "name") == text(s.in, "name") {
					return &answer{400, "InvalidGroup.Duplicate", fmt.Sprintf("The security group '%s' already exists for VPC '%s'",
						text(s.in, "name"), text(s.in, "vpcId"))}
				}
			}
			return nil
		},
	},
	aws.IngressRule: {
		service: "EC2", create: "AuthorizeSecurityGroupIngress", update: "ModifySecurityGroupRules",
		remove:   "RevokeSecurityGroupIngress",
		required: []string{"ipProtocol", "securityGroupId"},
		replaces: []string{"securityGroupId"},
		// A rule cannot be changed from a network to a group.
		replacesIf: func(olds, news values) []string {
			var paths []string
			for _, key := range sources {
				if (olds[key] == nil) != (news[key] == nil) {
					paths = append(paths, key)
				}
			}
			return paths
		},
		computed: []string{"arn", "securityGroupRuleId", "tagsAll"},
		refers: []reference{
			{path: "securityGroupId", token: aws.SecurityGroup, absent: noGroup},
			{path: "referencedSecurityGroupId", token: aws.SecurityGroup, absent: noGroup, holds: true},
		},
		partOf: &owner{token: aws.SecurityGroup, input: "securityGroupId", missing: noGroup},
		id:     func(place, values) string { return random("sgr") },
		outputs: func(s subject) values {
			out := mergeValues(own(s, "security-group-rule/"), values{"securityGroupRuleId": s.id})
			delete(out, "ownerId")
			return out
		},
		check: func(in values) map[string]string {
			return problems(map[string]string{
				"cidrIpv4": cidrProblem(text(in, "cidrIpv4"), 0, 32),
				"fromPort": between(in, "fromPort", -1, 65535, ""), "toPort": between(in, "toPort", -1, 65535, ""),
			})
		},
		allow: admitsOnce,
	},
}

// admitsOnce says that a rule has one source, and that its group has no other rule like it.
func admitsOnce(s subject) *answer {
	given := slices.DeleteFunc(slices.Clone(sources), func(key string) bool { return text(s.in, key) == "" })
	if len(given) != 1 {
		return &answer{400, "InvalidParameterCombination", fmt.Sprintf("a rule has one of %q, not %q", sources, given)}
	}
	if from, to := s.in["fromPort"], s.in["toPort"]; text(s.in, "ipProtocol") != "-1" && (from == nil || to == nil) {
		return &answer{400, "InvalidParameterValue", "Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange."}
	}
	same := append([]string{"securityGroupId", "ipProtocol", "fromPort", "toPort"}, sources...)
	for _, other := range s.account.all(aws.IngressRule) {
		differs := func(key string) bool { return s.in[key] != other.in[key] }
		if other.id != s.id && !slices.ContainsFunc(same, differs) {
			return &answer{400, "InvalidPermission.Duplicate", fmt.Sprintf("the specified rule \"peer: %s, %s, from port: %v, to "+
				"port: %v, ALLOW\" already exists", text(s.in, given[0]), text(s.in, "ipProtocol"), s.in["fromPort"], s.in["toPort"])}
		}
	}
	return nil
}
