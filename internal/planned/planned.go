// Package planned tells what a run of a stack is going to leave: each resource with its inputs, as plain data, from the
// events of the engine or from a test's mocks. Policies and rendered manifests are made of it, so that a preview, a test
// and a pipeline judge the same thing.
package planned

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/sig"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// What stands in inputs in place of values.
const (
	// Secret is a value that must not be shown. Whether it changes can be told, what it is cannot.
	Secret = "[secret]"
	// Unknown is a value that is known once something else has been created.
	Unknown = "[unknown]"
)

// Resource is one resource as the program describes it.
type Resource struct {
	// URN, Type and Name identify it to the engine; Parent is a URN, too.
	URN, Type, Name, Parent string
	// Component is the name of the component of the stack that it belongs to, such as storage; empty for what belongs to none.
	Component string
	// Protect says that the engine refuses to delete it.
	Protect bool
	// Inputs are JSON values, with Secret and Unknown for what cannot be shown.
	Inputs map[string]any
}

// Object is the Kubernetes object that the resource is, or nil.
func (r Resource) Object() *unstructured.Unstructured {
	if !strings.HasPrefix(r.Type, "kubernetes:") || r.Inputs["kind"] == nil {
		return nil
	}
	return (&unstructured.Unstructured{Object: r.Inputs}).DeepCopy()
}

// FromEvent is what an event of the engine says of a resource. Its component is found by the tree, which must have
// seen its parents.
func FromEvent(m *apitype.StepEventStateMetadata, tree Tree) (Resource, error) {
	urn := resource.URN(m.URN)
	inputs, err := Plain(m.Inputs)
	if err != nil {
		return Resource{}, fmt.Errorf("%s: %w", urn.Name(), err)
	}
	return Resource{
		URN: m.URN, Type: m.Type, Name: urn.Name(), Parent: m.Parent, Component: tree.Add(m.URN, m.Parent),
		Protect: m.Protect, Inputs: inputs,
	}, nil
}

// FromInputs are inputs as the engine, or a mock of it, gets them from a program.
func FromInputs(inputs resource.PropertyMap) (map[string]any, error) {
	plain, err := plugin.MarshalProperties(inputs, plugin.MarshalOptions{KeepUnknowns: true, KeepSecrets: true, KeepOutputValues: false})
	if err != nil {
		return nil, err
	}
	return Plain(plain.AsMap())
}

// Plain are properties as the engine writes them down, with what cannot be shown replaced.
func Plain(properties map[string]any) (map[string]any, error) {
	// Through JSON, so that numbers are what they are in an object from an API server.
	data, err := json.Marshal(plain(properties))
	if err != nil {
		return nil, err
	}
	o := &unstructured.Unstructured{Object: map[string]any{}}
	// Any object will do: the decoder only wants a kind.
	data = append([]byte(`{"kind":"Any","apiVersion":"v1","value":`), append(data, '}')...)
	if err := o.UnmarshalJSON(data); err != nil {
		return nil, err
	}
	value, _ := o.Object["value"].(map[string]any)
	return value, nil
}

func plain(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if v[sig.Key] == sig.Secret {
			return Secret
		}
		copied := make(map[string]any, len(v))
		for key, item := range v {
			copied[key] = plain(item)
		}
		return copied
	case []any:
		copied := make([]any, len(v))
		for i, item := range v {
			copied[i] = plain(item)
		}
		return copied
	case string:
		switch v {
		case plugin.UnknownBoolValue, plugin.UnknownNumberValue, plugin.UnknownStringValue, plugin.UnknownArrayValue,
			plugin.UnknownAssetValue, plugin.UnknownArchiveValue, plugin.UnknownObjectValue:
			return Unknown
		}
	}
	return v
}

// Tree finds the component of the stack that a resource belongs to, by URN.
type Tree map[string]string

// Add tells the component of a resource whose parents have been added before.
func (t Tree) Add(urn, parent string) string {
	component := t[parent]
	if top := parent == "" || resource.URN(parent).QualifiedType() == resource.RootStackType; top && component == "" &&
		strings.HasPrefix(string(resource.URN(urn).Type()), "controlplane:") {
		component = resource.URN(urn).Name()
	}
	t[urn] = component
	return component
}
