// Package policy_test holds the project's stacks to the policies, and the policies to the project's stacks: none of these
// breaks a rule, each rule notices what breaks it there, and no exception is left over.
package policy_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/internal/planned"
	"github.com/telekom/controlplane-infrastructure/internal/policy"
	"github.com/telekom/controlplane-infrastructure/tests/graph"
)

// inAmazon has databases and cache in AWS.
const inAmazon = `{"objectStorage":{"backend":"s3","bucket":"example-files"},"postgresql":{"backend":"rds"},"cache":{"backend":"elastiCache"}}`

// profiles are the configurations that the rules hold for: the project's stacks, each mesh, a pooler, data stores in AWS.
var profiles = map[string]func() (graph.Configuration, error){
	"dev":    func() (graph.Configuration, error) { return graph.StackFile("../..", "dev") },
	"onprem": func() (graph.Configuration, error) { return graph.StackFile("../..", "onprem") },
	"prod":   func() (graph.Configuration, error) { return graph.StackFile("../..", "prod") },
	"istio": func() (graph.Configuration, error) {
		return graph.Istio.With(graph.Configuration{"storage": `{"postgresql":{"pooler":{"enabled":true}}}`}), nil
	},
	"linkerd": func() (graph.Configuration, error) { return graph.Linkerd, nil },
	"managed": func() (graph.Configuration, error) {
		prod, err := graph.StackFile("../..", "prod")
		return prod.With(graph.Configuration{"storage": inAmazon}), err
	},
}

// planning are the resources of profiles that some test has asked for.
var planning = map[string][]planned.Resource{}

// resources are those of a profile. Nobody may change what they hold.
func resources(t *testing.T, profile string) []planned.Resource {
	t.Helper()
	if planning[profile] == nil {
		c, err := profiles[profile]()
		require.NoError(t, err)
		planning[profile], err = graph.Run(t, c).Planned()
		require.NoError(t, err)
	}
	return planning[profile]
}

func TestNoStackBreaksARule(t *testing.T) {
	excused := map[string]bool{}
	for profile := range profiles {
		all := resources(t, profile)
		assert.Greater(t, len(all), 300, profile)
		for _, f := range policy.Check(all) {
			assert.Fail(t, "a rule is broken", "%s: %s: %s %s: %s", profile, f.Rule, f.Type, f.Name, f.Message)
		}
		for _, e := range policy.Excused(all) {
			excused[fmt.Sprint(e)] = true
		}
	}
	for _, e := range policy.Exceptions() {
		assert.True(t, excused[fmt.Sprint(e)], "no stack needs the exception of %s from %s", e.Resource, e.Rule)
	}
}

// change is a copy of a stack's resources in which one is another.
func change(t *testing.T, all []planned.Resource, kind, name string, edit func(*planned.Resource)) []planned.Resource {
	t.Helper()
	changed := slices.Clone(all)
	i := slices.IndexFunc(all, func(r planned.Resource) bool { return strings.HasSuffix(":"+r.Type, ":"+kind) && r.Name == name })
	require.GreaterOrEqual(t, i, 0, "no %s %s", kind, name)
	changed[i].Inputs = clone(changed[i].Inputs).(map[string]any)
	edit(&changed[i])
	return changed
}

func clone(v any) any {
	switch v := v.(type) {
	case map[string]any:
		c := make(map[string]any, len(v))
		for key, item := range v {
			c[key] = clone(item)
		}
		return c
	case []any:
		c := make([]any, len(v))
		for i, item := range v {
			c[i] = clone(item)
		}
		return c
	}
	return v
}

// set puts a value at a path of keys and indices; nil removes what is there.
func set(value any, path ...any) func(*planned.Resource) {
	return func(r *planned.Resource) {
		var at any = r.Inputs
		for _, step := range path[:len(path)-1] {
			switch step := step.(type) {
			case string:
				at = at.(map[string]any)[step]
			case int:
				at = at.([]any)[step]
			}
		}
		switch last := path[len(path)-1].(type) {
		case int:
			at.([]any)[last] = value
		case string:
			if value == nil {
				delete(at.(map[string]any), last)
			} else {
				at.(map[string]any)[last] = value
			}
		}
	}
}

// then edits one after the other.
func then(edits ...func(*planned.Resource)) func(*planned.Resource) {
	return func(r *planned.Resource) {
		for _, edit := range edits {
			edit(r)
		}
	}
}

// add puts an item at the end of a list at a path.
func add(item any, path ...any) func(*planned.Resource) {
	return func(r *planned.Resource) {
		var at any = r.Inputs
		for _, step := range path {
			switch step := step.(type) {
			case string:
				at = at.(map[string]any)[step]
			case int:
				at = at.([]any)[step]
			}
		}
		list, _ := at.([]any)
		set(append(slices.Clone(list), item), path...)(r)
	}
}
