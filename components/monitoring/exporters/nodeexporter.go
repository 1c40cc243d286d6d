package exporters

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/telekom/controlplane-infrastructure/components/monitoring/names"
	"github.com/telekom/controlplane-infrastructure/internal/certmanager"
)

const (
	// hostRoot is where the container sees its node's file systems.
	hostRoot = "/host/root"
	// clientSecret has the certificate by which Prometheus is known. It lies in Prometheus' own namespace, as does the
	// monitor that names it: the operator reads no Secrets elsewhere.
	clientSecret = "prometheus-client-tls" // #nosec G101 -- a name
)

// nodeExporter says what nodes know of themselves: their processors, memory, disks, network and clocks.
func (a Args) nodeExporter() []runtime.Object {
	const name, namespace = names.NodeExporter, names.NodeExporterNamespace
	return append(a.Namespaces.Objects(namespace, a.NamespaceLabels()),
		account(namespace, name),
		a.certificate(namespace, name),
		certmanager.Leaf{
			Namespace: names.Namespace, Name: clientSecret, ClusterIssuer: a.Issuer, CommonName: names.Prometheus,
			DNSNames: []string{names.Host(names.Prometheus)}, Usages: []string{"client auth"},
		}.Object(),
		configured(namespace, name, a.mutualConfig()),
		service(namespace, name, servicePort(metricsName, names.NodeExporterPort)),
		a.daemonSet(),
		a.nodeExporterMonitor(),
	)
}

// mutualConfig lets in who has the certificate that is Prometheus'. Network policies do not hold for the addresses of
// nodes, and certificates of the platform have other pods too.
func (a Args) mutualConfig() string {
	return serverConfig + `  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: ` + trustDir + "/" + a.Trust.Key + `
  client_allowed_sans:
  - ` + names.Host(names.Prometheus) + `
`
}

func (a Args) daemonSet() *appsv1.DaemonSet {
	const name = names.NodeExporter
	some := intstr.FromString("10%")
	return &appsv1.DaemonSet{
		ObjectMeta: meta(names.NodeExporterNamespace, name),
		Spec: appsv1.DaemonSetSpec{
			Selector:             &metav1.LabelSelector{MatchLabels: names.Selector(name)},
			RevisionHistoryLimit: new(int32(3)),
			UpdateStrategy: appsv1.DaemonSetUpdateStrategy{
				Type:          appsv1.RollingUpdateDaemonSetStrategyType,
				RollingUpdate: &appsv1.RollingUpdateDaemonSet{MaxUnavailable: &some},
			},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: names.Labels(name)}, Spec: a.nodePod()},
		},
	}
}

func (a Args) nodePod() corev1.PodSpec {
	const name = names.NodeExporter
	return corev1.PodSpec{
		ServiceAccountName: name, AutomountServiceAccountToken: new(false), EnableServiceLinks: new(false),
		// The network and the processes are those of the node.
		HostNetwork: true, HostPID: true,
		NodeSelector:      map[string]string{corev1.LabelOSStable: "linux"},
		Tolerations:       []corev1.Toleration{{Operator: corev1.TolerationOpExists}},
		PriorityClassName: "system-node-critical",
		SecurityContext: &corev1.PodSecurityContext{
			RunAsNonRoot: new(true), RunAsUser: new(userID), RunAsGroup: new(userID), FSGroup: new(userID),
			SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
		},
		Containers: []corev1.Container{a.nodeContainer()},
		Volumes: append(volumes(name), configMapVolume("trust", a.Trust.ConfigMap), corev1.Volume{
			Name: "root", VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/"}},
		}),
	}
}

func (a Args) nodeContainer() corev1.Container {
	follow := corev1.MountPropagationHostToContainer
	return corev1.Container{
		Name: names.NodeExporter, Image: a.NodeExporter.Image, Resources: a.NodeExporter.Resources, Args: nodeArgs(),
		Ports: []corev1.ContainerPort{{
			Name: metricsName, ContainerPort: names.NodeExporterPort, HostPort: names.NodeExporterPort,
		}},
		VolumeMounts: append(mounts(),
			corev1.VolumeMount{Name: "trust", MountPath: trustDir, ReadOnly: true},
			corev1.VolumeMount{Name: "root", MountPath: hostRoot, ReadOnly: true, MountPropagation: &follow},
		),
		// Kubelets have no client certificate: a connection is all that they can ask for, and each is a line in the log.
		ReadinessProbe: &corev1.Probe{
			ProbeHandler:  corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromString(metricsName)}},
			PeriodSeconds: 30, TimeoutSeconds: 5,
		},
		SecurityContext: &corev1.SecurityContext{
			AllowPrivilegeEscalation: new(false), ReadOnlyRootFilesystem: new(true),
			Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
		},
	}
}

// nodeArgs leave out what comes and goes with each pod: its network interface, and its mounts.
func nodeArgs() []string {
	return []string{
		"--web.listen-address=:9100",
		"--web.config.file=" + configDir + "/" + webConfig,
		"--path.rootfs=" + hostRoot, "--path.procfs=" + hostRoot + "/proc", "--path.sysfs=" + hostRoot + "/sys",
		"--path.udev.data=" + hostRoot + "/run/udev/data",
		"--no-collector.wifi", "--no-collector.btrfs", "--no-collector.hwmon",
		"--collector.filesystem.mount-points-exclude=^/(dev|proc|sys|run/.+|var/lib/(containerd|docker|kubelet)/.+)($|/)",
		"--collector.netclass.ignored-devices=" + podInterfaces,
		"--collector.netdev.device-exclude=" + podInterfaces,
	}
}

// podInterfaces are those that network plugins make for pods.
const podInterfaces = "^(veth.*|cali.*|lxc.*|eni[0-9a-f]+|[0-9a-f]{15})$"

// nodeExporterMonitor calls each instance by its node.
func (a Args) nodeExporterMonitor() runtime.Object {
	const name, namespace = names.NodeExporter, names.NodeExporterNamespace
	tls := a.ScrapeTLS(name + "." + namespace + ".svc")
	tls["cert"] = map[string]any{"secret": key(clientSecret, corev1.TLSCertKey)}
	tls["keySecret"] = key(clientSecret, corev1.TLSPrivateKeyKey)
	return monitor("ServiceMonitor", names.Namespace, name, map[string]any{
		"selector": selecting(names.Selector(name)), "namespaceSelector": inNamespace(namespace),
		"endpoints": []any{map[string]any{
			"port": metricsName, "scheme": "https", "tlsConfig": tls,
			"relabelings": append(byNode("__meta_kubernetes_pod_node_name"), dropLabels("pod|container|endpoint")),
		}},
	})
}
