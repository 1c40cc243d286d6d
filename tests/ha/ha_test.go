package ha_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/ptr"

	"github.com/telekom/controlplane-infrastructure/internal/local"
	"github.com/telekom/controlplane-infrastructure/internal/local/localtest"
	"github.com/telekom/controlplane-infrastructure/tests/ha"
)

const ns = "default"

var cluster *local.ControlPlane

func TestMain(m *testing.M) { localtest.Main(m, &cluster) }

// workload is what the tests take down: three pods of each kind, one in each zone and one of them dispensable, and a
// single pod that nothing protects.
func workload(t *testing.T) *kubernetes.Clientset {
	t.Helper()
	c, err := kubernetes.NewForConfig(cluster.REST())
	require.NoError(t, err)
	_, err = c.AppsV1().Deployments(ns).Create(t.Context(), &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "web"},
		Spec:       appsv1.DeploymentSpec{Replicas: ptr.To[int32](3), Selector: selector("web"), Template: template("web")},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	_, err = c.AppsV1().Deployments(ns).Create(t.Context(), &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "alone"},
		Spec:       appsv1.DeploymentSpec{Replicas: ptr.To[int32](1), Selector: selector("alone"), Template: template("alone")},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	_, err = c.AppsV1().StatefulSets(ns).Create(t.Context(), &appsv1.StatefulSet{
		ObjectMeta: metav1.ObjectMeta{Name: "store"},
		Spec: appsv1.StatefulSetSpec{
			Replicas: ptr.To[int32](3), Selector: selector("store"), Template: template("store"),
			PodManagementPolicy: appsv1.ParallelPodManagement,
			VolumeClaimTemplates: []corev1.PersistentVolumeClaim{{
				ObjectMeta: metav1.ObjectMeta{Name: "data"},
				Spec: corev1.PersistentVolumeClaimSpec{
					AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
					Resources:   corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}},
				},
			}},
		},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	for _, name := range []string{"web", "store"} {
		budget(t, c, name, 1)
	}
	t.Cleanup(func() {
		ctx, policy := context.Background(), metav1.DeleteOptions{PropagationPolicy: ptr.To(metav1.DeletePropagationForeground)}
		assert.NoError(t, c.AppsV1().Deployments(ns).DeleteCollection(ctx, policy, metav1.ListOptions{}))
		assert.NoError(t, c.AppsV1().StatefulSets(ns).DeleteCollection(ctx, policy, metav1.ListOptions{}))
		assert.NoError(t, c.PolicyV1().PodDisruptionBudgets(ns).DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{}))
		assert.Eventually(t, func() bool {
			pods, err := c.CoreV1().Pods(ns).List(ctx, metav1.ListOptions{})
			return err == nil && len(pods.Items) == 0
		}, 30*time.Second, 100*time.Millisecond, "pods are left")
	})
	return c
}

func selector(app string) *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchLabels: map[string]string{"app": app}}
}

func template(app string) corev1.PodTemplateSpec {
	return corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": app}},
		Spec: corev1.PodSpec{
			Containers: []corev1.Container{{Name: "main", Image: "example.org/server:1"}},
			TopologySpreadConstraints: []corev1.TopologySpreadConstraint{{
				MaxSkew: 1, TopologyKey: corev1.LabelTopologyZone, WhenUnsatisfiable: corev1.DoNotSchedule, LabelSelector: selector(app),
			}},
		},
	}
}

// budget allows so many pods to be away.
func budget(t *testing.T, c kubernetes.Interface, app string, away int32) {
	t.Helper()
	_, err := c.PolicyV1().PodDisruptionBudgets(ns).Create(t.Context(), &policyv1.PodDisruptionBudget{
		ObjectMeta: metav1.ObjectMeta{Name: app + "-budget"},
		Spec:       policyv1.PodDisruptionBudgetSpec{MaxUnavailable: ptr.To(intstr.FromInt32(away)), Selector: selector(app)},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
}

// limited is long enough for anything here.
func limited(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func names(rows []ha.Row) (names []string) {
	for _, r := range rows {
		names = append(names, r.Component)
	}
	return names
}

func TestLossOfAZone(t *testing.T) {
	c, ctx := workload(t), limited(t)
	w, err := ha.Watch(ctx, c)
	require.NoError(t, err)
	for _, row := range w.Rows() {
		assert.Equal(t, row.Replicas, row.Seen(), "nothing has happened yet")
	}

	require.NoError(t, cluster.LoseZone(ctx, "zone-b"))
	waiting, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	require.ErrorContains(t, w.Settled(waiting), "2 pods of default/store are ready instead of 3",
		"what has its data in the zone has to wait for it")
	require.NoError(t, cluster.RestoreZone(ctx, "zone-b"))
	require.NoError(t, w.Settled(ctx))

	rows := w.Rows()
	assert.Equal(t, strings.TrimLeft(`
| Component     | Kind        | Replicas | Lost with a zone, at most | Ready, at least | Budget |
| ------------- | ----------- | -------: | ------------------------: | --------------: | -----: |
| default/alone | Deployment  |        1 |                         1 |               0 |   none |
| default/store | StatefulSet |        3 |                         1 |               2 |      2 |
| default/web   | Deployment  |        3 |                         1 |               2 |      2 |
`, "\n"), ha.Table(rows))
	assert.Empty(t, ha.Broken(rows, ha.Row.Minimum))
	assert.Equal(t, 2, rows[2].Seen(), "the watcher saw the pod go")
}

func TestPodsThatGoWithoutAskingBreakTheBudget(t *testing.T) {
	c, ctx := workload(t), limited(t)
	w, err := ha.Watch(ctx, c)
	require.NoError(t, err)
	web := metav1.ListOptions{LabelSelector: "app=web"}
	require.NoError(t, c.CoreV1().Pods(ns).DeleteCollection(ctx, metav1.DeleteOptions{}, web))
	require.Eventually(t, func() bool { return len(ha.Broken(w.Rows(), ha.Row.Seen)) > 0 }, 20*time.Second, 50*time.Millisecond)
	require.NoError(t, w.Settled(ctx))
	assert.Equal(t, []string{"default/web"}, names(ha.Broken(w.Rows(), ha.Row.Seen)), "what is whole again was broken all the same")

	w.Begin()
	assert.Empty(t, ha.Broken(w.Rows(), ha.Row.Seen))
}

func TestDrainNodeByNode(t *testing.T) {
	c, ctx := workload(t), limited(t)
	w, err := ha.Watch(ctx, c)
	require.NoError(t, err)
	nodes, err := c.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	require.NoError(t, err)
	for _, node := range nodes.Items {
		require.NoError(t, ha.Drain(ctx, c, node.Name))
		pods, err := c.CoreV1().Pods(ns).List(ctx, metav1.ListOptions{FieldSelector: "spec.nodeName=" + node.Name})
		require.NoError(t, err)
		assert.Empty(t, pods.Items, "%s is empty", node.Name)
		require.NoError(t, ha.Uncordon(ctx, c, node.Name))
	}
	require.NoError(t, w.Settled(ctx))
	rows := w.Rows()
	assert.Empty(t, ha.Broken(rows, ha.Row.Seen))
	assert.Equal(t, []int{0, 2, 2}, []int{rows[0].Seen(), rows[1].Seen(), rows[2].Seen()}, "all of them have been moved")
}

func TestDrainWaitsForABudget(t *testing.T) {
	c := workload(t)
	budget(t, c, "alone", 0)
	w, err := ha.Watch(limited(t), c)
	require.NoError(t, err)
	pods, err := c.CoreV1().Pods(ns).List(t.Context(), metav1.ListOptions{LabelSelector: "app=alone"})
	require.NoError(t, err)
	require.Len(t, pods.Items, 1)
	node := pods.Items[0].Spec.NodeName
	t.Cleanup(func() { assert.NoError(t, ha.Uncordon(context.Background(), c, node)) })

	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	require.ErrorContains(t, ha.Drain(ctx, c, node), pods.Items[0].Name)
	assert.Equal(t, 1, w.Rows()[0].Seen())
}
