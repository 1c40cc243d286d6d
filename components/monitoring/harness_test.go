package monitoring_test

import (
	"context"
	"encoding/base64"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/telekom/controlplane-infrastructure/components/monitoring"
	"github.com/telekom/controlplane-infrastructure/components/monitoring/alertmanager"
	"github.com/telekom/controlplane-infrastructure/components/monitoring/exporters"
	"github.com/telekom/controlplane-infrastructure/components/monitoring/grafana"
	"github.com/telekom/controlplane-infrastructure/components/monitoring/names"
	"github.com/telekom/controlplane-infrastructure/components/monitoring/prometheus"
	"github.com/telekom/controlplane-infrastructure/internal/artifact/artifacttest"
	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/internal/flow/flowtest"
	"github.com/telekom/controlplane-infrastructure/internal/local"
	"github.com/telekom/controlplane-infrastructure/internal/local/localtest"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/namespace"
	"github.com/telekom/controlplane-infrastructure/internal/part"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
	"github.com/telekom/controlplane-infrastructure/tests/process"
	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

// patience is for programs that start while others do, on a machine that is busy.
const patience = 90 * time.Second

// archive is another system that gets all samples.
const archive = "archive.example.com"

// cluster is a control plane for all tests of the package.
var cluster *local.ControlPlane

func TestMain(m *testing.M) { localtest.Main(m, &cluster) }

// arguments are those of a monitoring with two servers.
func arguments() monitoring.Args {
	return monitoring.Args{
		Operator: monitoring.Operator{
			Image:         "quay.io/prometheus-operator/prometheus-operator:v0.93.1",
			WebhookImage:  "quay.io/prometheus-operator/admission-webhook:v0.93.1",
			ReloaderImage: "quay.io/prometheus-operator/prometheus-config-reloader:v0.93.1",
		},
		Prometheus: prometheus.Args{
			Image: "quay.io/prometheus/prometheus:v3.13.1", Replicas: 2, ScrapeInterval: "2s",
			Retention: prometheus.Retention{Time: "30d", Size: "40GB"}, Volume: part.Volume{Size: "50Gi"},
			Resources: corev1.ResourceRequirements{Limits: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("2Gi")}},
			RemoteWrite: []prometheus.RemoteWrite{{
				Name: "archive", URL: "https://" + archive + "/api/v1/write",
				BasicAuth: &prometheus.BasicAuth{Username: "platform", Password: pulumi.String("write-password")},
			}},
			Thanos: &prometheus.Thanos{
				Image: "quay.io/thanos/thanos:v0.40.1", Pods: flow.Peer{Namespace: "minio"}, Port: 9000,
				Store: part.ObjectStore{
					EndpointURL: pulumi.String("https://minio.minio.svc:9000"), Bucket: "metrics",
					Keys: &part.Keys{AccessKey: pulumi.String("thanos"), SecretKey: pulumi.String("bucket-password")},
				},
			},
		},
		Alertmanager: alertmanager.Args{
			Image: "quay.io/prometheus/alertmanager:v0.31.1", Replicas: 3, Volume: part.Volume{Size: "1Gi"},
		},
		Grafana: &grafana.Args{
			Image: "docker.io/grafana/grafana:12.3.1", Replicas: 1, Volume: part.Volume{Size: "1Gi"}, AdminUser: "admin",
		},
		Exporters: exporters.Args{
			KubeStateMetrics: exporters.Program{Image: "registry.k8s.io/kube-state-metrics/kube-state-metrics:v2.15.0"},
			NodeExporter:     &exporters.Program{Image: "quay.io/prometheus/node-exporter:v1.10.2"},
			Kubelet:          true, APIServer: true,
			CoreDNS: &flow.Peer{Namespace: "kube-system", Pods: map[string]string{"k8s-app": "kube-dns"}},
		},
	}
}

// program registers the component.
func program(availability workload.Availability, args monitoring.Args) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		common, err := process.Common(ctx, availability)
		if err != nil {
			return err
		}
		common.Monitoring = prometheus.Pods
		args.Common = common
		args.Common.Namespaces = namespace.Plan{Flows: flowtest.Table(args.Flows()...)}
		_, err = monitoring.New(ctx, "monitoring", args)
		return err
	}
}

// installation is the component in the local cluster: the operator and its webhook run there as processes.
type installation struct {
	*process.Objects
	t       *testing.T
	ca      verify.CA
	clients *kubernetes.Clientset
	objects client.Client
	// rendered are the custom resources of the component, as they are registered.
	rendered []*process.Object
}

// install gives the cluster all that the component registers, in the order in which it registers it.
func install(t *testing.T, args monitoring.Args) *installation {
	t.Helper()
	objects, err := client.New(cluster.REST(), client.Options{})
	require.NoError(t, err)
	clients, err := kubernetes.NewForConfig(cluster.REST())
	require.NoError(t, err)
	i := &installation{t: t, ca: verify.NewCA(t, "platform"), clients: clients, objects: objects}
	i.Objects = process.Render(t, i.ca, program(workload.Zonal, args))
	definitions, err := manifest.ParseTree(artifacttest.Fetch(t, artifacttest.PrometheusOperator, artifacttest.PrometheusCRDs))
	require.NoError(t, err)
	for _, d := range definitions.CRDs {
		i.apply(d.Unstructured)
	}
	require.Eventually(t, func() bool {
		return objects.List(t.Context(), list("monitoring.coreos.com/v1", "PrometheusList")) == nil
	}, patience, 100*time.Millisecond, "the definitions are served")
	i.applyAll(func(o *process.Object) bool {
		return !isMonitoring(o) && o.GetKind() != "ValidatingWebhookConfiguration"
	})
	i.runs(names.Operator)
	i.runs(names.Webhook)
	i.applyAll(func(o *process.Object) bool { return o.GetKind() == "ValidatingWebhookConfiguration" })
	i.applyAll(isMonitoring)
	for _, o := range i.All {
		if isMonitoring(o) {
			i.rendered = append(i.rendered, o)
		}
	}
	return i
}

func isMonitoring(o *process.Object) bool {
	return strings.HasPrefix(o.GetAPIVersion(), "monitoring.coreos.com/")
}

// applyAll applies the rendered objects that are wanted, namespaces first. cert-manager is not here: the Secrets of certificates are
// made, and the authority is injected, by the test.
func (i *installation) applyAll(wanted func(*process.Object) bool) {
	i.t.Helper()
	for _, first := range []bool{true, false} {
		for _, o := range i.All {
			isFirst := o.GetKind() == "Namespace" || o.GetKind() == "ServiceAccount"
			if isFirst != first || !wanted(o) || o.GetKind() == "Certificate" {
				continue
			}
			u := o.DeepCopy()
			if u.GetKind() == "ValidatingWebhookConfiguration" {
				i.inject(u)
			}
			i.apply(u)
		}
	}
}

// inject does what cert-manager does.
func (i *installation) inject(o *unstructured.Unstructured) {
	i.t.Helper()
	require.Equal(i.t, "monitoring/prometheus-operator-webhook-tls", o.GetAnnotations()["cert-manager.io/inject-ca-from"])
	for _, w := range o.Object["webhooks"].([]any) {
		w.(map[string]any)["clientConfig"].(map[string]any)["caBundle"] = base64.StdEncoding.EncodeToString([]byte(i.ca.Certificate))
	}
}

// apply is server-side apply, as the engine does it. Whatever the API server warns of or does not know is an error.
func (i *installation) apply(o *unstructured.Unstructured) {
	i.t.Helper()
	require.NoError(i.t, i.tryApply(o), "%s %s/%s", o.GetKind(), o.GetNamespace(), o.GetName())
}

func (i *installation) tryApply(o *unstructured.Unstructured) error {
	return i.objects.Apply(i.t.Context(), client.ApplyConfigurationFromUnstructured(o.DeepCopy()), client.FieldOwner("test"), client.ForceOwnership)
}

// runs waits until the Deployment's only pod is ready.
func (i *installation) runs(name string) {
	i.t.Helper()
	require.Eventually(i.t, func() bool {
		d, err := i.clients.AppsV1().Deployments(names.Namespace).Get(i.t.Context(), name, metav1.GetOptions{})
		return err == nil && d.Status.ReadyReplicas == *d.Spec.Replicas
	}, patience, 100*time.Millisecond, "%s runs", name)
}

// log is what the only process of a component has written.
func (i *installation) log(component string) string {
	i.t.Helper()
	for _, pod := range cluster.Pods() {
		if pod.Namespace == names.Namespace && pod.Container == component {
			text, err := os.ReadFile(pod.Log)
			require.NoError(i.t, err)
			return string(text)
		}
	}
	require.Failf(i.t, "no such process", "%s", component)
	return ""
}

// get reads an object.
func (i *installation) get(apiVersion, kind, namespace, name string) (*unstructured.Unstructured, error) {
	o := &unstructured.Unstructured{}
	o.SetAPIVersion(apiVersion)
	o.SetKind(kind)
	return o, i.objects.Get(i.t.Context(), client.ObjectKey{Namespace: namespace, Name: name}, o)
}

func list(apiVersion, kind string) *unstructured.UnstructuredList {
	l := &unstructured.UnstructuredList{}
	l.SetAPIVersion(apiVersion)
	l.SetKind(kind)
	return l
}

// token is one of a service account, as a pod gets it.
func (i *installation) token(account string) string {
	i.t.Helper()
	token, err := i.clients.CoreV1().ServiceAccounts(names.Namespace).CreateToken(i.t.Context(), account,
		&authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	require.NoError(i.t, err)
	return token.Status.Token
}

// network is a proxy that leads connections to pods to the processes that stand for them.
type network struct {
	url   string
	mutex sync.Mutex
	to    map[string]string
}

func newNetwork(t *testing.T) *network {
	t.Helper()
	n := &network{to: map[string]string{}}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	n.url = "http://" + listener.Addr().String()
	server := &http.Server{Handler: n, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }() // ends with the test
	t.Cleanup(func() { _ = server.Close() })
	return n
}

// lead has an address of the cluster lead to one of this machine.
func (n *network) lead(from, to string) {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	n.to[from] = to
}

// ServeHTTP connects what it knows. Everything else answers that it is not there, at once.
func (n *network) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n.mutex.Lock()
	to := n.to[r.Host]
	n.mutex.Unlock()
	if r.Method != http.MethodConnect || to == "" {
		http.Error(w, "nothing of this machine stands for "+r.Host, http.StatusBadGateway)
		return
	}
	backend, err := (&net.Dialer{}).DialContext(r.Context(), "tcp", to)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer backend.Close()
	w.WriteHeader(http.StatusOK)
	front, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer front.Close()
	go func() { _, _ = buffered.WriteTo(backend) }() // both end when either closes
	_, _ = copyAll(front, backend)
}

func copyAll(to, from net.Conn) (int64, error) { return from.(*net.TCPConn).WriteTo(to) }

// leadToProcesses makes the pods that run as processes reachable.
func (i *installation) leadToProcesses(n *network) {
	i.t.Helper()
	for _, p := range cluster.Pods() {
		pod, err := i.clients.CoreV1().Pods(p.Namespace).Get(context.WithoutCancel(i.t.Context()), p.Name, metav1.GetOptions{})
		require.NoError(i.t, err)
		for port, local := range p.Ports {
			n.lead(net.JoinHostPort(pod.Status.PodIP, strconv.Itoa(port)), net.JoinHostPort("127.0.0.1", strconv.Itoa(local)))
		}
	}
}

// write makes a file.
func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(text), mode))
}
