package kubernetes

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/structpb"
)

func TestDecodeReadsWhatTheSDKReads(t *testing.T) {
	sent := resource.PropertyMap{
		"text": resource.NewProperty("x"), "number": resource.NewProperty(1.5), "flag": resource.NewProperty(true),
		"unknown": resource.MakeComputed(resource.NewProperty("")),
		"secret":  resource.MakeSecret(resource.NewProperty(resource.PropertyMap{"deep": resource.NewProperty("s")})),
		"list": resource.NewProperty([]resource.PropertyValue{
			resource.NewProperty(resource.PropertyMap{"in": resource.NewProperty("list"), "nothing": resource.NewNullProperty()}),
			resource.MakeSecret(resource.NewProperty("s")), resource.NewProperty([]resource.PropertyValue{}), resource.NewNullProperty(),
			resource.MakeComputed(resource.NewProperty("")),
		}),
		"output": resource.NewProperty(resource.Output{Element: resource.NewProperty("o"), Known: true, Secret: true}),
		"map": resource.NewProperty(resource.PropertyMap{
			"empty": resource.NewProperty(resource.PropertyMap{}), "null": resource.NewNullProperty(),
			"map": resource.NewProperty(resource.PropertyMap{"secret": resource.MakeSecret(resource.NewProperty("s"))}),
		}),
	}
	wire, err := plugin.MarshalProperties(sent, plugin.MarshalOptions{KeepUnknowns: true, KeepSecrets: true, KeepOutputValues: true})
	require.NoError(t, err)
	want, err := plugin.UnmarshalProperties(wire, wireOptions)
	require.NoError(t, err)
	got, err := decode(wire)
	require.NoError(t, err)
	assert.Equal(t, want, got)

	none, err := decode(nil)
	require.NoError(t, err)
	assert.Empty(t, none)
	_, err = decode(&structpb.Struct{Fields: map[string]*structpb.Value{"a": structpb.NewStructValue(&structpb.Struct{
		Fields: map[string]*structpb.Value{string(resource.SigKey): structpb.NewStringValue("no signature")},
	})}})
	assert.Error(t, err)
}
