package manifest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	clientscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"
)

// scheme knows the types that [Typed] accepts without apiVersion and kind.
var scheme = func() *runtime.Scheme {
	s := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientscheme.AddToScheme, apiextensionsv1.AddToScheme} {
		if err := add(s); err != nil {
			panic(err) // a type registered twice: a build that cannot work
		}
	}
	return s
}()

// ParseYAML reads one or more YAML or JSON documents. Lists are expanded, and
// Helm's hook annotations are understood. The name is used in errors.
func ParseYAML(name string, data []byte) (Set, error) {
	objects, err := parse(name, data)
	if err != nil {
		return Set{}, err
	}
	return newSet(objects), nil
}

// ParseTree reads every .yaml, .yml and .json file of a tree, in the order of
// their names.
func ParseTree(tree fs.FS) (Set, error) {
	var objects []*Object
	err := fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !slices.Contains([]string{".yaml", ".yml", ".json"}, path.Ext(name)) {
			return err
		}
		data, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		parsed, err := parse(name, data)
		objects = append(objects, parsed...)
		return err
	})
	if err != nil {
		return Set{}, fmt.Errorf("reading manifests: %w", err)
	}
	if len(objects) == 0 {
		return Set{}, errors.New("reading manifests: no object in any .yaml, .yml or .json file")
	}
	return newSet(objects), nil
}

func parse(name string, data []byte) ([]*Object, error) {
	var objects []*Object
	reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(data)))
	for number := 1; ; number++ {
		doc, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err == nil {
			var parsed []*Object
			parsed, err = parseDocument(doc)
			for _, o := range parsed {
				o.Source = name
			}
			objects = append(objects, parsed...)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: document %d: %w", name, number, err)
		}
	}
}

func parseDocument(doc []byte) ([]*Object, error) {
	asJSON, err := yaml.YAMLToJSON(doc)
	if err != nil {
		return nil, err
	}
	if string(asJSON) == "null" { // nothing but comments
		return nil, nil
	}
	u := &unstructured.Unstructured{}
	if err := utiljson.Unmarshal(asJSON, &u.Object); err != nil {
		return nil, errors.New("not a Kubernetes object: must be a map with apiVersion, kind and metadata")
	}
	if len(u.Object) == 0 {
		return nil, nil
	}
	if u.IsList() && strings.HasSuffix(u.GetKind(), "List") {
		return parseList(u)
	}
	o, err := newObject(u)
	if o == nil || err != nil {
		return nil, err
	}
	return []*Object{o}, nil
}

func parseList(list *unstructured.Unstructured) ([]*Object, error) {
	var objects []*Object
	err := list.EachListItem(func(item runtime.Object) error {
		u, ok := item.(*unstructured.Unstructured)
		if !ok {
			return fmt.Errorf("list item of type %T", item)
		}
		o, err := newObject(u)
		if o != nil {
			objects = append(objects, o)
		}
		return err
	})
	return objects, err
}

// Typed turns Go values of Kubernetes' API types into a set. Values of
// k8s.io/api need no apiVersion and kind; other types and unstructured
// objects must say them. The values themselves stay as they are.
func Typed(objs ...runtime.Object) (Set, error) {
	var objects []*Object
	for _, obj := range objs {
		o, err := typed(obj)
		if err != nil {
			return Set{}, err
		}
		objects = append(objects, o)
	}
	return newSet(objects), nil
}

func typed(obj runtime.Object) (*Object, error) {
	u, err := encode(obj)
	if err != nil {
		return nil, fmt.Errorf("%T: %w", obj, err)
	}
	if u.GetKind() == "" || u.GetAPIVersion() == "" {
		kinds, _, err := scheme.ObjectKinds(obj)
		if err != nil {
			return nil, fmt.Errorf("%T needs apiVersion and kind: it is not a type of k8s.io/api", obj)
		}
		u.SetGroupVersionKind(kinds[0])
	}
	if _, isUnstructured := obj.(*unstructured.Unstructured); !isUnstructured {
		PruneZeroStructs(u.Object)
	}
	o, err := newObject(u)
	if err != nil {
		return nil, fmt.Errorf("%T: %w", obj, err)
	}
	return o, nil
}

// encode copies a Go value into its unstructured form.
func encode(obj runtime.Object) (*unstructured.Unstructured, error) {
	u := &unstructured.Unstructured{}
	if in, ok := obj.(*unstructured.Unstructured); ok {
		// By way of JSON, so that the author may write int and []string.
		data, err := json.Marshal(in.Object)
		if err != nil {
			return nil, err
		}
		return u, utiljson.Unmarshal(data, &u.Object)
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(obj)
	u.Object = content
	return u, err
}

// zeroStructs are fields that Go's types marshal as {} when nobody set them.
// Other empty maps carry meaning, such as emptyDir or podSelector.
var zeroStructs = []string{"resources", "strategy", "updateStrategy", "loadBalancer"}

// PruneZeroStructs removes those fields from an encoded Go value.
func PruneZeroStructs(node any) {
	switch node := node.(type) {
	case map[string]any:
		for key, value := range node {
			PruneZeroStructs(value)
			if m, ok := value.(map[string]any); ok && len(m) == 0 && slices.Contains(zeroStructs, key) {
				delete(node, key)
			}
		}
	case []any:
		for _, value := range node {
			PruneZeroStructs(value)
		}
	}
}

// newObject checks and cleans what any source brings. It returns nil for
// hooks that have no place in a desired state, such as tests.
func newObject(u *unstructured.Unstructured) (*Object, error) {
	if u.GetAPIVersion() == "" || u.GetKind() == "" {
		return nil, errors.New("not a Kubernetes object: apiVersion or kind is missing")
	}
	if u.GetName() == "" {
		return nil, fmt.Errorf("%s without metadata.name: the names of all objects must be explicit", u.GetKind())
	}
	o := &Object{Unstructured: u}
	clean(o)
	if isCRD(o) {
		stripDescriptions(o)
	}
	keep, err := readHook(o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o, err)
	}
	if !keep {
		return nil, nil
	}
	return o, nil
}

// clean removes what the API server or a controller owns.
func clean(o *Object) {
	unstructured.RemoveNestedField(o.Object, "status")
	unstructured.RemoveNestedField(o.Object, "metadata", "creationTimestamp")
	if !isCRD(o) { // in a CRD's schema, null can be a default value
		removeNulls(o.Object)
	}
	removeCABundle(o)
}

// removeNulls drops the keys that a template left without a value: with
// server-side apply they mean nothing, and would show up in every diff.
func removeNulls(node any) {
	switch node := node.(type) {
	case map[string]any:
		for key, value := range node {
			if value == nil {
				delete(node, key)
			}
			removeNulls(value)
		}
	case []any:
		for _, value := range node {
			removeNulls(value)
		}
	}
}

// wrap adds to an error which object it concerns.
func wrap(o *Object, err error) error {
	if o.Source == "" {
		return fmt.Errorf("%s: %w", o, err)
	}
	return fmt.Errorf("%s (%s): %w", o, strings.TrimSpace(o.Source), err)
}
