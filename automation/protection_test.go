package automation

import (
	"encoding/json"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestProtectedResourcesAreNamed(t *testing.T) {
	const urn = "urn:pulumi:dev::controlplane::kubernetes:core/v1:PersistentVolumeClaim::"
	data, err := json.Marshal(apitype.DeploymentV3{Resources: []apitype.ResourceV3{
		{URN: urn + "minio/data-minio-0", Type: "kubernetes:core/v1:PersistentVolumeClaim", Protect: true},
		{URN: urn + "minio/other", Type: "kubernetes:core/v1:PersistentVolumeClaim"},
		{URN: urn + "minio/replaced", Type: "kubernetes:core/v1:PersistentVolumeClaim", Protect: true, Delete: true},
	}})
	require.NoError(t, err)
	names, err := protectedNames(apitype.UntypedDeployment{Version: 3, Deployment: data})
	require.NoError(t, err)
	assert.Equal(t, []string{"minio/data-minio-0 kubernetes:core/v1:PersistentVolumeClaim"}, names)

	names, err = protectedNames(apitype.UntypedDeployment{})
	require.NoError(t, err)
	assert.Empty(t, names, "a stack that was never up")
}
