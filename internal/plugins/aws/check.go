package aws

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
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
	if _, begins := inputs[resource.PropertyKey(k.prefix)]; begins && k.prefix != "" {
		return nil // each one gets its name when it is made
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
		switch v, given := inputs[resource.PropertyKey(property)]; {
		case !given, v.IsString() && v.StringValue() == "", v.IsArray() && len(v.ArrayValue()) == 0:
			found[property] = "is required"
		}
	}
	return found
}
