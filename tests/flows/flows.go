// Package flows compares the flows that are declared with what is registered: whoever is to be reached must be, and no
// flow may begin or end at pods that do not exist.
package flows

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/part"
	"github.com/telekom/controlplane-infrastructure/tests/process"
)

// Surroundings are those of a cluster that says nothing about itself, for components that are tested alone.
var Surroundings = part.Surroundings{
	APIServer: flow.Peer{Name: "API server", Everywhere: true}, APIServerPorts: []int{443, 6443},
	Monitoring: flow.Peer{Name: "Prometheus", NamespaceLabels: map[string]string{"metrics": "enabled"}},
}

// Pods are equal pods: those of a workload, or of an operator that makes them at run time.
type Pods struct {
	Namespace, Name string
	Labels          map[string]string
	// Ports are the containers' by name.
	Ports map[string]int
	// Token says that they can log in to the API server.
	Token bool
}

// Check fails where the flows of a component, in a cluster with the above Surroundings, and its objects do not fit.
func Check(t *testing.T, flows []flow.Flow, objects []*unstructured.Unstructured, pods ...Pods) {
	t.Helper()
	require.NotEmpty(t, flows)
	problems, err := Problems(flows, Surroundings, objects, pods...)
	require.NoError(t, err)
	assert.Empty(t, problems)
}

// Rendered are the objects of a component.
func Rendered(o *process.Objects) []*unstructured.Unstructured {
	var all []*unstructured.Unstructured
	for _, object := range o.All {
		all = append(all, object.Unstructured)
	}
	return all
}

// check is one comparison.
type check struct {
	flows        []flow.Flow
	surroundings part.Surroundings
	objects      []*unstructured.Unstructured
	pods         []Pods
	problems     []string
}

// Problems are what the flows miss, and which of them lead nowhere. The objects are all that one program registers; pods
// are those that operators make of them. Peers in namespaces without a network policy are left out.
func Problems(
	flows []flow.Flow, s part.Surroundings, objects []*unstructured.Unstructured, pods ...Pods,
) ([]string, error) {
	c := &check{flows: flows, surroundings: s, objects: objects, pods: pods}
	for _, o := range objects {
		if err := c.addWorkload(o); err != nil {
			return nil, fmt.Errorf("%s %s: %w", o.GetKind(), o.GetName(), err)
		}
	}
	for _, step := range []func(*unstructured.Unstructured) error{c.service, c.address, c.serviceMonitor, c.podMonitor, c.webhooks} {
		for _, o := range objects {
			if err := step(o); err != nil {
				return nil, fmt.Errorf("%s %s: %w", o.GetKind(), o.GetName(), err)
			}
		}
	}
	c.tokens()
	c.ends()
	slices.Sort(c.problems)
	return slices.Compact(c.problems), nil
}

func (c *check) problem(format string, values ...any) {
	c.problems = append(c.problems, fmt.Sprintf(format, values...))
}

// addWorkload remembers the pods of an object that has any.
func (c *check) addWorkload(o *unstructured.Unstructured) error {
	path := manifest.PodPath(&manifest.Object{Unstructured: o})
	if path == nil {
		return nil
	}
	content, _, err := unstructured.NestedMap(o.Object, path...)
	if err != nil {
		return err
	}
	var pod corev1.PodTemplateSpec
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(content, &pod); err != nil {
		return err
	}
	pods := Pods{
		Namespace: o.GetNamespace(), Name: o.GetKind() + " " + o.GetName(), Labels: pod.Labels, Ports: map[string]int{},
		Token: c.mountsToken(o.GetNamespace(), pod.Spec),
	}
	for _, container := range pod.Spec.Containers {
		for _, port := range container.Ports {
			pods.Ports[port.Name] = int(port.ContainerPort)
		}
	}
	c.pods = append(c.pods, pods)
	return nil
}

// mountsToken tells whether a pod gets a token: unless it, or its service account, refuses.
func (c *check) mountsToken(namespace string, pod corev1.PodSpec) bool {
	if pod.AutomountServiceAccountToken != nil {
		return *pod.AutomountServiceAccountToken
	}
	for _, o := range c.objects {
		if o.GetKind() == "ServiceAccount" && o.GetNamespace() == namespace && o.GetName() == pod.ServiceAccountName {
			mounts, found, _ := unstructured.NestedBool(o.Object, "automountServiceAccountToken")
			return !found || mounts
		}
	}
	return true
}

// reached complains unless a flow leads to a port of the pods, from the given peer or, with nil, from anybody.
func (c *check) reached(what string, from *flow.Peer, pods Pods, port int) {
	if !slices.ContainsFunc(c.flows, func(f flow.Flow) bool {
		if from != nil && !reflect.DeepEqual(f.From, *from) {
			return false
		}
		return selects(f.To, pods) && covers(f, port)
	}) {
		c.problem("%s: no flow leads to port %d of %s in %s", what, port, pods.Name, pods.Namespace)
	}
}

func covers(f flow.Flow, port int) bool {
	return len(f.Ports)+len(f.UDPPorts) == 0 || slices.Contains(f.Ports, port)
}

// selects tells whether a peer that names its namespace means the pods.
func selects(p flow.Peer, pods Pods) bool {
	return p.Namespace == pods.Namespace && labels.SelectorFromSet(p.Pods).Matches(labels.Set(pods.Labels))
}

// tokens finds pods that may use the Kubernetes API and cannot.
func (c *check) tokens() {
	for _, pods := range c.pods {
		if pods.Token && c.closed(pods.Namespace) && !slices.ContainsFunc(c.flows, func(f flow.Flow) bool {
			return selects(f.From, pods) && reflect.DeepEqual(f.To, c.surroundings.APIServer)
		}) {
			c.problem("%s in %s has a token, and no flow to the API server", pods.Name, pods.Namespace)
		}
	}
}

// ends finds flows that begin or end at no pods.
func (c *check) ends() {
	for _, f := range c.flows {
		for _, end := range []flow.Peer{f.From, f.To} {
			if c.closed(end.Namespace) && !slices.ContainsFunc(c.pods, func(pods Pods) bool { return selects(end, pods) }) {
				c.problem("flow %s: there are no pods with %v in %s", f.Name, end.Pods, end.Namespace)
			}
		}
	}
}

// closed tells whether a namespace has network policies.
func (c *check) closed(namespace string) bool {
	return slices.ContainsFunc(c.objects, func(o *unstructured.Unstructured) bool {
		return o.GetKind() == "NetworkPolicy" && o.GetNamespace() == namespace
	})
}

// selector decodes a label selector.
func selector(content map[string]any) (labels.Selector, error) {
	var s metav1.LabelSelector
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(content, &s); err != nil {
		return nil, err
	}
	return metav1.LabelSelectorAsSelector(&s)
}
