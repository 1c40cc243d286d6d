package identity

import (
	"encoding/json"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/part"
)

const (
	userID = int64(1000) // of the upstream image

	// buildDir has the result of Keycloak's build step, dataDir and tempDir what a server writes.
	buildDir = "/opt/keycloak/lib/quarkus"
	dataDir  = "/opt/keycloak/data"
	tempDir  = "/tmp"
	// copyDir is where the first container sees the volume of the build: at its own place it would hide the image's.
	copyDir = "/build"

	buildVolume = "build"
	dataVolume  = "data"
	tempVolume  = "tmp"
	tlsVolume   = "tls"
	trustVolume = "trust"

	// contentsDigest changes with what the servers read only when they start.
	contentsDigest = "controlplane.io/contents"

	// endpointSeconds is how long a server goes on as before while it is removed from all lists of endpoints.
	endpointSeconds = 10
)

// servers are the servers and what belongs to them.
func (b *builder) servers() (manifest.Set, error) {
	deployment, err := b.deployment()
	if err != nil {
		return manifest.Set{}, err
	}
	objects := append(b.services(), deployment)
	if b.args.Autoscaling != nil {
		objects = append(objects, b.autoscaler(), b.budget())
	}
	if b.args.ServiceMonitor {
		objects = append(objects, b.serviceMonitor())
	}
	set, err := manifest.Typed(objects...)
	if err != nil {
		return set, err
	}
	return set, b.finish(set.Find("Deployment", name))
}

// finish adds to the Deployment what is known only at run time: new passwords start new servers. A renewed certificate
// does not, they look for it themselves.
func (b *builder) finish(o *manifest.Object) error {
	users, err := json.Marshal([]string{b.args.Admin.Username, b.args.Database.User})
	if err != nil {
		return fmt.Errorf("digest of the users: %w", err)
	}
	o.Set(part.Digest(string(users), b.adminPassword, b.databasePassword),
		"spec", "template", "metadata", "annotations", contentsDigest)
	b.setHost(o, b.settings())
	// One server after the other, each with a build and a start on few processors.
	o.Options = append(o.Options, pulumi.Timeouts(&pulumi.CustomTimeouts{Create: "30m", Update: "30m"}))
	if b.args.Autoscaling != nil {
		// The autoscaler owns the number. If it were left out, Kubernetes would take it as 1 the moment the autoscaler is
		// switched on, and end all servers but one.
		o.Options = append(o.Options, pulumi.IgnoreChanges([]string{"spec.replicas"}))
	}
	return nil
}

func (b *builder) deployment() (*appsv1.Deployment, error) {
	pod, err := b.pod()
	if err != nil {
		return nil, err
	}
	d := &appsv1.Deployment{
		ObjectMeta: meta(name),
		Spec: appsv1.DeploymentSpec{
			Replicas: new(int32(b.args.Replicas)),
			Selector: &metav1.LabelSelector{MatchLabels: selector()},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels()}, Spec: pod},
			Strategy: b.strategy(),
			// An image to pull, the build, and a start with a database to migrate.
			ProgressDeadlineSeconds: new(int32(900)),
			RevisionHistoryLimit:    new(int32(3)),
		},
	}
	if b.args.mostServers() > 1 {
		// The caches of a new server fill, and their entries find their places, before the next one goes.
		d.Spec.MinReadySeconds = 5
	}
	return d, nil
}

func (b *builder) strategy() appsv1.DeploymentStrategy {
	if b.args.Recreate {
		return appsv1.DeploymentStrategy{Type: appsv1.RecreateDeploymentStrategyType}
	}
	one, none := intstr.FromInt32(1), intstr.FromInt32(0)
	return appsv1.DeploymentStrategy{
		Type:          appsv1.RollingUpdateDeploymentStrategyType,
		RollingUpdate: &appsv1.RollingUpdateDeployment{MaxSurge: &one, MaxUnavailable: &none},
	}
}

func (b *builder) pod() (corev1.PodSpec, error) {
	heap, err := b.args.heap()
	if err != nil {
		return corev1.PodSpec{}, err
	}
	memory := corev1.EnvVar{Name: "JAVA_OPTS_KC_HEAP", Value: heap}
	spec := corev1.PodSpec{
		ServiceAccountName:           name,
		AutomountServiceAccountToken: new(false),
		EnableServiceLinks:           new(false),
		// Each step in turn, and some seconds for caches that move to other servers.
		TerminationGracePeriodSeconds: new(int64(endpointSeconds + shutdownDelay + shutdownTimeout + 10)),
		SecurityContext: &corev1.PodSecurityContext{
			RunAsNonRoot: new(true), RunAsUser: new(userID), FSGroup: new(userID),
			FSGroupChangePolicy: new(corev1.FSGroupChangeOnRootMismatch),
		},
		Containers: []corev1.Container{b.server(memory)},
		Volumes: []corev1.Volume{
			scratch(dataVolume), scratch(tempVolume), secretVolume(tlsVolume, certificate),
			{Name: trustVolume, VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
				LocalObjectReference: corev1.LocalObjectReference{Name: b.args.Trust.ConfigMap},
			}}},
		},
	}
	if !b.args.Optimized {
		spec.InitContainers = b.builders(memory)
		spec.Volumes = append(spec.Volumes, scratch(buildVolume))
	}
	return spec, nil
}

// builders are the containers that run Keycloak's build step.
func (b *builder) builders(memory corev1.EnvVar) []corev1.Container {
	return []corev1.Container{
		{
			Name: "copy", Image: b.args.Image, Command: []string{"sh", "-c", "cp -f " + buildDir + "/* " + copyDir + "/"},
			VolumeMounts: []corev1.VolumeMount{{Name: buildVolume, MountPath: copyDir}},
		},
		{
			Name: "build", Image: b.args.Image, Args: []string{"build"}, Env: append(buildSettings(), memory),
			VolumeMounts: []corev1.VolumeMount{
				{Name: buildVolume, MountPath: buildDir},
				{Name: dataVolume, MountPath: dataDir},
				{Name: tempVolume, MountPath: tempDir},
			},
		},
	}
}

func (b *builder) server(memory corev1.EnvVar) corev1.Container {
	c := corev1.Container{
		Name: name, Image: b.args.Image, Args: []string{"start", "--optimized"}, Env: append(b.settings(), memory),
		Ports: []corev1.ContainerPort{
			{Name: httpsName, ContainerPort: httpsPort},
			{Name: metricsName, ContainerPort: managementPort},
			{Name: "cluster", ContainerPort: clusterPort},
			{Name: "watch", ContainerPort: watchPort},
		},
		VolumeMounts: []corev1.VolumeMount{
			{Name: dataVolume, MountPath: dataDir},
			{Name: tempVolume, MountPath: tempDir},
			{Name: tlsVolume, MountPath: tlsDir, ReadOnly: true},
			{Name: trustVolume, MountPath: trustDir, ReadOnly: true},
		},
		// Five minutes: two for a start on a busy node, and as many for a database to migrate.
		StartupProbe:  probe("started", 5, 60),
		LivenessProbe: probe("live", 10, 6),
		// A server is not ready while the database names the coordinator that it lost. The next one corrects that within
		// seconds, which must not count against all servers at once.
		ReadinessProbe: probe("ready", 5, 3),
		Lifecycle: &corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{
			Sleep: &corev1.SleepAction{Seconds: endpointSeconds},
		}},
	}
	if b.args.Admin.PlainHTTP {
		c.Ports = append(c.Ports, corev1.ContainerPort{Name: httpName, ContainerPort: httpPort})
	}
	if !b.args.Optimized {
		c.VolumeMounts = append(c.VolumeMounts, corev1.VolumeMount{Name: buildVolume, MountPath: buildDir, ReadOnly: true})
	}
	return c
}

// probe asks a server for its health.
func probe(kind string, period, failures int32) *corev1.Probe {
	return &corev1.Probe{
		ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{
			Path: relativePath + "/health/" + kind, Port: intstr.FromString(metricsName), Scheme: corev1.URISchemeHTTPS,
		}},
		PeriodSeconds: period, TimeoutSeconds: 5, FailureThreshold: failures,
	}
}

func scratch(volume string) corev1.Volume {
	return corev1.Volume{Name: volume, VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}
}

// secretVolume is for the servers' user alone, and its group.
func secretVolume(volume, secretName string) corev1.Volume {
	return corev1.Volume{Name: volume, VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{
		SecretName: secretName, DefaultMode: new(int32(0o440)),
	}}}
}
