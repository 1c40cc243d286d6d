package traefik

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
)

const (
	userID = int64(65532) // any but root: the image has no user of its own

	configVolume = "config"
	tempVolume   = "tmp"

	// endpointSeconds is how long a server goes on as before while it is removed from all lists of endpoints, and
	// balancedSeconds how long where a load balancer finds out by asking every ten seconds or so. One of AWS that leads to
	// pods is told, and opens connections to them for about two minutes more (aws-load-balancer-controller, issue 2366).
	endpointSeconds, balancedSeconds, deregisterSeconds = 10, 30, 150

	// updateTime is how long an update may take where each new server waits for such a load balancer: with the engine's
	// ten minutes, six of them would be too many.
	updateTime = "30m"

	// heapPercent is the share of the memory that Go's heap is kept below as long as it can be.
	heapPercent = 90
	mebibyte    = 1 << 20
)

// pace follows the load quickly, and leaves slowly: a server that ends costs those that are connected to it a new
// connection.
var pace = workload.Pace{Up: workload.Step{Window: 0, Every: 30}, Down: workload.Step{Window: 600, Every: 120}}

// servers are the servers and what belongs to them.
func (b *builder) servers() (manifest.Set, error) {
	objects := []runtime.Object{scraped(), b.deployment()}
	if a := b.args.Autoscaling; a != nil {
		objects = append(objects,
			workload.Autoscaler(meta(name), b.args.Replicas, *a, pace), workload.ScaledBudget(meta(name), selector()))
	}
	if b.args.ServiceMonitor {
		objects = append(objects, b.serviceMonitor())
	}
	set, err := manifest.Typed(objects...)
	if err != nil {
		return set, err
	}
	deployment := set.Find("Deployment", name)
	if b.args.Service.leadsToPods() {
		deployment.Options = append(deployment.Options, pulumi.Timeouts(&pulumi.CustomTimeouts{Create: updateTime, Update: updateTime}))
	}
	if b.args.Autoscaling != nil {
		// The autoscaler owns the number. If it were left out, Kubernetes would take it as 1 the moment the autoscaler is
		// switched on, and end all servers but one.
		deployment.Options = append(deployment.Options, pulumi.IgnoreChanges([]string{"spec.replicas"}))
	}
	return set, nil
}

func (b *builder) deployment() *appsv1.Deployment {
	d := &appsv1.Deployment{
		ObjectMeta: meta(name),
		Spec: appsv1.DeploymentSpec{
			Replicas: new(int32(b.args.Replicas)),
			Selector: &metav1.LabelSelector{MatchLabels: selector()},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels()}, Spec: b.pod()},
			Strategy: appsv1.DeploymentStrategy{
				Type: appsv1.RollingUpdateDeploymentStrategyType,
				RollingUpdate: &appsv1.RollingUpdateDeployment{
					MaxSurge: new(intstr.FromInt32(1)), MaxUnavailable: new(intstr.FromInt32(0)),
				},
			},
			RevisionHistoryLimit: new(int32(3)),
		},
	}
	if b.args.Replicas > 1 {
		// Load balancers find a new server before the next old one goes.
		d.Spec.MinReadySeconds = endpointSeconds
		if s := b.args.Service; s.leadsToPods() && s.LoadBalancerClass == autoModeClass {
			d.Spec.MinReadySeconds = deregisterSeconds // as long to begin as to end
		}
	}
	return d
}

func (b *builder) pod() corev1.PodSpec {
	return corev1.PodSpec{
		ServiceAccountName:           name,
		AutomountServiceAccountToken: new(true), // it reads the cluster's objects
		EnableServiceLinks:           new(false),
		// Each step in turn.
		TerminationGracePeriodSeconds: new(int64(b.drainSeconds() + acceptSeconds + finishSeconds + 5)),
		SecurityContext: &corev1.PodSecurityContext{
			RunAsNonRoot: new(true), RunAsUser: new(userID), RunAsGroup: new(userID), FSGroup: new(userID),
		},
		Containers: []corev1.Container{b.server()},
		Volumes: []corev1.Volume{b.files(), {
			Name: tempVolume, VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}},
		}},
	}
}

// drainSeconds is how long a server that is to end goes on as before.
func (b *builder) drainSeconds() int {
	switch s := b.args.Service; {
	case s.leadsToPods():
		return deregisterSeconds
	case s.Type == corev1.ServiceTypeLoadBalancer:
		return balancedSeconds
	}
	return endpointSeconds
}

func (b *builder) server() corev1.Container {
	return corev1.Container{
		Name: name, Image: b.args.Image, Args: b.arguments(),
		// Go takes the number of processors from the container's limit by itself, but not the memory.
		Env: []corev1.EnvVar{{Name: "GOMEMLIMIT", Value: b.heap()}},
		Ports: []corev1.ContainerPort{
			{Name: httpName, ContainerPort: HTTPPort},
			{Name: httpsName, ContainerPort: HTTPSPort},
			{Name: managementPart, ContainerPort: managementPort},
		},
		VolumeMounts: []corev1.VolumeMount{
			{Name: configVolume, MountPath: configDir, ReadOnly: true},
			// Bodies that an Ingress asks to buffer, and that are too large for the memory.
			{Name: tempVolume, MountPath: "/tmp"},
		},
		LivenessProbe:  probe(pingPath, 10, 3),
		ReadinessProbe: b.readiness(),
		Lifecycle: &corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{
			Sleep: &corev1.SleepAction{Seconds: int64(b.drainSeconds())},
		}},
	}
}

func (b *builder) heap() string {
	limit := b.args.Classes[workload.Gateway].Limits[corev1.ResourceMemory]
	return fmt.Sprintf("%dMiB", limit.Value()*heapPercent/100/mebibyte)
}

// readiness says that a server has read the cluster's objects. Of those of the Gateway API nothing tells, so they are given
// some seconds.
func (b *builder) readiness() *corev1.Probe {
	p := probe(readyPath, 5, 2)
	if b.args.GatewayAPI {
		p.InitialDelaySeconds = 5
	}
	return p
}

func probe(path string, period, failures int32) *corev1.Probe {
	return &corev1.Probe{
		ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{
			Path: path, Port: intstr.FromString(managementPart), Scheme: corev1.URISchemeHTTPS,
		}},
		PeriodSeconds: period, TimeoutSeconds: 3, FailureThreshold: failures,
	}
}
