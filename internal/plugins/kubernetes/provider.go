// Package kubernetes is the engine plugin for Kubernetes objects, served from the calling process instead of from a
// downloaded one.
//
// It speaks the contract of the published pulumi-kubernetes plugin with server-side apply (tokens, provider
// configuration, object state, annotations, waits), so that a program and its state can move between the two. What the
// published plugin does beyond plain objects (Helm releases, YAML rendering, invokes) is refused with an error.
package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"sync"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"
	"k8s.io/client-go/rest"
)

// Version is the release of the published plugin whose behaviour this one follows.
const Version = "4.30.0"

// Options decide where objects go.
type Options struct {
	// Target is the API server that is used whatever the provider resource says; the local control plane is reached this
	// way. Nil: as the provider resource is configured, like the published plugin.
	Target *rest.Config
	// Adopt says whether an object that exists already, and that this plugin or the published one has made, is taken over
	// by a creation: after a run that was killed before the state had it. Nil: never.
	Adopt func() bool
}

// Provider serves any number of provider resources. The published plugin runs once per provider resource; here they
// share a process, so each of the engine's connections has a session with a configuration of its own.
type Provider struct {
	pulumirpc.UnimplementedResourceProviderServer
	options Options

	mu         sync.Mutex
	configured *pulumirpc.ConfigureRequest
	ambiguous  bool
}

// New returns a provider that is ready to be registered with a gRPC server. The server must be created with the
// provider as its stats handler, which is how the provider tells the engine's connections apart.
func New(options Options) *Provider {
	return &Provider{options: options}
}

// Handshake tells the engine what this plugin understands, and learns where the engine takes messages.
func (p *Provider) Handshake(
	ctx context.Context, req *pulumirpc.ProviderHandshakeRequest,
) (*pulumirpc.ProviderHandshakeResponse, error) {
	if err := sessionOf(ctx).attach(req.GetEngineAddress()); err != nil {
		return nil, err
	}
	return &pulumirpc.ProviderHandshakeResponse{AcceptSecrets: true, SupportsAutonamingConfiguration: true}, nil
}

// Attach is how an engine introduces itself to a plugin that it has not started.
func (p *Provider) Attach(ctx context.Context, req *pulumirpc.PluginAttach) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, sessionOf(ctx).attach(req.GetAddress())
}

// GetPluginInfo returns the version that this plugin stands in for.
func (p *Provider) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: Version}, nil
}

// GetSchema returns a schema without resources: any kind is accepted.
func (p *Provider) GetSchema(
	context.Context, *pulumirpc.GetSchemaRequest,
) (*pulumirpc.GetSchemaResponse, error) {
	return &pulumirpc.GetSchemaResponse{Schema: fmt.Sprintf(`{"name":"kubernetes","version":%q}`, Version)}, nil
}

// GetMapping returns nothing: this plugin was not made from a Terraform provider.
func (p *Provider) GetMapping(
	context.Context, *pulumirpc.GetMappingRequest,
) (*pulumirpc.GetMappingResponse, error) {
	return &pulumirpc.GetMappingResponse{}, nil
}

// Invoke refuses: the functions of the published plugin (Helm templates, YAML, kustomize) have no place in a program
// that renders in process.
func (p *Provider) Invoke(_ context.Context, req *pulumirpc.InvokeRequest) (*pulumirpc.InvokeResponse, error) {
	return nil, unsupported("function " + req.GetTok())
}

// Construct refuses component resources for the same reason.
func (p *Provider) Construct(
	_ context.Context, req *pulumirpc.ConstructRequest,
) (*pulumirpc.ConstructResponse, error) {
	return nil, unsupported("component " + req.GetType())
}

// Call refuses methods of component resources.
func (p *Provider) Call(_ context.Context, req *pulumirpc.CallRequest) (*pulumirpc.CallResponse, error) {
	return nil, unsupported("method " + req.GetTok())
}

func unsupported(what string) error {
	return status.Errorf(codes.Unimplemented,
		"the built-in kubernetes plugin has no %s; only plain objects and Patch resources are supported "+
			"(use the published plugins)", what)
}

// Cancel ends the waits of the connection that asks. Operations in flight return what they have reached.
func (p *Provider) Cancel(ctx context.Context, _ *emptypb.Empty) (*emptypb.Empty, error) {
	sessionOf(ctx).cancel()
	return &emptypb.Empty{}, nil
}

// session returns the configured session of the connection that a request came over.
//
// An engine that has had nothing to ask for half an hour lets its connection go and opens another one, without
// configuring it again. There is nothing in a request that names its provider resource, so the configuration is known
// only as long as all connections have had the same.
func (p *Provider) session(ctx context.Context) (*session, error) {
	s := sessionOf(ctx)
	if s.ready() {
		return s, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case s.ready(): // by a request at the same time
		return s, nil
	case p.configured == nil:
		return nil, errors.New("the kubernetes provider is not configured")
	case p.ambiguous:
		return nil, errors.New("the engine has lost its connection to the kubernetes provider; run the operation again")
	}
	return s, s.configure(p.options, p.configured)
}

func (p *Provider) remember(req *pulumirpc.ConfigureRequest) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.configured != nil && !proto.Equal(p.configured, req) {
		p.ambiguous = true
	}
	p.configured = req
}
