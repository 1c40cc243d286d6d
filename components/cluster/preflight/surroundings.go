package preflight

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/telekom/controlplane-infrastructure/components/cluster/metricsserver"
)

// defaultStorageClass marks the class of volumes that name none.
const defaultStorageClass = "storageclass.kubernetes.io/is-default-class"

// storageClasses are those that volumes name, or exactly one default: of several Kubernetes takes the newest one, which
// may be another one tomorrow.
func (i *inspector) storageClasses(ctx context.Context) error {
	const check = "storage class"
	if len(i.needs.StorageClasses) == 0 {
		return nil
	}
	list, err := i.client.StorageV1().StorageClasses().List(ctx, metav1.ListOptions{})
	if i.unseen(err, check, "the StorageClasses of the stack's volumes") {
		return nil
	}
	if err != nil {
		return err
	}
	byName, defaults := map[string]storagev1.StorageClass{}, []string{}
	for _, class := range list.Items {
		byName[class.Name] = class
		if class.Annotations[defaultStorageClass] == "true" {
			defaults = append(defaults, class.Name)
		}
	}
	for _, name := range i.needs.StorageClasses {
		if name == "" {
			if len(defaults) != 1 {
				i.withoutDefault(check, defaults, slices.Sorted(maps.Keys(byName)))
				continue
			}
			name = defaults[0]
		}
		class, found := byName[name]
		if !found {
			i.report(Error, check, quoted(slices.Sorted(maps.Keys(byName))), name,
				"Create it, or name another one in the stack's configuration (storageClass).")
			continue
		}
		i.suits(check, class)
	}
	return nil
}

func (i *inspector) withoutDefault(check string, defaults, all []string) {
	found, remedy := "no default among "+quoted(all), "Annotate one with "+defaultStorageClass+`="true", or name one in storage.storageClass.`
	if len(all) == 0 {
		found, remedy = "none at all", "Install a CSI driver with a default StorageClass."
	}
	if len(defaults) > 1 {
		found = "several defaults: " + quoted(defaults)
		remedy = "Leave the annotation " + defaultStorageClass + " to one of them, or name one in storage.storageClass."
	}
	i.report(Error, check, found, "exactly one default StorageClass, as the stack's volumes name none", remedy)
}

// suits warns of a class with which volumes work, but not for ever.
func (i *inspector) suits(check string, class storagev1.StorageClass) {
	if class.AllowVolumeExpansion == nil || !*class.AllowVolumeExpansion {
		i.report(Warning, check, class.Name+", whose volumes cannot grow", "allowVolumeExpansion: true",
			"Set it if the driver can do it; otherwise give volumes the size that they will need.")
	}
	if i.needs.Zones > 1 && (class.VolumeBindingMode == nil || *class.VolumeBindingMode == storagev1.VolumeBindingImmediate) {
		i.report(Warning, check, class.Name+", whose volumes are made before it is known where their pods go",
			"volumeBindingMode: WaitForFirstConsumer", "Use such a class, unless the volumes can be reached from every zone.")
	}
}

// zones are the values of the label by which pods are spread.
func (i *inspector) zones(ctx context.Context) error {
	const check = "zones"
	if i.needs.Zones == 0 {
		return nil
	}
	needed := fmt.Sprintf("nodes in %d zones, by the label %s", i.needs.Zones, corev1.LabelTopologyZone)
	nodes, err := i.client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if i.unseen(err, check, needed) {
		return nil
	}
	if err != nil {
		return err
	}
	zones := map[string]bool{}
	for _, node := range nodes.Items {
		if zone := node.Labels[corev1.LabelTopologyZone]; zone != "" {
			zones[zone] = true
		}
	}
	names := slices.Sorted(maps.Keys(zones))
	switch {
	case len(names) == 0:
		i.report(Error, check, "no node with the label", needed,
			"Label the nodes with the part of the site that fails as a whole, or choose availability single.")
	case len(names) < i.needs.Zones:
		i.report(Warning, check, quoted(names), needed, "With fewer zones the loss of one takes more than it should.")
	}
	return nil
}

// metrics are served by metrics-server, ours or another one.
func (i *inspector) metrics(ctx context.Context) error {
	const check = "metrics API"
	if !i.needs.MetricsServer && !i.needs.Autoscalers {
		return nil
	}
	data, err := i.client.Discovery().RESTClient().Get().
		AbsPath("/apis/apiregistration.k8s.io/v1/apiservices/" + metricsserver.APIService).DoRaw(ctx)
	switch {
	case apierrors.IsNotFound(err):
		if !i.needs.MetricsServer {
			i.report(Warning, check, "none", "metrics.k8s.io, which the stack's autoscalers ask",
				"Install metrics-server, or have the stack do it: cluster.metricsServer.install.")
		}
		return nil
	case i.unseen(err, check, "metrics.k8s.io, of one owner"):
		return nil
	case err != nil:
		return err
	}
	var api struct {
		Spec struct {
			Service struct{ Namespace, Name string }
		}
		Status struct{ Conditions []metav1.Condition }
	}
	if err := json.Unmarshal(data, &api); err != nil {
		return fmt.Errorf("APIService %s: %w", metricsserver.APIService, err)
	}
	i.owned(check, api.Spec.Service.Namespace, api.Spec.Service.Name, available(api.Status.Conditions))
	return nil
}

func available(conditions []metav1.Condition) bool {
	return slices.ContainsFunc(conditions, func(c metav1.Condition) bool {
		return c.Type == "Available" && c.Status == metav1.ConditionTrue
	})
}

func (i *inspector) owned(check, namespace, name string, available bool) {
	other := namespace != metricsserver.Namespace
	switch {
	case i.needs.MetricsServer && other:
		i.report(Error, check, "that of Service "+namespace+"/"+name, "no other metrics-server than the stack's",
			"Leave out cluster.metricsServer.install, or remove the other one.")
	case !i.needs.MetricsServer && !available:
		i.report(Warning, check, "that of Service "+namespace+"/"+name+", which does not answer",
			"metrics.k8s.io, which the stack's autoscalers ask", "Repair it. While it is so, no namespace can be deleted either.")
	}
}

// ingressClasses have one default: Kubernetes refuses an Ingress without a class where there are several.
func (i *inspector) ingressClasses(ctx context.Context) error {
	const check = "ingress class"
	list, err := i.client.NetworkingV1().IngressClasses().List(ctx, metav1.ListOptions{})
	if i.unseen(err, check, "exactly one default IngressClass") {
		return nil
	}
	if err != nil {
		return err
	}
	var others []string
	for _, class := range list.Items {
		if class.Annotations[networkingv1.AnnotationIsDefaultIngressClass] == "true" && class.Name != i.needs.IngressClass {
			others = append(others, class.Name)
		}
	}
	switch ours := i.needs.IngressClass; {
	case ours != "" && len(others) > 0:
		i.report(Error, check, "the default "+quoted(others), "no other default than the stack's "+ours,
			"Remove the annotation "+networkingv1.AnnotationIsDefaultIngressClass+
				" from it, or set network.ingress.traefik.defaultClass to false.")
	case ours == "" && len(others) != 1:
		i.report(Warning, check, strings.TrimSpace("the defaults "+quoted(others)), "exactly one default IngressClass",
			"The Control Plane's Ingresses name no class: annotate one with "+networkingv1.AnnotationIsDefaultIngressClass+`="true".`)
	}
	return nil
}
