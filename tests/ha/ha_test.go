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

var cluster *local.ControlPlane

func TestMain(m *testing.M) { localtest.Main(m, &cluster) }

// workload is what a test takes down, in a namespace of its own: three pods of each kind, one in each zone and one of them
// dispensable, and a single pod that nothing protects.
func workload(t *testing.T, ns string) *kubernetes.Clientset {
	t.Helper()
	c, err := kubernetes.NewForConfig(cluster.REST())
	require.NoError(t, err)
	_, err = c.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}}, metav1.CreateOptions{})
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
		budget(t, c, ns, name, 1)
	}
	t.Cleanup(func() { // other tests watch everything that there is; a namespace would take longer to go
		ctx, all := context.Background(), metav1.ListOptions{}
		policy := metav1.DeleteOptions{PropagationPolicy: ptr.To(metav1.DeletePropagationBackground)}
		assert.NoError(t, c.AppsV1().Deployments(ns).DeleteCollection(ctx, policy, all))
		assert.NoError(t, c.AppsV1().StatefulSets(ns).DeleteCollection(ctx, policy, all))
		assert.NoError(t, c.PolicyV1().PodDisruptionBudgets(ns).DeleteCollection(ctx, policy, all))
		assert.NoError(t, c.CoreV1().Pods(ns).DeleteCollection(ctx, policy, all))
		assert.Eventually(t, func() bool {
			pods, err := c.CoreV1().Pods(ns).List(ctx, all)
			return err == nil && len(pods.Items) == 0
		}, 30*time.Second, 50*time.Millisecond, "pods are left")
	})
	return c
}

// operated is a database as operators make them: the pods are its resource's own, and each role has a budget. The resource
// may be of any kind.
func operated(t *testing.T, c kubernetes.Interface, ns string) {
	t.Helper()
	_, err := c.CoreV1().ConfigMaps(ns).Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "db"}}, metav1.CreateOptions{})
	require.NoError(t, err)
	for role, node := range map[string]string{"primary": "node-a1", "replica": "node-c1"} {
		instance(t, c, ns, role, node)
		_, err := c.PolicyV1().PodDisruptionBudgets(ns).Create(t.Context(), &policyv1.PodDisruptionBudget{
			ObjectMeta: metav1.ObjectMeta{Name: "db-" + role},
			Spec: policyv1.PodDisruptionBudgetSpec{
				MinAvailable: ptr.To(intstr.FromInt32(1)), Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"role": role}},
			},
		}, metav1.CreateOptions{})
		require.NoError(t, err)
	}
	instance(t, c, ns, "replica", "node-b1")
}

func instance(t *testing.T, c kubernetes.Interface, ns, role, node string) {
	t.Helper()
	owner, err := c.CoreV1().ConfigMaps(ns).Get(t.Context(), "db", metav1.GetOptions{})
	require.NoError(t, err)
	pod := template("db")
	pod.Spec.NodeName = node
	_, err = c.CoreV1().Pods(ns).Create(t.Context(), &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			GenerateName: "db-", Labels: map[string]string{"app": "db", "role": role},
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(owner, corev1.SchemeGroupVersion.WithKind("ConfigMap"))},
		},
		Spec: pod.Spec,
	}, metav1.CreateOptions{})
	require.NoError(t, err)
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
func budget(t *testing.T, c kubernetes.Interface, ns, app string, away int32) {
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
	const ns = "lost"
	c, ctx := workload(t, ns), limited(t)
	operated(t, c, ns)
	w, err := ha.Watch(ctx, c)
	require.NoError(t, err)
	for _, row := range w.Rows() {
		assert.Equal(t, row.Replicas, row.Seen(), "nothing has happened yet")
	}

	require.NoError(t, cluster.LoseZone(ctx, "zone-b"))
	instance(t, c, ns, "replica", "node-c2") // by the operator
	waiting, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	require.ErrorContains(t, w.Settled(waiting), "2 pods of lost/store are ready instead of 3",
		"what has its data in the zone has to wait for it")
	require.NoError(t, cluster.RestoreZone(ctx, "zone-b"))
	require.NoError(t, w.Settled(ctx))

	rows := w.Rows()
	assert.Equal(t, strings.TrimLeft(`
| Component  | Kind        | Replicas | Lost with a zone, at most | Ready, at least | Budget |
| ---------- | ----------- | -------: | ------------------------: | --------------: | -----: |
| lost/alone | Deployment  |        1 |                         1 |               0 |   none |
| lost/db    | ConfigMap   |        3 |                         1 |               2 |      2 |
| lost/store | StatefulSet |        3 |                         1 |               2 |      2 |
| lost/web   | Deployment  |        3 |                         1 |               2 |      2 |
`, "\n"), ha.Table(rows))
	assert.Empty(t, ha.Broken(rows, ha.Row.Minimum))
	assert.Equal(t, 2, rows[3].Seen(), "the watcher saw the pod go")
}

func TestPodsThatGoWithoutAskingBreakTheBudget(t *testing.T) {
	const ns = "broken"
	c, ctx := workload(t, ns), limited(t)
	w, err := ha.Watch(ctx, c)
	require.NoError(t, err)
	web := metav1.ListOptions{LabelSelector: "app=web"}
	require.NoError(t, c.CoreV1().Pods(ns).DeleteCollection(ctx, metav1.DeleteOptions{}, web))
	require.Eventually(t, func() bool { return len(ha.Broken(w.Rows(), ha.Row.Seen)) > 0 }, 20*time.Second, 50*time.Millisecond)
	require.NoError(t, w.Settled(ctx))
	assert.Equal(t, []string{"broken/web"}, names(ha.Broken(w.Rows(), ha.Row.Seen)), "what is whole again was broken all the same")

	w.Begin()
	assert.Empty(t, ha.Broken(w.Rows(), ha.Row.Seen))
}

// nodeOfAlone returns the node of the pod that nothing protects.
func nodeOfAlone(t *testing.T, c kubernetes.Interface, ns string) string {
	t.Helper()
	pods, err := c.CoreV1().Pods(ns).List(t.Context(), metav1.ListOptions{LabelSelector: "app=alone"})
	require.NoError(t, err)
	require.Len(t, pods.Items, 1)
	return pods.Items[0].Spec.NodeName
}

func TestDrainNodeByNode(t *testing.T) {
	const ns = "drained"
	c, ctx := workload(t, ns), limited(t)
	w, err := ha.Watch(ctx, c)
	require.NoError(t, err)
	node, err := c.CoreV1().Nodes().Get(ctx, nodeOfAlone(t, c, ns), metav1.GetOptions{})
	require.NoError(t, err)
	nodes, err := c.CoreV1().Nodes().List(ctx, metav1.ListOptions{
		LabelSelector: corev1.LabelTopologyZone + "=" + node.Labels[corev1.LabelTopologyZone],
	})
	require.NoError(t, err)
	require.Len(t, nodes.Items, 3)
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
	assert.Equal(t, []int{0, 2, 2}, []int{rows[0].Seen(), rows[1].Seen(), rows[2].Seen()}, "the zone has one of each")
}

func TestDrainWaitsForABudget(t *testing.T) {
	const ns = "refused"
	c := workload(t, ns)
	budget(t, c, ns, "alone", 0)
	w, err := ha.Watch(limited(t), c)
	require.NoError(t, err)
	node := nodeOfAlone(t, c, ns)
	t.Cleanup(func() { assert.NoError(t, ha.Uncordon(context.Background(), c, node)) })

	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	require.ErrorContains(t, ha.Drain(ctx, c, node), `pods/"alone-`)
	assert.Equal(t, 1, w.Rows()[0].Seen())
}
