package identity

import (
	"maps"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/telekom/controlplane-infrastructure/internal/certmanager"
	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
)

// The names of ports.
const (
	httpsName   = "https"
	httpName    = "http"
	metricsName = "management"
)

// Flows are the connections that the identity provider opens and accepts.
func (a Args) Flows() []flow.Flow {
	servers := Servers()
	flows := []flow.Flow{
		{
			Name: "iris-cluster", From: servers, To: servers, Ports: []int{clusterPort, watchPort},
			Why: "The servers form a cluster and watch each other.",
		},
		{
			Name: "iris-database", From: servers, To: a.Database.Pods, Ports: []int{a.Database.Port},
			Why: "The servers keep everything in the database.",
		},
		{
			// Gateways and the Control Plane's run-time namespaces come and go without us: no selector could name them.
			Name: "iris-clients", To: servers, Ports: []int{httpsPort},
			Why: "Any pod in the cluster may get tokens, and the keys to verify them.",
		},
		{
			Name: "iris-ingress", From: a.Ingress.Controller, To: servers, Ports: []int{httpsPort},
			Why: "The ingress controller leads the public to the realms, and administrators to the administration.",
		},
	}
	if a.Ingress.HTTP01 != nil {
		flows = append(flows, flow.Flow{
			Name: "iris-http01", From: *a.Ingress.HTTP01, To: certmanager.Solvers(Namespace), Ports: []int{certmanager.SolverPort},
			Why: "The ingress controller leads the ACME server to the proof that a public host name is ours.",
		})
	}
	if a.Admin.PlainHTTP {
		flows = append(flows, flow.Flow{
			Name: "iris-plain-http", From: flow.Peer{Namespace: a.ControlPlaneNamespace}, To: servers, Ports: []int{httpPort},
			Why: "The Control Plane's operators administer realms, and trust no private authority.",
		})
	}
	if a.ServiceMonitor {
		flows = append(flows, a.Scrape("iris-metrics", servers, managementPort))
	}
	return flows
}

// services are what clients talk to, and what leads Prometheus to each server.
func (b *builder) services() []runtime.Object {
	ports := []corev1.ServicePort{servicePort(httpsName, httpsPort, httpsName)}
	if b.args.Admin.PlainHTTP {
		ports = append(ports, servicePort(httpName, httpPort, httpName))
	}
	return []runtime.Object{
		&corev1.Service{ObjectMeta: meta(name), Spec: corev1.ServiceSpec{Selector: selector(), Ports: ports}},
		&corev1.Service{ObjectMeta: management(), Spec: corev1.ServiceSpec{
			ClusterIP: corev1.ClusterIPNone, Selector: selector(),
			Ports: []corev1.ServicePort{servicePort(metricsName, managementPort, httpsName)},
		}},
	}
}

func servicePort(portName string, number int32, protocol string) corev1.ServicePort {
	return corev1.ServicePort{
		Name: portName, Port: number, TargetPort: intstr.FromString(portName), AppProtocol: &protocol,
	}
}

// entry is the way in from outside of the cluster.
func (b *builder) entry() (manifest.Set, error) {
	realms, resources := relativePath+"/realms", relativePath+"/resources"
	objects := []runtime.Object{
		b.publicCertificate(publicTLS, b.args.Hostname),
		b.ingress(name, b.args.Hostname, publicTLS, realms, resources),
	}
	if hostname := b.args.Admin.Hostname; hostname != "" {
		objects = append(objects,
			b.publicCertificate(adminPublicTLS, hostname),
			b.ingress(adminName, hostname, adminPublicTLS, relativePath+"/admin", realms, resources),
		)
	}
	return manifest.Typed(objects...)
}

func (b *builder) publicCertificate(secret, hostname string) runtime.Object {
	return certmanager.Leaf{
		Namespace: Namespace, Name: secret, ClusterIssuer: b.args.Ingress.Issuer,
		DNSNames: []string{hostname}, Usages: []string{"server auth"},
	}.Object()
}

// ingress leads the paths of a host name to the servers.
func (b *builder) ingress(ingressName, hostname, secret string, paths ...string) *networkingv1.Ingress {
	i := &networkingv1.Ingress{ObjectMeta: meta(ingressName)}
	i.Annotations = map[string]string{
		"nginx.ingress.kubernetes.io/backend-protocol": "HTTPS",
		// Whether it gets an address, and when, is the controller's business; some never say.
		"pulumi.com/skipAwait": "true",
	}
	maps.Copy(i.Annotations, b.args.Ingress.Annotations)
	if class := b.args.Ingress.ClassName; class != "" {
		i.Spec.IngressClassName = &class
	}
	i.Spec.TLS = []networkingv1.IngressTLS{{Hosts: []string{hostname}, SecretName: secret}}
	rule := &networkingv1.HTTPIngressRuleValue{}
	for _, path := range paths {
		rule.Paths = append(rule.Paths, networkingv1.HTTPIngressPath{
			Path: path, PathType: new(networkingv1.PathTypePrefix),
			Backend: networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{
				Name: name, Port: networkingv1.ServiceBackendPort{Name: httpsName},
			}},
		})
	}
	i.Spec.Rules = []networkingv1.IngressRule{{
		Host: hostname, IngressRuleValue: networkingv1.IngressRuleValue{HTTP: rule},
	}}
	return i
}
