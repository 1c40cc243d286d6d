package policy

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/planned"
)

// resource is a planned resource, decoded as far as rules need it.
type resource struct {
	planned.Resource
	// object is nil for what is no Kubernetes object.
	object *manifest.Object
	// pods are those that the object has run; nil if it runs none.
	pods *pods
	// undecoded is why there are none, although there should be.
	undecoded error
}

// stack is everything that rules look at.
type stack struct {
	resources []*resource
	// byKind are the Kubernetes objects.
	byKind map[string][]*resource
	// protects says that the stack asks for its data to be protected.
	protects bool
}

func newResource(p planned.Resource) *resource {
	r := &resource{Resource: p}
	if strings.HasSuffix(p.Type, ":CustomResourceDefinition") {
		return r // long, and without anything that a rule looks at
	}
	if o := p.Object(); o != nil {
		r.object = &manifest.Object{Unstructured: o}
		if r.pods, r.undecoded = podsOf(r.object); r.undecoded != nil {
			r.pods = nil
		}
	}
	return r
}

func (s *stack) keep(r *resource) {
	if r.object != nil {
		if s.byKind == nil {
			s.byKind = map[string][]*resource{}
		}
		s.byKind[r.kind()] = append(s.byKind[r.kind()], r)
	}
	if h, ok := holdingOf(r.Type); ok && h.protected && r.Protect {
		s.protects = true
	}
}

// kind is the object's, or the last part of the type.
func (r *resource) kind() string {
	if r.object != nil {
		return r.object.GetKind()
	}
	return r.Type[strings.LastIndex(r.Type, ":")+1:]
}

// key is what exceptions call the resource, such as "Service valkey/valkey".
func (r *resource) key() string { return r.kind() + " " + r.Name }

// is tells whether the resource is a Kubernetes object of one of the kinds.
func (r *resource) is(kinds ...string) bool {
	for _, kind := range kinds {
		if r.object != nil && r.object.GetKind() == kind {
			return true
		}
	}
	return false
}

// text is a property, which may be missing.
func text(from map[string]any, path ...string) string {
	value, _, _ := unstructured.NestedString(from, path...)
	return value
}

// items are the elements of a list that are objects.
func items(from map[string]any, path ...string) []map[string]any {
	list, _, _ := unstructured.NestedFieldNoCopy(from, path...)
	elements, _ := list.([]any)
	var all []map[string]any
	for _, element := range elements {
		if item, ok := element.(map[string]any); ok {
			all = append(all, item)
		}
	}
	return all
}

// words are the elements of a list that are strings.
func words(from map[string]any, path ...string) []string {
	list, _, _ := unstructured.NestedStringSlice(from, path...)
	return list
}

// list is one or several things in words, always in the same order.
func list(parts []string) string {
	parts = slices.Sorted(slices.Values(parts))
	if len(parts) < 2 {
		return strings.Join(parts, "")
	}
	return strings.Join(parts[:len(parts)-1], ", ") + " and " + parts[len(parts)-1]
}
