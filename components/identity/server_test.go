package identity_test

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/tests/metrics"
	"github.com/telekom/controlplane-infrastructure/tests/process"
	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

// TestServers runs what is rendered: a build, and three servers on a real database. Starts are expensive, so its parts
// share them, and their order matters.
func TestServers(t *testing.T) {
	i := install(t)
	first := i.pod(0)
	before := files(t, filepath.Join(first.Dir, "image"))
	i.prepare(i.Objects, first)
	// The first one makes the tables. All at once would try, and some would have to start again.
	for _, pod := range []process.Spec{first, i.like(first, 1), i.like(first, 2)} {
		s := i.start(i.Objects, pod)
		s.ready(t)
		i.servers = append(i.servers, s)
	}
	renewed := i.renew()
	t.Run("the server finds the options that it was built with", i.builtAlike)
	t.Run("tokens carry the public name, wherever they come from", i.publicName)
	t.Run("the servers form one cluster", i.cluster)
	t.Run("old versions of TLS are refused", i.oldTLS)
	t.Run("the program makes the realm rover", i.realms)
	t.Run("clients get tokens that can be verified", i.tokens)
	t.Run("users log in to Grafana with the role that they have", i.logins)
	t.Run("metrics count what clients do", i.metrics)
	t.Run("changes by hand are put right", i.drift)
	t.Run("a database that cannot prove its name is not used", i.otherAuthority)
	t.Run("a renewed certificate is served without a restart", func(t *testing.T) { i.served(t, renewed) })
	t.Run("a server is lost and clients do not notice", i.kill)
	t.Run("one of two servers is lost and who asks the other one does not notice", i.killOfTwo)
	t.Run("a server that was lost comes back", i.back)
	t.Run("a server ends and clients do not notice", i.end)
	t.Run("nothing is written outside of the volumes", func(t *testing.T) {
		assert.Equal(t, before, files(t, filepath.Join(first.Dir, "image")))
	})
}

// files are the names, sizes and times of all files.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err == nil && !entry.IsDir() {
			all[path] = fmt.Sprint(info.Size(), info.ModTime())
		}
		return err
	}))
	return all
}

func (i *installation) builtAlike(t *testing.T) {
	for _, s := range i.servers {
		for _, complaint := range []string{"differ from what is persisted", "will be ignored", "Unrecognized", "unrecognized"} {
			assert.NotContains(t, s.Log(), complaint)
		}
	}
}

func (i *installation) publicName(t *testing.T) {
	s := i.servers[0]
	discovery := func(base string, header http.Header) map[string]string {
		status, body := i.get(s, base+"/realms/master/.well-known/openid-configuration", header)
		require.Equal(t, http.StatusOK, status, body)
		var all map[string]any
		require.NoError(t, json.Unmarshal([]byte(body), &all))
		texts := map[string]string{}
		for _, key := range []string{"issuer", "authorization_endpoint", "token_endpoint", "jwks_uri"} {
			texts[key] = all[key].(string)
		}
		return texts
	}
	realm := publicURL + "/realms/master"
	inside := internalURL + "/realms/master"
	protocol := "/protocol/openid-connect"
	assert.Equal(t, map[string]string{
		"issuer": realm, "authorization_endpoint": realm + protocol + "/auth",
		"token_endpoint": inside + protocol + "/token", "jwks_uri": inside + protocol + "/certs",
	}, discovery(internalURL, nil), "for a client in the cluster")
	assert.Equal(t, map[string]string{
		"issuer": realm, "authorization_endpoint": realm + protocol + "/auth",
		"token_endpoint": realm + protocol + "/token", "jwks_uri": realm + protocol + "/certs",
	}, discovery(internalURL, http.Header{
		"X-Forwarded-Proto": {"https"}, "X-Forwarded-Host": {publicHost}, "X-Forwarded-Port": {"443"},
	}), "for a client that comes through the ingress")

	for _, base := range []string{internalURL, "http://" + service + ":8080/auth", "https://localhost:8443/auth"} {
		token := i.adminToken(s, base)
		status, body := i.get(s, base+"/admin/realms", http.Header{"Authorization": {"Bearer " + token}})
		assert.Equal(t, http.StatusOK, status, body)
		assert.Contains(t, body, `"realm":"master"`, "administration by %s", base)
		assert.Equal(t, realm, i.verified(s, token, base+"/realms/master/protocol/openid-connect/certs")["iss"])
	}
	status, page := i.get(s, "https://localhost:8443/auth/admin/master/console/", nil)
	require.Equal(t, http.StatusOK, status)
	assert.Contains(t, page, `"adminBaseUrl": "https://localhost:8443/auth"`, "the console, by a forwarded port")
}

func (i *installation) cluster(t *testing.T) {
	require.Eventually(t, func() bool {
		return len(i.database.Query(t, "iris", "SELECT * FROM jgroups_ping")) == 3
	}, time.Minute, 500*time.Millisecond, "all servers are in the database")
	for _, s := range i.servers {
		require.Eventually(t, func() bool { return i.metric(s, "vendor_cluster_size{") == "3.0" }, time.Minute, 500*time.Millisecond,
			"the server at %s sees all", s.address)
	}
	sessions := i.database.Query(t, "iris", "SELECT count(*) FROM pg_stat_activity WHERE usename = '"+databaseUser+"'")
	assert.Equal(t, "15", sessions[0][0], "each server has its share of 20 connections, and one share is left for updates")
}

// metric is the value of the first metric whose line begins so.
func (i *installation) metric(s *server, prefix string) string {
	i.t.Helper()
	status, body := i.get(s, metricsURL, nil)
	require.Equal(i.t, http.StatusOK, status)
	for line := range strings.Lines(body) {
		if strings.HasPrefix(line, prefix) {
			return strings.TrimSpace(line[strings.LastIndexByte(line, ' ')+1:])
		}
	}
	return ""
}

func (i *installation) oldTLS(t *testing.T) {
	for _, port := range []string{"8443", "9000"} {
		dial := func(highest uint16) error {
			conn, err := tls.Dial("tcp", net.JoinHostPort(i.servers[0].address, port), &tls.Config{
				RootCAs: i.roots(), ServerName: service, MinVersion: tls.VersionTLS10, MaxVersion: highest,
			})
			if err == nil {
				err = conn.Close()
			}
			return err
		}
		assert.ErrorContains(t, dial(tls.VersionTLS11), "protocol version", "port %s", port)
		assert.NoError(t, dial(tls.VersionTLS12), "port %s", port)
		assert.NoError(t, dial(tls.VersionTLS13), "port %s", port)
	}
}

func (i *installation) metrics(t *testing.T) {
	_, body := i.get(i.servers[0], metricsURL, nil)
	for _, line := range []string{
		`keycloak_user_events_total{error="",event="client_login",realm="rover"} 1.0`,
		`keycloak_user_events_total{error="invalid_client_credentials",event="client_login",realm="rover"} 1.0`,
		"http_server_requests_seconds_bucket{", "jvm_memory_used_bytes{", "agroal_awaiting_count{",
	} {
		assert.Contains(t, body, line)
	}
	metrics.Require(t, "keycloak", []byte(body))
	other := i.direct(i.servers[0])
	other.Transport.(*http.Transport).TLSClientConfig.ServerName = "another.identity.svc"
	_, err := other.Get(metricsURL)
	assert.ErrorContains(t, err, "another.identity.svc", "Prometheus would notice another server")
}

// otherAuthority starts a server that trusts another authority than the database's.
func (i *installation) otherAuthority(t *testing.T) {
	p := i.start(i.render(verify.NewCA(t, "another")), i.like(i.servers[0].spec, 3))
	assert.Equal(t, 1, p.Wait(3*time.Minute))
	assert.Contains(t, p.Log(), "unable to find valid certification path")
}

// renew gives the servers a new certificate, as cert-manager and the kubelets do, and returns it.
func (i *installation) renew() []byte {
	i.t.Helper()
	i.Renew()
	for _, s := range i.servers {
		s.Refresh()
	}
	secret := i.Data("Secret", "iris-tls")
	pair, err := tls.X509KeyPair([]byte(secret["tls.crt"]), []byte(secret["tls.key"]))
	require.NoError(i.t, err)
	return pair.Certificate[0]
}

func (i *installation) served(t *testing.T, certificate []byte) {
	for _, port := range []string{"8443", "9000"} {
		require.Eventually(t, func() bool {
			conn, err := tls.Dial("tcp", net.JoinHostPort(i.servers[0].address, port), &tls.Config{RootCAs: i.roots(), ServerName: service})
			if err != nil {
				return false
			}
			defer conn.Close()
			return bytes.Equal(conn.ConnectionState().PeerCertificates[0].Raw, certificate)
		}, 2*time.Minute, 500*time.Millisecond, "port %s", port)
	}
	assert.True(t, i.servers[0].Running())
}

func (i *installation) kill(t *testing.T) {
	coordinator := i.coordinator(t)
	load, stop := i.loadOn(true, credentials("rover", i.secret), i.servers...)
	defer stop()
	// A probe that fails three times would leave out the others as well.
	i.lose(t, load, coordinator, 16*time.Second)
}

// killOfTwo is about the servers alone. As endpoints of a Service two are too few: see the package's documentation.
func (i *installation) killOfTwo(t *testing.T) {
	require.Len(t, i.servers, 2)
	coordinator := i.coordinator(t)
	load, stop := i.loadOn(false, credentials("rover", i.secret), i.servers...)
	defer stop()
	i.lose(t, load, coordinator, 5*time.Second)
}

// lose kills a server under load, and wants no request to fail for a while, but in the first two seconds.
func (i *installation) lose(t *testing.T, load *load, s *server, while time.Duration) {
	t.Helper()
	begin := time.Now()
	load.serves(t, 100)
	assert.Empty(t, load.failed(begin), "before anything happens")
	s.Kill()
	killed := time.Now()
	time.Sleep(while)
	load.serves(t, 100)
	assert.Empty(t, load.failed(killed.Add(2*time.Second)))
	i.servers = slices.DeleteFunc(i.servers, func(other *server) bool { return other == s })
	i.lost = s
}

func (i *installation) back(t *testing.T) {
	s := i.start(i.Objects, i.lost.spec)
	s.ready(t)
	i.servers = append(i.servers, s)
	require.Eventually(t, func() bool { return i.metric(s, "vendor_cluster_size{") == "2.0" }, 30*time.Second, 500*time.Millisecond)
}

// coordinator is the server whose loss matters most: the one that keeps the table of servers.
func (i *installation) coordinator(t *testing.T) (found *server) {
	t.Helper()
	require.Eventually(t, func() bool {
		for _, row := range i.database.Query(t, "iris", "SELECT ip FROM jgroups_ping WHERE coord") {
			for _, s := range i.servers {
				if row[0] == s.address+":7800" {
					found = s
				}
			}
		}
		return found != nil
	}, 30*time.Second, 500*time.Millisecond, "one of the servers coordinates the others")
	return found
}

func (i *installation) end(t *testing.T) {
	load, stop := i.loadOn(true, credentials("rover", i.secret), i.servers...)
	defer stop()
	begin := time.Now()
	load.serves(t, 100)
	deleted := i.servers[0]
	time.AfterFunc(2*time.Second, func() { load.leaveOut(deleted) }) // the time that word needs to get around
	deleted.Stop()
	load.serves(t, 100)
	stop()
	assert.Empty(t, load.failed(begin))
	assert.Equal(t, 143, deleted.Wait(time.Second), "it ended by itself, as it was asked to")
}
