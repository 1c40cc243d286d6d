package rds

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/optpreview"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/components/storage/managed"
	"github.com/telekom/controlplane-infrastructure/components/storage/postgresql"
	"github.com/telekom/controlplane-infrastructure/internal/aws"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/plugins"
	simulated "github.com/telekom/controlplane-infrastructure/internal/plugins/aws"
	"github.com/telekom/controlplane-infrastructure/internal/plugins/plugintest"
)

// owner stands for the component.
type owner struct{ pulumi.ResourceState }

// instances registers what the component has in AWS, in a network of its own.
func instances(ctx *pulumi.Context, args Args, password string) error {
	provider, err := aws.NewProvider(ctx, "aws", aws.ProviderArgs{Region: "eu-central-1"})
	if err != nil {
		return err
	}
	parent, members := &owner{}, &manifest.Members{}
	if err := ctx.RegisterComponentResource(Type, "rds", parent); err != nil {
		return err
	}
	account := managed.Account{Ctx: ctx, Provider: provider, Parent: parent, Members: members, Tags: args.Tags}
	vpc, err := account.Register(aws.VPC, "network", pulumi.Map{"cidrBlock": pulumi.String("10.0.0.0/16")})
	if err != nil {
		return err
	}
	args.Network.VPCID = vpc.ID().ToStringOutput()
	for _, zone := range []string{"a", "b"} {
		subnet, err := account.Register(aws.Subnet, "subnet-"+zone, pulumi.Map{
			"vpcId": vpc.ID(), "availabilityZone": pulumi.String("eu-central-1" + zone),
			"cidrBlock": pulumi.String(map[string]string{"a": "10.0.0.0/24", "b": "10.0.1.0/24"}[zone]),
		})
		if err != nil {
			return err
		}
		args.Network.SubnetIDs = append(args.Network.SubnetIDs, subnet.ID().ToStringOutput())
	}
	b := &builder{args: args, name: "rds", account: account}
	g, err := b.ground()
	if err != nil {
		return err
	}
	made, err := b.instance(args.Instances[0], g, pulumi.ToSecret(pulumi.String(password)).(pulumi.StringOutput))
	if err == nil {
		ctx.Export("host", made.Address)
	}
	return err
}

// No change of the configuration that is allowed replaces an instance, and the ones that would are refused.
func TestChangesKeepTheInstance(t *testing.T) {
	t.Parallel()
	args := Args{
		Network: managed.Network{ClientCIDRs: []string{"10.0.0.0/17"}}, Name: "controlplane-prod", EngineVersion: "17",
		InstanceClass: "db.m7g.large", StorageGiB: 50, MaxStorageGiB: 200, BackupRetentionDays: 7,
		BackupWindow: "02:00-03:00", MaintenanceWindow: "sun:03:30-sun:04:30",
		Instances: []Instance{{Name: "platform", Databases: []postgresql.Database{{Name: "iris", Owner: "iris"}}}},
	}
	args.Protect = true
	password := strings.Repeat("a", 32)
	host, err := plugins.Serve(t.Context(), plugins.Options{AWS: &simulated.Options{StateFile: filepath.Join(t.TempDir(), "aws.json")}})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, host.Close()) })
	stack, _ := plugintest.Stack(t, "instances", map[string]string{plugins.EnvKey: host.Env()}, func(ctx *pulumi.Context) error {
		return instances(ctx, args, password)
	})
	up, err := stack.Up(t.Context())
	require.NoError(t, err)
	assert.Contains(t, up.Outputs["host"].Value, "controlplane-prod-platform.")
	_, err = stack.Preview(t.Context(), optpreview.ExpectNoChanges())
	require.NoError(t, err)

	before := args
	args.EngineVersion, args.InstanceClass, args.MultiAZ, args.StorageGiB = "18", "db.m7g.xlarge", true, 60
	args.BackupRetentionDays, args.IAMAuthentication, args.Tags = 30, true, map[string]string{"owner": "platform"}
	args.Network.ClientCIDRs = []string{"10.0.0.0/16"}
	args.Instances = []Instance{{
		Name: "platform", Parameters: map[string]string{"max_connections": "300"},
		Databases: append(before.Instances[0].Databases, postgresql.Database{Name: "grafana", Owner: "grafana"}),
	}}
	password = strings.Repeat("b", 32)
	up, err = stack.Up(t.Context())
	require.NoError(t, err)
	changes := *up.Summary.ResourceChanges
	assert.Equal(t, []int{1, 1, 1}, []int{changes["replace"], changes["create"], changes["delete"]},
		"the group of parameters, and the rule that lets clients in, which comes and goes: %v", changes)

	args.KMSKeyARN = "arn:aws:kms:eu-central-1:123456789012:key/another"
	planned, err := stack.Preview(t.Context())
	assert.ErrorContains(t, err, "protect", "another key would lose what is there: %v", planned.ChangeSummary[apitype.OpReplace])
}
