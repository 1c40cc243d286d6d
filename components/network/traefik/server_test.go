package traefik_test

import (
	"crypto/tls"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/telekom/controlplane-infrastructure/tests/metrics"
	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

// soon is how long a change in the cluster may take to be served.
const soon = 20 * time.Second

// TestServer shows what a server with nothing but the rendered arguments, files and permissions does.
func TestServer(t *testing.T) {
	i := install(t, arguments())
	backends := verify.NewCA(t, "backends")
	other := verify.NewCA(t, "other")

	i.service("controlplane-system", "api", 8443, backend(t, "api.controlplane-system.svc", &backends, 0))
	i.apply(ingress("controlplane-system", "api", "api.example.com", 8443, map[string]string{"backend-protocol": "HTTPS"}))

	i.plainService("shop", "plain", "shop.test", 8080)
	i.secret("shop", "own-tls", other, "shop.test")
	plain := ingress("shop", "plain", "shop.test", 8080, nil)
	plain.Spec.IngressClassName = new("traefik")
	plain.Spec.TLS = []networkingv1.IngressTLS{{Hosts: []string{"shop.test"}, SecretName: "own-tls"}}
	i.apply(plain)

	s := i.serve()
	// What has been there before the server is served as soon as it is ready.
	public := s.client(i.ca)
	api := told(t, get(t, public, "https://api.example.com/v1/zones"))

	t.Run("an Ingress of the Control Plane", func(t *testing.T) {
		assert.Equal(t, "api.controlplane-system.svc", api.Backend, "without class and TLS section, by HTTPS on both sides")
		assert.Equal(t, "api.example.com", api.Host)
		assert.Equal(t, "/v1/zones", api.Path)
		created, err := i.clients.NetworkingV1().Ingresses("controlplane-system").Get(t.Context(), "api", metav1.GetOptions{})
		require.NoError(t, err)
		assert.Equal(t, "traefik", *created.Spec.IngressClassName, "the default class")
		assert.Empty(t, created.Spec.TLS)
	})
	t.Run("a certificate of its own, and a backend without TLS", func(t *testing.T) {
		assert.Equal(t, "plain", told(t, get(t, s.client(other), "https://shop.test/")).Backend)
	})
	t.Run("redirect", func(t *testing.T) {
		for _, host := range []string{"api.example.com", "shop.test", "unknown.example.com"} {
			a := get(t, public, "http://"+host+"/a/b?c=d")
			assert.Equal(t, http.StatusMovedPermanently, a.StatusCode)
			assert.Equal(t, "https://"+host+"/a/b?c=d", a.Header.Get("Location"))
		}
	})
	t.Run("proof to an ACME server", func(t *testing.T) {
		i := i.within(t)
		i.plainService("shop", "solver", "new.example.com", 8089)
		solver := ingress("shop", "solver", "new.example.com", 8089, map[string]string{"whitelist-source-range": "0.0.0.0/0,::/0"})
		solver.Spec.Rules[0].HTTP.Paths[0].Path = "/.well-known/acme-challenge/token"
		solver.Spec.Rules[0].HTTP.Paths[0].PathType = new(networkingv1.PathTypeImplementationSpecific)
		i.apply(solver)
		require.EventuallyWithT(t, func(t *assert.CollectT) {
			assert.Equal(t, "solver", told(t, get(t, public, "http://new.example.com/.well-known/acme-challenge/token")).Backend)
		}, soon, 100*time.Millisecond)
	})
	t.Run("unknown host", func(t *testing.T) {
		assert.Equal(t, http.StatusNotFound, get(t, public, "https://unknown.example.com/").StatusCode)
	})
	t.Run("versions of TLS", func(t *testing.T) {
		for version, works := range map[uint16]bool{tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
			for _, port := range []string{"443", "9000"} {
				conn, err := s.handshake(port, &tls.Config{
					ServerName: "api.example.com", InsecureSkipVerify: true, MinVersion: version, MaxVersion: version, // #nosec G402
				})
				if works {
					require.NoError(t, err, tls.VersionName(version))
					assert.NoError(t, conn.Close())
				} else {
					assert.ErrorContains(t, err, "protocol version", tls.VersionName(version))
				}
			}
		}
		_, err := s.handshake("443", &tls.Config{
			ServerName: "api.example.com", InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12, // #nosec G402
			CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, tls.TLS_RSA_WITH_AES_128_GCM_SHA256},
		})
		assert.ErrorContains(t, err, "handshake failure", "neither old ciphers nor those without forward secrecy")
	})
	t.Run("HSTS", func(t *testing.T) {
		assert.Equal(t, "max-age=31536000", get(t, public, "https://api.example.com/").Header.Get("Strict-Transport-Security"))
		assert.Empty(t, get(t, public, "http://api.example.com/").Header.Get("Strict-Transport-Security"))
	})
	t.Run("the client's address", func(t *testing.T) {
		assert.Equal(t, "127.0.0.1", api.Header.Get("X-Forwarded-For"))
		forged := told(t, get(t, public, "https://api.example.com/", "X-Forwarded-For", "203.0.113.1", "X-Real-Ip", "203.0.113.1",
			"X-Forwarded-Proto", "http", "X-Forwarded-Host", "evil.test", "X-Forwarded-Port", "1", "Forwarded", "for=203.0.113.1"))
		for name, want := range map[string]string{
			"X-Forwarded-For": "127.0.0.1", "X-Real-Ip": "127.0.0.1", "X-Forwarded-Proto": "https",
			"X-Forwarded-Host": "api.example.com", "X-Forwarded-Port": "443",
		} {
			assert.Equal(t, want, forged.Header.Get(name), name)
		}
	})
	t.Run("metrics", func(t *testing.T) {
		a := get(t, public, "https://traefik-management.ingress.svc:9000/metrics")
		assert.Equal(t, http.StatusOK, a.StatusCode)
		assert.Contains(t, a.body, `traefik_entrypoint_requests_total{code="200",entrypoint="https"`)
		metrics.Require(t, "traefik", []byte(a.body))
		bounds := map[string]bool{}
		for _, bucket := range regexp.MustCompile(`(?m)^traefik_service_request_duration_seconds_bucket\{.*le="([^"]+)"`).FindAllStringSubmatch(a.body, -1) {
			bounds[bucket[1]] = true
		}
		assert.Len(t, bounds, 10, "each is a series for every service, method and status")
		for _, bound := range []string{"0.005", "0.25", "2", "10"} {
			assert.Contains(t, bounds, bound, "fast answers are told apart, and slow ones from those that somebody is alerted of")
		}
	})
	t.Run("nothing of the inside on public ports", func(t *testing.T) {
		for _, path := range []string{"/ping", "/ready", "/metrics", "/api/rawdata", "/api/version", "/dashboard/", "/debug/pprof/"} {
			for _, url := range []string{"https://unknown.example.com", "https://traefik-management.ingress.svc"} {
				assert.Equal(t, http.StatusNotFound, get(t, public, url+path).StatusCode, url+path)
			}
		}
		for _, path := range []string{"/api/rawdata", "/api/version", "/dashboard/", "/debug/pprof/", "/"} {
			assert.Equal(t, http.StatusNotFound, get(t, public, "https://traefik-management.ingress.svc:9000"+path).StatusCode, path)
		}
	})
	t.Run("no answer is lost", func(t *testing.T) {
		// The backend answers by HTTP/2, and at once: an answer can be there before the request is noted as sent.
		client := s.client(i.ca)
		client.Transport.(*http.Transport).DisableKeepAlives = false
		client.Transport.(*http.Transport).MaxIdleConnsPerHost = 20
		var group sync.WaitGroup
		for range 20 {
			group.Go(func() {
				for range 100 {
					assert.Empty(t, ask(client))
				}
			})
		}
		group.Wait()
	})
	t.Run("verified backends", func(t *testing.T) { i.within(t).verifiedBackends(t, s, backends, other) })
	t.Run("what is denied", func(t *testing.T) { i.within(t).denied(t, s) })
	t.Run("renewal", func(t *testing.T) { i.within(t).renewal(t, s, other) })
	t.Run("access log", func(t *testing.T) {
		get(t, public, "https://api.example.com/logged?code=hidden",
			"Authorization", "Bearer hidden", "Cookie", "session=hidden", "User-Agent", "browser")
		require.EventuallyWithT(t, func(t *assert.CollectT) { assert.NotEmpty(t, s.logged("/logged")) }, soon, 50*time.Millisecond)
		var line map[string]any
		require.NoError(t, json.Unmarshal([]byte(s.logged("/logged")[0]), &line))
		assert.Equal(t, "127.0.0.1", line["ClientHost"])
		assert.Equal(t, "browser", line["request_User-Agent"])
		assert.Equal(t, "/logged", line["RequestPath"])
		assert.NotContains(t, s.Log(), "hidden")
		assert.EqualValues(t, http.StatusOK, line["DownstreamStatus"])
		for _, path := range []string{"/ready", "/metrics"} {
			for _, line := range s.logged(`"RequestPath":"` + path + `"`) {
				assert.Contains(t, line, `"entryPointName":"https"`, "neither probes nor Prometheus")
			}
		}
	})
	t.Run("permissions", func(t *testing.T) {
		for _, word := range []string{"forbidden", "cannot list", "cannot watch", "cannot update"} {
			assert.Empty(t, s.logged(word))
		}
		require.EventuallyWithT(t, func(t *assert.CollectT) {
			o, err := i.clients.NetworkingV1().Ingresses("controlplane-system").Get(i.t.Context(), "api", metav1.GetOptions{})
			require.NoError(t, err)
			assert.NotEmpty(t, o.Status.LoadBalancer.Ingress, "the address of the Service")
		}, soon, 100*time.Millisecond)
	})
}

// within is the installation for a part of the test: what it applies goes with that.
func (i *installation) within(t *testing.T) *installation {
	inner := *i
	inner.t = t
	return &inner
}

func (s *server) handshake(port string, config *tls.Config) (*tls.Conn, error) {
	return tls.Dial("tcp", s.address+":"+map[string]string{"443": "8443", "9000": "9000"}[port], config)
}

// verifiedBackends: an Ingress can have the backend's certificate verified.
func (i *installation) verifiedBackends(t *testing.T, s *server, right, wrong verify.CA) {
	public := s.client(i.ca)
	add := func(name, authority, serverName string) {
		i.service("verified", name, 8443, backend(t, name+".verified.svc", &right, 0))
		i.apply(ingress("verified", name, name+".example.com", 8443, map[string]string{
			"backend-protocol": "HTTPS", "proxy-ssl-verify": "on", "proxy-ssl-secret": authority, "proxy-ssl-name": serverName,
		}))
	}
	try := func(name, authority, serverName string, want int) {
		add(name, authority, serverName)
		require.EventuallyWithT(t, func(t *assert.CollectT) {
			assert.Equal(t, want, get(t, public, "https://"+name+".example.com/").StatusCode, name)
		}, soon, 100*time.Millisecond)
	}
	i.apply(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "verified"}})
	i.secret("verified", "right", right, "right.verified.svc")
	i.secret("verified", "wrong", wrong, "right.verified.svc")
	add("elsewhere", "shop/own-tls", "elsewhere.verified.svc")
	try("good", "verified/right", "good.verified.svc", http.StatusOK)
	try("authority", "verified/wrong", "authority.verified.svc", http.StatusInternalServerError)
	try("name", "verified/right", "other.verified.svc", http.StatusInternalServerError)
	assert.Equal(t, http.StatusNotFound, get(t, public, "https://elsewhere.example.com/").StatusCode,
		"it refers to another namespace, and those that came after it are served")
}

// denied: what leads out of the cluster, or around the checks, is not served.
func (i *installation) denied(t *testing.T, s *server) {
	public := s.client(i.ca)
	i.apply(&corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "outside"}, Spec: corev1.ServiceSpec{
		Type: corev1.ServiceTypeExternalName, ExternalName: "localhost", Ports: []corev1.ServicePort{{Port: 443}},
	}})
	i.apply(ingress("shop", "plain-snippet", "snippet.example.com", 8080, map[string]string{"server-snippet": "return 200;"}))
	foreign := ingress("shop", "plain", "foreign.example.com", 8080, nil)
	foreign.Name, foreign.Spec.IngressClassName = "foreign", new("nginx")
	i.apply(foreign)
	// The last one: when its host is known, the others' would be as well.
	i.apply(ingress("shop", "outside", "outside.example.com", 443, nil))
	require.EventuallyWithT(t, func(t *assert.CollectT) {
		assert.Equal(t, http.StatusServiceUnavailable, get(t, public, "https://outside.example.com/").StatusCode)
	}, soon, 100*time.Millisecond)
	assert.Equal(t, http.StatusNotFound, get(t, public, "https://snippet.example.com/").StatusCode)
	assert.Equal(t, http.StatusNotFound, get(t, public, "https://foreign.example.com/").StatusCode, "another controller's")
}

// renewal: new certificates are served without a restart.
func (i *installation) renewal(t *testing.T, s *server, other verify.CA) {
	serial := func(host string, port string) string {
		conn, err := s.handshake(port, &tls.Config{ServerName: host, RootCAs: pool(i.ca, other)})
		if err != nil {
			return err.Error()
		}
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0].SerialNumber.String()
	}
	type served struct{ host, port string }
	before := map[served]string{}
	for _, one := range []served{{"api.example.com", "443"}, {"shop.test", "443"}, {"traefik-management.ingress.svc", "9000"}} {
		before[one] = serial(one.host, one.port)
	}
	// Twice, since a watch that is lost by the first would not show.
	for range 2 {
		i.Renew()
		s.Refresh()
		i.secret("shop", "own-tls", other, "shop.test")
		for one, was := range before {
			require.Eventually(t, func() bool {
				now := serial(one.host, one.port)
				return now != was && !strings.Contains(now, " ")
			}, soon, 100*time.Millisecond, "%s gets its new certificate", one.host)
			before[one] = serial(one.host, one.port)
		}
	}
	assert.True(t, s.Running())
}
