package kubernetes

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil/rpcerror"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/codes"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// notReady is the error of an object that exists and has not become what was waited for. Its state is recorded, and the
// next update goes on from there.
type notReady struct {
	message string
	reasons []string
}

func (e *notReady) Error() string { return e.message }

// initFailed reports an object that exists but is not ready, in the form that makes the engine record it.
func initFailed(err error, state, inputs resource.PropertyMap, object *unstructured.Unstructured) error {
	reasons := []string{err.Error()}
	var unready *notReady
	if errors.As(err, &unready) {
		reasons = append(reasons, unready.reasons...)
	}
	reasons = hide(state, reasons...)
	detail := &pulumirpc.ErrorResourceInitFailed{Id: idOf(object), Reasons: reasons}
	var encodeErr error
	if detail.Properties, encodeErr = encode(state); encodeErr != nil {
		return errors.Join(err, fmt.Errorf("record its state: %w", encodeErr))
	}
	if inputs != nil {
		if detail.Inputs, encodeErr = encode(inputs); encodeErr != nil {
			return errors.Join(err, fmt.Errorf("record its inputs: %w", encodeErr))
		}
	}
	return rpcerror.WithDetails(rpcerror.New(codes.Unknown, reasons[0]), detail)
}

func unreachable(reason string) error {
	return fmt.Errorf("configured Kubernetes cluster is unreachable: %s", reason)
}

// kindMissing explains the one error of the API that is about something else than the object.
func kindMissing(verb string, urn resource.URN, obj *unstructured.Unstructured, err error) error {
	return fmt.Errorf("%s of resource %q with kind %s/%s failed because the Kubernetes API server reported that the "+
		"apiVersion for this resource does not exist. Verify that any required CRDs have been created: %w",
		verb, urn, obj.GetAPIVersion(), obj.GetKind(), err)
}

func notCreated(urn resource.URN, news resource.PropertyMap, err error) error {
	return fmt.Errorf("resource %q was not successfully created by the Kubernetes API server: %w", urn, hideIn(news, err))
}

// isGone tells whether an error means that an object, or its whole kind, does not exist.
func isGone(err error) bool { return apierrors.IsNotFound(err) || meta.IsNoMatchError(err) }

// unpreviewable tells whether a dry run failed for a reason that the real run will not have: what it needs is made
// earlier in the same run, or the API server cannot or must not try it.
func unpreviewable(err error) bool {
	if isGone(err) || apierrors.IsForbidden(err) || apierrors.IsAlreadyExists(err) {
		return true
	}
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return false
	}
	code, message := status.Status().Code, status.Status().Message
	switch {
	case code == http.StatusBadRequest && strings.Contains(message, "does not support dry run"):
		return true // a webhook with side effects
	case code == http.StatusInternalServerError && strings.Contains(message, "failed calling webhook"):
		return true // its server is not up yet
	}
	return false
}

// conflict explains an apply that another owner of the fields stands against.
func conflict(err error, manager string) error {
	if !apierrors.IsConflict(err) {
		return err
	}
	return fmt.Errorf("Server-Side Apply field conflict detected (field manager %q; the annotation %s: \"true\" takes "+
		"the fields over): %w", manager, annotationForce, err)
}
