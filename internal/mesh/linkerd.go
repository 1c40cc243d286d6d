package mesh

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
)

// LinkerdNamespace is where Linkerd's control plane runs.
const LinkerdNamespace = "linkerd"

// What is known of Linkerd by its control plane and by the proxies of pods.
const (
	linkerdInject        = "linkerd.io/inject"
	linkerdInboundPolicy = "config.linkerd.io/default-inbound-policy"
	linkerdSkipInbound   = "config.linkerd.io/skip-inbound-ports"
	linkerdComponent     = "linkerd.io/control-plane-component"

	// linkerdInbound is the proxy's port that traffic between two pods of the mesh arrives at, whichever port it is for.
	linkerdInbound = 4143
)

// linkerdPorts are the proxy's own: for traffic, control and administration. What is for the proxy itself is never led
// through it.
var linkerdPorts = []int{linkerdInbound, 4190, 4191}

// LinkerdPods are the pods of a part of Linkerd's control plane: identity, destination or proxy-injector.
func LinkerdPods(part string) flow.Peer {
	return flow.Peer{Namespace: LinkerdNamespace, Pods: map[string]string{linkerdComponent: part}}
}

// linkerdAnnotations have proxies put into the pods of a namespace. The proxies let nobody in who does not prove who it
// is, except on the ports that others have to reach too: these lead past the proxy. Proxies know the HTTP probes of their
// pods, and let them in.
func (m Mesh) linkerdAnnotations(namespace string, into []flow.Flow) map[string]string {
	annotations := map[string]string{linkerdInject: "enabled"}
	if slices.Contains(m.Lenient, namespace) {
		annotations[linkerdInboundPolicy] = "all-unauthenticated"
		return annotations
	}
	annotations[linkerdInboundPolicy] = "all-authenticated"
	if skipped := m.skipped(namespace, into); len(skipped) > 0 {
		annotations[linkerdSkipInbound] = portList(skipped)
	}
	return annotations
}

// everyPort stands for all ports among those that lead past the proxies.
const everyPort = 0

// skipped are the ports of a namespace that lead past its proxies, in order: those of flows from whoever is not in the
// mesh for certain. A port is skipped for all pods of the namespace and for everybody.
func (m Mesh) skipped(namespace string, flows []flow.Flow) []int {
	ports := map[int]bool{}
	for _, f := range flows {
		if f.To.Namespace != namespace || m.certain(f.From) {
			continue
		}
		for _, port := range f.Ports {
			ports[port] = true
		}
		if len(f.Ports)+len(f.UDPPorts) == 0 {
			ports[everyPort] = true
		}
	}
	for _, own := range linkerdPorts {
		delete(ports, own)
	}
	return slices.Sorted(maps.Keys(ports))
}

// certain tells whether all pods of a peer are in the mesh.
func (m Mesh) certain(p flow.Peer) bool {
	return p.Namespace != "" && len(p.CIDRs) == 0 && !p.Everywhere && m.Enrolled(p.Namespace)
}

// possible tells whether a pod of a peer may be in the mesh. Every address does not count: it stands for what is outside
// of the cluster or on its nodes.
func (m Mesh) possible(p flow.Peer) bool {
	if p.Namespace != "" || len(p.CIDRs) > 0 || p.Everywhere {
		return m.certain(p)
	}
	return len(m.Namespaces) > 0
}

// portList is how annotations write ports.
func portList(ports []int) string {
	if slices.Contains(ports, everyPort) {
		return "1-65535"
	}
	var texts []string
	for _, port := range ports {
		texts = append(texts, strconv.Itoa(port))
	}
	return strings.Join(texts, ",")
}

// linkerdFlows adds the proxies' port to the flows between pods that may both have a proxy, since that is where the
// traffic then goes, and lets the proxies of each namespace ask Linkerd's control plane.
func (m Mesh) linkerdFlows(flows []flow.Flow) []flow.Flow {
	var adapted []flow.Flow
	for _, f := range flows {
		if m.proxied(f, flows) {
			f.Ports = append(slices.Clone(f.Ports), linkerdInbound)
		}
		adapted = append(adapted, f)
	}
	for _, namespace := range m.Namespaces {
		proxies := flow.Peer{Namespace: namespace}
		adapted = append(adapted,
			flow.Flow{
				Name: "linkerd-identity-" + namespace, From: proxies, To: LinkerdPods("identity"), Ports: []int{8080},
				Why: "Proxies of the mesh get their certificates.",
			},
			flow.Flow{
				Name: "linkerd-destination-" + namespace, From: proxies, To: LinkerdPods("destination"), Ports: []int{8086, 8090},
				Why: "Proxies of the mesh learn where traffic goes, and what they may let in.",
			},
		)
	}
	return adapted
}

// proxied tells whether some of a flow goes from proxy to proxy. A port that is skipped does not, and all ports are open
// already where none is named.
func (m Mesh) proxied(f flow.Flow, all []flow.Flow) bool {
	if !m.possible(f.From) || !m.possible(f.To) || slices.Contains(f.Ports, linkerdInbound) {
		return false
	}
	past := slices.Clone(linkerdPorts)
	if m.certain(f.To) && !slices.Contains(m.Lenient, f.To.Namespace) {
		past = append(past, m.skipped(f.To.Namespace, all)...)
	}
	return !slices.Contains(past, everyPort) &&
		slices.ContainsFunc(f.Ports, func(port int) bool { return !slices.Contains(past, port) })
}

// Pods says on long-running pods what their namespace says. A proxy is put into a pod only when the pod is created: so
// they are created anew when the mesh comes or goes or what it lets in changes, instead of staying as they are until they
// happen to be. And where a proxy would not know a probe, it leads past the proxy. The table is the platform's.
func (m Mesh) Pods(table flow.Table) manifest.Transform {
	annotate := workload.EditPod(func(o *manifest.Object, pod *corev1.PodTemplateSpec) error {
		if other, found := pod.Annotations[linkerdInject]; found && other != "enabled" {
			return fmt.Errorf("its pods say %s: %s, but their namespace is in the mesh", linkerdInject, other)
		}
		namespace := o.GetNamespace()
		annotations := m.linkerdAnnotations(namespace, table.Flows)
		if probed := encryptedProbes(pod.Spec); len(probed) > 0 && !slices.Contains(m.Lenient, namespace) {
			skipped := append(m.skipped(namespace, table.Flows), probed...)
			slices.Sort(skipped)
			annotations[linkerdSkipInbound] = portList(slices.Compact(skipped))
		}
		if pod.Annotations == nil {
			pod.Annotations = map[string]string{}
		}
		maps.Copy(pod.Annotations, annotations)
		return nil
	})
	return func(o *manifest.Object) error {
		kinds := []string{"Deployment", "StatefulSet", "DaemonSet"}
		switch {
		case m.Kind != Linkerd || !m.Enrolled(o.GetNamespace()):
			return nil
		case slices.Contains(kinds, o.GetKind()):
			return annotate(o)
		}
		return databasePods(o, m.linkerdAnnotations(o.GetNamespace(), table.Flows))
	}
}

// databasePods has the pods that CloudNativePG makes created anew too. A pooler's follow the annotations of their template.
// Those of a database do not follow theirs: it takes a change of their environment. Source: CloudNativePG,
// internal/controller/cluster_upgrade.go.
func databasePods(o *manifest.Object, annotations map[string]string) error {
	switch o.GroupVersionKind().GroupKind() {
	case schema.GroupKind{Group: "postgresql.cnpg.io", Kind: "Pooler"}:
		path := []string{"spec", "template", "metadata", "annotations"}
		all, _, err := unstructured.NestedStringMap(o.Object, path...)
		if err != nil {
			return fmt.Errorf("%s: %w", o, err)
		}
		maps.Copy(annotations, all)
		return unstructured.SetNestedStringMap(o.Object, annotations, path...)
	case schema.GroupKind{Group: "postgresql.cnpg.io", Kind: "Cluster"}:
		env, _, err := unstructured.NestedSlice(o.Object, "spec", "env")
		if err != nil {
			return fmt.Errorf("%s: %w", o, err)
		}
		var all []string
		for _, key := range slices.Sorted(maps.Keys(annotations)) {
			all = append(all, key+"="+annotations[key])
		}
		env = append(env, map[string]any{"name": "MESH", "value": strings.Join(all, " ")})
		return unstructured.SetNestedSlice(o.Object, env, "spec", "env")
	}
	return nil
}

// encryptedProbes are the ports of probes that a proxy cannot look into. It lets those in by their paths, and a
// connection that says nothing anyway.
func encryptedProbes(pod corev1.PodSpec) (ports []int) {
	for _, container := range slices.Concat(pod.InitContainers, pod.Containers) {
		for _, probe := range []*corev1.Probe{container.StartupProbe, container.LivenessProbe, container.ReadinessProbe} {
			switch {
			case probe == nil:
			case probe.GRPC != nil:
				ports = append(ports, int(probe.GRPC.Port))
			case probe.HTTPGet != nil && probe.HTTPGet.Scheme == corev1.URISchemeHTTPS:
				ports = append(ports, number(container, probe.HTTPGet.Port))
			}
		}
	}
	return ports
}

// number is a port of a container, which may be given by its name.
func number(container corev1.Container, port intstr.IntOrString) int {
	for _, p := range container.Ports {
		if port.Type == intstr.String && p.Name == port.StrVal {
			return int(p.ContainerPort)
		}
	}
	return port.IntValue()
}
