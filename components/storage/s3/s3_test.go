package s3

import (
	"strings"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/internal/aws"
	"github.com/telekom/controlplane-infrastructure/internal/aws/awstest"
)

const (
	issuer       = "oidc.eks.eu-central-1.amazonaws.com/id/0123456789ABCDEF"
	oidcProvider = "arn:aws:iam::123456789012:oidc-provider/" + issuer
	fileManager  = "system:serviceaccount:controlplane-system:file-manager"
	database     = "system:serviceaccount:postgresql:platform"
)

func everything() Args {
	return Args{
		Region: "eu-central-1", OIDCProviderARN: pulumi.String(oidcProvider), Protect: true, Bucket: "controlplane-files-test",
		AccessLogBucket: "logs-test", NoncurrentVersionDays: 30, AbortUploadDays: 7,
		BackupBucket: "controlplane-backups-test", BackupSubjects: []string{database}, FileManagerSubject: fileManager,
	}
}

// registrations are what the component registers, and what the engine would answer.
type registrations struct {
	mu   sync.Mutex
	all  map[string]pulumi.MockResourceArgs
	made *S3
}

func (r *registrations) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all[args.Name] = args
	outputs := args.Inputs.Copy()
	outputs["arn"] = resource.NewProperty("arn:aws:test:::" + args.Name)
	return args.Name + "-id", outputs, nil
}

func (r *registrations) Call(pulumi.MockCallArgs) (resource.PropertyMap, error) { return nil, nil }

func run(t *testing.T, args Args) *registrations {
	t.Helper()
	r := &registrations{all: map[string]pulumi.MockResourceArgs{}}
	require.NoError(t, pulumi.RunErr(func(ctx *pulumi.Context) (err error) {
		if args.AWS, err = aws.NewProvider(ctx, "aws", aws.ProviderArgs{Region: args.Region}); err != nil {
			return err
		}
		r.made, err = New(ctx, "s3", args)
		return err
	}, pulumi.WithMocks("controlplane", "test", r)))
	return r
}

// input reads a text of a resource.
func (r *registrations) input(t *testing.T, name, key string) string {
	t.Helper()
	require.Contains(t, r.all, name)
	v := r.all[name].Inputs[resource.PropertyKey(key)]
	require.True(t, v.IsString(), "%s of %s", key, name)
	return v.StringValue()
}

func TestInputsAreThoseOfTheSDK(t *testing.T) {
	t.Parallel()
	r := run(t, everything())
	for name, registered := range r.all {
		if strings.HasPrefix(registered.TypeToken, "aws:") {
			assert.Empty(t, awstest.Problems(registered.TypeToken, registered.Inputs), name)
			assert.Contains(t, registered.Provider, "pulumi:providers:aws::aws", name)
			assert.Contains(t, registered.RegisterRPC.GetParent(), Type, name)
		}
	}
}

func TestEachBucketIsGuarded(t *testing.T) {
	t.Parallel()
	r := run(t, everything())
	for logical, name := range map[string]string{"files": "controlplane-files-test", "backups": "controlplane-backups-test"} {
		of := func(what string) map[string]any {
			require.Contains(t, r.all, logical+what)
			inputs := r.all[logical+what].Inputs.Mappable()
			assert.Equal(t, name, inputs["bucket"])
			delete(inputs, "bucket")
			return inputs
		}
		assert.Equal(t, map[string]any{"forceDestroy": false}, of(""))
		assert.Equal(t, map[string]any{
			"blockPublicAcls": true, "blockPublicPolicy": true, "ignorePublicAcls": true, "restrictPublicBuckets": true,
		}, of("-public-access"))
		assert.Equal(t, map[string]any{"rule": map[string]any{"objectOwnership": "BucketOwnerEnforced"}}, of("-ownership"))
		assert.Equal(t, map[string]any{"versioningConfiguration": map[string]any{"status": "Enabled"}}, of("-versions"))
		assert.Equal(t, map[string]any{"rules": []any{map[string]any{
			"applyServerSideEncryptionByDefault": map[string]any{"sseAlgorithm": "aws:kms", "kmsMasterKeyId": "arn:aws:test:::key"},
			"bucketKeyEnabled":                   true,
		}}}, of("-encryption"))
		assert.Equal(t, map[string]any{"targetBucket": "logs-test", "targetPrefix": name + "/"}, of("-access-log"))
		assert.True(t, r.all[logical].RegisterRPC.GetProtect())
	}
	assert.True(t, r.all["key"].RegisterRPC.GetProtect())
	assert.Equal(t, true, r.all["key"].Inputs.Mappable()["enableKeyRotation"])
}

func TestWhatConsumersSee(t *testing.T) {
	t.Parallel()
	args := everything()
	r := run(t, args)
	assert.Equal(t, "s3.eu-central-1.amazonaws.com", r.made.Endpoint, "the File Manager wants no scheme here")
	assert.Equal(t, "https://sts.eu-central-1.amazonaws.com", r.made.STSEndpoint, "and one here")
	assert.Equal(t, []string{"eu-central-1", args.Bucket}, []string{r.made.Region, r.made.Bucket})
	require.NotNil(t, r.made.Backups)
	assert.Equal(t, args.BackupBucket, r.made.Backups.Bucket)
	assert.Nil(t, r.made.Backups.EndpointURL)
	assert.Nil(t, r.made.Backups.Keys, "a role instead of keys")

	args.Region = "cn-north-1"
	china := run(t, args)
	assert.Equal(t, "s3.cn-north-1.amazonaws.com.cn", china.made.Endpoint)
	assert.Contains(t, china.input(t, "files-policy", "policy"), `"arn:aws-cn:s3:::controlplane-files-test/*"`)
}

func TestWhatIsNotAskedForIsNotThere(t *testing.T) {
	t.Parallel()
	r := run(t, Args{
		Region: "eu-central-1", OIDCProviderARN: pulumi.String(oidcProvider), Bucket: "files", FileManagerSubject: fileManager,
		KMSKeyARN: "arn:aws:kms:eu-central-1:123456789012:key/given",
	})
	for name, registered := range r.all {
		assert.NotContains(t, []string{aws.Key, aws.KeyAlias, aws.BucketLogging, aws.BucketLifecycle}, registered.TypeToken)
		assert.NotContains(t, name, "backup")
		assert.False(t, registered.RegisterRPC.GetProtect(), name)
	}
	assert.Nil(t, r.made.Backups)
	assert.Contains(t, r.input(t, "file-manager-permissions", "policy"), "key/given")
	rules := r.all["files-encryption"].Inputs.Mappable()["rules"].([]any)
	assert.Contains(t, rules[0].(map[string]any)["applyServerSideEncryptionByDefault"],
		"kmsMasterKeyId", "arn:aws:kms:eu-central-1:123456789012:key/given")
}

func TestAnExistingBucketIsAdoptedAndLeftBehind(t *testing.T) {
	t.Parallel()
	args := everything()
	args.Existing, args.Protect = true, false
	r := run(t, args)
	bucket := r.all["files"].RegisterRPC
	assert.Equal(t, args.Bucket, bucket.GetImportId())
	assert.False(t, bucket.GetProtect(), "it stays anyway, and the stack can go")
	assert.Contains(t, bucket.GetIgnoreChanges(), "tags")
	for _, name := range []string{"files", "files-policy", "files-public-access", "files-encryption", "key"} {
		assert.True(t, r.all[name].RegisterRPC.GetRetainOnDelete(), name)
	}
	assert.Empty(t, r.all["backups"].RegisterRPC.GetImportId(), "the other one is new")
	assert.False(t, r.all["backups"].RegisterRPC.GetRetainOnDelete())
	assert.False(t, run(t, everything()).all["key"].RegisterRPC.GetRetainOnDelete(), "it goes with buckets that go")
}

func TestAKeyIsFoundByItsBucket(t *testing.T) {
	t.Parallel()
	args := everything()
	args.Bucket = "files.example.com"
	assert.Equal(t, "alias/files-example-com", run(t, args).input(t, "key-alias", "name"))
}
