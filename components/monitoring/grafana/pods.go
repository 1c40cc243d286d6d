package grafana

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/telekom/controlplane-infrastructure/components/monitoring/names"
)

const (
	userID = int64(472) // of the upstream image

	// dataDir is where the image keeps its data.
	dataDir = "/var/lib/grafana"
	tempDir = "/tmp"
	// platformDir is where everything of ours is.
	platformDir     = "/etc/platform"
	settingsDir     = platformDir + "/settings"
	provisioningDir = platformDir + "/settings/provisioning"
	dashboardsDir   = platformDir + "/dashboards"
	secretsDir      = platformDir + "/secrets"
	tlsDir          = platformDir + "/tls"
	trustDir        = platformDir + "/trust"

	// endpointSeconds is how long a pod that ends goes on as before while it is removed from all lists of endpoints.
	endpointSeconds = 10
)

func (a Args) deployment() *appsv1.Deployment {
	return &appsv1.Deployment{
		ObjectMeta: meta(names.Grafana),
		Spec: appsv1.DeploymentSpec{
			Replicas: new(int32(a.Replicas)),
			Selector: &metav1.LabelSelector{MatchLabels: names.Selector(names.Grafana)},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: names.Labels(names.Grafana)}, Spec: a.pod(),
			},
			Strategy: a.strategy(),
			// An image to pull, and a database to migrate.
			ProgressDeadlineSeconds: new(int32(600)),
			RevisionHistoryLimit:    new(int32(3)),
		},
	}
}

// strategy has no two pods write to the same file, and otherwise always one that answers.
func (a Args) strategy() appsv1.DeploymentStrategy {
	if a.Database == nil {
		return appsv1.DeploymentStrategy{Type: appsv1.RecreateDeploymentStrategyType}
	}
	one, none := intstr.FromInt32(1), intstr.FromInt32(0)
	return appsv1.DeploymentStrategy{
		Type:          appsv1.RollingUpdateDeploymentStrategyType,
		RollingUpdate: &appsv1.RollingUpdateDeployment{MaxSurge: &one, MaxUnavailable: &none},
	}
}

func (a Args) pod() corev1.PodSpec {
	volumes, mounts := a.volumes()
	return corev1.PodSpec{
		ServiceAccountName:            names.Grafana,
		AutomountServiceAccountToken:  new(false),
		EnableServiceLinks:            new(false),
		TerminationGracePeriodSeconds: new(int64(endpointSeconds + 20)),
		SecurityContext: &corev1.PodSecurityContext{
			RunAsNonRoot: new(true), RunAsUser: new(userID), RunAsGroup: new(userID), FSGroup: new(userID),
			FSGroupChangePolicy: new(corev1.FSGroupChangeOnRootMismatch),
		},
		Containers: []corev1.Container{{
			Name: names.Grafana, Image: a.Image, Resources: a.Resources, VolumeMounts: mounts,
			Env: []corev1.EnvVar{
				{Name: "GF_PATHS_CONFIG", Value: settingsDir + "/" + settingsFile},
				{Name: "GF_PATHS_PROVISIONING", Value: provisioningDir},
				{Name: "GF_PATHS_DATA", Value: dataDir},
				{Name: "GF_PATHS_PLUGINS", Value: dataDir + "/plugins"},
			},
			Ports: []corev1.ContainerPort{{Name: portName, ContainerPort: port}},
			// Five minutes, for a database that is set up by another replica first.
			StartupProbe: probe("/api/health", 5, 60),
			// Whether the process answers. A database that is away does not come back by new pods.
			LivenessProbe: probe("/healthz", 10, 6),
			// Whether the database answers, too.
			ReadinessProbe: probe("/api/health", 5, 3),
			Lifecycle: &corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{
				Sleep: &corev1.SleepAction{Seconds: endpointSeconds},
			}},
		}},
		Volumes: volumes,
	}
}

func probe(path string, period, failures int32) *corev1.Probe {
	return &corev1.Probe{
		ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{
			Path: path, Port: intstr.FromString(portName), Scheme: corev1.URISchemeHTTPS,
		}},
		PeriodSeconds: period, TimeoutSeconds: 5, FailureThreshold: failures,
	}
}

// volumes are all that the container sees, and where.
func (a Args) volumes() (volumes []corev1.Volume, mounts []corev1.VolumeMount) {
	add := func(name, path string, readOnly bool, source corev1.VolumeSource) {
		volumes = append(volumes, corev1.Volume{Name: name, VolumeSource: source})
		mounts = append(mounts, corev1.VolumeMount{Name: name, MountPath: path, ReadOnly: readOnly})
	}
	add("data", dataDir, false, a.data())
	add("tmp", tempDir, false, corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}})
	add("settings", settingsDir, true, corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
		LocalObjectReference: corev1.LocalObjectReference{Name: settingsMap},
		Items: []corev1.KeyToPath{
			{Key: settingsFile, Path: settingsFile},
			{Key: datasourcesFile, Path: "provisioning/datasources/" + datasourcesFile},
			{Key: providersFile, Path: "provisioning/dashboards/" + providersFile},
		},
	}})
	add("secrets", secretsDir, true, a.secretFiles())
	add("tls", tlsDir, true, corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{
		SecretName: certificate, DefaultMode: new(int32(0o440)),
	}})
	add("trust", trustDir, true, corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
		LocalObjectReference: corev1.LocalObjectReference{Name: a.Trust.ConfigMap},
	}})
	for _, f := range a.folders() {
		projected := &corev1.ProjectedVolumeSource{}
		for _, m := range f.maps() {
			projected.Sources = append(projected.Sources, corev1.VolumeProjection{ConfigMap: &corev1.ConfigMapProjection{
				LocalObjectReference: corev1.LocalObjectReference{Name: m.Name},
			}})
		}
		add("dashboards-"+f.slug, f.dir(), true, corev1.VolumeSource{Projected: projected})
	}
	return volumes, mounts
}

// data is what a replica writes to: with a database, nothing that matters.
func (a Args) data() corev1.VolumeSource {
	if a.Database != nil {
		return corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}
	}
	return corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: names.Grafana}}
}

// secretFiles are the passwords that the settings refer to.
func (a Args) secretFiles() corev1.VolumeSource {
	from := func(secret, key, path string) corev1.VolumeProjection {
		return corev1.VolumeProjection{Secret: &corev1.SecretProjection{
			LocalObjectReference: corev1.LocalObjectReference{Name: secret},
			Items:                []corev1.KeyToPath{{Key: key, Path: path}},
		}}
	}
	sources := []corev1.VolumeProjection{
		from(AdminSecret, passwordKey, adminFile),
		from(metricsSecret, passwordKey, metricsFile),
		from(otherSecret, secretKeyKey, secretKeyKey),
	}
	if a.Database != nil {
		sources = append(sources, from(otherSecret, databaseKey, databaseKey))
	}
	if a.OIDC != nil {
		sources = append(sources, from(otherSecret, clientKey, clientKey))
	}
	return corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{DefaultMode: new(int32(0o440)), Sources: sources}}
}

// claim is the storage of the only replica.
func (a Args) claim() *corev1.PersistentVolumeClaim {
	c := &corev1.PersistentVolumeClaim{ObjectMeta: meta(names.Grafana), Spec: corev1.PersistentVolumeClaimSpec{
		AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
		Resources: corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{
			corev1.ResourceStorage: resource.MustParse(a.Volume.Size),
		}},
	}}
	// Many classes bind it only when its pod is scheduled, which waits for it.
	c.Annotations = map[string]string{"pulumi.com/skipAwait": "true"}
	if a.Volume.Class != "" {
		c.Spec.StorageClassName = &a.Volume.Class
	}
	return c
}
