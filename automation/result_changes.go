package automation

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"github.com/telekom/controlplane-infrastructure/internal/planned"
)

// Kinds of PropertyChange.
const (
	Added   = "add"
	Updated = "update"
	Deleted = "delete"
)

// PropertyChange is one property that differs: before and after in a preview and an up, as the stack wants it and as it
// was found in a refresh.
type PropertyChange struct {
	// Path leads to the property, such as spec.template.spec.containers[0].image or metadata.labels["app.kubernetes.io/name"].
	Path string `json:"path"`
	// Kind is add, update or delete.
	Kind string `json:"kind"`
	// Old and New are JSON values, with planned.Secret and planned.Unknown for what cannot be shown; nil for what is not there.
	Old any `json:"old,omitempty"`
	New any `json:"new,omitempty"`
	// Replaces says that this change forces a replacement of the resource.
	Replaces bool `json:"replaces,omitempty"`
}

// changes are the properties that differ in a step, sorted by path. In a step of a refresh Old is what is wanted and New what
// was found.
func changes(m apitype.StepEventMetadata, refresh bool) ([]PropertyChange, error) {
	if m.Old == nil || m.New == nil {
		return nil, nil
	}
	olds, news, err := sides(m.Old.Inputs, m.New.Inputs)
	if err != nil {
		return nil, err
	}
	d := &differ{hidden: m.New.HideDiffs, secret: m.Type == "kubernetes:core/v1:Secret"}
	for path, change := range m.DetailedDiff {
		from, to := olds, news
		if !change.InputDiff {
			// The plugin compared with what is there. As always, a refresh has found what is in the new outputs.
			after := m.New.Inputs
			if refresh {
				after = m.New.Outputs
			}
			if from, to, err = sides(m.Old.Outputs, after); err != nil {
				return nil, err
			}
		}
		d.at(path, change.Kind, from, to)
	}
	if m.DetailedDiff == nil {
		d.keys(m.Diffs, olds, news)
	}
	d.replacing(m.Keys)
	slices.SortFunc(d.found, func(a, b PropertyChange) int { return strings.Compare(a.Path, b.Path) })
	return d.found, nil
}

func sides(before, after map[string]any) (from, to map[string]any, err error) {
	if from, err = planned.Plain(before); err != nil {
		return nil, nil, err
	}
	to, err = planned.Plain(after)
	return from, to, err
}

// differ collects the changes of one step.
type differ struct {
	found  []PropertyChange
	hidden []resource.PropertyPath // what the program does not want to see
	secret bool                    // a Secret of Kubernetes, whose values nobody may see, whatever the plugin says of them
}

// at adds what differs at a path that a plugin has named.
func (d *differ) at(text string, kind apitype.DiffKind, olds, news map[string]any) {
	path, err := resource.ParsePropertyPath(text)
	if err != nil {
		path = resource.PropertyPath{text}
	}
	before, after := valueAt(olds, path), valueAt(news, path)
	plain, replaces := strings.CutSuffix(string(kind), "-replace")
	start := len(d.found)
	d.values(path, before, after)
	if len(d.found) == start {
		// Equal as far as can be seen: secrets and unknown values, or values that the plugin has from elsewhere.
		d.add(path, plain, before, after)
	}
	for i := start; i < len(d.found); i++ {
		d.found[i].Replaces = replaces
	}
}

// keys compares properties that a plugin has named without telling what of them differs, or all of them.
func (d *differ) keys(names []string, olds, news map[string]any) {
	if len(names) == 0 {
		d.values(nil, olds, news)
	}
	for _, name := range names {
		d.at(name, apitype.DiffUpdate, olds, news)
	}
}

// replacing marks the changes that force a replacement by the names of their properties, where the plugin has not told paths.
func (d *differ) replacing(keys []string) {
	if slices.ContainsFunc(d.found, func(c PropertyChange) bool { return c.Replaces }) {
		return
	}
	for i, c := range d.found {
		top, _, _ := strings.Cut(c.Path, ".")
		top, _, _ = strings.Cut(top, "[")
		d.found[i].Replaces = slices.Contains(keys, top) || slices.Contains(keys, c.Path)
	}
}

// values adds the smallest parts of two values that differ.
func (d *differ) values(path resource.PropertyPath, before, after any) {
	if reflect.DeepEqual(before, after) {
		return
	}
	olds, old := before.(map[string]any)
	news, now := after.(map[string]any)
	if old && now {
		all := maps.Clone(olds)
		maps.Copy(all, news)
		for key := range all {
			d.values(append(slices.Clone(path), key), olds[key], news[key])
		}
		return
	}
	oldItems, old := before.([]any)
	newItems, now := after.([]any)
	if old && now && len(oldItems) == len(newItems) {
		for i := range oldItems {
			d.values(append(slices.Clone(path), i), oldItems[i], newItems[i])
		}
		return
	}
	d.add(path, Updated, before, after)
}

func (d *differ) add(path resource.PropertyPath, kind string, before, after any) {
	if slices.ContainsFunc(d.hidden, func(h resource.PropertyPath) bool { return h.Contains(path) }) {
		return
	}
	switch {
	case before == nil && after != nil:
		kind = Added
	case before != nil && after == nil:
		kind = Deleted
	}
	var top string
	if len(path) > 0 {
		top, _ = path[0].(string)
	}
	// A value that one side keeps secret is not to be read on the other.
	if before == planned.Secret || after == planned.Secret || d.secret && (top == "data" || top == "stringData") {
		before, after = masked(before), masked(after)
	}
	d.found = append(d.found, PropertyChange{Path: path.String(), Kind: kind, Old: before, New: after})
}

func masked(value any) any {
	if value == nil || value == planned.Unknown {
		return value
	}
	return planned.Secret
}

// valueAt is what is at a path, or nil. What is in a value that is hidden as a whole is hidden as well.
func valueAt(value any, path resource.PropertyPath) any {
	for _, key := range path {
		switch v := value.(type) {
		case map[string]any:
			name, _ := key.(string)
			value = v[name]
		case []any:
			i, isIndex := key.(int)
			if !isIndex || i < 0 || i >= len(v) {
				return nil
			}
			value = v[i]
		default:
			if v != planned.Secret && v != planned.Unknown {
				return nil
			}
		}
	}
	return value
}
