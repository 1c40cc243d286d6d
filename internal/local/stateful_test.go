package local_test

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/ptr"
)

// storeOfThree has a pod in each zone, each with a volume of its own, and may lose one of them at a time.
func storeOfThree(t *testing.T, c kubernetes.Interface, ns string) {
	t.Helper()
	labels := map[string]string{"app": "store"}
	template := podTemplate(labels)
	template.Spec.Affinity = &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{
		RequiredDuringSchedulingIgnoredDuringExecution: []corev1.PodAffinityTerm{{
			TopologyKey: corev1.LabelTopologyZone, LabelSelector: &metav1.LabelSelector{MatchLabels: labels},
		}},
	}}
	template.Spec.Containers[0].ReadinessProbe = &corev1.Probe{ProbeHandler: corev1.ProbeHandler{
		Exec: &corev1.ExecAction{Command: []string{"ping"}},
	}}
	template.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "data", MountPath: "/data"}}
	_, err := c.AppsV1().StatefulSets(ns).Create(t.Context(), &appsv1.StatefulSet{
		ObjectMeta: metav1.ObjectMeta{Name: "store"},
		Spec: appsv1.StatefulSetSpec{
			Replicas: ptr.To[int32](3), ServiceName: "store", Template: template,
			Selector: &metav1.LabelSelector{MatchLabels: labels},
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
	_, err = c.PolicyV1().PodDisruptionBudgets(ns).Create(t.Context(), &policyv1.PodDisruptionBudget{
		ObjectMeta: metav1.ObjectMeta{Name: "store"},
		Spec: policyv1.PodDisruptionBudgetSpec{
			MaxUnavailable: ptr.To(intstr.FromInt32(1)), Selector: &metav1.LabelSelector{MatchLabels: labels},
		},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
}

// zonesOfStore waits until three pods are ready and one may go, and returns the zones of the pods by name.
func zonesOfStore(t *testing.T, c kubernetes.Interface, ns string) map[string]string {
	t.Helper()
	eventually(t, func() string {
		set, err := c.AppsV1().StatefulSets(ns).Get(t.Context(), "store", metav1.GetOptions{})
		if err != nil || set.Status.AvailableReplicas != 3 {
			return fmt.Sprintf("the StatefulSet is not available: %+v (%v)", set.Status, err)
		}
		budget, err := c.PolicyV1().PodDisruptionBudgets(ns).Get(t.Context(), "store", metav1.GetOptions{})
		if err != nil || budget.Status.DisruptionsAllowed != 1 {
			return fmt.Sprintf("the budget does not allow one pod to go: %+v (%v)", budget.Status, err)
		}
		return ""
	})
	zones := map[string]string{}
	for i := range 3 {
		name := fmt.Sprintf("store-%d", i)
		pod, err := c.CoreV1().Pods(ns).Get(t.Context(), name, metav1.GetOptions{})
		require.NoError(t, err)
		node, err := c.CoreV1().Nodes().Get(t.Context(), pod.Spec.NodeName, metav1.GetOptions{})
		require.NoError(t, err)
		zones[name] = node.Labels[corev1.LabelTopologyZone]
	}
	return zones
}

func TestStatefulSetKeepsItsZones(t *testing.T) {
	c, ns := client(t, shared), namespace(t, nil)
	storeOfThree(t, c, ns)
	zones := zonesOfStore(t, c, ns)
	seen := map[string]bool{}
	for name, zone := range zones {
		seen[zone] = true
		claim, err := c.CoreV1().PersistentVolumeClaims(ns).Get(t.Context(), "data-"+name, metav1.GetOptions{})
		require.NoError(t, err)
		volume, err := c.CoreV1().PersistentVolumes().Get(t.Context(), claim.Spec.VolumeName, metav1.GetOptions{})
		require.NoError(t, err)
		assert.Equal(t, []corev1.NodeSelectorRequirement{{Key: corev1.LabelTopologyZone, Operator: corev1.NodeSelectorOpIn, Values: []string{zone}}},
			volume.Spec.NodeAffinity.Required.NodeSelectorTerms[0].MatchExpressions, "a volume is in the zone of its pod")
	}
	assert.Len(t, seen, 3)

	// A pod that is evicted comes back to its volume.
	succeeded(t, c, heldUp(t, c, ns, "store-1"))
	assert.Equal(t, zones, zonesOfStore(t, c, ns))
}

// heldUp returns the pod, evicted while the controllers stand still. If its successor came before its budget has seen that
// the evicted pod goes, the budget would take the one for the other, and find a pod missing for two minutes.
func heldUp(t *testing.T, c kubernetes.Interface, ns, name string) *corev1.Pod {
	t.Helper()
	before, err := c.CoreV1().Pods(ns).Get(t.Context(), name, metav1.GetOptions{})
	require.NoError(t, err)
	signal(t, shared.Children(), "kube-controller-manager", syscall.SIGSTOP)
	defer signal(t, shared.Children(), "kube-controller-manager", syscall.SIGCONT)
	require.NoError(t, c.CoreV1().Pods(ns).EvictV1(t.Context(), &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: ns}}))
	time.Sleep(time.Second) // as a machine with much to do may hold them up
	still, err := c.CoreV1().Pods(ns).Get(t.Context(), name, metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, before.UID, still.UID)
	assert.NotNil(t, still.DeletionTimestamp)
	return before
}

// succeeded waits until there is another pod of the same name.
func succeeded(t *testing.T, c kubernetes.Interface, pod *corev1.Pod) {
	t.Helper()
	eventually(t, func() string {
		if now, err := c.CoreV1().Pods(pod.Namespace).Get(t.Context(), pod.Name, metav1.GetOptions{}); err != nil || now.UID == pod.UID {
			return "the evicted pod has no successor"
		}
		return ""
	})
}

func TestClaimGrowsAndDoesNotShrink(t *testing.T) {
	c, ns := client(t, shared), namespace(t, nil)
	storeOfThree(t, c, ns)
	zonesOfStore(t, c, ns)
	require.NoError(t, askFor(t, c, ns, "data-store-0", "2Gi"))
	grown(t, c, ns, "data-store-0", "2Gi")
	assert.ErrorContains(t, askFor(t, c, ns, "data-store-0", "1Gi"), "field can not be less than")
}

// askFor changes the size of a claim.
func askFor(t *testing.T, c kubernetes.Interface, ns, claim, size string) error {
	t.Helper()
	_, err := c.CoreV1().PersistentVolumeClaims(ns).Patch(t.Context(), claim, types.MergePatchType,
		[]byte(`{"spec": {"resources": {"requests": {"storage": "`+size+`"}}}}`), metav1.PatchOptions{})
	return err
}

// grown waits until a claim has the size.
func grown(t *testing.T, c kubernetes.Interface, ns, name, size string) {
	t.Helper()
	eventually(t, func() string {
		claim, err := c.CoreV1().PersistentVolumeClaims(ns).Get(t.Context(), name, metav1.GetOptions{})
		resizing := func(c corev1.PersistentVolumeClaimCondition) bool { return strings.Contains(string(c.Type), "Resiz") }
		if err != nil || claim.Status.Capacity.Storage().String() != size || slices.ContainsFunc(claim.Status.Conditions, resizing) {
			return fmt.Sprintf("the claim has not grown: %+v (%v)", claim.Status, err)
		}
		return ""
	})
}
