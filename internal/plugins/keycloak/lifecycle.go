package keycloak

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil/rpcerror"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/telekom/controlplane-infrastructure/internal/plugins/protocol"
)

// body is the representation of what a program wants. Now is what the server has; nil: nothing yet.
func (k kind) body(in, now values) values {
	into := values{}
	for _, p := range k.properties {
		v, given := in[p.name]
		switch {
		case p.output:
		case given:
			p.put(v, into)
		case p.computed && (now != nil || p.form != flag && p.form != set):
			// The server's choice, which stays.
		case p.form == text && p.fallback == nil && (now == nil || p.same(p.read(now, nil), nil)):
			// An empty text is better not said: some would be stored.
		default:
			p.put(nil, into)
		}
	}
	return into
}

// forgotten adds to a representation, as empty texts, what objects of texts had in them and have no more.
func (k kind) forgotten(into, olds, in values) {
	for _, p := range k.properties {
		if p.form != dict {
			continue
		}
		for key := range object(olds[p.name]) {
			if _, kept := object(in[p.name])[key]; !kept {
				place(into, p.field+"/"+key, "")
			}
		}
	}
}

// state is what the engine records: what the server says, in the words of what the engine knows.
func (k kind) state(found, known values) values {
	all := values{}
	for _, p := range k.properties {
		v := known[p.name]
		if p.field != "" || p.form == group {
			v = p.get(found, v)
		}
		if v != nil {
			all[p.name] = v
		}
	}
	return all
}

// inputs are what a program would have to say for what the server has: what it did say, as it is now, and what somebody
// else has set that is not the server's to choose.
func (k kind) inputs(state, given values) values {
	all := values{}
	for _, p := range k.properties {
		v, there := state[p.name]
		_, said := given[p.name]
		if there && !p.output && (said || p.required || !p.computed && !p.same(v, nil)) {
			all[p.name] = v
		}
	}
	return all
}

// wire encodes properties, hiding what is secret by nature or was secret before.
func (k kind) wire(v values, before resource.PropertyMap) (*structpb.Struct, error) {
	all := resource.NewPropertyMapFromMap(v)
	for _, p := range k.properties {
		key := resource.PropertyKey(p.name)
		if each, there := all[key]; there && (p.secret || before[key].ContainsSecrets()) {
			all[key] = resource.MakeSecret(each)
		}
	}
	return protocol.Encode(all)
}

// Create makes a resource. In a preview nobody is asked.
func (p *Provider) Create(ctx context.Context, req *pulumirpc.CreateRequest) (*pulumirpc.CreateResponse, error) {
	k, all, err := p.understood(req.GetUrn(), req.GetProperties())
	if err != nil {
		return nil, err
	}
	inputs := all[0]
	if req.GetPreview() {
		planned, err := k.planned(inputs, nil)
		return &pulumirpc.CreateResponse{Properties: planned}, err
	}
	s, err := p.session(ctx)
	if err != nil {
		return nil, err
	}
	in, _ := plain(inputs)
	t := target{in: in}
	t.id, err = k.create(ctx, s, t, k.body(in, nil))
	if status(err) == http.StatusConflict && p.adopts != nil && p.adopts() {
		if adopted, ok := k.takenOver(ctx, s, t, inputs); ok {
			return adopted, nil
		}
	}
	if err != nil {
		return nil, k.refused(ctx, s, "create", t, err)
	}
	found, err := k.read(ctx, s, t)
	if err != nil {
		return nil, k.halfway(t, inputs, err)
	}
	response := &pulumirpc.CreateResponse{Id: t.id}
	response.Properties, err = k.wire(k.state(found, in), inputs)
	return response, err
}

// takenOver makes what exists already what is wanted. It is not, where the server does not say which one that is.
func (k kind) takenOver(
	ctx context.Context, s *session, t target, inputs resource.PropertyMap,
) (*pulumirpc.CreateResponse, bool) {
	if k.existing == nil {
		return nil, false
	}
	id := k.existing(ctx, s, t)
	if id == "" {
		return nil, false
	}
	found, err := k.adopt(id)
	if err != nil {
		return nil, false
	}
	now, in, err := k.change(ctx, s, found.id, inputs, nil)
	if err != nil {
		return nil, false
	}
	response := &pulumirpc.CreateResponse{Id: found.id}
	response.Properties, err = k.wire(k.state(now, in), inputs)
	return response, err == nil
}

// refused says which resource the server has refused, and what to do about one that exists.
func (k kind) refused(ctx context.Context, s *session, verb string, t target, err error) error {
	err = fmt.Errorf("%s the %s: %w", verb, k.what, err)
	if status(err) == http.StatusNotFound && wordless(err) {
		return fmt.Errorf("%w; this is no answer of Keycloak's: does %s lead to its admin API, with the basePath %q?",
			err, s.url, s.basePath)
	}
	if status(err) != http.StatusConflict || verb != "create" || k.existing == nil {
		return err
	}
	id := k.existing(ctx, s, t)
	if id == "" {
		return err
	}
	return fmt.Errorf("%w; to take over the one that exists, register it once with the option Import and the ID %s, "+
		"or run pulumi import", err, id)
}

// halfway tells the engine about a resource that exists, although the server has not shown it: the engine must know it.
func (k kind) halfway(t target, inputs resource.PropertyMap, cause error) error {
	encoded, err := k.wire(t.in, inputs)
	if err != nil {
		return errors.Join(cause, err)
	}
	return rpcerror.WithDetails(rpcerror.New(codes.Unknown, cause.Error()), &pulumirpc.ErrorResourceInitFailed{
		Id: t.id, Properties: encoded, Inputs: encoded,
		Reasons: []string{fmt.Sprintf("the %s is made, but reading it back failed: %v", k.what, cause)},
	})
}

// planned is the state as far as a preview knows it.
func (k kind) planned(inputs, olds resource.PropertyMap) (*structpb.Struct, error) {
	all := inputs.Copy()
	for _, p := range k.properties {
		key := resource.PropertyKey(p.name)
		if _, given := all[key]; given {
			continue
		}
		switch old, there := olds[key]; {
		case p.computed && there && !k.follows(p, inputs, olds):
			all[key] = old
		case p.computed:
			all[key] = resource.MakeComputed(resource.NewProperty(""))
		case p.fallback != nil:
			all[key] = resource.NewPropertyValue(p.fallback)
		}
		if p.secret && all.HasValue(key) {
			all[key] = resource.MakeSecret(all[key])
		}
	}
	return protocol.Encode(all)
}

// follows says whether an output is going to be another one: a client gets a service account, or loses it.
func (k kind) follows(p property, inputs, olds resource.PropertyMap) bool {
	const decides = "serviceAccountsEnabled"
	in, _ := plain(inputs)
	old, _ := plain(olds)
	given, known := in[decides]
	return p.name == "serviceAccountUserId" && (inputs[decides].ContainsUnknowns() || known && given != old[decides])
}

// Read looks a resource up: for a refresh, or to adopt what somebody else has made.
func (p *Provider) Read(ctx context.Context, req *pulumirpc.ReadRequest) (*pulumirpc.ReadResponse, error) {
	k, all, err := p.understood(req.GetUrn(), req.GetProperties(), req.GetInputs())
	if err != nil {
		return nil, err
	}
	properties, inputs := all[0], all[1]
	known, _ := plain(properties)
	given, _ := plain(inputs)
	t := target{id: req.GetId(), in: merged(given, known)}
	if len(known) == 0 {
		if t, err = k.adopt(req.GetId()); err != nil {
			return nil, err
		}
	}
	s, err := p.session(ctx)
	if err != nil {
		return nil, err
	}
	found, err := k.read(ctx, s, t)
	if gone(err) {
		return &pulumirpc.ReadResponse{}, nil
	}
	if err != nil {
		return nil, k.refused(ctx, s, "read", t, err)
	}
	state := k.state(found, t.in)
	response := &pulumirpc.ReadResponse{Id: t.id}
	if response.Properties, err = k.wire(state, properties); err != nil {
		return nil, err
	}
	response.Inputs, err = k.wire(k.inputs(state, given), inputs)
	return response, err
}

// Update changes a resource.
func (p *Provider) Update(ctx context.Context, req *pulumirpc.UpdateRequest) (*pulumirpc.UpdateResponse, error) {
	k, all, err := p.understood(req.GetUrn(), req.GetNews(), req.GetOlds())
	if err != nil {
		return nil, err
	}
	inputs, olds := all[0], all[1]
	if req.GetPreview() {
		planned, err := k.planned(inputs, olds)
		return &pulumirpc.UpdateResponse{Properties: planned}, err
	}
	s, err := p.session(ctx)
	if err != nil {
		return nil, err
	}
	now, in, err := k.change(ctx, s, req.GetId(), inputs, olds)
	if err != nil {
		return nil, err
	}
	response := &pulumirpc.UpdateResponse{}
	response.Properties, err = k.wire(k.state(now, in), inputs)
	return response, err
}

// change makes a resource what is wanted, and returns its representation and the wanted inputs.
func (k kind) change(
	ctx context.Context, s *session, id string, inputs, olds resource.PropertyMap,
) (now, in values, err error) {
	in, _ = plain(inputs)
	old, _ := plain(olds)
	// What a program does not say any more, but the server has to go by, is as it was.
	t := target{id: id, in: merged(k.chosen(old), in)}
	now, err = k.read(ctx, s, t)
	if gone(err) {
		return nil, nil, fmt.Errorf("update the %s: it does not exist any more; run a refresh, and it is made again: %w",
			k.what, err)
	}
	if err == nil && k.update != nil {
		body := k.body(in, now)
		k.forgotten(body, old, in)
		err = k.update(ctx, s, t, body)
	}
	if err != nil {
		return nil, nil, k.refused(ctx, s, "update", t, err)
	}
	if now, err = k.read(ctx, s, t); err != nil {
		return nil, nil, k.refused(ctx, s, "read", t, err)
	}
	return now, in, nil
}

// chosen are the properties in a state that the server has chosen.
func (k kind) chosen(state values) values {
	all := maps.Clone(state)
	maps.DeleteFunc(all, func(name string, _ any) bool {
		return !slices.ContainsFunc(k.properties, func(p property) bool { return p.name == name && p.computed })
	})
	return merged(all)
}

// Delete removes a resource. What is gone already is no error.
func (p *Provider) Delete(ctx context.Context, req *pulumirpc.DeleteRequest) (*emptypb.Empty, error) {
	k, all, err := p.understood(req.GetUrn(), req.GetProperties())
	if err != nil {
		return nil, err
	}
	s, err := p.session(ctx)
	if err != nil {
		return nil, err
	}
	in, _ := plain(all[0])
	t := target{id: req.GetId(), in: in}
	if err := k.remove(ctx, s, t); err != nil && !gone(err) {
		return nil, k.refused(ctx, s, "delete", t, err)
	}
	return &emptypb.Empty{}, nil
}
