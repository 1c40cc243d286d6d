// Package managed is what the data stores that AWS runs have in common: the network that they are in, who reaches them
// there, and names.
package managed

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"regexp"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/telekom/controlplane-infrastructure/internal/aws"
	"github.com/telekom/controlplane-infrastructure/internal/flow"
)

// Network is where data stores are.
type Network struct {
	// VPCID is the VPC, SubnetIDs those of its subnets that have the addresses of data stores: private ones, in at least
	// two zones.
	VPCID     pulumi.StringInput
	SubnetIDs []pulumi.StringInput
	// ClientCIDRs are the addresses that clients come from. Nobody else is let in.
	ClientCIDRs []string
	// StoreCIDRs are the addresses in the subnets, for network policies; none: they are not known.
	StoreCIDRs []string
}

// Stores are the data stores as the other end of connections.
func (n Network) Stores(name string) flow.Peer {
	return flow.Peer{Name: name, CIDRs: n.StoreCIDRs, Everywhere: len(n.StoreCIDRs) == 0}
}

// Guard is a security group that lets clients in on one port.
type Guard struct {
	ID pulumi.StringInput
	// Rules let clients in.
	Rules []pulumi.Resource
}

// Guard registers a security group. What is behind it accepts connections to the port from the clients' addresses, and
// opens none. Its name is made up from the prefix, so that another one can take its place before it goes.
func (n Network) Guard(a aws.Account, logical, prefix, description string, port int) (Guard, error) {
	group, err := a.Register(aws.SecurityGroup, logical, pulumi.Map{
		"namePrefix":  pulumi.String(prefix + "-"),
		"description": pulumi.String(description),
		"vpcId":       n.VPCID,
		"tags":        pulumi.StringMap{"Name": pulumi.String(prefix)},
	})
	if err != nil {
		return Guard{}, err
	}
	g := Guard{ID: group.ID().ToStringOutput()}
	for _, cidr := range n.ClientCIDRs {
		key := "cidrIpv4"
		if prefix, err := netip.ParsePrefix(cidr); err == nil && prefix.Addr().Is6() {
			key = "cidrIpv6"
		}
		rule, err := a.Register(aws.IngressRule, logical+"-"+strings.NewReplacer("/", "-", ":", "-").Replace(cidr), pulumi.Map{
			"securityGroupId": g.ID, "ipProtocol": pulumi.String("tcp"), key: pulumi.String(cidr),
			"fromPort": pulumi.Int(port), "toPort": pulumi.Int(port), "description": pulumi.String("Clients"),
		})
		if err != nil {
			return Guard{}, err
		}
		g.Rules = append(g.Rules, rule)
	}
	return g, nil
}

var notInNames = regexp.MustCompile(`[^a-z0-9]+`)

// Name is a name that data stores of AWS may have: lower-case letters, digits and single hyphens, at most limit of them.
// One that had to be changed for that is told apart by its hash.
func Name(limit int, parts ...string) string {
	wanted := strings.Join(parts, "-")
	name := strings.Trim(notInNames.ReplaceAllString(strings.ToLower(wanted), "-"), "-")
	if name == wanted && len(name) <= limit {
		return name
	}
	sum := sha256.Sum256([]byte(wanted))
	end := "-" + hex.EncodeToString(sum[:4])
	return strings.Trim(name[:min(len(name), limit-len(end))], "-") + end
}
