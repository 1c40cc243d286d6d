package node_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// These are about the neighbours of package node that lack a control plane of their own to be tested with.

func TestLoadBalancersHaveAddressesOfTheirOwn(t *testing.T) {
	services := clientset(t).CoreV1().Services(namespace(t, nil))
	expose := func(name string) *corev1.Service {
		service, err := services.Create(t.Context(), &corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			Spec:       corev1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer, Ports: []corev1.ServicePort{{Port: 80}}},
		}, metav1.CreateOptions{})
		require.NoError(t, err)
		eventually(t, func() string {
			service, err = services.Get(t.Context(), name, metav1.GetOptions{})
			if err != nil || len(service.Status.LoadBalancer.Ingress) == 0 {
				return fmt.Sprintf("service %s has no address: %v", name, err)
			}
			return ""
		})
		return service
	}
	one, two := expose("one"), expose("two")
	first := one.Status.LoadBalancer.Ingress[0].IP
	assert.NotEqual(t, first, two.Status.LoadBalancer.Ingress[0].IP)

	one.Labels = map[string]string{"changed": "yes"}
	one, err := services.Update(t.Context(), one, metav1.UpdateOptions{})
	require.NoError(t, err)
	assert.Equal(t, first, one.Status.LoadBalancer.Ingress[0].IP, "the address is kept")

	one.Spec.Type = corev1.ServiceTypeClusterIP
	_, err = services.Update(t.Context(), one, metav1.UpdateOptions{})
	require.NoError(t, err)
	eventually(t, func() string {
		one, err := services.Get(t.Context(), "one", metav1.GetOptions{})
		if err != nil || len(one.Status.LoadBalancer.Ingress) > 0 {
			return fmt.Sprintf("a service that is no load balancer any more has an address: %v", err)
		}
		return ""
	})
	assert.Equal(t, first, expose("three").Status.LoadBalancer.Ingress[0].IP, "a released address is given out again")
}

func TestThereIsNoWayOut(t *testing.T) {
	proxy, err := url.Parse(cluster.Ingress)
	require.NoError(t, err)
	throughProxy := &http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(proxy)}}
	response, err := throughProxy.Get("http://www.example.com/")
	require.NoError(t, err)
	defer response.Body.Close()
	assert.Equal(t, http.StatusBadGateway, response.StatusCode)
	_, err = throughProxy.Get("https://www.example.com/")
	assert.ErrorContains(t, err, "there is no way out of a local control plane")
}

func TestVolumeIsInTheZoneOfItsPod(t *testing.T) {
	c, ns := clientset(t), namespace(t, nil)
	_, err := c.CoreV1().PersistentVolumeClaims(ns).Create(t.Context(), &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Name: "data"},
		Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			Resources:   corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("3Gi")}},
		},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	pod := becomes(t, run(t, ns, corev1.PodSpec{
		NodeSelector: map[string]string{corev1.LabelTopologyZone: "zone-b"},
		Containers:   []corev1.Container{{Name: "database", Image: simulatedImage}},
		Volumes: []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{
			PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data"}}}},
	}), corev1.PodRunning)

	claim, err := c.CoreV1().PersistentVolumeClaims(ns).Get(t.Context(), "data", metav1.GetOptions{})
	require.NoError(t, err)
	volume, err := c.CoreV1().PersistentVolumes().Get(t.Context(), claim.Spec.VolumeName, metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, "3Gi", volume.Spec.Capacity.Storage().String())
	where := volume.Spec.NodeAffinity.Required.NodeSelectorTerms[0].MatchExpressions[0]
	assert.Equal(t, corev1.NodeSelectorRequirement{Key: corev1.LabelTopologyZone, Operator: corev1.NodeSelectorOpIn, Values: []string{"zone-b"}}, where)

	require.NoError(t, c.CoreV1().Pods(ns).Delete(t.Context(), pod.Name, metav1.DeleteOptions{}))
	require.NoError(t, c.CoreV1().PersistentVolumeClaims(ns).Delete(t.Context(), "data", metav1.DeleteOptions{}))
	eventually(t, func() string {
		if _, err := c.CoreV1().PersistentVolumes().Get(t.Context(), volume.Name, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
			return fmt.Sprintf("the volume outlives its claim: %v", err)
		}
		return ""
	})
}
