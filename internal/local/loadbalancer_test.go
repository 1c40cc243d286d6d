package local_test

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
)

// balanced makes a service of type LoadBalancer.
func balanced(t *testing.T, ns, name string, edit func(*corev1.Service)) {
	t.Helper()
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       corev1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer, Ports: []corev1.ServicePort{{Port: 443}}},
	}
	if edit != nil {
		edit(service)
	}
	_, err := client(t, shared).CoreV1().Services(ns).Create(t.Context(), service, metav1.CreateOptions{})
	require.NoError(t, err)
}

// entry waits until a service has an address, and returns it.
func entry(t *testing.T, ns, name string) corev1.LoadBalancerIngress {
	t.Helper()
	var found corev1.LoadBalancerIngress
	eventually(t, func() string {
		service, err := client(t, shared).CoreV1().Services(ns).Get(t.Context(), name, metav1.GetOptions{})
		if err != nil || len(service.Status.LoadBalancer.Ingress) != 1 {
			return fmt.Sprintf("the load balancer has no address: %+v (%v)", service.Status, err)
		}
		found = service.Status.LoadBalancer.Ingress[0]
		return ""
	})
	return found
}

func TestLoadBalancersGetAnAddressEach(t *testing.T) {
	ns := namespace(t, nil)
	documentation := netip.MustParsePrefix("192.0.2.0/24")
	seen := map[string]bool{}
	for _, name := range []string{"one", "two", "classy"} {
		balanced(t, ns, name, func(s *corev1.Service) {
			if name == "classy" {
				s.Spec.LoadBalancerClass = ptr.To("example.org/anything")
			}
		})
		given := entry(t, ns, name)
		assert.True(t, documentation.Contains(netip.MustParseAddr(given.IP)), given.IP)
		assert.Empty(t, given.Hostname)
		seen[given.IP] = true
	}
	assert.Len(t, seen, 3, "no two share one")
}

func TestLoadBalancersOfAWSGetHostNames(t *testing.T) {
	ns := namespace(t, nil)
	balanced(t, ns, "class", func(s *corev1.Service) { s.Spec.LoadBalancerClass = ptr.To("service.k8s.aws/nlb") })
	balanced(t, ns, "annotation", func(s *corev1.Service) {
		s.Annotations = map[string]string{"service.beta.kubernetes.io/aws-load-balancer-type": "external"}
	})
	for _, name := range []string{"class", "annotation"} {
		given := entry(t, ns, name)
		assert.Equal(t, name+"."+ns+".elb.invalid", given.Hostname)
		assert.Empty(t, given.IP)
	}
}

func TestAddressIsFreeAfterTheService(t *testing.T) {
	c, ns := client(t, shared).CoreV1(), namespace(t, nil)
	balanced(t, ns, "first", nil)
	first := entry(t, ns, "first").IP
	require.NoError(t, c.Services(ns).Delete(t.Context(), "first", metav1.DeleteOptions{}))
	balanced(t, ns, "second", nil)
	entry(t, ns, "second")

	// The lowest free one is given out first, so that one of the next ones is the first one's.
	reused := false
	for i := range 4 {
		name := fmt.Sprintf("next-%d", i)
		balanced(t, ns, name, nil)
		reused = entry(t, ns, name).IP == first || reused
	}
	assert.True(t, reused || entry(t, ns, "second").IP == first, "%s stays taken", first)
}

func TestServiceThatIsNoLoadBalancerAnyMoreHasNoAddress(t *testing.T) {
	c, ns := client(t, shared).CoreV1(), namespace(t, nil)
	balanced(t, ns, "changing", nil)
	entry(t, ns, "changing")
	_, err := c.Services(ns).Patch(t.Context(), "changing", types.MergePatchType, []byte(`{"spec":{"type":"ClusterIP"}}`), metav1.PatchOptions{})
	require.NoError(t, err)
	eventually(t, func() string {
		service, err := c.Services(ns).Get(t.Context(), "changing", metav1.GetOptions{})
		if err != nil || len(service.Status.LoadBalancer.Ingress) > 0 {
			return fmt.Sprintf("the address is still there: %+v (%v)", service.Status, err)
		}
		return ""
	})
}
