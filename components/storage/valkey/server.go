package valkey

import (
	"fmt"
	"maps"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	k8sresource "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/telekom/controlplane-infrastructure/internal/manifest"
)

// dataVolume is where a server keeps its data, and the first part of the claims' names.
const dataVolume = "data"

// heard is after how many seconds the sentinels have heard of a replica that came into step: they ask every ten. Only
// then the next server is replaced, which may be the primary, and the replica its only successor.
const heard = 12

// servers is the StatefulSet of those that hold the data.
func (b *builder) servers() (manifest.Set, error) {
	pod := corev1.PodSpec{
		AutomountServiceAccountToken: new(false),
		SecurityContext:              runAs(valkeyUser),
		// A primary hands over before it ends, and then waits for its replicas.
		TerminationGracePeriodSeconds: new(int64(60)),
		Containers:                    []corev1.Container{b.serverContainer(), b.exporterContainer()},
		Volumes:                       append(podVolumes(serversName, serverTLS, corev1.StorageMediumMemory), configMap("trust", b.args.Trust.ConfigMap)),
	}
	set := statefulSet(server, serviceName, serversName, b.args.Servers, pod)
	if b.args.replicated() {
		set.Spec.MinReadySeconds = heard
	}
	if b.args.Persistence != nil {
		set.Spec.VolumeClaimTemplates = []corev1.PersistentVolumeClaim{{
			ObjectMeta: metav1.ObjectMeta{Name: dataVolume}, Spec: b.claimSpec(),
		}}
	} else {
		set.Spec.Template.Spec.Volumes = append(set.Spec.Template.Spec.Volumes, scratch(dataVolume))
	}
	objects, err := manifest.Typed(set)
	if err != nil {
		return objects, err
	}
	o := objects.Find("StatefulSet", serviceName)
	if b.args.Persistence != nil {
		// What a template asks for cannot change. The claims are objects of their own, so that they can grow. A template
		// that was not there before is none of what is ignored: the StatefulSet is replaced then.
		o.Options = append(o.Options, pulumi.IgnoreChanges([]string{"spec.volumeClaimTemplates[0].spec"}))
		b.args.Stateful(o)
	}
	texts, err := scriptTexts()
	if err != nil {
		return objects, err
	}
	maps.Copy(texts, b.serverConfig())
	return objects, rolls(objects, "StatefulSet", serviceName, texts, b.serverUsers())
}

func (b *builder) serverContainer() corev1.Container {
	c := corev1.Container{
		Name: "valkey", Image: b.args.Images.Server, Command: script("server.sh"),
		Ports: []corev1.ContainerPort{{Name: "valkey", ContainerPort: Port}},
		Env: append(b.scriptEnv(serversName, Port, serversName),
			secretVariable("MAINTENANCE_PASSWORD", serversName, "maintenance")),
		Resources:    b.args.Resources,
		VolumeMounts: append(podMounts(), corev1.VolumeMount{Name: dataVolume, MountPath: "/data"}),
	}
	if b.args.replicated() {
		c.Env = append(c.Env, secretVariable("REPLICATION_PASSWORD", serversName, "replication"))
		c.Lifecycle = &corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{Exec: &corev1.ExecAction{Command: script("leave.sh")}}}
	}
	return probed(c)
}

// exporterContainer serves the metrics of its server over TLS. It reads its certificate for each connection.
func (b *builder) exporterContainer() corev1.Container {
	env := []corev1.EnvVar{
		{Name: "REDIS_ADDR", Value: fmt.Sprintf("rediss://localhost:%d", Port)},
		{Name: "REDIS_USER", Value: "exporter"},
		secretVariable("REDIS_PASSWORD", serversName, "exporter"),
		{Name: "REDIS_EXPORTER_TLS_CA_CERT_FILE", Value: "/etc/valkey/trust/" + b.args.Trust.Key},
		{Name: "REDIS_EXPORTER_TLS_SERVER_CERT_FILE", Value: "/etc/valkey/tls/tls.crt"},
		{Name: "REDIS_EXPORTER_TLS_SERVER_KEY_FILE", Value: "/etc/valkey/tls/tls.key"},
		{Name: "REDIS_EXPORTER_WEB_LISTEN_ADDRESS", Value: fmt.Sprintf(":%d", metricsPort)},
		// The configuration holds the password of the replication: the exporter must not read it.
		{Name: "REDIS_EXPORTER_CONFIG_COMMAND", Value: "-"},
	}
	return corev1.Container{
		Name: "exporter", Image: b.args.Images.Exporter, Env: env,
		SecurityContext: &corev1.SecurityContext{RunAsUser: new(int64(exporterUser)), RunAsGroup: new(int64(exporterUser))},
		Ports:           []corev1.ContainerPort{{Name: "metrics", ContainerPort: metricsPort}},
		VolumeMounts:    []corev1.VolumeMount{readOnly("tls", "/etc/valkey/tls"), readOnly("trust", "/etc/valkey/trust")},
	}
}

// statefulSet starts its pods at once and replaces them one after the other.
func statefulSet(c component, name, service string, replicas int, pod corev1.PodSpec) *appsv1.StatefulSet {
	return &appsv1.StatefulSet{ObjectMeta: c.meta(name), Spec: appsv1.StatefulSetSpec{
		Replicas: new(int32(replicas)), ServiceName: service, PodManagementPolicy: appsv1.ParallelPodManagement,
		Selector: &metav1.LabelSelector{MatchLabels: c.selector()},
		Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: c.labels()}, Spec: pod},
	}}
}

func (b *builder) claimSpec() corev1.PersistentVolumeClaimSpec {
	spec := corev1.PersistentVolumeClaimSpec{
		AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
		Resources: corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{
			corev1.ResourceStorage: k8sresource.MustParse(b.args.Persistence.Size), // validate has parsed it
		}},
	}
	if class := b.args.Persistence.Class; class != "" {
		spec.StorageClassName = &class
	}
	return spec
}

// claims are the volumes, under the names that the StatefulSet looks for. They are bound when their pod is scheduled.
func (b *builder) claims() (manifest.Set, error) {
	var objects []runtime.Object
	for i := range b.args.Servers {
		meta := server.meta(fmt.Sprintf("%s-%s-%d", dataVolume, serviceName, i))
		meta.Annotations = map[string]string{"pulumi.com/skipAwait": "true"}
		objects = append(objects, &corev1.PersistentVolumeClaim{ObjectMeta: meta, Spec: b.claimSpec()})
	}
	set, err := manifest.Typed(objects...)
	b.args.Stateful(set.Objects...)
	return set, err
}
