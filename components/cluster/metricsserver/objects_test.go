package metricsserver_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/telekom/controlplane-infrastructure/components/cluster/metricsserver"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
	"github.com/telekom/controlplane-infrastructure/tests/process"
	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

func deployment(t *testing.T, o *process.Objects) appsv1.Deployment {
	t.Helper()
	var d appsv1.Deployment
	require.NoError(t, runtime.DefaultUnstructuredConverter.FromUnstructured(o.Find("Deployment", "metrics-server").Object, &d))
	return d
}

// Neither the API server nor metrics-server nor Prometheus takes a certificate that it cannot verify.
func TestEveryCertificateIsVerified(t *testing.T) {
	t.Parallel()
	args := arguments(t)
	args.ServiceMonitor = true
	o := render(t, verify.NewCA(t, "platform"), args, workload.Single)

	api := o.Find("APIService", metricsserver.APIService)
	assert.NotContains(t, api.Object["spec"], "insecureSkipTLSVerify")
	assert.NotContains(t, api.Object["spec"], "caBundle", "cert-manager writes it")
	assert.Equal(t, []string{"spec.caBundle"}, api.IgnoreChanges)
	assert.Equal(t, "metrics-server/metrics-server", api.GetAnnotations()["cert-manager.io/inject-ca-from"])
	assert.Equal(t, "condition=Available", api.GetAnnotations()["pulumi.com/waitFor"])

	endpoints, _, err := unstructured.NestedSlice(o.Find("ServiceMonitor", "metrics-server").Object, "spec", "endpoints")
	require.NoError(t, err)
	tls := endpoints[0].(map[string]any)["tlsConfig"].(map[string]any)
	assert.Equal(t, "metrics-server.metrics-server.svc", tls["serverName"])
	assert.NotContains(t, tls, "insecureSkipVerify")

	names, _, err := unstructured.NestedStringSlice(o.Find("Certificate", "metrics-server").Object, "spec", "dnsNames")
	require.NoError(t, err)
	assert.Equal(t, []string{"metrics-server.metrics-server.svc"}, names)

	assert.NotContains(t, deployment(t, o).Spec.Template.Spec.Containers[0].Args, "--kubelet-insecure-tls")
	args.SkipKubeletVerification = true
	o = render(t, verify.NewCA(t, "platform"), args, workload.Single)
	assert.Contains(t, deployment(t, o).Spec.Template.Spec.Containers[0].Args, "--kubelet-insecure-tls", "only if it is asked for")
}

func TestReplicas(t *testing.T) {
	t.Parallel()
	args := arguments(t)
	o := render(t, verify.NewCA(t, "platform"), args, workload.Single)
	assert.Empty(t, o.Of("PodDisruptionBudget"), "a budget for one pod would block drains")
	single := deployment(t, o).Spec.Template.Spec
	assert.Equal(t, "registry.example.com/mirror/metrics-server:v0.8.1", single.Containers[0].Image)
	assert.Equal(t, "512Mi", single.Containers[0].Resources.Limits.Memory().String())
	assert.NotEmpty(t, single.Tolerations, "it leaves a node that has failed soon")

	args.Replicas = 2
	o = render(t, verify.NewCA(t, "platform"), args, workload.Zonal)
	zonal := deployment(t, o).Spec
	assert.EqualValues(t, 2, *zonal.Replicas)
	assert.Equal(t, "topology.kubernetes.io/zone", zonal.Template.Spec.TopologySpreadConstraints[0].TopologyKey)
	assert.Len(t, o.Of("PodDisruptionBudget"), 1)
}

func TestWhatIsMissingIsReported(t *testing.T) {
	t.Parallel()
	err := metricsserver.Args{}.Check()
	assert.ErrorContains(t, err, "Image is missing")
	assert.ErrorContains(t, err, "Replicas must be at least 1")
}
