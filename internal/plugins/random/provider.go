// Package random is the engine plugin for random values, served from the calling process: the passwords, strings, IDs
// and UUIDs of the published pulumi-random plugin, with the same inputs and outputs. Values are made once and kept in
// the state; changing anything about one, its keepers included, makes a new one.
package random

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/telekom/controlplane-infrastructure/internal/plugins/protocol"
)

// Version is the release of the published plugin whose behaviour this one follows.
const Version = "4.19.0"

// kind is one type of random value.
type kind struct {
	// complete fills in defaults, and returns what is wrong by property.
	complete func(inputs resource.PropertyMap) map[string]string
	// make returns a new value's ID and its outputs.
	make func(inputs resource.PropertyMap) (string, resource.PropertyMap, error)
	// outputs are the properties that making adds; secrets are those that must not be shown.
	outputs, secrets []resource.PropertyKey
}

var kinds = map[tokens.Type]kind{
	"random:index/randomPassword:RandomPassword": {
		complete: completeText, make: makePassword,
		outputs: []resource.PropertyKey{"result", "bcryptHash"},
		secrets: []resource.PropertyKey{"result", "bcryptHash"},
	},
	"random:index/randomString:RandomString": {
		complete: completeText, make: makeString, outputs: []resource.PropertyKey{"result"},
	},
	"random:index/randomId:RandomId": {
		complete: completeID, make: makeID,
		outputs: []resource.PropertyKey{"b64Std", "b64Url", "dec", "hex"},
	},
	"random:index/randomUuid:RandomUuid": {
		complete: func(resource.PropertyMap) map[string]string { return nil },
		make:     makeUUID, outputs: []resource.PropertyKey{"result"},
	},
}

// Provider serves random values. It keeps nothing.
type Provider struct{ protocol.Base }

// New returns the provider.
func New() *Provider {
	return &Provider{protocol.Base{Name: "random", Version: Version, Secrets: true}}
}

func (p *Provider) kindOf(urn string) (kind, error) {
	t := resource.URN(urn).Type()
	k, ok := kinds[t]
	if !ok {
		return k, p.UnknownType(string(t), typeNames())
	}
	return k, nil
}

func typeNames() (names []string) {
	for t := range kinds {
		names = append(names, string(t))
	}
	slices.Sort(names)
	return names
}

// Check fills in defaults and refuses what cannot be made.
func (p *Provider) Check(_ context.Context, req *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	k, err := p.kindOf(req.GetUrn())
	if err != nil {
		return nil, err
	}
	inputs, err := protocol.Decode(req.GetNews())
	if err != nil {
		return nil, fmt.Errorf("inputs: %w", err)
	}
	response := &pulumirpc.CheckResponse{}
	problems := k.complete(inputs)
	for _, property := range slices.Sorted(maps.Keys(problems)) {
		response.Failures = append(response.Failures, &pulumirpc.CheckFailure{
			Property: property, Reason: problems[property],
		})
	}
	if response.Inputs, err = protocol.Encode(inputs); err != nil {
		return nil, fmt.Errorf("checked inputs: %w", err)
	}
	return response, nil
}

// Diff replaces the value on any change: a value that fits other demands is another value.
func (p *Provider) Diff(_ context.Context, req *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	k, err := p.kindOf(req.GetUrn())
	if err != nil {
		return nil, err
	}
	olds, err := protocol.Decode(req.GetOldInputs())
	if err != nil {
		return nil, fmt.Errorf("old inputs: %w", err)
	}
	if req.GetOldInputs() == nil {
		if olds, err = protocol.Decode(req.GetOlds()); err != nil {
			return nil, fmt.Errorf("old state: %w", err)
		}
		for _, key := range k.outputs {
			delete(olds, key)
		}
		delete(olds, "id")
	}
	news, err := protocol.Decode(req.GetNews())
	if err != nil {
		return nil, fmt.Errorf("inputs: %w", err)
	}
	// Inputs of an older version lack the newer defaults.
	k.complete(olds)
	response := &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_NONE, HasDetailedDiff: true}
	diff := unveiled(olds).Diff(unveiled(news))
	if diff == nil {
		return response, nil
	}
	response.Changes = pulumirpc.DiffResponse_DIFF_SOME
	response.DetailedDiff = map[string]*pulumirpc.PropertyDiff{}
	for _, key := range diff.ChangedKeys() {
		kind := pulumirpc.PropertyDiff_UPDATE_REPLACE
		switch {
		case diff.Added(key):
			kind = pulumirpc.PropertyDiff_ADD_REPLACE
		case diff.Deleted(key):
			kind = pulumirpc.PropertyDiff_DELETE_REPLACE
		}
		response.Diffs = append(response.Diffs, string(key))
		response.Replaces = append(response.Replaces, string(key))
		response.DetailedDiff[string(key)] = &pulumirpc.PropertyDiff{Kind: kind, InputDiff: true}
	}
	return response, nil
}

// unveiled opens secrets, so that making a keeper secret does not change the value that it keeps.
func unveiled(m resource.PropertyMap) resource.PropertyMap {
	out := make(resource.PropertyMap, len(m))
	for k, v := range m {
		out[k] = unveil(v)
	}
	return out
}

func unveil(v resource.PropertyValue) resource.PropertyValue {
	switch {
	case v.IsSecret():
		return unveil(v.SecretValue().Element)
	case v.IsObject():
		return resource.NewProperty(unveiled(v.ObjectValue()))
	}
	return v
}

// Create makes a value. In a preview it is not known yet.
func (p *Provider) Create(_ context.Context, req *pulumirpc.CreateRequest) (*pulumirpc.CreateResponse, error) {
	k, err := p.kindOf(req.GetUrn())
	if err != nil {
		return nil, err
	}
	state, err := protocol.Decode(req.GetProperties())
	if err != nil {
		return nil, fmt.Errorf("inputs: %w", err)
	}
	response := &pulumirpc.CreateResponse{}
	if req.GetPreview() {
		for _, key := range k.outputs {
			state[key] = resource.MakeComputed(resource.NewProperty(""))
		}
	} else {
		id, outputs, err := k.make(unveiled(state))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", resource.URN(req.GetUrn()).Name(), err)
		}
		response.Id = id
		maps.Copy(state, outputs)
	}
	for _, key := range k.secrets {
		state[key] = resource.MakeSecret(state[key])
	}
	if response.Properties, err = protocol.Encode(state); err != nil {
		return nil, fmt.Errorf("record the value: %w", err)
	}
	return response, nil
}

// Read returns what is recorded: there is nowhere else to look.
func (p *Provider) Read(_ context.Context, req *pulumirpc.ReadRequest) (*pulumirpc.ReadResponse, error) {
	if len(req.GetProperties().GetFields()) == 0 {
		// Without its value, it would be recorded as an empty one.
		return nil, status.Errorf(codes.Unimplemented,
			"the built-in random plugin cannot import %s (use the published plugins)", resource.URN(req.GetUrn()).Type())
	}
	return &pulumirpc.ReadResponse{Id: req.GetId(), Properties: req.GetProperties(), Inputs: req.GetInputs()}, nil
}

// Update never changes a value; the engine calls it for what the state records beside the value.
func (p *Provider) Update(_ context.Context, req *pulumirpc.UpdateRequest) (*pulumirpc.UpdateResponse, error) {
	return &pulumirpc.UpdateResponse{Properties: req.GetOlds()}, nil
}

// Delete forgets the value.
func (p *Provider) Delete(context.Context, *pulumirpc.DeleteRequest) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}
