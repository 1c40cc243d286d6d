package minio

import (
	"fmt"
	"path"
	"strconv"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/part"
)

const (
	// server and peers are the parts that labels tell apart: the one Service selects what clients talk to, the other
	// one gives each server a name.
	server = "server"
	peers  = "peers"

	dataVolume  = "data"
	certsVolume = "certs"
	tempVolume  = "tmp"
	dataDir     = "/data"
	certsDir    = "/etc/minio/certs"
	tempDir     = "/tmp"

	rootUser = "root"
	userID   = int64(1000)

	// rootDigest changes with the root user's password.
	rootDigest = "controlplane.io/root-credentials"
)

// servers are the volumes, the servers and how to reach them.
func (b *builder) servers() (manifest.Set, error) {
	objects := []runtime.Object{
		&corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: Namespace, Name: rootSecret, Labels: labels(server)},
			StringData: map[string]string{"user": rootUser},
		},
		service(name, server, corev1.ServiceSpec{}),
		// Servers find each other before they are ready: none is without the others.
		service(peersName, peers, corev1.ServiceSpec{ClusterIP: corev1.ClusterIPNone, PublishNotReadyAddresses: true}),
		b.statefulSet(),
	}
	for i := range b.args.Servers {
		objects = append(objects, b.claim(fmt.Sprintf("%s-%s-%d", dataVolume, name, i)))
	}
	if b.args.ServiceMonitor {
		objects = append(objects, b.serviceMonitor())
	}
	set, err := manifest.Typed(objects...)
	if err != nil {
		return set, err
	}
	set.Find("Secret", rootSecret).Set(b.root, "stringData", "password")
	for _, o := range set.Objects {
		if o.GetKind() == "PersistentVolumeClaim" {
			b.args.Stateful(o)
		}
	}
	b.finish(set.Find("StatefulSet", name))
	return set, nil
}

// finish adds to the StatefulSet what is known only at run time and how it may change. It is not protected: it holds no
// data, and one that is made anew finds its volumes again.
func (b *builder) finish(set *manifest.Object) {
	set.Set(part.Digest(rootUser, b.root), "spec", "template", "metadata", "annotations", rootDigest)
	set.Options = append(set.Options,
		// The template of the claims cannot change, and need not: the claims are resources of their own.
		pulumi.IgnoreChanges([]string{"spec.volumeClaimTemplates"}),
		// Servers with different root passwords refuse each other, so one after the other would never get ready.
		pulumi.ReplaceOnChanges([]string{fmt.Sprintf("spec.template.metadata.annotations[%q]", rootDigest)}),
		pulumi.DeleteBeforeReplace(true),
	)
}

func service(serviceName, component string, spec corev1.ServiceSpec) *corev1.Service {
	https := "https"
	spec.Selector = selector(server)
	spec.Ports = []corev1.ServicePort{{Name: https, Port: Port, TargetPort: intstr.FromString(https), AppProtocol: &https}}
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: Namespace, Name: serviceName, Labels: labels(component)},
		Spec:       spec,
	}
}

// claim is a server's volume, under the name that the StatefulSet looks for. It is a resource of its own so that its
// size can grow in place. Many storage classes bind it only when its pod is scheduled, so nothing waits for it.
func (b *builder) claim(claimName string) *corev1.PersistentVolumeClaim {
	return &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: Namespace, Name: claimName, Labels: labels(server),
			Annotations: map[string]string{"pulumi.com/skipAwait": "true"},
		},
		Spec: b.claimSpec(),
	}
}

func (b *builder) claimSpec() corev1.PersistentVolumeClaimSpec {
	spec := corev1.PersistentVolumeClaimSpec{
		AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
		Resources: corev1.VolumeResourceRequirements{
			Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(b.args.Volume.Size)}, // checked before
		},
	}
	if class := b.args.Volume.Class; class != "" {
		spec.StorageClassName = &class
	}
	return spec
}

func (b *builder) statefulSet() *appsv1.StatefulSet {
	set := &appsv1.StatefulSet{
		ObjectMeta: metav1.ObjectMeta{Namespace: Namespace, Name: name, Labels: labels(server)},
		Spec: appsv1.StatefulSetSpec{
			Replicas:            new(int32(b.args.Servers)),
			ServiceName:         peersName,
			PodManagementPolicy: appsv1.ParallelPodManagement, // no server is ready alone
			Selector:            &metav1.LabelSelector{MatchLabels: selector(server)},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels(server)},
				Spec:       b.pod(),
			},
			VolumeClaimTemplates: []corev1.PersistentVolumeClaim{{
				ObjectMeta: metav1.ObjectMeta{Name: dataVolume, Labels: labels(server)}, Spec: b.claimSpec(),
			}},
		},
	}
	if b.args.Servers > 1 {
		// A server answers before it has found the others again; the next one is not to follow until then. Its answer
		// cannot wait for that: one with a new image or setting finds nobody before the next one has it, too.
		set.Spec.MinReadySeconds = 10
	}
	return set
}

func (b *builder) pod() corev1.PodSpec {
	rootMode := int32(0o440)
	return corev1.PodSpec{
		AutomountServiceAccountToken: new(false),
		EnableServiceLinks:           new(false), // they would be named MINIO_PORT and the like, and taken for settings
		// The hook, then requests under way.
		TerminationGracePeriodSeconds: new(int64(60)),
		SecurityContext:               podSecurity(),
		Containers:                    []corev1.Container{b.container()},
		Volumes: []corev1.Volume{
			{Name: tempVolume, VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
			{Name: certsVolume, VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{
				DefaultMode: &rootMode,
				Sources: []corev1.VolumeProjection{
					{Secret: &corev1.SecretProjection{
						LocalObjectReference: corev1.LocalObjectReference{Name: certificate},
						Items: []corev1.KeyToPath{
							{Key: corev1.TLSCertKey, Path: "public.crt"}, {Key: corev1.TLSPrivateKeyKey, Path: "private.key"},
						},
					}},
					// What the servers verify each other with. The bundle follows a CA that is replaced; the
					// certificate's own Secret would know only one of the two.
					{ConfigMap: &corev1.ConfigMapProjection{
						LocalObjectReference: corev1.LocalObjectReference{Name: b.args.Trust.ConfigMap},
						Items:                []corev1.KeyToPath{{Key: b.args.Trust.Key, Path: "CAs/platform.crt"}},
					}},
				},
			}}},
		},
	}
}

func podSecurity() *corev1.PodSecurityContext {
	onMismatch := corev1.FSGroupChangeOnRootMismatch
	return &corev1.PodSecurityContext{
		RunAsNonRoot: new(true), RunAsUser: new(userID), RunAsGroup: new(userID),
		FSGroup: new(userID), FSGroupChangePolicy: &onMismatch,
	}
}

func (b *builder) container() corev1.Container {
	return corev1.Container{
		Name: name, Image: b.args.Image, Args: b.arguments(), Env: b.environment(), Resources: b.args.Resources,
		Ports: []corev1.ContainerPort{{Name: "https", ContainerPort: Port}},
		VolumeMounts: []corev1.VolumeMount{
			{Name: dataVolume, MountPath: dataDir},
			{Name: certsVolume, MountPath: certsDir, ReadOnly: true},
			{Name: tempVolume, MountPath: tempDir},
		},
		// Before it listens a server waits for its own name, which a cluster under load is slow to publish.
		StartupProbe: probe("live", 60), LivenessProbe: probe("live", 6), ReadinessProbe: probe("ready", 2),
		Lifecycle: &corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{
			// So that nobody sends requests any more when the server stops to listen.
			Sleep: &corev1.SleepAction{Seconds: 5},
		}},
	}
}

// arguments are those of the server: its volume, or those of all servers.
func (b *builder) arguments() []string {
	args := []string{"server", "--address", fmt.Sprintf(":%d", Port), "--certs-dir", certsDir}
	if b.args.Servers == 1 {
		return append(args, dataDir)
	}
	return append(args, fmt.Sprintf("https://%s-{0...%d}.%s.%s.svc:%d%s", name, b.args.Servers-1, peersName, Namespace, Port, dataDir))
}

func (b *builder) environment() []corev1.EnvVar {
	env := []corev1.EnvVar{
		{Name: "HOME", Value: tempDir},
		{Name: "MINIO_ROOT_USER", ValueFrom: secretKey(rootSecret, "user")},
		{Name: "MINIO_ROOT_PASSWORD", ValueFrom: secretKey(rootSecret, "password")},
		{Name: "MINIO_BROWSER", Value: "off"},
		{Name: "MINIO_UPDATE", Value: "off"},
		// Lifecycle rules of MinIO know nothing of uploads that were never completed; this does.
		{Name: "MINIO_API_STALE_UPLOADS_EXPIRY", Value: "24h"},
		// A token for metrics would be signed with the root password and open the servers' own interfaces as well.
		// Metrics hold no contents, so who may reach the port may read them.
		{Name: "MINIO_PROMETHEUS_AUTH_TYPE", Value: "public"},
	}
	if p := b.parity(); p > 0 {
		env = append(env, corev1.EnvVar{Name: "MINIO_STORAGE_CLASS_STANDARD", Value: "EC:" + strconv.Itoa(p)})
	}
	return env
}

// parity is how many servers an object survives, where MinIO's own choice (4 from 8 servers on) is less than a zone of
// three; 0: its own choice.
func (b *builder) parity() int {
	if zone := (b.args.Servers + 2) / 3; zone > 4 {
		return zone
	}
	return 0
}

func secretKey(secret, key string) *corev1.EnvVarSource {
	return &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
		LocalObjectReference: corev1.LocalObjectReference{Name: secret}, Key: key,
	}}
}

// probe asks a server, every five seconds, for its health.
func probe(kind string, failures int32) *corev1.Probe {
	return &corev1.Probe{
		ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{
			Path: path.Join("/minio/health", kind), Port: intstr.FromString("https"), Scheme: corev1.URISchemeHTTPS,
		}},
		PeriodSeconds: 5, TimeoutSeconds: 5, FailureThreshold: failures,
	}
}

// serviceMonitor has Prometheus ask every server for its own metrics and for those of all of them, so that neither is
// missing without one.
func (b *builder) serviceMonitor() runtime.Object {
	var endpoints []any
	for _, kind := range []string{"node", "cluster"} {
		endpoints = append(endpoints, map[string]any{
			"port": "https", "scheme": "https", "path": "/minio/v2/metrics/" + kind, "interval": "60s",
			"tlsConfig": b.args.ScrapeTLS(name + "." + Namespace + ".svc"),
			// Both have metrics of requests: without a label of the target, the samples of one would replace the other's.
			"relabelings": []any{map[string]any{
				"action": "replace", "sourceLabels": []any{"__metrics_path__"}, "targetLabel": "metrics_path",
			}},
		})
	}
	match := map[string]any{}
	for key, value := range selector(server) {
		match[key] = value
	}
	monitor := manifest.Custom("monitoring.coreos.com/v1", "ServiceMonitor", Namespace, name, "", map[string]any{
		"selector": map[string]any{"matchLabels": match}, "endpoints": endpoints, "jobLabel": "app.kubernetes.io/name",
	})
	monitor.SetLabels(labels(server))
	return monitor
}
