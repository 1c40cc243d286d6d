package preflight

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// definitions are there if others have installed them, and belong to nobody else if the stack does.
func (i *inspector) definitions(ctx context.Context) error {
	const check = "resource definitions"
	for _, name := range i.needs.Definitions {
		_, found, err := i.definition(ctx, check, name)
		if err != nil {
			return err
		}
		if !found {
			i.report(Error, check, "none of that name", name,
				"Install it, or have the stack do it: customResourceDefinitions: install.")
		}
	}
	for _, name := range i.needs.Installs {
		definition, _, err := i.definition(ctx, check, name)
		if err != nil {
			return err
		}
		if other := owner(definition); other != "" {
			i.report(Error, check, name+" of "+other, "no other installation than the stack's, as two would undo each other's work",
				"Remove the other one, or use a cluster of its own.")
		}
	}
	return nil
}

// definition reads one. What may not be looked at has been reported, and counts as found.
func (i *inspector) definition(ctx context.Context, check, name string) (object metav1.PartialObjectMetadata, found bool, err error) {
	data, err := i.client.Discovery().RESTClient().Get().
		AbsPath("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/" + name).DoRaw(ctx)
	switch {
	case apierrors.IsNotFound(err):
		return object, false, nil
	case i.unseen(err, check, name):
		return object, true, nil
	case err != nil:
		return object, false, err
	}
	if err := json.Unmarshal(data, &object); err != nil {
		return object, false, fmt.Errorf("resource definition %s: %w", name, err)
	}
	return object, true, nil
}

// owner is another installer, as far as it leaves its name: Helm does, and the Operator Lifecycle Manager.
func owner(definition metav1.PartialObjectMetadata) string {
	const release, namespace = "meta.helm.sh/release-name", "meta.helm.sh/release-namespace"
	if name := definition.Annotations[release]; name != "" {
		return "the Helm release " + cmp.Or(definition.Annotations[namespace], "default") + "/" + name
	}
	if definition.Labels["olm.managed"] == "true" {
		return "the Operator Lifecycle Manager"
	}
	return ""
}
