// Package policy_test holds the project's stacks to the policies, and the policies to the project's stacks: none of these
// breaks a rule, each rule notices what breaks it there, and no exception is left over.
package policy_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/internal/planned"
	"github.com/telekom/controlplane-infrastructure/internal/policy"
	"github.com/telekom/controlplane-infrastructure/tests/graph"
)

const (
	// inAmazon has databases and cache in AWS.
	inAmazon = `{"objectStorage":{"backend":"s3","bucket":"example-files"},"postgresql":{"backend":"rds"},"cache":{"backend":"elastiCache"}}`
	// administrated has Keycloak's administration on a host of its own, and in plain text for the Control Plane.
	administrated = `{"hostname":"iris.example.com","admin":{"hostname":"iris-admin.example.com","plainHTTP":true}}`
	// connected knows the passwords of other systems.
	connected = `{"grafana":{"hostname":"grafana.example.com","oidc":{"roles":{"viewer":"watchers"}}},
		"alertmanager":{"defaultReceiver":"ops","receivers":[{"name":"ops","email":{"to":["ops@example.com"]}}],
			"smtp":{"host":"mail.example.com","from":"platform@example.com","username":"platform","password":"hunter2"}},
		"prometheus":{"remoteWrite":[{"name":"other","url":"https://metrics.example.com/write","basicAuth":{"username":"platform","password":"hunter2"}}]}}`
	// acme has certificates of a public authority.
	acme = `{"acme":{"server":"https://acme.example.com","email":"ops@example.com","http01":{}},"controlPlaneIssuer":{"fromPlatformCA":true}}`
)

// profiles are the configurations that the rules hold for: the project's stacks, each mesh, a pooler and the Gateway API,
// data stores in AWS and whatever else can be had.
var profiles = map[string]func() (graph.Configuration, error){
	"dev":    func() (graph.Configuration, error) { return graph.StackFile("../..", "dev") },
	"onprem": func() (graph.Configuration, error) { return graph.StackFile("../..", "onprem") },
	"prod":   func() (graph.Configuration, error) { return graph.StackFile("../..", "prod") },
	"istio": func() (graph.Configuration, error) {
		return graph.Istio.With(graph.Configuration{
			"network": `{"mesh":{"type":"istio"},"gatewayAPI":{"enabled":true}}`,
			"storage": `{"postgresql":{"pooler":{"enabled":true}}}`,
		}), nil
	},
	"linkerd": func() (graph.Configuration, error) { return graph.Linkerd, nil },
	"managed": func() (graph.Configuration, error) {
		prod, err := graph.StackFile("../..", "prod")
		return prod.With(graph.Configuration{"storage": inAmazon, "identity": administrated, "monitoring": connected, "certTrust": acme}), err
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
	needed := map[string][]string{}
	for profile := range profiles {
		all := resources(t, profile)
		assert.Greater(t, len(all), 300, profile)
		for _, f := range policy.Check(all) {
			assert.Fail(t, "a rule is broken", "%s: %s: %s %s: %s", profile, f.Rule, f.Type, f.Name, f.Message)
		}
		for _, e := range policy.Excused(all) {
			needed[e.Rule+" "+e.Resource] = append(needed[e.Rule+" "+e.Resource], e.About...)
		}
	}
	for _, e := range policy.Exceptions() {
		assert.Subset(t, needed[e.Rule+" "+e.Resource], e.About, "no stack needs all of the exception of %s from %s", e.Resource, e.Rule)
		assert.GreaterOrEqual(t, len(strings.Fields(e.Reason)), 8, "a reason that a person understands: %s", e.Resource)
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
