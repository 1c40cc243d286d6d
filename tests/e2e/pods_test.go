//go:build e2e

package e2e

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/telekom/controlplane-infrastructure/automation"
	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

// platformPods are the pods in the platform's namespaces that are not Jobs' of the past.
func platformPods(t require.TestingT, cluster *verify.Cluster) []corev1.Pod {
	namespaces, err := cluster.Clients.CoreV1().Namespaces().List(cluster.Context(), metav1.ListOptions{
		LabelSelector: "app.kubernetes.io/managed-by=pulumi",
	})
	require.NoError(t, err)
	require.NotEmpty(t, namespaces.Items)
	var found []corev1.Pod
	for _, ns := range namespaces.Items {
		pods, err := cluster.Clients.CoreV1().Pods(ns.Name).List(cluster.Context(), metav1.ListOptions{})
		require.NoError(t, err)
		for _, pod := range pods.Items {
			if pod.Status.Phase != corev1.PodSucceeded {
				found = append(found, pod)
			}
		}
	}
	require.NotEmpty(t, found)
	return found
}

func podsReady(t *testing.T, cluster *verify.Cluster) {
	for _, pod := range platformPods(t, cluster) {
		for _, c := range pod.Status.ContainerStatuses {
			assert.True(t, c.Ready, "%s/%s is ready", pod.Namespace, pod.Name)
			assert.Zero(t, c.RestartCount, "%s/%s restarted: %s", pod.Namespace, pod.Name, strings.TrimSpace(c.LastTerminationState.String()))
		}
	}
}

// loseAllPods does to the platform what the failure of all nodes does: every pod is gone at once, unprepared. The
// leaders among the new pods are known only when the leases of those before them have run out, after a minute or so.
func loseAllPods(t *testing.T, cluster *verify.Cluster) {
	lost := map[types.UID]string{}
	for _, pod := range platformPods(t, cluster) {
		now := int64(0)
		err := cluster.Clients.CoreV1().Pods(pod.Namespace).Delete(cluster.Context(), pod.Name, metav1.DeleteOptions{GracePeriodSeconds: &now})
		require.NoError(t, err)
		lost[pod.UID] = pod.Name
	}
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		pods := platformPods(c, cluster)
		assert.Len(c, pods, len(lost))
		for _, pod := range pods {
			assert.Empty(c, lost[pod.UID], "%s is gone", pod.Name)
			for _, s := range pod.Status.ContainerStatuses {
				assert.True(c, s.Ready, "%s is ready", pod.Name)
			}
		}
		leases, err := cluster.Clients.CoordinationV1().Leases("cert-manager").List(cluster.Context(), metav1.ListOptions{})
		require.NoError(c, err)
		assert.NotEmpty(c, leases.Items)
		for _, lease := range leases.Items {
			pod, _, led := strings.Cut(ptr.Deref(lease.Spec.HolderIdentity, ""), "_")
			assert.True(c, led && !slices.Contains(slices.Collect(maps.Values(lost)), pod), "%s is led by a new pod, not by %q", lease.Name, pod)
		}
	}, 8*verify.Patience, time.Second, "other pods take the place of those lost")
}

// mountBundle runs a pod, as restricted as the platform's own, that mounts the bundle where Go programs look for the
// public roots. The volume demands the bundle's key, so that the pod starts only once the file is there. Its image is
// one that the cluster runs already, and need not be fetched.
func mountBundle(t *testing.T, cluster *verify.Cluster, up *automation.Result) {
	const namespace = "e2e-mount"
	label := bundleLabel(t, up)
	label["pod-security.kubernetes.io/enforce"] = "restricted"
	cluster.Namespace(namespace, label)
	trust, err := cluster.Clients.AppsV1().Deployments("cert-manager").Get(cluster.Context(), "trust-manager", metav1.GetOptions{})
	require.NoError(t, err)

	key := up.Outputs["trustBundleKey"].(string)
	reader := pod("reader", trust.Spec.Template.Spec.Containers[0].Image)
	reader.Spec.Volumes = []corev1.Volume{{Name: "trust", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
		LocalObjectReference: corev1.LocalObjectReference{Name: up.Outputs["trustBundle"].(string)},
		Items:                []corev1.KeyToPath{{Key: key, Path: key}},
	}}}}
	reader.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "trust", MountPath: "/etc/ssl/certs", ReadOnly: true}}
	pods := cluster.Clients.CoreV1().Pods(namespace)
	_, err = pods.Create(cluster.Context(), reader, metav1.CreateOptions{})
	require.NoError(t, err)
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		now, err := pods.Get(cluster.Context(), reader.Name, metav1.GetOptions{})
		if assert.NoError(c, err) {
			assert.Equal(c, corev1.PodSucceeded, now.Status.Phase, "%+v", now.Status.ContainerStatuses)
		}
	}, verify.Patience, time.Second, "the pod with the bundle runs to its end")
	require.NoError(t, cluster.Clients.CoreV1().Namespaces().Delete(cluster.Context(), namespace, metav1.DeleteOptions{}))
}

// privilegedPod asks for more than the platform's namespaces allow.
func privilegedPod(t *testing.T, cluster *verify.Cluster) {
	for _, namespace := range []string{"cert-manager", "controlplane-system"} {
		yes, demanding := true, pod("privileged", "example.org/none:1")
		demanding.Spec.Containers[0].SecurityContext = &corev1.SecurityContext{Privileged: &yes}
		_, err := cluster.Clients.CoreV1().Pods(namespace).Create(cluster.Context(), demanding, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		assert.ErrorContains(t, err, `violates PodSecurity "restricted`, "in %s", namespace)
	}
}

// pod says how it is called and ends; it asks for nothing that a restricted namespace refuses.
func pod(name, image string) *corev1.Pod {
	yes, no := true, false
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: corev1.PodSpec{
			RestartPolicy: corev1.RestartPolicyNever, AutomountServiceAccountToken: &no,
			SecurityContext: &corev1.PodSecurityContext{
				RunAsNonRoot: &yes, SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
			},
			Containers: []corev1.Container{{
				Name: name, Image: image, ImagePullPolicy: corev1.PullIfNotPresent, Args: []string{"--help"},
				SecurityContext: &corev1.SecurityContext{
					AllowPrivilegeEscalation: &no, ReadOnlyRootFilesystem: &yes,
					Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
				},
			}},
		},
	}
}
