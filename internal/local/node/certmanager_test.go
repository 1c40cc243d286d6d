package node_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/telekom/controlplane-infrastructure/internal/artifact"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
)

const certManager = "cert-manager"

// installCertManager installs cert-manager's chart as it is, but for replicas and for a lease that is lost quickly.
var installCertManager = sync.OnceValue(func() error {
	return install(certManager, "github.com/cert-manager/cert-manager", "deploy/charts/cert-manager", map[string]any{
		"crds":         map[string]any{"enabled": true},
		"replicaCount": 2,
		"global": map[string]any{"leaderElection": map[string]any{
			"namespace": certManager, "leaseDuration": "4s", "renewDeadline": "3s", "retryPeriod": "500ms",
		}},
	})
})

var installTrustManager = sync.OnceValue(func() error {
	return install("trust-manager", "github.com/cert-manager/trust-manager", "deploy/charts/trust-manager", map[string]any{
		"defaultPackageImage": map[string]any{"tag": "20250419.0"},
		"app":                 map[string]any{"trust": map[string]any{"namespace": certManager}},
	})
})

// install renders a chart and applies everything in it, without waiting for anything.
func install(release, module, path string, values map[string]any) error {
	ctx := context.Background()
	root, err := artifact.FindRoot()
	if err != nil {
		return err
	}
	store, err := artifact.Open(root)
	if err != nil {
		return err
	}
	tree, err := store.Fetch(ctx, artifact.Ref{Module: module, Path: path}, nil)
	if err != nil {
		return err
	}
	chart := manifest.Chart{
		Tree: tree, Release: release, Namespace: certManager, Version: tree.Version, AppVersion: tree.Version, Values: values,
	}
	set, err := chart.Render()
	if err != nil {
		return err
	}
	c, err := client.New(cluster.REST(), client.Options{})
	if err != nil {
		return err
	}
	home := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": certManager},
	}}
	if err := apply(ctx, c, home); err != nil {
		return err
	}
	for _, object := range set.All() {
		if err := applyOnceServed(ctx, c, object.Unstructured); err != nil {
			return fmt.Errorf("%s: %w", object, err)
		}
	}
	return nil
}

// applyOnceServed is patient with kinds whose definition was applied a moment ago, and webhooks of starting programs.
func applyOnceServed(ctx context.Context, c client.Client, object *unstructured.Unstructured) (err error) {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		if err = apply(ctx, c, object.DeepCopy()); err == nil {
			return nil
		}
	}
	return err
}

// withCertManager returns when cert-manager's own check has found its API working.
func withCertManager(t *testing.T) {
	t.Helper()
	require.NoError(t, installCertManager())
	c := clientset(t)
	eventually(t, func() string {
		job, err := c.BatchV1().Jobs(certManager).Get(t.Context(), "cert-manager-startupapicheck", metav1.GetOptions{})
		if err != nil {
			return err.Error()
		}
		for _, condition := range job.Status.Conditions {
			if condition.Type == batchv1.JobComplete && condition.Status == corev1.ConditionTrue {
				return ""
			}
		}
		return fmt.Sprintf("the API check has not succeeded: %+v; processes: %+v", job.Status, cluster.Pods())
	})
}

func TestAPICheckSucceedsByTheRealProgram(t *testing.T) {
	withCertManager(t)

	pods, err := clientset(t).CoreV1().Pods(certManager).List(t.Context(), metav1.ListOptions{LabelSelector: "app.kubernetes.io/component=startupapicheck"})
	require.NoError(t, err)
	require.NotEmpty(t, pods.Items)
	assert.Equal(t, corev1.PodSucceeded, pods.Items[0].Status.Phase)
	check := processes(certManager, pods.Items[0].Name)
	require.Len(t, check, 1)
	log, err := os.ReadFile(check[0].Log)
	require.NoError(t, err)
	assert.Contains(t, string(log), "the cert-manager API is ready")
}

func TestChainIsIssued(t *testing.T) {
	withCertManager(t)
	ns := namespace(t, nil)
	create(t,
		`{apiVersion: cert-manager.io/v1, kind: Issuer, metadata: {name: root, namespace: `+ns+`}, spec: {selfSigned: {}}}`,
		`{apiVersion: cert-manager.io/v1, kind: Certificate, metadata: {name: ca, namespace: `+ns+`},
		  spec: {isCA: true, commonName: test, secretName: ca, issuerRef: {name: root}}}`,
		`{apiVersion: cert-manager.io/v1, kind: Issuer, metadata: {name: ca, namespace: `+ns+`}, spec: {ca: {secretName: ca}}}`,
		`{apiVersion: cert-manager.io/v1, kind: Certificate, metadata: {name: leaf, namespace: `+ns+`},
		  spec: {dnsNames: [app.example.test], secretName: leaf, issuerRef: {name: ca}}}`)

	authority, leaf := secret(t, ns, "ca"), secret(t, ns, "leaf")
	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(authority.Data["tls.crt"]))
	_, err := certificate(t, leaf.Data["tls.crt"]).Verify(x509.VerifyOptions{Roots: roots, DNSName: "app.example.test"})
	assert.NoError(t, err, "the leaf is not signed by the authority")
}

// secret waits until cert-manager has written the secret of a certificate.
func secret(t *testing.T, namespace, name string) *corev1.Secret {
	t.Helper()
	var found *corev1.Secret
	eventually(t, func() string {
		var err error
		found, err = clientset(t).CoreV1().Secrets(namespace).Get(t.Context(), name, metav1.GetOptions{})
		if err != nil {
			return err.Error()
		}
		if len(found.Data["tls.crt"]) == 0 {
			return "secret " + name + " is empty"
		}
		return ""
	})
	return found
}

func certificate(t *testing.T, text []byte) *x509.Certificate {
	t.Helper()
	block, _ := pem.Decode(text)
	require.NotNil(t, block)
	parsed, err := x509.ParseCertificate(block.Bytes)
	require.NoError(t, err)
	return parsed
}

func TestWebhookRefusesBadCertificate(t *testing.T) {
	withCertManager(t)
	ns := namespace(t, nil)
	err := apply(t.Context(), objects(t), parse(t,
		`{apiVersion: cert-manager.io/v1, kind: Certificate, metadata: {name: bad, namespace: `+ns+`},
		  spec: {secretName: bad, issuerRef: {name: none}}}`))
	assert.ErrorContains(t, err, `admission webhook "webhook.cert-manager.io" denied the request`)
	assert.ErrorContains(t, err, "at least one of commonName")
}

func TestAuthorityIsInjectedIntoWebhooks(t *testing.T) {
	withCertManager(t)
	configuration, err := clientset(t).AdmissionregistrationV1().ValidatingWebhookConfigurations().Get(t.Context(), "cert-manager-webhook", metav1.GetOptions{})
	require.NoError(t, err)
	authority := secret(t, certManager, "cert-manager-webhook-ca")
	assert.Equal(t, string(authority.Data["ca.crt"]), string(configuration.Webhooks[0].ClientConfig.CABundle))
}

func TestBundleIsSynced(t *testing.T) {
	withCertManager(t)
	require.NoError(t, installTrustManager())
	ns := namespace(t, map[string]string{"wants": "bundle"})
	bundle := parse(t, `{apiVersion: trust.cert-manager.io/v1alpha1, kind: Bundle, metadata: {name: roots},
	  spec: {sources: [{useDefaultCAs: true}, {secret: {name: cert-manager-webhook-ca, key: ca.crt}}],
	         target: {configMap: {key: bundle.pem}, namespaceSelector: {matchLabels: {wants: bundle}}}}}`)
	c := objects(t)
	require.NoError(t, applyOnceServed(t.Context(), c, bundle), "the webhook of trust-manager does not answer")
	t.Cleanup(func() { assert.NoError(t, c.Delete(context.Background(), bundle)) })

	own := secret(t, certManager, "cert-manager-webhook-ca").Data["ca.crt"]
	eventually(t, func() string {
		synced, err := clientset(t).CoreV1().ConfigMaps(ns).Get(t.Context(), "roots", metav1.GetOptions{})
		if err != nil {
			return err.Error()
		}
		text := synced.Data["bundle.pem"]
		if public := strings.Count(text, "BEGIN CERTIFICATE"); public < 100 {
			return fmt.Sprintf("the bundle has %d certificates: the public roots are missing", public)
		}
		if !strings.Contains(text, string(bytes.TrimSpace(own))) {
			return "the bundle lacks the authority of the secret"
		}
		return ""
	})
	bad := parse(t, `{apiVersion: trust.cert-manager.io/v1alpha1, kind: Bundle, metadata: {name: bad},
	  spec: {sources: [{useDefaultCAs: true}, {useDefaultCAs: true}], target: {configMap: {key: x}}}}`)
	assert.ErrorContains(t, apply(t.Context(), c, bad), "must request default CAs either once or not at all")
}

func TestAnotherReplicaTakesOver(t *testing.T) {
	withCertManager(t)
	c := clientset(t)
	holder := func() string {
		lease, err := c.CoordinationV1().Leases(certManager).Get(t.Context(), "cert-manager-controller", metav1.GetOptions{})
		if err != nil || lease.Spec.HolderIdentity == nil {
			return ""
		}
		return *lease.Spec.HolderIdentity
	}
	before := holder()
	require.NotEmpty(t, before)
	leader := leading(t)
	require.NoError(t, syscall.Kill(leader, syscall.SIGKILL))

	eventually(t, func() string {
		if now := holder(); now == "" || now == before {
			return "the lease is still held by " + before
		}
		return ""
	})
	ns := namespace(t, nil)
	create(t,
		`{apiVersion: cert-manager.io/v1, kind: Issuer, metadata: {name: root, namespace: `+ns+`}, spec: {selfSigned: {}}}`,
		`{apiVersion: cert-manager.io/v1, kind: Certificate, metadata: {name: after, namespace: `+ns+`},
		  spec: {commonName: after, secretName: after, issuerRef: {name: root}}}`)
	assert.Equal(t, "after", certificate(t, secret(t, ns, "after").Data["tls.crt"]).Subject.CommonName)

	eventually(t, func() string {
		pods, err := c.CoreV1().Pods(certManager).List(t.Context(), metav1.ListOptions{LabelSelector: "app.kubernetes.io/component=controller"})
		if err != nil {
			return err.Error()
		}
		for _, pod := range pods.Items {
			if status := pod.Status.ContainerStatuses[0]; status.RestartCount == 1 && status.Ready {
				return ""
			}
		}
		return "the killed process is not restarted"
	})
}

// leading returns the process of the controller that holds the lease: the one whose log says so.
func leading(t *testing.T) int {
	t.Helper()
	for _, process := range processes(certManager, "cert-manager-") {
		log, err := os.ReadFile(process.Log)
		require.NoError(t, err)
		since := max(0, bytes.LastIndex(log, []byte("--- ")))
		if strings.Contains(process.Image, "controller") && bytes.Contains(log[since:], []byte("Successfully acquired lease")) {
			return process.PID
		}
	}
	require.Fail(t, "no controller has become the leader")
	return 0
}

func TestRealWebhookThatIsNotReadyRefuses(t *testing.T) {
	ns := namespace(t, map[string]string{"checked-by": "nobody"})
	c := clientset(t)
	// Its pods wait for a secret that never comes.
	deploy(t, c, ns, "quay.io/jetstack/cert-manager-webhook:v1.21.2", corev1.Volume{Name: "never", VolumeSource: corev1.VolumeSource{
		Secret: &corev1.SecretVolumeSource{SecretName: "never"},
	}})
	webhook(t, c, ns, nil)
	eventually(t, func() string {
		_, err := c.CoreV1().ConfigMaps(ns).Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{GenerateName: "x-"}}, metav1.CreateOptions{})
		if err == nil {
			return "the API server does not ask the webhook"
		}
		assert.ErrorContains(t, err, "connection refused")
		return ""
	})
	removeWebhook(t, c, ns)
}
