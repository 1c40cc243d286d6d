package eks

import (
	"encoding/json"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/telekom/controlplane-infrastructure/internal/aws"
)

// systemNamespace is where EKS' add-ons run.
const systemNamespace = "kube-system"

// addOn is software that EKS runs in the cluster.
type addOn struct {
	name, version string
	// settings are those of the add-on's own schema.
	settings map[string]any
	// account is the service account that has a role, and managed the policies of AWS' that the role has.
	account string
	managed []string
}

// nodeAddOns are those that every node starts with.
func (b *builder) nodeAddOns(control *controlPlane) ([]pulumi.Resource, error) {
	versions, mode := b.args.AddOns, "standard"
	if versions.StrictNetworkPolicy {
		mode = "strict"
	}
	agent, err := b.addOn(control, addOn{name: "eks-pod-identity-agent", version: versions.PodIdentityAgent}, nil)
	if err != nil {
		return nil, err
	}
	proxy, err := b.addOn(control, addOn{name: "kube-proxy", version: versions.KubeProxy}, nil)
	if err != nil {
		return nil, err
	}
	network, err := b.addOn(control, addOn{
		name: "vpc-cni", version: versions.VPCCNI,
		account: "aws-node", managed: []string{"AmazonEKS_CNI_Policy"},
		settings: map[string]any{
			"enableNetworkPolicy": "true", "env": map[string]string{"NETWORK_POLICY_ENFORCING_MODE": mode},
		},
	}, []pulumi.Resource{agent})
	return []pulumi.Resource{agent, proxy, network}, err
}

// clusterAddOns are those whose pods need nodes: EKS would take them for failed without.
func (b *builder) clusterAddOns(control *controlPlane, nodes []pulumi.Resource) error {
	versions := b.args.AddOns
	for _, a := range []addOn{
		{name: "coredns", version: versions.CoreDNS},
		{
			name: "aws-ebs-csi-driver", version: versions.EBSCSIDriver,
			// Of the policies for the driver, that which knows volumes by tags that all of its versions set.
			account: "ebs-csi-controller-sa", managed: []string{"AmazonEBSCSIDriverPolicyV2"},
		},
		{name: "metrics-server", version: versions.MetricsServer},
	} {
		if _, err := b.addOn(control, a, nodes); err != nil {
			return err
		}
	}
	return nil
}

func (b *builder) addOn(control *controlPlane, of addOn, needs []pulumi.Resource) (*aws.Resource, error) {
	inputs := pulumi.Map{
		"clusterName": pulumi.String(b.args.Name), "addonName": pulumi.String(of.name),
		// What somebody has changed by hand is drift, like everything else that the stack declares.
		"resolveConflictsOnCreate": pulumi.String("OVERWRITE"), "resolveConflictsOnUpdate": pulumi.String("OVERWRITE"),
	}
	needs = append([]pulumi.Resource{control}, needs...)
	if of.version != "" {
		inputs["addonVersion"] = pulumi.String(of.version)
	}
	if len(of.settings) > 0 {
		settings, err := json.Marshal(of.settings)
		if err != nil {
			return nil, fmt.Errorf("settings of %s: %w", of.name, err)
		}
		inputs["configurationValues"] = pulumi.String(settings)
	}
	if of.account != "" {
		r, err := b.podRole(control, systemNamespace, of.account, role{
			use: of.name, description: of.name + " of " + b.args.Name, managed: of.managed,
		})
		if err != nil {
			return nil, err
		}
		inputs["podIdentityAssociations"] = pulumi.Array{pulumi.Map{
			"roleArn": r.ARN, "serviceAccount": pulumi.String(of.account),
		}}
		needs = append(needs, r.permissions...)
	}
	return b.account.Register(aws.AddOn, of.name, inputs, dependOn(needs...))
}
