package exporters_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/telekom/controlplane-infrastructure/tests/metrics"
	"github.com/telekom/controlplane-infrastructure/tests/process"
	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

// The node exporter answers Prometheus, and nobody else.
func TestNodeExporter(t *testing.T) {
	ca := verify.NewCA(t, "platform")
	o := render(t, ca, arguments())
	onThisMachine(t, o)
	const port, url, name = 9100, "https://node-exporter:9100/metrics", "node-exporter.node-exporter.svc"
	address := process.Address(t, port)
	o.Start(t, process.Spec{
		Workload: "Deployment/node-exporter", Dir: t.TempDir(), Address: address,
		Programs: map[string]string{"": process.Programs(t, "node-exporter")["node-exporter"]},
		Replace: []string{
			"--web.listen-address=:", "--web.listen-address=" + address + ":",
			"--path.rootfs=/host/root", "--path.rootfs=/", "/host/root/", "/",
		},
	})
	prometheus := scraper(ca, address, name, pair(t, o, "prometheus-client-tls"))
	var answer []byte
	require.Eventually(t, func() bool {
		var err error
		answer, err = scrape(prometheus, url)
		return err == nil
	}, 30*time.Second, 100*time.Millisecond)
	metrics.Require(t, "node-exporter", answer)

	_, err := scrape(scraper(ca, address, name), url)
	require.ErrorContains(t, err, "tls: ", "without a certificate")
	for what, template := range map[string]x509.Certificate{
		"a client of the platform that is not Prometheus": {
			DNSNames: []string{"other.monitoring.svc"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		},
		"Prometheus' certificate as a server": {
			DNSNames: []string{"prometheus.monitoring.svc"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		},
	} {
		_, err := scrape(scraper(ca, address, name, issued(t, ca, template)), url)
		assert.ErrorContains(t, err, "tls: ", what)
	}
	stranger := issued(t, verify.NewCA(t, "other"), x509.Certificate{
		DNSNames: []string{"prometheus.monitoring.svc"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	_, err = scrape(scraper(ca, address, name, stranger), url)
	require.ErrorContains(t, err, "tls: ", "the right name, from somebody else")
	_, err = scrape(prometheus, url)
	require.NoError(t, err, "Prometheus still gets an answer")
}

func issued(t *testing.T, ca verify.CA, template x509.Certificate) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template.KeyUsage = x509.KeyUsageDigitalSignature
	certificate, private, err := ca.Sign(&template, key)
	require.NoError(t, err)
	pair, err := tls.X509KeyPair(certificate, private)
	require.NoError(t, err)
	return pair
}

// onThisMachine makes of the DaemonSet a Deployment without the file systems of the node, which here are the process' own.
func onThisMachine(t *testing.T, o *process.Objects) {
	t.Helper()
	daemons := o.Find("DaemonSet", "node-exporter")
	daemons.SetKind("Deployment")
	unstructured.RemoveNestedField(daemons.Object, "spec", "updateStrategy")
	pod := []string{"spec", "template", "spec"}
	without := func(list []any, name string) (rest []any) {
		for _, one := range list {
			if one.(map[string]any)["name"] != name {
				rest = append(rest, one)
			}
		}
		return rest
	}
	volumes, _, err := unstructured.NestedSlice(daemons.Object, append(pod, "volumes")...)
	require.NoError(t, err)
	require.NoError(t, unstructured.SetNestedSlice(daemons.Object, without(volumes, "root"), append(pod, "volumes")...))
	containers, _, err := unstructured.NestedSlice(daemons.Object, append(pod, "containers")...)
	require.NoError(t, err)
	container := containers[0].(map[string]any)
	container["volumeMounts"] = without(container["volumeMounts"].([]any), "root")
	require.NoError(t, unstructured.SetNestedSlice(daemons.Object, containers, append(pod, "containers")...))
}
