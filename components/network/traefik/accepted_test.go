package traefik_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/telekom/controlplane-infrastructure/components/network/traefik"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
)

// The API server takes everything that is rendered, apart from what needs definitions of others.
func TestAccepted(t *testing.T) {
	install(t, arguments()) // for the namespace
	api, err := client.New(cluster.REST(), client.Options{})
	require.NoError(t, err)
	for kind, change := range map[string]func(*traefik.Args){
		"load balancer": func(a *traefik.Args) {
			a.Service.Type, a.Service.Annotations = corev1.ServiceTypeLoadBalancer, traefik.NLBAnnotations()
			a.Service.LoadBalancerClass, a.Service.SourceRanges = "service.k8s.aws/nlb", []string{"203.0.113.0/24"}
			a.Autoscaling = &workload.Autoscaling{MaxReplicas: 6, TargetCPUPercent: 75}
		},
		"node ports": func(a *traefik.Args) {
			a.Service.Type, a.Service.HTTPNodePort, a.Service.HTTPSNodePort = corev1.ServiceTypeNodePort, 30080, 30443
		},
	} {
		seen := 0
		for _, o := range rendered(t, workload.Zonal, change).All {
			switch o.GetKind() {
			case "Certificate", "ServiceMonitor":
				continue
			}
			// Each with a name of its own, beside what other tests have made.
			copied := o.Unstructured.DeepCopy()
			copied.SetName("accepted-" + copied.GetName())
			assert.NoError(t, api.Create(t.Context(), copied, client.DryRunAll), "%s: %s %s", kind, o.GetKind(), o.GetName())
			seen++
		}
		assert.Greater(t, seen, 15)
	}
}

// A public certificate may take until the servers lead its issuer to the proof: they are ready without it, and serve it
// when it comes.
func TestCertificateComesLater(t *testing.T) {
	i := install(t, arguments())
	all := i.All
	i.All = nil
	for _, o := range all {
		if o.GetKind() != "Secret" || o.GetName() != "traefik-public-tls" {
			i.All = append(i.All, o)
		}
	}
	s := i.serve()
	_, err := s.client(i.ca).Get("https://api.example.com/")
	assert.ErrorContains(t, err, "certificate")
	i.Renew()
	s.Refresh()
	require.Eventually(t, func() bool {
		a, err := s.client(i.ca).Get("https://api.example.com/")
		if err != nil {
			return false
		}
		return a.Body.Close() == nil
	}, soon, 100*time.Millisecond)
}
