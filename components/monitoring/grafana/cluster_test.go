package grafana_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/telekom/controlplane-infrastructure/components/monitoring/grafana"
	"github.com/telekom/controlplane-infrastructure/components/monitoring/names"
	"github.com/telekom/controlplane-infrastructure/tests/definitions"
	"github.com/telekom/controlplane-infrastructure/tests/process"
)

// Everything is accepted by a real API server, which enforces Pod Security, and there is nothing to change the second
// time. The pods themselves are simulated.
func TestInACluster(t *testing.T) {
	definitions.Prometheus(t, cluster.REST(), "servicemonitors")
	c, err := client.New(cluster.REST(), client.Options{})
	require.NoError(t, err)
	c = client.WithFieldValidation(c, metav1.FieldValidationStrict)
	for _, kind := range []struct {
		name     string
		args     grafana.Args
		replicas int32
	}{{"single", single(), 1}, {"zonal", zonal(), 2}} {
		t.Run(kind.name, func(t *testing.T) {
			o := rendered(t, kind.args)
			first := applyAll(t, c, o)
			assert.Equal(t, first, applyAll(t, c, o), "what has been applied stays as it is")
			var d appsv1.Deployment
			require.Eventually(t, func() bool {
				err := c.Get(t.Context(), client.ObjectKey{Namespace: names.Namespace, Name: names.Grafana}, &d)
				return err == nil && d.Status.ReadyReplicas == kind.replicas && d.Status.UpdatedReplicas == kind.replicas
			}, time.Minute, 100*time.Millisecond, "the pods are admitted")
			admitted(t, c, d.Spec.Template)
		})
	}
}

// admitted has the API server judge the pod, and one that is as it must not be.
func admitted(t *testing.T, c client.Client, template corev1.PodTemplateSpec) {
	t.Helper()
	pod := &corev1.Pod{ObjectMeta: *template.ObjectMeta.DeepCopy(), Spec: *template.Spec.DeepCopy()}
	pod.Namespace, pod.Name = names.Namespace, "probe"
	require.NoError(t, c.Create(t.Context(), pod.DeepCopy(), client.DryRunAll))
	pod.Spec.Containers[0].SecurityContext.AllowPrivilegeEscalation = new(true)
	err := c.Create(t.Context(), pod, client.DryRunAll)
	require.ErrorContains(t, err, `violates PodSecurity "restricted:latest"`)
}

// applyAll applies all objects, namespaces first, and returns the versions of those that only we change.
func applyAll(t *testing.T, c client.Client, o *process.Objects) map[string]string {
	t.Helper()
	versions := map[string]string{}
	for _, object := range o.InOrder() {
		applied := object.DeepCopy()
		require.NoError(t, c.Apply(t.Context(), client.ApplyConfigurationFromUnstructured(applied),
			client.FieldOwner("test"), client.ForceOwnership), "%s %s", object.GetKind(), object.GetName())
		version := applied.GetResourceVersion()
		switch object.GetKind() {
		case "Namespace", "Deployment", "PersistentVolumeClaim", "PodDisruptionBudget": // their status changes
			version = ""
		}
		versions[object.GetKind()+" "+object.GetName()] = version
	}
	return versions
}
