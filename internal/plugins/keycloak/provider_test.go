package keycloak

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/peer"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/telekom/controlplane-infrastructure/internal/plugins/keycloak/keycloaktest"
	"github.com/telekom/controlplane-infrastructure/internal/plugins/protocol"
)

func TestConfigurationThatCannotWorkIsRefused(t *testing.T) {
	t.Parallel()
	good := values{"url": "https://iris.example.com", "clientId": "admin-cli"}
	for name, c := range map[string]struct {
		in               values
		property, reason string
	}{
		"no address":    {values{"url": nil}, "url", "is required"},
		"no client":     {values{"clientId": nil}, "clientId", "is required"},
		"no scheme":     {values{"url": "iris.example.com"}, "url", `is "iris.example.com"; want an address such as https://`},
		"no password":   {values{"username": "admin"}, "password", "is required with a username"},
		"a form":        {values{"tlsInsecureSkipVerify": "yes"}, "tlsInsecureSkipVerify", "want true or false"},
		"a time":        {values{"clientTimeout": "5s"}, "clientTimeout", "want a whole number"},
		"a misspelling": {values{"rootCACertificate": "x"}, "rootCACertificate", "does not have this property"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := merged(good, c.in)
			for key, v := range in {
				if v == nil {
					delete(in, key)
				}
			}
			response, err := New(Options{}).CheckConfig(t.Context(), &pulumirpc.CheckRequest{News: tester{T: t}.encode(in)})
			require.NoError(t, err)
			require.Len(t, response.GetFailures(), 1)
			assert.Equal(t, c.property, response.GetFailures()[0].GetProperty())
			assert.Contains(t, response.GetFailures()[0].GetReason(), c.reason)
		})
	}
	_, err := New(Options{}).Configure(t.Context(), &pulumirpc.ConfigureRequest{
		Args: tester{T: t}.encode(merged(good, values{"rootCaCertificate": "none"})),
	})
	require.ErrorContains(t, err, "rootCaCertificate has no certificate in PEM form")
}

func TestAnotherAddressReplacesNothing(t *testing.T) {
	t.Parallel()
	c := tester{T: t}
	diff := func(old, now values) *pulumirpc.DiffResponse {
		response, err := New(Options{}).DiffConfig(t.Context(), &pulumirpc.DiffRequest{Olds: c.encode(old), News: c.encode(now)})
		require.NoError(t, err)
		return response
	}
	changed := diff(values{"url": "https://a"}, values{"url": "https://b", "clientTimeout": "5"})
	assert.Equal(t, []string{"url", "clientTimeout"}, changed.GetDiffs())
	assert.Empty(t, changed.GetReplaces())
	assert.Equal(t, pulumirpc.DiffResponse_DIFF_NONE, diff(values{"clientTimeout": "5"}, values{"clientTimeout": 5}).GetChanges())
}

func TestAPreviewOfANewStackAsksNobody(t *testing.T) {
	t.Parallel()
	c := tester{t, New(Options{})}
	unknown := resource.MakeComputed(resource.NewProperty(""))
	args, err := protocol.Encode(resource.PropertyMap{
		"url": resource.NewProperty("http://127.0.0.1:1"), "clientId": resource.NewProperty("admin-cli"),
		"username": resource.NewProperty("admin"), "password": resource.MakeSecret(unknown),
	})
	require.NoError(t, err)
	checked, err := c.CheckConfig(t.Context(), &pulumirpc.CheckRequest{News: args})
	require.NoError(t, err)
	require.Empty(t, checked.GetFailures())
	_, err = c.Configure(t.Context(), &pulumirpc.ConfigureRequest{Args: args})
	require.NoError(t, err)

	in, err := protocol.Encode(resource.PropertyMap{
		"realmId": unknown, "clientId": resource.NewProperty("rover"), "accessType": resource.NewProperty("CONFIDENTIAL"),
	})
	require.NoError(t, err)
	inputs, err := c.Check(t.Context(), &pulumirpc.CheckRequest{
		Urn: c.urn("Client"), News: in, RandomSeed: []byte("0123456789abcdef0123456789abcdef"),
	})
	require.NoError(t, err)
	require.Empty(t, inputs.GetFailures())
	planned, err := c.Create(t.Context(), &pulumirpc.CreateRequest{
		Urn: c.urn("Client"), Properties: inputs.GetInputs(), Preview: true,
	})
	require.NoError(t, err)
	all, err := protocol.Decode(planned.GetProperties())
	require.NoError(t, err)
	assert.True(t, all["clientSecret"].IsSecret())
	assert.True(t, all["serviceAccountUserId"].IsComputed())
	assert.Equal(t, true, all["enabled"].BoolValue(), "a default is told at once")

	_, err = c.Create(t.Context(), &pulumirpc.CreateRequest{Urn: c.urn("Client"), Properties: inputs.GetInputs()})
	require.ErrorContains(t, err, "password of its provider are not known yet")
}

func TestAPreviewOfAChangeKeepsWhatTheServerHasChosen(t *testing.T) {
	t.Parallel()
	c := connect(t, Options{Memory: &Memory{}}, values{"url": "http://localhost:1"})
	name, _ := c.realm(nil)
	client := c.create("Client", machine(name))
	plan := func(changes values) resource.PropertyMap {
		response, err := c.Update(t.Context(), &pulumirpc.UpdateRequest{
			Urn: client.urn, Id: client.id, Olds: client.state, News: c.encode(client.with(changes)), Preview: true,
		})
		require.NoError(t, err)
		all, err := protocol.Decode(response.GetProperties())
		require.NoError(t, err)
		return all
	}
	assert.Equal(t, client.properties()["serviceAccountUserId"], plan(values{"name": "x"})["serviceAccountUserId"].StringValue())
	assert.True(t, plan(values{"serviceAccountsEnabled": false})["serviceAccountUserId"].IsComputed())
	assert.Equal(t, "Rover", c.byHand(http.MethodGet, name+"/clients/"+client.id, nil)["name"], "nothing has happened")
}

func TestAServerThatIsNotThereIsNamed(t *testing.T) {
	t.Parallel()
	c := connect(t, Options{}, values{"url": "https://127.0.0.1:1"})
	c.patience = 300 * time.Millisecond
	c.reconnect(values{"url": "https://127.0.0.1:1"})
	_, err := c.attempt("Realm", values{"realm": "r"})
	require.ErrorContains(t, err, "create the realm: reach Keycloak at https://127.0.0.1:1: ")
	require.ErrorContains(t, err, "connection refused")
	assert.NotContains(t, err.Error(), keycloaktest.Password)
}

func TestWaitingEndsWithTheOperation(t *testing.T) {
	t.Parallel()
	c := connect(t, Options{}, values{"url": "https://127.0.0.1:1"})
	time.AfterFunc(200*time.Millisecond, func() { _, _ = c.Cancel(context.Background(), &emptypb.Empty{}) })
	begun := time.Now()
	_, err := c.attempt("Realm", values{"realm": "r"})
	require.ErrorContains(t, err, "connection refused")
	assert.Less(t, time.Since(begun), patience/2)
}

// imitation is the memory behind a real port, with what a test puts before it.
func imitation(t *testing.T, before func(w http.ResponseWriter, r *http.Request) bool) *httptest.Server {
	t.Helper()
	handler := http.StripPrefix(keycloaktest.BasePath, newMemory(Memory{}).handler())
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !before(w, r) {
			handler.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func TestAServerThatIsStartingIsWaitedFor(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	s := imitation(t, func(w http.ResponseWriter, _ *http.Request) bool {
		switch asked.Add(1) {
		case 1:
			w.WriteHeader(http.StatusServiceUnavailable)
		case 2:
			// What a forwarded port does that nothing listens behind.
			conn, _, err := http.NewResponseController(w).Hijack()
			if assert.NoError(t, err) {
				_ = conn.Close()
			}
		case 4:
			w.WriteHeader(http.StatusBadGateway)
		default:
			return false
		}
		return true
	})
	c := connect(t, Options{}, values{"url": s.URL, "tlsInsecureSkipVerify": "true"})
	realm := c.create("Realm", values{"realm": "r", "displayName": "R"})
	assert.Equal(t, "R", realm.properties()["displayName"])
}

func TestATokenThatHasBecomeUselessIsRenewed(t *testing.T) {
	t.Parallel()
	var logins, refusals atomic.Int32
	s := imitation(t, func(w http.ResponseWriter, r *http.Request) bool {
		switch {
		case r.Header.Get("Authorization") == "":
			logins.Add(1)
			assert.Equal(t, "yes", r.Header.Get("X-Extra"))
		case r.Method == http.MethodGet && refusals.Add(1) == 1:
			w.WriteHeader(http.StatusForbidden)
			return true
		}
		return false
	})
	c := connect(t, Options{}, values{
		"url": s.URL, "tlsInsecureSkipVerify": "true", "additionalHeaders": `{"X-Extra":"yes"}`,
	})
	c.create("Realm", values{"realm": "r"})
	assert.EqualValues(t, 3, logins.Load(), "at first, after a realm was made, and after it was refused")
}

func TestACertificateIsVerified(t *testing.T) {
	t.Parallel()
	s := imitation(t, func(http.ResponseWriter, *http.Request) bool { return false })
	c := connect(t, Options{}, values{"url": s.URL})
	_, err := c.attempt("Realm", values{"realm": "r"})
	require.ErrorContains(t, err, "certificate")
}

func TestAnAnswerThatIsNotKeycloaksForgetsNothing(t *testing.T) {
	t.Parallel()
	var closed atomic.Bool
	s := imitation(t, func(w http.ResponseWriter, r *http.Request) bool {
		if closed.Load() && r.Header.Get("Authorization") != "" {
			http.NotFound(w, r)
			return true
		}
		return false
	})
	c := connect(t, Options{}, values{"url": s.URL, "tlsInsecureSkipVerify": "true"})
	realm := c.create("Realm", values{"realm": "r"})
	closed.Store(true)
	_, err := c.Read(t.Context(), &pulumirpc.ReadRequest{Urn: realm.urn, Id: realm.id, Properties: realm.state, Inputs: realm.in})
	require.ErrorContains(t, err, "this is no answer of Keycloak's: does "+s.URL+" lead to its admin API")
}

func TestAResourceThatCannotBeReadBackIsKnown(t *testing.T) {
	t.Parallel()
	s := imitation(t, func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodGet {
			w.WriteHeader(http.StatusInternalServerError)
		}
		return r.Method == http.MethodGet
	})
	c := connect(t, Options{}, values{"url": s.URL, "tlsInsecureSkipVerify": "true"})
	_, err := c.attempt("Realm", values{"realm": "r"})
	require.Error(t, err)
	assert.Equal(t, "r", halfMade(t, err).GetId())
}

func TestConnectionsHaveTheirOwnServer(t *testing.T) {
	t.Parallel()
	p := New(Options{})
	over := func(port int) context.Context {
		return peer.NewContext(t.Context(), &peer.Peer{Addr: &net.TCPAddr{IP: net.IPv6loopback, Port: port}})
	}
	configure := func(port int, url string) {
		_, err := p.Configure(over(port), &pulumirpc.ConfigureRequest{
			Args: tester{T: t}.encode(values{"url": url, "clientId": "admin-cli"}),
		})
		require.NoError(t, err)
	}
	configure(1, "https://a")
	s, err := p.session(over(9))
	require.NoError(t, err, "a connection that was lost has been like the others")
	assert.Equal(t, "https://a", s.url)
	configure(2, "https://b")
	s, err = p.session(over(2))
	require.NoError(t, err)
	assert.Equal(t, "https://b", s.url)
	_, err = p.session(over(9))
	require.ErrorContains(t, err, "run the operation again", "nobody can tell which one it has been like")
}

func TestRealmsAreKeptInAFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "realms.json")
	o := Options{Memory: &Memory{StateFile: file}}
	c := connect(t, o, values{"url": "http://localhost:1"})
	_, realm := c.realm(values{"displayName": "R"})
	info, err := os.Stat(file)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "there are secrets in it")

	again := connect(t, o, values{"url": "http://localhost:1"})
	realm.c = again
	realm.settled()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.True(t, json.Valid(data))
	require.NoError(t, os.WriteFile(file, []byte("{"), 0o600))
	_, err = again.attempt("Realm", values{"realm": "r"})
	require.ErrorContains(t, err, "read the realms from "+file)
}
