package flows

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/telekom/controlplane-infrastructure/internal/flow"
)

// asService decodes a Service; nil: the object is none.
func asService(o *unstructured.Unstructured) (*corev1.Service, error) {
	if o.GetKind() != "Service" {
		return nil, nil
	}
	s := &corev1.Service{}
	return s, runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, s)
}

// service wants every port of a Service to be reached by somebody.
func (c *check) service(o *unstructured.Unstructured) error {
	s, err := asService(o)
	if s == nil || err != nil {
		return err
	}
	for _, port := range s.Spec.Ports {
		c.through(s, port, "Service "+o.GetName(), nil)
	}
	return nil
}

// address wants the flows that lead to a port of a Service's pods to lead to the Service's own address as well, by the
// rules of the VPC CNI of AWS: see [flow.Peer].
func (c *check) address(o *unstructured.Unstructured) error {
	s, err := asService(o)
	if s == nil || err != nil || s.Spec.ClusterIP == corev1.ClusterIPNone || s.Spec.Selector == nil {
		return err
	}
	for _, pods := range c.pods {
		if pods.Namespace != s.Namespace || !labels.SelectorFromSet(s.Spec.Selector).Matches(labels.Set(pods.Labels)) {
			continue
		}
		for _, port := range s.Spec.Ports {
			for _, f := range c.flows {
				if c.closed(f.From.Namespace) && selects(f.To, pods) && covers(f, target(port, pods)) && !leadsTo(f.To, s) {
					c.problem("flow %s: Service %s in %s does not select by all of %v", f.Name, s.Name, s.Namespace, f.To.Pods)
				}
			}
		}
	}
	return nil
}

// leadsTo tells whether a peer has labels that a Service selects by all.
func leadsTo(p flow.Peer, s *corev1.Service) bool {
	return slices.ContainsFunc(append(p.Services, p.Pods), func(pods map[string]string) bool {
		return labels.SelectorFromSet(pods).Matches(labels.Set(s.Spec.Selector))
	})
}

// through wants a port of a Service to be reached on each of the pods behind it.
func (c *check) through(s *corev1.Service, port corev1.ServicePort, what string, from *flow.Peer) {
	found := false
	for _, pods := range c.pods {
		if s.Spec.Selector == nil || pods.Namespace != s.Namespace || !labels.SelectorFromSet(s.Spec.Selector).Matches(labels.Set(pods.Labels)) {
			continue
		}
		found = true
		c.reached(what, from, pods, target(port, pods))
	}
	if !found && s.Spec.Selector != nil {
		c.problem("Service %s in %s selects no pods", s.Name, s.Namespace)
	}
}

// target is the port of the pods that a Service's port leads to.
func target(port corev1.ServicePort, pods Pods) int {
	switch {
	case port.TargetPort.Type == intstr.String:
		return pods.Ports[port.TargetPort.StrVal]
	case port.TargetPort.IntVal != 0:
		return int(port.TargetPort.IntVal)
	}
	return int(port.Port)
}

// serviceMonitor wants Prometheus to reach what a ServiceMonitor declares.
func (c *check) serviceMonitor(o *unstructured.Unstructured) error {
	if o.GetKind() != "ServiceMonitor" {
		return nil
	}
	what := "ServiceMonitor " + o.GetName()
	chosen, endpoints, err := monitored(o, "endpoints")
	if err != nil || !c.ours(o) {
		return err
	}
	for _, endpoint := range endpoints {
		found := false
		for _, candidate := range c.objects {
			s, err := asService(candidate)
			if err != nil {
				return err
			}
			if s == nil || !looksInto(o, s.Namespace) || !chosen.Matches(labels.Set(s.Labels)) {
				continue
			}
			for _, port := range s.Spec.Ports {
				if endpoint["port"] == port.Name || fmt.Sprint(endpoint["targetPort"]) == port.TargetPort.String() {
					found = true
					c.through(s, port, what, &c.surroundings.Monitoring)
				}
			}
		}
		if !found {
			c.problem("%s finds no Service with port %v%v", what, endpoint["port"], endpoint["targetPort"])
		}
	}
	return nil
}

// podMonitor wants Prometheus to reach what a PodMonitor declares.
func (c *check) podMonitor(o *unstructured.Unstructured) error {
	if o.GetKind() != "PodMonitor" {
		return nil
	}
	what := "PodMonitor " + o.GetName()
	chosen, endpoints, err := monitored(o, "podMetricsEndpoints")
	if err != nil || !c.ours(o) {
		return err
	}
	for _, endpoint := range endpoints {
		found := false
		for _, pods := range c.pods {
			port, has := pods.Ports[fmt.Sprint(endpoint["port"])]
			if has && looksInto(o, pods.Namespace) && chosen.Matches(labels.Set(pods.Labels)) {
				found = true
				c.reached(what, &c.surroundings.Monitoring, pods, port)
			}
		}
		if !found {
			c.problem("%s finds no pods with port %v", what, endpoint["port"])
		}
	}
	return nil
}

// looksInto tells whether a monitor finds what is in a namespace: its own, unless it names others.
func looksInto(o *unstructured.Unstructured, namespace string) bool {
	named, _, _ := unstructured.NestedStringSlice(o.Object, "spec", "namespaceSelector", "matchNames")
	if len(named) == 0 {
		named = []string{o.GetNamespace()}
	}
	return slices.Contains(named, namespace)
}

// ours tells whether a monitor looks into a namespace with network policies. Others have no flow of ours.
func (c *check) ours(o *unstructured.Unstructured) bool {
	return slices.ContainsFunc(c.objects, func(policy *unstructured.Unstructured) bool {
		return policy.GetKind() == "NetworkPolicy" && looksInto(o, policy.GetNamespace())
	})
}

// monitored are a monitor's selector and endpoints.
func monitored(o *unstructured.Unstructured, list string) (labels.Selector, []map[string]any, error) {
	content, _, err := unstructured.NestedMap(o.Object, "spec", "selector")
	if err != nil {
		return nil, nil, err
	}
	chosen, err := selector(content)
	if err != nil {
		return nil, nil, err
	}
	items, _, err := unstructured.NestedSlice(o.Object, "spec", list)
	if err != nil {
		return nil, nil, err
	}
	var endpoints []map[string]any
	for _, item := range items {
		endpoint, ok := item.(map[string]any)
		if !ok {
			return nil, nil, fmt.Errorf("%s: %v is no endpoint", list, item)
		}
		endpoints = append(endpoints, endpoint)
	}
	return chosen, endpoints, nil
}

// webhooks wants the API server to reach what it is told to ask.
func (c *check) webhooks(o *unstructured.Unstructured) error {
	if o.GetKind() != "ValidatingWebhookConfiguration" && o.GetKind() != "MutatingWebhookConfiguration" {
		return nil
	}
	hooks, _, err := unstructured.NestedSlice(o.Object, "webhooks")
	if err != nil {
		return err
	}
	for _, hook := range hooks {
		content, _ := hook.(map[string]any)
		service, _, err := unstructured.NestedMap(content, "clientConfig", "service")
		if err != nil {
			return err
		}
		if err := c.asked(o, service); err != nil {
			return err
		}
	}
	return nil
}

// asked wants the API server to reach the Service of a webhook.
func (c *check) asked(o *unstructured.Unstructured, service map[string]any) error {
	wanted := int64(443) // unless it is said
	if port, ok := service["port"].(int64); ok {
		wanted = port
	}
	what := o.GetKind() + " " + o.GetName()
	for _, candidate := range c.objects {
		s, err := asService(candidate)
		if err != nil {
			return err
		}
		if s == nil || s.Name != service["name"] || s.Namespace != service["namespace"] {
			continue
		}
		for _, port := range s.Spec.Ports {
			if int64(port.Port) == wanted {
				c.through(s, port, what, &c.surroundings.APIServer)
				return nil
			}
		}
	}
	c.problem("%s asks Service %v, which has no port %d", what, service["name"], wanted)
	return nil
}
