package kubernetes

import (
	"context"
	"fmt"
	"sync"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/stats"
)

// cancelGrace is how long a request that has reached the API server may go on after a cancellation: an answer that is
// not waited for leaves an object that no state knows.
const cancelGrace = 6 * time.Second

// session is what one connection of an engine knows: one provider resource in one operation.
type session struct {
	ctx    context.Context // ends when the engine cancels or hangs up
	cancel context.CancelFunc

	mu       sync.Mutex
	conn     *grpc.ClientConn
	engine   pulumirpc.EngineClient
	settings settings
	cluster  *cluster // nil: unreachable
	reason   string   // why it is unreachable
	done     bool     // configured
	adopts   func() bool

	scopes scopes
}

type sessionKey struct{}

func sessionOf(ctx context.Context) *session {
	if s, ok := ctx.Value(sessionKey{}).(*session); ok {
		return s
	}
	// Without the stats handler every request would start from nothing; a request then fails as not configured.
	return newSession(context.Background())
}

func newSession(ctx context.Context) *session {
	ctx, cancel := context.WithCancel(ctx)
	return &session{ctx: ctx, cancel: cancel}
}

// TagConn implements [stats.Handler]: a connection gets its session.
func (p *Provider) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context {
	return context.WithValue(ctx, sessionKey{}, newSession(context.WithoutCancel(ctx)))
}

// HandleConn implements [stats.Handler]: an engine that hangs up ends its session.
func (p *Provider) HandleConn(ctx context.Context, event stats.ConnStats) {
	if _, ended := event.(*stats.ConnEnd); ended {
		sessionOf(ctx).close()
	}
}

// TagRPC implements [stats.Handler].
func (p *Provider) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }

// HandleRPC implements [stats.Handler].
func (p *Provider) HandleRPC(context.Context, stats.RPCStats) {}

func (s *session) ready() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.done
}

func (s *session) close() {
	s.cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil {
		_ = s.conn.Close()
		s.conn, s.engine = nil, nil
	}
}

// attach keeps the way to the engine's message log.
func (s *session) attach(address string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if address == "" || s.conn != nil {
		return nil
	}
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return fmt.Errorf("connect to the engine at %s: %w", address, err)
	}
	s.conn, s.engine = conn, pulumirpc.NewEngineClient(conn)
	return nil
}

// operation returns the context of one request: it ends with the request, and when the engine cancels.
func (s *session) operation(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(s.ctx, cancel)
	return ctx, func() { stop(); cancel() }
}

// lingering returns a context that outlives ctx by the grace that a running write deserves.
func lingering(ctx context.Context) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(cancelGrace, cancel) })
	return longer, func() { stop(); cancel() }
}

// say shows a message beside the resource; a lasting one stays in the diagnostics, others are replaced by the next.
func (s *session) say(urn string, severity pulumirpc.LogSeverity, lasting bool, message string) {
	s.mu.Lock()
	engine := s.engine
	s.mu.Unlock()
	if engine == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	// A message that cannot be shown is no reason to fail.
	_, _ = engine.Log(ctx, &pulumirpc.LogRequest{
		Severity: severity, Message: message, Urn: urn, Ephemeral: !lasting,
	})
}

func (s *session) status(urn, message string) { s.say(urn, pulumirpc.LogSeverity_INFO, false, message) }
func (s *session) warn(urn, message string)   { s.say(urn, pulumirpc.LogSeverity_WARNING, true, message) }
