package prometheus

import (
	"maps"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/telekom/controlplane-infrastructure/components/monitoring/names"
	"github.com/telekom/controlplane-infrastructure/internal/certmanager"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/part"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
)

const (
	certificate = names.Prometheus + "-tls"
	remoteWrite = names.Prometheus + "-remote-write" // the Secret with its credentials
	thanos      = names.Prometheus + "-thanos"       // the Secret that leads to the bucket

	// portName is that of the servers' port, of its Service too; reloaderName and reloaderPort are what the operator
	// gives the container that has the server read changed configuration.
	portName     = "https"
	reloaderName = "reloader-web"
	reloaderPort = 8080

	userID, groupID = int64(1000), int64(2000)
)

// Set are the objects: what the servers need first, then their custom resource, then what leads to them.
func (a Args) Set() (manifest.Set, error) {
	if err := a.checkSecrets(); err != nil {
		return manifest.Set{}, err
	}
	objects := append(access(),
		certmanager.Leaf{
			Namespace: names.Namespace, Name: certificate, ClusterIssuer: a.Issuer, DNSNames: hosts(), Usages: []string{"server auth"},
		}.Object(),
		a.prometheus(), service(), monitor(),
	)
	if a.Replicas > 1 {
		objects = append(objects, workload.ScaledBudget(meta(names.Prometheus), podLabels()))
	}
	set, err := manifest.Typed(objects...)
	if err != nil {
		return set, err
	}
	secrets, err := a.secrets()
	if err != nil {
		return set, err
	}
	servers := set.Find("Prometheus", names.Instance)
	a.Stateful(servers)
	if a.Thanos != nil {
		servers.Set(part.Digest("", a.storeConfig()), "spec", "podMetadata", "annotations", storeDigest)
	}
	return manifest.Merge(secrets, set), nil
}

// podLabels are those by which the operator finds the servers.
func podLabels() map[string]string {
	all := names.Selector(names.Prometheus)
	all["app.kubernetes.io/instance"] = names.Instance
	return all
}

// hosts are the names that clients know the servers by; localhost is for containers of the same pod, and for ports that
// are forwarded.
func hosts() []string {
	short := names.Prometheus + "." + names.Namespace
	return []string{short + ".svc", names.Prometheus, short, short + ".svc.cluster.local", "localhost"}
}

// prometheus is the custom resource. It counts as created when the operator says that all servers are ready.
func (a Args) prometheus() runtime.Object {
	spec := map[string]any{
		"image": a.Image, "version": versionOf(a.Image), "replicas": a.Replicas, "portName": portName,
		"externalUrl": names.URL(names.Prometheus, names.PrometheusPort), "externalLabels": a.ExternalLabels,
		"scrapeInterval": a.ScrapeInterval, "evaluationInterval": a.ScrapeInterval,
		"retention": a.Retention.Time, "retentionSize": a.Retention.Size, "storage": a.storage(),
		"resources": a.Resources, "securityContext": securityContext(), "podMetadata": map[string]any{"labels": names.Labels(names.Prometheus)},
		"serviceAccountName": names.Prometheus, "automountServiceAccountToken": true, "enableServiceLinks": false,
		"serviceDiscoveryRole": "EndpointSlice",
		"web": map[string]any{"pageTitle": "Control Plane infrastructure", "tlsConfig": map[string]any{
			"cert":      map[string]any{"secret": map[string]any{"name": certificate, "key": corev1.TLSCertKey}},
			"keySecret": map[string]any{"name": certificate, "key": corev1.TLSPrivateKeyKey}, "minVersion": "TLS12",
		}},
		"alerting": map[string]any{"alertmanagers": []any{map[string]any{
			"namespace": names.Namespace, "name": names.Alertmanager, "port": portName, "scheme": "https", "apiVersion": "v2",
			"tlsConfig": map[string]any{"caFile": a.bundle(), "serverName": names.Host(names.Alertmanager)},
		}}},
		"configMaps": []any{a.Trust.ConfigMap}, "scrapeClasses": a.scrapeClasses(),
	}
	for _, what := range []string{"serviceMonitor", "podMonitor", "probe", "rule", "scrapeConfig"} {
		spec[what+"Selector"], spec[what+"NamespaceSelector"] = map[string]any{}, map[string]any{}
	}
	if len(a.ExternalLabels) == 0 {
		delete(spec, "externalLabels")
	}
	if a.Replicas > 1 {
		maps.Copy(spec, placement())
	}
	if len(a.RemoteWrite) > 0 {
		spec["remoteWrite"] = a.remoteWrites()
	}
	a.addThanos(spec)
	p := manifest.Custom("monitoring.coreos.com/v1", "Prometheus", names.Namespace, names.Instance, "condition=Available", spec)
	p.SetLabels(names.Labels(names.Prometheus))
	return p
}

// storage is a volume claim for each server.
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

func securityContext() corev1.PodSecurityContext {
	return corev1.PodSecurityContext{
		RunAsNonRoot: new(true), RunAsUser: new(userID), RunAsGroup: new(groupID), FSGroup: new(groupID),
		FSGroupChangePolicy: new(corev1.FSGroupChangeOnRootMismatch),
		SeccompProfile:      &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
	}
}

// placement has no two servers in a zone, and not even where only one zone is left on a node. A server's volume
// is in its zone, so one of a lost zone waits for that.
func placement() map[string]any {
	selector := &metav1.LabelSelector{MatchLabels: podLabels()}
	return map[string]any{
		"topologySpreadConstraints": []any{corev1.TopologySpreadConstraint{
			MaxSkew: 1, TopologyKey: corev1.LabelTopologyZone, WhenUnsatisfiable: corev1.DoNotSchedule, LabelSelector: selector,
			NodeTaintsPolicy: new(corev1.NodeInclusionPolicyHonor),
		}},
		"affinity": corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{
			RequiredDuringSchedulingIgnoredDuringExecution: []corev1.PodAffinityTerm{{
				TopologyKey: corev1.LabelHostname, LabelSelector: selector,
			}},
		}},
	}
}

// bundle is the platform's trust bundle as the servers see it. They read it again when it changes. What monitors refer to
// otherwise is copied by the operator, which does not notice a change in another namespace until it has another reason
// to look.
func (a Args) bundle() string {
	return "/etc/prometheus/configmaps/" + a.Trust.ConfigMap + "/" + a.Trust.Key
}

// scrapeClasses begin with what all monitors have that do not name another one, or say otherwise: servers are verified with the
// trust bundle.
func (a Args) scrapeClasses() []any {
	all := []any{map[string]any{"name": "platform", "default": true, "tlsConfig": map[string]any{"caFile": a.bundle()}}}
	for _, class := range a.ScrapeClasses {
		all = append(all, class)
	}
	return all
}

// service is what clients talk to.
func service() runtime.Object {
	port := func(name string, number int32) corev1.ServicePort {
		return corev1.ServicePort{Name: name, Port: number, TargetPort: intstr.FromString(name), AppProtocol: new("https")}
	}
	return &corev1.Service{ObjectMeta: managed(names.Prometheus), Spec: corev1.ServiceSpec{
		Selector: podLabels(), Ports: []corev1.ServicePort{port(portName, names.PrometheusPort), port(reloaderName, reloaderPort)},
	}}
}

// monitor has the servers read their own metrics, each other's, and those of what reloads their configuration.
func monitor() runtime.Object {
	var endpoints []any
	for _, port := range []string{portName, reloaderName} {
		endpoints = append(endpoints, map[string]any{
			"port": port, "scheme": "https",
			"tlsConfig": map[string]any{"serverName": names.Host(names.Prometheus)},
		})
	}
	return Monitor(names.Prometheus, endpoints...)
}

// managedService is the label by which a ServiceMonitor of the monitoring finds the one Service that it is for: those
// that the operator makes have the other labels as well.
const managedService = "controlplane.io/service"

// Monitor has Prometheus scrape the Service of that name in the namespace of the monitoring, which has the metadata that
// Managed makes.
func Monitor(component string, endpoints ...any) *unstructured.Unstructured {
	m := manifest.Custom("monitoring.coreos.com/v1", "ServiceMonitor", names.Namespace, component, "", map[string]any{
		"selector": map[string]any{"matchLabels": map[string]any{managedService: component}}, "endpoints": endpoints,
	})
	m.SetLabels(names.Labels(component))
	return m
}

// Managed is the metadata of a component's Service that its Monitor finds.
func Managed(component string) metav1.ObjectMeta { return managed(component) }

func managed(component string) metav1.ObjectMeta {
	m := metav1.ObjectMeta{Namespace: names.Namespace, Name: component, Labels: names.Labels(component)}
	m.Labels[managedService] = component
	return m
}

func meta(objectName string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: names.Namespace, Name: objectName, Labels: names.Labels(names.Prometheus)}
}
