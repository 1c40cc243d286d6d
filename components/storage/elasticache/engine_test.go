package elasticache

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/optpreview"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/components/storage/managed"
	"github.com/telekom/controlplane-infrastructure/components/storage/managed/managedtest"
	"github.com/telekom/controlplane-infrastructure/internal/aws"
	"github.com/telekom/controlplane-infrastructure/internal/plugins/aws/accounttest"
)

// servers registers what the component has in AWS, in a network of its own.
func servers(ctx *pulumi.Context, provider *aws.Provider, args Args, password string) error {
	account, err := managedtest.Register(ctx, provider, Type, "cache", args.Tags, &args.Network)
	if err != nil {
		return err
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
	stack := accounttest.New(t, "servers", aws.ProviderArgs{Region: "eu-central-1"}, func(ctx *pulumi.Context, provider *aws.Provider) error {
		return servers(ctx, provider, args, password)
	}).Stack
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
