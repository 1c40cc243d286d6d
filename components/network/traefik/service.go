package traefik

import (
	"maps"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/telekom/controlplane-infrastructure/internal/manifest"
)

// NLBAnnotations are those of a Service that the AWS Load Balancer Controller makes a Network Load Balancer for: one that
// the internet can reach, sends requests to pods in all zones, and leaves the client's address as it is. Without that
// controller nothing happens: the cloud provider's own one leaves Services of type "external" alone. Source: the
// documentation of the AWS Load Balancer Controller, "NLB" and "Annotations" of Services.
func NLBAnnotations() map[string]string {
	return map[string]string{
		nlbPrefix + "type":       "external",
		nlbTargetType:            nlbTargetsPods,
		nlbPrefix + "scheme":     "internet-facing",
		nlbPrefix + "attributes": "load_balancing.cross_zone.enabled=true",
		// The PROXY protocol is off unless it is asked for, and is not needed: targets that are addresses lose that of the
		// client only by default.
		nlbPrefix + "target-group-attributes": "preserve_client_ip.enabled=true,proxy_protocol_v2.enabled=false",
	}
}

// CloudProviderNLBAnnotations are those of a Service that the cloud provider's own controller makes a Network Load Balancer
// for, which every EKS cluster has: one that the internet can reach, unless annotations say otherwise, and that sends
// requests to nodes in all zones.
// Source: the documentation of cloud-provider-aws, "Service Controller".
func CloudProviderNLBAnnotations() map[string]string {
	return map[string]string{
		nlbPrefix + "type": "nlb",
		nlbPrefix + "cross-zone-load-balancing-enabled": "true",
	}
}

const (
	nlbPrefix      = "service.beta.kubernetes.io/aws-load-balancer-"
	nlbTargetType  = nlbPrefix + "nlb-target-type"
	nlbTargetsPods = "ip"

	// readinessGate on a namespace has the AWS Load Balancer Controller keep new pods from being ready until the load
	// balancer sends them requests, which takes minutes: an update would else end all old servers before. Source: its
	// documentation, "Pod readiness gate".
	readinessGate, readinessGateValue = "elbv2.k8s.aws/pod-readiness-gate-inject", "enabled"

	// autoModeClass is that of load balancers of EKS Auto Mode, which has no such gates.
	autoModeClass = "eks.amazonaws.com/nlb"
)

// leadsToPods tells whether the load balancer knows the pods themselves, and not only the nodes.
func (s Service) leadsToPods() bool {
	return s.Type == corev1.ServiceTypeLoadBalancer && s.Annotations[nlbTargetType] == nlbTargetsPods
}

// entry is where requests arrive.
func (b *builder) entry() (manifest.Set, error) {
	s := b.args.Service
	service := &corev1.Service{
		ObjectMeta: meta(name),
		Spec: corev1.ServiceSpec{
			Type: s.Type, Selector: selector(),
			Ports: []corev1.ServicePort{port(httpName, s.HTTPPort, s.HTTPNodePort), port(httpsName, s.HTTPSPort, s.HTTPSNodePort)},
		},
	}
	if len(s.Annotations) > 0 {
		service.Annotations = maps.Clone(s.Annotations)
	}
	if s.Type != corev1.ServiceTypeClusterIP {
		// Nodes send requests to their own pods only: a way over another node would hide the client's address.
		service.Spec.ExternalTrafficPolicy = corev1.ServiceExternalTrafficPolicyLocal
	}
	if s.Type == corev1.ServiceTypeLoadBalancer {
		service.Spec.LoadBalancerSourceRanges = s.SourceRanges
		if s.LoadBalancerClass != "" {
			service.Spec.LoadBalancerClass = &s.LoadBalancerClass
		}
	}
	return manifest.Typed(service)
}

func port(portName string, number, nodePort int32) corev1.ServicePort {
	return corev1.ServicePort{Name: portName, Port: number, TargetPort: intstr.FromString(portName), NodePort: nodePort}
}

// address is what the load balancer has been given. A NodePort or a ClusterIP has none that is known here.
func (b *builder) address(entry *manifest.Group) pulumi.StringOutput {
	if b.args.Service.Type != corev1.ServiceTypeLoadBalancer {
		return pulumi.String("").ToStringOutput()
	}
	service := entry.Resources()[0].(*manifest.Resource) // the only one
	return service.Status.ApplyT(firstAddress).(pulumi.StringOutput)
}

// firstAddress is the first address of a Service's status, by preference its name: what a name leads to can change.
func firstAddress(status any) string {
	fields, _ := status.(map[string]any)
	balancer, _ := fields["loadBalancer"].(map[string]any)
	all, _ := balancer["ingress"].([]any)
	for _, key := range []string{"hostname", "ip"} {
		for _, one := range all {
			entry, _ := one.(map[string]any)
			if text, _ := entry[key].(string); text != "" {
				return text
			}
		}
	}
	return ""
}

// serviceMonitor has Prometheus ask every server, and verify that it is one.
func (b *builder) serviceMonitor() runtime.Object {
	monitor := manifest.Custom("monitoring.coreos.com/v1", "ServiceMonitor", Namespace, name, "", map[string]any{
		"selector": map[string]any{"matchLabels": map[string]any{managedService: managementName}},
		"jobLabel": "app.kubernetes.io/name",
		"endpoints": []any{map[string]any{
			"port": managementPart, "scheme": "https", "path": metricsPath, "interval": "30s",
			"tlsConfig": b.args.ScrapeTLS(managementName + "." + Namespace + ".svc"),
		}},
	})
	monitor.SetLabels(labels())
	return monitor
}

// scraped leads Prometheus to each server.
func scraped() *corev1.Service {
	return &corev1.Service{ObjectMeta: management(), Spec: corev1.ServiceSpec{
		ClusterIP: corev1.ClusterIPNone, Selector: selector(), Ports: []corev1.ServicePort{port(managementPart, managementPort, 0)},
	}}
}

// managedService is the label by which the ServiceMonitor finds the one Service that has the port.
const managedService = "controlplane.io/service"

func management() metav1.ObjectMeta {
	m := meta(managementName)
	m.Labels[managedService] = managementName
	return m
}
