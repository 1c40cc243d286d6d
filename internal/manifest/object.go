package manifest

import (
	"maps"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Object is one Kubernetes object on its way to the API server.
type Object struct {
	*unstructured.Unstructured
	// Inputs holds the values that are known only at run time, by JSON
	// pointer (RFC 6901). Use Set to fill it.
	Inputs map[string]pulumi.Input
	// Options apply to this object's resource alone.
	Options []pulumi.ResourceOption
	// Hook is set on the objects of Set.Hooks.
	Hook *Hook
	// Source says where the object comes from, for error messages: a template
	// of a chart, or a file.
	Source string
}

// Hook says when a Helm hook runs.
type Hook struct {
	// BeforeInstall is true for pre-install hooks, which the other objects of
	// the set wait for. All other hooks wait for the set's objects.
	BeforeInstall bool
	// Weight orders hooks; lower ones run first.
	Weight int
}

// Set holds objects in the order in which they must exist: the CRDs, then the
// objects, then the hooks (except those with BeforeInstall, which stand
// between CRDs and objects).
type Set struct {
	CRDs, Objects, Hooks []*Object
}

// Transform changes an object in place, or rejects it.
type Transform func(*Object) error

// Set makes value appear at the given path: map keys, and array indices as
// decimal numbers. Missing maps are created.
func (o *Object) Set(value pulumi.Input, path ...string) {
	if o.Inputs == nil {
		o.Inputs = map[string]pulumi.Input{}
	}
	o.Inputs[Pointer(path...)] = value
}

// Pointer returns the JSON pointer of a path.
func Pointer(path ...string) string {
	var b strings.Builder
	for _, key := range path {
		b.WriteByte('/')
		b.WriteString(pointerEscaper.Replace(key))
	}
	return b.String()
}

var (
	pointerEscaper   = strings.NewReplacer("~", "~0", "/", "~1")
	pointerUnescaper = strings.NewReplacer("~1", "/", "~0", "~")
)

// String names the object for messages, as in "Deployment cert-manager/webhook".
func (o *Object) String() string {
	return o.GetKind() + " " + o.LogicalName()
}

// LogicalName is the object's name in the Pulumi program: namespace/name, or
// name for objects without a namespace.
func (o *Object) LogicalName() string {
	if ns := o.GetNamespace(); ns != "" {
		return ns + "/" + o.GetName()
	}
	return o.GetName()
}

// DeepCopy returns a copy that shares only the run-time values.
func (o *Object) DeepCopy() *Object {
	c := &Object{
		Unstructured: o.Unstructured.DeepCopy(),
		Inputs:       maps.Clone(o.Inputs),
		Options:      slices.Clone(o.Options),
		Source:       o.Source,
	}
	if o.Hook != nil {
		hook := *o.Hook
		c.Hook = &hook
	}
	return c
}

// Decode fills a typed object, such as a *appsv1.Deployment. It fails on
// fields that the type does not have, so that nothing gets lost on the way.
func (o *Object) Decode(into any) error {
	return runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(o.Object, into, true)
}

// All returns every object of the set: CRDs, objects, hooks.
func (s Set) All() []*Object { return slices.Concat(s.CRDs, s.Objects, s.Hooks) }

// Transform applies each transform to every object.
func (s Set) Transform(ts ...Transform) error {
	for _, o := range s.All() {
		for _, t := range ts {
			if err := t(o); err != nil {
				return wrap(o, err)
			}
		}
	}
	return nil
}

// Find returns the first object of that kind and name, or nil.
func (s Set) Find(kind, name string) *Object {
	for _, o := range s.All() {
		if o.GetKind() == kind && o.GetName() == name {
			return o
		}
	}
	return nil
}

// Split divides a set in two: the objects that a condition holds for, and the
// others.
func (s Set) Split(condition func(*Object) bool) (yes, no Set) {
	var matching, others []*Object
	for _, o := range s.All() {
		if condition(o) {
			matching = append(matching, o)
		} else {
			others = append(others, o)
		}
	}
	return newSet(matching), newSet(others)
}

// DeepCopy returns a set whose objects can be changed independently.
func (s Set) DeepCopy() Set {
	clone := func(in []*Object) (out []*Object) {
		for _, o := range in {
			out = append(out, o.DeepCopy())
		}
		return out
	}
	return Set{CRDs: clone(s.CRDs), Objects: clone(s.Objects), Hooks: clone(s.Hooks)}
}

// Merge joins sets into one, in order.
func Merge(sets ...Set) Set {
	var all []*Object
	for _, s := range sets {
		all = append(all, s.All()...)
	}
	return newSet(all)
}

// newSet sorts objects into a set.
func newSet(all []*Object) Set {
	var s Set
	for _, o := range all {
		switch {
		case o.Hook != nil:
			s.Hooks = append(s.Hooks, o)
		case isCRD(o):
			s.CRDs = append(s.CRDs, o)
		default:
			s.Objects = append(s.Objects, o)
		}
	}
	slices.SortStableFunc(s.Objects, func(a, b *Object) int { return int(tierOf(a) - tierOf(b)) })
	slices.SortStableFunc(s.Hooks, func(a, b *Object) int {
		if a.Hook.BeforeInstall != b.Hook.BeforeInstall {
			if a.Hook.BeforeInstall {
				return -1
			}
			return 1
		}
		if a.Hook.Weight != b.Hook.Weight {
			return a.Hook.Weight - b.Hook.Weight
		}
		return int(tierOf(a) - tierOf(b))
	})
	return s
}

// tier is a step in the order in which objects need each other.
type tier int

const (
	namespaces    tier = iota
	prerequisites      // what pods refer to, and what admits or guards them
	ordinary           // pods and all that needs no order among itself
	interceptors       // what the API server calls back: it must be up first
)

var tiers = map[schema.GroupKind]tier{
	{Kind: "Namespace"}:                                                             namespaces,
	{Kind: "ServiceAccount"}:                                                        prerequisites,
	{Kind: "Secret"}:                                                                prerequisites,
	{Kind: "ConfigMap"}:                                                             prerequisites,
	{Kind: "LimitRange"}:                                                            prerequisites,
	{Kind: "ResourceQuota"}:                                                         prerequisites,
	{Kind: "PersistentVolume"}:                                                      prerequisites,
	{Kind: "PersistentVolumeClaim"}:                                                 prerequisites,
	{Group: "rbac.authorization.k8s.io", Kind: "Role"}:                              prerequisites,
	{Group: "rbac.authorization.k8s.io", Kind: "RoleBinding"}:                       prerequisites,
	{Group: "rbac.authorization.k8s.io", Kind: "ClusterRole"}:                       prerequisites,
	{Group: "rbac.authorization.k8s.io", Kind: "ClusterRoleBinding"}:                prerequisites,
	{Group: "networking.k8s.io", Kind: "NetworkPolicy"}:                             prerequisites,
	{Group: "scheduling.k8s.io", Kind: "PriorityClass"}:                             prerequisites,
	{Group: "storage.k8s.io", Kind: "StorageClass"}:                                 prerequisites,
	{Group: "admissionregistration.k8s.io", Kind: "MutatingWebhookConfiguration"}:   interceptors,
	{Group: "admissionregistration.k8s.io", Kind: "ValidatingWebhookConfiguration"}: interceptors,
	{Group: "apiregistration.k8s.io", Kind: "APIService"}:                           interceptors,
}

func tierOf(o *Object) tier {
	if t, ok := tiers[o.GroupVersionKind().GroupKind()]; ok {
		return t
	}
	return ordinary
}

func isCRD(o *Object) bool {
	return o.GroupVersionKind().GroupKind() == schema.GroupKind{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}
}
