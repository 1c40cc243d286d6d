// Package managedtest gives tests of data stores that AWS runs a network to put them in.
package managedtest

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/telekom/controlplane-infrastructure/components/storage/managed"
	"github.com/telekom/controlplane-infrastructure/internal/aws"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
)

// owner stands for a component.
type owner struct {
	pulumi.ResourceState
	manifest.Members
}

// Register registers what stands for a component of a type, and a network, which it says where it is. What the account
// registers belongs to the component.
func Register(
	ctx *pulumi.Context, provider *aws.Provider, token, name string, tags map[string]string, network *managed.Network,
) (aws.Account, error) {
	parent := &owner{}
	account := aws.Account{Ctx: ctx, Provider: provider, Parent: parent, Include: parent.Include, Tags: tags}
	if err := ctx.RegisterComponentResource(token, name, parent); err != nil {
		return account, err
	}
	vpc, err := account.Register(aws.VPC, "network", pulumi.Map{"cidrBlock": pulumi.String("10.0.0.0/16")})
	if err != nil {
		return account, err
	}
	network.VPCID = vpc.ID().ToStringOutput()
	for i, zone := range []string{"a", "b"} {
		subnet, err := account.Register(aws.Subnet, "subnet-"+zone, pulumi.Map{
			"vpcId": vpc.ID(), "availabilityZone": pulumi.String("eu-central-1" + zone),
			"cidrBlock": pulumi.Sprintf("10.0.%d.0/24", i),
		})
		if err != nil {
			return account, err
		}
		network.SubnetIDs = append(network.SubnetIDs, subnet.ID().ToStringOutput())
	}
	return account, nil
}
