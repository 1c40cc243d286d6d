package kubernetes

import (
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
)

// counted passes requests on and remembers them.
type counted struct {
	http.RoundTripper
	mu   sync.Mutex
	seen []string
}

func (c *counted) RoundTrip(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	c.seen = append(c.seen, r.Method+" "+r.URL.Path)
	c.mu.Unlock()
	return c.RoundTripper.RoundTrip(r)
}

// since returns what was requested since the last time.
func (c *counted) since() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer func() { c.seen = nil }()
	return c.seen
}

// Stacks have hundreds of objects, and the client's rate is limited: what an object costs is what a run takes.
func TestAnObjectCostsFewRequests(t *testing.T) {
	t.Parallel()
	requests := &counted{}
	config := real.REST()
	config.Wrap(func(rt http.RoundTripper) http.RoundTripper {
		requests.RoundTripper = rt
		return requests
	})
	e := dial(t, serve(t, Options{Target: config}))
	e.configure("enableConfigMapMutable", "true")
	ns := e.namespaceFor("requests")
	service := func(name string) doc {
		return doc{
			"apiVersion": "v1", "kind": "Service", "metadata": doc{"namespace": ns, "name": name},
			"spec": doc{"clusterIP": "None", "ports": []any{doc{"port": 80}}},
		}
	}
	settings := func(value string) doc {
		return doc{
			"apiVersion": "v1", "kind": "ConfigMap", "metadata": doc{"namespace": ns, "name": "c"}, "data": doc{"a": value},
		}
	}
	first := e.create("first", service("first")) // learns what the API server has
	requests.since()

	e.create("second", service("second"))
	assert.Equal(t, []string{"POST /api/v1/namespaces/requests/services"}, requests.since(),
		"what is ready at once is not watched, and kinds are looked up once")
	m := e.create("c", settings("1"))
	assert.Equal(t, []string{"POST /api/v1/namespaces/requests/configmaps"}, requests.since())
	assert.Len(t, paths(e.diff(m, settings("2"))), 1)
	assert.Empty(t, requests.since(), "a comparison needs no cluster")
	const path = " /api/v1/namespaces/requests/configmaps/c"
	e.update(m, settings("2"))
	assert.Equal(t, []string{"GET" + path, "PATCH" + path, "PATCH" + path}, requests.since(),
		"the first update also turns the ownership of the creation into that of an apply")
	e.update(m, settings("3"))
	assert.Equal(t, []string{"GET" + path, "PATCH" + path}, requests.since())
	e.refresh(m)
	e.refresh(first)
	assert.Equal(t, []string{"GET" + path, "GET /api/v1/namespaces/requests/services/first"}, requests.since())
}
