package keycloak

import (
	"context"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/telekom/controlplane-infrastructure/internal/plugins/keycloak/keycloaktest"
	"github.com/telekom/controlplane-infrastructure/internal/plugins/protocol"
)

var real struct {
	once   sync.Once
	dir    string
	server *keycloaktest.Server
	err    error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if real.server != nil {
		real.server.Stop()
	}
	_ = os.RemoveAll(real.dir)
	os.Exit(code)
}

// server is a real Keycloak, one for all tests of the package.
func server(t *testing.T) *keycloaktest.Server {
	t.Helper()
	real.once.Do(func() {
		if real.dir, real.err = os.MkdirTemp("", "keycloak-test-"); real.err == nil {
			real.server, real.err = keycloaktest.Start(context.Background(), real.dir)
		}
	})
	require.NoError(t, real.err)
	return real.server
}

// everywhere runs a test in memory and on a real Keycloak.
func everywhere(t *testing.T, test func(c tester)) {
	t.Helper()
	t.Parallel()
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		test(connect(t, Options{Memory: &Memory{}}, values{"url": "http://localhost:1"}))
	})
	t.Run("server", func(t *testing.T) {
		t.Parallel()
		test(connect(t, Options{}, values{"url": server(t).URL}))
	})
}

// tester asks a provider as an engine does.
type tester struct {
	*testing.T
	*Provider
}

func connect(t *testing.T, o Options, config values) tester {
	t.Helper()
	c := tester{t, New(o)}
	c.reconnect(config)
	return c
}

// reconnect configures the provider as an administrator's.
func (c tester) reconnect(config values) {
	c.Helper()
	c.configure(merged(values{
		"basePath": keycloaktest.BasePath, "clientId": "admin-cli", "realm": "master",
		"username": keycloaktest.Username, "password": keycloaktest.Password, "initialLogin": "false", "clientTimeout": "60",
	}, config))
}

func (c tester) configure(config values) {
	c.Helper()
	checked, err := c.CheckConfig(c.Context(), &pulumirpc.CheckRequest{News: c.encode(config)})
	require.NoError(c, err)
	require.Empty(c, checked.GetFailures())
	_, err = c.Configure(c.Context(), &pulumirpc.ConfigureRequest{Args: checked.GetInputs()})
	require.NoError(c, err)
}

func (c tester) encode(in values) *structpb.Struct {
	c.Helper()
	s, err := protocol.Encode(resource.NewPropertyMapFromMap(in))
	require.NoError(c, err)
	return s
}

func (c tester) decode(s *structpb.Struct) values {
	c.Helper()
	m, err := protocol.Decode(s)
	require.NoError(c, err)
	known, _ := plain(m)
	return known
}

// remembered is a resource as an engine remembers it.
type remembered struct {
	c         tester
	urn       string
	id        string
	in, state *structpb.Struct
}

// tokenOf finds a type by its last part.
func tokenOf(t *testing.T, name string) string {
	t.Helper()
	i := slices.IndexFunc(kindNames(), func(token string) bool { return strings.HasSuffix(token, ":"+name) })
	require.GreaterOrEqual(t, i, 0, "no type %s", name)
	return kindNames()[i]
}

func (c tester) check(urn string, in values, olds *structpb.Struct) (*structpb.Struct, map[string]string) {
	c.Helper()
	response, err := c.Check(c.Context(), &pulumirpc.CheckRequest{
		Urn: urn, News: c.encode(in), Olds: olds, RandomSeed: []byte("0123456789abcdef0123456789abcdef"),
	})
	require.NoError(c, err)
	failures := map[string]string{}
	for _, f := range response.GetFailures() {
		failures[f.GetProperty()] = f.GetReason()
	}
	return response.GetInputs(), failures
}

func (c tester) urn(kind string) string {
	return "urn:pulumi:test::test::" + tokenOf(c.T, kind) + "::it"
}

// attempt makes a resource, or does not.
func (c tester) attempt(kind string, in values) (*remembered, error) {
	c.Helper()
	m := &remembered{c: c, urn: c.urn(kind)}
	var failures map[string]string
	m.in, failures = c.check(m.urn, in, nil)
	require.Empty(c, failures)
	response, err := c.Create(c.Context(), &pulumirpc.CreateRequest{Urn: m.urn, Properties: m.in})
	if err != nil {
		return nil, err
	}
	m.id, m.state = response.GetId(), response.GetProperties()
	return m, nil
}

// create makes a resource, and sees that neither a refresh nor another run finds anything to change about it.
func (c tester) create(kind string, in values) *remembered {
	c.Helper()
	m, err := c.attempt(kind, in)
	require.NoError(c, err)
	m.settled()
	return m
}

// realm makes a realm of a name that nobody else has.
func (c tester) realm(in values) (string, *remembered) {
	c.Helper()
	name := "r-" + uuid.NewString()[:8]
	return name, c.create("Realm", merged(values{"realm": name}, in))
}

func (m *remembered) properties() values { m.c.Helper(); return m.c.decode(m.state) }

// settled sees that there is nothing to change.
func (m *remembered) settled() {
	m.c.Helper()
	before, inputs := m.properties(), m.c.decode(m.in)
	require.True(m.c, m.refresh(), "it is there")
	assert.Equal(m.c, before, m.properties(), "a refresh finds what was recorded")
	assert.Equal(m.c, inputs, m.c.decode(m.in), "a refresh finds the inputs as they were")
	assert.Empty(m.c, m.diff(inputs).GetDiffs(), "another run changes nothing")
}

// refresh reads the resource, and says whether it is there.
func (m *remembered) refresh() bool {
	m.c.Helper()
	response, err := m.c.Read(m.c.Context(), &pulumirpc.ReadRequest{Urn: m.urn, Id: m.id, Properties: m.state, Inputs: m.in})
	require.NoError(m.c, err)
	if response.GetId() == "" {
		return false
	}
	m.state, m.in = response.GetProperties(), response.GetInputs()
	return true
}

func (m *remembered) diff(in values) *pulumirpc.DiffResponse {
	m.c.Helper()
	wanted, failures := m.c.check(m.urn, in, m.in)
	require.Empty(m.c, failures)
	response, err := m.c.Diff(m.c.Context(), &pulumirpc.DiffRequest{
		Urn: m.urn, Id: m.id, Olds: m.state, OldInputs: m.in, News: wanted,
	})
	require.NoError(m.c, err)
	return response
}

// changes are the paths at which another run would change something.
func (m *remembered) changes(in values) []string {
	m.c.Helper()
	return slices.Sorted(maps.Keys(m.diff(in).GetDetailedDiff()))
}

// update changes the resource, and sees that nothing remains to change.
func (m *remembered) update(in values) {
	m.c.Helper()
	wanted, failures := m.c.check(m.urn, in, m.in)
	require.Empty(m.c, failures)
	require.NotEmpty(m.c, m.diff(in).GetDiffs(), "there is something to change")
	require.Empty(m.c, m.diff(in).GetReplaces())
	response, err := m.c.Update(m.c.Context(), &pulumirpc.UpdateRequest{
		Urn: m.urn, Id: m.id, Olds: m.state, OldInputs: m.in, News: wanted,
	})
	require.NoError(m.c, err)
	m.in, m.state = wanted, response.GetProperties()
	m.settled()
}

// with returns what the program said, with changes.
func (m *remembered) with(changes values) values {
	m.c.Helper()
	in := merged(m.c.decode(m.in), changes)
	maps.DeleteFunc(in, func(_ string, v any) bool { return v == nil })
	return in
}

func (m *remembered) remove() {
	m.c.Helper()
	_, err := m.c.Delete(m.c.Context(), &pulumirpc.DeleteRequest{Urn: m.urn, Id: m.id, Properties: m.state})
	require.NoError(m.c, err)
}

// byHand sends what an administrator would, past the plugin's resources.
func (c tester) byHand(method, place string, body any) values {
	c.Helper()
	s, err := c.session(c.Context())
	require.NoError(c, err)
	found := values{}
	_, err = s.call(c.Context(), method, strings.Split(place, "/"), body, &found)
	require.NoError(c, err)
	return found
}
