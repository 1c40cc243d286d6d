package kubernetes

import (
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"google.golang.org/protobuf/types/known/structpb"
)

var wireOptions = plugin.MarshalOptions{KeepUnknowns: true, KeepSecrets: true, SkipNulls: true}

func encode(m resource.PropertyMap) (*structpb.Struct, error) {
	return plugin.MarshalProperties(m, wireOptions)
}

// decode reads properties off the wire, with secrets and unknowns kept as such. The SDK's own reader copies every map once
// for each level above it, to look for a signature. That was a quarter of this process's work in an update of definitions
// as deep as Kubernetes' are, so here only maps that have a signature are left to it.
func decode(s *structpb.Struct) (resource.PropertyMap, error) {
	m := make(resource.PropertyMap, len(s.GetFields()))
	for name, field := range s.GetFields() {
		key := resource.PropertyKey(name)
		v, err := decodeValue(key, field)
		if err != nil {
			return nil, err
		}
		if !v.IsNull() {
			m[key] = v
		}
	}
	return m, nil
}

func decodeValue(key resource.PropertyKey, v *structpb.Value) (resource.PropertyValue, error) {
	switch kind := v.GetKind().(type) {
	case *structpb.Value_StructValue:
		if _, signed := kind.StructValue.GetFields()[string(resource.SigKey)]; signed {
			break
		}
		m, err := decode(kind.StructValue)
		return resource.NewProperty(m), err
	case *structpb.Value_ListValue:
		items := make([]resource.PropertyValue, len(kind.ListValue.GetValues()))
		for i, item := range kind.ListValue.GetValues() {
			var err error
			if items[i], err = decodeValue(key, item); err != nil {
				return resource.PropertyValue{}, err
			}
		}
		return resource.NewProperty(items), nil
	}
	read, err := plugin.UnmarshalPropertyValue(key, v, wireOptions)
	if err != nil || read == nil {
		return resource.NewNullProperty(), err
	}
	return *read, nil
}
