package traefik_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

// endpoints stand for the load balancer: new connections go to one of them.
type endpoints struct {
	mutex   sync.Mutex
	servers []*server
	next    int
}

func (e *endpoints) set(servers ...*server) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	e.servers = servers
}

func (e *endpoints) dial(ctx context.Context, network, address string) (net.Conn, error) {
	e.mutex.Lock()
	e.next++
	s := e.servers[e.next%len(e.servers)]
	e.mutex.Unlock()
	return s.dial(ctx, network, address)
}

// 500 clients, each with a request under way at any time, see nothing of the change from one server to another, as an
// update makes it: the new one gets ready, then the old one is no endpoint any more and ends.
func TestRollingChange(t *testing.T) {
	const clients, takes = 500, time.Second
	i := install(t, arguments())
	backends := verify.NewCA(t, "backends")
	i.service("controlplane-system", "api", 8443, backend(t, "api.controlplane-system.svc", &backends, takes))
	i.apply(ingress("controlplane-system", "api", "api.example.com", 8443, map[string]string{"backend-protocol": "HTTPS"}))
	old := i.serve()
	balancer := &endpoints{}
	balancer.set(old)

	// Half of them have a connection each, the others share connections by HTTP/2.
	speaks := func(http2 bool) *http.Client {
		return &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
			TLSClientConfig: &tls.Config{RootCAs: pool(i.ca)}, DialContext: balancer.dial, ForceAttemptHTTP2: http2,
			MaxIdleConnsPerHost: clients, IdleConnTimeout: time.Minute,
		}}
	}
	versions := []*http.Client{speaks(false), speaks(true)}
	var answered, underWay, most atomic.Int64
	var group sync.WaitGroup
	var failures sync.Map
	changed := make(chan struct{})
	for n := range clients {
		client := versions[n%len(versions)]
		group.Go(func() {
			for {
				select {
				case <-changed:
					return
				default:
				}
				now := underWay.Add(1)
				for before := most.Load(); now > before && !most.CompareAndSwap(before, now); before = most.Load() {
				}
				if problem := ask(client); problem != "" {
					failures.Store(problem, true)
				} else {
					answered.Add(1)
				}
				underWay.Add(-1)
			}
		})
	}
	require.Eventually(t, func() bool { return answered.Load() >= clients }, 30*time.Second, 50*time.Millisecond)

	next := i.serve()
	balancer.set(old, next)
	balancer.set(next)
	before := answered.Load()
	old.Stop()
	assert.False(t, old.Running(), "within its grace period")
	require.Eventually(t, func() bool { return answered.Load() >= before+2*clients }, 30*time.Second, 50*time.Millisecond)
	close(changed)
	group.Wait()

	assert.EqualValues(t, clients, most.Load(), "all at once")
	failures.Range(func(problem, _ any) bool {
		return assert.Fail(t, "a request failed", problem)
	})
	assert.NotEmpty(t, old.logged("I have to go"), "it ended because it was asked to")
}

// ask sends a request, and says what is wrong with the answer.
func ask(c *http.Client) string {
	response, err := c.Get("https://api.example.com/")
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	var s seen
	if err := json.NewDecoder(response.Body).Decode(&s); err != nil {
		return response.Status + ": " + err.Error()
	}
	_, err = io.Copy(io.Discard, response.Body) // so that the connection can be used again
	if err != nil || s.Backend != "api.controlplane-system.svc" {
		return fmt.Sprintf("answered by %q: %v", s.Backend, err)
	}
	return ""
}

// A server that may not read the cluster's objects lives, but is not ready: it would answer everything with 404.
func TestNotReadyWithoutObjects(t *testing.T) {
	i := install(t, arguments())
	i.apply(&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "ingress", Name: "nobody"}})
	s := i.launch(i.kubeconfig("ingress", "nobody"))
	ping := func() int {
		a, err := s.client(i.ca).Get("https://traefik-management.ingress.svc:9000/ping")
		if err != nil {
			return 0
		}
		defer a.Body.Close()
		return a.StatusCode
	}
	require.Eventually(t, func() bool { return ping() == http.StatusOK }, soon, 50*time.Millisecond)
	for range 20 {
		assert.Error(t, s.Ready(t.Context()))
		time.Sleep(100 * time.Millisecond)
	}
	assert.NotEmpty(t, s.logged("forbidden"))
}
