package eks

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/telekom/controlplane-infrastructure/internal/aws"
)

// flowLogs records all connections of the VPC, where asked for.
func (b *builder) flowLogs(vpc *aws.Resource) error {
	days := b.args.Network.FlowLogDays
	if days == 0 {
		return nil
	}
	group, err := b.account.Register(aws.LogGroup, "flow-logs", pulumi.Map{
		"name":            pulumi.String("/aws/vpc/" + b.args.Name + "/flow-logs"),
		"retentionInDays": pulumi.Int(days),
	})
	if err != nil {
		return err
	}
	writer, err := b.role(role{
		use: "flow-logs", description: "Writes the flow logs of the VPC of " + b.args.Name,
		trust: document(vpc.ARN, func(vpc string) (aws.Policy, error) {
			account, err := aws.AccountOf(vpc)
			return aws.ServiceTrust(aws.ServicePrincipal("vpc-flow-logs", b.args.Region), condition{
				"ArnLike": {"aws:SourceArn": {b.arn("ec2", account, "vpc-flow-log/*")}},
			}), err
		}),
		policy: document(group.ARN, func(group string) (aws.Policy, error) {
			return aws.Policy{{
				Sid: "Write", Effect: "Allow",
				Action: []string{
					"logs:CreateLogStream", "logs:DescribeLogGroups", "logs:DescribeLogStreams", "logs:PutLogEvents",
				},
				Resource: []string{group + ":*"},
			}}, nil
		}),
	})
	if err != nil {
		return err
	}
	_, err = b.account.Register(aws.FlowLog, "flow-logs", pulumi.Map{
		"vpcId": vpc.ID(), "trafficType": pulumi.String("ALL"), "logDestinationType": pulumi.String("cloud-watch-logs"),
		"logDestination": group.ARN, "iamRoleArn": writer.ARN,
		"tags": b.named("flow-logs"),
	}, dependOn(writer.permissions...))
	return err
}
