package alertmanager_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/telekom/controlplane-infrastructure/components/cluster"
	"github.com/telekom/controlplane-infrastructure/components/monitoring/alertmanager"
	"github.com/telekom/controlplane-infrastructure/components/monitoring/names"
	"github.com/telekom/controlplane-infrastructure/internal/local"
	"github.com/telekom/controlplane-infrastructure/internal/local/localtest"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/part"
	"github.com/telekom/controlplane-infrastructure/internal/plugins"
	"github.com/telekom/controlplane-infrastructure/internal/plugins/kubernetes"
	"github.com/telekom/controlplane-infrastructure/internal/plugins/plugintest"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
	"github.com/telekom/controlplane-infrastructure/tests/definitions"
	"github.com/telekom/controlplane-infrastructure/tests/process"
	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

// platform is a real API server with the real operator, and a stack of the real engine that has Alertmanager.
type platform struct {
	t     *testing.T
	ca    verify.CA
	api   client.Client
	stack auto.Stack
	args  alertmanager.Args
	// backend is where the engine writes.
	backend string
}

func newPlatform(t *testing.T) *platform {
	t.Helper()
	control := localtest.Start(t)
	p := &platform{t: t, ca: verify.NewCA(t, "platform")}
	var err error
	p.api, err = client.New(control.REST(), client.Options{})
	require.NoError(t, err)
	definitions.Prometheus(t, control.REST())
	p.operate(control)

	host, err := plugins.Serve(t.Context(), plugins.Options{Kubernetes: kubernetes.Options{Target: control.REST()}})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, host.Close()) })
	p.stack, p.backend = plugintest.Stack(t, "alerts", map[string]string{plugins.EnvKey: host.Env()}, p.program)
	return p
}

// operate runs the operator until the test ends.
func (p *platform) operate(control *local.ControlPlane) {
	p.t.Helper()
	log := filepath.Join(p.t.TempDir(), "operator.log")
	file, err := os.Create(log)
	require.NoError(p.t, err)
	address := process.Address(p.t, 8080)
	cmd := exec.Command(process.Programs(p.t, "prometheus-operator")["prometheus-operator"],
		"--web.listen-address="+address+":8080", "--alertmanager-instance-namespaces="+names.Namespace)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+control.Kubeconfig)
	cmd.Stdout, cmd.Stderr = file, file
	require.NoError(p.t, cmd.Start())
	p.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		_ = cmd.Wait()                          // by that signal
		if text, err := os.ReadFile(log); err == nil && p.t.Failed() {
			p.t.Logf("operator, end of the log:\n%s", text[max(0, len(text)-4000):])
		}
	})
}

// common is what stacks give every part.
func common(provider pulumi.ProviderResource, availability workload.Availability) part.Common {
	list := corev1.ResourceList{
		corev1.ResourceCPU: resource.MustParse("100m"), corev1.ResourceMemory: resource.MustParse("128Mi"),
	}
	return part.Common{
		Provider: provider, Availability: availability, Issuer: process.Issuer, Trust: process.Trust,
		Classes: workload.Classes{workload.Operator: {Requests: list, Limits: list}},
	}
}

// program registers all but the Certificate, which nobody would issue here.
func (p *platform) program(ctx *pulumi.Context) error {
	c, err := cluster.New(ctx, "cluster", cluster.Args{Identifier: "test"})
	if err != nil {
		return err
	}
	args := p.args
	args.Common = common(c.Provider, availability(args))
	set, err := args.Set()
	if err != nil {
		return err
	}
	_, rest := set.Split(func(o *manifest.Object) bool { return o.GetKind() == "Certificate" })
	_, err = args.Registrar(ctx, c).Register(rest)
	return err
}

func availability(args alertmanager.Args) workload.Availability {
	if args.Replicas == 1 {
		return workload.Single
	}
	return workload.Zonal
}

// prepare makes what others own: the namespace, the trust bundle, the issued certificate, and Secrets that are referred to.
func (p *platform) prepare(objects *process.Objects, more ...*corev1.Secret) {
	p.t.Helper()
	all := []client.Object{objects.Find("Namespace", names.Namespace).DeepCopy()}
	for kind, name := range map[string]string{"ConfigMap": process.Trust.ConfigMap, "Secret": "alertmanager-tls"} {
		all = append(all, objects.Find(kind, name).DeepCopy())
	}
	for _, secret := range more {
		secret.Namespace = names.Namespace
		all = append(all, secret)
		encoded, err := runtime.DefaultUnstructuredConverter.ToUnstructured(secret)
		require.NoError(p.t, err)
		encoded["kind"] = "Secret"
		objects.All = append(objects.All, &process.Object{Unstructured: (&unstructured.Unstructured{Object: encoded}).DeepCopy()})
	}
	for _, o := range all {
		require.NoError(p.t, client.IgnoreAlreadyExists(p.api.Create(p.t.Context(), o)))
	}
}

// up brings Alertmanager up, and returns what a node has to run: the operator's StatefulSet with its Secrets. What the
// reloader does there is done here: it unpacks the configuration.
func (p *platform) up(args alertmanager.Args, objects *process.Objects) {
	p.t.Helper()
	p.args = args
	_, err := p.stack.Up(p.t.Context())
	require.NoError(p.t, err)
	statefulSet := p.get(schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "StatefulSet"}, "alertmanager-platform")
	objects.All = append(objects.All, statefulSet)
	for _, name := range []string{"generated", "web-config", "cluster-tls-config", "tls-assets-0"} {
		objects.All = append(objects.All, p.get(secretKind, "alertmanager-platform-"+name))
	}
	packed := objects.Data("Secret", "alertmanager-platform-generated")["alertmanager.yaml.gz"]
	reader, err := gzip.NewReader(bytes.NewBufferString(packed))
	require.NoError(p.t, err)
	configuration, err := io.ReadAll(reader)
	require.NoError(p.t, err)
	require.Equal(p.t, objects.Data("Secret", "alertmanager-configuration")["alertmanager.yaml"], string(configuration),
		"the operator takes the configuration as it is")
	objects.All = append(objects.All, &process.Object{Unstructured: &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{"namespace": names.Namespace, "name": "unpacked"},
		"stringData": map[string]any{"alertmanager.env.yaml": string(configuration)},
	}}})
	volumes, _, err := unstructured.NestedSlice(statefulSet.Object, "spec", "template", "spec", "volumes")
	require.NoError(p.t, err)
	for i, volume := range volumes {
		if volume.(map[string]any)["name"] == "config-out" {
			volumes[i] = map[string]any{"name": "config-out", "secret": map[string]any{"secretName": "unpacked"}}
		}
	}
	require.NoError(p.t, unstructured.SetNestedSlice(statefulSet.Object, volumes, "spec", "template", "spec", "volumes"))
}

var secretKind = schema.GroupVersionKind{Version: "v1", Kind: "Secret"}

func (p *platform) get(kind schema.GroupVersionKind, name string) *process.Object {
	p.t.Helper()
	o := &unstructured.Unstructured{}
	o.SetGroupVersionKind(kind)
	require.NoError(p.t, p.api.Get(p.t.Context(), client.ObjectKey{Namespace: names.Namespace, Name: name}, o))
	return &process.Object{Unstructured: o}
}

// pods are those of the StatefulSet that a scheduler has found a place for.
func (p *platform) pods() []corev1.Pod {
	p.t.Helper()
	list := &corev1.PodList{}
	require.NoError(p.t, p.api.List(p.t.Context(), list, client.InNamespace(names.Namespace),
		client.MatchingLabels(names.Selector(names.Alertmanager))))
	return list.Items
}

// run starts replicas as processes, each with an address of its own.
func run(t *testing.T, objects *process.Objects, replicas int) []*replica {
	t.Helper()
	program := process.Programs(t, "alertmanager")["alertmanager"]
	var all []*replica
	var replace []string
	for n := range replicas {
		r := &replica{t: t, address: process.Address(t, 9093, 9094)}
		all = append(all, r)
		replace = append(replace, fmt.Sprintf("alertmanager-platform-%d.alertmanager-operated:9094", n), r.address+":9094")
	}
	for n, r := range all {
		r.Process = objects.Start(t, process.Spec{
			Workload: "StatefulSet/alertmanager-platform", Container: "alertmanager", Ordinal: n,
			Dir: filepath.Join(t.TempDir(), fmt.Sprint(n)), Address: r.address, Programs: map[string]string{"": program},
			Replace: append([]string{"web.listen-address=:", "web.listen-address=" + r.address + ":"}, replace...),
		})
	}
	for _, r := range all {
		require.Eventually(t, func() bool { return r.Ready(t.Context()) == nil }, soon, tick, "replica %s gets ready", r.address)
	}
	return all
}

// secret is one that has another owner.
func secret(name, key, value string) *corev1.Secret {
	return &corev1.Secret{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
		ObjectMeta: metav1.ObjectMeta{Name: name}, StringData: map[string]string{key: value},
	}
}
