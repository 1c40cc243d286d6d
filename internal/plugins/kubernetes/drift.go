package kubernetes

import (
	"encoding/base64"
	"maps"
	"reflect"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// drift finds what has happened to the fields of the inputs between two looks at an object.
//
// Comparing the object with the inputs would not do: the API server fills in defaults, spells values its own way, and
// lets webhooks change them, all of which is no drift. So a field has drifted when it is not as it was right after the
// plugin had written it. Fields that the inputs do not have are others' business.
type drift struct {
	whole bool // inside a list that has one owner: whatever appears there counts
}

func (d drift) object(in, before, now map[string]any, fields *fieldpath.Set) map[string]any {
	out := make(map[string]any, len(in))
	for k, v := range in {
		present, there := now[k]
		past, was := before[k]
		switch {
		case there:
			out[k] = d.value(v, past, present, fields.WithPrefix(fieldpath.PathElement{FieldName: &k}))
		case !was:
			out[k] = v // never visible: left out as empty, or write-only
		}
	}
	if d.whole {
		for k, present := range now {
			_, known := in[k]
			_, was := before[k]
			if !known && !was {
				out[k] = present
			}
		}
	}
	return out
}

func (d drift) value(in, before, now any, fields *fieldpath.Set) any {
	if reflect.DeepEqual(before, now) {
		return in
	}
	switch i := in.(type) {
	case map[string]any:
		if n, ok := now.(map[string]any); ok {
			b, _ := before.(map[string]any)
			return d.object(i, b, n, fields)
		}
	case []any:
		if n, ok := now.([]any); ok {
			b, _ := before.([]any)
			return d.list(i, b, n, fields)
		}
	default:
		if sameScalar(in, now) {
			return in
		}
	}
	return now
}

// list looks at a list the way its fields are owned: by element, or as a whole.
func (d drift) list(in, before, now []any, fields *fieldpath.Set) []any {
	elements := elementsOf(fields)
	switch {
	case len(elements) > 0 && elements[0].Key != nil:
		return d.keyed(in, before, now, fields, elements)
	case len(elements) > 0 && elements[0].Value != nil:
		return members(in, before, now)
	case len(in) != len(now):
		return now
	}
	d.whole = true
	out := make([]any, len(in))
	for i := range in {
		var b any
		if i < len(before) {
			b = before[i]
		}
		out[i] = d.value(in[i], b, now[i], fieldpath.NewSet())
	}
	return out
}

// keyed compares the elements that the inputs have; further ones are others'.
func (d drift) keyed(in, before, now []any, fields *fieldpath.Set, elements []fieldpath.PathElement) []any {
	var out []any
	for _, item := range in {
		wanted, ok := item.(map[string]any)
		if !ok {
			out = append(out, item)
			continue
		}
		keys := keyNames(elements)
		present, past := find(now, wanted, keys), find(before, wanted, keys)
		switch {
		case present != nil:
			inner := fieldpath.NewSet()
			for _, e := range elements {
				if e.Key != nil && hasKey(present, e) {
					inner = inner.Union(fields.WithPrefix(e))
				}
			}
			out = append(out, d.object(wanted, past, present, inner))
		case past == nil:
			out = append(out, item)
		}
	}
	return out
}

// members compares a list that is a set: its order is nobody's decision.
func members(in, before, now []any) []any {
	has := func(list []any, v any) bool {
		for _, e := range list {
			if sameScalar(e, v) {
				return true
			}
		}
		return false
	}
	var out []any
	for _, v := range in {
		if has(now, v) || !has(before, v) {
			out = append(out, v)
		}
	}
	return out
}

func elementsOf(fields *fieldpath.Set) []fieldpath.PathElement {
	var elements []fieldpath.PathElement
	seen := fieldpath.PathElementSet{}
	fields.Iterate(func(path fieldpath.Path) {
		if first := path[0]; (first.Key != nil || first.Value != nil) && !seen.Has(first) {
			seen.Insert(first)
			elements = append(elements, first)
		}
	})
	return elements
}

func keyNames(elements []fieldpath.PathElement) []string {
	var names []string
	for _, field := range *elements[0].Key {
		names = append(names, field.Name)
	}
	return names
}

// find returns the element with the same keys. A key that the inputs leave to its default matches any value.
func find(list []any, wanted map[string]any, keys []string) map[string]any {
	for _, e := range list {
		candidate, ok := e.(map[string]any)
		if !ok {
			continue
		}
		same := true
		for _, key := range keys {
			if v, given := wanted[key]; given && !sameScalar(v, candidate[key]) {
				same = false
			}
		}
		if same {
			return candidate
		}
	}
	return nil
}

func hasKey(item map[string]any, element fieldpath.PathElement) bool {
	for _, field := range *element.Key {
		if !sameScalar(item[field.Name], field.Value.Unstructured()) {
			return false
		}
	}
	return true
}

// asWritten shows a Secret's data as the stringData that the inputs have.
func asWritten(inputs, live *unstructured.Unstructured) *unstructured.Unstructured {
	texts, ok := inputs.Object["stringData"].(map[string]any)
	if !ok || !is(inputs, "", "Secret") {
		return live
	}
	data, _ := live.Object["data"].(map[string]any)
	shown := map[string]any{}
	for k := range texts {
		encoded, ok := data[k].(string)
		if !ok {
			continue
		}
		text, err := base64.StdEncoding.DecodeString(encoded)
		if err == nil && utf8.Valid(text) {
			shown[k] = string(text)
		} else {
			shown[k] = encoded
		}
	}
	out := maps.Clone(live.Object)
	out["stringData"] = shown
	return &unstructured.Unstructured{Object: out}
}
