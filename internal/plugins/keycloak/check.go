package keycloak

import (
	"context"
	"fmt"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/telekom/controlplane-infrastructure/internal/plugins/protocol"
)

// maxName is the published plugin's limit of names that it makes up.
const maxName = 255

func (p *Provider) kindOf(urn string) (kind, error) {
	token := string(resource.URN(urn).Type())
	k, ok := kinds[token]
	if !ok {
		return k, p.UnknownType(token, kindNames())
	}
	return k, nil
}

// understood reads what a request says: the type of the resource, and properties of it.
func (p *Provider) understood(urn string, all ...*structpb.Struct) (k kind, properties []resource.PropertyMap, err error) {
	if k, err = p.kindOf(urn); err != nil {
		return k, nil, err
	}
	for _, each := range all {
		decoded, err := protocol.Decode(each)
		if err != nil {
			return k, nil, fmt.Errorf("properties of the %s: %w", k.what, err)
		}
		properties = append(properties, decoded)
	}
	return k, properties, nil
}

// Check makes up a name where none is given, and says what is wrong.
func (p *Provider) Check(_ context.Context, req *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	k, all, err := p.understood(req.GetUrn(), req.GetNews(), req.GetOlds())
	if err != nil {
		return nil, err
	}
	inputs, olds := all[0], all[1]
	delete(inputs, "__defaults")
	if k.autonamed && !inputs.HasValue("name") {
		if inputs["name"], err = name(req, olds); err != nil {
			return nil, err
		}
	}
	found := map[string]string{}
	problems("", k.properties, announced(plain(inputs)), found)
	response := &pulumirpc.CheckResponse{Failures: failures(found)}
	if response.Inputs, err = protocol.Encode(inputs); err != nil {
		return nil, fmt.Errorf("checked inputs: %w", err)
	}
	return response, nil
}

// announced adds what is given but not known yet, without a value.
func announced(known values, unknown []string) values {
	for _, name := range unknown {
		known[name] = nil
	}
	return known
}

// name returns a name that was made up before, or a new one.
func name(req *pulumirpc.CheckRequest, olds resource.PropertyMap) (resource.PropertyValue, error) {
	if old, made := olds["name"]; made {
		return old, nil
	}
	made, err := resource.NewUniqueName(req.GetRandomSeed(), resource.URN(req.GetUrn()).Name()+"-", 7, maxName, nil)
	if err != nil {
		return resource.PropertyValue{}, fmt.Errorf("name %s: %w", resource.URN(req.GetUrn()).Name(), err)
	}
	return resource.NewProperty(made), nil
}

// Diff compares what is wanted with what there is.
func (p *Provider) Diff(_ context.Context, req *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	k, all, err := p.understood(req.GetUrn(), req.GetOlds(), req.GetNews())
	if err != nil {
		return nil, err
	}
	now, _ := plain(all[0])
	wanted, unknown := plain(all[1])
	response := &pulumirpc.DiffResponse{
		Changes: pulumirpc.DiffResponse_DIFF_NONE, HasDetailedDiff: true, DetailedDiff: map[string]*pulumirpc.PropertyDiff{},
	}
	for _, p := range k.properties {
		before := len(response.DetailedDiff)
		if slices.Contains(unknown, p.name) {
			note(response, p.name, pulumirpc.PropertyDiff_UPDATE, p.immutable)
		} else {
			p.diff(p.name, now[p.name], wanted[p.name], p.immutable, response)
		}
		if len(response.DetailedDiff) == before {
			continue
		}
		response.Changes = pulumirpc.DiffResponse_DIFF_SOME
		response.Diffs = append(response.Diffs, p.name)
		if p.immutable {
			response.Replaces = append(response.Replaces, p.name)
		}
	}
	// There cannot be two realms of a name at the same time.
	response.DeleteBeforeReplace = slices.Equal(response.Replaces, []string{"internalId"})
	return response, nil
}

// diff adds the paths at which two values differ.
func (p property) diff(path string, now, wanted any, replaces bool, into *pulumirpc.DiffResponse) {
	switch {
	case p.computed && wanted == nil, p.same(now, wanted):
		return
	case p.form == group && now != nil && wanted != nil:
		for _, part := range p.parts {
			part.diff(path+"."+part.name, object(now)[part.name], object(wanted)[part.name], replaces, into)
		}
	case now == nil:
		note(into, path, pulumirpc.PropertyDiff_ADD, replaces)
	case wanted == nil:
		note(into, path, pulumirpc.PropertyDiff_DELETE, replaces)
	default:
		note(into, path, pulumirpc.PropertyDiff_UPDATE, replaces)
	}
}

func note(into *pulumirpc.DiffResponse, path string, change pulumirpc.PropertyDiff_Kind, replaces bool) {
	if replaces {
		change++ // of each kind of change, the one that replaces is the next
	}
	into.DetailedDiff[path] = &pulumirpc.PropertyDiff{Kind: change}
}
