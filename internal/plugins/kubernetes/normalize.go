package kubernetes

import (
	"encoding/base64"
	"encoding/json"
	"maps"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
)

// builtin holds Kubernetes' own kinds: their Go types know which spellings of a value mean the same.
var builtin = func() *runtime.Scheme {
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(apiextensionsv1.AddToScheme(scheme))
	return scheme
}()

// readOnly are the metadata fields that only the API server sets.
var readOnly = []string{
	"creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "generation", "managedFields",
	"resourceVersion", "uid",
}

// dropReadOnly removes them: rendered manifests carry some of them as null or zero.
func dropReadOnly(obj resource.PropertyMap) {
	metadata, ok := plain(obj["metadata"])
	if !ok || !metadata.IsObject() {
		return
	}
	for _, field := range readOnly {
		delete(metadata.ObjectValue(), resource.PropertyKey(field))
	}
}

// canonical returns an object, all of which is known, with its values spelled as the API server spells them (quantities,
// durations, base64), in the shape that was given. What the Go type does not know is kept, for the API server to judge.
func canonical(obj *unstructured.Unstructured) *unstructured.Unstructured {
	typed, err := builtin.New(obj.GroupVersionKind())
	if err != nil {
		return obj
	}
	raw, err := json.Marshal(obj.Object)
	if err != nil || json.Unmarshal(raw, typed) != nil {
		return obj
	}
	respelled, err := runtime.DefaultUnstructuredConverter.ToUnstructured(typed)
	if err != nil {
		return obj
	}
	return &unstructured.Unstructured{Object: respell(obj.Object, respelled).(map[string]any)}
}

// respell takes the shape from given and the values from canonical.
func respell(given, canonical any) any {
	switch g := given.(type) {
	case map[string]any:
		c, ok := canonical.(map[string]any)
		if !ok {
			return given
		}
		out := make(map[string]any, len(g))
		for k, v := range g {
			// What the Go type leaves out is empty or unknown to it.
			if spelled, ok := c[k]; ok {
				v = respell(v, spelled)
			}
			out[k] = v
		}
		return out
	case []any:
		c, ok := canonical.([]any)
		if !ok || len(c) != len(g) {
			return given
		}
		out := make([]any, len(g))
		for i := range g {
			out[i] = respell(g[i], c[i])
		}
		return out
	}
	if canonical == nil {
		return given
	}
	return canonical
}

// encodeStringData moves a Secret's stringData to data, where the API server keeps it. Applied as stringData, a key
// that goes away from the program would stay in the cluster: nobody would own it.
func encodeStringData(obj *unstructured.Unstructured) *unstructured.Unstructured {
	texts, ok := obj.Object["stringData"].(map[string]any)
	if !ok || !is(obj, "", "Secret") {
		return obj
	}
	out, data := maps.Clone(obj.Object), map[string]any{}
	if old, ok := obj.Object["data"].(map[string]any); ok {
		maps.Copy(data, old)
	}
	for k, v := range texts {
		if text, ok := v.(string); ok {
			v = base64.StdEncoding.EncodeToString([]byte(text))
		}
		data[k] = v
	}
	delete(out, "stringData")
	out["data"] = data
	return &unstructured.Unstructured{Object: out}
}
