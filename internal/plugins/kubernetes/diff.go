package kubernetes

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Diff compares what the program wants with what it wanted the last time. What others have changed in the cluster since
// then is in the old inputs after a refresh (see Read).
func (p *Provider) Diff(ctx context.Context, req *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	s, err := p.session(ctx)
	if err != nil {
		return nil, err
	}
	state, err := decode(req.GetOlds())
	if err != nil {
		return nil, fmt.Errorf("old state: %w", err)
	}
	oldInputs, live := recorded(state)
	if req.GetOldInputs() != nil {
		olds, err := decode(req.GetOldInputs())
		if err != nil {
			return nil, fmt.Errorf("old inputs: %w", err)
		}
		oldInputs = toObject(olds)
	}
	news, err := decode(req.GetNews())
	if err != nil {
		return nil, fmt.Errorf("inputs: %w", err)
	}
	newInputs := toObject(news)

	urn := resource.URN(req.GetUrn())
	d := &differ{
		fields:  s.settings.replacing(newInputs, isPatch(urn, newInputs.GetKind())),
		changes: map[string]*pulumirpc.PropertyDiff{},
		texts:   secretTexts(oldInputs, newInputs),
	}
	// What is not known yet cannot be respelled. Then neither side is: as the program writes them, they compare as well.
	respelled := !hasUnknown(oldInputs.Object) && !hasUnknown(newInputs.Object)
	d.values(nil, s.comparable(oldInputs, respelled).Object, s.comparable(newInputs, respelled).Object)
	if err := d.ignore(req.GetIgnoreChanges()); err != nil {
		return nil, err
	}
	response := d.response()
	if annotated(newInputs, annotationReplace) && s.unreadyJob(ctx, live) {
		response.Changes = pulumirpc.DiffResponse_DIFF_SOME
		response.Replaces = append(response.Replaces, fmt.Sprintf("metadata.annotations[%q]", annotationReplace))
	}
	response.DeleteBeforeReplace = len(response.Replaces) > 0 && sameName(live, newInputs)
	return response, nil
}

// comparable returns inputs in the one form in which equal means the same.
func (s *session) comparable(obj *unstructured.Unstructured, respelled bool) *unstructured.Unstructured {
	obj = encodeStringData(obj)
	if respelled {
		obj = canonical(obj)
	}
	metadata, ok := obj.Object["metadata"].(map[string]any)
	if !ok {
		return obj
	}
	metadata = maps.Clone(metadata)
	switch namespace, _ := metadata["namespace"].(string); {
	case isUnknown(metadata["namespace"]):
	case !s.namespaced(obj.GroupVersionKind()):
		// Before its kind was known, the object was taken for namespaced.
		delete(metadata, "namespace")
	default:
		metadata["namespace"] = namespaceOrDefault(namespace)
	}
	out := maps.Clone(obj.Object)
	out["metadata"] = metadata
	return &unstructured.Unstructured{Object: out}
}

// sameName tells whether a replacement has to wait for the deletion: the program insists on the name.
func sameName(live, inputs *unstructured.Unstructured) bool {
	metadata, _ := inputs.Object["metadata"].(map[string]any)
	name, _ := metadata["name"].(string)
	namespace, _ := metadata["namespace"].(string)
	return name != "" && name == live.GetName() && !annotated(inputs, annotationAutonamed) &&
		!isUnknown(metadata["namespace"]) &&
		namespaceOrDefault(namespace) == namespaceOrDefault(live.GetNamespace())
}

// unreadyJob tells whether a Job exists that has not completed.
func (s *session) unreadyJob(ctx context.Context, live *unstructured.Unstructured) bool {
	if s.cluster == nil || !is(live, "batch", "Job") {
		return false
	}
	client, err := s.cluster.client(live)
	if err != nil {
		return false
	}
	job, err := client.Get(ctx, live.GetName(), metav1.GetOptions{})
	if err != nil {
		return false
	}
	v, err := judgeJob(ctx, s.cluster, job)
	return err == nil && !v.ready
}

// differ collects the changes between two objects, by property path.
type differ struct {
	fields  []string // whose change means a replacement
	changes map[string]*pulumirpc.PropertyDiff
	texts   map[string]bool // keys of a Secret that the program gives as text
}

func (d *differ) values(path []any, old, new any) {
	if isUnknown(new) {
		d.add(path, pulumirpc.PropertyDiff_UPDATE, old, new)
		return
	}
	switch n := new.(type) {
	case map[string]any:
		if o, ok := old.(map[string]any); ok {
			d.maps(path, o, n)
			return
		}
	case []any:
		if o, ok := old.([]any); ok {
			d.lists(path, o, n)
			return
		}
	}
	if !sameScalar(old, new) {
		d.add(path, pulumirpc.PropertyDiff_UPDATE, old, new)
	}
}

func (d *differ) maps(path []any, old, new map[string]any) {
	for k, n := range new {
		at := append(slices.Clip(path), k)
		if o, ok := old[k]; ok {
			d.values(at, o, n)
		} else {
			d.add(at, pulumirpc.PropertyDiff_ADD, nil, n)
		}
	}
	for k, o := range old {
		if _, ok := new[k]; !ok {
			d.add(append(slices.Clip(path), k), pulumirpc.PropertyDiff_DELETE, o, nil)
		}
	}
}

func (d *differ) lists(path []any, old, new []any) {
	for i := range max(len(old), len(new)) {
		at := append(slices.Clip(path), i)
		switch {
		case i >= len(old):
			d.add(at, pulumirpc.PropertyDiff_ADD, nil, new[i])
		case i >= len(new):
			d.add(at, pulumirpc.PropertyDiff_DELETE, old[i], nil)
		default:
			d.values(at, old[i], new[i])
		}
	}
}

func sameScalar(a, b any) bool {
	if reflect.DeepEqual(a, b) {
		return true
	}
	number := func(v any) (float64, bool) {
		switch v := v.(type) {
		case int64:
			return float64(v), true
		case float64:
			return v, true
		}
		return 0, false
	}
	x, ok1 := number(a)
	y, ok2 := number(b)
	return ok1 && ok2 && x == y
}

func (d *differ) add(path []any, kind pulumirpc.PropertyDiff_Kind, old, new any) {
	if touches(d.fields, path, old, new) {
		kind = map[pulumirpc.PropertyDiff_Kind]pulumirpc.PropertyDiff_Kind{
			pulumirpc.PropertyDiff_ADD:    pulumirpc.PropertyDiff_ADD_REPLACE,
			pulumirpc.PropertyDiff_DELETE: pulumirpc.PropertyDiff_DELETE_REPLACE,
			pulumirpc.PropertyDiff_UPDATE: pulumirpc.PropertyDiff_UPDATE_REPLACE,
		}[kind]
	}
	d.changes[resource.PropertyPath(d.shown(path)).String()] = &pulumirpc.PropertyDiff{Kind: kind, InputDiff: true}
}

// shown returns the path as the program knows it.
func (d *differ) shown(path []any) []any {
	if len(d.texts) == 0 || path[0] != "data" {
		return path
	}
	if len(path) == 1 {
		return []any{"stringData"}
	}
	if key, ok := path[1].(string); ok && d.texts[key] {
		return []any{"stringData", key}
	}
	return path
}

// secretTexts returns the keys of a Secret that are compared as data and shown as the stringData that the program has.
func secretTexts(objects ...*unstructured.Unstructured) map[string]bool {
	keys := map[string]bool{}
	for _, obj := range objects {
		if texts, ok := obj.Object["stringData"].(map[string]any); ok && is(obj, "", "Secret") {
			for k := range texts {
				keys[k] = true
			}
		}
	}
	return keys
}

// ignore drops the changes that the program does not want to see.
func (d *differ) ignore(paths []string) error {
	for _, text := range paths {
		ignored, err := resource.ParsePropertyPath(text)
		if err != nil {
			return fmt.Errorf("ignoreChanges %q: %w", text, err)
		}
		for changed := range d.changes {
			at, err := resource.ParsePropertyPath(changed)
			if err != nil {
				return fmt.Errorf("path of a change %q: %w", changed, err)
			}
			if ignored.Contains(at) {
				delete(d.changes, changed)
			}
		}
	}
	return nil
}

func (d *differ) response() *pulumirpc.DiffResponse {
	response := &pulumirpc.DiffResponse{
		Changes: pulumirpc.DiffResponse_DIFF_NONE, DetailedDiff: d.changes, HasDetailedDiff: true,
	}
	for _, path := range slices.Sorted(maps.Keys(d.changes)) {
		response.Changes = pulumirpc.DiffResponse_DIFF_SOME
		parsed, err := resource.ParsePropertyPath(path)
		if err == nil && len(parsed) > 0 {
			if top, ok := parsed[0].(string); ok && !slices.Contains(response.Diffs, top) {
				response.Diffs = append(response.Diffs, top)
			}
		}
		switch d.changes[path].Kind {
		case pulumirpc.PropertyDiff_ADD_REPLACE, pulumirpc.PropertyDiff_DELETE_REPLACE,
			pulumirpc.PropertyDiff_UPDATE_REPLACE:
			response.Replaces = append(response.Replaces, path)
		}
	}
	return response
}
