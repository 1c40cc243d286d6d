package s3

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/optpreview"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optrefresh"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/internal/aws"
	"github.com/telekom/controlplane-infrastructure/internal/plugins/aws/accounttest"
)

// account is a simulated one, with a stack that has the component.
type account struct {
	*accounttest.Account
	t    *testing.T
	args Args
}

func newAccount(t *testing.T, name string, args Args) *account {
	t.Helper()
	a := &account{t: t, args: args}
	a.Account = accounttest.New(t, name, aws.ProviderArgs{
		Region: args.Region, AssumeRoleARN: "arn:aws:iam::210987654321:role/deployer",
	}, func(ctx *pulumi.Context, provider *aws.Provider) error {
		args := a.args
		args.AWS = provider
		made, err := New(ctx, "s3", args)
		if err != nil {
			return err
		}
		ctx.Export("roleArn", made.RoleARN)
		return nil
	})
	return a
}

func (a *account) unchanged() {
	a.t.Helper()
	_, err := a.Stack.Preview(a.t.Context(), optpreview.ExpectNoChanges())
	require.NoError(a.t, err)
	_, err = a.Stack.Refresh(a.t.Context(), optrefresh.ExpectNoChanges())
	require.NoError(a.t, err)
	_, err = a.Stack.Up(a.t.Context(), optup.ExpectNoChanges())
	require.NoError(a.t, err)
}

func TestLifeOfTheBuckets(t *testing.T) {
	t.Parallel()
	args := everything()
	a := newAccount(t, "life", args)
	ctx := t.Context()

	planned, err := a.Stack.Preview(ctx)
	require.NoError(t, err)
	up, err := a.Stack.Up(ctx)
	require.NoError(t, err)
	assert.Equal(t, planned.ChangeSummary[apitype.OpCreate], (*up.Summary.ResourceChanges)["create"],
		"a preview shows everything")
	assert.Equal(t, "arn:aws:iam::210987654321:role/controlplane-files-test-file-manager", up.Outputs["roleArn"].Value)
	assert.NotNil(t, a.Inputs(aws.RolePolicy, "controlplane-backups-test-backup:objects"))
	a.unchanged()

	t.Run("drift is found and repaired", func(t *testing.T) {
		a.Change(func(r accounttest.Resources) { delete(r[aws.BucketPolicy], args.Bucket) })
		refreshed, err := a.Stack.Refresh(ctx)
		require.NoError(t, err)
		assert.Equal(t, 1, (*refreshed.Summary.ResourceChanges)["delete"])
		repaired, err := a.Stack.Up(ctx)
		require.NoError(t, err)
		assert.Equal(t, 1, (*repaired.Summary.ResourceChanges)["create"])
		assert.Contains(t, a.Inputs(aws.BucketPolicy, args.Bucket)["policy"], "aws:SecureTransport")
	})
	t.Run("a changed setting as well", func(t *testing.T) {
		a.Change(func(r accounttest.Resources) {
			r[aws.BucketPublicAccessBlock][args.Bucket].Inputs["blockPublicPolicy"] = false
		})
		_, err := a.Stack.Up(ctx, optup.Refresh())
		require.NoError(t, err)
		assert.Equal(t, true, a.Inputs(aws.BucketPublicAccessBlock, args.Bucket)["blockPublicPolicy"])
	})
	t.Run("another name would lose the objects", func(t *testing.T) {
		a.args.Bucket = "controlplane-files-renamed"
		_, err := a.Stack.Up(ctx)
		require.ErrorContains(t, err, "protect")
		assert.NotNil(t, a.Inputs(aws.Bucket, args.Bucket))
		assert.Nil(t, a.Inputs(aws.Bucket, "controlplane-files-renamed"))
		a.args.Bucket = args.Bucket
	})
	t.Run("neither is it destroyed by mistake", func(t *testing.T) {
		_, err := a.Stack.Destroy(ctx)
		require.ErrorContains(t, err, "protect")
		assert.NotNil(t, a.Inputs(aws.Bucket, args.Bucket))
	})
	t.Run("nor on purpose with objects in it", func(t *testing.T) {
		a.args.Protect = false
		_, err := a.Stack.Up(ctx)
		require.NoError(t, err)
		contents := func(keys ...string) {
			a.Change(func(r accounttest.Resources) { r[aws.Bucket][args.Bucket].Contents = keys })
		}
		contents("specifications/1")
		_, err = a.Stack.Destroy(ctx)
		require.ErrorContains(t, err, "BucketNotEmpty")
		contents()
		_, err = a.Stack.Destroy(ctx)
		require.NoError(t, err)
		assert.Nil(t, a.Inputs(aws.Bucket, args.Bucket))
		assert.Nil(t, a.Inputs(aws.Role, "controlplane-files-test-file-manager"))
	})
}

func TestAnExistingBucketStaysWhenTheStackGoes(t *testing.T) {
	t.Parallel()
	args := everything()
	args.Existing, args.Protect, args.BackupBucket, args.KMSKeyARN = true, false, "", "arn:aws:kms:eu-central-1:1:key/given"
	a := newAccount(t, "existing", args)
	ctx := t.Context()

	_, err := a.Stack.Up(ctx)
	require.ErrorContains(t, err, "does not exist", "there is none to adopt")

	a.Change(func(r accounttest.Resources) {
		r[aws.Bucket] = map[string]*accounttest.Resource{args.Bucket: {
			Region: args.Region, Contents: []string{"specifications/1"},
			Inputs: map[string]any{"bucket": args.Bucket, "tags": map[string]any{"owner": "somebody else"}},
		}}
	})
	up, err := a.Stack.Up(ctx)
	require.NoError(t, err)
	assert.Equal(t, 1, (*up.Summary.ResourceChanges)["import"])
	assert.Equal(t, map[string]any{"owner": "somebody else"}, a.Inputs(aws.Bucket, args.Bucket)["tags"])
	assert.NotNil(t, a.Inputs(aws.BucketPolicy, args.Bucket))
	_, err = a.Stack.Up(ctx, optup.Refresh(), optup.ExpectNoChanges())
	require.NoError(t, err, "it is imported once")

	_, err = a.Stack.Destroy(ctx)
	require.NoError(t, err, "nothing is protected")
	assert.NotNil(t, a.Inputs(aws.Bucket, args.Bucket))
	assert.NotNil(t, a.Inputs(aws.BucketPublicAccessBlock, args.Bucket), "and nobody can make it public now")
	assert.Nil(t, a.Inputs(aws.Role, "controlplane-files-test-file-manager"), "what was made is gone")
}
