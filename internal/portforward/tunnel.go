package portforward

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/streaming/pkg/httpstream"
)

// tunnel is an upgraded connection to the API server that ends at a pod. It closes when it is retired and nobody uses it.
type tunnel struct {
	pod  corev1.Pod
	conn httpstream.Connection

	mu      sync.Mutex
	users   int
	retired bool
	request int // number of the last connection in it
}

// dial opens a tunnel to a pod: by WebSocket, or by SPDY where something on the way refuses WebSockets.
func dial(ctx context.Context, config *rest.Config, client rest.Interface, pod corev1.Pod) (*tunnel, error) {
	target := client.Post().Resource("pods").Namespace(pod.Namespace).Name(pod.Name).SubResource("portforward").URL()
	dialer, refused, err := newDialer(config, target)
	if err != nil {
		return nil, fmt.Errorf("tunnel to pod %s: %w", pod.Name, err)
	}
	conn, err := within(ctx, answerTime, nil, func() (httpstream.Connection, error) {
		conn, protocol, err := dialer.Dial(portforward.PortForwardProtocolV1Name)
		if err == nil && protocol != portforward.PortForwardProtocolV1Name {
			err = errors.Join(fmt.Errorf("protocol %q instead of %q", protocol, portforward.PortForwardProtocolV1Name), conn.Close())
		}
		return conn, err
	}, func(late httpstream.Connection) { _ = late.Close() })
	switch {
	case err == nil:
		return &tunnel{pod: pod, conn: conn}, nil
	case refused():
		return nil, fmt.Errorf("tunnel to pod %s: %w: %w", pod.Name, errRefused, err)
	default:
		return nil, fmt.Errorf("tunnel to pod %s: %w", pod.Name, err)
	}
}

// newDialer returns what dials, and what then tells whether the API server refused the credentials. The dialer's error
// says so in words only.
func newDialer(config *rest.Config, target *url.URL) (httpstream.Dialer, func() bool, error) {
	webSocket, err := portforward.NewSPDYOverWebsocketDialerForStreaming(target, config)
	if err != nil {
		return nil, nil, err
	}
	transport, upgrader, err := spdy.RoundTripperFor(config)
	if err != nil {
		return nil, nil, err
	}
	observed := &observer{transport: transport}
	plain := spdy.NewDialerForStreaming(upgrader, &http.Client{Transport: observed}, http.MethodPost, target)
	return portforward.NewFallbackDialerForStreaming(webSocket, plain, func(err error) bool {
		return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
	}), observed.refused, nil
}

// observer remembers the status of the last answer.
type observer struct {
	transport http.RoundTripper
	mu        sync.Mutex
	status    int
}

func (o *observer) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := o.transport.RoundTrip(request)
	if err == nil {
		o.mu.Lock()
		o.status = response.StatusCode
		o.mu.Unlock()
	}
	return response, err
}

func (o *observer) refused() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.status == http.StatusForbidden || o.status == http.StatusUnauthorized
}

// open begins a connection to a port of the pod: a stream for its data, and one on which the kubelet reports a failure.
// What it returns holds on to the tunnel until it is closed.
func (t *tunnel) open(port int) (*streams, error) {
	t.mu.Lock()
	t.request++
	headers := http.Header{}
	headers.Set(corev1.PortHeader, strconv.Itoa(port))
	headers.Set(corev1.PortForwardRequestIDHeader, strconv.Itoa(t.request))
	t.mu.Unlock()

	failure, err := t.stream(headers, corev1.StreamTypeError)
	if err != nil {
		return nil, err
	}
	_ = failure.Close() // our side of it has nothing to say
	data, err := t.stream(headers, corev1.StreamTypeData)
	if err != nil {
		_ = failure.Reset()
		t.conn.RemoveStreams(failure)
		return nil, err
	}
	return &streams{tunnel: t, data: data, failure: failure}, nil
}

// stream is not told when the forwarder closes: a stream that is half open would keep its library waiting.
func (t *tunnel) stream(headers http.Header, kind string) (httpstream.Stream, error) {
	headers = headers.Clone()
	headers.Set(corev1.StreamType, kind)
	s, err := within(context.Background(), answerTime, t.conn.CloseChan(), func() (httpstream.Stream, error) {
		return t.conn.CreateStream(headers)
	}, func(late httpstream.Stream) { _ = late.Reset() })
	if err != nil {
		return nil, fmt.Errorf("tunnel to pod %s: %w", t.pod.Name, err)
	}
	return s, nil
}

// broken reports whether the connection to the API server has ended.
func (t *tunnel) broken() bool {
	select {
	case <-t.conn.CloseChan():
		return true
	default:
		return false
	}
}

func (t *tunnel) brokenError() error { return fmt.Errorf("pod %s: %w", t.pod.Name, errBroken) }

func (t *tunnel) use() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.users++
}

func (t *tunnel) release() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.users--
	t.closeIfIdle()
}

func (t *tunnel) retire() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.retired = true
	t.closeIfIdle()
}

func (t *tunnel) closeIfIdle() {
	if t.retired && t.users == 0 {
		_ = t.conn.Close() // the API server may have closed it before us
	}
}

var (
	errBroken = errors.New("the connection through the Kubernetes API broke")
	errSilent = fmt.Errorf("no answer within %s", answerTime)
)

// within does something that can't be told to stop, and does not wait for it longer than sensible. What it yields too
// late is thrown away.
func within[T any](ctx context.Context, limit time.Duration, broken <-chan bool, do func() (T, error), discard func(T)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := do()
		done <- result{value, err}
	}()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	err := errSilent
	select {
	case r := <-done:
		return r.value, r.err
	case <-timer.C:
	case <-broken:
		err = errBroken
	case <-ctx.Done():
		err = ctx.Err()
	}
	go func() {
		if r := <-done; r.err == nil {
			discard(r.value)
		}
	}()
	var none T
	return none, err
}
