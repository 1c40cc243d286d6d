package aws

import (
	"maps"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/telekom/controlplane-infrastructure/internal/plugins/protocol"
)

// client asks a provider as an engine does.
type client struct {
	t *testing.T
	*Provider
}

func connect(t *testing.T, file string) client {
	t.Helper()
	c := client{t, New(Options{StateFile: file})}
	c.configure(values{"region": "eu-central-1"})
	return c
}

func (c client) configure(config values) {
	c.t.Helper()
	_, err := c.Configure(c.t.Context(), &pulumirpc.ConfigureRequest{Args: c.wire(config)})
	require.NoError(c.t, err)
}

func (c client) wire(in values) *structpb.Struct {
	c.t.Helper()
	s, err := protocol.Encode(properties(in))
	require.NoError(c.t, err)
	return s
}

func (c client) read(s *structpb.Struct) values {
	c.t.Helper()
	m, err := protocol.Decode(s)
	require.NoError(c.t, err)
	return m.Mappable()
}

func urn(token string) string { return "urn:pulumi:test::test::" + token + "::it" }

func (c client) check(token string, in values) (values, map[string]string) {
	c.t.Helper()
	response, err := c.Check(c.t.Context(), &pulumirpc.CheckRequest{
		Urn: urn(token), News: c.wire(in), RandomSeed: []byte("0123456789abcdef0123456789abcdef"),
	})
	require.NoError(c.t, err)
	failures := map[string]string{}
	for _, f := range response.GetFailures() {
		failures[f.GetProperty()] = f.GetReason()
	}
	return c.read(response.GetInputs()), failures
}

func (c client) try(token string, in values) (string, values, error) {
	c.t.Helper()
	checked, failures := c.check(token, in)
	require.Empty(c.t, failures)
	response, err := c.Create(c.t.Context(), &pulumirpc.CreateRequest{Urn: urn(token), Properties: c.wire(checked)})
	if err != nil {
		return "", nil, err
	}
	return response.GetId(), c.read(response.GetProperties()), nil
}

func (c client) create(token string, in values) (string, values) {
	c.t.Helper()
	id, state, err := c.try(token, in)
	require.NoError(c.t, err)
	return id, state
}

func (c client) remove(token, id string) error {
	_, err := c.Delete(c.t.Context(), &pulumirpc.DeleteRequest{Urn: urn(token), Id: id})
	return err
}

// exists looks a resource up, as a refresh does.
func (c client) exists(token, id string) bool {
	c.t.Helper()
	response, err := c.Read(c.t.Context(), &pulumirpc.ReadRequest{Urn: urn(token), Id: id})
	require.NoError(c.t, err)
	return response.GetId() == id
}

// update changes a resource, as an engine does after a diff.
func (c client) update(token, id string, in values) (values, error) {
	c.t.Helper()
	checked, failures := c.check(token, in)
	require.Empty(c.t, failures)
	response, err := c.Update(c.t.Context(), &pulumirpc.UpdateRequest{Urn: urn(token), Id: id, News: c.wire(checked)})
	if err != nil {
		return nil, err
	}
	return c.read(response.GetProperties()), nil
}

// diff compares inputs, which may be unknown.
func (c client) diff(token string, olds, news resource.PropertyMap) *pulumirpc.DiffResponse {
	c.t.Helper()
	o, err := protocol.Encode(olds)
	require.NoError(c.t, err)
	n, err := protocol.Encode(news)
	require.NoError(c.t, err)
	response, err := c.Diff(c.t.Context(), &pulumirpc.DiffRequest{Urn: urn(token), OldInputs: o, News: n})
	require.NoError(c.t, err)
	return response
}

// refused says that AWS has answered with an error of this code.
func (c client) refused(code string, err error) {
	c.t.Helper()
	require.ErrorContains(c.t, err, "api error "+code+": ")
}

// but returns an object with other values in it, by path; nil takes one out.
func but(in values, changes values) values {
	out := maps.Clone(in)
	for path, v := range changes {
		key, rest, deeper := strings.Cut(path, ".")
		switch {
		case deeper:
			out[key] = but(object(out[key]), values{rest: v})
		case v == nil:
			delete(out, key)
		default:
			out[key] = v
		}
	}
	return out
}
