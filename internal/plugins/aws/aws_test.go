package aws

import (
	"context"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/peer"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/telekom/controlplane-infrastructure/internal/aws"
	"github.com/telekom/controlplane-infrastructure/internal/aws/awstest"
	"github.com/telekom/controlplane-infrastructure/internal/plugins/protocol"
)

const (
	trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":["ec2.amazonaws.com"]},"Action":["sts:AssumeRole"]}]}`
	reads = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`
)

// TestTypesAreThoseOfThePublishedPlugin holds the table of types to the SDK.
func TestTypesAreThoseOfThePublishedPlugin(t *testing.T) {
	t.Parallel()
	for token, k := range kinds {
		inputs := awstest.Inputs(token)
		require.NotNil(t, inputs, "%s is not in the SDK's table", token)
		for _, path := range mentioned(k) {
			assert.True(t, awstest.HasInput(token, path), "%s has no input %s", token, path)
		}
		for _, path := range k.computed {
			assert.True(t, awstest.HasProperty(token, path), "%s has no property %s", token, path)
		}
		for name, required := range inputs {
			if required {
				assert.Contains(t, k.required, name, token)
			}
		}
		s := subject{account: &account{kinds: kinds}, id: "id", in: values{"enableKeyRotation": true}}
		added := values{}
		for _, add := range []func(subject) values{k.settle, k.outputs} {
			if add != nil {
				maps.Copy(added, add(s))
			}
		}
		computed := map[string]bool{}
		for _, path := range k.computed {
			computed[root(path)] = true
		}
		assert.Subset(t, slices.Collect(maps.Keys(computed)), slices.Collect(maps.Keys(added)), token)
	}
}

// mentioned are the inputs that a type's entry in the table has something to say about.
func mentioned(k kind) []string {
	paths := slices.Concat(k.required, k.replaces, k.sets, slices.Collect(maps.Keys(k.defaults)), slices.Collect(maps.Keys(k.documents)))
	for _, name := range []string{k.name, k.prefix} {
		if name != "" {
			paths = append(paths, name)
		}
	}
	if k.partOf != nil {
		paths = append(paths, k.partOf.input)
	}
	for _, r := range k.refers {
		paths = append(paths, r.path)
	}
	return paths
}

func TestOutputsAreComputed(t *testing.T) {
	t.Parallel()
	c := connect(t, "")
	id, bucket := c.create(aws.Bucket, values{"bucket": "my-files", "tags": values{"a": "b"}})
	assert.Equal(t, "my-files", id)
	assert.Equal(t, values{
		"bucket": "my-files", "forceDestroy": false, "tags": values{"a": "b"}, "tagsAll": values{"a": "b"},
		"arn": "arn:aws:s3:::my-files", "region": "eu-central-1", "bucketDomainName": "my-files.s3.amazonaws.com",
		"bucketRegionalDomainName": "my-files.s3.eu-central-1.amazonaws.com",
	}, bucket)

	_, role := c.create(aws.Role, values{"name": "reader", "path": "/team/", "assumeRolePolicy": trust})
	assert.Equal(t, "arn:aws:iam::123456789012:role/team/reader", role["arn"])
	assert.Regexp(t, `^AROA[A-Z2-7]{17}$`, role["uniqueId"])

	keyID, key := c.create(aws.Key, values{"enableKeyRotation": true})
	assert.Regexp(t, `^[0-9a-f-]{36}$`, keyID)
	assert.Equal(t, "arn:aws:kms:eu-central-1:123456789012:key/"+keyID, key["arn"])
	assert.InDelta(t, 365, key["rotationPeriodInDays"], 0)
	assert.Contains(t, key["policy"], "arn:aws:iam::123456789012:root")
	_, alias := c.create(aws.KeyAlias, values{"name": "alias/files", "targetKeyId": key["arn"]})
	assert.Equal(t, key["arn"], alias["targetKeyArn"])
	assert.Equal(t, "arn:aws:kms:eu-central-1:123456789012:alias/files", alias["arn"])
}

func TestAssumedRoleSaysWhichAccount(t *testing.T) {
	t.Parallel()
	for name, role := range map[string]any{
		"an object": values{"roleArn": "arn:aws-cn:iam::210987654321:role/deployer"},
		"as text":   `{"roleArn":"arn:aws-cn:iam::210987654321:role/deployer"}`,
	} {
		c := connect(t, "")
		c.configure(values{"region": "cn-north-1", "assumeRole": role})
		_, made := c.create(aws.Role, values{"name": "r", "assumeRolePolicy": trust})
		assert.Equal(t, "arn:aws-cn:iam::210987654321:role/r", made["arn"], name)
	}
}

func TestConnectionsHaveTheirOwnRegion(t *testing.T) {
	t.Parallel()
	p := New(Options{})
	over := func(port int) context.Context {
		return peer.NewContext(t.Context(), &peer.Peer{Addr: &net.TCPAddr{IP: net.IPv6loopback, Port: port}})
	}
	configure := func(port int, region string) {
		_, err := p.Configure(over(port), &pulumirpc.ConfigureRequest{Args: connect(t, "").wire(values{"region": region})})
		require.NoError(t, err)
	}
	region := func(port int) (string, error) {
		at, err := p.place(over(port), &account{ID: DefaultAccount})
		return at.region, err
	}
	configure(1, "eu-central-1")
	got, err := region(9)
	require.NoError(t, err, "a connection that was lost has been like the others")
	assert.Equal(t, "eu-central-1", got)
	configure(2, "us-east-1")
	for port, want := range map[int]string{1: "eu-central-1", 2: "us-east-1"} {
		got, err := region(port)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	_, err = region(9)
	require.ErrorContains(t, err, "run the operation again", "nobody can tell which one it has been like")
}

func TestARegionIsRequired(t *testing.T) {
	t.Parallel()
	response, err := New(Options{}).CheckConfig(t.Context(), &pulumirpc.CheckRequest{News: &structpb.Struct{}})
	require.NoError(t, err)
	require.Len(t, response.GetFailures(), 1)
	assert.Equal(t, "region", response.GetFailures()[0].GetProperty())
}

func TestANameIsMadeUpOnce(t *testing.T) {
	t.Parallel()
	c := connect(t, "")
	first, _ := c.check(aws.Role, values{"assumeRolePolicy": trust})
	assert.Regexp(t, `^it-[0-9a-f]{7}$`, first["name"])
	again, err := c.Check(t.Context(), &pulumirpc.CheckRequest{
		Urn: urn(aws.Role), News: c.wire(values{"assumeRolePolicy": trust}), Olds: c.wire(first), RandomSeed: []byte("another"),
	})
	require.NoError(t, err)
	assert.Equal(t, first, c.read(again.GetInputs()))
}

func TestMistakesAreFoundInAPreview(t *testing.T) {
	t.Parallel()
	statement := func(text string) string { return `{"Version":"2012-10-17","Statement":[` + text + `]}` }
	policy := func(text string) values { return values{"bucket": "b-1", "policy": statement(text)} }
	const deny = `"Effect":"Deny","Principal":"*","Action":"s3:*"`
	for name, c := range map[string]struct {
		token            string
		in               values
		property, reason string
	}{
		"upper case":           {aws.Bucket, values{"bucket": "Files"}, "bucket", "lower-case"},
		"two dots":             {aws.Bucket, values{"bucket": "my..files"}, "bucket", "single dots"},
		"too short":            {aws.Bucket, values{"bucket": "ab"}, "bucket", "3 to 63"},
		"an IP address":        {aws.Bucket, values{"bucket": "192.168.5.4"}, "bucket", "IP address"},
		"a reserved name":      {aws.Bucket, values{"bucket": "files-s3alias"}, "bucket", "for itself"},
		"no bucket":            {aws.BucketVersioning, values{"versioningConfiguration": values{"status": "Enabled"}}, "bucket", "is required"},
		"a status":             {aws.BucketVersioning, values{"bucket": "b-1", "versioningConfiguration": values{"status": "On"}}, "versioningConfiguration", `is "On"; want one of ["Enabled"`},
		"an ownership":         {aws.BucketOwnershipControls, values{"bucket": "b-1", "rule": values{"objectOwnership": "Me"}}, "rule", "BucketOwnerEnforced"},
		"an algorithm":         {aws.BucketEncryption, values{"bucket": "b-1", "rules": []any{values{"applyServerSideEncryptionByDefault": values{"sseAlgorithm": "kms"}}}}, "rules", `sseAlgorithm is "kms"`},
		"days":                 {aws.BucketLifecycle, values{"bucket": "b-1", "rules": []any{values{"id": "r", "status": "Enabled", "noncurrentVersionExpiration": values{"noncurrentDays": 0}}}}, "rules", "want at least 1"},
		"two rules of a name":  {aws.BucketLifecycle, values{"bucket": "b-1", "rules": []any{values{"id": "r", "status": "Enabled"}, values{"id": "r", "status": "Enabled"}}}, "rules", "one of its own"},
		"no JSON":              {aws.BucketPolicy, values{"bucket": "b-1", "policy": "{"}, "policy", "is no policy"},
		"a misspelt element":   {aws.BucketPolicy, policy(`{` + deny + `,"Resources":"*"}`), "policy", "Resources"},
		"no resource":          {aws.BucketPolicy, policy(`{` + deny + `}`), "policy", "has 0 resources, in a policy that must have some"},
		"another's resource":   {aws.BucketPolicy, policy(`{` + deny + `,"Resource":"arn:aws:s3:::b-12/*"}`), "policy", "does not belong to the bucket b-1"},
		"an effect":            {aws.BucketPolicy, policy(`{"Effect":"Refuse","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::b-1"}`), "policy", "want Allow or Deny"},
		"a condition":          {aws.BucketPolicy, policy(`{` + deny + `,"Resource":"arn:aws:s3:::b-1","Condition":{"Equals":{"a":"b"}}}`), "policy", `condition "Equals" is no operator`},
		"a version":            {aws.Role, values{"assumeRolePolicy": `{"Version":"2012","Statement":[]}`}, "assumeRolePolicy", "want 2012-10-17"},
		"nobody trusted":       {aws.Role, values{"assumeRolePolicy": reads}, "assumeRolePolicy", "has 0 principals, in a policy that must have some"},
		"a sort of principal":  {aws.Role, values{"assumeRolePolicy": statement(`{"Effect":"Allow","Principal":{"User":"u"},"Action":"sts:AssumeRole"}`)}, "assumeRolePolicy", `principal "User" is none`},
		"an action":            {aws.RolePolicy, values{"role": "r", "policy": statement(`{"Effect":"Allow","Action":"GetObject","Resource":"*"}`)}, "policy", `action "GetObject" is none`},
		"somebody in a policy": {aws.RolePolicy, values{"role": "r", "policy": trust}, "policy", "must not have some"},
		"the name of a role":   {aws.Role, values{"name": "a/b", "assumeRolePolicy": trust}, "name", `is "a/b"`},
		"a session":            {aws.Role, values{"assumeRolePolicy": trust, "maxSessionDuration": 60}, "maxSessionDuration", "3600 to 43200"},
		"a waiting time":       {aws.Key, values{"deletionWindowInDays": 3}, "deletionWindowInDays", "want 7 to 30 days"},
		"an alias":             {aws.KeyAlias, values{"name": "files", "targetKeyId": "k"}, "name", "want alias/"},
		"an alias of AWS":      {aws.KeyAlias, values{"name": "alias/aws/s3", "targetKeyId": "k"}, "name", "not alias/aws/"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, failures := connect(t, "").check(c.token, c.in)
			assert.Contains(t, failures[c.property], c.reason)
		})
	}
}

func TestATypeThatIsNotThereIsNamed(t *testing.T) {
	t.Parallel()
	_, err := New(Options{}).Check(t.Context(), &pulumirpc.CheckRequest{Urn: urn("aws:sqs/queue:Queue")})
	require.ErrorContains(t, err, "the built-in aws plugin has no type aws:sqs/queue:Queue; it has [aws:cloudwatch/logGroup:LogGroup")
	_, err = New(Options{}).Invoke(t.Context(), &pulumirpc.InvokeRequest{Tok: "aws:index/getRegion:getRegion"})
	require.ErrorContains(t, err, "has no function aws:index/getRegion:getRegion")
}

func TestWhatAWSRefuses(t *testing.T) {
	t.Parallel()
	c := connect(t, "")
	refused := c.refused
	public := values{"bucket": "my-files", "policy": `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::my-files/*"}}`}
	_, _, err := c.try(aws.BucketPolicy, public)
	refused("NoSuchBucket", err)
	c.create(aws.Bucket, values{"bucket": "my-files"})
	_, _, err = c.try(aws.Bucket, values{"bucket": "my-files"})
	refused("BucketAlreadyOwnedByYou", err)
	c.create(aws.BucketPublicAccessBlock, values{"bucket": "my-files", "blockPublicPolicy": true})
	_, _, err = c.try(aws.BucketPolicy, public)
	refused("AccessDenied", err)

	_, _, err = c.try(aws.RolePolicy, values{"role": "reader", "name": "p", "policy": reads})
	refused("NoSuchEntity", err)
	role, _ := c.create(aws.Role, values{"name": "reader", "assumeRolePolicy": trust})
	_, _, err = c.try(aws.Role, values{"name": "reader", "assumeRolePolicy": trust})
	refused("EntityAlreadyExists", err)
	_, _, err = c.try(aws.PolicyAttachment, values{"role": "reader", "policyArn": "arn:aws:iam::123456789012:policy/none"})
	refused("NoSuchEntity", err)
	c.create(aws.PolicyAttachment, values{"role": "reader", "policyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"})
	inline, _ := c.create(aws.RolePolicy, values{"role": "reader", "name": "p", "policy": reads})
	managed, _ := c.create(managedPolicy, values{"name": "reads", "policy": reads})
	attached, _ := c.create(aws.PolicyAttachment, values{"role": "reader", "policyArn": managed})
	refused("DeleteConflict", c.remove(managedPolicy, managed))
	refused("DeleteConflict", c.remove(aws.Role, role))
	require.NoError(t, c.remove(aws.PolicyAttachment, attached))
	require.NoError(t, c.remove(aws.PolicyAttachment, "reader-arn:aws:iam::aws:policy/ReadOnlyAccess"))
	require.ErrorContains(t, c.remove(aws.Role, role), "must delete policies first")
	require.NoError(t, c.remove(aws.RolePolicy, inline))
	require.NoError(t, c.remove(aws.Role, role))
	require.NoError(t, c.remove(managedPolicy, managed))

	_, _, err = c.try(aws.KeyAlias, values{"name": "alias/a", "targetKeyId": "none"})
	refused("NotFoundException", err)
	_, err = c.Update(t.Context(), &pulumirpc.UpdateRequest{Urn: urn(aws.Key), Id: "none", News: c.wire(values{})})
	refused("NotFound", err)
}

func TestSettingsGoWithTheirBucket(t *testing.T) {
	t.Parallel()
	c := connect(t, "")
	c.create(aws.Bucket, values{"bucket": "my-files"})
	versions, _ := c.create(aws.BucketVersioning, values{"bucket": "my-files", "versioningConfiguration": values{"status": "Enabled"}})
	assert.True(t, c.exists(aws.BucketVersioning, versions))
	require.NoError(t, c.remove(aws.Bucket, "my-files"))
	assert.False(t, c.exists(aws.BucketVersioning, versions))
	require.NoError(t, c.remove(aws.BucketVersioning, versions), "what is gone need not be deleted")
	c.create(aws.Bucket, values{"bucket": "my-files"})
	assert.False(t, c.exists(aws.BucketVersioning, versions), "a new bucket is bare")
}

func TestTheAccountOutlivesTheProcess(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "aws.json")
	connect(t, file).create(aws.Bucket, values{"bucket": "my-files"})
	info, err := os.Stat(file)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "it may hold secrets")
	later := connect(t, file)
	assert.True(t, later.exists(aws.Bucket, "my-files"))
	_, _, err = later.try(aws.Bucket, values{"bucket": "my-files"})
	require.ErrorContains(t, err, "BucketAlreadyOwnedByYou")

	require.NoError(t, os.WriteFile(file, []byte("{"), 0o600))
	_, err = later.Read(t.Context(), &pulumirpc.ReadRequest{Urn: urn(aws.Bucket), Id: "my-files"})
	require.ErrorContains(t, err, file, "a broken file is not an empty account")
}

func TestDifferences(t *testing.T) {
	t.Parallel()
	c := connect(t, "")
	diff := c.diff
	role := func(more values) resource.PropertyMap {
		in := values{"name": "r", "assumeRolePolicy": trust, "path": "/"}
		for key, v := range more {
			in[key] = v
		}
		return properties(in)
	}
	assert.Equal(t, pulumirpc.DiffResponse_DIFF_NONE, diff(aws.Role, role(nil), role(nil)).GetChanges())
	spaced := values{"assumeRolePolicy": "{ " + trust[1:]}
	assert.Equal(t, pulumirpc.DiffResponse_DIFF_NONE, diff(aws.Role, role(nil), role(spaced)).GetChanges(), "it says the same")

	changed := diff(aws.Role, role(nil), role(values{"description": "d"}))
	assert.Equal(t, []string{"description"}, changed.GetDiffs())
	assert.Empty(t, changed.GetReplaces())

	renamed := diff(aws.Role, role(nil), role(values{"name": "s"}))
	assert.Equal(t, []string{"name"}, renamed.GetReplaces())
	assert.False(t, renamed.GetDeleteBeforeReplace(), "two names can exist at the same time")
	assert.Equal(t, pulumirpc.PropertyDiff_UPDATE_REPLACE, renamed.GetDetailedDiff()["name"].GetKind())
	assert.True(t, diff(aws.Role, role(nil), role(values{"path": "/team/"})).GetDeleteBeforeReplace(), "but not two of one name")

	unknown := properties(values{"bucket": "b-1"})
	unknown["bucket"] = resource.MakeComputed(resource.NewProperty(""))
	assert.Equal(t, []string{"bucket"}, diff(aws.BucketPolicy, properties(values{"bucket": "b-1"}), unknown).GetReplaces())
	assert.Equal(t, []string{"keyUsage"}, diff(aws.Key, properties(values{"keyUsage": "SIGN_VERIFY"}),
		properties(values{"keyUsage": "ENCRYPT_DECRYPT"})).GetReplaces())
}

func TestPreviewKnowsInputsAndNotMore(t *testing.T) {
	t.Parallel()
	c := connect(t, "")
	checked, _ := c.check(aws.Bucket, values{"bucket": "my-files"})
	response, err := c.Create(t.Context(), &pulumirpc.CreateRequest{Urn: urn(aws.Bucket), Properties: c.wire(checked), Preview: true})
	require.NoError(t, err)
	planned, err := protocol.Decode(response.GetProperties())
	require.NoError(t, err)
	assert.Equal(t, "my-files", planned["bucket"].StringValue())
	assert.True(t, planned["arn"].IsComputed())
	assert.Empty(t, response.GetId())
	assert.False(t, c.exists(aws.Bucket, "my-files"))

	_, made := c.create(aws.Bucket, values{"bucket": "my-files"})
	update, err := c.Update(t.Context(), &pulumirpc.UpdateRequest{
		Urn: urn(aws.Bucket), Id: "my-files", Olds: c.wire(made), Preview: true,
		News: c.wire(values{"bucket": "my-files", "forceDestroy": true, "tags": values{"a": "b"}}),
	})
	require.NoError(t, err)
	after := c.read(update.GetProperties())
	assert.Equal(t, made["arn"], after["arn"], "an ARN survives an update")
	assert.Equal(t, values{"a": "b"}, after["tagsAll"])
}
