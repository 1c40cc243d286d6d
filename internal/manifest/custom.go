package manifest

import "k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

// Custom is a custom resource. It counts as created only when its controller
// says so: waitFor is what Pulumi's annotation pulumi.com/waitFor takes, such
// as condition=Ready; empty: it counts at once.
func Custom(apiVersion, kind, namespace, name, waitFor string, spec map[string]any) *unstructured.Unstructured {
	o := &unstructured.Unstructured{Object: map[string]any{"apiVersion": apiVersion, "kind": kind, "spec": spec}}
	o.SetNamespace(namespace)
	o.SetName(name)
	if waitFor != "" {
		o.SetAnnotations(map[string]string{"pulumi.com/waitFor": waitFor})
	}
	return o
}
