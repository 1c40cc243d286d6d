package monitoring

import (
	"errors"
	"fmt"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/telekom/controlplane-infrastructure/components/monitoring/names"
	"github.com/telekom/controlplane-infrastructure/components/monitoring/prometheus"
	"github.com/telekom/controlplane-infrastructure/internal/certmanager"
	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
)

// Operator configures the Prometheus operator. There is one, which knows of no second one; while it is away, Prometheus
// and Alertmanager go on as they are.
type Operator struct {
	// Image is the operator's, WebhookImage that of its admission webhook, ReloaderImage that of the container beside each
	// server that has it read changed configuration. All three are of the same release.
	Image, WebhookImage, ReloaderImage string
	// SecretNamespaces are those besides its own in which it may read Secrets, because monitors there refer to some. They
	// have to exist.
	SecretNamespaces []string
}

const (
	operatorPort = 8443 // of the operator and of its webhook
	httpsName    = "https"
	tlsVolume    = "tls"
	tlsDir       = "/etc/tls/private"

	userID = int64(65534) // of both images
)

var (
	operatorPods = flow.Peer{Namespace: names.Namespace, Pods: names.Selector(names.Operator)}
	webhookPods  = flow.Peer{Namespace: names.Namespace, Pods: names.Selector(names.Webhook)}
)

func (o Operator) check() error {
	var problems []error
	for _, field := range []struct{ name, value string }{
		{"Image", o.Image}, {"WebhookImage", o.WebhookImage}, {"ReloaderImage", o.ReloaderImage},
	} {
		if field.value == "" {
			problems = append(problems, errors.New("Operator."+field.name+" is missing"))
		}
	}
	return errors.Join(problems...)
}

func (a Args) operatorFlows() []flow.Flow {
	return []flow.Flow{
		a.ToAPIServer("prometheus-operator-kubernetes", operatorPods,
			"The operator follows its custom resources, and makes servers and their configuration of them."),
		a.Scrape("prometheus-operator-metrics", operatorPods, operatorPort),
		a.Webhook("prometheus-operator-webhook", webhookPods, operatorPort, "The API server has rules and routes of alerts checked."),
		a.Scrape("prometheus-operator-webhook-metrics", webhookPods, operatorPort),
	}
}

// operator is the operator and its admission webhook. They are written here rather than taken from the operator's own
// bundle: that one has no webhook, plain HTTP, and access to every Secret of the cluster.
func (a Args) operator() (manifest.Set, error) {
	objects := operatorAccess(a.Operator.SecretNamespaces)
	for _, component := range []string{names.Operator, names.Webhook} {
		objects = append(objects, account(component), a.certificate(component), monitor(component))
	}
	objects = append(objects,
		service(names.Operator, operatorPort), a.operatorDeployment(),
		service(names.Webhook, 443), a.webhookDeployment(), validation(),
	)
	return manifest.Typed(objects...)
}

func (a Args) certificate(component string) runtime.Object {
	short := component + "." + names.Namespace
	return certmanager.Leaf{
		Namespace: names.Namespace, Name: component + "-tls", ClusterIssuer: a.Issuer,
		DNSNames: []string{short + ".svc", component, short, short + ".svc.cluster.local"}, Usages: []string{"server auth"},
	}.Object()
}

func monitor(component string) runtime.Object {
	return prometheus.Monitor(component, map[string]any{
		"port": httpsName, "scheme": "https", "tlsConfig": map[string]any{"serverName": names.Host(component)},
	})
}

func service(component string, number int32) runtime.Object {
	return &corev1.Service{ObjectMeta: prometheus.Managed(component), Spec: corev1.ServiceSpec{
		Selector: names.Selector(component),
		Ports: []corev1.ServicePort{{
			Name: httpsName, Port: number, TargetPort: intstr.FromString(httpsName), AppProtocol: new("https"),
		}},
	}}
}

func (a Args) operatorDeployment() runtime.Object {
	args := []string{
		"--prometheus-config-reloader=" + a.Operator.ReloaderImage,
		"--config-reloader-cpu-request=10m", "--config-reloader-cpu-limit=100m",
		"--config-reloader-memory-request=32Mi", "--config-reloader-memory-limit=64Mi",
		// Servers of ours only, so that access to Secrets and StatefulSets ends at this namespace. Monitors and rules are
		// those of all namespaces.
		"--prometheus-instance-namespaces=" + names.Namespace,
		"--alertmanager-instance-namespaces=" + names.Namespace,
		"--alertmanager-config-namespaces=" + names.Namespace,
		"--thanos-ruler-instance-namespaces=" + names.Namespace,
		"--disable-unmanaged-prometheus-configuration=true",
		"--auto-gomemlimit-ratio=0.9",
	}
	d := deployment(names.Operator, a.Operator.Image, 1, args)
	d.Spec.Strategy.Type = appsv1.RecreateDeploymentStrategyType // two would undo each other's work
	d.Spec.Template.Spec.AutomountServiceAccountToken = new(true)
	d.Spec.Template.Spec.Tolerations = workload.SoonElsewhere()
	return d
}

func (a Args) webhookDeployment() runtime.Object {
	replicas := int32(1)
	if a.Availability == workload.Zonal {
		replicas = 2
	}
	d := deployment(names.Webhook, a.Operator.WebhookImage, replicas, []string{"--auto-gomemlimit-ratio=0.9"})
	surge, none := intstr.FromInt32(1), intstr.FromInt32(0)
	d.Spec.Strategy = appsv1.DeploymentStrategy{
		Type:          appsv1.RollingUpdateDeploymentStrategyType,
		RollingUpdate: &appsv1.RollingUpdateDeployment{MaxSurge: &surge, MaxUnavailable: &none},
	}
	return d
}

// deployment is what operator and webhook have in common.
func deployment(component, image string, replicas int32, args []string) *appsv1.Deployment {
	args = append([]string{
		fmt.Sprintf("--web.listen-address=:%d", operatorPort), "--web.enable-tls=true",
		"--web.cert-file=" + tlsDir + "/" + corev1.TLSCertKey, "--web.key-file=" + tlsDir + "/" + corev1.TLSPrivateKeyKey,
		"--web.client-ca-file=",
	}, args...)
	return &appsv1.Deployment{
		ObjectMeta: meta(component),
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: names.Selector(component)},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: names.Labels(component)},
				Spec: corev1.PodSpec{
					ServiceAccountName: component, AutomountServiceAccountToken: new(false), EnableServiceLinks: new(false),
					SecurityContext: &corev1.PodSecurityContext{RunAsUser: new(userID), RunAsGroup: new(userID), FSGroup: new(userID)},
					Containers: []corev1.Container{{
						Name: component, Image: image, Args: args,
						Ports:          []corev1.ContainerPort{{Name: httpsName, ContainerPort: operatorPort}},
						VolumeMounts:   []corev1.VolumeMount{{Name: tlsVolume, MountPath: tlsDir, ReadOnly: true}},
						LivenessProbe:  probe(10, 6),
						ReadinessProbe: probe(5, 3),
					}},
					Volumes: []corev1.Volume{{Name: tlsVolume, VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{
						SecretName: component + "-tls", DefaultMode: new(int32(0o440)),
					}}}},
				},
			},
		},
	}
}

func probe(period, failures int32) *corev1.Probe {
	return &corev1.Probe{
		ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{
			Path: "/healthz", Port: intstr.FromString(httpsName), Scheme: corev1.URISchemeHTTPS,
		}},
		PeriodSeconds: period, TimeoutSeconds: 5, FailureThreshold: failures,
	}
}

// validation has the API server refuse rules that Prometheus could not load: the operator would leave them out without a
// word to whoever wrote them. Deletions do not ask, so a dead webhook keeps nobody from removing anything; and until it is
// back, rules stay as they are. The webhook could also mark what it has seen with an annotation, which those who apply
// rules would take for a change by someone else: that part is not used.
func validation() runtime.Object {
	webhook := func(name, path, resource string, versions ...string) admissionv1.ValidatingWebhook {
		return admissionv1.ValidatingWebhook{
			Name: name + ".monitoring.coreos.com", AdmissionReviewVersions: []string{"v1"}, TimeoutSeconds: new(int32(5)),
			FailurePolicy: new(admissionv1.Fail), SideEffects: new(admissionv1.SideEffectClassNone),
			MatchPolicy: new(admissionv1.Equivalent),
			ClientConfig: admissionv1.WebhookClientConfig{Service: &admissionv1.ServiceReference{
				Namespace: names.Namespace, Name: names.Webhook, Path: &path, Port: new(int32(443)),
			}},
			Rules: []admissionv1.RuleWithOperations{{
				Operations: []admissionv1.OperationType{admissionv1.Create, admissionv1.Update},
				Rule: admissionv1.Rule{
					APIGroups: []string{"monitoring.coreos.com"}, APIVersions: versions, Resources: []string{resource},
					Scope: new(admissionv1.NamespacedScope),
				},
			}},
		}
	}
	m := metav1.ObjectMeta{Name: names.Webhook, Labels: names.Labels(names.Webhook), Annotations: map[string]string{
		"cert-manager.io/inject-ca-from": names.Namespace + "/" + names.Webhook + "-tls",
	}}
	return &admissionv1.ValidatingWebhookConfiguration{ObjectMeta: m, Webhooks: []admissionv1.ValidatingWebhook{
		webhook("prometheusrules", "/admission-prometheusrules/validate", "prometheusrules", "v1"),
		webhook("alertmanagerconfigs", "/admission-alertmanagerconfigs/validate", "alertmanagerconfigs", "v1alpha1"),
	}}
}

func account(component string) runtime.Object {
	return &corev1.ServiceAccount{ObjectMeta: meta(component), AutomountServiceAccountToken: new(false)}
}

func meta(component string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: names.Namespace, Name: component, Labels: names.Labels(component)}
}
