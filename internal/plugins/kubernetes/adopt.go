package kubernetes

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// managerPrefix begins every field manager that the plugin names.
const managerPrefix = "pulumi-kubernetes-"

// maker is the field manager under which a Pulumi plugin has made an object; empty: somebody else has.
func maker(live *unstructured.Unstructured) string {
	for _, entry := range live.GetManagedFields() {
		if strings.HasPrefix(entry.Manager, managerPrefix) && entry.Subresource == "" {
			return entry.Manager
		}
	}
	return ""
}

// claimed tells whether somebody says to own anything of an object. Of one that consists of its name nobody does.
func claimed(live *unstructured.Unstructured) bool { return len(live.GetManagedFields()) > 0 }

// takeOver makes an object that exists what is wanted, and returns it with the name that owns its fields. One that is
// on its way out is waited for and made anew.
func (s *session) takeOver(
	ctx context.Context, urn resource.URN, inputs *unstructured.Unstructured, manager string,
) (*unstructured.Unstructured, string, error) {
	client, err := s.cluster.client(inputs)
	if err != nil {
		return nil, "", err
	}
	for deadline := time.Now().Add(missingBound); ; {
		live, err := client.Get(ctx, inputs.GetName(), metav1.GetOptions{})
		switch {
		case apierrors.IsNotFound(err):
			object, err := s.create(ctx, urn, inputs, manager)
			return object, manager, err
		case err != nil:
			return nil, "", err
		case live.GetDeletionTimestamp() == nil:
			return s.takeOverLive(ctx, inputs, live, manager)
		case time.Now().After(deadline):
			return nil, "", fmt.Errorf("%s exists already, and its deletion does not end", idOf(live))
		}
		s.status(string(urn), "waiting for the end of an earlier one")
		select {
		case <-ctx.Done():
			return nil, "", ctx.Err()
		case <-time.After(250 * time.Millisecond):
		}
	}
}

func (s *session) takeOverLive(
	ctx context.Context, inputs, live *unstructured.Unstructured, manager string,
) (*unstructured.Unstructured, string, error) {
	if made := maker(live); made != "" {
		manager = made
	} else if claimed(live) {
		return nil, "", fmt.Errorf("%s exists already, and no earlier run of a stack has made it", idOf(live))
	}
	u := &update{session: s, live: live, inputs: inputs, manager: manager, before: manager}
	object, err := u.apply(ctx)
	return object, manager, err
}
