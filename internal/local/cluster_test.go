package local_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/ptr"
)

// These tests show what a user of the cluster notices; package node has those of the pods that really run.

func TestReadyInTime(t *testing.T) {
	assert.Less(t, readyIn, 15*time.Second)
}

func TestNineReadyNodesInThreeZones(t *testing.T) {
	nodes, err := client(t, shared).CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	zones := map[string]int{}
	for _, node := range nodes.Items {
		zones[node.Labels[corev1.LabelTopologyZone]]++
		assert.Equal(t, node.Name, node.Labels[corev1.LabelHostname])
		assert.Equal(t, "8", node.Status.Allocatable.Cpu().String())
		assert.Equal(t, "32Gi", node.Status.Allocatable.Memory().String())
		assert.True(t, ready(node), "%s is not ready", node.Name)
	}
	assert.Equal(t, map[string]int{"zone-a": 3, "zone-b": 3, "zone-c": 3}, zones)
}

func ready(node corev1.Node) bool {
	for _, condition := range node.Status.Conditions {
		if condition.Type == corev1.NodeReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}

func TestDeploymentIsSpreadOverZones(t *testing.T) {
	c, ns := client(t, shared), namespace(t, nil)
	labels := map[string]string{"app": "spread"}
	template := podTemplate(labels)
	template.Spec.TopologySpreadConstraints = []corev1.TopologySpreadConstraint{{
		MaxSkew: 1, TopologyKey: corev1.LabelTopologyZone, WhenUnsatisfiable: corev1.DoNotSchedule,
		LabelSelector: &metav1.LabelSelector{MatchLabels: labels},
	}}
	deploy(t, c, ns, 6, template)

	nodes, err := c.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	zoneOf := map[string]string{}
	for _, node := range nodes.Items {
		zoneOf[node.Name] = node.Labels[corev1.LabelTopologyZone]
	}
	pods, err := c.CoreV1().Pods(ns).List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	placed, addresses := map[string]int{}, map[string]bool{}
	for _, pod := range pods.Items {
		placed[zoneOf[pod.Spec.NodeName]]++
		addresses[pod.Status.PodIP] = true
	}
	assert.Equal(t, map[string]int{"zone-a": 2, "zone-b": 2, "zone-c": 2}, placed)
	assert.Len(t, addresses, 6, "every pod has an address of its own")

	require.NoError(t, c.AppsV1().Deployments(ns).Delete(t.Context(), "app", metav1.DeleteOptions{}))
	eventually(t, func() string {
		left, err := c.CoreV1().Pods(ns).List(t.Context(), metav1.ListOptions{})
		if err != nil || len(left.Items) > 0 {
			return fmt.Sprintf("pods of a deleted Deployment are left: %d (%v)", len(left.Items), err)
		}
		return ""
	})
}

func TestTooBigPodStaysPending(t *testing.T) {
	c, ns := client(t, shared), namespace(t, nil)
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "big"}, Spec: podTemplate(nil).Spec}
	pod.Spec.Containers[0].Resources.Requests = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("9")}
	_, err := c.CoreV1().Pods(ns).Create(t.Context(), pod, metav1.CreateOptions{})
	require.NoError(t, err)
	eventually(t, func() string {
		pod, err := c.CoreV1().Pods(ns).Get(t.Context(), "big", metav1.GetOptions{})
		if err == nil && len(pod.Status.Conditions) > 0 && pod.Status.Conditions[0].Reason == corev1.PodReasonUnschedulable {
			return ""
		}
		return fmt.Sprintf("the scheduler does not refuse a pod of 9 CPUs: %v %v", pod.Status.Conditions, err)
	})
}

func TestJobCompletes(t *testing.T) {
	c, ns := client(t, shared), namespace(t, nil)
	template := podTemplate(nil)
	template.Spec.RestartPolicy = corev1.RestartPolicyNever
	_, err := c.BatchV1().Jobs(ns).Create(t.Context(), &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Name: "job"}, Spec: batchv1.JobSpec{Template: template},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	eventually(t, func() string {
		job, err := c.BatchV1().Jobs(ns).Get(t.Context(), "job", metav1.GetOptions{})
		if err != nil || job.Status.CompletionTime == nil {
			return fmt.Sprintf("the Job does not complete: %+v (%v)", job.Status, err)
		}
		return ""
	})
}

func TestPrivilegedPodIsRefusedInRestrictedNamespace(t *testing.T) {
	ns := namespace(t, map[string]string{"pod-security.kubernetes.io/enforce": "restricted"})
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "privileged"}, Spec: podTemplate(nil).Spec}
	pod.Spec.Containers[0].SecurityContext = &corev1.SecurityContext{Privileged: ptr.To(true)}
	_, err := client(t, shared).CoreV1().Pods(ns).Create(t.Context(), pod, metav1.CreateOptions{})
	require.True(t, apierrors.IsForbidden(err), "%v", err)
	assert.ErrorContains(t, err, `violates PodSecurity "restricted:latest": privileged`)
}

func TestServiceAccountWithoutRightsIsRefused(t *testing.T) {
	c, ns := client(t, shared), namespace(t, nil)
	_, err := c.CoreV1().ServiceAccounts(ns).Create(t.Context(),
		&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "nobody"}}, metav1.CreateOptions{})
	require.NoError(t, err)
	token, err := c.CoreV1().ServiceAccounts(ns).CreateToken(t.Context(), "nobody",
		&authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	require.NoError(t, err)

	config := shared.REST()
	config.BearerToken, config.CertData, config.KeyData = token.Status.Token, nil, nil
	nobody, err := kubernetes.NewForConfig(config)
	require.NoError(t, err)
	_, err = nobody.CoreV1().Secrets(ns).List(t.Context(), metav1.ListOptions{})
	require.True(t, apierrors.IsForbidden(err), "%v", err)
	assert.ErrorContains(t, err, "system:serviceaccount:"+ns+":nobody")
}

func TestClaimBinds(t *testing.T) {
	c, ns := client(t, shared), namespace(t, nil)
	makeClaim(t, c, ns, "data")
	template := podTemplate(map[string]string{"app": "stateful"})
	template.Spec.Volumes = []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{
		PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data"}}}}
	deploy(t, c, ns, 1, template)

	claim, err := c.CoreV1().PersistentVolumeClaims(ns).Get(t.Context(), "data", metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, corev1.ClaimBound, claim.Status.Phase)
	assert.Equal(t, "local", *claim.Spec.StorageClassName, "it has the default class")
}

// makeClaim makes a claim of the default class.
func makeClaim(t *testing.T, c kubernetes.Interface, ns, name string) {
	t.Helper()
	_, err := c.CoreV1().PersistentVolumeClaims(ns).Create(t.Context(), &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			Resources: corev1.VolumeResourceRequirements{
				Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}},
		},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
}

// namespace makes a namespace for the test. It goes with the control plane.
func namespace(t *testing.T, labels map[string]string) string {
	t.Helper()
	return namespaceOn(t, client(t, shared), labels)
}

func namespaceOn(t *testing.T, c kubernetes.Interface, labels map[string]string) string {
	t.Helper()
	ns, err := c.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "test-", Labels: labels}}, metav1.CreateOptions{})
	require.NoError(t, err)
	eventually(t, func() string {
		if _, err := c.CoreV1().ServiceAccounts(ns.Name).Get(t.Context(), "default", metav1.GetOptions{}); err != nil {
			return err.Error()
		}
		return ""
	})
	return ns.Name
}

func podTemplate(labels map[string]string) corev1.PodTemplateSpec {
	return corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: labels},
		Spec: corev1.PodSpec{
			// The name ends like that of an image whose pods really run, and must not be taken for it.
			Containers: []corev1.Container{{Name: "main", Image: "example.org/not-cert-manager-webhook:1"}},
		},
	}
}

func deploy(t *testing.T, c kubernetes.Interface, ns string, replicas int32, template corev1.PodTemplateSpec) {
	t.Helper()
	_, err := c.AppsV1().Deployments(ns).Create(t.Context(), &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "app"},
		Spec: appsv1.DeploymentSpec{Replicas: &replicas, Template: template,
			Selector: &metav1.LabelSelector{MatchLabels: template.Labels}},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	eventually(t, func() string {
		d, err := c.AppsV1().Deployments(ns).Get(t.Context(), "app", metav1.GetOptions{})
		if err != nil || d.Status.AvailableReplicas != replicas {
			return fmt.Sprintf("the Deployment is not available: %+v (%v)", d.Status, err)
		}
		return ""
	})
}
