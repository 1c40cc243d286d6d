//go:build e2e

package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/telekom/controlplane-infrastructure/automation"
	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

const (
	// clientNamespace is where consumers of the data stores run: the Control Plane itself.
	clientNamespace = "controlplane-system"
	// consumer is the Secret with what the stack hands to them, trust the one with the certificates that they trust.
	consumer = "e2e-consumer"
	trust    = "e2e-trust"
)

// trustFile is where clients find the trust bundle, under bundleKey of its Secret.
const (
	trustFile = "/trust/" + bundleKey
	bundleKey = "ca.crt"
)

// clients are scripts that use the data stores as a consumer does: by the endpoint and the credentials of the outputs,
// over TLS that the trust bundle verifies. What is written first must be there when all pods have been lost, but for the
// cache, which need not outlive its pods.
var clients = map[string]struct {
	workload, namespace  string // the StatefulSet whose image has the client; none: the database's
	write, refuse, again string
}{
	"database": {
		write: `psql "$DATABASE_URL" -v ON_ERROR_STOP=1 -c "create table e2e (what text); insert into e2e values ('kept')"`,
		again: `test "$(psql "$DATABASE_URL" -Atc 'select what from e2e')" = kept`,
		// Another consumer's database, and no TLS.
		refuse: `! psql "$(echo "$DATABASE_URL" | sed 's#/controlplane?#/iris?#')" -c 'select 1' &&
			! psql "$(echo "$DATABASE_URL" | sed 's#sslmode=verify-full#sslmode=disable#')" -c 'select 1'`,
	},
	"cache": {
		workload: "valkey", namespace: "valkey",
		write: `valkey-cli --no-auth-warning --tls --cacert ` + trustFile + ` -h "$REDIS_HOST" set e2e kept | grep -q OK`,
		again: `valkey-cli --no-auth-warning --tls --cacert ` + trustFile + ` -h "$REDIS_HOST" set e2e again | grep -q OK`,
		refuse: `valkey-cli --no-auth-warning --tls --cacert ` + trustFile + ` -h "$REDIS_HOST" flushall | grep -q NOPERM &&
			! valkey-cli --no-auth-warning -h "$REDIS_HOST" ping`,
	},
	"files": {
		workload: "minio", namespace: "minio",
		write:  `export MC_HOST_e2e="https://$S3_ACCESS_KEY:$S3_SECRET_KEY@$S3_ENDPOINT"; echo kept | mc pipe "e2e/$S3_BUCKET/e2e"`,
		again:  `export MC_HOST_e2e="https://$S3_ACCESS_KEY:$S3_SECRET_KEY@$S3_ENDPOINT"; test "$(mc cat "e2e/$S3_BUCKET/e2e")" = kept`,
		refuse: `export MC_HOST_e2e="https://$S3_ACCESS_KEY:$S3_SECRET_KEY@$S3_ENDPOINT"; ! mc mb e2e/other && ! mc rb --force "e2e/$S3_BUCKET"`,
	},
}

// prepareClients gives clients what the stack hands to consumers.
func prepareClients(t *testing.T, cluster *verify.Cluster, options automation.Options, up *automation.Result) {
	outputs, err := automation.Outputs(cluster.Context(), options)
	require.NoError(t, err)
	controlPlane := func(output string) map[string][]byte {
		secret, err := cluster.Clients.CoreV1().Secrets(clientNamespace).Get(cluster.Context(), outputs[output].Value.(string), metav1.GetOptions{})
		require.NoError(t, err)
		return secret.Data
	}
	redis, keys := outputs["redis"].Value.(map[string]any), controlPlane("s3CredentialsSecretName")
	secrets := cluster.Clients.CoreV1().Secrets(clientNamespace)
	_, err = secrets.Create(cluster.Context(), &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: trust}, StringData: map[string]string{bundleKey: trusted(t, cluster, up)},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	_, err = secrets.Create(cluster.Context(), &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: consumer},
		StringData: map[string]string{
			"DATABASE_URL": string(controlPlane("controlplaneDbSecretName")["url"]), "PGSSLROOTCERT": trustFile,
			"REDIS_HOST": redis["host"].(string), "REDISCLI_AUTH": redis["password"].(string), "VALKEYCLI_AUTH": redis["password"].(string),
			"S3_ENDPOINT": outputs["s3Endpoint"].Value.(string), "S3_BUCKET": outputs["s3Bucket"].Value.(string),
			"S3_ACCESS_KEY": string(keys["accessKey"]), "S3_SECRET_KEY": string(keys["secretKey"]),
			"SSL_CERT_FILE": trustFile, "HOME": "/tmp",
		},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
}

// runClient runs a script with the image of one of the data stores and expects it to succeed.
func runClient(t *testing.T, cluster *verify.Cluster, client, step, script string) {
	t.Helper()
	runner := pod(client+"-"+step, clientImage(t, cluster, client))
	c := &runner.Spec.Containers[0]
	c.Command, c.Args = []string{"sh", "-c", script}, nil
	user := int64(10001)
	runner.Spec.SecurityContext.RunAsUser = &user
	c.EnvFrom = []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: consumer}}}}
	runner.Spec.Volumes = []corev1.Volume{
		{Name: "trust", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{
			SecretName: trust, Items: []corev1.KeyToPath{{Key: bundleKey, Path: bundleKey}},
		}}},
		{Name: "tmp", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
	}
	c.VolumeMounts = []corev1.VolumeMount{{Name: "trust", MountPath: "/trust", ReadOnly: true}, {Name: "tmp", MountPath: "/tmp"}}
	phase, log := runToEnd(t, cluster, clientNamespace, runner)
	assert.Equal(t, corev1.PodSucceeded, phase, "%s %s: %s", client, step, log)
}

// runToEnd creates a pod, and tells how it has ended and what it has said.
func runToEnd(t *testing.T, cluster *verify.Cluster, namespace string, runner *corev1.Pod) (phase corev1.PodPhase, log string) {
	t.Helper()
	pods := cluster.Clients.CoreV1().Pods(namespace)
	_, err := pods.Create(cluster.Context(), runner, metav1.CreateOptions{})
	require.NoError(t, err)
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		now, err := pods.Get(cluster.Context(), runner.Name, metav1.GetOptions{})
		if assert.NoError(c, err) {
			phase = now.Status.Phase
			assert.Contains(c, []corev1.PodPhase{corev1.PodSucceeded, corev1.PodFailed}, phase)
		}
	}, verify.Patience, time.Second, "%s comes to an end", runner.Name)
	said, err := pods.GetLogs(runner.Name, &corev1.PodLogOptions{}).DoRaw(cluster.Context())
	require.NoError(t, err)
	return phase, string(said)
}

// trusted are the certificates of the trust bundle.
func trusted(t *testing.T, cluster *verify.Cluster, up *automation.Result) string {
	t.Helper()
	bundle, err := cluster.Clients.CoreV1().ConfigMaps("e2e-reader").Get(cluster.Context(), up.Outputs["trustBundle"].(string), metav1.GetOptions{})
	require.NoError(t, err)
	return bundle.Data[up.Outputs["trustBundleKey"].(string)]
}

// clientImage is an image that the cluster runs already, and that has the client.
func clientImage(t *testing.T, cluster *verify.Cluster, client string) string {
	t.Helper()
	if s := clients[client]; s.workload != "" {
		set, err := cluster.Clients.AppsV1().StatefulSets(s.namespace).Get(cluster.Context(), s.workload, metav1.GetOptions{})
		require.NoError(t, err)
		return set.Spec.Template.Spec.Containers[0].Image
	}
	pods, err := cluster.Clients.CoreV1().Pods("postgresql").List(cluster.Context(), metav1.ListOptions{LabelSelector: "cnpg.io/podRole=instance"})
	require.NoError(t, err)
	require.NotEmpty(t, pods.Items)
	return pods.Items[0].Spec.Containers[0].Image
}
