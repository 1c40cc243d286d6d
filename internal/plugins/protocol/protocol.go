// Package protocol is what plugins that need no configuration of their own to introduce themselves have in common:
// the answers to an engine's first questions, and the form of properties on the wire.
package protocol

import (
	"context"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"
)

// Connection names the engine's connection that a request came over.
func Connection(ctx context.Context) string {
	if p, ok := peer.FromContext(ctx); ok {
		return p.Addr.String()
	}
	return ""
}

// Base answers for a plugin that has no schema and no functions. Plugins embed it and add their resources.
type Base struct {
	pulumirpc.UnimplementedResourceProviderServer
	// Name and Version are the published plugin's that this one stands in for.
	Name, Version string
	// Secrets says that the plugin tells secrets from other values. Otherwise it gets plain values, and the engine
	// remembers which were secret.
	Secrets bool
}

// Handshake tells the engine what this plugin understands.
func (b Base) Handshake(
	context.Context, *pulumirpc.ProviderHandshakeRequest,
) (*pulumirpc.ProviderHandshakeResponse, error) {
	return &pulumirpc.ProviderHandshakeResponse{AcceptSecrets: b.Secrets}, nil
}

// Attach is how an engine introduces itself to a plugin that it has not started.
func (b Base) Attach(context.Context, *pulumirpc.PluginAttach) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

// GetPluginInfo returns the version that this plugin stands in for.
func (b Base) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: b.Version}, nil
}

// GetSchema returns a schema without resources.
func (b Base) GetSchema(context.Context, *pulumirpc.GetSchemaRequest) (*pulumirpc.GetSchemaResponse, error) {
	return &pulumirpc.GetSchemaResponse{Schema: fmt.Sprintf(`{"name":%q,"version":%q}`, b.Name, b.Version)}, nil
}

// CheckConfig accepts the configuration.
func (b Base) CheckConfig(_ context.Context, req *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	return &pulumirpc.CheckResponse{Inputs: req.GetNews()}, nil
}

// DiffConfig finds no change that matters.
func (b Base) DiffConfig(context.Context, *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	return &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_NONE}, nil
}

// Configure has nothing to do.
func (b Base) Configure(context.Context, *pulumirpc.ConfigureRequest) (*pulumirpc.ConfigureResponse, error) {
	return &pulumirpc.ConfigureResponse{AcceptSecrets: b.Secrets, SupportsPreview: true}, nil
}

// Cancel has nothing to end.
func (b Base) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

// Invoke refuses.
func (b Base) Invoke(_ context.Context, req *pulumirpc.InvokeRequest) (*pulumirpc.InvokeResponse, error) {
	return nil, status.Errorf(codes.Unimplemented, "the built-in %s plugin has no function %s", b.Name, req.GetTok())
}

// UnknownType is the answer to a type that the plugin does not have.
func (b Base) UnknownType(token string, known []string) error {
	return status.Errorf(codes.Unimplemented,
		"the built-in %s plugin has no type %s; it has %v (use the published plugins for others)", b.Name, token, known)
}

// Decode reads properties.
func Decode(s *structpb.Struct) (resource.PropertyMap, error) {
	return plugin.UnmarshalProperties(s, plugin.MarshalOptions{KeepUnknowns: true, KeepSecrets: true, SkipNulls: true})
}

// Encode writes properties.
func Encode(m resource.PropertyMap) (*structpb.Struct, error) {
	return plugin.MarshalProperties(m, plugin.MarshalOptions{KeepUnknowns: true, KeepSecrets: true})
}
