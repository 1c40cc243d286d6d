package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Check completes a resource's inputs: a name when none is given, and the namespace. Secrets and unknowns stay where
// they are. It needs no cluster.
func (p *Provider) Check(ctx context.Context, req *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	s, err := p.session(ctx)
	if err != nil {
		return nil, err
	}
	urn := resource.URN(req.GetUrn())
	if s.cluster == nil && s.settings.skipUpdateUnreachable && len(req.GetOlds().GetFields()) > 0 {
		s.warn(string(urn), "the cluster is unreachable and skipUpdateUnreachable is set: left as it is")
		return &pulumirpc.CheckResponse{Inputs: req.GetOlds()}, nil
	}
	if isList(urn) {
		return nil, fmt.Errorf("%s: a list cannot be created; register the objects in it", urn.Type())
	}
	olds, err := decode(req.GetOlds())
	if err != nil {
		return nil, fmt.Errorf("old inputs: %w", err)
	}
	news, err := decode(req.GetNews())
	if err != nil {
		return nil, fmt.Errorf("inputs: %w", err)
	}

	if annotation(toObject(news), annotationAutonamed) != "" {
		s.warn(string(urn), fmt.Sprintf("annotation %s is the plugin's own; do not set it", annotationAutonamed))
	}
	if failure := s.complete(urn, olds, news, req); failure != nil {
		return &pulumirpc.CheckResponse{Inputs: req.GetNews(), Failures: []*pulumirpc.CheckFailure{failure}}, nil
	}
	obj := toObject(news)
	if isCRD(obj) {
		s.scopes.learn(obj)
	}
	// Inputs are recorded as well: what is secret by its kind must not lie there in plain text.
	conceal(news, news)
	inputs, err := encode(news)
	if err != nil {
		return nil, fmt.Errorf("checked inputs: %w", err)
	}
	return &pulumirpc.CheckResponse{Inputs: inputs}, nil
}

// complete fills in what the program left to the plugin.
func (s *session) complete(
	urn resource.URN, olds, news resource.PropertyMap, req *pulumirpc.CheckRequest,
) *pulumirpc.CheckFailure {
	gvk, err := identity(urn, news)
	if err != nil {
		return &pulumirpc.CheckFailure{Reason: err.Error()}
	}
	dropReadOnly(news)
	metadata, settable := metadataOf(news)
	if !settable {
		return nil // not known yet: nothing to fill in
	}
	if _, given := metadata["generateName"]; given && !isGiven(metadata["name"]) {
		return &pulumirpc.CheckFailure{
			Property: "metadata.generateName",
			Reason:   "generateName is not supported with server-side apply; set metadata.name, or none for an automatic one",
		}
	}
	if isPatch(urn, gvk.Kind) {
		if !isGiven(metadata["name"]) {
			return &pulumirpc.CheckFailure{
				Property: "metadata.name", Reason: "a Patch resource needs the name of the object that it patches",
			}
		}
	} else if err := assignName(urn, olds, metadata, req); err != nil {
		return &pulumirpc.CheckFailure{Property: "metadata.name", Reason: err.Error()}
	}
	if s.settings.namespace != "" && !isGiven(metadata["namespace"]) && s.namespaced(gvk) {
		metadata["namespace"] = resource.NewProperty(s.settings.namespace)
	}
	return nil
}

// identity returns the kind of the object, and makes sure that the inputs name it: they are what is sent.
func identity(urn resource.URN, news resource.PropertyMap) (schema.GroupVersionKind, error) {
	gvk, err := kindOf(urn)
	if err != nil {
		return gvk, err
	}
	kind, ok := plain(news["kind"])
	if !ok || !kind.IsString() {
		// The typed SDKs always send both; a program that leaves them out means what its token says.
		gvk.Kind = strings.TrimSuffix(gvk.Kind, "Patch")
		news["kind"] = resource.NewProperty(gvk.Kind)
	} else {
		gvk.Kind = kind.StringValue()
	}
	version, ok := plain(news["apiVersion"])
	if !ok || !version.IsString() {
		news["apiVersion"] = resource.NewProperty(gvk.GroupVersion().String())
		return gvk, nil
	}
	gv, err := schema.ParseGroupVersion(strings.TrimPrefix(version.StringValue(), "core/"))
	if err != nil {
		return gvk, fmt.Errorf("apiVersion: %w", err)
	}
	return gv.WithKind(gvk.Kind), nil
}

// metadataOf returns the metadata to be filled in; false when all of it is not known yet.
func metadataOf(obj resource.PropertyMap) (resource.PropertyMap, bool) {
	v, present := obj["metadata"]
	if !present || v.IsNull() {
		metadata := resource.PropertyMap{}
		obj["metadata"] = resource.NewProperty(metadata)
		return metadata, true
	}
	v, ok := plain(v)
	if !ok || !v.IsObject() {
		return nil, false
	}
	return v.ObjectValue(), true
}

// isGiven tells whether a program has given a value, known or not.
func isGiven(v resource.PropertyValue) bool {
	for v.IsSecret() {
		v = v.SecretValue().Element
	}
	if v.IsComputed() || v.IsOutput() {
		return true
	}
	return v.IsString() && v.StringValue() != ""
}

// assignName names an object that the program has not named: as before, or after the resource with a random suffix.
// The mark tells later steps that a replacement can have another name, and so come before the deletion.
func assignName(urn resource.URN, olds, metadata resource.PropertyMap, req *pulumirpc.CheckRequest) error {
	if isGiven(metadata["name"]) {
		return nil
	}
	name := ""
	if len(olds) > 0 {
		old := toObject(olds)
		if !annotated(old, annotationAutonamed) {
			// The name was the program's, and is gone from it: that is a replacement, which is checked once more, without
			// the old inputs.
			return nil
		}
		name = old.GetName()
	} else {
		var err error
		if name, err = newName(urn, req); err != nil {
			return err
		}
	}
	metadata["name"] = resource.NewProperty(name)
	annotations, ok := plain(metadata["annotations"])
	switch {
	case ok && annotations.IsObject():
		annotations.ObjectValue()[annotationAutonamed] = resource.NewProperty("true")
	case metadata["annotations"].IsNull():
		metadata["annotations"] = resource.NewProperty(resource.PropertyMap{
			annotationAutonamed: resource.NewProperty("true"),
		})
	}
	return nil
}

// newName follows the engine's naming configuration; without one, eight hexadecimal digits after the resource's name.
func newName(urn resource.URN, req *pulumirpc.CheckRequest) (string, error) {
	if options := req.GetAutonaming(); options != nil {
		switch options.GetMode() {
		case pulumirpc.CheckRequest_AutonamingOptions_DISABLE:
			return "", errors.New("automatic naming is disabled by configuration: set metadata.name")
		case pulumirpc.CheckRequest_AutonamingOptions_ENFORCE, pulumirpc.CheckRequest_AutonamingOptions_PROPOSE:
			if name := options.GetProposedName(); name != "" {
				return name, nil
			}
		}
	}
	return resource.NewUniqueName(req.GetRandomSeed(), urn.Name()+"-", 0, 0, nil)
}
