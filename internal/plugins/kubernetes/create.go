package kubernetes

import (
	"context"
	"fmt"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
)

// missingBound is how long creating an object goes on when its kind, its namespace or, for a Patch resource, the object
// itself is not there: charts and controllers make them a moment later.
const missingBound = 30 * time.Second

// Create makes an object and waits until it is ready. An object that exists already is an error, not adopted: it is
// somebody else's. A Patch resource takes over fields of one that exists.
func (p *Provider) Create(ctx context.Context, req *pulumirpc.CreateRequest) (*pulumirpc.CreateResponse, error) {
	s, err := p.session(ctx)
	if err != nil {
		return nil, err
	}
	news, err := decode(req.GetProperties())
	if err != nil {
		return nil, fmt.Errorf("inputs: %w", err)
	}
	ctx, done := s.operation(context.WithValue(ctx, urnKey{}, req.GetUrn()))
	defer done()
	urn, inputs := resource.URN(req.GetUrn()), toObject(news)
	if req.GetPreview() {
		return s.previewCreate(ctx, req, urn, news, inputs)
	}
	if s.cluster == nil {
		return nil, unreachable(s.reason)
	}
	manager, err := fieldManager(news, inputs)
	if err != nil {
		return nil, fmt.Errorf("name a field manager: %w", err)
	}
	object, err := s.create(ctx, urn, inputs, manager)
	if apierrors.IsAlreadyExists(err) && s.adopts != nil && s.adopts() {
		object, manager, err = s.takeOver(ctx, urn, inputs, manager)
	}
	if err != nil {
		if meta.IsNoMatchError(err) {
			return nil, kindMissing("creation", urn, inputs, err)
		}
		return nil, notCreated(urn, news, err)
	}

	live, waitErr := s.awaitReady(ctx, string(urn), inputs, object, req.GetTimeout())
	state := checkpoint(news, live, inputs.GetAPIVersion(), manager)
	if waitErr != nil {
		return nil, initFailed(fmt.Errorf("resource %q was successfully created, but the Kubernetes API server "+
			"reported that it failed to fully initialize or become live: %w", urn, waitErr), state, nil, live)
	}
	properties, err := encode(state)
	if err != nil {
		return nil, fmt.Errorf("record the state of %s: %w", idOf(live), err)
	}
	return &pulumirpc.CreateResponse{Id: idOf(live), Properties: properties}, nil
}

// previewCreate asks the API server what it would make of the object. Where it cannot know yet, the inputs stand for
// the outputs.
func (s *session) previewCreate(
	ctx context.Context, req *pulumirpc.CreateRequest, urn resource.URN, news resource.PropertyMap,
	inputs *unstructured.Unstructured,
) (*pulumirpc.CreateResponse, error) {
	asGiven := &pulumirpc.CreateResponse{Properties: req.GetProperties()}
	if s.cluster == nil || hasUnknown(inputs.Object) || isPatch(urn, inputs.GetKind()) ||
		!s.cluster.serves(inputs.GroupVersionKind()) {
		return asGiven, nil
	}
	client, err := s.cluster.client(inputs)
	if err != nil {
		return asGiven, nil
	}
	manager, err := fieldManager(news, inputs)
	if err != nil {
		return nil, fmt.Errorf("name a field manager: %w", err)
	}
	live, err := s.write(ctx, client, s.request(inputs), manager, true)
	switch {
	case err != nil && unpreviewable(err):
		return asGiven, nil
	case err != nil:
		return nil, notCreated(urn, news, err)
	}
	// An empty status would look like known values to the program.
	unstructured.RemoveNestedField(live.Object, "status")
	properties, err := encode(checkpoint(news, live, inputs.GetAPIVersion(), manager))
	if err != nil {
		return nil, fmt.Errorf("preview of %s: %w", urn, err)
	}
	return &pulumirpc.CreateResponse{Properties: properties}, nil
}

// create sends the object, again and again as long as what it needs is missing.
func (s *session) create(
	ctx context.Context, urn resource.URN, inputs *unstructured.Unstructured, manager string,
) (*unstructured.Unstructured, error) {
	deadline, pause := time.Now().Add(missingBound), 250*time.Millisecond
	for {
		object, err := s.createOnce(ctx, urn, inputs, manager)
		if err == nil || !isGone(err) || time.Now().After(deadline) {
			return object, err
		}
		s.status(string(urn), fmt.Sprintf("waiting for what it needs: %v", err))
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("operation was cancelled: %w", err)
		case <-time.After(pause):
			pause = min(pause*3/2, 2*time.Second)
		}
	}
}

func (s *session) createOnce(
	ctx context.Context, urn resource.URN, inputs *unstructured.Unstructured, manager string,
) (*unstructured.Unstructured, error) {
	client, err := s.cluster.client(inputs)
	if err != nil {
		return nil, err
	}
	if isPatch(urn, inputs.GetKind()) {
		// Applying would create the object, and then nobody would delete it.
		if _, err := client.Get(ctx, inputs.GetName(), metav1.GetOptions{}); err != nil {
			return nil, err
		}
		return s.apply(ctx, client, s.request(inputs), manager, s.forced(inputs), false)
	}
	return s.write(ctx, client, s.request(inputs), manager, false)
}

// write creates an object, or takes over an existing one where the provider is configured to.
func (s *session) write(
	ctx context.Context, client dynamic.ResourceInterface, object *unstructured.Unstructured, manager string, dryRun bool,
) (*unstructured.Unstructured, error) {
	if s.settings.upsert {
		return s.apply(ctx, client, object, manager, dryRun || s.forced(object), dryRun)
	}
	ctx, done := lingering(ctx)
	defer done()
	options := metav1.CreateOptions{FieldManager: manager, FieldValidation: metav1.FieldValidationWarn}
	if dryRun {
		options.DryRun = []string{metav1.DryRunAll}
	}
	return client.Create(ctx, object, options)
}

// request is the object as it is sent.
func (s *session) request(inputs *unstructured.Unstructured) *unstructured.Unstructured {
	object := encodeStringData(inputs).DeepCopy()
	if !s.namespaced(object.GroupVersionKind()) {
		object.SetNamespace("")
	}
	return object
}
