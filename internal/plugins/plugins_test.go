package plugins

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"github.com/telekom/controlplane-infrastructure/internal/plugins/aws"
)

func TestAFailureInAPluginIsAnErrorOfItsRequest(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	h := &Host{log: &log}
	_, err := h.survive(t.Context(), nil, &grpc.UnaryServerInfo{FullMethod: "/Create"},
		func(context.Context, any) (any, error) { panic("no such thing") })
	require.ErrorContains(t, err, "the built-in plugin failed in /Create: no such thing")
	assert.Contains(t, log.String(), "plugins_test.go", "the log says where")
}

func TestClosedBeforeItHasBegunIsNoFailure(t *testing.T) {
	t.Parallel()
	for range 20 {
		h, err := Serve(t.Context(), Options{})
		require.NoError(t, err)
		require.NoError(t, h.Close())
		require.Never(t, func() bool { return len(h.failures) > 0 }, 10*time.Millisecond, 2*time.Millisecond)
	}
}

func TestPortsCloseWithTheContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	h, err := Serve(ctx, Options{AWS: &aws.Options{}})
	require.NoError(t, err)
	assert.Regexp(t, `^kubernetes:\d+,random:\d+,keycloak:\d+,aws:\d+$`, h.Env())
	cancel()
	_, port, _ := strings.Cut(strings.Split(h.Env(), ",")[0], ":")
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	}, 5*time.Second, 20*time.Millisecond, "nothing listens any more")
	require.NoError(t, h.Close(), "closing what is closed is no error")
}

func TestWithoutAnAccountThereIsNoAWS(t *testing.T) {
	t.Parallel()
	h, err := Serve(t.Context(), Options{})
	require.NoError(t, err)
	assert.Regexp(t, `^kubernetes:\d+,random:\d+,keycloak:\d+$`, h.Env())
	require.NoError(t, h.Close())
}
