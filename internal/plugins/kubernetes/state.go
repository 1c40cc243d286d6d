package kubernetes

import (
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Keys of the recorded state that are the plugin's own.
const (
	keyInputs            = "__inputs"
	keyInitialAPIVersion = "__initialApiVersion"
	keyFieldManager      = "__fieldManager"
)

// checkpoint is what is recorded of an object: as it lives, and what the plugin needs the next time.
func checkpoint(
	inputs resource.PropertyMap, live *unstructured.Unstructured, initialAPIVersion, fieldManager string,
) resource.PropertyMap {
	state := toProperties(live.Object)
	conceal(state, inputs)
	concealed := inputs.Copy()
	conceal(concealed, inputs)
	state[keyInputs] = resource.NewProperty(concealed)
	state[keyInitialAPIVersion] = resource.NewProperty(initialAPIVersion)
	state[keyFieldManager] = resource.NewProperty(fieldManager)
	return state
}

// conceal makes secret in out what is secret at the same place in the inputs, and the contents of Secrets in any case.
// A list with a secret anywhere becomes secret as a whole: the API server may reorder it.
func conceal(out, inputs resource.PropertyMap) {
	if kind, ok := plain(out["kind"]); ok && kind.IsString() && kind.StringValue() == "Secret" {
		for _, key := range []resource.PropertyKey{"data", "stringData"} {
			if v, ok := out[key]; ok && !v.IsSecret() {
				out[key] = resource.MakeSecret(v)
			}
		}
	}
	concealMap(out, inputs)
	concealCopies(out, inputs)
}

func concealMap(out, inputs resource.PropertyMap) {
	for key, in := range inputs {
		v, ok := out[key]
		switch {
		case !ok || v.IsSecret():
		case v.IsObject() && in.IsObject():
			concealMap(v.ObjectValue(), in.ObjectValue())
		case in.ContainsSecrets():
			out[key] = resource.MakeSecret(v)
		}
	}
}

// concealCopies hides where the metadata repeats what is elsewhere in the object: kubectl leaves a copy of all of it in
// an annotation, and the owners of fields name the elements of a list by what is in them.
func concealCopies(out, inputs resource.PropertyMap) {
	metadata := out["metadata"]
	if !metadata.IsObject() {
		return
	}
	hide := func(m resource.PropertyMap, key resource.PropertyKey) {
		if v, ok := m[key]; ok && !v.IsSecret() {
			m[key] = resource.MakeSecret(v)
		}
	}
	if listsSecrets(resource.NewProperty(inputs), false) {
		hide(metadata.ObjectValue(), "managedFields")
	}
	kind, _ := plain(out["kind"])
	secretive := kind.IsString() && kind.StringValue() == "Secret" || inputs.ContainsSecrets()
	if annotations := metadata.ObjectValue()["annotations"]; secretive && annotations.IsObject() {
		hide(annotations.ObjectValue(), annotationLastApplied)
	}
}

// listsSecrets tells whether a list has anything secret in it.
func listsSecrets(v resource.PropertyValue, secret bool) bool {
	switch {
	case v.IsSecret():
		return listsSecrets(v.SecretValue().Element, true)
	case v.IsArray():
		return secret || v.ContainsSecrets()
	case v.IsObject():
		for _, e := range v.ObjectValue() {
			if listsSecrets(e, secret) {
				return true
			}
		}
	}
	return false
}

// recorded takes recorded state apart into the object as it was last seen and the inputs that led to it.
func recorded(state resource.PropertyMap) (inputs, live *unstructured.Unstructured) {
	object := toObject(state).Object
	old, _ := object[keyInputs].(map[string]any)
	if old == nil {
		old = map[string]any{}
	}
	for _, key := range []string{keyInputs, keyInitialAPIVersion, keyFieldManager} {
		delete(object, key)
	}
	return &unstructured.Unstructured{Object: old}, &unstructured.Unstructured{Object: object}
}

// initialAPIVersion is the version that the object was created with: controllers may behave differently by it.
func initialAPIVersion(state resource.PropertyMap, inputs *unstructured.Unstructured) string {
	if v, ok := plain(state[keyInitialAPIVersion]); ok && v.IsString() {
		return v.StringValue()
	}
	return inputs.GetAPIVersion()
}

// fieldManager is the name under which the object's fields are owned: what an annotation says, what was used before,
// or a new one of its own, so that two resources that touch the same field find out.
func fieldManager(state resource.PropertyMap, inputs *unstructured.Unstructured) (string, error) {
	if name := annotation(inputs, annotationFieldManager); name != "" {
		return name, nil
	}
	if v, ok := plain(state[keyFieldManager]); ok && v.IsString() && v.StringValue() != "" {
		return v.StringValue(), nil
	}
	return resource.NewUniqueName(nil, "pulumi-kubernetes-", 0, 0, nil)
}
