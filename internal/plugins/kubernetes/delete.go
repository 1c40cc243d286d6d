package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Delete removes an object and waits until it is gone, with everything that it owns. A Patch resource gives up its
// fields and leaves the object.
func (p *Provider) Delete(ctx context.Context, req *pulumirpc.DeleteRequest) (*emptypb.Empty, error) {
	s, err := p.session(ctx)
	if err != nil {
		return nil, err
	}
	if s.cluster == nil {
		if s.settings.deleteUnreachable {
			s.warn(req.GetUrn(), "the cluster is unreachable and deleteUnreachable is set: removed from the state")
			return &emptypb.Empty{}, nil
		}
		return nil, fmt.Errorf("%w. If the cluster was deleted, you can remove this resource from Pulumi state by "+
			"rerunning the operation with the PULUMI_K8S_DELETE_UNREACHABLE environment variable set to \"true\"",
			unreachable(s.reason))
	}
	state, err := decode(req.GetProperties())
	if err != nil {
		return nil, fmt.Errorf("old state: %w", err)
	}
	ctx, done := s.operation(context.WithValue(ctx, urnKey{}, req.GetUrn()))
	defer done()

	urn := resource.URN(req.GetUrn())
	inputs, last := recorded(state)
	object, err := subject(urn, req.GetId(), last, inputs)
	if err != nil {
		return nil, err
	}
	object.SetUID(last.GetUID())
	if isPatch(urn, object.GetKind()) {
		err = s.unpatch(ctx, state, inputs, object)
	} else {
		err = s.remove(ctx, string(urn), inputs, object, req.GetTimeout())
	}
	if err != nil && !isGone(err) {
		return nil, fmt.Errorf("deletion of %s %q: %w", object.GetKind(), req.GetId(), err)
	}
	return &emptypb.Empty{}, nil
}

// unpatch gives up the fields of a Patch resource.
func (s *session) unpatch(
	ctx context.Context, state resource.PropertyMap, inputs, object *unstructured.Unstructured,
) error {
	client, err := s.cluster.client(object)
	if err != nil {
		return err
	}
	manager, err := fieldManager(state, inputs)
	if err != nil {
		return err
	}
	// Applying nothing to an object that is gone would create it.
	if _, err := client.Get(ctx, object.GetName(), metav1.GetOptions{}); err != nil {
		return err
	}
	err = relinquish(ctx, client, object, manager)
	if cause, ok := apierrors.StatusCause(err, metav1.CauseTypeFieldValueRequired); ok {
		return fmt.Errorf("this Patch resource is the only owner of a required field, so it cannot give it up: %s. "+
			"Set the retainOnDelete resource option, or let another owner apply the field first", cause.Field)
	}
	return err
}

// deletionBound is the default for how long a deletion may take: workloads with many pods longer than others.
func deletionBound(obj *unstructured.Unstructured) time.Duration {
	switch {
	case is(obj, "apps", "Deployment"), is(obj, "apps", "StatefulSet"), is(obj, "apps", "DaemonSet"):
		return 10 * time.Minute
	}
	return 5 * time.Minute
}

func (s *session) remove(
	ctx context.Context, urn string, inputs, object *unstructured.Unstructured, seconds float64,
) error {
	client, err := s.cluster.client(object)
	if err != nil {
		return err
	}
	policy := propagation(inputs)
	write, done := lingering(ctx)
	err = client.Delete(write, object.GetName(), metav1.DeleteOptions{PropagationPolicy: &policy})
	done()
	if err != nil {
		return err
	}
	if annotated(inputs, annotationSkipAwait) && skipsDeletion(object) {
		return nil
	}
	bound := timeoutFor(seconds, inputs, deletionBound(object))
	return s.awaitGone(ctx, urn, object, bound)
}

// skipsDeletion tells for which kinds skipAwait covers the deletion as well, as published.
func skipsDeletion(obj *unstructured.Unstructured) bool {
	gvk := obj.GroupVersionKind()
	switch gvk.Group + "/" + gvk.Kind {
	case "/Namespace", "/Pod", "/ReplicationController", "apps/DaemonSet", "apps/Deployment", "apps/StatefulSet",
		"batch/Job":
		return true
	}
	return false
}

// awaitGone waits until an object does not exist any more, or is another one of the same name.
func (s *session) awaitGone(
	ctx context.Context, urn string, object *unstructured.Unstructured, bound time.Duration,
) error {
	client, err := s.cluster.client(object)
	if err != nil {
		return err
	}
	uid := object.GetUID()
	var holding string
	look := func(ctx context.Context) (bool, error) {
		live, err := client.Get(ctx, object.GetName(), metav1.GetOptions{})
		switch {
		case err != nil && isGone(err):
			return true, nil
		case err != nil:
			// The API server may be back before the time is up.
			if ctx.Err() == nil {
				holding = fmt.Sprintf(" (%v)", err)
			}
			return false, nil
		case uid != "" && live.GetUID() != uid || live.GetDeletionTimestamp() == nil:
			return true, nil // somebody has made it anew
		}
		holding = holdingBack(live)
		s.status(urn, "waiting for the deletion"+holding)
		return false, nil
	}
	err = s.cluster.follow(ctx, []watched{{object: object}}, bound, look)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("timed out after %s waiting for the deletion%s", bound, holding)
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("operation was cancelled; the object is being deleted%s", holding)
	}
	return err
}

// holdingBack says what keeps an object from going away.
func holdingBack(live *unstructured.Unstructured) string {
	var reasons []string
	conditions, _, _ := unstructured.NestedSlice(live.Object, "status", "conditions")
	for _, c := range conditions {
		condition, _ := c.(map[string]any)
		if condition["status"] == "True" && is(live, "", "Namespace") {
			if message, ok := condition["message"].(string); ok {
				reasons = append(reasons, message)
			}
		}
	}
	if finalizers := live.GetFinalizers(); len(finalizers) > 0 {
		reasons = append(reasons, "finalizers: "+strings.Join(finalizers, ", "))
	}
	if len(reasons) == 0 {
		return ""
	}
	return " (" + strings.Join(reasons, "; ") + ")"
}
