package valkey

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	corev1 "k8s.io/api/core/v1"

	"github.com/telekom/controlplane-infrastructure/internal/manifest"
)

// The numeric users of the images: a pod that must not run as root has to name one.
const (
	valkeyUser   = 999
	haproxyUser  = 99
	exporterUser = 59000
)

// certificateInterval is how often the scripts look for a renewed certificate, in seconds.
const certificateInterval = 10

func field(name, path string) corev1.EnvVar {
	return corev1.EnvVar{Name: name, ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: path}}}
}

// scriptEnv is what the scripts in scripts/lib.sh are told.
func (b *builder) scriptEnv(service string, port int, secret string) []corev1.EnvVar {
	return []corev1.EnvVar{
		field("POD_NAME", "metadata.name"),
		{Name: "SELF", Value: "$(POD_NAME)." + service + "." + Namespace + ".svc." + clusterDomain},
		{Name: "PORT", Value: strconv.Itoa(port)},
		{Name: "SERVERS", Value: words(b.serverHosts())},
		{Name: "SENTINELS", Value: words(b.sentinelHosts())},
		{Name: "QUORUM", Value: strconv.Itoa(b.args.quorum())},
		{Name: "CERTIFICATE_INTERVAL", Value: strconv.Itoa(certificateInterval)},
		secretVariable("CHECK_PASSWORD", secret, "check"),
	}
}

// script runs one of the scripts.
func script(name string) []string { return []string{"sh", "/etc/valkey/scripts/" + name} }

func execute(name string) corev1.ProbeHandler {
	return corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: script(name)}}
}

// probed gives a container of ours its probes. A server may wait for an election, and then load what it has: five
// minutes until it has to answer.
func probed(c corev1.Container) corev1.Container {
	c.StartupProbe = &corev1.Probe{ProbeHandler: execute("alive.sh"), PeriodSeconds: 2, TimeoutSeconds: 5, FailureThreshold: 150}
	c.LivenessProbe = &corev1.Probe{ProbeHandler: execute("alive.sh"), PeriodSeconds: 10, TimeoutSeconds: 5, FailureThreshold: 3}
	c.ReadinessProbe = &corev1.Probe{ProbeHandler: execute("ready.sh"), PeriodSeconds: 5, TimeoutSeconds: 5, FailureThreshold: 2}
	return c
}

// podVolumes are those that servers and sentinels have in common. What a process makes of its configuration lies in run.
func podVolumes(config, tls string, run corev1.StorageMedium) []corev1.Volume {
	return []corev1.Volume{
		configMap("config", config), configMap("scripts", scriptsName), secretVolume("tls", tls),
		{Name: "access", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{
			SecretName: config, Items: []corev1.KeyToPath{{Key: "users.acl", Path: "users.acl"}},
		}}},
		{Name: "run", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{Medium: run}}},
	}
}

func podMounts() []corev1.VolumeMount {
	return []corev1.VolumeMount{
		readOnly("config", "/etc/valkey/config"), readOnly("scripts", "/etc/valkey/scripts"),
		readOnly("tls", "/etc/valkey/tls"), readOnly("access", "/etc/valkey/access"), {Name: "run", MountPath: "/run/valkey"},
	}
}

func readOnly(name, path string) corev1.VolumeMount {
	return corev1.VolumeMount{Name: name, MountPath: path, ReadOnly: true}
}

func configMap(volume, name string) corev1.Volume {
	return corev1.Volume{Name: volume, VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
		LocalObjectReference: corev1.LocalObjectReference{Name: name},
	}}}
}

func secretVolume(volume, name string) corev1.Volume {
	return corev1.Volume{Name: volume, VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: name}}}
}

func scratch(name string) corev1.Volume {
	return corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}
}

func runAs(user int64) *corev1.PodSecurityContext {
	return &corev1.PodSecurityContext{RunAsUser: &user, RunAsGroup: &user, FSGroup: &user, RunAsNonRoot: new(true)}
}

// rolls replaces the pods when their configuration changes: the texts are known here, the access lists only at run time.
// A digest gives nothing away of passwords as long as ours.
func rolls(set manifest.Set, kind, name string, texts map[string]string, users []user) error {
	o := set.Find(kind, name)
	data, err := json.Marshal(texts)
	if err != nil {
		return fmt.Errorf("%s: %w", o, err)
	}
	annotation := []string{"spec", "template", "metadata", "annotations"}
	o.Set(pulumi.String(digest(string(data))), append(annotation, "controlplane.io/configuration")...)
	o.Set(pulumi.Unsecret(accessList(users).ApplyT(digest).(pulumi.StringOutput)),
		append(annotation, "controlplane.io/access")...)
	return nil
}
