package traefik_test

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

// seen is what a backend tells of a request.
type seen struct {
	Backend, Host, Path, Proto string
	Header                     http.Header
}

// backend answers with what it has seen. With an authority it does so by TLS, with a certificate for its name.
func backend(t *testing.T, name string, ca *verify.CA, takes time.Duration) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := listener.Addr().(*net.TCPAddr).Port
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(takes)
		_ = json.NewEncoder(w).Encode(seen{name, r.Host, r.URL.Path, r.Proto, r.Header})
	})
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	t.Cleanup(func() { _ = server.Close() })
	if ca == nil {
		go func() { _ = server.Serve(listener) }()
		return port
	}
	certificate, key := issue(t, *ca, name)
	pair, err := tls.X509KeyPair(certificate, key)
	require.NoError(t, err)
	server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{pair}}
	go func() { _ = server.ServeTLS(listener, "", "") }()
	return port
}

// podAddress is that of all backends, for the API server: it takes no addresses of the loopback. The network leads
// connections to it to this machine.
const podAddress = "192.0.2.1"

// network is the way from Traefik to the pods, as a proxy for HTTP: whatever address is asked for, it leads to the port
// on the loopback. Requests without TLS come with the name of their host in place of the address.
type network struct {
	url   string
	plain sync.Map // ports by hosts
}

func newNetwork(t *testing.T) *network {
	t.Helper()
	n := &network{}
	plain := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		port, _ := n.plain.Load(r.In.Host)
		r.Out.URL.Host = fmt.Sprintf("127.0.0.1:%d", port)
		r.Out.Header = r.In.Header.Clone() // the forwarding headers too
	}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodConnect {
			tunnel(w, r)
		} else {
			plain.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	n.url = server.URL
	return n
}

func tunnel(w http.ResponseWriter, r *http.Request) {
	_, port, err := net.SplitHostPort(r.Host)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	to, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", port))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer to.Close()
	w.WriteHeader(http.StatusOK)
	from, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer from.Close()
	go func() {
		_, _ = io.Copy(to, buffered)
		_ = to.(*net.TCPConn).CloseWrite()
	}()
	_, _ = io.Copy(from, to)
}

// service makes a Service whose one endpoint is a port of this machine.
func (i *installation) service(namespace, name string, port, target int) {
	i.t.Helper()
	i.apply(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})
	meta := metav1.ObjectMeta{Namespace: namespace, Name: name}
	i.apply(&corev1.Service{ObjectMeta: meta, Spec: corev1.ServiceSpec{
		ClusterIP: corev1.ClusterIPNone, Ports: []corev1.ServicePort{{Name: "web", Port: int32(port)}},
	}})
	meta.Labels = map[string]string{discoveryv1.LabelServiceName: name}
	i.apply(&discoveryv1.EndpointSlice{
		ObjectMeta: meta, AddressType: discoveryv1.AddressTypeIPv4,
		Endpoints: []discoveryv1.Endpoint{{
			Addresses: []string{podAddress}, Conditions: discoveryv1.EndpointConditions{Ready: new(true), Serving: new(true)},
		}},
		Ports: []discoveryv1.EndpointPort{{Name: new("web"), Port: new(int32(target))}},
	})
}

// ingress leads a host to a Service of the same name as the Ingress. The annotations are those of ingress-nginx.
func ingress(namespace, name, host string, port int, annotations map[string]string) *networkingv1.Ingress {
	o := &networkingv1.Ingress{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Annotations: map[string]string{}}}
	for key, value := range annotations {
		o.Annotations["nginx.ingress.kubernetes.io/"+key] = value
	}
	o.Spec.Rules = []networkingv1.IngressRule{{Host: host, IngressRuleValue: networkingv1.IngressRuleValue{
		HTTP: &networkingv1.HTTPIngressRuleValue{Paths: []networkingv1.HTTPIngressPath{{
			Path: "/", PathType: new(networkingv1.PathTypePrefix),
			Backend: networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{
				Name: name, Port: networkingv1.ServiceBackendPort{Number: int32(port)},
			}},
		}}},
	}}}
	return o
}

// secret makes a Secret of a certificate.
func (i *installation) secret(namespace, name string, ca verify.CA, hosts ...string) {
	i.t.Helper()
	certificate, key := issue(i.t, ca, hosts...)
	i.apply(&corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Type: corev1.SecretTypeTLS,
		Data: map[string][]byte{corev1.TLSCertKey: certificate, corev1.TLSPrivateKeyKey: key, "ca.crt": []byte(ca.Certificate)},
	})
}

// plainService is a Service without TLS, for requests to a host.
func (i *installation) plainService(namespace, name, host string, port int) {
	i.t.Helper()
	target := backend(i.t, name, nil, 0)
	i.network.plain.Store(host, target)
	i.service(namespace, name, port, target)
}

// told is what the backend has seen of an answered request.
func told(t require.TestingT, a answer) seen {
	require.Equal(t, http.StatusOK, a.StatusCode, a.body)
	var s seen
	require.NoError(t, json.Unmarshal([]byte(a.body), &s), strconv.Quote(a.body))
	return s
}
