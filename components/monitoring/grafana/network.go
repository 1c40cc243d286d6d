package grafana

import (
	"maps"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/telekom/controlplane-infrastructure/components/monitoring/names"
	"github.com/telekom/controlplane-infrastructure/internal/certmanager"
)

// service is where the ingress controller and Prometheus find it.
func service() *corev1.Service {
	return &corev1.Service{ObjectMeta: meta(names.Grafana), Spec: corev1.ServiceSpec{
		Selector: names.Selector(names.Grafana),
		Ports: []corev1.ServicePort{{
			Name: portName, Port: port, TargetPort: intstr.FromString(portName), AppProtocol: new(portName),
		}},
	}}
}

// entry is the way in from outside of the cluster.
func (a Args) entry() []runtime.Object {
	i := &networkingv1.Ingress{ObjectMeta: meta(names.Grafana)}
	i.Annotations = map[string]string{
		"nginx.ingress.kubernetes.io/backend-protocol": "HTTPS",
		// Whether it gets an address, and when, is the controller's business; some never say.
		"pulumi.com/skipAwait": "true",
	}
	maps.Copy(i.Annotations, a.Ingress.Annotations)
	if class := a.Ingress.ClassName; class != "" {
		i.Spec.IngressClassName = &class
	}
	i.Spec.TLS = []networkingv1.IngressTLS{{Hosts: []string{a.Hostname}, SecretName: publicTLS}}
	i.Spec.Rules = []networkingv1.IngressRule{{
		Host: a.Hostname, IngressRuleValue: networkingv1.IngressRuleValue{HTTP: &networkingv1.HTTPIngressRuleValue{
			Paths: []networkingv1.HTTPIngressPath{{
				Path: "/", PathType: new(networkingv1.PathTypePrefix),
				Backend: networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{
					Name: names.Grafana, Port: networkingv1.ServiceBackendPort{Name: portName},
				}},
			}},
		}},
	}}
	return []runtime.Object{
		certmanager.Leaf{
			Namespace: names.Namespace, Name: publicTLS, ClusterIssuer: a.Ingress.Issuer,
			DNSNames: []string{a.Hostname}, Usages: []string{"server auth"},
		}.Object(),
		i,
	}
}
