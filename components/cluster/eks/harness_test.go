package eks

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/internal/aws"
)

const (
	account    = "123456789012"
	region     = "eu-central-1"
	clusterARN = "arn:aws:eks:eu-central-1:123456789012:cluster/controlplane-test"
	issuer     = "https://oidc.eks.eu-central-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF"
)

var authority = base64.StdEncoding.EncodeToString([]byte("a certificate"))

// zonal is a cluster over three zones, with everything that can be asked for.
func zonal() Args {
	return Args{
		Region: region, Name: "controlplane-test", Version: "1.35", ServiceCIDR: "172.20.0.0/16",
		Tags: map[string]string{"owner": "platform"}, Protect: true, PrivateCIDRs: []string{"10.20.0.0/16"}, PublicCIDRs: []string{"192.0.2.0/24"},
		LogRetentionDays: 90, ZonalShift: true, Autoscaling: true,
		Network: Network{
			CIDR: "10.0.0.0/16", NATPerZone: true, FlowLogDays: 30,
			Zones: []Zone{
				{Name: "eu-central-1a", PrivateCIDR: "10.0.0.0/18", PublicCIDR: "10.0.192.0/24"},
				{Name: "eu-central-1b", PrivateCIDR: "10.0.64.0/18", PublicCIDR: "10.0.193.0/24"},
				{Name: "eu-central-1c", PrivateCIDR: "10.0.128.0/18", PublicCIDR: "10.0.194.0/24"},
			},
		},
		Access: []Access{
			{PrincipalARN: "arn:aws:iam::123456789012:role/teams/admins", Policy: "clusterAdmin"},
			{PrincipalARN: "arn:aws:iam::123456789012:role/developers", Policy: "view"},
			{PrincipalARN: "arn:aws:iam::123456789012:role/developers", Policy: "edit", Namespaces: []string{"team-a"}},
		},
		NodeGroups: []NodeGroup{
			{
				Name: "platform", Zones: []string{"eu-central-1a", "eu-central-1b", "eu-central-1c"},
				InstanceTypes: []string{"m7i.xlarge", "m6i.xlarge"}, MinSize: 1, MaxSize: 4, DesiredSize: 1, DiskGiB: 50,
			},
			{
				Name: "batch", Zones: []string{"eu-central-1b"}, InstanceTypes: []string{"m7g.large"}, Spot: true,
				Bottlerocket: true, ARM64: true, MaxSize: 3, DiskGiB: 80,
				Labels: map[string]string{"pool": "batch"}, Taints: []Taint{{Key: "batch", Effect: "NoSchedule"}},
			},
		},
	}
}

// single is the least: two zones, one way out, nothing from outside.
func single() Args {
	a := zonal()
	a.PrivateCIDRs, a.PublicCIDRs, a.Access, a.ZonalShift, a.Autoscaling, a.Protect, a.Tags = nil, nil, nil, false, false, false, nil
	a.Network.NATPerZone, a.Network.FlowLogDays, a.Network.Zones = false, 0, a.Network.Zones[:2]
	a.NodeGroups = a.NodeGroups[:1]
	a.NodeGroups[0].Zones = []string{"eu-central-1a", "eu-central-1b"}
	return a
}

// existing runs in subnets of somebody else's VPC.
func existing() Args {
	a := zonal()
	a.Network = Network{VPCID: "vpc-0123456789abcdef0"}
	for _, letter := range []string{"a", "b", "c"} {
		a.Network.Zones = append(a.Network.Zones, Zone{Name: region + letter, PrivateSubnetID: "subnet-0123456789abcde" + letter})
	}
	a.KMSKeyARN = "arn:aws:kms:eu-central-1:123456789012:key/given"
	return a
}

// registrations are what the component registers, and what the engine would answer.
type registrations struct {
	mu  sync.Mutex
	all map[string]pulumi.MockResourceArgs
	// unknown has the engine answer as in a preview of what does not exist yet.
	unknown bool
	made    *EKS
	outputs map[string]string
}

// key tells registrations apart: names are unique among those of one type.
func key(token, name string) string { return token + " " + name }

func (r *registrations) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, twice := r.all[key(args.TypeToken, args.Name)]; twice {
		return "", nil, fmt.Errorf("%s %s is registered twice", args.TypeToken, args.Name)
	}
	r.all[key(args.TypeToken, args.Name)] = args
	if r.unknown {
		return "", args.Inputs, nil
	}
	outputs := args.Inputs.Copy()
	for name, value := range computed(args) {
		outputs[resource.PropertyKey(name)] = resource.NewPropertyValue(value)
	}
	return args.Name + "-id", outputs, nil
}

func (r *registrations) Call(pulumi.MockCallArgs) (resource.PropertyMap, error) { return nil, nil }

// computed is what AWS adds.
func computed(args pulumi.MockResourceArgs) map[string]any {
	type object = map[string]any
	switch args.TypeToken {
	case aws.EKSCluster:
		return object{
			"arn": clusterARN, "endpoint": "https://0123456789ABCDEF.gr7.eu-central-1.eks.amazonaws.com",
			"certificateAuthority": object{"data": authority},
			"identities":           []any{object{"oidcs": []any{object{"issuer": issuer}}}},
			"vpcConfig":            object{"clusterSecurityGroupId": "sg-0123456789abcdef0"},
		}
	case aws.LaunchTemplate:
		return object{"latestVersion": 3}
	case aws.LogGroup:
		return object{"arn": "arn:aws:logs:eu-central-1:" + account + ":log-group:" + args.Inputs["name"].StringValue()}
	case aws.VPC:
		return object{"arn": "arn:aws:ec2:eu-central-1:" + account + ":vpc/" + args.Name}
	case aws.Key:
		return object{"arn": "arn:aws:kms:eu-central-1:" + account + ":key/" + args.Name}
	case aws.OIDCProvider:
		return object{"arn": "arn:aws:iam::" + account + ":oidc-provider/" + strings.TrimPrefix(issuer, "https://")}
	case aws.Role:
		return object{"arn": "arn:aws:iam::" + account + ":role/" + args.Inputs["name"].StringValue()}
	}
	return nil
}

func run(t *testing.T, args Args, options ...pulumi.RunOption) *registrations {
	t.Helper()
	r := &registrations{all: map[string]pulumi.MockResourceArgs{}, outputs: map[string]string{}}
	r.run(t, args, options...)
	return r
}

func (r *registrations) run(t *testing.T, args Args, options ...pulumi.RunOption) {
	t.Helper()
	options = append([]pulumi.RunOption{pulumi.WithMocks("controlplane", "test", r)}, options...)
	require.NoError(t, pulumi.RunErr(func(ctx *pulumi.Context) (err error) {
		if args.AWS, err = aws.NewProvider(ctx, "aws", aws.ProviderArgs{Region: args.Region}); err != nil {
			return err
		}
		if r.made, err = New(ctx, "eks", args); err != nil {
			return err
		}
		for name, output := range map[string]pulumi.StringOutput{
			"kubeconfig": r.made.Kubeconfig, "issuer": r.made.OIDCIssuer, "oidcProvider": r.made.OIDCProviderARN,
			"vpc": r.made.VPCID, "securityGroup": r.made.SecurityGroupID,
		} {
			// The run does not wait for values that were known from the start, unless one that it waits for is with them.
			pulumi.All(output, r.made.OIDCProviderARN).ApplyT(func(values []any) string {
				r.mu.Lock()
				defer r.mu.Unlock()
				r.outputs[name] = values[0].(string)
				return name
			})
		}
		return nil
	}, options...))
}

// get returns a registration.
func (r *registrations) get(t *testing.T, token, name string) pulumi.MockResourceArgs {
	t.Helper()
	require.Contains(t, r.all, key(token, name))
	return r.all[key(token, name)]
}

// inputs returns the inputs of a registration as plain values.
func (r *registrations) inputs(t *testing.T, token, name string) map[string]any {
	t.Helper()
	return r.get(t, token, name).Inputs.Mappable()
}

// names are all names of a type, in order.
func (r *registrations) names(token string) (names []string) {
	for _, args := range r.all {
		if args.TypeToken == token {
			names = append(names, args.Name)
		}
	}
	slices.Sort(names)
	return names
}

// after says whether a resource is made after another one, and so goes before it.
func (r *registrations) after(token, name, otherToken, other string) bool {
	return r.reaches(key(token, name), key(otherToken, other), map[string]bool{})
}

func (r *registrations) reaches(from, to string, seen map[string]bool) bool {
	if from == to {
		return true
	}
	if seen[from] {
		return false
	}
	seen[from] = true
	for _, urn := range r.all[from].RegisterRPC.GetDependencies() {
		parsed := resource.URN(urn)
		if r.reaches(key(string(parsed.Type()), parsed.Name()), to, seen) {
			return true
		}
	}
	return false
}
