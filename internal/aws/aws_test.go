package aws_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/internal/aws"
	"github.com/telekom/controlplane-infrastructure/internal/aws/awstest"
	"github.com/telekom/controlplane-infrastructure/internal/aws/policytest"
)

// registrations are what a program registers.
type registrations struct {
	mu  sync.Mutex
	all []pulumi.MockResourceArgs
}

func (r *registrations) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, args)
	return args.Name, args.Inputs, nil
}

func (r *registrations) Call(pulumi.MockCallArgs) (resource.PropertyMap, error) { return nil, nil }

func TestProviderIsWhatThePublishedPluginTakes(t *testing.T) {
	t.Parallel()
	var made registrations
	require.NoError(t, pulumi.RunErr(func(ctx *pulumi.Context) error {
		_, err := aws.NewProvider(ctx, "aws", aws.ProviderArgs{
			Region: "eu-central-1", Profile: "platform", AssumeRoleARN: "arn:aws:iam::210987654321:role/deployer",
		})
		return err
	}, pulumi.WithMocks("p", "s", &made)))
	require.Len(t, made.all, 1)
	provider := made.all[0]
	assert.Empty(t, awstest.Problems(provider.TypeToken, provider.Inputs))
	assert.Equal(t, aws.PluginVersion, provider.RegisterRPC.GetVersion())
	assert.Equal(t, "eu-central-1", provider.Inputs["region"].StringValue())
}

// types are the tokens of types.go.
func types(t *testing.T) (tokens []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "types.go", nil, 0)
	require.NoError(t, err)
	ast.Inspect(file, func(n ast.Node) bool {
		if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
			text, err := strconv.Unquote(literal.Value)
			require.NoError(t, err)
			tokens = append(tokens, text)
		}
		return true
	})
	return tokens
}

func TestTagsAreForTypesThatTakeThem(t *testing.T) {
	t.Parallel()
	all := types(t)
	require.Contains(t, all, aws.Bucket)
	for _, token := range all {
		assert.NotEmpty(t, awstest.Inputs(token), token)
		assert.Equal(t, awstest.HasInput(token, "tags"), aws.Taggable(token), token)
	}
}

// owner stands for a component.
type owner struct{ pulumi.ResourceState }

func TestWhatAnAccountRegisters(t *testing.T) {
	t.Parallel()
	var made registrations
	included := 0
	require.NoError(t, pulumi.RunErr(func(ctx *pulumi.Context) error {
		provider, err := aws.NewProvider(ctx, "aws", aws.ProviderArgs{Region: "eu-central-1"})
		require.NoError(t, err)
		parent := &owner{}
		require.NoError(t, ctx.RegisterComponentResource("test:index:Owner", "owner", parent))
		account := aws.Account{
			Ctx: ctx, Provider: provider, Parent: parent, Tags: map[string]string{"Name": "all", "owner": "platform"},
			Include: func(all ...pulumi.Resource) { included += len(all) },
		}
		_, err = account.Register(aws.VPC, "vpc", pulumi.Map{"tags": pulumi.StringMap{"Name": pulumi.String("its own")}})
		require.NoError(t, err)
		_, err = account.Key(aws.KeyNames{Key: "key", KeyAlias: "alias", Alias: "files"}, "Files", pulumi.Protect(true))
		return err
	}, pulumi.WithMocks("p", "s", &made)))
	assert.Equal(t, 3, included)
	inputs := map[string]map[string]any{}
	for _, r := range made.all {
		if inputs[r.Name] = r.Inputs.Mappable(); strings.HasPrefix(r.TypeToken, "aws:") {
			assert.Contains(t, r.Provider, "pulumi:providers:aws::aws", r.Name)
			assert.Contains(t, r.RegisterRPC.GetParent(), "test:index:Owner", r.Name)
			assert.Equal(t, r.Name == "key", r.RegisterRPC.GetProtect(), r.Name)
		}
	}
	assert.Equal(t, map[string]any{"Name": "its own", "owner": "platform"}, inputs["vpc"]["tags"])
	assert.Equal(t, map[string]any{"Name": "all", "owner": "platform"}, inputs["key"]["tags"])
	assert.Equal(t, map[string]any{"name": "alias/files", "targetKeyId": "key"}, inputs["alias"], "an alias takes no tags")
}

func TestPartitionsHaveTheirOwnNames(t *testing.T) {
	t.Parallel()
	for region, want := range map[string][2]string{
		"eu-central-1":   {"arn:aws:s3:::b", "s3.eu-central-1.amazonaws.com"},
		"cn-north-1":     {"arn:aws-cn:s3:::b", "s3.cn-north-1.amazonaws.com.cn"},
		"us-gov-west-1":  {"arn:aws-us-gov:s3:::b", "s3.us-gov-west-1.amazonaws.com"},
		"eusc-de-east-1": {"arn:aws-eusc:s3:::b", "s3.eusc-de-east-1.amazonaws.eu"},
	} {
		assert.Equal(t, want, [2]string{aws.BucketARN(region, "b"), aws.Endpoint("s3", region)})
	}
}

func TestTrustNeedsAnOIDCProvider(t *testing.T) {
	t.Parallel()
	for _, arn := range []string{"", "https://issuer.example.com", "arn:aws:iam::123456789012:role/r", "arn:aws:iam::123456789012:oidc-provider/"} {
		_, err := aws.WebIdentityTrust(arn, "sts.amazonaws.com", []string{"s"})
		require.ErrorContains(t, err, "must be the ARN of an IAM OIDC provider")
	}
	issuer, err := aws.OIDCIssuer("arn:aws:iam::123456789012:oidc-provider/issuer.example.com/id/1:2")
	require.NoError(t, err)
	assert.Equal(t, "issuer.example.com/id/1:2", issuer)
}

func TestPolicyIsPlainJSON(t *testing.T) {
	t.Parallel()
	text, err := aws.Policy{{Sid: "S", Effect: "Allow", Action: []string{"s3:GetObject"}, Resource: []string{"*"}}}.JSON()
	require.NoError(t, err)
	var document map[string]any
	require.NoError(t, json.Unmarshal([]byte(text), &document))
	assert.Equal(t, map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{
		"Sid": "S", "Effect": "Allow", "Action": []any{"s3:GetObject"}, "Resource": []any{"*"},
	}}}, document)
}

func TestLongNamesOfRolesAreToldApart(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 62)
	one, other := aws.RoleName(long+"1", "file-manager"), aws.RoleName(long+"2", "file-manager")
	assert.Len(t, one, 64)
	assert.NotEqual(t, one, other)
	assert.True(t, strings.HasSuffix(one, "-file-manager"))
	assert.Equal(t, "files-file-manager", aws.RoleName("files", "file-manager"))
}

func TestWhoMayAssumeARole(t *testing.T) {
	t.Parallel()
	const cluster = "arn:aws:eks:eu-central-1:123456789012:cluster/controlplane"
	pod := aws.PodIdentityTrust(cluster, "kube-system", "aws-node")
	tags := func(cluster, namespace, account string) map[string]string {
		return map[string]string{
			"aws:RequestTag/eks-cluster-arn": cluster, "aws:RequestTag/kubernetes-namespace": namespace,
			"aws:RequestTag/kubernetes-service-account": account,
		}
	}
	here := aws.ServiceTrust("eks.amazonaws.com", map[string]map[string][]string{"StringEquals": {"aws:SourceArn": {cluster}}})
	for name, c := range map[string]struct {
		policy    aws.Policy
		principal string
		context   map[string]string
		want      policytest.Decision
	}{
		"a pod":                       {pod, "pods.eks.amazonaws.com", tags(cluster, "kube-system", "aws-node"), policytest.Allowed},
		"one of another account":      {pod, "pods.eks.amazonaws.com", tags(cluster, "kube-system", "default"), policytest.Silent},
		"one of another namespace":    {pod, "pods.eks.amazonaws.com", tags(cluster, "default", "aws-node"), policytest.Silent},
		"one of another cluster":      {pod, "pods.eks.amazonaws.com", tags(cluster+"2", "kube-system", "aws-node"), policytest.Silent},
		"another service":             {pod, "ec2.amazonaws.com", tags(cluster, "kube-system", "aws-node"), policytest.Silent},
		"a service for the cluster":   {here, "eks.amazonaws.com", map[string]string{"aws:SourceArn": cluster}, policytest.Allowed},
		"a service for somebody else": {here, "eks.amazonaws.com", map[string]string{"aws:SourceArn": cluster + "2"}, policytest.Silent},
	} {
		text, err := c.policy.JSON()
		require.NoError(t, err)
		got, err := policytest.Decide(text, policytest.Request{
			PrincipalSort: "Service", Principal: c.principal, Action: "sts:AssumeRole", Context: c.context,
		})
		require.NoError(t, err)
		assert.Equal(t, c.want, got, name)
	}
}

func TestWhatDiffersBetweenPartitions(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "arn:aws-cn:iam::aws:policy/AmazonEKSClusterPolicy", aws.ManagedPolicyARN("cn-north-1", "AmazonEKSClusterPolicy"))
	assert.Equal(t, "ec2.amazonaws.com.cn", aws.ServicePrincipal("ec2", "cn-north-1"))
	assert.Equal(t, "ec2.amazonaws.com", aws.ServicePrincipal("ec2", "eu-central-1"))
	assert.Equal(t, "eks.amazonaws.com", aws.ServicePrincipal("eks", "cn-north-1"))
	account, err := aws.AccountOf("arn:aws:logs:eu-central-1:123456789012:log-group:/aws/eks/a/cluster")
	require.NoError(t, err)
	assert.Equal(t, "123456789012", account)
	_, err = aws.AccountOf("arn:aws:s3:::bucket")
	assert.ErrorContains(t, err, "no ARN with an account")
}
