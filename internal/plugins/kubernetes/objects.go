package kubernetes

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Annotations by which a program steers the plugin, as published.
const (
	annotationPrefix       = "pulumi.com/"
	annotationAutonamed    = annotationPrefix + "autonamed"
	annotationSkipAwait    = annotationPrefix + "skipAwait"
	annotationWaitFor      = annotationPrefix + "waitFor"
	annotationTimeout      = annotationPrefix + "timeoutSeconds"
	annotationReplace      = annotationPrefix + "replaceUnready"
	annotationForce        = annotationPrefix + "patchForce"
	annotationFieldManager = annotationPrefix + "patchFieldManager"
	annotationPropagation  = annotationPrefix + "deletionPropagationPolicy"

	annotationLastApplied = "kubectl.kubernetes.io/last-applied-configuration"
)

// plain returns a value without its secrecy; ok is false for what is absent or not known yet.
func plain(v resource.PropertyValue) (_ resource.PropertyValue, ok bool) {
	for v.IsSecret() {
		v = v.SecretValue().Element
	}
	return v, v.HasValue() && !v.IsComputed()
}

// The typed SDKs cannot have a dash in a field's name; the schema extensions of CRDs have underscores there.
var dashes = map[string]string{
	"x_kubernetes_embedded_resource":       "x-kubernetes-embedded-resource",
	"x_kubernetes_int_or_string":           "x-kubernetes-int-or-string",
	"x_kubernetes_list_map_keys":           "x-kubernetes-list-map-keys",
	"x_kubernetes_list_type":               "x-kubernetes-list-type",
	"x_kubernetes_map_type":                "x-kubernetes-map-type",
	"x_kubernetes_preserve_unknown_fields": "x-kubernetes-preserve-unknown-fields",
	"x_kubernetes_validations":             "x-kubernetes-validations",
}

var underscores = func() map[string]resource.PropertyKey {
	m := make(map[string]resource.PropertyKey, len(dashes))
	for underscore, dash := range dashes {
		m[dash] = resource.PropertyKey(underscore)
	}
	return m
}()

// toObject turns properties into the object that the API server gets: secrets opened, unknowns left in place.
func toObject(m resource.PropertyMap) *unstructured.Unstructured {
	key := func(k string) (string, bool) { d, ok := dashes[k]; return d, ok }
	var value func(resource.PropertyValue) (any, bool)
	value = func(v resource.PropertyValue) (any, bool) {
		if v.IsSecret() {
			return v.SecretValue().Element.MapRepl(key, value), true
		}
		return nil, false
	}
	return &unstructured.Unstructured{Object: integers(m.MapRepl(key, value)).(map[string]any)}
}

// toProperties is the way back, for objects from the API server.
func toProperties(object map[string]any) resource.PropertyMap {
	return resource.NewPropertyMapFromMapRepl(object,
		func(k string) (resource.PropertyKey, bool) { u, ok := underscores[k]; return u, ok }, nil)
}

// integers turns the floats of the wire format into integers where they are: the API machinery tells them apart.
func integers(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = integers(v[k])
		}
	case []any:
		for i := range v {
			v[i] = integers(v[i])
		}
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return int64(v)
		}
	}
	return v
}

func isUnknown(v any) bool {
	switch v.(type) {
	case resource.Computed, resource.Output:
		return true
	}
	return false
}

// hasUnknown tells whether anything in a value is not known yet.
func hasUnknown(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		for _, e := range v {
			if hasUnknown(e) {
				return true
			}
		}
	case []any:
		for _, e := range v {
			if hasUnknown(e) {
				return true
			}
		}
	default:
		return isUnknown(v)
	}
	return false
}

// kindOf returns the group, version and kind that a resource's type token names.
func kindOf(urn resource.URN) (schema.GroupVersionKind, error) {
	module, kind := string(urn.Type().Module().Name()), string(urn.Type().Name())
	group, version, ok := strings.Cut(module, "/")
	if !ok {
		return schema.GroupVersionKind{}, fmt.Errorf(
			"type %s: want kubernetes:<group>/<version>:<Kind>", urn.Type())
	}
	if group == "core" {
		group = ""
	}
	return schema.GroupVersionKind{Group: group, Version: version, Kind: kind}, nil
}

// isPatch tells a Patch resource, which owns some fields of an object and not the object, from a kind whose own name
// ends that way.
func isPatch(urn resource.URN, kind string) bool {
	return kind != "" && string(urn.Type().Name()) == kind+"Patch"
}

func isList(urn resource.URN) bool { return strings.HasSuffix(string(urn.Type().Name()), "List") }

func is(obj *unstructured.Unstructured, group, kind string) bool {
	gvk := obj.GroupVersionKind()
	return gvk.Group == group && gvk.Kind == kind
}

func isCRD(obj *unstructured.Unstructured) bool {
	return is(obj, "apiextensions.k8s.io", "CustomResourceDefinition")
}

func idOf(obj metav1.Object) string {
	if obj.GetNamespace() == "" {
		return obj.GetName()
	}
	return obj.GetNamespace() + "/" + obj.GetName()
}

func splitID(id string) (namespace, name string) {
	if namespace, name, ok := strings.Cut(id, "/"); ok {
		return namespace, name
	}
	return "", id
}

// annotation reads one annotation of an object that may hold unknowns, which the accessors of the API machinery do not
// expect.
func annotation(obj *unstructured.Unstructured, key string) string {
	metadata, _ := obj.Object["metadata"].(map[string]any)
	annotations, _ := metadata["annotations"].(map[string]any)
	value, _ := annotations[key].(string)
	return value
}

func annotated(obj *unstructured.Unstructured, key string) bool {
	return annotation(obj, key) == "true"
}

// timeoutFor returns how long to wait: what the resource's options say, then its annotation, then the default.
func timeoutFor(seconds float64, inputs *unstructured.Unstructured, otherwise time.Duration) time.Duration {
	if seconds > 0 {
		return time.Duration(seconds * float64(time.Second))
	}
	if text := annotation(inputs, annotationTimeout); text != "" {
		if n, err := strconv.Atoi(text); err == nil && n > 0 {
			return time.Duration(n) * time.Second
		}
	}
	return otherwise
}

func propagation(inputs *unstructured.Unstructured) metav1.DeletionPropagation {
	switch strings.ToLower(annotation(inputs, annotationPropagation)) {
	case "orphan":
		return metav1.DeletePropagationOrphan
	case "background":
		return metav1.DeletePropagationBackground
	}
	return metav1.DeletePropagationForeground
}
