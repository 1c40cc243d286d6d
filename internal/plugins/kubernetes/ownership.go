package kubernetes

import (
	"bytes"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// owned returns the fields of an object whose owner satisfies a condition. Fields that cannot be read are nobody's.
func owned(obj *unstructured.Unstructured, by func(metav1.ManagedFieldsEntry) bool) *fieldpath.Set {
	all := fieldpath.NewSet()
	for _, entry := range obj.GetManagedFields() {
		if entry.FieldsV1 == nil || !by(entry) {
			continue
		}
		set := fieldpath.NewSet()
		if err := set.FromJSON(bytes.NewReader(entry.FieldsV1.GetRawBytes())); err == nil {
			all = all.Union(set)
		}
	}
	return all
}

// leaveIgnored keeps an apply from deciding on paths whose changes the program ignores: a field that only others own is
// left out of it, and one of ours goes in as it lives.
func leaveIgnored(request, live *unstructured.Unstructured, manager string, paths []string) error {
	for _, text := range paths {
		parsed, err := resource.ParsePropertyPath(text)
		if err != nil {
			return fmt.Errorf("ignoreChanges %q: %w", text, err)
		}
		path, ok := fieldsOnly(parsed)
		if !ok {
			continue // inside a list: the engine has put the old input there, which is what it was
		}
		ours := owned(live, func(e metav1.ManagedFieldsEntry) bool { return e.Manager == manager })
		theirs := owned(live, func(e metav1.ManagedFieldsEntry) bool { return e.Manager != manager })
		if within(theirs, path) && !within(ours, path) {
			unstructured.RemoveNestedField(request.Object, path...)
			continue
		}
		value, found, err := unstructured.NestedFieldCopy(live.Object, path...)
		if err != nil || !found {
			continue
		}
		if err := unstructured.SetNestedField(request.Object, value, path...); err != nil {
			return fmt.Errorf("ignoreChanges %q: %w", text, err)
		}
	}
	return nil
}

func fieldsOnly(path resource.PropertyPath) ([]string, bool) {
	fields := make([]string, len(path))
	for i, segment := range path {
		field, ok := segment.(string)
		if !ok || field == "*" {
			return nil, false
		}
		fields[i] = field
	}
	return fields, len(fields) > 0
}

// within tells whether a set has a field, or something inside it.
func within(set *fieldpath.Set, path []string) bool {
	for _, field := range path[:len(path)-1] {
		set = set.WithPrefix(fieldpath.PathElement{FieldName: &field})
	}
	last := path[len(path)-1]
	element := fieldpath.PathElement{FieldName: &last}
	return set.Has(fieldpath.Path{element}) || !set.WithPrefix(element).Empty()
}
