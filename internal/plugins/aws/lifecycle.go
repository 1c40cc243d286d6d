package aws

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/telekom/controlplane-infrastructure/internal/plugins/protocol"
)

// state is what the engine records of a resource: what it was given and what AWS adds.
func (k kind) state(s subject, r *record) (*structpb.Struct, error) {
	all := mergeValues(r.Settled, r.Inputs)
	if k.outputs != nil {
		maps.Copy(all, k.outputs(s))
	}
	return protocol.Encode(properties(all))
}

// planned is the state as far as a preview knows it.
func (k kind) planned(s *structpb.Struct) (*structpb.Struct, error) {
	all, err := protocol.Decode(s)
	if err != nil {
		return nil, fmt.Errorf("inputs: %w", err)
	}
	for _, path := range k.computed {
		if _, given := lookUp(all, path); !given {
			put(all, path, resource.MakeComputed(resource.NewProperty("")))
		}
	}
	return protocol.Encode(all)
}

// allowed returns why AWS would refuse inputs.
func (k kind) allowed(s subject) *answer {
	if o := k.partOf; o != nil && !s.account.exists(o.token, text(s.in, o.input)) {
		return o.missing.about(text(s.in, o.input))
	}
	for _, r := range k.refers {
		if why := r.missing(s); why != nil {
			return why
		}
	}
	if k.allow != nil {
		return k.allow(s)
	}
	return nil
}

// settled is what AWS decides about a resource.
func (k kind) settled(s subject) values {
	out := values{}
	if begins := text(s.in, k.prefix); begins != "" {
		out[k.name] = text(s.in, k.name)
	}
	if k.settle != nil {
		maps.Copy(out, k.settle(s))
	}
	return out
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
	response := &pulumirpc.CreateResponse{}
	return response, p.store.change(func(a *account) error {
		at, err := p.place(ctx, a)
		if err != nil {
			return err
		}
		r := &record{Region: at.region, Account: at.account, Inputs: inputs.Mappable()}
		s := a.subject(token, "", r, at)
		if begins := text(s.in, k.prefix); begins != "" {
			s.in[k.name] = begins + time.Now().UTC().Format("20060102150405.000000000")
		}
		s.id = k.id(s.at, s.in)
		if k.taken != nil && a.exists(token, s.id) {
			return k.refuse(k.create, k.taken)
		}
		if why := k.allowed(s); why != nil {
			return k.refuse(k.create, why)
		}
		r.Settled = k.settled(s)
		a.put(token, s.id, r)
		response.Id = s.id
		response.Properties, err = k.state(a.subject(token, s.id, r, at), r)
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
		in := maps.Clone(k.defaults)
		if in == nil {
			in = values{}
		}
		maps.Copy(in, r.Inputs)
		if response.Inputs, err = protocol.Encode(properties(in)); err != nil {
			return fmt.Errorf("inputs: %w", err)
		}
		response.Id = req.GetId()
		response.Properties, err = k.state(a.subject(token, req.GetId(), r, at), &record{Inputs: in, Settled: r.Settled})
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
	response := &pulumirpc.UpdateResponse{}
	return response, p.store.change(func(a *account) error {
		at, err := p.place(ctx, a)
		if err != nil {
			return err
		}
		r := a.find(token, req.GetId())
		if r == nil {
			return k.refuse(k.updates(), &answer{404, "NotFound", req.GetId() + " does not exist (a refresh would tell)"})
		}
		was := a.subject(token, req.GetId(), r, at).in
		r.Inputs = inputs.Mappable()
		s := a.subject(token, req.GetId(), r, at)
		s.was = was
		if why := k.allowed(s); why != nil {
			return k.refuse(k.updates(), why)
		}
		r.Settled = k.settled(s)
		response.Properties, err = k.state(a.subject(token, req.GetId(), r, at), r)
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
	var anew []string
	if k.unsettles != nil {
		anew = k.unsettles(changed(olds, all), known(all))
	}
	for _, path := range k.computed {
		if _, given := lookUp(all, path); given {
			continue
		}
		if slices.Contains(anew, path) {
			put(all, path, resource.MakeComputed(resource.NewProperty("")))
		} else if old, there := lookUp(olds, path); there {
			put(all, path, old)
		}
	}
	if tags, given := all["tags"]; given && slices.Contains(k.computed, "tagsAll") {
		all["tagsAll"] = tags
	}
	return protocol.Encode(all)
}

// changed are the inputs that are not what they were.
func changed(olds, news resource.PropertyMap) []string {
	var keys []string
	for key, v := range news {
		if old, there := olds[key]; !there || !old.DeepEquals(v) {
			keys = append(keys, string(key))
		}
	}
	return keys
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
		s := a.subject(token, req.GetId(), r, place{})
		why := a.kept(token, req.GetId())
		if why == nil {
			why = a.held(token, s)
		}
		if why == nil && k.free != nil {
			why = k.free(s)
		}
		if why != nil {
			return k.refuse(k.remove, why)
		}
		a.remove(token, req.GetId())
		return nil
	})
}
