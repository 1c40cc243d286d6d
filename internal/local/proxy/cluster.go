package proxy

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/informers"
	appslisters "k8s.io/client-go/listers/apps/v1"
	corelisters "k8s.io/client-go/listers/core/v1"
	discoverylisters "k8s.io/client-go/listers/discovery/v1"
	networkinglisters "k8s.io/client-go/listers/networking/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/telekom/controlplane-infrastructure/internal/local/node"
)

// cluster knows which services there are, and what stands behind them.
type cluster struct {
	node         *node.Node
	factory      informers.SharedInformerFactory
	synced       []cache.InformerSynced
	services     corelisters.ServiceLister
	pods         corelisters.PodLister
	nodes        corelisters.NodeLister
	secrets      corelisters.SecretLister
	slices       discoverylisters.EndpointSliceLister
	deployments  appslisters.DeploymentLister
	statefulSets appslisters.StatefulSetLister
	daemonSets   appslisters.DaemonSetLister
	ingresses    networkinglisters.IngressLister
}

func newCluster(f informers.SharedInformerFactory, n *node.Node) *cluster {
	core, apps := f.Core().V1(), f.Apps().V1()
	return &cluster{
		node:    n,
		factory: f,
		synced: []cache.InformerSynced{
			core.Services().Informer().HasSynced, core.Pods().Informer().HasSynced, core.Secrets().Informer().HasSynced,
			core.Nodes().Informer().HasSynced,
			f.Discovery().V1().EndpointSlices().Informer().HasSynced,
			apps.Deployments().Informer().HasSynced, apps.StatefulSets().Informer().HasSynced,
			apps.DaemonSets().Informer().HasSynced, f.Networking().V1().Ingresses().Informer().HasSynced,
		},
		services: core.Services().Lister(), pods: core.Pods().Lister(), secrets: core.Secrets().Lister(),
		nodes:       core.Nodes().Lister(),
		slices:      f.Discovery().V1().EndpointSlices().Lister(),
		deployments: apps.Deployments().Lister(), statefulSets: apps.StatefulSets().Lister(),
		daemonSets: apps.DaemonSets().Lister(), ingresses: f.Networking().V1().Ingresses().Lister(),
	}
}

// backend is what answers at an address: a process, or a simulated pod in whose place we answer.
type backend struct {
	address   string // of the process; empty for a simulated pod
	simulated bool
	service   *corev1.Service // nil when a pod is addressed directly
}

// resolve finds what answers at an address of the cluster (of a service or a pod, by IP or by name), or why nothing
// does. It reports false for an address that is not the cluster's.
func (c *cluster) resolve(address string) (b backend, ours bool, err error) {
	host, portText, err := net.SplitHostPort(address)
	if err != nil {
		return backend{}, false, err
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return backend{}, false, fmt.Errorf("address %s: %w", address, err)
	}
	if service := c.serviceAt(host); service != nil {
		b, err := c.behind(service, intstr.FromInt(port))
		return b, true, err
	}
	if c.node.Owns(host) {
		if local, listens := c.node.Endpoint(host, port); listens {
			return backend{address: local}, true, nil
		}
		return backend{}, true, fmt.Errorf("connection refused: no process listens at %s", address)
	}
	if c.simulatedPodAt(host) || c.kubeletAt(address) {
		return backend{simulated: true}, true, nil
	}
	return backend{}, false, nil
}

// serviceAt returns the service with that cluster IP or name (NAME.NAMESPACE.svc, with or without the cluster's domain).
func (c *cluster) serviceAt(host string) *corev1.Service {
	if net.ParseIP(host) == nil {
		parts := strings.Split(strings.TrimSuffix(strings.TrimSuffix(host, "."), ".cluster.local"), ".")
		if len(parts) != 3 || parts[2] != "svc" {
			return nil
		}
		service, err := c.services.Services(parts[1]).Get(parts[0])
		if err != nil {
			return nil
		}
		return service
	}
	all, err := c.services.List(labels.Everything())
	if err != nil {
		return nil
	}
	for _, service := range all {
		if slices.Contains(service.Spec.ClusterIPs, host) {
			return service
		}
	}
	return nil
}

func (c *cluster) simulatedPodAt(ip string) bool {
	all, err := c.pods.List(labels.Everything())
	return err == nil && slices.ContainsFunc(all, func(p *corev1.Pod) bool { return p.Status.PodIP == ip && !p.Spec.HostNetwork })
}

// behind finds what answers at a port of a service, by number or name. As in any cluster that is an endpoint that is
// ready. Where none is, a service of simulated pods is answered for nevertheless; one of real ones refuses.
func (c *cluster) behind(service *corev1.Service, port intstr.IntOrString) (backend, error) {
	name := service.Namespace + "/" + service.Name
	at := slices.IndexFunc(service.Spec.Ports, func(p corev1.ServicePort) bool {
		return p.Protocol != corev1.ProtocolUDP && (port.Type == intstr.Int && p.Port == port.IntVal || port.Type == intstr.String && p.Name == port.StrVal)
	})
	if at < 0 {
		return backend{}, fmt.Errorf("service %s has no port %s", name, port.String())
	}
	endpoints, err := c.slices.EndpointSlices(service.Namespace).List(labels.SelectorFromSet(labels.Set{discoveryv1.LabelServiceName: service.Name}))
	if err != nil {
		return backend{}, fmt.Errorf("endpoints of service %s: %w", name, err)
	}
	simulated := false
	for _, slice := range endpoints {
		target := portNamed(slice.Ports, service.Spec.Ports[at].Name)
		for _, endpoint := range slice.Endpoints {
			if endpoint.Conditions.Ready != nil && !*endpoint.Conditions.Ready {
				continue
			}
			for _, ip := range endpoint.Addresses {
				if local, listens := c.node.Endpoint(ip, target); listens {
					return backend{address: local, service: service}, nil
				}
				simulated = simulated || !c.node.Owns(ip)
			}
		}
	}
	if simulated || c.onlySimulated(service) {
		return backend{simulated: true, service: service}, nil
	}
	return backend{}, fmt.Errorf("connection refused: no ready process stands behind service %s", name)
}

func portNamed(ports []discoveryv1.EndpointPort, name string) int {
	for _, port := range ports {
		if port.Port != nil && (port.Name == nil && name == "" || port.Name != nil && *port.Name == name) {
			return int(*port.Port)
		}
	}
	return 0
}

// onlySimulated reports whether the service has pods, or workloads that will have some, and none of them is a real one.
func (c *cluster) onlySimulated(service *corev1.Service) bool {
	specs := c.workloads(service)
	return len(specs) > 0 && !slices.ContainsFunc(specs, node.IsReal)
}

// workloads returns what the service selects: pods, and the templates of those to come.
func (c *cluster) workloads(service *corev1.Service) []*corev1.PodSpec {
	if len(service.Spec.Selector) == 0 {
		return nil
	}
	selector := labels.SelectorFromSet(service.Spec.Selector)
	var specs []*corev1.PodSpec
	add := func(meta *metav1.ObjectMeta, spec *corev1.PodSpec) {
		if selector.Matches(labels.Set(meta.Labels)) {
			specs = append(specs, spec)
		}
	}
	everything, namespace := labels.Everything(), service.Namespace
	pods, _ := c.pods.Pods(namespace).List(everything) // listing from memory does not fail
	for _, p := range pods {
		add(&p.ObjectMeta, &p.Spec)
	}
	deployments, _ := c.deployments.Deployments(namespace).List(everything)
	for _, d := range deployments {
		add(&d.Spec.Template.ObjectMeta, &d.Spec.Template.Spec)
	}
	statefulSets, _ := c.statefulSets.StatefulSets(namespace).List(everything)
	for _, s := range statefulSets {
		add(&s.Spec.Template.ObjectMeta, &s.Spec.Template.Spec)
	}
	daemonSets, _ := c.daemonSets.DaemonSets(namespace).List(everything)
	for _, d := range daemonSets {
		add(&d.Spec.Template.ObjectMeta, &d.Spec.Template.Spec)
	}
	return specs
}

// ingress finds what stands behind the ingress that is responsible for a host and a path.
func (c *cluster) ingress(host, path string) (b backend, found bool, err error) {
	all, err := c.ingresses.List(labels.Everything())
	if err != nil {
		return backend{}, false, err
	}
	var namespace string
	var best *networkingv1.HTTPIngressPath
	for _, ingress := range all {
		for _, rule := range ingress.Spec.Rules {
			if rule.HTTP == nil || !hostMatches(rule.Host, host) {
				continue
			}
			for i := range rule.HTTP.Paths {
				if candidate := &rule.HTTP.Paths[i]; pathMatches(candidate, path) && better(candidate, best) {
					namespace, best = ingress.Namespace, candidate
				}
			}
		}
	}
	if best == nil {
		return backend{}, false, nil
	}
	if best.Backend.Service == nil {
		return backend{}, true, fmt.Errorf("the ingress for %s%s has a backend that is not a service", host, path)
	}
	service, err := c.services.Services(namespace).Get(best.Backend.Service.Name)
	if err != nil {
		return backend{}, true, fmt.Errorf("backend of the ingress for %s%s: %w", host, path, err)
	}
	port := intstr.FromInt32(best.Backend.Service.Port.Number)
	if best.Backend.Service.Port.Name != "" {
		port = intstr.FromString(best.Backend.Service.Port.Name)
	}
	b, err = c.behind(service, port)
	return b, true, err
}

func hostMatches(rule, host string) bool {
	if suffix, wildcard := strings.CutPrefix(rule, "*"); wildcard {
		label, matches := strings.CutSuffix(host, suffix)
		return matches && label != "" && !strings.Contains(label, ".")
	}
	return rule == "" || rule == host
}

func pathMatches(p *networkingv1.HTTPIngressPath, path string) bool {
	if p.PathType != nil && *p.PathType == networkingv1.PathTypeExact {
		return p.Path == path
	}
	prefix := strings.TrimSuffix(p.Path, "/")
	return path == prefix || strings.HasPrefix(path, prefix+"/")
}

// better prefers an exact path, then the longer one.
func better(p, than *networkingv1.HTTPIngressPath) bool {
	exact := func(p *networkingv1.HTTPIngressPath) bool {
		return p.PathType != nil && *p.PathType == networkingv1.PathTypeExact
	}
	switch {
	case than == nil:
		return true
	case exact(p) != exact(than):
		return exact(p)
	}
	return len(p.Path) > len(than.Path)
}
