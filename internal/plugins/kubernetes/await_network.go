package kubernetes

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var endpointSlice = schema.GroupVersionKind{Group: "discovery.k8s.io", Version: "v1", Kind: "EndpointSlice"}

func endpointsSelector(service *unstructured.Unstructured) string {
	return labels.Set{"kubernetes.io/service-name": service.GetName()}.String()
}

func endpointsOf(service *unstructured.Unstructured) []watched {
	slices := &unstructured.Unstructured{}
	slices.SetGroupVersionKind(endpointSlice)
	slices.SetNamespace(service.GetNamespace())
	return []watched{{object: slices, selector: endpointsSelector(service)}}
}

// judgeService waits for pods behind the Service, and for an address if a load balancer is to give it one.
func judgeService(ctx context.Context, c *cluster, service *unstructured.Unstructured) (verdict, error) {
	var missing []string
	if selectsPods(service) {
		targets, err := countEndpoints(ctx, c, service)
		if err != nil {
			return verdict{}, err
		}
		if targets == 0 {
			missing = append(missing, "Service does not target any Pods. Selected Pods may not be ready, or "+
				"field '.spec.selector' may not match labels on any Pods")
		}
	}
	if nested(service, "spec", "type") == string(corev1.ServiceTypeLoadBalancer) && !hasAddress(service) {
		missing = append(missing, "Service was not allocated an IP address; does your cloud provider support this?")
	}
	return verdict{ready: len(missing) == 0, message: strings.Join(missing, "; ")}, nil
}

// selectsPods tells whether a Service has an address of its own that leads to pods.
func selectsPods(service *unstructured.Unstructured) bool {
	selector, _, _ := unstructured.NestedMap(service.Object, "spec", "selector")
	return len(selector) > 0 && nested(service, "spec", "clusterIP") != corev1.ClusterIPNone &&
		nested(service, "spec", "type") != string(corev1.ServiceTypeExternalName)
}

// hasAddress tells whether a Service or an Ingress has been given an address outside of the cluster.
func hasAddress(obj *unstructured.Unstructured) bool {
	addresses, _, _ := unstructured.NestedSlice(obj.Object, "status", "loadBalancer", "ingress")
	return len(addresses) > 0
}

func countEndpoints(ctx context.Context, c *cluster, service *unstructured.Unstructured) (int, error) {
	mapping, err := c.mapping(endpointSlice)
	if err != nil {
		return 0, err
	}
	list, err := c.dynamic.Resource(mapping.Resource).Namespace(service.GetNamespace()).
		List(ctx, metav1.ListOptions{LabelSelector: endpointsSelector(service)})
	if err != nil {
		return 0, fmt.Errorf("endpoints of Service %s: %w", idOf(service), err)
	}
	count := 0
	for _, slice := range list.Items {
		endpoints, _, _ := unstructured.NestedSlice(slice.Object, "endpoints")
		count += len(endpoints)
	}
	return count, nil
}

// explainService says what is wrong with the pods behind a Service, and what the load balancer's controller complains of.
func explainService(ctx context.Context, c *cluster, service *unstructured.Unstructured) []string {
	var reasons []string
	if selectsPods(service) {
		selector, _, _ := unstructured.NestedStringMap(service.Object, "spec", "selector")
		reasons = explainSelected(ctx, c, service.GetNamespace(), labels.Set(selector).String())
	}
	if class := nested(service, "spec", "loadBalancerClass"); class != "" && !hasAddress(service) {
		reasons = append(reasons, fmt.Sprintf("only a controller for load balancers of the class %s gives it an address", class))
	}
	return limit(append(reasons, explainEvents(ctx, c, service)...))
}

// judgeIngress waits until a controller says where the Ingress can be reached, which it does when it serves it.
func judgeIngress(_ context.Context, _ *cluster, ingress *unstructured.Unstructured) (verdict, error) {
	return verdict{
		ready:   hasAddress(ingress),
		message: "Ingress .status.loadBalancer field was not updated with a hostname/IP address",
	}, nil
}

// explainIngress says what an Ingress names that does not exist, and what its controller complains of.
func explainIngress(ctx context.Context, c *cluster, obj *unstructured.Unstructured) []string {
	var ingress networkingv1.Ingress
	if runtime.DefaultUnstructuredConverter.FromUnstructured(obj.Object, &ingress) != nil {
		return explainEvents(ctx, c, obj)
	}
	var reasons []string
	classes := schema.GroupVersionResource{Group: "networking.k8s.io", Version: "v1", Resource: "ingressclasses"}
	switch class := ingress.Spec.IngressClassName; {
	case class == nil && ingress.Annotations["kubernetes.io/ingress.class"] == "":
		reasons = append(reasons, "it names no IngressClass, and the cluster had no default one when it was made")
	case class != nil:
		if _, err := c.dynamic.Resource(classes).Get(ctx, *class, metav1.GetOptions{}); apierrors.IsNotFound(err) {
			reasons = append(reasons, fmt.Sprintf("IngressClass %s does not exist", *class))
		}
	}
	services := c.dynamic.Resource(schema.GroupVersionResource{Version: "v1", Resource: "services"})
	for _, name := range backendsOf(&ingress) {
		if _, err := services.Namespace(ingress.Namespace).Get(ctx, name, metav1.GetOptions{}); apierrors.IsNotFound(err) {
			reasons = append(reasons, fmt.Sprintf("Service %s, which it leads to, does not exist", name))
		}
	}
	return limit(append(reasons, explainEvents(ctx, c, obj)...))
}

// backendsOf returns the names of the Services that an Ingress leads to.
func backendsOf(ingress *networkingv1.Ingress) []string {
	var names []string
	add := func(backend *networkingv1.IngressBackend) {
		if backend != nil && backend.Service != nil && !slices.Contains(names, backend.Service.Name) {
			names = append(names, backend.Service.Name)
		}
	}
	add(ingress.Spec.DefaultBackend)
	for _, rule := range ingress.Spec.Rules {
		if rule.HTTP == nil {
			continue
		}
		for i := range rule.HTTP.Paths {
			add(&rule.HTTP.Paths[i].Backend)
		}
	}
	return names
}
