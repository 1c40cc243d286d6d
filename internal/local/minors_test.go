package local_test

import (
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/ptr"

	"github.com/telekom/controlplane-infrastructure/internal/local"
	"github.com/telekom/controlplane-infrastructure/internal/local/localtest"
)

// TestEachMinor shows on each Kubernetes minor what of a control plane may differ between them.
func TestEachMinor(t *testing.T) {
	t.Parallel()
	for _, version := range local.KubernetesVersions {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			cp := shared
			if c := client(t, shared); minor(t, c) != version {
				cp = localtest.Start(t, localtest.Kubernetes(version))
			}
			c := client(t, cp)
			require.Equal(t, version, minor(t, c))
			t.Run("namespace", func(t *testing.T) {
				t.Parallel() // which is gone after five seconds at the earliest
				testNamespace(t, c)
			})
			t.Run("webhook", func(t *testing.T) { testWebhook(t, c) })
			t.Run("disks", func(t *testing.T) { testDisks(t, c) })
			t.Run("lost zone", func(t *testing.T) { testLostZone(t, cp, c) })
		})
	}
}

func minor(t *testing.T, c kubernetes.Interface) string {
	t.Helper()
	version, err := c.Discovery().ServerVersion()
	require.NoError(t, err)
	node, err := c.CoreV1().Nodes().Get(t.Context(), "node-a1", metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, version.GitVersion, node.Status.NodeInfo.KubeletVersion)
	return version.Major + "." + version.Minor
}

// testWebhook has the API server ask a simulated pod, by the only way that it has into the cluster.
func testWebhook(t *testing.T, c kubernetes.Interface) {
	ns := namespaceOn(t, c, nil)
	labels := map[string]string{"app": "server"}
	deploy(t, c, ns, 1, podTemplate(labels))
	_, err := c.CoreV1().Services(ns).Create(t.Context(), &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "server"},
		Spec:       corev1.ServiceSpec{Selector: labels, Ports: []corev1.ServicePort{{Port: 443}}},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	hooks := c.AdmissionregistrationV1().ValidatingWebhookConfigurations()
	_, err = hooks.Create(t.Context(), &admissionv1.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: ns},
		Webhooks: []admissionv1.ValidatingWebhook{{
			Name:         ns + ".example.test",
			ClientConfig: admissionv1.WebhookClientConfig{Service: &admissionv1.ServiceReference{Namespace: ns, Name: "server"}},
			Rules: []admissionv1.RuleWithOperations{{
				Operations: []admissionv1.OperationType{admissionv1.Create},
				Rule:       admissionv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"configmaps"}},
			}},
			NamespaceSelector:       &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: ns}},
			FailurePolicy:           ptr.To(admissionv1.Fail),
			SideEffects:             ptr.To(admissionv1.SideEffectClassNone),
			AdmissionReviewVersions: []string{"v1"},
		}},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	eventually(t, func() string { // the API server notices a new webhook after a moment
		_, err := c.CoreV1().ConfigMaps(ns).Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{GenerateName: "x-"}}, metav1.CreateOptions{})
		require.NoError(t, err)
		metrics, err := c.Discovery().RESTClient().Get().AbsPath("/metrics").DoRaw(t.Context())
		require.NoError(t, err)
		if !strings.Contains(string(metrics), `apiserver_admission_webhook_request_total{code="200",name="`+ns+`.example.test"`) {
			return "the API server does not ask the webhook"
		}
		return ""
	})
	require.NoError(t, hooks.Delete(t.Context(), ns, metav1.DeleteOptions{}))
}

func testNamespace(t *testing.T, c kubernetes.Interface) {
	ns := namespaceOn(t, c, nil)
	_, err := c.CoreV1().ConfigMaps(ns).Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "one"}}, metav1.CreateOptions{})
	require.NoError(t, err)
	require.NoError(t, c.CoreV1().Namespaces().Delete(t.Context(), ns, metav1.DeleteOptions{}))
	eventually(t, func() string {
		if left, err := c.CoreV1().Namespaces().Get(t.Context(), ns, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
			return fmt.Sprintf("the namespace is still there: %+v %v", left.Status, err)
		}
		return ""
	})
}

// testDisks brings a default class along, as a stack in AWS does, which takes the place of the local one while it is there.
func testDisks(t *testing.T, c kubernetes.Interface) {
	ns := namespaceOn(t, c, nil)
	class, err := c.StorageV1().StorageClasses().Create(t.Context(), &storagev1.StorageClass{
		ObjectMeta: metav1.ObjectMeta{
			Name: "gp3", Annotations: map[string]string{"storageclass.kubernetes.io/is-default-class": "true"},
		},
		Provisioner:          "ebs.csi.aws.com",
		Parameters:           map[string]string{"type": "gp3", "encrypted": "true"},
		VolumeBindingMode:    ptr.To(storagev1.VolumeBindingWaitForFirstConsumer),
		AllowVolumeExpansion: ptr.To(true),
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	eventually(t, func() string { // what claims get is decided by what the API server has seen of classes
		makeClaim(t, c, ns, "probe")
		claim, err := c.CoreV1().PersistentVolumeClaims(ns).Get(t.Context(), "probe", metav1.GetOptions{})
		require.NoError(t, err)
		require.NoError(t, c.CoreV1().PersistentVolumeClaims(ns).Delete(t.Context(), "probe", metav1.DeleteOptions{}))
		if *claim.Spec.StorageClassName != class.Name {
			return "claims get the class " + *claim.Spec.StorageClassName
		}
		return ""
	})

	storeOfThree(t, c, ns)
	zones := zonesOfStore(t, c, ns)
	claims := c.CoreV1().PersistentVolumeClaims(ns)
	claim, err := claims.Get(t.Context(), "data-store-0", metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, class.Name, *claim.Spec.StorageClassName)
	volume, err := c.CoreV1().PersistentVolumes().Get(t.Context(), claim.Spec.VolumeName, metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, []string{zones["store-0"]}, volume.Spec.NodeAffinity.Required.NodeSelectorTerms[0].MatchExpressions[0].Values)
	require.NoError(t, askFor(t, c, ns, "data-store-0", "2Gi"))
	grown(t, c, ns, "data-store-0", "2Gi")

	// A stack's class goes before the volumes of it do, which are removed with what they belong to.
	require.NoError(t, c.StorageV1().StorageClasses().Delete(t.Context(), class.Name, metav1.DeleteOptions{}))
	require.NoError(t, c.AppsV1().StatefulSets(ns).Delete(t.Context(), "store", metav1.DeleteOptions{}))
	require.NoError(t, claims.DeleteCollection(t.Context(), metav1.DeleteOptions{}, metav1.ListOptions{}))
	eventually(t, func() string {
		if _, err := c.CoreV1().PersistentVolumes().Get(t.Context(), volume.Name, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
			return fmt.Sprintf("the volume outlives its claim: %v", err)
		}
		return ""
	})
}

// testLostZone shows that what can move leaves a lost zone, that what cannot waits for its return, and that nothing runs on.
func testLostZone(t *testing.T, cp *local.ControlPlane, c kubernetes.Interface) {
	ns := namespaceOn(t, c, nil)
	storeOfThree(t, c, ns)
	zones := zonesOfStore(t, c, ns)
	bound := ""
	for name, zone := range zones {
		if zone == "zone-c" {
			bound = name
		}
	}
	program := podTemplate(map[string]string{"app": "program"})
	program.Spec.NodeSelector = map[string]string{corev1.LabelTopologyZone: "zone-c"}
	program.Spec.Containers[0] = corev1.Container{Name: "solver", Image: "cert-manager-acmesolver:1", Args: []string{"--listen-port=8089"}}
	deploy(t, c, ns, 1, program)
	before := process(t, cp, ns)

	require.NoError(t, cp.LoseZone(t.Context(), "zone-c"))
	assert.ErrorIs(t, syscall.Kill(before, 0), syscall.ESRCH, "a process goes with its machine")
	nodes, err := c.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	assert.Len(t, nodes.Items, 6)
	for name := range zones {
		if name == bound {
			eventually(t, func() string { return unschedulable(t, c, ns, name) })
			continue
		}
		pod, err := c.CoreV1().Pods(ns).Get(t.Context(), name, metav1.GetOptions{})
		require.NoError(t, err)
		assert.Equal(t, corev1.PodRunning, pod.Status.Phase, "%s is in another zone", name)
	}

	require.NoError(t, cp.RestoreZone(t.Context(), "zone-c"))
	assert.Equal(t, zones, zonesOfStore(t, c, ns))
	eventually(t, func() string {
		d, err := c.AppsV1().Deployments(ns).Get(t.Context(), "app", metav1.GetOptions{})
		if err != nil || d.Status.AvailableReplicas != 1 {
			return fmt.Sprintf("the Deployment is not available: %+v (%v)", d.Status, err)
		}
		return ""
	})
	assert.NotEqual(t, before, process(t, cp, ns))

	require.ErrorContains(t, cp.LoseZone(t.Context(), "zone-x"), `no zone "zone-x": it has [zone-a zone-b zone-c]`)
}

// process returns the only process of a namespace's pods.
func process(t *testing.T, cp *local.ControlPlane, ns string) int {
	t.Helper()
	var pids []int
	for _, pod := range cp.Pods() {
		if pod.Namespace == ns {
			pids = append(pids, pod.PID)
		}
	}
	require.Len(t, pids, 1)
	require.NotZero(t, pids[0])
	return pids[0]
}

// unschedulable tells what keeps a pod from being found to fit nowhere.
func unschedulable(t *testing.T, c kubernetes.Interface, ns, name string) string {
	t.Helper()
	pod, err := c.CoreV1().Pods(ns).Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		return err.Error()
	}
	for _, condition := range pod.Status.Conditions {
		if condition.Reason == corev1.PodReasonUnschedulable {
			return ""
		}
	}
	return fmt.Sprintf("%s is not pending: %+v", name, pod.Status)
}
