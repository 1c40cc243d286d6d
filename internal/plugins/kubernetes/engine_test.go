package kubernetes

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil/rpcerror"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/structpb"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
)

// engine does to the plugin what the engine does, over a connection of its own.
type engine struct {
	t      *testing.T
	client pulumirpc.ResourceProviderClient
}

// serve starts a plugin and returns its address.
func serve(t *testing.T, options Options) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	provider := New(options)
	server := grpc.NewServer(grpc.StatsHandler(provider))
	pulumirpc.RegisterResourceProviderServer(server, provider)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return listener.Addr().String()
}

func dial(t *testing.T, address string) *engine {
	t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return &engine{t: t, client: pulumirpc.NewResourceProviderClient(conn)}
}

// reachable returns an engine whose plugin is configured for the control plane; settings are name, value, name, value.
func reachable(t *testing.T, settings ...string) *engine {
	t.Helper()
	e := dial(t, serve(t, Options{Target: real.REST()}))
	e.configure(settings...)
	return e
}

// unreachableEngine returns one whose cluster does not answer.
func unreachableEngine(t *testing.T, settings ...string) *engine {
	t.Helper()
	e := dial(t, serve(t, Options{Target: &rest.Config{Host: "http://127.0.0.1:1"}}))
	e.configure(settings...)
	return e
}

func (e *engine) configure(settings ...string) {
	e.t.Helper()
	args := doc{}
	for i := 0; i < len(settings); i += 2 {
		args[settings[i]] = settings[i+1]
	}
	_, err := e.client.Configure(e.t.Context(), &pulumirpc.ConfigureRequest{Args: wire(e.t, args), AcceptSecrets: true})
	require.NoError(e.t, err)
}

type doc = map[string]any

// managed is a resource as an engine keeps it.
type managed struct {
	urn, id string
	inputs  *structpb.Struct
	state   *structpb.Struct
}

// urnOf makes the URN that an engine would: the token from apiVersion and kind, and the resource's name.
func urnOf(object doc, name string) string {
	version, _ := object["apiVersion"].(string)
	if !strings.Contains(version, "/") {
		version = "core/" + version
	}
	return fmt.Sprintf("urn:pulumi:test::test::kubernetes:%s:%s::%s", version, object["kind"], name)
}

func wire(t *testing.T, object doc) *structpb.Struct {
	t.Helper()
	s, err := encode(resource.NewPropertyMapFromMap(object))
	require.NoError(t, err)
	return s
}

func (e *engine) check(urn string, olds *structpb.Struct, object doc) *structpb.Struct {
	e.t.Helper()
	response, err := e.client.Check(e.t.Context(), &pulumirpc.CheckRequest{
		Urn: urn, Olds: olds, News: wire(e.t, object), RandomSeed: []byte("0123456789abcdef0123456789abcdef"),
	})
	require.NoError(e.t, err)
	require.Empty(e.t, response.GetFailures())
	return response.GetInputs()
}

func (e *engine) tryCreate(name string, object doc) (*managed, error) {
	e.t.Helper()
	return e.tryCreateAs(urnOf(object, name), object, 0)
}

func (e *engine) tryCreateAs(urn string, object doc, seconds float64) (*managed, error) {
	e.t.Helper()
	m := &managed{urn: urn, inputs: e.check(urn, nil, object)}
	response, err := e.client.Create(e.t.Context(), &pulumirpc.CreateRequest{
		Urn: urn, Properties: m.inputs, Timeout: seconds,
	})
	if err != nil {
		m.adopt(initError(err))
		return m, err
	}
	m.id, m.state = response.GetId(), response.GetProperties()
	return m, nil
}

// create makes an object and removes it when the test is over.
func (e *engine) create(name string, object doc) *managed {
	e.t.Helper()
	m, err := e.tryCreate(name, object)
	require.NoError(e.t, err)
	e.t.Cleanup(func() { e.drop(m) })
	return m
}

func (e *engine) drop(m *managed) {
	if m.id != "" {
		_, err := e.client.Delete(context.Background(), &pulumirpc.DeleteRequest{
			Id: m.id, Urn: m.urn, Properties: m.state, Timeout: 60,
		})
		require.NoError(e.t, err)
		m.id = ""
	}
}

func (m *managed) adopt(detail *pulumirpc.ErrorResourceInitFailed) {
	if detail != nil {
		m.id, m.state = detail.GetId(), detail.GetProperties()
	}
}

// initError returns the recorded state in an error, or nil.
func initError(err error) *pulumirpc.ErrorResourceInitFailed {
	converted := rpcerror.Convert(err)
	for _, detail := range converted.Details() {
		if d, ok := detail.(*pulumirpc.ErrorResourceInitFailed); ok {
			return d
		}
	}
	return nil
}

// initMessage returns what an engine shows of an error.
func initMessage(err error) string { return rpcerror.Convert(err).Message() }

func (e *engine) diff(m *managed, object doc, ignore ...string) *pulumirpc.DiffResponse {
	e.t.Helper()
	return e.diffInputs(m, e.check(m.urn, m.inputs, object), ignore...)
}

func (e *engine) diffInputs(m *managed, news *structpb.Struct, ignore ...string) *pulumirpc.DiffResponse {
	e.t.Helper()
	response, err := e.client.Diff(e.t.Context(), &pulumirpc.DiffRequest{
		Id: m.id, Urn: m.urn, Olds: m.state, OldInputs: m.inputs, News: news, IgnoreChanges: ignore,
	})
	require.NoError(e.t, err)
	return response
}

func (e *engine) tryUpdate(m *managed, object doc, preview bool, ignore ...string) (*pulumirpc.UpdateResponse, error) {
	e.t.Helper()
	news := e.check(m.urn, m.inputs, object)
	response, err := e.client.Update(e.t.Context(), &pulumirpc.UpdateRequest{
		Id: m.id, Urn: m.urn, Olds: m.state, OldInputs: m.inputs, News: news, Preview: preview, IgnoreChanges: ignore,
	})
	if err == nil && !preview {
		m.inputs, m.state = news, response.GetProperties()
	}
	return response, err
}

func (e *engine) update(m *managed, object doc, ignore ...string) {
	e.t.Helper()
	_, err := e.tryUpdate(m, object, false, ignore...)
	require.NoError(e.t, err)
}

// refresh reads the object and returns what an engine would call its changes.
func (e *engine) refresh(m *managed) *pulumirpc.DiffResponse {
	e.t.Helper()
	response, err := e.client.Read(e.t.Context(), &pulumirpc.ReadRequest{
		Id: m.id, Urn: m.urn, Properties: m.state, Inputs: m.inputs,
	})
	if unready := initError(err); unready != nil {
		response = &pulumirpc.ReadResponse{
			Id: unready.GetId(), Properties: unready.GetProperties(), Inputs: unready.GetInputs(),
		}
	} else {
		require.NoError(e.t, err)
	}
	if response.GetId() == "" {
		m.id = ""
		return nil
	}
	desired := m.inputs
	m.inputs, m.state = response.GetInputs(), response.GetProperties()
	return e.diffInputs(m, desired)
}

func (e *engine) outputs(m *managed) resource.PropertyMap {
	e.t.Helper()
	state, err := decode(m.state)
	require.NoError(e.t, err)
	return state
}

// cluster side

func objects(t *testing.T, resource, version string) dynamic.NamespaceableResourceInterface {
	t.Helper()
	client, err := dynamic.NewForConfig(real.REST())
	require.NoError(t, err)
	gv, err := schema.ParseGroupVersion(version)
	require.NoError(t, err)
	return client.Resource(gv.WithResource(resource))
}

func get(t *testing.T, resource, version, namespace, name string) *unstructured.Unstructured {
	t.Helper()
	obj, err := objects(t, resource, version).Namespace(namespace).Get(t.Context(), name, metav1.GetOptions{})
	require.NoError(t, err)
	return obj
}

// namespaceFor makes a namespace for one test. It goes away with the control plane: deleting one takes seconds.
func (e *engine) namespaceFor(name string) string {
	e.t.Helper()
	_, err := e.tryCreate(name, namespace(name))
	require.NoError(e.t, err)
	return name
}

func namespace(name string) doc {
	return doc{"apiVersion": "v1", "kind": "Namespace", "metadata": doc{"name": name}}
}

func paths(d *pulumirpc.DiffResponse) map[string]string {
	out := map[string]string{}
	for path, change := range d.GetDetailedDiff() {
		out[path] = change.GetKind().String()
	}
	return out
}

// inTime fails when something has taken longer than allowed.
func inTime(t *testing.T, start time.Time, limit time.Duration) {
	t.Helper()
	require.Less(t, time.Since(start), limit)
}
