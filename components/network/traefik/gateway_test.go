package traefik_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/telekom/controlplane-infrastructure/components/network/traefik"
	"github.com/telekom/controlplane-infrastructure/internal/artifact/artifacttest"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
)

// definitions installs the resource definitions of the Gateway API.
func definitions(t *testing.T) {
	t.Helper()
	tree := artifacttest.Fetch(t, "sigs.k8s.io/gateway-api", "config/crd/standard")
	set, err := manifest.ParseTree(tree)
	require.NoError(t, err)
	objects, err := client.New(cluster.REST(), client.Options{})
	require.NoError(t, err)
	for _, crd := range set.CRDs {
		require.NoError(t, objects.Create(t.Context(), crd.Unstructured.DeepCopy()))
		t.Cleanup(func() { _ = objects.Delete(context.Background(), crd.Unstructured) })
	}
	for _, crd := range set.CRDs {
		require.Eventually(t, func() bool { return established(t, objects, crd.GetName()) }, soon, 50*time.Millisecond, crd.GetName())
	}
}

func established(t *testing.T, objects client.Client, name string) bool {
	o := &unstructured.Unstructured{}
	o.SetGroupVersionKind(apiextensionsv1.SchemeGroupVersion.WithKind("CustomResourceDefinition"))
	require.NoError(t, objects.Get(t.Context(), types.NamespacedName{Name: name}, o))
	var crd apiextensionsv1.CustomResourceDefinition
	require.NoError(t, runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, &crd))
	for _, c := range crd.Status.Conditions {
		if c.Type == apiextensionsv1.Established {
			return c.Status == apiextensionsv1.ConditionTrue
		}
	}
	return false
}

// TestGatewayAPI: routes of the Gateway API are served beside Ingress objects, from the namespaces that are watched, with
// no permission in others.
func TestGatewayAPI(t *testing.T) {
	definitions(t)
	args := arguments()
	args.GatewayAPI, args.Namespaces = true, []string{"routes"}
	i := install(t, args, "routes")
	i.plainService("routes", "routed", "routed.example.com", 8080)
	i.plainService("routes", "ingress", "ingress.example.com", 8080)
	i.plainService("elsewhere", "unseen", "unseen.example.com", 8080)
	i.apply(ingress("routes", "ingress", "ingress.example.com", 8080, nil))
	i.apply(ingress("elsewhere", "unseen", "unseen.example.com", 8080, nil))
	i.apply(manifest.Custom("gateway.networking.k8s.io/v1", "HTTPRoute", "routes", "routed", "", map[string]any{
		"parentRefs": []any{map[string]any{"namespace": "ingress", "name": "traefik", "sectionName": "https"}},
		"hostnames":  []any{"routed.example.com"},
		"rules":      []any{map[string]any{"backendRefs": []any{map[string]any{"name": "routed", "port": int64(8080)}}}},
	}))
	s := i.serve()
	public := s.client(i.ca)
	require.EventuallyWithT(t, func(t *assert.CollectT) {
		assert.Equal(t, "routed", told(t, get(t, public, "https://routed.example.com/")).Backend)
		assert.Equal(t, "ingress", told(t, get(t, public, "https://ingress.example.com/")).Backend)
	}, soon, 100*time.Millisecond)
	a := get(t, public, "http://routed.example.com/x")
	assert.Equal(t, "https://routed.example.com/x", a.Header.Get("Location"))
	assert.NotEmpty(t, get(t, public, "https://routed.example.com/").Header.Get("Strict-Transport-Security"))
	assert.Equal(t, http.StatusNotFound, get(t, public, "https://unseen.example.com/").StatusCode, "not watched")
	assert.Empty(t, s.logged("forbidden"))

	route := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway"}}
	require.EventuallyWithT(t, func(t *assert.CollectT) {
		require.NoError(t, i.objects.Get(i.t.Context(), types.NamespacedName{Namespace: "ingress", Name: "traefik"}, route))
		assert.Equal(t, map[string]bool{"Accepted": true, "Programmed": true}, conditions(route))
	}, soon, 100*time.Millisecond)
}

func conditions(o *unstructured.Unstructured) map[string]bool {
	all := map[string]bool{}
	list, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	for _, c := range list {
		condition, _ := c.(map[string]any)
		all[fmt.Sprint(condition["type"])] = condition["status"] == "True"
	}
	return all
}

// TestTrustedProxies: the word of a load balancer is taken for the client's address, by headers and by the PROXY protocol.
func TestTrustedProxies(t *testing.T) {
	args := arguments()
	args.TrustedProxies, args.ProxyProtocol = []string{"127.0.0.1/32"}, true
	args.HSTS.MaxAge = 0
	i := install(t, args)
	i.plainService("shop", "plain", "plain.example.com", 8080)
	i.apply(ingress("shop", "plain", "plain.example.com", 8080, nil))
	s := i.serve()

	public := s.client(i.ca)
	a := get(t, public, "https://plain.example.com/", "X-Forwarded-For", "203.0.113.7")
	assert.Equal(t, "203.0.113.7, 127.0.0.1", told(t, a).Header.Get("X-Forwarded-For"))
	assert.Empty(t, a.Header.Get("Strict-Transport-Security"), "switched off")

	by := func(from string) *http.Client {
		return &http.Client{Timeout: 15 * time.Second, Transport: &http.Transport{
			TLSClientConfig: &tls.Config{RootCAs: pool(i.ca)}, DisableKeepAlives: true,
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
				conn, err := dialer.DialContext(ctx, network, net.JoinHostPort(s.address, "8443"))
				if err == nil {
					_, err = fmt.Fprintf(conn, "PROXY TCP4 203.0.113.8 192.0.2.1 4711 443\r\n")
				}
				return conn, err
			},
		}}
	}
	assert.Equal(t, "203.0.113.8", told(t, get(t, by("127.0.0.1"), "https://plain.example.com/")).Header.Get("X-Forwarded-For"))
	response, err := by("127.0.0.2").Get("https://plain.example.com/")
	if err == nil { // what it says before TLS is dropped, or the connection is
		defer response.Body.Close()
		var seen seen
		require.NoError(t, json.NewDecoder(bufio.NewReader(response.Body)).Decode(&seen))
		assert.Equal(t, "127.0.0.2", seen.Header.Get("X-Forwarded-For"), "nobody else's word")
	}
	forged := &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: pool(i.ca)}, DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP("127.0.0.2")}}
			return dialer.DialContext(ctx, network, net.JoinHostPort(s.address, "8443"))
		},
	}}
	a = get(t, forged, "https://plain.example.com/", "X-Forwarded-For", "203.0.113.7")
	assert.Equal(t, "127.0.0.2", told(t, a).Header.Get("X-Forwarded-For"))
}

// Servers whose arguments still name HSTS when it is switched off go on to serve until they are replaced.
func TestHSTSIsSwitchedOff(t *testing.T) {
	i := install(t, arguments())
	i.plainService("shop", "plain", "plain.example.com", 8080)
	i.apply(ingress("shop", "plain", "plain.example.com", 8080, nil))
	s := i.serve()
	public := s.client(i.ca)
	assert.NotEmpty(t, get(t, public, "https://plain.example.com/").Header.Get("Strict-Transport-Security"))

	later := rendered(t, workload.Zonal, func(a *traefik.Args) { a.HSTS.MaxAge = 0 })
	i.Find("ConfigMap", "traefik-dynamic").Unstructured = later.Find("ConfigMap", "traefik-dynamic").Unstructured
	s.Refresh()
	require.EventuallyWithT(t, func(t *assert.CollectT) {
		a := get(t, public, "https://plain.example.com/")
		assert.Equal(t, http.StatusOK, a.StatusCode)
		assert.Empty(t, a.Header.Get("Strict-Transport-Security"))
	}, soon, 100*time.Millisecond)
}
