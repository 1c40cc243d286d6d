package eks

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/telekom/controlplane-infrastructure/internal/aws"
)

type condition = map[string]map[string][]string

// role is a role to be made.
type role struct {
	// use tells it from the cluster's other roles.
	use, description string
	trust            pulumi.StringInput
	// managed are names of policies that AWS maintains; policy is one of ours, or nil.
	managed []string
	policy  pulumi.StringInput
}

// madeRole is a role. Whoever uses its ARN has to wait for its permissions, by a dependency and not by a value that is
// unknown while they change: that would have previews replace what can have no other role.
type madeRole struct {
	*aws.Resource
	permissions []pulumi.Resource
}

func (b *builder) role(of role) (*madeRole, error) {
	name := pulumi.String(aws.RoleName(b.args.Name+"-"+b.args.Region, of.use))
	made, err := b.account.Register(aws.Role, of.use, pulumi.Map{
		"name": name, "description": pulumi.String(of.description), "assumeRolePolicy": of.trust,
	})
	if err != nil {
		return nil, err
	}
	r := &madeRole{Resource: made, permissions: []pulumi.Resource{made}}
	for _, policy := range of.managed {
		attached, err := b.account.Register(aws.PolicyAttachment, of.use+"-"+policy, pulumi.Map{
			"role": name, "policyArn": pulumi.String(aws.ManagedPolicyARN(b.args.Region, policy)),
		}, dependOn(made))
		if err != nil {
			return nil, err
		}
		r.permissions = append(r.permissions, attached)
	}
	if of.policy == nil {
		return r, nil
	}
	own, err := b.account.Register(aws.RolePolicy, of.use, pulumi.Map{
		"name": pulumi.String(of.use), "role": name, "policy": of.policy,
	}, dependOn(made))
	r.permissions = append(r.permissions, own)
	return r, err
}

// podRole makes a role for the pods of one service account of this cluster.
func (b *builder) podRole(control *controlPlane, namespace, account string, of role) (*madeRole, error) {
	of.trust = document(control.ARN, func(cluster string) (aws.Policy, error) {
		return aws.PodIdentityTrust(cluster, namespace, account), nil
	})
	return b.role(of)
}

// document is a policy that follows from an ARN.
func document(arn pulumi.StringInput, policy func(arn string) (aws.Policy, error)) pulumi.StringOutput {
	return arn.ToStringOutput().ApplyT(func(arn string) (string, error) {
		p, err := policy(arn)
		if err != nil {
			return "", err
		}
		return p.JSON()
	}).(pulumi.StringOutput)
}
