package portforward

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
)

const yes, no = corev1.ConditionTrue, corev1.ConditionFalse

// client connects to the local port, and gives up by itself when nothing answers.
func client(t *testing.T, f *Forwarder) *net.TCPConn {
	t.Helper()
	conn, err := net.Dial("tcp", fmt.Sprintf("localhost:%d", f.Port()))
	require.NoError(t, err)
	require.NoError(t, conn.SetDeadline(time.Now().Add(8*time.Second)))
	t.Cleanup(func() { _ = conn.Close() })
	return conn.(*net.TCPConn)
}

// ask sends a line and returns the line that comes back.
func ask(conn net.Conn) (string, error) {
	if _, err := io.WriteString(conn, "who?\n"); err != nil {
		return "", err
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	return strings.TrimSpace(line), err
}

func TestNothingIsAskedBeforeTheFirstConnection(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	f, log := c.forward(t, time.Minute, c.config)
	time.Sleep(50 * time.Millisecond)
	assert.Zero(t, c.configured.Load(), "the cluster may not exist yet")

	c.run("iris-1", named(t, "iris-1"), yes)
	answer, err := ask(client(t, f))
	require.NoError(t, err)
	assert.Equal(t, "iris-1", answer)
	assert.EqualValues(t, 1, c.configured.Load())
	assert.Empty(t, log())
}

func TestConnectionsShareATunnel(t *testing.T) {
	t.Parallel()
	for name, spdyOnly := range map[string]bool{"WebSocket": false, "SPDY, behind a proxy that refuses WebSockets": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			c.noWebSockets.Store(spdyOnly)
			server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(w, r.Body)
			}))
			t.Cleanup(server.Close)
			c.run("iris-1", server.Listener.Addr().String(), yes)
			f, log := c.forward(t, time.Minute, c.config)

			answers := make(chan error)
			for i := range 8 {
				go func() { answers <- post(f.Port(), fmt.Sprintf("request %d", i)) }()
			}
			for range 8 {
				assert.NoError(t, <-answers)
			}
			assert.EqualValues(t, 1, c.tunnels.Load())
			assert.Equal(t, !spdyOnly, c.webSockets.Load() == 1)
			assert.Empty(t, log())
		})
	}
}

// post sends a body by HTTPS on a connection of its own, and checks that it comes back.
func post(port int, body string) error {
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}
	response, err := (&http.Client{Transport: transport, Timeout: 8 * time.Second}).Post(
		fmt.Sprintf("https://localhost:%d/", port), "text/plain", strings.NewReader(body))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	got, err := io.ReadAll(response.Body)
	if err == nil && string(got) != body {
		err = fmt.Errorf("%q came back as %q", body, got)
	}
	return err
}

func TestEitherSideMayEndItsHalfFirst(t *testing.T) {
	t.Parallel()
	data := make([]byte, 8<<20)
	_, _ = rand.NewChaCha8([32]byte{}).Read(data)
	for name, spdyOnly := range map[string]bool{"WebSocket": false, "SPDY": true} {
		t.Run(name+"/client", func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			c.noWebSockets.Store(spdyOnly)
			c.run("iris-1", backend(t, func(conn *net.TCPConn) { // says all only after it has heard all
				all, _ := io.ReadAll(conn)
				_, _ = conn.Write(all)
			}), yes)
			f, log := c.forward(t, time.Minute, c.config)

			conn := client(t, f)
			_, err := conn.Write(data)
			require.NoError(t, err)
			require.NoError(t, conn.CloseWrite())
			back, err := io.ReadAll(conn)
			require.NoError(t, err)
			assert.True(t, bytes.Equal(data, back), "%d bytes of %d came back", len(back), len(data))
			assert.Empty(t, log())
		})
		t.Run(name+"/pod", func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			c.noWebSockets.Store(spdyOnly)
			heard := make(chan [32]byte, 1)
			c.run("iris-1", backend(t, func(conn *net.TCPConn) { // hears all only after it has said all
				_, _ = conn.Write(data)
				_ = conn.CloseWrite()
				all, _ := io.ReadAll(conn)
				heard <- sha256.Sum256(all)
			}), yes)
			f, log := c.forward(t, time.Minute, c.config)

			conn := client(t, f)
			said, err := io.ReadAll(conn)
			require.NoError(t, err)
			assert.True(t, bytes.Equal(data, said), "%d bytes of %d arrived", len(said), len(data))
			_, err = conn.Write(data)
			require.NoError(t, err)
			require.NoError(t, conn.CloseWrite())
			assert.Equal(t, sha256.Sum256(data), <-heard)
			assert.Empty(t, log())
		})
	}
}

func TestAConnectionWaitsForAPodThatIsReady(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	attempts := 0
	f, log := c.forward(t, time.Minute, func() (*rest.Config, error) {
		if attempts++; attempts == 1 {
			return nil, errors.New("there is no cluster yet")
		}
		return c.config()
	})
	c.run("iris-1", named(t, "iris-1"), no)
	go func() {
		time.Sleep(3 * interval)
		c.run("iris-1", c.backends["iris-1"], yes)
	}()
	answer, err := ask(client(t, f))
	require.NoError(t, err)
	assert.Equal(t, "iris-1", answer)
	assert.Empty(t, log())
}

func TestWhyNothingIsReadyIsSaidOnce(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.run("iris-1", named(t, "iris-1"), no)
	f, log := c.forward(t, interval/2, c.config)
	for range 2 {
		_, err := ask(client(t, f))
		require.Error(t, err, "the connection is closed")
	}
	assert.Equal(t, "port forwarding: port 8443 of pods app=iris in namespace identity: none of the pods (1) is ready (waited 250ms)\n", log())
}

func TestAMissingPermissionIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		refuse func(*cluster)
		want   string
	}{
		"list":        {func(c *cluster) { c.forbidden.Store(true) }, "list the pods: pods is forbidden: not for you"},
		"portforward": {func(c *cluster) { c.noTunnels.Store(true) }, "tunnel to pod iris-1: the API server refuses: unable to upgrade connection: pods/portforward is forbidden: not for you"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			c.run("iris-1", named(t, "iris-1"), yes)
			test.refuse(c)
			f, log := c.forward(t, time.Minute, c.config)
			start := time.Now()
			_, err := ask(client(t, f))
			require.Error(t, err)
			assert.Less(t, time.Since(start), 5*time.Second)
			assert.Contains(t, log(), test.want)
		})
	}
}

func TestAConnectionGoesWhereAPodIsReady(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.run("iris-1", named(t, "iris-1"), yes)
	f, log := c.forward(t, time.Minute, c.config)
	first := client(t, f)
	answer, err := ask(first)
	require.NoError(t, err)
	require.Equal(t, "iris-1", answer)

	c.run("iris-0", named(t, "iris-0"), yes)
	time.Sleep(interval)
	answer, err = ask(client(t, f))
	require.NoError(t, err)
	assert.Equal(t, "iris-1", answer, "the pod that worked is preferred")

	c.remove("iris-1")
	time.Sleep(interval)
	answer, err = ask(client(t, f))
	require.NoError(t, err)
	assert.Equal(t, "iris-0", answer)

	answer, err = ask(first)
	require.NoError(t, err, "a connection to a pod that ends is not cut before the pod does so")
	assert.Equal(t, "iris-1", answer)
	assert.Empty(t, log())
}

func TestABrokenTunnelIsDialledAnew(t *testing.T) {
	t.Parallel()
	for name, cut := range map[string]func(*cluster){
		"behind the API server":    func(c *cluster) { c.nodeLine.cut() },
		"before the API server":    func(c *cluster) { c.apiLine.cut() },
		"SPDY, behind the server":  func(c *cluster) { c.nodeLine.cut() },
		"the API server restarted": func(c *cluster) { c.apiLine.cut(); c.nodeLine.cut() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			c.noWebSockets.Store(strings.HasPrefix(name, "SPDY"))
			c.run("iris-1", named(t, "iris-1"), yes)
			f, log := c.forward(t, time.Minute, c.config)
			first, start := client(t, f), time.Now()
			_, err := ask(first)
			require.NoError(t, err)

			cut(c)
			_, err = ask(first)
			require.Error(t, err)
			answer, err := ask(client(t, f))
			require.NoError(t, err)
			assert.Equal(t, "iris-1", answer)
			assert.Less(t, time.Since(start), 3*time.Second, "a broken tunnel shows when it is used, not only after a time")
			assert.EqualValues(t, 2, c.tunnels.Load())
			assert.Eventually(t, func() bool {
				return log() == "port forwarding: port 8443 of pods app=iris in namespace identity: pod iris-1: the connection through the Kubernetes API broke\n"
			}, 5*time.Second, 5*time.Millisecond)
		})
	}
}

func TestAPodThatRefusesIsAvoided(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.run("iris-1", "", yes)
	f, log := c.forward(t, time.Minute, c.config)
	_, err := ask(client(t, f))
	require.Error(t, err)
	require.Eventually(t, func() bool { return strings.Contains(log(), "nothing listens on port 8443") }, 5*time.Second, 10*time.Millisecond)

	c.run("iris-2", named(t, "iris-2"), yes)
	answer, err := ask(client(t, f))
	require.NoError(t, err)
	assert.Equal(t, "iris-2", answer)
}

func TestABusyPortIsAnErrorThatSaysWhatToChange(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		listener, err := net.Listen("tcp", address)
		require.NoError(t, err)
		port := listener.Addr().(*net.TCPAddr).Port
		_, err = Listen(t.Context(), Options{LocalPort: port})
		require.ErrorContains(t, err, fmt.Sprintf("port %d of localhost is in use", port))
		require.ErrorContains(t, err, "identity.adminApi.url")
		require.NoError(t, listener.Close())
	}
}

func TestCloseEndsEverything(t *testing.T) { // not parallel: it counts goroutines
	for range 5 { // what other tests began may still be ending
		if goleak.Find(kubeletWaits, kubeletCloses) == nil {
			break
		}
	}
	c := newCluster(t)
	c.run("iris-1", named(t, "iris-1"), yes)
	before := goleak.IgnoreCurrent()
	for name, end := range map[string]func(*Forwarder, context.CancelFunc) error{
		"Close":   func(f *Forwarder, _ context.CancelFunc) error { return f.Close() },
		"context": func(f *Forwarder, cancel context.CancelFunc) error { cancel(); return f.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var log buffer
			f, err := Listen(ctx, Options{Config: c.config, Target: Target{Namespace: "identity", Selector: "app=iris", Port: 8443}, Log: &log})
			require.NoError(t, err)
			open, waiting := client(t, f), client(t, f)
			_, err = ask(open)
			require.NoError(t, err)

			require.NoError(t, end(f, cancel))
			for _, conn := range []net.Conn{open, waiting} {
				_, err = conn.Read(make([]byte, 1))
				require.Error(t, err)
				require.NotErrorIs(t, err, context.DeadlineExceeded)
				require.NoError(t, conn.Close())
			}
			_, err = net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", f.Port()))
			require.ErrorContains(t, err, "refused")
			require.NoError(t, f.Close(), "twice is no error")
			assert.Empty(t, log.String())
			goleak.VerifyNone(t, before, kubeletWaits, kubeletCloses)
		})
	}
}
