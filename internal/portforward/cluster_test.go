package portforward

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/proxy"
	apiproxy "k8s.io/apiserver/pkg/util/proxy"
	"k8s.io/client-go/rest"
	kubelet "k8s.io/cri-streaming/pkg/streaming/portforward"
	"k8s.io/klog/v2"
	"k8s.io/streaming/pkg/httpstream/wsstream"
)

func TestMain(m *testing.M) {
	klog.SetLogger(logr.Discard()) // the API server's and the kubelet's part log every connection that is cut
	// A connection that was cut is given a second to say so before its library forgets it.
	goleak.VerifyTestMain(m, kubeletWaits, kubeletCloses, goleak.IgnoreTopFunction("github.com/moby/spdystream.(*Connection).shutdown"))
}

// kubeletWaits is the kubelet's goroutine that waits a minute for the second stream of a connection.
var kubeletWaits = goleak.IgnoreTopFunction("k8s.io/cri-streaming/pkg/streaming/portforward.(*httpStreamHandler).monitorStreamPair")

// kubeletCloses is the kubelet's goroutine that ends a stream of a connection that has broken just then: its library may
// wait for an answer for ever.
var kubeletCloses = goleak.IgnoreAnyFunction("k8s.io/cri-streaming/pkg/streaming/portforward.(*httpStreamHandler).portForward")

// cluster is what port forwarding sees of one: an API server that lists pods and passes upgraded connections on to a
// kubelet, both with the handlers of the real ones.
type cluster struct {
	api, node         *httptest.Server
	apiLine, nodeLine *breakable

	mu       sync.Mutex
	pods     []corev1.Pod
	backends map[string]string // addresses by the names of the pods

	configured, tunnels, webSockets atomic.Int32
	forbidden, noWebSockets         atomic.Bool
	noTunnels                       atomic.Bool
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{backends: map[string]string{}}
	c.node, c.nodeLine = newServer(c.serveKubelet)
	c.node.Start()
	c.api, c.apiLine = newServer(c.serveAPI)
	c.api.StartTLS()
	t.Cleanup(func() {
		c.apiLine.cut()
		c.nodeLine.cut()
		c.api.Close()
		c.node.Close()
	})
	return c
}

func newServer(serve http.HandlerFunc) (*httptest.Server, *breakable) {
	server := httptest.NewUnstartedServer(serve)
	line := &breakable{Listener: server.Listener}
	server.Listener = line
	return server, line
}

func (c *cluster) serveAPI(w http.ResponseWriter, r *http.Request) {
	const list = "/api/v1/namespaces/identity/pods"
	switch {
	case r.URL.Path == list && r.URL.Query().Get("labelSelector") == "app=iris":
		w.Header().Set("Content-Type", "application/json")
		if c.forbidden.Load() {
			w.WriteHeader(http.StatusForbidden)
			status := apierrors.NewForbidden(corev1.Resource("pods"), "", fmt.Errorf("not for you")).Status()
			status.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}
			_ = json.NewEncoder(w).Encode(status)
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		_ = json.NewEncoder(w).Encode(corev1.PodList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "PodList"}, Items: c.pods})
	case strings.HasPrefix(r.URL.Path, list+"/") && strings.HasSuffix(r.URL.Path, "/portforward"):
		if c.noTunnels.Load() {
			http.Error(w, "pods/portforward is forbidden: not for you", http.StatusForbidden)
			return
		}
		location, _ := url.Parse(c.node.URL)
		location.Path = r.URL.Path
		var forward http.Handler = proxy.NewUpgradeAwareHandler(location, nil, false, true, responder{})
		if wsstream.IsWebSocketRequest(r) {
			if c.noWebSockets.Load() {
				http.Error(w, "no WebSockets through this proxy", http.StatusBadGateway)
				return
			}
			c.webSockets.Add(1)
			forward = apiproxy.NewTunnelingHandler(forward)
		}
		forward.ServeHTTP(w, r)
	default:
		http.NotFound(w, r)
	}
}

type responder struct{}

func (responder) Error(w http.ResponseWriter, _ *http.Request, err error) {
	http.Error(w, err.Error(), http.StatusBadGateway)
}

func (c *cluster) serveKubelet(w http.ResponseWriter, r *http.Request) {
	c.tunnels.Add(1)
	name := strings.Split(r.URL.Path, "/")[6]
	kubelet.ServePortForward(w, r, c, name, "", nil, time.Minute, time.Minute, []string{kubelet.ProtocolV1Name})
}

// PortForward does what a container runtime does: it connects to the port in the pod and copies.
func (c *cluster) PortForward(_ context.Context, name, _ string, port int32, stream io.ReadWriteCloser) error {
	c.mu.Lock()
	address := c.backends[name]
	c.mu.Unlock()
	if address == "" || port != 8443 {
		return fmt.Errorf("connection refused: nothing listens on port %d", port)
	}
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(conn, stream)
		_ = conn.(*net.TCPConn).CloseWrite()
	}()
	_, err = io.Copy(stream, conn)
	_ = stream.Close()
	<-done
	return err
}

// run makes a pod of the cluster; the address is what answers at its port, or empty.
func (c *cluster) run(name, address string, ready corev1.ConditionStatus) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.backends[name] = address
	c.pods = slices.DeleteFunc(c.pods, func(p corev1.Pod) bool { return p.Name == name })
	c.pods = append(c.pods, corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "identity", UID: types.UID(name)},
		Status: corev1.PodStatus{
			Phase:      corev1.PodRunning,
			Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: ready}},
		},
	})
}

// remove takes a pod away, as the API shows it: the tunnel to it stays.
func (c *cluster) remove(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pods = slices.DeleteFunc(c.pods, func(p corev1.Pod) bool { return p.Name == name })
}

func (c *cluster) config() (*rest.Config, error) {
	c.configured.Add(1)
	return &rest.Config{Host: c.api.URL, TLSClientConfig: rest.TLSClientConfig{Insecure: true}}, nil
}

// forward listens for this cluster; what is logged is returned by the function.
func (c *cluster) forward(t *testing.T, patience time.Duration, config func() (*rest.Config, error)) (*Forwarder, func() string) {
	t.Helper()
	var log buffer
	f, err := listen(t.Context(), Options{
		Config: config,
		Target: Target{Namespace: "identity", Selector: "app=iris", Port: 8443},
		Log:    &log,
	}, patience)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.Close()) })
	return f, log.String
}

// breakable is a listener whose connections can be cut, as when a machine dies.
type breakable struct {
	net.Listener
	mu    sync.Mutex
	conns []net.Conn
}

func (b *breakable) Accept() (net.Conn, error) {
	conn, err := b.Listener.Accept()
	if err == nil {
		b.mu.Lock()
		b.conns = append(b.conns, conn)
		b.mu.Unlock()
	}
	return conn, err
}

func (b *breakable) cut() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, conn := range b.conns {
		_ = conn.Close()
	}
	b.conns = nil
}

type buffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// backend serves connections in the place of a pod.
func backend(t *testing.T, serve func(*net.TCPConn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer conn.Close()
				serve(conn.(*net.TCPConn))
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		running.Wait()
	})
	return listener.Addr().String()
}

// named answers every line with the name of the pod.
func named(t *testing.T, name string) string {
	return backend(t, func(conn *net.TCPConn) {
		one := make([]byte, 1)
		for {
			if _, err := conn.Read(one); err != nil {
				return
			}
			if one[0] == '\n' {
				_, _ = io.WriteString(conn, name+"\n")
			}
		}
	})
}
