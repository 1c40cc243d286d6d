package rds

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/optpreview"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/components/storage/managed"
	"github.com/telekom/controlplane-infrastructure/components/storage/managed/managedtest"
	"github.com/telekom/controlplane-infrastructure/components/storage/postgresql"
	"github.com/telekom/controlplane-infrastructure/internal/aws"
	"github.com/telekom/controlplane-infrastructure/internal/plugins/aws/accounttest"
)

// instances registers what the component has in AWS, in a network of its own.
func instances(ctx *pulumi.Context, provider *aws.Provider, args Args, password string) error {
	account, err := managedtest.Register(ctx, provider, Type, "rds", args.Tags, &args.Network)
	if err != nil {
		return err
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
	stack := accounttest.New(t, "instances", aws.ProviderArgs{Region: "eu-central-1"}, func(ctx *pulumi.Context, provider *aws.Provider) error {
		return instances(ctx, provider, args, password)
	}).Stack
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
