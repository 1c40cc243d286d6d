package aws

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"github.com/telekom/controlplane-infrastructure/internal/plugins/protocol"
)

func (p *Provider) kindOf(urn string) (string, kind, error) {
	token := string(resource.URN(urn).Type())
	k, ok := kinds[token]
	if !ok {
		return token, k, p.UnknownType(token, slices.Sorted(maps.Keys(kinds)))
	}
	return token, k, nil
}

// Check fills in defaults, makes up a name where none is given, and says what is wrong.
func (p *Provider) Check(_ context.Context, req *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	_, k, err := p.kindOf(req.GetUrn())
	if err != nil {
		return nil, err
	}
	inputs, err := protocol.Decode(req.GetNews())
	if err != nil {
		return nil, fmt.Errorf("inputs: %w", err)
	}
	olds, err := protocol.Decode(req.GetOlds())
	if err != nil {
		return nil, fmt.Errorf("old inputs: %w", err)
	}
	if err := k.complete(inputs, olds, req); err != nil {
		return nil, err
	}
	response := &pulumirpc.CheckResponse{}
	found := k.problems(inputs)
	for _, property := range slices.Sorted(maps.Keys(found)) {
		response.Failures = append(response.Failures, &pulumirpc.CheckFailure{Property: property, Reason: found[property]})
	}
	if response.Inputs, err = protocol.Encode(inputs); err != nil {
		return nil, fmt.Errorf("checked inputs: %w", err)
	}
	return response, nil
}

func (k kind) complete(inputs, olds resource.PropertyMap, req *pulumirpc.CheckRequest) error {
	for key, value := range k.defaults {
		if _, given := inputs[resource.PropertyKey(key)]; !given {
			inputs[resource.PropertyKey(key)] = resource.NewPropertyValue(value)
		}
	}
	name := resource.PropertyKey(k.name)
	if _, given := inputs[name]; given || name == "" {
		return nil
	}
	// A name that was made up is kept.
	if old, made := olds[name]; made {
		inputs[name] = old
		return nil
	}
	made, err := resource.NewUniqueName(req.GetRandomSeed(), resource.URN(req.GetUrn()).Name()+"-", 7, k.maxName, nil)
	if err != nil {
		return fmt.Errorf("name %s: %w", resource.URN(req.GetUrn()).Name(), err)
	}
	inputs[name] = resource.NewProperty(made)
	return nil
}

func (k kind) problems(inputs resource.PropertyMap) map[string]string {
	in, found := known(inputs), map[string]string{}
	if k.check != nil {
		maps.Copy(found, k.check(in))
	}
	for property, form := range k.documents {
		if document := text(in, property); document != "" {
			if err := form.check(document, in); err != nil {
				found[property] = err.Error()
			}
		}
	}
	for _, property := range k.required {
		if v, given := inputs[resource.PropertyKey(property)]; !given || v.IsString() && v.StringValue() == "" {
			found[property] = "is required"
		}
	}
	return found
}

// Diff compares inputs. Documents that say the same are the same.
func (p *Provider) Diff(_ context.Context, req *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	_, k, err := p.kindOf(req.GetUrn())
	if err != nil {
		return nil, err
	}
	olds, err := protocol.Decode(req.GetOldInputs())
	if err != nil {
		return nil, fmt.Errorf("old inputs: %w", err)
	}
	news, err := protocol.Decode(req.GetNews())
	if err != nil {
		return nil, fmt.Errorf("inputs: %w", err)
	}
	for property := range k.documents {
		key := resource.PropertyKey(property)
		if sameDocument(olds[key], news[key]) {
			news[key] = olds[key]
		}
	}
	response := &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_NONE, HasDetailedDiff: true}
	if diff := olds.Diff(news); diff != nil {
		k.describe(diff, response)
	}
	return response, nil
}

func (k kind) describe(diff *resource.ObjectDiff, response *pulumirpc.DiffResponse) {
	response.Changes = pulumirpc.DiffResponse_DIFF_SOME
	for _, key := range diff.ChangedKeys() {
		response.Diffs = append(response.Diffs, string(key))
		if slices.Contains(k.replaces, string(key)) {
			response.Replaces = append(response.Replaces, string(key))
		}
	}
	// Two of one name cannot exist at the same time.
	response.DeleteBeforeReplace = len(response.Replaces) > 0 && !slices.Contains(response.Diffs, k.name)
	response.DetailedDiff = map[string]*pulumirpc.PropertyDiff{}
	for path, change := range plugin.NewDetailedDiffFromObjectDiff(diff, true) {
		if slices.Contains(response.Replaces, root(path)) {
			change = change.ToReplace()
		}
		response.DetailedDiff[path] = &pulumirpc.PropertyDiff{
			Kind: pulumirpc.PropertyDiff_Kind(change.Kind), InputDiff: change.InputDiff,
		}
	}
}

// root is the property that a path begins with.
func root(path string) string {
	if parsed, err := resource.ParsePropertyPath(path); err == nil && len(parsed) > 0 {
		if name, ok := parsed[0].(string); ok {
			return name
		}
	}
	return path
}

func sameDocument(a, b resource.PropertyValue) bool {
	if !a.IsString() || !b.IsString() {
		return false
	}
	var x, y any
	return json.Unmarshal([]byte(a.StringValue()), &x) == nil &&
		json.Unmarshal([]byte(b.StringValue()), &y) == nil && reflect.DeepEqual(x, y)
}
