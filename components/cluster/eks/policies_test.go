package eks

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/internal/aws"
	"github.com/telekom/controlplane-infrastructure/internal/aws/policytest"
)

// documents are the policies in the graph, by what has them.
func (r *registrations) documents() map[string]string {
	all := map[string]string{}
	for what, args := range r.all {
		for _, property := range []string{"policy", "assumeRolePolicy"} {
			if text, ok := args.Inputs.Mappable()[property].(string); ok {
				all[what+" "+property] = text
			}
		}
	}
	return all
}

// everywhere are the statements that must name all resources, with the reason.
var everywhere = map[string]string{
	aws.RolePolicy + " cluster-autoscaler policy See": "AWS has no resources for these Describe actions: " +
		"https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2autoscaling.html",
}

func TestPoliciesPermitNoMoreThanIsNeeded(t *testing.T) {
	t.Parallel()
	r := run(t, zonal())
	documents := r.documents()
	assert.Len(t, documents, 8, "six roles, and two policies that are not AWS'")
	used := map[string]bool{}
	for what, text := range documents {
		var policy struct{ Statement []aws.Statement }
		require.NoError(t, json.Unmarshal([]byte(text), &policy), what)
		for _, s := range policy.Statement {
			for _, action := range s.Action {
				assert.NotContains(t, action, "*", "%s %s", what, s.Sid)
			}
			for _, resource := range s.Resource {
				if resource == "*" {
					assert.Contains(t, everywhere, what+" "+s.Sid)
					used[what+" "+s.Sid] = true
					for _, action := range s.Action {
						_, verb, _ := strings.Cut(action, ":")
						assert.True(t, strings.HasPrefix(verb, "Describe") || strings.HasPrefix(verb, "Get"), "%s changes something", action)
					}
				}
			}
			assert.NotContains(t, fmt.Sprint(s.Principal), "*", what)
		}
	}
	for what := range everywhere {
		assert.True(t, used[what], "%s is listed for nothing", what)
	}
}

func TestWhoMayAssumeWhichRole(t *testing.T) {
	t.Parallel()
	r := run(t, zonal())
	type context = map[string]string
	pod := func(cluster, namespace, account string) context {
		return context{
			"aws:RequestTag/eks-cluster-arn": cluster, "aws:RequestTag/kubernetes-namespace": namespace,
			"aws:RequestTag/kubernetes-service-account": account,
		}
	}
	const pods = "pods.eks.amazonaws.com"
	type asks struct {
		principal string
		with      context
	}
	for role, c := range map[string]struct {
		right asks
		wrong []asks
	}{
		"control-plane": {
			asks{"eks.amazonaws.com", context{"aws:SourceArn": clusterARN}},
			[]asks{
				{"eks.amazonaws.com", context{"aws:SourceArn": strings.Replace(clusterARN, account, "210987654321", 1)}},
				{"eks.amazonaws.com", context{"aws:SourceArn": clusterARN + "-2"}}, {"eks.amazonaws.com", nil},
				{pods, pod(clusterARN, "kube-system", "aws-node")}, {"ec2.amazonaws.com", context{"aws:SourceArn": clusterARN}},
			},
		},
		"node": {asks{"ec2.amazonaws.com", nil}, []asks{{"eks.amazonaws.com", nil}, {pods, nil}}},
		"vpc-cni": {
			asks{pods, pod(clusterARN, "kube-system", "aws-node")},
			[]asks{
				{pods, pod(clusterARN, "kube-system", "ebs-csi-controller-sa")}, {pods, pod(clusterARN, "default", "aws-node")},
				{pods, pod(clusterARN+"-2", "kube-system", "aws-node")}, {pods, nil}, {"ec2.amazonaws.com", pod(clusterARN, "kube-system", "aws-node")},
			},
		},
		"aws-ebs-csi-driver": {
			asks{pods, pod(clusterARN, "kube-system", "ebs-csi-controller-sa")},
			[]asks{{pods, pod(clusterARN, "kube-system", "ebs-csi-node-sa")}, {pods, nil}},
		},
		"cluster-autoscaler": {
			asks{pods, pod(clusterARN, "cluster-autoscaler", "cluster-autoscaler")},
			[]asks{{pods, pod(clusterARN, "kube-system", "cluster-autoscaler")}, {pods, pod(clusterARN, "cluster-autoscaler", "default")}},
		},
		"flow-logs": {
			asks{"vpc-flow-logs.amazonaws.com", context{"aws:SourceArn": "arn:aws:ec2:eu-central-1:123456789012:vpc-flow-log/fl-1"}},
			[]asks{
				{"vpc-flow-logs.amazonaws.com", context{"aws:SourceArn": "arn:aws:ec2:eu-central-1:210987654321:vpc-flow-log/fl-1"}},
				{"ec2.amazonaws.com", nil},
			},
		},
	} {
		text := r.documents()[key(aws.Role, role)+" assumeRolePolicy"]
		decide := func(a asks) policytest.Decision {
			decision, err := policytest.Decide(text, policytest.Request{
				PrincipalSort: "Service", Principal: a.principal, Action: "sts:AssumeRole", Context: a.with,
			})
			require.NoError(t, err, role)
			return decision
		}
		assert.Equal(t, policytest.Allowed, decide(c.right), role)
		for _, wrong := range c.wrong {
			assert.Equal(t, policytest.Silent, decide(wrong), "%s by %v", role, wrong)
		}
	}
}

func TestTheAutoscalerChangesNothingButThisCluster(t *testing.T) {
	t.Parallel()
	text := run(t, zonal()).documents()[key(aws.RolePolicy, "cluster-autoscaler")+" policy"]
	group := func(account string) string {
		return "arn:aws:autoscaling:eu-central-1:" + account + ":autoScalingGroup:01234567-89ab:autoScalingGroupName/eks-platform-a"
	}
	ours := map[string]string{
		"aws:ResourceTag/k8s.io/cluster-autoscaler/enabled":           "true",
		"aws:ResourceTag/k8s.io/cluster-autoscaler/controlplane-test": "owned",
	}
	theirs := map[string]string{
		"aws:ResourceTag/k8s.io/cluster-autoscaler/enabled": "true", "aws:ResourceTag/k8s.io/cluster-autoscaler/other": "owned",
	}
	const nodeGroup = "arn:aws:eks:eu-central-1:123456789012:nodegroup/%s/platform-a-1/0123"
	for name, c := range map[string]struct {
		request policytest.Request
		want    policytest.Decision
	}{
		"a group of the cluster":  {policytest.Request{Action: "autoscaling:SetDesiredCapacity", Resource: group(account), Context: ours}, policytest.Allowed},
		"an instance of it":       {policytest.Request{Action: "autoscaling:TerminateInstanceInAutoScalingGroup", Resource: group(account), Context: ours}, policytest.Allowed},
		"one of another cluster":  {policytest.Request{Action: "autoscaling:SetDesiredCapacity", Resource: group(account), Context: theirs}, policytest.Silent},
		"one of nobody":           {policytest.Request{Action: "autoscaling:SetDesiredCapacity", Resource: group(account)}, policytest.Silent},
		"one of another account":  {policytest.Request{Action: "autoscaling:SetDesiredCapacity", Resource: group("210987654321"), Context: ours}, policytest.Silent},
		"to delete a group":       {policytest.Request{Action: "autoscaling:DeleteAutoScalingGroup", Resource: group(account), Context: ours}, policytest.Silent},
		"to look at groups":       {policytest.Request{Action: "autoscaling:DescribeAutoScalingGroups", Resource: "*"}, policytest.Allowed},
		"labels of a node group":  {policytest.Request{Action: "eks:DescribeNodegroup", Resource: fmt.Sprintf(nodeGroup, "controlplane-test")}, policytest.Allowed},
		"those of somebody else":  {policytest.Request{Action: "eks:DescribeNodegroup", Resource: fmt.Sprintf(nodeGroup, "other")}, policytest.Silent},
		"to change a node group":  {policytest.Request{Action: "eks:UpdateNodegroupConfig", Resource: fmt.Sprintf(nodeGroup, "controlplane-test")}, policytest.Silent},
		"to terminate by another": {policytest.Request{Action: "ec2:TerminateInstances", Resource: "arn:aws:ec2:eu-central-1:123456789012:instance/i-1", Context: ours}, policytest.Silent},
	} {
		decision, err := policytest.Decide(text, c.request)
		require.NoError(t, err, name)
		assert.Equal(t, c.want, decision, name)
	}
}

func TestFlowLogsAreWrittenNowhereElse(t *testing.T) {
	t.Parallel()
	text := run(t, zonal()).documents()[key(aws.RolePolicy, "flow-logs")+" policy"]
	for group, want := range map[string]policytest.Decision{
		"/aws/vpc/controlplane-test/flow-logs": policytest.Allowed, "/aws/eks/controlplane-test/cluster": policytest.Silent,
	} {
		decision, err := policytest.Decide(text, policytest.Request{
			Action: "logs:PutLogEvents", Resource: "arn:aws:logs:eu-central-1:" + account + ":log-group:" + group + ":log-stream:eni-1",
		})
		require.NoError(t, err)
		assert.Equal(t, want, decision, group)
	}
}
