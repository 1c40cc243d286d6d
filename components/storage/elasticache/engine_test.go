package elasticache

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/optpreview"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/components/storage/managed"
	"github.com/telekom/controlplane-infrastructure/internal/aws"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/plugins"
	simulated "github.com/telekom/controlplane-infrastructure/internal/plugins/aws"
	"github.com/telekom/controlplane-infrastructure/internal/plugins/plugintest"
)

// owner stands for the component.
type owner struct{ pulumi.ResourceState }

// servers registers what the component has in AWS, in a network of its own.
func servers(ctx *pulumi.Context, args Args, password string) error {
	provider, err := aws.NewProvider(ctx, "aws", aws.ProviderArgs{Region: "eu-central-1"})
	if err != nil {
		return err
	}
	parent := &owner{}
	if err := ctx.RegisterComponentResource(Type, "cache", parent); err != nil {
		return err
	}
	account := managed.Account{Ctx: ctx, Provider: provider, Parent: parent, Members: &manifest.Members{}, Tags: args.Tags}
	vpc, err := account.Register(aws.VPC, "network", pulumi.Map{"cidrBlock": pulumi.String("10.0.0.0/16")})
	if err != nil {
		return err
	}
	args.Network.VPCID = vpc.ID().ToStringOutput()
	for zone, cidr := range map[string]string{"a": "10.0.0.0/24", "b": "10.0.1.0/24"} {
		subnet, err := account.Register(aws.Subnet, "subnet-"+zone, pulumi.Map{
			"vpcId": vpc.ID(), "availabilityZone": pulumi.String("eu-central-1" + zone), "cidrBlock": pulumi.String(cidr),
		})
		if err != nil {
			return err
		}
		args.Network.SubnetIDs = append(args.Network.SubnetIDs, subnet.ID().ToStringOutput())
	}
	b := &builder{args: args, name: "cache", account: account}
	made, err := b.servers(pulumi.ToSecret(pulumi.String(password)).(pulumi.StringOutput))
	if err == nil {
		ctx.Export("host", made.PrimaryEndpoint)
	}
	return err
}

// No change of size, version, password or policy makes a new cache.
func TestChangesKeepTheServers(t *testing.T) {
	t.Parallel()
	args := Args{
		Network: managed.Network{ClientCIDRs: []string{"10.0.0.0/17"}}, Name: "controlplane-prod", EngineVersion: "7.2",
		NodeType: "cache.t4g.small", Nodes: 2, EvictionPolicy: "allkeys-lru", MaintenanceWindow: "sun:03:30-sun:04:30",
	}
	args.Protect = true
	password := strings.Repeat("a", 32)
	host, err := plugins.Serve(t.Context(), plugins.Options{AWS: &simulated.Options{StateFile: filepath.Join(t.TempDir(), "aws.json")}})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, host.Close()) })
	stack, _ := plugintest.Stack(t, "servers", map[string]string{plugins.EnvKey: host.Env()}, func(ctx *pulumi.Context) error {
		return servers(ctx, args, password)
	})
	up, err := stack.Up(t.Context())
	require.NoError(t, err)
	assert.Contains(t, up.Outputs["host"].Value, "controlplane-prod.")
	_, err = stack.Preview(t.Context(), optpreview.ExpectNoChanges())
	require.NoError(t, err)

	args.EngineVersion, args.NodeType, args.Nodes, args.EvictionPolicy = "8.1", "cache.m7g.large", 3, "noeviction"
	args.SnapshotRetentionDays, args.Tags = 3, map[string]string{"owner": "platform"}
	password = strings.Repeat("b", 32)
	up, err = stack.Up(t.Context())
	require.NoError(t, err)
	changes := *up.Summary.ResourceChanges
	assert.Equal(t, 1, changes["replace"], "only the group of parameters, which belongs to a version: %v", changes)
	assert.Zero(t, changes["create"]+changes["delete"], "%v", changes)
}
