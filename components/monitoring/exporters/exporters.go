package exporters

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/telekom/controlplane-infrastructure/components/monitoring/names"
	"github.com/telekom/controlplane-infrastructure/internal/certmanager"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
)

const (
	// What the containers mount, and the file in the first that says how they serve.
	configDir = "/etc/exporter/config"
	tlsDir    = "/etc/exporter/tls"
	trustDir  = "/etc/exporter/trust"
	webConfig = "web.yaml"

	userID = int64(65534) // of both images: nobody
)

// Set are all objects: what runs, with its certificates, and what has Prometheus read it. The namespace of Prometheus has
// to exist, with the trust bundle; that of the node exporter is one of the objects.
func (a Args) Set() (manifest.Set, error) {
	if err := a.Check(); err != nil {
		return manifest.Set{}, err
	}
	objects := a.kubeStateMetrics()
	if a.NodeExporter != nil {
		objects = append(objects, a.nodeExporter()...)
	}
	if a.Kubelet {
		objects = append(objects, a.kubelets()...)
	}
	if a.APIServer {
		objects = append(objects, apiServer())
	}
	if a.CoreDNS != nil {
		objects = append(objects, coreDNS(*a.CoreDNS))
	}
	if a.Etcd != nil {
		objects = append(objects, a.Etcd.scrapeConfig())
	}
	set, err := manifest.Typed(objects...)
	if err != nil {
		return manifest.Set{}, err
	}
	return a.Workloads(set)
}

func meta(namespace, component string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: namespace, Name: component, Labels: names.Labels(component)}
}

// certificate is that of an exporter's Service.
func (a Args) certificate(namespace, component string) runtime.Object {
	return certmanager.Leaf{
		Namespace: namespace, Name: component + "-tls", ClusterIssuer: a.Issuer,
		DNSNames: []string{component + "." + namespace + ".svc", component, component + "." + namespace},
		Usages:   []string{"server auth"},
	}.Object()
}

// service leads Prometheus to each pod.
func service(namespace, component string, ports ...corev1.ServicePort) *corev1.Service {
	return &corev1.Service{ObjectMeta: meta(namespace, component), Spec: corev1.ServiceSpec{
		ClusterIP: corev1.ClusterIPNone, Selector: names.Selector(component), Ports: ports,
	}}
}

func servicePort(name string, number int32) corev1.ServicePort {
	https := "https"
	return corev1.ServicePort{Name: name, Port: number, TargetPort: intstr.FromString(name), AppProtocol: &https}
}

// configured is the file that says how an exporter serves. It is read again for each connection, as are the certificates
// that it names.
func configured(namespace, component, content string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: meta(namespace, component), Data: map[string]string{webConfig: content}}
}

// volumes are what containers mount for their web servers.
func volumes(component string) []corev1.Volume {
	return []corev1.Volume{
		configMapVolume("config", component),
		{Name: "tls", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{
			SecretName: component + "-tls", DefaultMode: new(int32(0o440)),
		}}},
	}
}

func configMapVolume(volume, name string) corev1.Volume {
	return corev1.Volume{Name: volume, VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
		LocalObjectReference: corev1.LocalObjectReference{Name: name},
	}}}
}

func mounts() []corev1.VolumeMount {
	return []corev1.VolumeMount{
		{Name: "config", MountPath: configDir, ReadOnly: true}, {Name: "tls", MountPath: tlsDir, ReadOnly: true},
	}
}

// account is a service account. Its token is mounted only where the pod says so.
func account(namespace, component string) *corev1.ServiceAccount {
	return &corev1.ServiceAccount{ObjectMeta: meta(namespace, component), AutomountServiceAccountToken: new(false)}
}
