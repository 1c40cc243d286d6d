package postgresql_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	corev1 "k8s.io/api/core/v1"

	"github.com/telekom/controlplane-infrastructure/components/storage/postgresql"
)

func TestBackups(t *testing.T) {
	g := run(t, zonal(t))
	assert.Equal(t, []any{map[string]any{
		"name": "barman-cloud.cloudnative-pg.io", "isWALArchiver": true,
		"parameters": map[string]any{"barmanObjectName": "platform-backup", "serverName": "platform"},
	}}, g.field(t, "Cluster", cluster, "spec", "plugins"))
	store := g.field(t, "ObjectStore", "postgresql/platform-backup", "spec").(map[string]any)
	assert.Equal(t, "30d", store["retentionPolicy"])
	configuration := store["configuration"].(map[string]any)
	assert.Equal(t, "s3://backups/postgresql", configuration["destinationPath"])
	assert.Equal(t, "https://minio.minio.svc:9000", configuration["endpointURL"])
	assert.Equal(t, map[string]any{"name": "platform-server-tls", "key": "ca.crt"}, configuration["endpointCA"])
	assert.Equal(t, map[string]any{"name": "platform-backup", "key": "secretAccessKey"},
		configuration["s3Credentials"].(map[string]any)["secretAccessKey"])
	assert.Equal(t, map[string]any{"accessKeyId": "backup", "secretAccessKey": "key", "region": "eu-central-1"},
		g.field(t, "Secret", "postgresql/platform-backup", "stringData"))
	backup := g.field(t, "ScheduledBackup", "postgresql/platform-backup", "spec").(map[string]any)
	assert.Equal(t, []any{"0 0 2 * * *", true, "plugin"}, []any{backup["schedule"], backup["immediate"], backup["method"]})
	assert.Empty(t, run(t, single(t)).objects("ObjectStore", "ScheduledBackup"))
}

// TestBackupPluginIsTheRelease: the manifest of the plugin's release names images of a test.
func TestBackupPluginIsTheRelease(t *testing.T) {
	var pod corev1.PodTemplateSpec
	run(t, zonal(t)).into(t, &pod, "Deployment", "cnpg-system/barman-cloud", "spec", "template")
	container := pod.Spec.Containers[0]
	assert.Equal(t, postgresql.BackupPluginImage, container.Image)
	assert.Contains(t, container.Env, corev1.EnvVar{Name: "SIDECAR_IMAGE", Value: postgresql.BackupPluginSidecarImage})
	assert.Contains(t, container.Args, "--log-level=info")
	version := zonal(t).BackupPlugin.Manifest.Version
	for _, image := range []string{postgresql.BackupPluginImage, postgresql.BackupPluginSidecarImage} {
		assert.True(t, strings.HasSuffix(image, ":"+version), "%s belongs to %s", image, version)
	}
}

func TestRestore(t *testing.T) {
	g := run(t, restored(t))
	bootstrap := g.field(t, "Cluster", cluster, "spec", "bootstrap").(map[string]any)
	assert.NotContains(t, bootstrap, "initdb")
	recovery := bootstrap["recovery"].(map[string]any)
	assert.Equal(t, map[string]any{"targetTime": "2026-11-02T09:30:00Z"}, recovery["recoveryTarget"])
	assert.Equal(t, []any{"iris", "iris", map[string]any{"name": "platform-user-iris"}},
		[]any{recovery["database"], recovery["owner"], recovery["secret"]}, "the restored role gets the new password")
	origin := g.field(t, "Cluster", cluster, "spec", "externalClusters").([]any)[0].(map[string]any)
	assert.Equal(t, recovery["source"], origin["name"])
	assert.Equal(t, map[string]any{"barmanObjectName": "platform-recovery", "serverName": "platform"},
		origin["plugin"].(map[string]any)["parameters"])
	archiver := g.field(t, "Cluster", cluster, "spec", "plugins").([]any)[0].(map[string]any)
	assert.Equal(t, "platform-restored", archiver["parameters"].(map[string]any)["serverName"], "not over what it comes from")
	// On Amazon S3 the pods' role opens the bucket, and there are no keys.
	assert.Equal(t, "arn:aws:iam::123456789012:role/backups",
		g.field(t, "Cluster", cluster, "spec", "serviceAccountTemplate", "metadata", "annotations", "eks.amazonaws.com/role-arn"))
	for _, name := range []string{"platform-backup", "platform-recovery"} {
		configuration := g.field(t, "ObjectStore", "postgresql/"+name, "spec", "configuration").(map[string]any)
		assert.Equal(t, map[string]any{"inheritFromIAMRole": true}, configuration["s3Credentials"])
		assert.NotContains(t, configuration, "endpointURL")
	}
}
