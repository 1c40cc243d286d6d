package alertmanager

import (
	"fmt"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/telekom/controlplane-infrastructure/components/monitoring/names"
	"github.com/telekom/controlplane-infrastructure/internal/certmanager"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
)

const (
	apiVersion = "monitoring.coreos.com/v1"

	// configuration is the Secret that the operator reads the configuration from, certificate that of the web interface
	// and of the replicas among themselves.
	configuration = names.Alertmanager + "-configuration"
	certificate   = names.Alertmanager + "-tls"

	// workloadName is what the operator calls the StatefulSet, and headless the Service that it makes for it.
	workloadName = names.Alertmanager + "-" + names.Instance
	headless     = "alertmanager-operated"

	portName = "https"
	userID   = int64(65534) // nobody, as the image has it
)

// Set is everything of Alertmanager: the operator has to be there, and the namespace with the trust bundle.
func (a Args) Set() (manifest.Set, error) {
	if err := a.Check(); err != nil {
		return manifest.Set{}, fmt.Errorf("alertmanager: %w", err)
	}
	text, err := a.configuration()
	if err != nil {
		return manifest.Set{}, err
	}
	objects := []runtime.Object{
		a.certificate(),
		&corev1.ServiceAccount{ObjectMeta: meta(names.Alertmanager), AutomountServiceAccountToken: new(false)},
		&corev1.Secret{ObjectMeta: meta(configuration), StringData: map[string]string{
			configurationKey: text, messagesKey: messages,
		}},
		service(), a.serviceMonitor(),
	}
	set, err := manifest.Typed(objects...)
	if err != nil {
		return set, err
	}
	secret, err := a.credentials()
	if err != nil {
		return set, err
	}
	servers, err := a.servers()
	if err != nil {
		return set, err
	}
	set = manifest.Merge(set, secret, servers)
	for _, o := range set.Objects {
		// All else waits for what the operator looks at: without its configuration it would begin with one of its own, which
		// tells nobody.
		if kind := o.GetKind(); kind == "Secret" || kind == "ServiceAccount" {
			o.Hook = &manifest.Hook{BeforeInstall: true}
		}
	}
	return manifest.Merge(set), nil
}

func meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: names.Namespace, Name: name, Labels: names.Labels(names.Alertmanager)}
}

// certificate is a server's and, among replicas, a client's.
func (a Args) certificate() *unstructured.Unstructured {
	host := names.Host(names.Alertmanager)
	return certmanager.Leaf{
		Namespace: names.Namespace, Name: certificate, ClusterIssuer: a.Issuer,
		CommonName: names.Alertmanager,
		DNSNames: []string{
			host, host + ".cluster.local", names.Host(headless), "*." + names.Host(headless),
		},
		Usages: []string{"server auth", "client auth"},
	}.Object()
}

// service is where Prometheus and Grafana find it.
func service() *corev1.Service {
	return &corev1.Service{
		ObjectMeta: meta(names.Alertmanager),
		Spec: corev1.ServiceSpec{
			Selector: selector(),
			Ports: []corev1.ServicePort{{
				Name: portName, Port: names.AlertmanagerPort, TargetPort: intstr.FromString(portName),
			}},
		},
	}
}

// selector are labels that the operator sets on the pods.
func selector() map[string]string {
	s := names.Selector(names.Alertmanager)
	s["app.kubernetes.io/instance"] = names.Instance
	return s
}

func (a Args) serviceMonitor() *unstructured.Unstructured {
	o := manifest.Custom(apiVersion, "ServiceMonitor", names.Namespace, names.Alertmanager, "", map[string]any{
		"selector": map[string]any{"matchLabels": names.Labels(names.Alertmanager)},
		"endpoints": []any{map[string]any{
			"port": portName, "scheme": "https",
			"tlsConfig": a.ScrapeTLS(names.Host(names.Alertmanager)),
		}},
	})
	o.SetLabels(names.Labels(names.Alertmanager))
	return o
}

// credentials is the Secret with all that are given by value, if any are.
func (a Args) credentials() (manifest.Set, error) {
	values := map[string]pulumi.StringInput{}
	for _, r := range a.Receivers {
		if c := r.credential(); c != nil && c.Value != nil {
			values[r.key()] = c.Value
		}
	}
	if a.SMTP != nil && a.SMTP.Password != nil && a.SMTP.Password.Value != nil {
		values[smtpKey] = a.SMTP.Password.Value
	}
	if len(values) == 0 {
		return manifest.Set{}, nil
	}
	set, err := manifest.Typed(&corev1.Secret{ObjectMeta: meta(credentials)})
	if err != nil {
		return set, err
	}
	for key, value := range values {
		set.Objects[0].Set(pulumi.ToSecret(value), "stringData", key)
	}
	return set, nil
}

// secrets are the names of those that pods mount.
func (a Args) secrets() []string {
	var all []string
	add := func(c *Credential) {
		switch {
		case c == nil:
		case c.Ref != nil:
			all = append(all, c.Ref.Name)
		default:
			all = append(all, credentials)
		}
	}
	for _, r := range a.Receivers {
		add(r.credential())
	}
	if a.SMTP != nil {
		add(a.SMTP.Password)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// servers are the custom resource and its disruption budget. It counts as created, and as changed, when the operator has
// taken it and its pods are there.
func (a Args) servers() (manifest.Set, error) {
	pod, budget, err := a.pod()
	if err != nil {
		return manifest.Set{}, err
	}
	resources := a.Resources
	if len(resources.Requests)+len(resources.Limits) == 0 {
		resources = a.Classes[workload.Operator]
	}
	spec := map[string]any{
		"image": a.Image, "version": versionTag.FindStringSubmatch(a.Image)[1], "imagePullPolicy": corev1.PullIfNotPresent,
		"replicas": a.Replicas, "retention": a.retention(), "resources": resources, "storage": a.storage(),
		"configSecret": configuration, "secrets": a.secrets(), "configMaps": []string{a.Trust.ConfigMap},
		"portName": portName, "web": map[string]any{"tlsConfig": a.serving(nil)},
		"serviceAccountName": names.Alertmanager, "automountServiceAccountToken": false, "enableServiceLinks": false,
		"podMetadata":     map[string]any{"labels": names.Labels(names.Alertmanager)},
		"securityContext": pod.SecurityContext,
		// Without it, each replica would name its own pod in the links of notifications.
		"externalUrl": names.URL(names.Alertmanager, names.AlertmanagerPort),
	}
	if a.Replicas > 1 {
		spec["clusterTLS"], spec["clusterPeerTimeout"] = a.clusterTLS(), a.Timing.withDefaults().PeerTimeout
	}
	if pod.Affinity != nil {
		spec["affinity"] = pod.Affinity
	}
	if len(pod.TopologySpreadConstraints) > 0 {
		spec["topologySpreadConstraints"] = pod.TopologySpreadConstraints
	}
	o := manifest.Custom(apiVersion, "Alertmanager", names.Namespace, names.Instance,
		`["condition=Reconciled","condition=Available"]`, spec)
	o.SetLabels(names.Labels(names.Alertmanager))
	set, err := manifest.Typed(o)
	if err != nil {
		return set, err
	}
	set.Objects[0].Options = append(set.Objects[0].Options,
		pulumi.Timeouts(&pulumi.CustomTimeouts{Create: "15m", Update: "15m"}))
	return manifest.Merge(set, budget), nil
}

// pod is what the rules for all workloads make of a StatefulSet such as the operator will make, and the budget of it.
func (a Args) pod() (corev1.PodSpec, manifest.Set, error) {
	set, err := manifest.Typed(&appsv1.StatefulSet{
		ObjectMeta: meta(workloadName),
		Spec: appsv1.StatefulSetSpec{
			Replicas: new(int32(a.Replicas)), Selector: &metav1.LabelSelector{MatchLabels: selector()},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: selector()},
				Spec: corev1.PodSpec{SecurityContext: &corev1.PodSecurityContext{
					RunAsUser: new(userID), RunAsGroup: new(userID), FSGroup: new(userID),
					FSGroupChangePolicy: new(corev1.FSGroupChangeOnRootMismatch),
				}},
			},
		},
	})
	if err != nil {
		return corev1.PodSpec{}, set, err
	}
	if set, err = a.Workloads(set); err != nil {
		return corev1.PodSpec{}, set, err
	}
	made, budget := set.Split(func(o *manifest.Object) bool { return o.GetKind() == "StatefulSet" })
	placed := &appsv1.StatefulSet{}
	if err := made.Objects[0].Decode(placed); err != nil {
		return corev1.PodSpec{}, set, fmt.Errorf("placing Alertmanager: %w", err)
	}
	return placed.Spec.Template.Spec, budget, nil
}

func (a Args) storage() map[string]any {
	claim := map[string]any{
		"accessModes": []any{corev1.ReadWriteOnce},
		"resources":   map[string]any{"requests": map[string]any{"storage": a.Volume.Size}},
	}
	if a.Volume.Class != "" {
		claim["storageClassName"] = a.Volume.Class
	}
	return map[string]any{"volumeClaimTemplate": map[string]any{"spec": claim}}
}

// serving is a server's side of TLS, with what is added to it.
func (a Args) serving(more map[string]any) map[string]any {
	tls := map[string]any{"cert": own(corev1.TLSCertKey), "keySecret": ownKey(), "minVersion": "TLS12"}
	for key, value := range more {
		tls[key] = value
	}
	return tls
}

// clusterTLS has replicas prove to each other who they are. Both sides ask for the platform's authority, and not for one
// of the whole trust bundle; the name is the same for all, since they call each other by address.
func (a Args) clusterTLS() map[string]any {
	return map[string]any{
		"server": a.serving(map[string]any{"client_ca": own("ca.crt"), "clientAuthType": "RequireAndVerifyClientCert"}),
		"client": map[string]any{
			"ca": own("ca.crt"), "cert": own(corev1.TLSCertKey), "keySecret": ownKey(),
			"serverName": names.Host(names.Alertmanager),
		},
	}
}

func own(key string) map[string]any {
	return map[string]any{"secret": map[string]any{"name": certificate, "key": key}}
}

func ownKey() map[string]any {
	return map[string]any{"name": certificate, "key": corev1.TLSPrivateKeyKey}
}
