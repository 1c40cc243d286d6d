package aws_test

import (
	"encoding/json"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/internal/aws"
	"github.com/telekom/controlplane-infrastructure/internal/aws/awstest"
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
