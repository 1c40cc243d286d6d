package eks

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/telekom/controlplane-infrastructure/components/cluster/autoscaler"
	"github.com/telekom/controlplane-infrastructure/internal/aws"
)

// autoscaler makes the cluster autoscaler's role, and gives it to its pods.
func (b *builder) autoscaler(control *controlPlane) error {
	if !b.args.Autoscaling {
		return nil
	}
	r, err := b.podRole(control, autoscaler.Namespace, autoscaler.ServiceAccount, role{
		use: "cluster-autoscaler", description: "Adds nodes to " + b.args.Name + " and takes them away",
		policy: document(control.ARN, b.autoscalerPolicy),
	})
	if err != nil {
		return err
	}
	_, err = b.account.Register(aws.PodIdentityAssociation, "cluster-autoscaler", pulumi.Map{
		"clusterName": pulumi.String(b.args.Name), "namespace": pulumi.String(autoscaler.Namespace),
		"serviceAccount": pulumi.String(autoscaler.ServiceAccount), "roleArn": r.ARN,
	}, dependOn(append(r.permissions, control)...))
	return err
}

// autoscalerPolicy lets the autoscaler see what there is, which AWS permits for everything or not at all, and change the
// size of the groups of this cluster: EKS tags those of its node groups so.
// Source: https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/cloudprovider/aws/README.md
func (b *builder) autoscalerPolicy(clusterARN string) (aws.Policy, error) {
	account, err := aws.AccountOf(clusterARN)
	if err != nil {
		return nil, err
	}
	return aws.Policy{
		{
			Sid: "See", Effect: "Allow",
			Action: []string{
				"autoscaling:DescribeAutoScalingGroups", "autoscaling:DescribeAutoScalingInstances",
				"autoscaling:DescribeLaunchConfigurations", "autoscaling:DescribeScalingActivities",
				"ec2:DescribeImages", "ec2:DescribeInstanceTypes", "ec2:DescribeLaunchTemplateVersions",
				"ec2:GetInstanceTypesFromInstanceRequirements",
			},
			Resource: []string{"*"},
		},
		{
			Sid: "SeeNodeGroups", Effect: "Allow",
			Action:   []string{"eks:DescribeNodegroup"},
			Resource: []string{b.arn("eks", account, "nodegroup/"+b.args.Name+"/*")},
		},
		{
			Sid: "Scale", Effect: "Allow",
			Action:   []string{"autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup"},
			Resource: []string{b.arn("autoscaling", account, "autoScalingGroup:*:autoScalingGroupName/*")},
			Condition: condition{"StringEquals": {
				"aws:ResourceTag/" + autoscaler.EnabledTag:              {"true"},
				"aws:ResourceTag/" + autoscaler.ClusterTag(b.args.Name): {"owned"},
			}},
		},
	}, nil
}
