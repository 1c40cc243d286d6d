package s3

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optpreview"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optrefresh"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/internal/aws"
	"github.com/telekom/controlplane-infrastructure/internal/plugins"
	simulated "github.com/telekom/controlplane-infrastructure/internal/plugins/aws"
	"github.com/telekom/controlplane-infrastructure/internal/plugins/plugintest"
)

// account is a simulated AWS account, and a stack of the real engine that works in it.
type account struct {
	t     *testing.T
	file  string
	args  Args
	stack auto.Stack
}

func newAccount(t *testing.T, name string, args Args) *account {
	t.Helper()
	a := &account{t: t, file: filepath.Join(t.TempDir(), "aws.json"), args: args}
	host, err := plugins.Serve(t.Context(), plugins.Options{AWS: &simulated.Options{StateFile: a.file}})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, host.Close()) })
	program := func(ctx *pulumi.Context) error {
		provider, err := aws.NewProvider(ctx, "aws", aws.ProviderArgs{
			Region: a.args.Region, AssumeRoleARN: "arn:aws:iam::210987654321:role/deployer",
		})
		if err != nil {
			return err
		}
		args := a.args
		args.AWS = provider
		made, err := New(ctx, "s3", args)
		if err != nil {
			return err
		}
		ctx.Export("roleArn", made.RoleARN)
		return nil
	}
	a.stack, _ = plugintest.Stack(t, name, map[string]string{plugins.EnvKey: host.Env()}, program)
	return a
}

// resources are what is in the account, by type and ID.
type resources map[string]map[string]*record

type record struct {
	Region   string         `json:"region"`
	Inputs   map[string]any `json:"inputs"`
	Contents []string       `json:"contents,omitempty"`
}

type content struct {
	Account   string    `json:"account"`
	Resources resources `json:"resources"`
}

func (a *account) read() (all content) {
	a.t.Helper()
	if data, err := os.ReadFile(a.file); err == nil {
		require.NoError(a.t, json.Unmarshal(data, &all))
	}
	return all
}

// change edits the account behind the engine's back.
func (a *account) change(edit func(resources)) {
	a.t.Helper()
	all := a.read()
	edit(all.Resources)
	data, err := json.Marshal(all)
	require.NoError(a.t, err)
	require.NoError(a.t, os.WriteFile(a.file, data, 0o600))
}

// has returns the inputs of a resource in the account, or nil.
func (a *account) has(token, id string) map[string]any {
	a.t.Helper()
	if r := a.read().Resources[token][id]; r != nil {
		return r.Inputs
	}
	return nil
}

func (a *account) unchanged() {
	a.t.Helper()
	_, err := a.stack.Preview(a.t.Context(), optpreview.ExpectNoChanges())
	require.NoError(a.t, err)
	_, err = a.stack.Refresh(a.t.Context(), optrefresh.ExpectNoChanges())
	require.NoError(a.t, err)
	_, err = a.stack.Up(a.t.Context(), optup.ExpectNoChanges())
	require.NoError(a.t, err)
}

func TestLifeOfTheBuckets(t *testing.T) {
	t.Parallel()
	args := everything()
	a := newAccount(t, "life", args)
	ctx := t.Context()

	planned, err := a.stack.Preview(ctx)
	require.NoError(t, err)
	up, err := a.stack.Up(ctx)
	require.NoError(t, err)
	assert.Equal(t, planned.ChangeSummary[apitype.OpCreate], (*up.Summary.ResourceChanges)["create"],
		"a preview shows everything")
	assert.Equal(t, "arn:aws:iam::210987654321:role/controlplane-files-test-file-manager", up.Outputs["roleArn"].Value)
	assert.NotNil(t, a.has(aws.RolePolicy, "controlplane-backups-test-backup:objects"))
	a.unchanged()

	t.Run("drift is found and repaired", func(t *testing.T) {
		a.change(func(r resources) { delete(r[aws.BucketPolicy], args.Bucket) })
		refreshed, err := a.stack.Refresh(ctx)
		require.NoError(t, err)
		assert.Equal(t, 1, (*refreshed.Summary.ResourceChanges)["delete"])
		repaired, err := a.stack.Up(ctx)
		require.NoError(t, err)
		assert.Equal(t, 1, (*repaired.Summary.ResourceChanges)["create"])
		assert.Contains(t, a.has(aws.BucketPolicy, args.Bucket)["policy"], "aws:SecureTransport")
	})
	t.Run("a changed setting as well", func(t *testing.T) {
		a.change(func(r resources) { r[aws.BucketPublicAccessBlock][args.Bucket].Inputs["blockPublicPolicy"] = false })
		_, err := a.stack.Up(ctx, optup.Refresh())
		require.NoError(t, err)
		assert.Equal(t, true, a.has(aws.BucketPublicAccessBlock, args.Bucket)["blockPublicPolicy"])
	})
	t.Run("another name would lose the objects", func(t *testing.T) {
		a.args.Bucket = "controlplane-files-renamed"
		_, err := a.stack.Up(ctx)
		require.ErrorContains(t, err, "protect")
		assert.NotNil(t, a.has(aws.Bucket, args.Bucket))
		assert.Nil(t, a.has(aws.Bucket, "controlplane-files-renamed"))
		a.args.Bucket = args.Bucket
	})
	t.Run("neither is it destroyed by mistake", func(t *testing.T) {
		_, err := a.stack.Destroy(ctx)
		require.ErrorContains(t, err, "protect")
		assert.NotNil(t, a.has(aws.Bucket, args.Bucket))
	})
	t.Run("nor on purpose with objects in it", func(t *testing.T) {
		a.args.Protect = false
		_, err := a.stack.Up(ctx)
		require.NoError(t, err)
		contents := func(keys ...string) {
			a.change(func(r resources) { r[aws.Bucket][args.Bucket].Contents = keys })
		}
		contents("specifications/1")
		_, err = a.stack.Destroy(ctx)
		require.ErrorContains(t, err, "BucketNotEmpty")
		contents()
		_, err = a.stack.Destroy(ctx)
		require.NoError(t, err)
		assert.Nil(t, a.has(aws.Bucket, args.Bucket))
		assert.Nil(t, a.has(aws.Role, "controlplane-files-test-file-manager"))
	})
}

func TestAnExistingBucketStaysWhenTheStackGoes(t *testing.T) {
	t.Parallel()
	args := everything()
	args.Existing, args.Protect, args.BackupBucket, args.KMSKeyARN = true, false, "", "arn:aws:kms:eu-central-1:1:key/given"
	a := newAccount(t, "existing", args)
	ctx := t.Context()

	_, err := a.stack.Up(ctx)
	require.ErrorContains(t, err, "does not exist", "there is none to adopt")

	a.change(func(r resources) {
		r[aws.Bucket] = map[string]*record{args.Bucket: {
			Region: args.Region, Contents: []string{"specifications/1"},
			Inputs: map[string]any{"bucket": args.Bucket, "tags": map[string]any{"owner": "somebody else"}},
		}}
	})
	up, err := a.stack.Up(ctx)
	require.NoError(t, err)
	assert.Equal(t, 1, (*up.Summary.ResourceChanges)["import"])
	assert.Equal(t, map[string]any{"owner": "somebody else"}, a.has(aws.Bucket, args.Bucket)["tags"])
	assert.NotNil(t, a.has(aws.BucketPolicy, args.Bucket))
	_, err = a.stack.Up(ctx, optup.Refresh(), optup.ExpectNoChanges())
	require.NoError(t, err, "it is imported once")

	_, err = a.stack.Destroy(ctx)
	require.NoError(t, err, "nothing is protected")
	assert.NotNil(t, a.has(aws.Bucket, args.Bucket))
	assert.NotNil(t, a.has(aws.BucketPublicAccessBlock, args.Bucket), "and nobody can make it public now")
	assert.Nil(t, a.has(aws.Role, "controlplane-files-test-file-manager"), "what was made is gone")
}
