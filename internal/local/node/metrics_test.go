package node_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/tests/metrics"
)

// What the platform's rules and dashboards ask of these programs, they have.
func TestMetrics(t *testing.T) {
	withCertManager(t)
	require.NoError(t, installTrustManager())
	ns := namespace(t, nil)
	create(t,
		`{apiVersion: cert-manager.io/v1, kind: Issuer, metadata: {name: root, namespace: `+ns+`}, spec: {selfSigned: {}}}`,
		`{apiVersion: cert-manager.io/v1, kind: Certificate, metadata: {name: ca, namespace: `+ns+`},
		  spec: {isCA: true, commonName: test, secretName: ca, issuerRef: {name: root}}}`,
		`{apiVersion: cert-manager.io/v1, kind: Issuer, metadata: {name: broken, namespace: `+ns+`}, spec: {ca: {secretName: missing}}}`,
		`{apiVersion: cert-manager.io/v1, kind: ClusterIssuer, metadata: {name: counted}, spec: {selfSigned: {}}}`)
	bundle := parse(t, `{apiVersion: trust.cert-manager.io/v1alpha1, kind: Bundle, metadata: {name: counted},
	  spec: {sources: [{useDefaultCAs: true}], target: {configMap: {key: bundle.pem}, namespaceSelector: {matchLabels: {never: asked}}}}}`)
	c := objects(t)
	require.NoError(t, applyOnceServed(t.Context(), c, bundle), "the webhook of trust-manager does not answer")
	t.Cleanup(func() { assert.NoError(t, c.Delete(context.Background(), bundle)) })

	exposes(t, "cert-manager", "cert-manager-")
	exposes(t, "controller-runtime", "trust-manager-")
}

// exposes asks pods until their answers have all of a source's list: only a replica that leads has all of it.
func exposes(t *testing.T, from, pods string) {
	t.Helper()
	var answers [][]byte
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		answers = nil
		for _, pod := range processes(certManager, pods) {
			if port := pod.Ports[9402]; port != 0 {
				answers = append(answers, read(port))
			}
		}
		if len(metrics.Missing(from, answers...)) == 0 {
			break
		}
	}
	metrics.Require(t, from, answers...)
}

// read is what a process answers, and nothing while it does not.
func read(port int) []byte {
	response, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/metrics", port))
	if err != nil {
		return nil
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return nil
	}
	return content
}
