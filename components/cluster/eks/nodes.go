package eks

import (
	"slices"
	"strconv"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/telekom/controlplane-infrastructure/internal/aws"
)

// launchTemplate is a registered launch template.
type launchTemplate struct {
	pulumi.CustomResourceState
	LatestVersion pulumi.IntOutput `pulumi:"latestVersion"`
}

// nodeGroups makes a group per zone: volumes stay in their zone, and so must the nodes that an autoscaler adds for them.
func (b *builder) nodeGroups(control *controlPlane, net *network, before []pulumi.Resource) ([]pulumi.Resource, error) {
	nodes, err := b.nodeRole()
	if err != nil {
		return nil, err
	}
	needs := slices.Concat([]pulumi.Resource{control}, before, net.ways, nodes.permissions)
	var made []pulumi.Resource
	for _, group := range b.args.NodeGroups {
		template, err := b.template(group)
		if err != nil {
			return nil, err
		}
		for _, zone := range group.Zones {
			inputs := b.groupInputs(group, zone, net, nodes, template)
			opts := append(b.groupOptions(), dependOn(needs...))
			registered, err := b.account.Register(aws.NodeGroup, group.Name+"-"+zone, inputs, opts...)
			if err != nil {
				return nil, err
			}
			made = append(made, registered)
		}
	}
	return made, nil
}

// groupOptions leave it to the autoscaler how many nodes there are. A group that has to be replaced goes when the nodes of
// the new one are ready.
func (b *builder) groupOptions() []pulumi.ResourceOption {
	if !b.args.Autoscaling {
		return nil
	}
	return []pulumi.ResourceOption{pulumi.IgnoreChanges([]string{"scalingConfig.desiredSize"})}
}

func (b *builder) groupInputs(
	group NodeGroup, zone string, net *network, nodes *madeRole, template *launchTemplate,
) pulumi.Map {
	capacity := "ON_DEMAND"
	if group.Spot {
		capacity = "SPOT"
	}
	inputs := pulumi.Map{
		"clusterName":         pulumi.String(b.args.Name),
		"nodeGroupNamePrefix": pulumi.String(b.args.groupPrefix(group, zone)),
		"nodeRoleArn":         nodes.ARN,
		"subnetIds":           pulumi.StringArray{net.subnets[zone]},
		// Nodes follow the control plane, after it.
		"version":       pulumi.String(b.args.Version),
		"amiType":       pulumi.String(group.image()),
		"capacityType":  pulumi.String(capacity),
		"instanceTypes": pulumi.ToStringArray(group.InstanceTypes),
		"scalingConfig": pulumi.Map{
			"minSize": pulumi.Int(group.MinSize), "maxSize": pulumi.Int(group.MaxSize), "desiredSize": pulumi.Int(group.DesiredSize),
		},
		"updateConfig": pulumi.Map{"maxUnavailable": pulumi.Int(1)},
		"launchTemplate": pulumi.Map{
			"id": template.ID(), "version": template.LatestVersion.ApplyT(strconv.Itoa),
		},
	}
	if len(group.Labels) > 0 {
		inputs["labels"] = pulumi.ToStringMap(group.Labels)
	}
	if len(group.Taints) > 0 {
		inputs["taints"] = taints(group.Taints)
	}
	return inputs
}

func taints(given []Taint) pulumi.Array {
	var all pulumi.Array
	for _, t := range given {
		taint := pulumi.Map{"key": pulumi.String(t.Key), "effect": pulumi.String(taintEffects[t.Effect])}
		if t.Value != "" {
			taint["value"] = pulumi.String(t.Value)
		}
		all = append(all, taint)
	}
	return all
}

// groupPrefix begins the name of a group; AWS' plugin makes up the rest, so that a group can be replaced by another one
// while it is there.
func (a Args) groupPrefix(group NodeGroup, zone string) string {
	return group.Name + "-" + strings.TrimPrefix(strings.TrimPrefix(zone, a.Region), "-") + "-"
}

// image is EKS' name of the operating system.
func (g NodeGroup) image() string {
	switch {
	case g.Bottlerocket && g.ARM64:
		return "BOTTLEROCKET_ARM_64"
	case g.Bottlerocket:
		return "BOTTLEROCKET_x86_64"
	case g.ARM64:
		return "AL2023_ARM_64_STANDARD"
	}
	return "AL2023_x86_64_STANDARD"
}

// nodeRole is what nodes join with: they look at themselves and pull images. EKS refuses groups whose role has less than
// the first policy. Pods have roles of their own, that of the network included.
func (b *builder) nodeRole() (*madeRole, error) {
	trust, err := aws.ServiceTrust(aws.ServicePrincipal("ec2", b.args.Region), nil).JSON()
	if err != nil {
		return nil, err
	}
	return b.role(role{
		use: "node", description: "Nodes of " + b.args.Name, trust: pulumi.String(trust),
		managed: []string{"AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly"},
	})
}

// template says how instances are made: with encrypted volumes, no key to log in with, and credentials that pods cannot
// ask for, since their requests would take one hop more. A change makes a new version of it, and the groups take up that
// one node by node.
func (b *builder) template(group NodeGroup) (*launchTemplate, error) {
	tags := b.account.Tagged(b.named(group.Name))
	var specifications pulumi.Array
	for _, sort := range []string{"instance", "volume", "network-interface"} {
		specifications = append(specifications, pulumi.Map{"resourceType": pulumi.String(sort), "tags": tags})
	}
	made := &launchTemplate{}
	return made, b.account.RegisterInto(aws.LaunchTemplate, group.Name, pulumi.Map{
		"name":                 pulumi.String(b.args.Name + "-" + group.Name),
		"description":          pulumi.String("Nodes of " + b.args.Name),
		"updateDefaultVersion": pulumi.Bool(true),
		"metadataOptions": pulumi.Map{
			"httpEndpoint": pulumi.String("enabled"), "httpTokens": pulumi.String("required"),
			"httpPutResponseHopLimit": pulumi.Int(1),
		},
		"blockDeviceMappings": group.volumes(),
		"tagSpecifications":   specifications,
	}, made)
}

// volumes are those of a node. Bottlerocket has one for itself, of a size that its image knows, and one for the rest.
// They are encrypted with the account's default key for volumes, which needs no permission of anybody.
func (g NodeGroup) volumes() pulumi.Array {
	volume := func(device string, gib int) pulumi.Map {
		ebs := pulumi.Map{
			"encrypted": pulumi.String("true"), "volumeType": pulumi.String("gp3"), "deleteOnTermination": pulumi.String("true"),
		}
		if gib > 0 {
			ebs["volumeSize"] = pulumi.Int(gib)
		}
		return pulumi.Map{"deviceName": pulumi.String(device), "ebs": ebs}
	}
	if g.Bottlerocket {
		return pulumi.Array{volume("/dev/xvda", 0), volume("/dev/xvdb", g.DiskGiB)}
	}
	return pulumi.Array{volume("/dev/xvda", g.DiskGiB)}
}
