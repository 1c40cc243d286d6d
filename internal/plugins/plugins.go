// Package plugins serves the engine plugins that are compiled in, and attaches them to an engine.
//
// An engine that finds a plugin's name and port in its environment connects there instead of downloading and starting
// the published plugin; a program cannot tell the difference.
package plugins

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime/debug"
	"strings"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/telekom/controlplane-infrastructure/internal/plugins/aws"
	"github.com/telekom/controlplane-infrastructure/internal/plugins/keycloak"
	"github.com/telekom/controlplane-infrastructure/internal/plugins/kubernetes"
	"github.com/telekom/controlplane-infrastructure/internal/plugins/random"
)

// EnvKey is the environment variable in which an engine looks for attached plugins.
const EnvKey = "PULUMI_DEBUG_PROVIDERS"

// maxMessage is what the engine itself accepts: some objects (definitions, dashboards) are larger than gRPC's default.
const maxMessage = 400 << 20

// Options configure the plugins.
type Options struct {
	// Kubernetes says which API server objects go to.
	Kubernetes kubernetes.Options
	// AWS says where the simulated AWS account is kept. Nil: AWS resources go to AWS, through the published plugin.
	AWS *aws.Options
	// Keycloak says where realms are.
	Keycloak keycloak.Options
	// Log receives what no engine shows: where a failure inside of a plugin happened. Nil discards it.
	Log io.Writer
}

// Host is a set of running plugins.
type Host struct {
	attached []string
	servers  []*grpc.Server
	log      io.Writer
	failures chan error
}

// Serve starts the plugins on free loopback ports. They run until ctx ends or the host is closed.
func Serve(ctx context.Context, o Options) (*Host, error) {
	if o.Log == nil {
		o.Log = io.Discard
	}
	cluster := kubernetes.New(o.Kubernetes)
	h := &Host{failures: make(chan error, 4), log: o.Log}
	err := errors.Join(
		h.serve(ctx, "kubernetes", cluster, grpc.StatsHandler(cluster)),
		h.serve(ctx, "random", random.New()),
		h.serve(ctx, "keycloak", keycloak.New(o.Keycloak)),
	)
	if o.AWS != nil {
		err = errors.Join(err, h.serve(ctx, "aws", aws.New(*o.AWS)))
	}
	if err != nil {
		return nil, errors.Join(err, h.Close())
	}
	context.AfterFunc(ctx, func() { _ = h.Close() })
	return h, nil
}

func (h *Host) serve(
	ctx context.Context, name string, provider pulumirpc.ResourceProviderServer, options ...grpc.ServerOption,
) error {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("serve the %s plugin: %w", name, err)
	}
	server := grpc.NewServer(append(options, grpc.MaxRecvMsgSize(maxMessage), grpc.MaxSendMsgSize(maxMessage),
		grpc.UnaryInterceptor(h.survive))...)
	pulumirpc.RegisterResourceProviderServer(server, provider)
	h.servers = append(h.servers, server)
	h.attached = append(h.attached, fmt.Sprintf("%s:%d", name, listener.Addr().(*net.TCPAddr).Port))
	go func() {
		// Closed before it has begun is closed as well.
		if err := server.Serve(listener); err != nil && !errors.Is(err, grpc.ErrServerStopped) {
			h.failures <- fmt.Errorf("serve the %s plugin: %w", name, err)
		}
	}()
	return nil
}

// survive turns a panic into an error of the request. A published plugin would only end its own process; here the
// program that runs the engine would go down with an operation half done.
func (h *Host) survive(
	ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler,
) (response any, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			fmt.Fprintf(h.log, "%s: %v\n%s", info.FullMethod, cause, debug.Stack())
			err = status.Errorf(codes.Internal, "the built-in plugin failed in %s: %v", info.FullMethod, cause)
		}
	}()
	return handler(ctx, request)
}

// Env returns the value of [EnvKey] that attaches these plugins to an engine.
func (h *Host) Env() string { return strings.Join(h.attached, ",") }

// Close ends the plugins. Operations in flight are cut off: the engine must be done with them.
func (h *Host) Close() error {
	for _, server := range h.servers {
		server.Stop()
	}
	select {
	case err := <-h.failures:
		return err
	default:
		return nil
	}
}
