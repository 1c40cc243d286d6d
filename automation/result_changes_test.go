package automation

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/sig"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/internal/planned"
)

type object = map[string]any

// hidden is a secret as an event has it.
func hidden() object { return object{sig.Key: sig.Secret, "ciphertext": "[secret]"} }

// updated is an update from some inputs to others, with the differences that a plugin tells; nil: it tells none.
func updated(olds, news object, detailed map[string]apitype.PropertyDiff) apitype.StepEventMetadata {
	return apitype.StepEventMetadata{
		Op: apitype.OpUpdate, URN: deploymentURN, Type: "kubernetes:apps/v1:Deployment", DetailedDiff: detailed,
		Old: &apitype.StepEventStateMetadata{Inputs: olds, Outputs: olds}, New: &apitype.StepEventStateMetadata{Inputs: news, Outputs: news},
	}
}

func inputs(kind apitype.DiffKind) apitype.PropertyDiff {
	return apitype.PropertyDiff{Kind: kind, InputDiff: true}
}

func TestChangesHaveTheirValues(t *testing.T) {
	const tag = "app.kubernetes.io/version"
	for name, c := range map[string]struct {
		step apitype.StepEventMetadata
		want []PropertyChange
	}{
		"nested, in lists and with quoted keys": {
			updated(
				object{"spec": object{"replicas": 2, "containers": []any{object{"image": "a:1"}}}, "metadata": object{"labels": object{tag: "1"}}},
				object{"spec": object{"replicas": 3, "containers": []any{object{"image": "a:2"}}}, "metadata": object{"labels": object{tag: "2"}}},
				map[string]apitype.PropertyDiff{
					"spec.replicas": inputs(apitype.DiffUpdate), "spec.containers[0].image": inputs(apitype.DiffUpdate),
					`metadata.labels["` + tag + `"]`: inputs(apitype.DiffUpdate),
				}),
			[]PropertyChange{
				{Path: `metadata.labels["` + tag + `"]`, Kind: Updated, Old: "1", New: "2"},
				{Path: "spec.containers[0].image", Kind: Updated, Old: "a:1", New: "a:2"},
				{Path: "spec.replicas", Kind: Updated, Old: int64(2), New: int64(3)},
			},
		},
		"added and deleted": {
			updated(object{"a": "1"}, object{"b": object{"c": true}}, map[string]apitype.PropertyDiff{
				"a": inputs(apitype.DiffDelete), "b": inputs(apitype.DiffAdd),
			}),
			[]PropertyChange{{Path: "a", Kind: Deleted, Old: "1"}, {Path: "b", Kind: Added, New: object{"c": true}}},
		},
		"only what differs of a whole object": {
			updated(object{"tags": object{"team": "a", "env": "prod"}}, object{"tags": object{"team": "b", "env": "prod"}},
				map[string]apitype.PropertyDiff{"tags": inputs(apitype.DiffUpdate)}),
			[]PropertyChange{{Path: "tags.team", Kind: Updated, Old: "a", New: "b"}},
		},
		"secrets, whichever side has them": {
			updated(object{"a": hidden(), "b": "plain", "c": object{"d": hidden()}}, object{"a": hidden(), "b": hidden(), "c": object{"d": "plain"}},
				map[string]apitype.PropertyDiff{
					"a": inputs(apitype.DiffUpdate), "b": inputs(apitype.DiffUpdate), "c": inputs(apitype.DiffUpdate),
				}),
			[]PropertyChange{
				{Path: "a", Kind: Updated, Old: planned.Secret, New: planned.Secret},
				{Path: "b", Kind: Updated, Old: planned.Secret, New: planned.Secret},
				{Path: "c.d", Kind: Updated, Old: planned.Secret, New: planned.Secret},
			},
		},
		"what is not known yet": {
			updated(object{"host": "a"}, object{"host": plugin.UnknownStringValue}, map[string]apitype.PropertyDiff{"host": inputs(apitype.DiffUpdate)}),
			[]PropertyChange{{Path: "host", Kind: Updated, Old: "a", New: planned.Unknown}},
		},
		"a plugin that names properties only": {
			func() apitype.StepEventMetadata {
				m := updated(object{"realm": "a", "roles": []any{"x"}}, object{"realm": "b", "roles": []any{"x", "y"}}, nil)
				m.Diffs, m.Keys = []string{"realm", "roles"}, []string{"realm"}
				return m
			}(),
			[]PropertyChange{
				{Path: "realm", Kind: Updated, Old: "a", New: "b", Replaces: true},
				{Path: "roles", Kind: Updated, Old: []any{"x"}, New: []any{"x", "y"}},
			},
		},
		"what replaces": {
			updated(object{"engine": "a", "size": 1}, object{"engine": "b", "size": 2}, map[string]apitype.PropertyDiff{
				"engine": inputs(apitype.DiffUpdateReplace), "size": inputs(apitype.DiffUpdate),
			}),
			[]PropertyChange{
				{Path: "engine", Kind: Updated, Old: "a", New: "b", Replaces: true},
				{Path: "size", Kind: Updated, Old: int64(1), New: int64(2)},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			found, err := changes(c.step, false)
			require.NoError(t, err)
			assert.Equal(t, c.want, found)
		})
	}
}

func TestChangesOfASecretAreNeverShown(t *testing.T) {
	m := updated(object{"data": object{"password": "b2xk"}}, object{"data": object{"password": "bmV3", "user": "YQ=="}},
		map[string]apitype.PropertyDiff{"data.password": inputs(apitype.DiffUpdate), "data.user": inputs(apitype.DiffAdd)})
	m.Type = "kubernetes:core/v1:Secret"
	found, err := changes(m, true)
	require.NoError(t, err)
	assert.Equal(t, []PropertyChange{
		{Path: "data.password", Kind: Updated, Old: planned.Secret, New: planned.Secret},
		{Path: "data.user", Kind: Added, New: planned.Secret},
	}, found)
}

func TestChangesThatTheProgramHidesAreLeftOut(t *testing.T) {
	m := updated(object{"a": "1", "b": "1"}, object{"a": "2", "b": "2"}, map[string]apitype.PropertyDiff{
		"a": inputs(apitype.DiffUpdate), "b": inputs(apitype.DiffUpdate),
	})
	m.New.HideDiffs = []resource.PropertyPath{{"a"}}
	found, err := changes(m, false)
	require.NoError(t, err)
	assert.Equal(t, []PropertyChange{{Path: "b", Kind: Updated, Old: "1", New: "2"}}, found)
}

// What a refresh finds is in the new state: in its inputs, if the plugin reads those back, or in its outputs.
func TestChangesOfARefreshAreWantedAndFound(t *testing.T) {
	m := updated(object{"replicas": 3}, object{"replicas": 3}, map[string]apitype.PropertyDiff{"replicas": {Kind: apitype.DiffUpdate}})
	m.New.Outputs = object{"replicas": 1}
	found, err := changes(m, true)
	require.NoError(t, err)
	assert.Equal(t, []PropertyChange{{Path: "replicas", Kind: Updated, Old: int64(3), New: int64(1)}}, found)

	m = updated(object{"replicas": 3}, object{"replicas": 1}, map[string]apitype.PropertyDiff{"replicas": inputs(apitype.DiffUpdate)})
	found, err = changes(m, true)
	require.NoError(t, err)
	assert.Equal(t, []PropertyChange{{Path: "replicas", Kind: Updated, Old: int64(3), New: int64(1)}}, found)
}
