package aws

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/telekom/controlplane-infrastructure/internal/plugins/protocol"
)

// state is what the engine records of a resource: what it was given and what AWS adds.
func (k kind) state(at place, id string, in values) (*structpb.Struct, error) {
	all := maps.Clone(in)
	if k.outputs != nil {
		maps.Copy(all, k.outputs(at, id, in))
	}
	return protocol.Encode(properties(all))
}

// planned is the state as far as a preview knows it.
func (k kind) planned(s *structpb.Struct) (*structpb.Struct, error) {
	all, err := protocol.Decode(s)
	if err != nil {
		return nil, fmt.Errorf("inputs: %w", err)
	}
	for _, key := range k.computed {
		all[resource.PropertyKey(key)] = resource.MakeComputed(resource.NewProperty(""))
	}
	return protocol.Encode(all)
}

// allowed returns why AWS would refuse inputs.
func (k kind) allowed(a *account, in values) *answer {
	if k.partOf != nil && a.find(k.partOf.token, text(in, k.partOf.input)) == nil {
		return &k.partOf.missing
	}
	if k.allow != nil {
		return k.allow(a, in)
	}
	return nil
}

// Create makes a resource, unless AWS would refuse it.
func (p *Provider) Create(ctx context.Context, req *pulumirpc.CreateRequest) (*pulumirpc.CreateResponse, error) {
	token, k, err := p.kindOf(req.GetUrn())
	if err != nil {
		return nil, err
	}
	if req.GetPreview() {
		planned, err := k.planned(req.GetProperties())
		return &pulumirpc.CreateResponse{Properties: planned}, err
	}
	inputs, err := protocol.Decode(req.GetProperties())
	if err != nil {
		return nil, fmt.Errorf("inputs: %w", err)
	}
	in, response := inputs.Mappable(), &pulumirpc.CreateResponse{}
	return response, p.store.change(func(a *account) error {
		at, err := p.place(ctx, a)
		if err != nil {
			return err
		}
		response.Id = k.id(at, in)
		if k.taken != nil && a.find(token, response.Id) != nil {
			return k.refuse(k.create, k.taken)
		}
		if why := k.allowed(a, in); why != nil {
			return k.refuse(k.create, why)
		}
		a.put(token, response.Id, &record{Region: at.region, Inputs: in})
		response.Properties, err = k.state(at, response.Id, in)
		return err
	})
}

// Read looks a resource up: for a refresh, or to adopt what somebody else has made.
func (p *Provider) Read(ctx context.Context, req *pulumirpc.ReadRequest) (*pulumirpc.ReadResponse, error) {
	token, k, err := p.kindOf(req.GetUrn())
	if err != nil {
		return nil, err
	}
	response := &pulumirpc.ReadResponse{}
	return response, p.store.view(func(a *account) error {
		at, err := p.place(ctx, a)
		if err != nil {
			return err
		}
		r := a.find(token, req.GetId())
		if r == nil {
			return nil // without an ID: gone
		}
		if r.Region != "" {
			at.region = r.Region
		}
		in := maps.Clone(k.defaults)
		if in == nil {
			in = values{}
		}
		maps.Copy(in, r.Inputs)
		if response.Inputs, err = protocol.Encode(properties(in)); err != nil {
			return fmt.Errorf("inputs: %w", err)
		}
		response.Id = req.GetId()
		response.Properties, err = k.state(at, req.GetId(), in)
		return err
	})
}

// Update changes a resource.
func (p *Provider) Update(ctx context.Context, req *pulumirpc.UpdateRequest) (*pulumirpc.UpdateResponse, error) {
	token, k, err := p.kindOf(req.GetUrn())
	if err != nil {
		return nil, err
	}
	if req.GetPreview() {
		planned, err := k.replanned(req)
		return &pulumirpc.UpdateResponse{Properties: planned}, err
	}
	inputs, err := protocol.Decode(req.GetNews())
	if err != nil {
		return nil, fmt.Errorf("inputs: %w", err)
	}
	in, response := inputs.Mappable(), &pulumirpc.UpdateResponse{}
	return response, p.store.change(func(a *account) error {
		at, err := p.place(ctx, a)
		if err != nil {
			return err
		}
		r := a.find(token, req.GetId())
		if r == nil {
			return k.refuse(k.create, &answer{404, "NotFound", req.GetId() + " does not exist (a refresh would tell)"})
		}
		if why := k.allowed(a, in); why != nil {
			return k.refuse(k.create, why)
		}
		r.Inputs = in
		if r.Region != "" {
			at.region = r.Region
		}
		response.Properties, err = k.state(at, req.GetId(), in)
		return err
	})
}

// replanned is what an update is going to leave: what AWS has computed stays, but for what follows from the inputs.
func (k kind) replanned(req *pulumirpc.UpdateRequest) (*structpb.Struct, error) {
	all, err := protocol.Decode(req.GetNews())
	if err != nil {
		return nil, fmt.Errorf("inputs: %w", err)
	}
	olds, err := protocol.Decode(req.GetOlds())
	if err != nil {
		return nil, fmt.Errorf("old state: %w", err)
	}
	for _, name := range k.computed {
		key := resource.PropertyKey(name)
		if old, known := olds[key]; known && !all.HasValue(key) {
			all[key] = old
		}
	}
	if tags, given := all["tags"]; given && slices.Contains(k.computed, "tagsAll") {
		all["tagsAll"] = tags
	}
	return protocol.Encode(all)
}

// Delete removes a resource, unless AWS would refuse it. What is gone already is no error.
func (p *Provider) Delete(_ context.Context, req *pulumirpc.DeleteRequest) (*emptypb.Empty, error) {
	token, k, err := p.kindOf(req.GetUrn())
	if err != nil {
		return nil, err
	}
	return &emptypb.Empty{}, p.store.change(func(a *account) error {
		r := a.find(token, req.GetId())
		if r == nil {
			return nil
		}
		why := a.kept(token, req.GetId())
		if why == nil && k.free != nil {
			why = k.free(a, req.GetId(), r)
		}
		if why != nil {
			return k.refuse(k.remove, why)
		}
		a.remove(token, req.GetId())
		return nil
	})
}
