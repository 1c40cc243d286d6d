package cluster_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/components/cluster"
	"github.com/telekom/controlplane-infrastructure/components/cluster/autoscaler"
	"github.com/telekom/controlplane-infrastructure/components/cluster/eks"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
	"github.com/telekom/controlplane-infrastructure/tests/process"
)

// registrations are what a component registers, in a preview of what does not exist yet: nothing is known of it.
type registrations struct {
	mu  sync.Mutex
	all []pulumi.MockResourceArgs
}

func (r *registrations) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, args)
	return "", args.Inputs, nil
}

func (r *registrations) Call(pulumi.MockCallArgs) (resource.PropertyMap, error) { return nil, nil }

// find is the only resource of a type and a name.
func (r *registrations) find(t *testing.T, token, name string) pulumi.MockResourceArgs {
	t.Helper()
	at := slices.IndexFunc(r.all, func(args pulumi.MockResourceArgs) bool { return args.TypeToken == token && args.Name == name })
	require.GreaterOrEqual(t, at, 0, "%s %s", token, name)
	return r.all[at]
}

// waits tells whether a resource waits for some of a type.
func waits(args pulumi.MockResourceArgs, token string) bool {
	return slices.ContainsFunc(args.RegisterRPC.GetDependencies(), func(urn string) bool {
		return string(resource.URN(urn).Type()) == token
	})
}

func run(t *testing.T, args cluster.Args) (*registrations, error) {
	t.Helper()
	r := &registrations{}
	err := pulumi.RunErr(func(ctx *pulumi.Context) error {
		common, err := process.Common(ctx, workload.Zonal)
		require.NoError(t, err)
		common.Provider = nil // the component makes it
		args.Common = common
		if args.EKS != nil {
			account := &process.Provider{}
			require.NoError(t, ctx.RegisterResource("pulumi:providers:aws", "aws", pulumi.Map{}, account))
			args.EKS.AWS = account
		}
		c, err := cluster.New(ctx, "cluster", args)
		if err != nil {
			return err
		}
		return c.Monitor(ctx)
	}, pulumi.WithMocks("controlplane", "test", r), func(info *pulumi.RunInfo) { info.DryRun = true })
	return r, err
}

// amazon is a cluster over three zones.
func amazon() cluster.Args {
	args := &eks.Args{
		Region: "eu-central-1", Name: "controlplane-test", Version: "1.35", ServiceCIDR: "172.20.0.0/16", Autoscaling: true,
		Network: eks.Network{CIDR: "10.0.0.0/16"},
	}
	group := eks.NodeGroup{Name: "platform", InstanceTypes: []string{"m7i.xlarge"}, MinSize: 1, MaxSize: 3, DesiredSize: 1, DiskGiB: 50}
	for i, zone := range []string{"eu-central-1a", "eu-central-1b", "eu-central-1c"} {
		third := string(rune('0' + i))
		args.Network.Zones = append(args.Network.Zones, eks.Zone{
			Name: zone, PrivateCIDR: "10.0." + third + ".0/24", PublicCIDR: "10.0.10" + third + ".0/24",
		})
		group.Zones = append(group.Zones, zone)
	}
	args.NodeGroups = []eks.NodeGroup{group}
	return cluster.Args{
		Identifier: "test", EKS: args, AutoscalerImage: "registry.k8s.io/autoscaling/cluster-autoscaler:v1.35.1",
	}
}

// What an existing cluster is registered as never changes: everything in the state of a stack hangs on it.
func TestExisting(t *testing.T) {
	t.Parallel()
	r, err := run(t, cluster.Args{Kubeconfig: pulumi.String("/kubeconfig"), Context: "here", Identifier: "test", DeleteUnreachable: true})
	require.NoError(t, err)
	provider := r.find(t, "pulumi:providers:kubernetes", "cluster")
	assert.Equal(t, resource.URN("urn:pulumi:test::controlplane::controlplane:cluster:Cluster::cluster"),
		resource.URN(provider.RegisterRPC.GetParent()))
	assert.Equal(t, map[string]any{
		"enableServerSideApply": true, "enablePatchForce": true, "enableSecretMutable": true, "enableConfigMapMutable": true,
		"deleteUnreachable": true, "clusterIdentifier": "test", "kubeconfig": "/kubeconfig", "context": "here",
	}, provider.Inputs.Mappable())
	for _, args := range r.all {
		assert.False(t, strings.HasPrefix(args.TypeToken, "kubernetes:"), "nothing is created on it: %s", args.Name)
	}
}

// Whatever is installed finds nodes, roles and volumes, and is gone before they are.
func TestEKS(t *testing.T) {
	t.Parallel()
	r, err := run(t, amazon())
	require.NoError(t, err)
	provider := r.find(t, "pulumi:providers:kubernetes", "cluster")
	for _, token := range []string{"aws:eks/nodeGroup:NodeGroup", "aws:eks/addon:Addon", "aws:eks/podIdentityAssociation:PodIdentityAssociation"} {
		assert.True(t, waits(provider, token), "%s: the provider comes after them", token)
	}
	assert.Contains(t, provider.RegisterRPC.GetObject().GetFields(), "kubeconfig", "that of the cluster, which is known when it is there")

	class := r.find(t, "kubernetes:storage.k8s.io/v1:StorageClass", "gp3").Inputs.Mappable()
	assert.Equal(t, map[string]any{"type": "gp3", "encrypted": "true"}, class["parameters"])
	assert.Equal(t, "WaitForFirstConsumer", class["volumeBindingMode"])
	assert.Equal(t, true, class["allowVolumeExpansion"])
	assert.Equal(t, map[string]any{"storageclass.kubernetes.io/is-default-class": "true"}, class["metadata"].(map[string]any)["annotations"])

	pods := r.find(t, "kubernetes:apps/v1:Deployment", "cluster-autoscaler/cluster-autoscaler")
	assert.Contains(t, pods.Provider, "pulumi:providers:kubernetes::cluster")
	monitor := r.find(t, "kubernetes:monitoring.coreos.com/v1:PodMonitor", "cluster-autoscaler/cluster-autoscaler")
	assert.Contains(t, monitor.RegisterRPC.GetParent(), autoscaler.Type)
}

// The role of the cluster autoscaler is for the very pods that run.
func TestTheAutoscalerHasItsRole(t *testing.T) {
	t.Parallel()
	r, err := run(t, amazon())
	require.NoError(t, err)
	role := r.find(t, "aws:eks/podIdentityAssociation:PodIdentityAssociation", "cluster-autoscaler").Inputs.Mappable()
	account := r.find(t, "kubernetes:core/v1:ServiceAccount", "cluster-autoscaler/cluster-autoscaler").Inputs.Mappable()
	assert.Equal(t, account["metadata"].(map[string]any)["namespace"], role["namespace"])
	assert.Equal(t, account["metadata"].(map[string]any)["name"], role["serviceAccount"])

	args := amazon()
	args.EKS.Autoscaling = false
	r, err = run(t, args)
	require.NoError(t, err)
	assert.Empty(t, args.Flows())
	for _, made := range r.all {
		assert.NotContains(t, made.Name, "cluster-autoscaler", "%s: nobody has asked for it", made.TypeToken)
	}
}

func TestEitherExistingOrMade(t *testing.T) {
	t.Parallel()
	args := amazon()
	args.Context = "here"
	_, err := run(t, args)
	assert.ErrorContains(t, err, "Kubeconfig and Context are those of an existing cluster")
	args = amazon()
	args.AutoscalerImage = ""
	_, err = run(t, args)
	assert.ErrorContains(t, err, "cluster autoscaler: Image is missing")
}
