//go:build e2e

package e2e

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/telekom/controlplane-infrastructure/automation"
	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

var (
	bundles = schema.GroupVersionResource{Group: "trust.cert-manager.io", Version: "v1alpha1", Resource: "bundles"}
	rules   = schema.GroupVersionResource{Group: "monitoring.coreos.com", Version: "v1", Resource: "prometheusrules"}
)

// bundleLabel is the label that asks for the trust bundle, as the stack's output gives it.
func bundleLabel(t *testing.T, up *automation.Result) map[string]string {
	t.Helper()
	label, err := labels.ConvertSelectorToLabelsMap(up.Outputs["trustBundleLabel"].(string))
	require.NoError(t, err)
	return label
}

// refusals asks for what the definitions of the resources let pass and only the webhooks' own checks find.
func refusals(t *testing.T, cluster *verify.Cluster) {
	dryRun := metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}}
	_, err := cluster.Dynamic.Resource(verify.Certificates).Namespace("e2e-app").Create(cluster.Context(), &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "metadata": map[string]any{"name": "nameless"},
		"spec": map[string]any{
			"secretName": "nameless", // and no name that it could be for
			"issuerRef":  map[string]any{"name": "platform-ca", "kind": "ClusterIssuer", "group": "cert-manager.io"},
		},
	}}, dryRun)
	assert.ErrorContains(t, err, `admission webhook "webhook.cert-manager.io" denied the request`)

	_, err = cluster.Dynamic.Resource(bundles).Create(cluster.Context(), &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "trust.cert-manager.io/v1alpha1", "kind": "Bundle", "metadata": map[string]any{"name": "e2e"},
		"spec": map[string]any{
			"sources": []any{map[string]any{"useDefaultCAs": true}, map[string]any{"useDefaultCAs": true}},
			"target":  map[string]any{"configMap": map[string]any{"key": "ca.crt"}},
		},
	}}, dryRun)
	assert.ErrorContains(t, err, `admission webhook "trust.cert-manager.io" denied the request`)

	_, err = cluster.Dynamic.Resource(rules).Namespace("e2e-app").Create(cluster.Context(), &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "monitoring.coreos.com/v1", "kind": "PrometheusRule", "metadata": map[string]any{"name": "broken"},
		"spec": map[string]any{"groups": []any{map[string]any{
			"name": "broken", "rules": []any{map[string]any{"alert": "Broken", "expr": "sum(up"}},
		}}},
	}}, dryRun)
	assert.ErrorContains(t, err, "prometheusrule")
}
