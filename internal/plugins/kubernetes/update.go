package kubernetes

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/util/csaupgrade"
)

// Update applies changed inputs to the object, under the name that owns its fields, and waits until it is ready again.
func (p *Provider) Update(ctx context.Context, req *pulumirpc.UpdateRequest) (*pulumirpc.UpdateResponse, error) {
	s, err := p.session(ctx)
	if err != nil {
		return nil, err
	}
	state, err := decode(req.GetOlds())
	if err != nil {
		return nil, fmt.Errorf("old state: %w", err)
	}
	news, err := decode(req.GetNews())
	if err != nil {
		return nil, fmt.Errorf("inputs: %w", err)
	}
	ctx, done := s.operation(context.WithValue(ctx, urnKey{}, req.GetUrn()))
	defer done()
	urn, inputs := resource.URN(req.GetUrn()), toObject(news)
	if req.GetPreview() && (s.cluster == nil || hasUnknown(inputs.Object) ||
		!s.cluster.serves(inputs.GroupVersionKind())) {
		return &pulumirpc.UpdateResponse{Properties: req.GetNews()}, nil
	}
	if s.cluster == nil {
		return nil, unreachable(s.reason)
	}
	u, err := s.newUpdate(urn, state, inputs, req)
	if err != nil {
		return nil, err
	}
	object, err := u.apply(ctx)
	switch {
	case err != nil && req.GetPreview() && unpreviewable(err):
		return &pulumirpc.UpdateResponse{Properties: req.GetNews()}, nil
	case err != nil && meta.IsNoMatchError(err):
		return nil, kindMissing("update", urn, inputs, err)
	case err != nil:
		// Nothing was changed: the recorded state stays as it is.
		return nil, fmt.Errorf("update of resource %q failed: %w", urn, hideIn(news, err))
	}

	live, waitErr := object, error(nil)
	if !req.GetPreview() {
		live, waitErr = s.awaitReady(ctx, string(urn), inputs, object, req.GetTimeout())
	}
	outputs := checkpoint(news, live, u.initialAPIVersion, u.manager)
	if waitErr != nil {
		return nil, initFailed(fmt.Errorf("the Kubernetes API server reported that %q failed to fully initialize "+
			"or become live: %w", idOf(live), waitErr), outputs, nil, live)
	}
	properties, err := encode(outputs)
	if err != nil {
		return nil, fmt.Errorf("record the state of %s: %w", idOf(live), err)
	}
	return &pulumirpc.UpdateResponse{Properties: properties}, nil
}

// update is one change of one object.
type update struct {
	session           *session
	client            dynamic.ResourceInterface
	live              *unstructured.Unstructured // as recorded
	inputs            *unstructured.Unstructured
	patch, preview    bool
	manager, before   string // owner of the fields, now and so far
	initialAPIVersion string
	ignored           []string
}

func (s *session) newUpdate(
	urn resource.URN, state resource.PropertyMap, inputs *unstructured.Unstructured,
	req *pulumirpc.UpdateRequest,
) (*update, error) {
	oldInputs, live := recorded(state)
	before, err := fieldManager(state, oldInputs)
	if err != nil {
		return nil, fmt.Errorf("name a field manager: %w", err)
	}
	manager, err := fieldManager(resource.PropertyMap{keyFieldManager: resource.NewProperty(before)}, inputs)
	if err != nil {
		return nil, fmt.Errorf("name a field manager: %w", err)
	}
	if annotation(inputs, annotationFieldManager) == "" && annotation(oldInputs, annotationFieldManager) == "" {
		manager = before
	}
	return &update{
		session: s, live: live, inputs: inputs, manager: manager, before: before,
		patch: isPatch(urn, inputs.GetKind()), preview: req.GetPreview(),
		initialAPIVersion: initialAPIVersion(state, oldInputs), ignored: req.GetIgnoreChanges(),
	}, nil
}

func (u *update) apply(ctx context.Context) (*unstructured.Unstructured, error) {
	client, err := u.session.cluster.client(u.inputs)
	if err != nil {
		return nil, err
	}
	u.client = client
	live, err := client.Get(ctx, u.live.GetName(), metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	// Under a new name, the first conflict is with ourselves under the old one.
	force := u.session.forced(u.inputs) || u.manager != u.before
	switch {
	case u.patch:
		// The object's other fields are not ours to take.
	case u.preview:
		// Ownership is taken over below in the real run; until then the dry run would find a conflict with ourselves.
		force = force || createdBy(live, u.manager)
	default:
		if live, err = u.adopt(ctx, live); err != nil {
			return nil, err
		}
	}
	request := u.session.request(u.inputs)
	if err := leaveIgnored(request, live, u.manager, u.ignored); err != nil {
		return nil, err
	}
	object, err := u.session.apply(ctx, client, request, u.manager, force, u.preview)
	if err != nil {
		return nil, err
	}
	if !u.preview && u.manager != u.before {
		if err := relinquish(ctx, client, object, u.before); err != nil {
			return nil, fmt.Errorf("give up the fields of the former field manager %q: %w", u.before, err)
		}
	}
	return object, nil
}

// clientSide are names under which the same fields may be owned by something else than an apply: by the creation, by an
// older plugin, or by kubectl.
func clientSide(managers ...string) sets.Set[string] {
	return sets.New(append(managers, "kubectl", "kubectl-client-side-apply", "before-first-apply",
		"pulumi-kubernetes", "pulumi-kubernetes.exe", "pulumi-resource-kubernetes")...)
}

func createdBy(live *unstructured.Unstructured, manager string) bool {
	names := clientSide(manager)
	for _, entry := range live.GetManagedFields() {
		if entry.Operation == metav1.ManagedFieldsOperationUpdate && names.Has(entry.Manager) {
			return true
		}
	}
	return false
}

// adopt turns the ownership that the creation left into the one that an apply has: the API server takes the two for
// different owners, and would report a conflict.
func (u *update) adopt(ctx context.Context, live *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	const attempts = 5 // controllers may write the object in between
	for attempt := 1; ; attempt++ {
		patch, err := csaupgrade.UpgradeManagedFieldsPatch(live, clientSide(u.manager, u.before), u.manager,
			csaupgrade.Subresource(""))
		if err != nil {
			return nil, fmt.Errorf("take over the fields of %s: %w", idOf(live), err)
		}
		if patch == nil {
			return live, nil
		}
		adopted, err := u.client.Patch(ctx, live.GetName(), types.JSONPatchType, patch, metav1.PatchOptions{})
		if err == nil {
			return adopted, nil
		}
		if !apierrors.IsConflict(err) && !apierrors.IsInvalid(err) || attempt == attempts {
			return nil, fmt.Errorf("take over the fields of %s: %w", idOf(live), err)
		}
		if live, err = u.client.Get(ctx, live.GetName(), metav1.GetOptions{}); err != nil {
			return nil, err
		}
	}
}

// forced tells whether fields that others own are to be taken over.
func (s *session) forced(inputs *unstructured.Unstructured) bool {
	return s.settings.patchForce || annotated(inputs, annotationForce)
}

func (s *session) apply(
	ctx context.Context, client dynamic.ResourceInterface, object *unstructured.Unstructured, manager string,
	force, dryRun bool,
) (*unstructured.Unstructured, error) {
	ctx, done := lingering(ctx)
	defer done()
	body, err := json.Marshal(object.Object)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", idOf(object), err)
	}
	options := metav1.PatchOptions{
		FieldManager: manager, Force: &force, FieldValidation: metav1.FieldValidationWarn,
	}
	if dryRun {
		options.DryRun = []string{metav1.DryRunAll}
	}
	applied, err := client.Patch(ctx, object.GetName(), types.ApplyPatchType, body, options)
	return applied, conflict(err, manager)
}

// relinquish gives up the fields that a manager owns, by applying none. Those that nobody else owns go away.
func relinquish(
	ctx context.Context, client dynamic.ResourceInterface, object *unstructured.Unstructured, manager string,
) error {
	nothing := &unstructured.Unstructured{}
	nothing.SetGroupVersionKind(object.GroupVersionKind())
	nothing.SetNamespace(object.GetNamespace())
	nothing.SetName(object.GetName())
	body, err := json.Marshal(nothing.Object)
	if err != nil {
		return fmt.Errorf("encode %s: %w", idOf(object), err)
	}
	ctx, done := lingering(ctx)
	defer done()
	force := true
	_, err = client.Patch(ctx, object.GetName(), types.ApplyPatchType, body,
		metav1.PatchOptions{FieldManager: manager, Force: &force})
	return err
}
