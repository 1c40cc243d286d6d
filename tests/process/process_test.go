package process_test

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

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
	_, p, dir := startAll(t, ca)
	return p, dir
}

func startAll(t *testing.T, ca verify.CA) (*process.Objects, *process.Process, string) {
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
	return objects, p, dir
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

// A projected volume changes as a kubelet changes it: all at once behind a link, and the old version goes.
func TestProjectedVolumeIsReplacedInOneStep(t *testing.T) {
	objects, p, dir := startAll(t, verify.NewCA(t, "test"))
	volume := filepath.Join(dir, "mounted", "app", "config")
	version := func() string {
		target, err := os.Readlink(filepath.Join(volume, "..data"))
		require.NoError(t, err)
		return target
	}
	first := version()
	target, err := os.Readlink(filepath.Join(volume, "tls.crt"))
	require.NoError(t, err)
	assert.Equal(t, "..data/tls.crt", target)
	p.Refresh()
	assert.Equal(t, first, version(), "nothing has changed")
	before, err := os.ReadFile(filepath.Join(volume, "tls.crt"))
	require.NoError(t, err)

	objects.Renew()
	p.Refresh()
	assert.NotEqual(t, first, version())
	assert.NoDirExists(t, filepath.Join(volume, first))
	after, err := os.ReadFile(filepath.Join(volume, "tls.crt"))
	require.NoError(t, err)
	assert.NotEqual(t, string(before), string(after))
}

func TestVariablesOfTheMachine(t *testing.T) {
	objects := process.Render(t, verify.NewCA(t, "test"), program)
	tool := filepath.Join(t.TempDir(), "tool")
	require.NoError(t, os.WriteFile(tool, []byte("#!/bin/sh\necho \"$KUBECONFIG and $GREETING\"\n"), 0o755))
	p := objects.Start(t, process.Spec{
		Workload: "StatefulSet/app", Dir: t.TempDir(), Address: "127.0.1.9", Programs: map[string]string{"tool": tool},
		Env: map[string]string{"KUBECONFIG": "/etc/app/peer"},
	})
	require.Eventually(t, func() bool { return strings.Contains(p.Log(), "/etc/app/peer and hello app-0") }, 5*time.Second, 20*time.Millisecond)
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

func TestImageOfADistribution(t *testing.T) {
	distribution, pod := t.TempDir(), t.TempDir()
	for _, path := range []string{"bin/run.sh", "lib/build/original", "lib/library"} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(distribution, path)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(distribution, path), []byte(path), 0o755))
	}
	volume, image := filepath.Join(pod, "volume"), filepath.Join(pod, "image")
	require.NoError(t, os.Mkdir(volume, 0o755))
	process.Image(t, distribution, image, map[string]string{"lib/build": volume, "data": volume})
	require.NoError(t, os.WriteFile(filepath.Join(image, "data", "made"), nil, 0o644))

	for _, path := range []string{"bin/run.sh", "lib/library", "lib/build/made"} {
		assert.FileExists(t, filepath.Join(image, path))
	}
	own, err := filepath.EvalSymlinks(filepath.Join(image, "bin", "run.sh"))
	require.NoError(t, err)
	assert.Equal(t, filepath.Join(image, "bin", "run.sh"), own, "a program finds what lies beside it in the image")
	assert.NoFileExists(t, filepath.Join(image, "lib", "build", "original"), "a volume hides what the image has there")
	assert.NoFileExists(t, filepath.Join(distribution, "data", "made"))
}

func TestReadinessByRequest(t *testing.T) {
	healthy := false
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/ready" || !healthy {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer server.Close()
	host, text, err := net.SplitHostPort(server.Listener.Addr().String())
	require.NoError(t, err)
	port, err := strconv.Atoi(text)
	require.NoError(t, err)
	objects := process.Render(t, verify.NewCA(t, "test"), func(ctx *pulumi.Context) error {
		common, err := process.Common(ctx, workload.Single)
		if err != nil {
			return err
		}
		set, err := manifest.Typed(&appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: "app", Name: "app"}, Spec: appsv1.DeploymentSpec{
			Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{Containers: []corev1.Container{{
				Name: "app", Command: []string{"sleep", "60"}, Ports: []corev1.ContainerPort{{Name: "health", ContainerPort: int32(port)}},
				ReadinessProbe: &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{
					Path: "/ready", Port: intstr.FromString("health"), Scheme: corev1.URISchemeHTTPS,
				}}},
			}}}},
		}})
		if err != nil {
			return err
		}
		_, err = common.Registrar(ctx, nil).Register(set)
		return err
	})
	p := objects.Start(t, process.Spec{Workload: "Deployment/app", Dir: t.TempDir(), Address: host})
	assert.ErrorContains(t, p.Ready(t.Context()), "503")
	healthy = true
	assert.NoError(t, p.Ready(t.Context()))
}
