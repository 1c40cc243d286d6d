package valkey

import (
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/telekom/controlplane-infrastructure/internal/manifest"
)

// proxies is the Deployment that leads clients to the primary. It has no state: its probes ask for nothing but the
// process, because a proxy without a primary is as good as any other.
func (b *builder) proxies() (manifest.Set, error) {
	health := corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/healthz", Port: intstr.FromString("health")}}
	container := corev1.Container{
		Name: "haproxy", Image: b.args.Images.Proxy,
		Command: script("proxy.sh"),
		Env: []corev1.EnvVar{
			field("POD_NAME", "metadata.name"),
			{Name: "TRUST", Value: "/etc/haproxy/trust/" + b.args.Trust.Key},
			{Name: "CERTIFICATE_INTERVAL", Value: strconv.Itoa(certificateInterval)},
			secretVariable("CHECK_PASSWORD", proxiesName, "check"),
		},
		Ports: []corev1.ContainerPort{
			{Name: "valkey", ContainerPort: Port}, {Name: "health", ContainerPort: healthPort},
		},
		VolumeMounts: []corev1.VolumeMount{
			readOnly("config", "/etc/haproxy/config"), readOnly("trust", "/etc/haproxy/trust"), readOnly("scripts", "/etc/valkey/scripts"),
		},
		LivenessProbe: &corev1.Probe{ProbeHandler: health, PeriodSeconds: 10},
		// HAProxy takes every server for good until its first checks have failed.
		ReadinessProbe: &corev1.Probe{ProbeHandler: health, PeriodSeconds: 5, InitialDelaySeconds: 5},
		// Until nobody is sent here any more.
		Lifecycle: &corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{Exec: &corev1.ExecAction{Command: []string{"sleep", "5"}}}},
	}
	none, one := intstr.FromInt32(0), intstr.FromInt32(1)
	set, err := manifest.Typed(&appsv1.Deployment{ObjectMeta: proxy.meta(proxiesName), Spec: appsv1.DeploymentSpec{
		Replicas: new(int32(b.args.Proxies)),
		Selector: &metav1.LabelSelector{MatchLabels: proxy.selector()},
		Strategy: appsv1.DeploymentStrategy{
			Type:          appsv1.RollingUpdateDeploymentStrategyType,
			RollingUpdate: &appsv1.RollingUpdateDeployment{MaxUnavailable: &none, MaxSurge: &one},
		},
		Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: proxy.labels()}, Spec: corev1.PodSpec{
			AutomountServiceAccountToken: new(false),
			SecurityContext:              runAs(haproxyUser),
			Containers:                   []corev1.Container{container},
			Volumes: []corev1.Volume{
				configMap("config", proxiesName), configMap("trust", b.args.Trust.ConfigMap), configMap("scripts", scriptsName),
			},
		}},
	}})
	if err != nil {
		return set, err
	}
	texts, err := scriptTexts()
	if err != nil {
		return set, err
	}
	texts["haproxy.cfg"] = b.proxyConfig()
	return set, rolls(set, "Deployment", proxiesName, texts,
		[]user{{name: "check", password: b.passwords.check}})
}
