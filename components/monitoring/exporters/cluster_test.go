package exporters_test

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/telekom/controlplane-infrastructure/components/monitoring/names"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/tests/definitions"
	"github.com/telekom/controlplane-infrastructure/tests/metrics"
	"github.com/telekom/controlplane-infrastructure/tests/process"
	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

// Everything is accepted by a real API server, which enforces Pod Security, and there is nothing to change the second
// time. Then kube-state-metrics runs with no more than its own permissions.
func TestInACluster(t *testing.T) {
	ca := verify.NewCA(t, "platform")
	o := render(t, ca, arguments())
	definitions.Prometheus(t, cluster.REST(), "servicemonitors", "podmonitors", "scrapeconfigs")
	c := objects(t)
	var versions []string
	for range 2 {
		var now []string
		for _, object := range o.InOrder() {
			applied := apply(t, c, object.Unstructured)
			version := applied.GetResourceVersion()
			if slices.Contains([]string{"DaemonSet", "Deployment", "Namespace"}, object.GetKind()) {
				version = strconv.FormatInt(applied.GetGeneration(), 10) // controllers write their status
			}
			now = append(now, object.GetKind()+" "+object.GetName()+" "+version)
		}
		if versions != nil {
			assert.Equal(t, versions, now, "what has been applied stays as it is")
		}
		versions = now
	}
	t.Run("pods of both are admitted, one on each node", func(t *testing.T) { admitted(t, c) })
	t.Run("kube-state-metrics", func(t *testing.T) { stateOfObjects(t, ca, o, c) })
}

func admitted(t *testing.T, c client.Client) {
	var daemons appsv1.DaemonSet
	var deployment appsv1.Deployment
	assert.Eventually(t, func() bool {
		ctx := context.WithoutCancel(t.Context())
		return c.Get(ctx, client.ObjectKey{Namespace: names.NodeExporterNamespace, Name: names.NodeExporter}, &daemons) == nil &&
			c.Get(ctx, client.ObjectKey{Namespace: names.Namespace, Name: names.KubeStateMetrics}, &deployment) == nil &&
			daemons.Status.NumberReady == 9 && deployment.Status.ReadyReplicas == 1
	}, time.Minute, 200*time.Millisecond, "DaemonSet: %+v", daemons.Status)

	// The exception is for what needs it: in the namespace of all else the same pod is refused.
	elsewhere := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Pod", "metadata": map[string]any{"name": "probe", "namespace": names.Namespace},
	}}
	template, err := manifest.Typed(&daemons)
	require.NoError(t, err)
	spec, _, err := unstructured.NestedMap(template.Objects[0].Object, "spec", "template", "spec")
	require.NoError(t, err)
	delete(spec, "serviceAccountName")
	delete(spec, "serviceAccount")
	elsewhere.Object["spec"] = spec
	err = c.Create(t.Context(), elsewhere, client.DryRunAll)
	require.Error(t, err)
	assert.True(t, apierrors.IsForbidden(err), "%v", err)
	assert.ErrorContains(t, err, `violates PodSecurity "restricted:latest"`)
	assert.ErrorContains(t, err, "hostPID=true")
}

// someObjects are one of each kind that kube-state-metrics reports and that the cluster does not have.
const someObjects = `
apiVersion: v1
kind: Namespace
metadata: {name: sample}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: sample, namespace: sample}
spec:
  serviceName: sample
  selector: {matchLabels: {app: set}}
  template:
    metadata: {labels: {app: set}}
    spec:
      containers:
      - name: main
        image: registry.example.com/sample:1
        resources: {requests: {cpu: 10m, memory: 10Mi}, limits: {cpu: 10m, memory: 10Mi}}
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: sample, namespace: sample}
spec:
  schedule: "* * * * *"
  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: main, image: registry.example.com/sample:1}]}}}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: sample, namespace: sample}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: main, image: registry.example.com/sample:1}]}}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: late, namespace: sample}
spec:
  activeDeadlineSeconds: 1
  template: {spec: {restartPolicy: Never, nodeSelector: {no: node}, containers: [{name: main, image: registry.example.com/sample:1}]}}
---
apiVersion: v1
kind: Pod
metadata: {name: waiting, namespace: sample}
spec: {nodeSelector: {no: node}, containers: [{name: main, image: registry.example.com/sample:1, resources: {limits: {cpu: 10m, memory: 10Mi}}}]}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: sample, namespace: sample}
spec:
  maxReplicas: 3
  scaleTargetRef: {apiVersion: apps/v1, kind: StatefulSet, name: sample}
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 80}}}]
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: sample, namespace: sample}
spec: {maxUnavailable: 1, selector: {matchLabels: {app: set}}}
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: sample, namespace: sample}
spec: {hard: {pods: "10"}}
`

func stateOfObjects(t *testing.T, ca verify.CA, o *process.Objects, c client.Client) {
	set, err := manifest.ParseYAML("sample", []byte(someObjects))
	require.NoError(t, err)
	for _, object := range set.All() {
		apply(t, c, object.Unstructured)
	}
	clients, err := kubernetes.NewForConfig(cluster.REST())
	require.NoError(t, err)
	address := process.Address(t, 8443, 8444)
	server := o.Start(t, process.Spec{
		Workload: "Deployment/kube-state-metrics", Dir: t.TempDir(), Address: address,
		Programs: map[string]string{"": prefixed(t, process.Programs(t, "kube-state-metrics")["kube-state-metrics"],
			"--kubeconfig="+kubeconfig(t, clients, names.KubeStateMetrics))},
	})
	require.Eventually(t, func() bool { return server.Ready(t.Context()) == nil }, 30*time.Second, 100*time.Millisecond, "it gets ready")

	prometheus := scraper(ca, address, "kube-state-metrics.monitoring.svc")
	var state, self []byte
	require.Eventually(t, func() bool {
		var failed error
		if self, failed = scrape(prometheus, "https://kube-state-metrics:8444/metrics"); failed != nil {
			return false
		}
		state, failed = scrape(prometheus, "https://kube-state-metrics:8443/metrics")
		return failed == nil && len(listed(self, "success")) == 14 && strings.Contains(string(state), "kube_statefulset_status_replicas_ready{")
	}, 30*time.Second, 100*time.Millisecond, "it has listed all that it watches; it has listed %v", listed(self, "success"))
	assert.Empty(t, listed(self, "error"))
	assert.NotContains(t, strings.ToLower(server.Log()), "forbidden", "it lacks no permission")
	assert.Contains(t, string(state), `label_topology_kubernetes_io_zone="`, "zones of nodes")
	waiting(t, c)
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if state, err = scrape(prometheus, "https://kube-state-metrics:8443/metrics"); err == nil &&
			len(metrics.Missing("kube-state-metrics", state, self)) == 0 {
			break
		}
	}
	metrics.Require(t, "kube-state-metrics", state, self)

	for resource, may := range map[string]bool{"pods": true, "secrets": false, "configmaps": false} {
		review, err := clients.AuthorizationV1().SubjectAccessReviews().Create(t.Context(), &authorizationv1.SubjectAccessReview{
			Spec: authorizationv1.SubjectAccessReviewSpec{
				User:               "system:serviceaccount:monitoring:kube-state-metrics",
				ResourceAttributes: &authorizationv1.ResourceAttributes{Verb: "list", Resource: resource},
			},
		}, metav1.CreateOptions{})
		require.NoError(t, err)
		assert.Equal(t, may, review.Status.Allowed, resource)
	}
	_, err = scrape(scraper(verify.NewCA(t, "other"), address, "kube-state-metrics.monitoring.svc"), "https://kube-state-metrics:8443/metrics")
	require.ErrorContains(t, err, "certificate signed by unknown authority")
	_, err = scrape(http.DefaultClient, "http://"+address+":8443/metrics")
	require.ErrorContains(t, err, "400 Bad Request", "plain HTTP")
}

// waiting has a container wait as a kubelet would say it.
func waiting(t *testing.T, c client.Client) {
	t.Helper()
	pod := &corev1.Pod{}
	require.NoError(t, c.Get(t.Context(), client.ObjectKey{Namespace: "sample", Name: "waiting"}, pod))
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{{
		Name: "main", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}},
	}}
	require.NoError(t, c.Status().Update(t.Context(), pod))
}

// listed are the kinds of objects that kube-state-metrics has listed with a result.
func listed(self []byte, result string) []string {
	kinds := map[string]bool{}
	for line := range strings.Lines(string(self)) {
		if rest, ok := strings.CutPrefix(line, "kube_state_metrics_list_total{"); ok && strings.Contains(rest, `result="`+result+`"`) {
			kinds[rest] = true
		}
	}
	return slices.Sorted(maps.Keys(kinds))
}
