package eks

import (
	"slices"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/events"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optdestroy"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/internal/aws"
	"github.com/telekom/controlplane-infrastructure/internal/plugins/aws/accounttest"
)

// cloud is a simulated account, with a stack that has a cluster.
type cloud struct {
	*accounttest.Account
	args Args
}

func newCloud(t *testing.T, args Args) *cloud {
	t.Helper()
	c := &cloud{args: args}
	c.Account = accounttest.New(t, "eks", aws.ProviderArgs{Region: region}, func(ctx *pulumi.Context, provider *aws.Provider) error {
		args := c.args
		args.AWS = provider
		made, err := New(ctx, "eks", args)
		if err != nil {
			return err
		}
		ctx.Export("kubeconfig", made.Kubeconfig)
		return nil
	})
	return c
}

// left are the types of what is in the account.
func (c *cloud) left() (types []string) {
	for token, all := range c.Resources() {
		if len(all) > 0 {
			types = append(types, token)
		}
	}
	return types
}

// collect gathers the steps of an operation in order, as operation, type and name.
func collect(steps *[]string) (chan<- events.EngineEvent, func()) {
	stream, done := make(chan events.EngineEvent), make(chan struct{})
	go func() {
		defer close(done)
		for e := range stream {
			if e.ResourcePreEvent == nil || e.ResourcePreEvent.Metadata.Op == apitype.OpSame {
				continue
			}
			step := e.ResourcePreEvent.Metadata
			*steps = append(*steps, string(step.Op)+" "+step.Type+" "+resource.URN(step.URN).Name())
		}
	}()
	return stream, func() { <-done }
}

func TestLifeOfACluster(t *testing.T) {
	t.Parallel()
	args := zonal()
	args.Protect = false
	c, ctx := newCloud(t, args), t.Context()
	planned, err := c.Stack.Preview(ctx)
	require.NoError(t, err)
	up, err := c.Stack.Up(ctx)
	require.NoError(t, err)
	assert.Equal(t, planned.ChangeSummary[apitype.OpCreate], (*up.Summary.ResourceChanges)["create"], "a preview shows everything")
	assert.Contains(t, up.Outputs["kubeconfig"].Value, "https://")
	_, err = c.Stack.Up(ctx, optup.Refresh(), optup.ExpectNoChanges())
	require.NoError(t, err)

	change := func(edit func(*Args)) (steps []string) {
		edit(&c.args)
		stream, wait := collect(&steps)
		_, err := c.Stack.Up(ctx, optup.EventStreams(stream))
		require.NoError(t, err)
		wait()
		return steps
	}
	t.Run("nothing is replaced by what changes in a cluster's life", func(t *testing.T) {
		steps := change(func(a *Args) {
			a.Version, a.AddOns.CoreDNS = "1.36", "v1.13.0-eksbuild.1"
			a.NodeGroups[0].DiskGiB, a.NodeGroups[0].MaxSize = 100, 6
			a.NodeGroups[0].Labels = map[string]string{"pool": "platform"}
			a.Tags, a.PublicCIDRs = map[string]string{"owner": "somebody else"}, []string{"198.51.100.0/24"}
			a.Access = a.Access[:2]
			a.Network.Zones = append(a.Network.Zones, Zone{
				Name: "eu-central-1d", PrivateCIDR: "10.0.208.0/20", PublicCIDR: "10.0.195.0/24",
			})
			a.NodeGroups[0].Zones = append(a.NodeGroups[0].Zones, "eu-central-1d")
		})
		assert.Contains(t, steps, "create aws:eks/nodeGroup:NodeGroup platform-eu-central-1d")
		assert.Len(t, c.Inputs(aws.EKSCluster, c.args.Name)["vpcConfig"].(map[string]any)["subnetIds"], 3,
			"AWS has control planes in no zones but those that they were made in")
		assert.Contains(t, steps, "update aws:eks/cluster:Cluster cluster")
		assert.Contains(t, steps, "update aws:eks/nodeGroup:NodeGroup platform-eu-central-1a")
		for _, step := range steps {
			assert.NotContains(t, step, "replace")
			if step != "delete "+aws.AccessPolicyAssociation+" access-123456789012-role-developers-edit" {
				assert.NotContains(t, step, "delete")
			}
		}
	})
	t.Run("other instance types have other nodes, before the old ones go", func(t *testing.T) {
		steps := change(func(a *Args) { a.NodeGroups[0].InstanceTypes = []string{"m8i.xlarge"} })
		created := slices.Index(steps, "create-replacement "+aws.NodeGroup+" platform-eu-central-1a")
		deleted := slices.Index(steps, "delete-replaced "+aws.NodeGroup+" platform-eu-central-1a")
		assert.True(t, 0 <= created && created < deleted, steps)
	})
	t.Run("it goes as AWS lets it go", func(t *testing.T) {
		var steps []string
		stream, wait := collect(&steps)
		_, err := c.Stack.Destroy(ctx, optdestroy.EventStreams(stream))
		require.NoError(t, err)
		wait()
		assert.Empty(t, c.left())
		at := func(token, name string) int { return slices.Index(steps, "delete "+token+" "+name) }
		order := []int{
			at(aws.AddOn, "coredns"), at(aws.NodeGroup, "platform-eu-central-1a"), at(aws.AddOn, "vpc-cni"),
			at(aws.EKSCluster, "cluster"), at(aws.VPC, "vpc"),
		}
		assert.True(t, slices.IsSorted(order) && order[0] >= 0, "%v of %v", order, steps)
	})
}
