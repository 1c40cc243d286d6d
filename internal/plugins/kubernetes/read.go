package kubernetes

import (
	"context"
	"fmt"
	"reflect"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Read fetches an object as it is now. The inputs that it returns are the recorded ones, with the present values where
// somebody has changed what the program had set: that is how the next comparison with the program finds them.
func (p *Provider) Read(ctx context.Context, req *pulumirpc.ReadRequest) (*pulumirpc.ReadResponse, error) {
	s, err := p.session(ctx)
	if err != nil {
		return nil, err
	}
	if s.cluster == nil {
		return s.readUnreachable(req)
	}
	state, err := decode(req.GetProperties())
	if err != nil {
		return nil, fmt.Errorf("old state: %w", err)
	}
	olds, err := decode(req.GetInputs())
	if err != nil {
		return nil, fmt.Errorf("old inputs: %w", err)
	}
	ctx, done := s.operation(ctx)
	defer done()

	urn, inputs := resource.URN(req.GetUrn()), toObject(olds)
	_, last := recorded(state)
	wanted, err := subject(urn, req.GetId(), inputs, last)
	if err != nil {
		return nil, err
	}
	client, err := s.cluster.client(wanted)
	if err != nil && isGone(err) {
		return &pulumirpc.ReadResponse{}, nil // with its definition, a custom resource is gone as well
	} else if err != nil {
		return nil, fmt.Errorf("read %s: %w", req.GetId(), err)
	}
	live, err := client.Get(ctx, wanted.GetName(), metav1.GetOptions{})
	if err != nil && isGone(err) {
		return &pulumirpc.ReadResponse{}, nil
	} else if err != nil {
		return nil, fmt.Errorf("read %s: %w", req.GetId(), err)
	}
	return s.readResult(ctx, req, live, last, olds, state)
}

func (s *session) readUnreachable(req *pulumirpc.ReadRequest) (*pulumirpc.ReadResponse, error) {
	switch {
	case s.settings.deleteUnreachable:
		s.warn(req.GetUrn(), "the cluster is unreachable and deleteUnreachable is set: removed from the state")
		return &pulumirpc.ReadResponse{}, nil
	case s.settings.skipUpdateUnreachable:
		s.warn(req.GetUrn(), "the cluster is unreachable and skipUpdateUnreachable is set: left as it is")
		return &pulumirpc.ReadResponse{Id: req.GetId(), Properties: req.GetProperties(), Inputs: req.GetInputs()}, nil
	}
	return nil, fmt.Errorf("failed to read resource state due to unreachable cluster. If the cluster was deleted, you "+
		"can remove this resource from Pulumi state by rerunning the operation with the "+
		"PULUMI_K8S_DELETE_UNREACHABLE environment variable set to \"true\": %w", unreachable(s.reason))
}

// subject is the object to read, as far as it takes to ask for it.
func subject(
	urn resource.URN, id string, inputs, last *unstructured.Unstructured,
) (*unstructured.Unstructured, error) {
	namespace, name := splitID(id)
	if name == "" {
		return nil, fmt.Errorf("ID %q: want <namespace>/<name> or <name>", id)
	}
	wanted := &unstructured.Unstructured{}
	switch {
	case !inputs.GroupVersionKind().Empty():
		wanted.SetGroupVersionKind(inputs.GroupVersionKind())
	case !last.GroupVersionKind().Empty():
		wanted.SetGroupVersionKind(last.GroupVersionKind())
	default:
		gvk, err := kindOf(urn)
		if err != nil {
			return nil, err
		}
		wanted.SetGroupVersionKind(gvk)
	}
	wanted.SetName(name)
	wanted.SetNamespace(namespace)
	return wanted, nil
}

func (s *session) readResult(
	ctx context.Context, req *pulumirpc.ReadRequest, live, last *unstructured.Unstructured,
	olds, state resource.PropertyMap,
) (*pulumirpc.ReadResponse, error) {
	inputs := toObject(olds)
	imported := len(olds) == 0
	var current resource.PropertyMap
	if imported {
		current = importedInputs(live)
	} else {
		current = observed(olds, inputs, last, live)
	}
	manager, err := fieldManager(state, inputs)
	if err != nil {
		return nil, fmt.Errorf("name a field manager: %w", err)
	}
	// Inputs without a state are those of a creation that was interrupted: what it has left says under which name, and
	// somebody else's object is not it.
	if len(state) == 0 && !imported {
		if made := maker(live); made != "" {
			manager = made
		} else if claimed(live) {
			return &pulumirpc.ReadResponse{}, nil
		}
	}
	outputs := checkpoint(current, live, initialAPIVersion(state, live), manager)
	if !imported {
		if err := s.judgeNow(ctx, inputs, live); err != nil {
			return nil, initFailed(err, outputs, current, live)
		}
	}
	response := &pulumirpc.ReadResponse{Id: req.GetId()}
	if response.Properties, err = encode(outputs); err != nil {
		return nil, fmt.Errorf("record the state of %s: %w", req.GetId(), err)
	}
	if response.Inputs, err = encode(current); err != nil {
		return nil, fmt.Errorf("record the inputs of %s: %w", req.GetId(), err)
	}
	return response, nil
}

// importedInputs are the inputs of an object that no program has made: all but what only the API server sets.
func importedInputs(live *unstructured.Unstructured) resource.PropertyMap {
	object := live.DeepCopy()
	unstructured.RemoveNestedField(object.Object, "status")
	unstructured.RemoveNestedField(object.Object, "metadata", "annotations", annotationLastApplied)
	unstructured.RemoveNestedField(object.Object, "metadata", "annotations", "deployment.kubernetes.io/revision")
	inputs := toProperties(object.Object)
	dropReadOnly(inputs)
	conceal(inputs, nil)
	return inputs
}

// observed returns the inputs that would lead to what is there now.
func observed(
	olds resource.PropertyMap, inputs, last, live *unstructured.Unstructured,
) resource.PropertyMap {
	fields := owned(live, func(metav1.ManagedFieldsEntry) bool { return true })
	before, now := asWritten(inputs, last), asWritten(inputs, live)
	found := drift{}.object(inputs.Object, before.Object, now.Object, fields)
	if reflect.DeepEqual(found, inputs.Object) {
		return olds // to the byte, secrets included
	}
	properties := toProperties(found)
	conceal(properties, olds)
	return properties
}
