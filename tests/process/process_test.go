package process_test

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/telekom/controlplane-infrastructure/internal/certmanager"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
	"github.com/telekom/controlplane-infrastructure/tests/process"
	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

const script = `echo "$GREETING from $POD at $ADDRESS to $(cat /etc/app/peer)"
cat /etc/app/tls.crt >/data/crt; cat /trust/ca-certificates.crt >/data/ca; cat /etc/app/password >/data/password
echo started >>/data/starts; echo started >>/scratch/starts
tool
trap 'exit 7' TERM; while :; do sleep 0.05; done`

// program is a StatefulSet that mounts everything a kubelet can give it.
func program(ctx *pulumi.Context) error {
	common, err := process.Common(ctx, workload.Single)
	if err != nil {
		return err
	}
	secret, err := common.Password(ctx, nil, "app-password")
	if err != nil {
		return err
	}
	meta := metav1.ObjectMeta{Namespace: "app", Name: "app"}
	mount := func(name, path string) corev1.VolumeMount { return corev1.VolumeMount{Name: name, MountPath: path} }
	set, err := manifest.Typed(
		workload.Namespace("app", common.NamespaceLabels()),
		&corev1.ConfigMap{ObjectMeta: meta, Data: map[string]string{"run.sh": script, "peer": "peer.app.svc"}},
		&corev1.Secret{ObjectMeta: meta},
		certmanager.Leaf{
			Namespace: "app", Name: "app-tls", ClusterIssuer: common.Issuer, DNSNames: []string{"app.app.svc"}, Usages: []string{"server auth"},
		}.Object(),
		&appsv1.StatefulSet{ObjectMeta: meta, Spec: appsv1.StatefulSetSpec{
			VolumeClaimTemplates: []corev1.PersistentVolumeClaim{{ObjectMeta: metav1.ObjectMeta{Name: "data"}}},
			Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{
				Containers: []corev1.Container{{
					Name: "app", Command: []string{"sh", "/etc/app/run.sh"},
					Env: []corev1.EnvVar{
						{Name: "POD", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.name"}}},
						{Name: "ADDRESS", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "status.podIP"}}},
						{Name: "GREETING", Value: "hello $(POD)"},
					},
					VolumeMounts: []corev1.VolumeMount{
						mount("config", "/etc/app"), mount("data", "/data"), mount("scratch", "/scratch"), mount("trust", "/trust"),
					},
				}},
				Volumes: []corev1.Volume{
					{Name: "scratch", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
					{Name: "trust", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
						LocalObjectReference: corev1.LocalObjectReference{Name: common.Trust.ConfigMap}}}},
					{Name: "config", VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{
						{ConfigMap: &corev1.ConfigMapProjection{LocalObjectReference: corev1.LocalObjectReference{Name: "app"}}},
						{Secret: &corev1.SecretProjection{LocalObjectReference: corev1.LocalObjectReference{Name: "app"}}},
						{Secret: &corev1.SecretProjection{LocalObjectReference: corev1.LocalObjectReference{Name: "app-tls"}}},
					}}}},
				},
			}},
		}},
	)
	if err != nil {
		return err
	}
	set.Find("Secret", "app").Set(secret, "stringData", "password")
	_, err = common.Registrar(ctx, nil).Register(set)
	return err
}

func start(t *testing.T, ca verify.CA) (*process.Process, string) {
	t.Helper()
	dir := t.TempDir()
	tool := filepath.Join(t.TempDir(), "tool")
	require.NoError(t, os.WriteFile(tool, []byte("#!/bin/sh\necho the tool was here\n"), 0o755))
	objects := process.Render(t, ca, program)
	p := objects.Start(t, process.Spec{
		Workload: "StatefulSet/app", Ordinal: 1, Dir: dir, Address: "127.0.1.9",
		Replace: []string{"peer.app.svc", "127.0.1.10"}, Programs: map[string]string{"tool": tool},
	})
	require.Eventually(t, func() bool { return strings.Contains(p.Log(), "the tool was here") }, 5*time.Second, 20*time.Millisecond)
	return p, dir
}

func TestContainerSeesWhatIsMounted(t *testing.T) {
	ca := verify.NewCA(t, "test")
	p, dir := start(t, ca)
	assert.Contains(t, p.Log(), "hello app-1 from app-1 at 127.0.1.9 to 127.0.1.10\n")
	claim := filepath.Join(dir, "claims", "data-app-1")
	read := func(name string) string {
		data, err := os.ReadFile(filepath.Join(claim, name))
		require.NoError(t, err)
		return string(data)
	}
	assert.Len(t, read("password"), 32)
	assert.Equal(t, ca.Certificate, read("ca"))
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(ca.Certificate))
	secret := process.Render(t, ca, program).Data("Secret", "app-tls")
	pair, err := tls.X509KeyPair([]byte(secret["tls.crt"]), []byte(secret["tls.key"]))
	require.NoError(t, err)
	_, err = pair.Leaf.Verify(x509.VerifyOptions{DNSName: "app.app.svc", Roots: roots})
	assert.NoError(t, err, "a certificate of the test's authority")
	_, err = pair.Leaf.Verify(x509.VerifyOptions{DNSName: "other.app.svc", Roots: roots})
	assert.Error(t, err, "with the names that were asked for and no other")
}

func TestLifeOfAPod(t *testing.T) {
	p, dir := start(t, verify.NewCA(t, "test"))
	count := func(path string) int {
		data, err := os.ReadFile(filepath.Join(dir, path))
		require.NoError(t, err)
		return len(data) / len("started\n")
	}
	again := func(starts int) {
		require.Eventually(t, func() bool { return count("claims/data-app-1/starts") == starts }, 5*time.Second, 20*time.Millisecond)
	}
	p.Stop()
	assert.Equal(t, 7, p.Wait(time.Second), "it was asked to end before it was killed")
	p.Restart()
	again(2)
	require.Eventually(t, func() bool { return count("scratch/scratch/starts") == 2 }, 5*time.Second, 20*time.Millisecond)
	p.Replace()
	again(3)
	require.Eventually(t, func() bool { return count("scratch/scratch/starts") == 1 }, 5*time.Second, 20*time.Millisecond,
		"a new pod has an empty directory, but its claim")
	p.Kill()
	assert.False(t, p.Running())
}
