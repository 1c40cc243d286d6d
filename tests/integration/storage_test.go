package integration

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/telekom/controlplane-infrastructure/automation"
)

var databaseClusters = schema.GroupVersionResource{Group: "postgresql.cnpg.io", Version: "v1", Resource: "clusters"}

// TestOnprem takes the stack onprem through its life, with an eye on its data stores. CloudNativePG's operator and its
// backup plugin are the real ones; the pods of databases, cache and object storage are simulated here, and run for real in
// the tests of their components.
func TestOnprem(t *testing.T) {
	parallel(t)
	e := newEnv(t, onprem(t, nil))
	before := e.Inventory()
	planned := previewWithoutCluster(t, e.project)
	assert.Equal(t, objects(planned, "create"), objects(e.up(), "create"))

	t.Run("no state has a secret in plain text", func(t *testing.T) { requireNoPlainSecrets(t, e, "test") })
	t.Run("the operator runs a database cluster over three zones", func(t *testing.T) { databaseCluster(t, e) })
	t.Run("every server is in a zone of its own", func(t *testing.T) {
		assert.Len(t, zonesOf(t, e, "valkey", "app.kubernetes.io/component=server"), 3)
		assert.Len(t, zonesOf(t, e, "valkey", "app.kubernetes.io/component=sentinel"), 3)
		assert.Len(t, zonesOf(t, e, "minio", "app.kubernetes.io/component=server"), 3, "five servers, in three zones")
	})
	t.Run("consumers find endpoints and credentials", func(t *testing.T) { consumers(t, e) })
	t.Run("a second up changes nothing", func(t *testing.T) { e.requireNoChanges(e.up()) })
	t.Run("what the operator's webhook refuses is a clear error", func(t *testing.T) {
		e.configure(onprem(t, map[string]any{"postgresql.parameters": map[string]any{"port": "5433"}}))
		result, err := automation.Up(e.Context(), e.options())
		require.Error(t, err)
		problem := strings.Join(result.Errors, "\n")
		assert.Contains(t, problem, "spec.postgresql.parameters.port")
		assert.Contains(t, problem, "fixed configuration parameter")
	})
	t.Run("what cannot be undone is refused before anything is changed", func(t *testing.T) {
		config := onprem(t, map[string]any{"postgresql.volume.size": "5Gi", "objectStorage.minio.servers": 6})
		e.configure(with(config, map[string]any{"identity.image": "quay.io/keycloak/keycloak:26.8.0"}))
		_, err := automation.Up(e.Context(), e.options())
		require.Error(t, err)
		assert.True(t, automation.IsUsage(err), "it is the configuration that is wrong")
		assert.Contains(t, err.Error(), `volume.size: "5Gi" must be at least "20Gi"`)
		assert.Contains(t, err.Error(), `controlplane:storage.objectStorage.minio.servers`)
		assert.Contains(t, err.Error(), "set controlplane:identity.updateStrategy to Recreate")
	})
	t.Run("volumes grow in place", func(t *testing.T) {
		e.configure(onprem(t, map[string]any{"cache.persistence.size": "6Gi"}))
		result := e.up()
		assert.Zero(t, result.Changes["replace"]+result.Changes["delete"])
		for _, name := range []string{"data-valkey-0", "data-valkey-1", "data-valkey-2"} {
			claim, err := e.Clients.CoreV1().PersistentVolumeClaims("valkey").Get(e.Context(), name, metav1.GetOptions{})
			require.NoError(t, err)
			assert.Equal(t, "6Gi", claim.Spec.Resources.Requests.Storage().String())
		}
	})
	t.Run("destroy refuses while data is protected, and deletes nothing", func(t *testing.T) {
		existing := e.Inventory()
		_, err := automation.Destroy(e.Context(), e.options())
		require.Error(t, err)
		assert.True(t, automation.IsUsage(err))
		assert.Contains(t, err.Error(), "minio/data-minio-3 kubernetes:core/v1:PersistentVolumeClaim")
		assert.Contains(t, err.Error(), "deletionProtection")
		assert.Equal(t, existing, e.Inventory())
	})
	// On purpose data goes in two steps.
	free := map[string]any{"cache.persistence.size": "6Gi", "deletionProtection": false}
	e.configure(onprem(t, free))
	e.up()
	t.Run("Amazon S3 takes the place of MinIO", func(t *testing.T) { amazonS3(t, e, onprem(t, free)) })
	t.Run("destroy leaves nothing behind once the protection is off", func(t *testing.T) {
		e.destroy()
		e.Settles(before)
	})
}

// amazonS3 has the stack keep its objects in a simulated account of Amazon Web Services.
func amazonS3(t *testing.T, e *env, config map[string]any) {
	e.configure(with(config, map[string]any{
		"storage.objectStorage":   map[string]any{"backend": "s3", "bucket": "example-controlplane-files"},
		"aws.region":              "eu-central-1",
		"cluster.oidcProviderArn": "arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLE",
	}))
	planned, done := e.preview(), e.up()
	assert.Equal(t, objects(planned, "delete"), objects(done, "delete"))
	assert.Contains(t, objects(done, "delete"), "kubernetes:apps/v1:StatefulSet minio/minio")
	assert.Equal(t, "s3.eu-central-1.amazonaws.com", done.Outputs["s3Endpoint"])
	assert.Equal(t, "example-controlplane-files", done.Outputs["s3Bucket"])
	assert.Regexp(t, `^arn:aws:iam::123456789012:role/`, done.Outputs["s3RoleArn"])
	assert.NotContains(t, done.Outputs, "s3CredentialsSecretName")
	account, err := e.Clients.CoreV1().ServiceAccounts("postgresql").Get(e.Context(), "platform", metav1.GetOptions{})
	require.NoError(t, err)
	assert.Regexp(t, `^arn:aws:iam::123456789012:role/`, account.Annotations["eks.amazonaws.com/role-arn"], "backups are written as a role")
	e.requireNoChanges(e.up())
}

// onprem is the configuration of the stack of that name, with a cache that is kept on disks, and other values of the storage
// at dotted paths.
func onprem(t *testing.T, storage map[string]any) map[string]any {
	t.Helper()
	values := map[string]any{"storage.cache.persistence.size": "4Gi"}
	for path, value := range storage {
		values["storage."+path] = value
	}
	return with(stackConfig(t, "onprem"), values)
}

func databaseCluster(t *testing.T, e *env) {
	cluster := e.Get(databaseClusters, "postgresql", "platform")
	ready, _, _ := unstructured.NestedInt64(cluster.Object, "status", "readyInstances")
	assert.EqualValues(t, 3, ready)
	assert.Len(t, zonesOf(t, e, "postgresql", "cnpg.io/podRole=instance"), 3)

	inventory := e.Inventory()
	for _, expected := range []string{
		"services. postgresql/platform-rw", "services. postgresql/platform-ro", "services. postgresql/platform-r",
		"persistentvolumeclaims. postgresql/platform-1", "persistentvolumeclaims. postgresql/platform-2",
		"persistentvolumeclaims. postgresql/platform-3",
		"poddisruptionbudgets.policy postgresql/platform", "poddisruptionbudgets.policy postgresql/platform-primary",
		"scheduledbackups.postgresql.cnpg.io postgresql/platform-backup",
		"objectstores.barmancloud.cnpg.io postgresql/platform-backup",
		"databases.postgresql.cnpg.io postgresql/platform-gateway", "databases.postgresql.cnpg.io postgresql/platform-controlplane",
	} {
		assert.Contains(t, inventory, expected)
	}
	assert.NotContains(t, inventory, "secrets. postgresql/platform-superuser", "nobody gets in as superuser")
}

// consumers looks at what the stack hands to those who use the data stores.
func consumers(t *testing.T, e *env) {
	outputs, err := automation.Outputs(e.Context(), e.options())
	require.NoError(t, err)
	gateway := outputs["gatewayDatabase"].Value.(map[string]any)
	assert.Equal(t, "platform-rw.postgresql.svc", gateway["host"])
	assert.Equal(t, "gateway", gateway["user"])
	redis := outputs["redis"].Value.(map[string]any)
	assert.Equal(t, "valkey.valkey.svc", redis["host"])
	for _, name := range []string{"gatewayDatabase", "redis"} {
		assert.True(t, outputs[name].Secret, "%s has a password in it", name)
		password := outputs[name].Value.(map[string]any)["password"].(string)
		assert.Len(t, password, 32)
		assert.NotContains(t, stateOf(t, e), password, "the state holds the password of %s only encrypted", name)
	}
	assert.Equal(t, "minio.minio.svc:9000", outputs["s3Endpoint"].Value)
	assert.Equal(t, "controlplane-files", outputs["s3Bucket"].Value)

	read := func(name string) map[string][]byte {
		secret, err := e.Clients.CoreV1().Secrets("controlplane-system").Get(e.Context(), name, metav1.GetOptions{})
		require.NoError(t, err)
		return secret.Data
	}
	database, err := url.Parse(string(read(outputs["controlplaneDbSecretName"].Value.(string))["url"]))
	require.NoError(t, err)
	assert.Equal(t, "postgresql", database.Scheme)
	assert.Equal(t, "platform-rw.postgresql.svc:5432", database.Host)
	assert.Equal(t, "/controlplane", database.Path)
	assert.Equal(t, "verify-full", database.Query().Get("sslmode"))
	assert.Equal(t, "controlplane", database.User.Username())
	keys := read(outputs["s3CredentialsSecretName"].Value.(string))
	assert.NotEmpty(t, keys["accessKey"])
	assert.NotEmpty(t, keys["secretKey"])
}

// zonesOf lists the zones that running pods are in, with how many of them.
func zonesOf(t *testing.T, e *env, namespace, selector string) map[string]int {
	t.Helper()
	nodes, err := e.Clients.CoreV1().Nodes().List(e.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	zoneOf := map[string]string{}
	for _, n := range nodes.Items {
		zoneOf[n.Name] = n.Labels["topology.kubernetes.io/zone"]
	}
	pods, err := e.Clients.CoreV1().Pods(namespace).List(e.Context(), metav1.ListOptions{
		LabelSelector: selector, FieldSelector: "status.phase=Running",
	})
	require.NoError(t, err)
	zones := map[string]int{}
	for _, p := range pods.Items {
		zones[zoneOf[p.Spec.NodeName]]++
	}
	return zones
}
