package awstest

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/assert"

	"github.com/telekom/controlplane-infrastructure/internal/aws"
)

func TestTyposAreFound(t *testing.T) {
	t.Parallel()
	type object = map[string]any
	for name, c := range map[string]struct {
		token   string
		inputs  object
		problem string
	}{
		"a name":        {aws.Bucket, object{"buckets": "b"}, "has no input buckets"},
		"a nested name": {aws.BucketVersioning, object{"bucket": "b", "versioningConfiguration": object{"state": "Enabled"}}, "versioningConfiguration has no input state"},
		"one in a list": {aws.BucketLifecycle, object{"bucket": "b", "rules": []any{object{"id": "i", "status": "Enabled", "expire": 1}}}, "rules[0] has no input expire"},
		"a text":        {aws.Key, object{"deletionWindowInDays": "7"}, "deletionWindowInDays is string; want int"},
		"a fraction":    {aws.Key, object{"deletionWindowInDays": 7.5}, "deletionWindowInDays is number; want int"},
		"no list":       {aws.BucketEncryption, object{"bucket": "b", "rules": object{}}, "rules is object; want a list"},
		"a gap":         {aws.BucketPolicy, object{"policy": "{}"}, "lacks bucket"},
		"a number deeper": {aws.NodeGroup, object{
			"clusterName": "c", "nodeRoleArn": "a", "scalingConfig": object{"minSize": 1, "maxSize": 1, "desiredSize": "1"},
		}, "scalingConfig.desiredSize is string; want int"},
		"a tag":  {aws.VPC, object{"tags": object{"a": 1}}, "tags.a is number; want string"},
		"a type": {"aws:s3/bukkit:Bukkit", object{}, "is not known"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			problems := Problems(c.token, resource.NewPropertyMapFromMap(c.inputs))
			if assert.NotEmpty(t, problems) {
				assert.Contains(t, problems[0], c.problem)
			}
		})
	}
	good := object{"bucket": "b", "forceDestroy": false, "tags": object{"a": "b"}}
	assert.Empty(t, Problems(aws.Bucket, resource.NewPropertyMapFromMap(good)))
}

func TestPathsLeadThroughLists(t *testing.T) {
	t.Parallel()
	assert.True(t, HasInput(aws.EKSCluster, "vpcConfig.subnetIds"))
	assert.False(t, HasInput(aws.EKSCluster, "vpcConfig.subnets"))
	assert.True(t, HasInput(aws.AddOn, "podIdentityAssociations.roleArn"))
	assert.True(t, HasProperty(aws.EKSCluster, "identities.oidcs.issuer"))
	assert.False(t, HasInput(aws.EKSCluster, "endpoint"), "it is an output")
	assert.True(t, Inputs(aws.EKSCluster)["roleArn"], "it is required")
	assert.False(t, Inputs(aws.EKSCluster)["version"])
}
