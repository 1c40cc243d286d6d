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
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"
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
type Provider struct {
	pulumirpc.UnimplementedResourceProviderServer
}

// New returns the provider.
func New() *Provider { return &Provider{} }

func kindOf(urn string) (kind, error) {
	t := resource.URN(urn).Type()
	k, ok := kinds[t]
	if !ok {
		return k, status.Errorf(codes.Unimplemented, "the built-in random plugin has no type %s; it has %v "+
			"(use the published plugins for others)", t, slices.Sorted(maps.Keys(kinds)))
	}
	return k, nil
}

func decode(s *structpb.Struct) (resource.PropertyMap, error) {
	return plugin.UnmarshalProperties(s, plugin.MarshalOptions{KeepUnknowns: true, KeepSecrets: true, SkipNulls: true})
}

func encode(m resource.PropertyMap) (*structpb.Struct, error) {
	return plugin.MarshalProperties(m, plugin.MarshalOptions{KeepUnknowns: true, KeepSecrets: true})
}

// Handshake tells the engine what this plugin understands.
func (p *Provider) Handshake(
	context.Context, *pulumirpc.ProviderHandshakeRequest,
) (*pulumirpc.ProviderHandshakeResponse, error) {
	return &pulumirpc.ProviderHandshakeResponse{AcceptSecrets: true}, nil
}

// Attach is how an engine introduces itself to a plugin that it has not started.
func (p *Provider) Attach(context.Context, *pulumirpc.PluginAttach) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

// GetPluginInfo returns the version that this plugin stands in for.
func (p *Provider) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: Version}, nil
}

// GetSchema returns a schema without resources.
func (p *Provider) GetSchema(context.Context, *pulumirpc.GetSchemaRequest) (*pulumirpc.GetSchemaResponse, error) {
	return &pulumirpc.GetSchemaResponse{Schema: fmt.Sprintf(`{"name":"random","version":%q}`, Version)}, nil
}

// CheckConfig accepts the configuration: there is none.
func (p *Provider) CheckConfig(_ context.Context, req *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	return &pulumirpc.CheckResponse{Inputs: req.GetNews()}, nil
}

// DiffConfig finds no change that matters.
func (p *Provider) DiffConfig(context.Context, *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	return &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_NONE}, nil
}

// Configure has nothing to do.
func (p *Provider) Configure(context.Context, *pulumirpc.ConfigureRequest) (*pulumirpc.ConfigureResponse, error) {
	return &pulumirpc.ConfigureResponse{AcceptSecrets: true, SupportsPreview: true}, nil
}

// Cancel has nothing to end.
func (p *Provider) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

// Check fills in defaults and refuses what cannot be made.
func (p *Provider) Check(_ context.Context, req *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	k, err := kindOf(req.GetUrn())
	if err != nil {
		return nil, err
	}
	inputs, err := decode(req.GetNews())
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
	if response.Inputs, err = encode(inputs); err != nil {
		return nil, fmt.Errorf("checked inputs: %w", err)
	}
	return response, nil
}

// Diff replaces the value on any change: a value that fits other demands is another value.
func (p *Provider) Diff(_ context.Context, req *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	k, err := kindOf(req.GetUrn())
	if err != nil {
		return nil, err
	}
	olds, err := decode(req.GetOldInputs())
	if err != nil {
		return nil, fmt.Errorf("old inputs: %w", err)
	}
	if req.GetOldInputs() == nil {
		if olds, err = decode(req.GetOlds()); err != nil {
			return nil, fmt.Errorf("old state: %w", err)
		}
		for _, key := range k.outputs {
			delete(olds, key)
		}
		delete(olds, "id")
	}
	news, err := decode(req.GetNews())
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
	k, err := kindOf(req.GetUrn())
	if err != nil {
		return nil, err
	}
	state, err := decode(req.GetProperties())
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
	if response.Properties, err = encode(state); err != nil {
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

// Invoke refuses: the published plugin has no functions either.
func (p *Provider) Invoke(_ context.Context, req *pulumirpc.InvokeRequest) (*pulumirpc.InvokeResponse, error) {
	return nil, status.Errorf(codes.Unimplemented, "the random plugin has no function %s", req.GetTok())
}
