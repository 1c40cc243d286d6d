package aws

import (
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// walk returns what is at a path, such as vpcConfig.subnetIds; of lists on the way, and at its end, every element.
func walk(v any, path string) []any {
	if l, many := v.([]any); many {
		var all []any
		for _, each := range l {
			all = append(all, walk(each, path)...)
		}
		return all
	}
	if path == "" {
		if v == nil {
			return nil
		}
		return []any{v}
	}
	key, rest, _ := strings.Cut(path, ".")
	return walk(object(v)[key], rest)
}

// walkTexts returns the texts at a path.
func walkTexts(in values, path string) []string {
	var all []string
	for _, each := range walk(in, path) {
		if s, ok := each.(string); ok && s != "" {
			all = append(all, s)
		}
	}
	return all
}

// root is the property that a path begins with.
func root(path string) string {
	if i := strings.IndexAny(path, ".["); i >= 0 {
		return path[:i]
	}
	return path
}

// within says that a path is the other one or leads further into it.
func within(path, other string) bool { return path == other || strings.HasPrefix(path, other+".") }

// lookUp returns the property at a path; what is in something that is not known yet is not known either.
func lookUp(m resource.PropertyMap, path string) (resource.PropertyValue, bool) {
	key, rest, deeper := strings.Cut(path, ".")
	v, ok := m[resource.PropertyKey(key)]
	switch {
	case !ok, !deeper, v.IsComputed(), v.IsOutput():
		return v, ok
	case v.IsArray():
		return v, ok // no path leads through a list
	case !v.IsObject():
		return resource.PropertyValue{}, false
	}
	return lookUp(v.ObjectValue(), rest)
}

// put sets the property at a path, if what it is in is there.
func put(m resource.PropertyMap, path string, v resource.PropertyValue) {
	key, rest, deeper := strings.Cut(path, ".")
	if !deeper {
		m[resource.PropertyKey(key)] = v
		return
	}
	if inner := m[resource.PropertyKey(key)]; inner.IsObject() {
		put(inner.ObjectValue(), rest, v)
	}
}

// sameSet says that two lists have the same elements.
func sameSet(a, b resource.PropertyValue) bool {
	if !a.IsArray() || !b.IsArray() || len(a.ArrayValue()) != len(b.ArrayValue()) {
		return false
	}
	left := slices.Clone(b.ArrayValue())
	for _, v := range a.ArrayValue() {
		i := slices.IndexFunc(left, v.DeepEquals)
		if i < 0 {
			return false
		}
		left = slices.Delete(left, i, i+1)
	}
	return true
}
