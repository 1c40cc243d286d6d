package valkey

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/telekom/controlplane-infrastructure/internal/manifest"
)

// services are the primary's address and the names of the pods. The latter exist before the pods are ready: servers
// and sentinels need each other for that.
func (b *builder) services() (manifest.Set, error) {
	entry := b.args.entry()
	primary := &corev1.Service{
		ObjectMeta: entry.meta(serviceName),
		Spec:       corev1.ServiceSpec{Selector: entry.selector(), Ports: []corev1.ServicePort{port("valkey", Port)}},
	}
	objects := []runtime.Object{primary, headless(server, serversName, port("valkey", Port), port("metrics", metricsPort))}
	if b.args.replicated() {
		objects = append(objects, headless(sentinel, sentinelsName, port("sentinel", sentinelPort)))
	}
	return manifest.Typed(objects...)
}

func headless(c component, name string, ports ...corev1.ServicePort) *corev1.Service {
	return &corev1.Service{ObjectMeta: c.meta(name), Spec: corev1.ServiceSpec{
		ClusterIP: corev1.ClusterIPNone, PublishNotReadyAddresses: true, Selector: c.selector(), Ports: ports,
	}}
}

func port(name string, number int32) corev1.ServicePort {
	return corev1.ServicePort{Name: name, Port: number, TargetPort: intstr.FromString(name), Protocol: corev1.ProtocolTCP}
}

// monitor has Prometheus scrape the servers over TLS.
func (b *builder) monitor() (manifest.Set, error) {
	labels := map[string]any{}
	for key, value := range server.selector() {
		labels[key] = value
	}
	monitor := manifest.Custom("monitoring.coreos.com/v1", "ServiceMonitor", Namespace, serviceName, "", map[string]any{
		"selector": map[string]any{"matchLabels": labels},
		"endpoints": []any{map[string]any{
			"port": "metrics", "scheme": "https",
			"tlsConfig": b.args.ScrapeTLS(Host),
		}},
	})
	monitor.SetLabels(server.labels())
	return manifest.Typed(monitor)
}
