package gatewayapi_test

import (
	"testing"
	"testing/fstest"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optpreview"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optrefresh"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"github.com/telekom/controlplane-infrastructure/components/cluster"
	"github.com/telekom/controlplane-infrastructure/components/network/gatewayapi"
	"github.com/telekom/controlplane-infrastructure/internal/artifact"
	"github.com/telekom/controlplane-infrastructure/internal/artifact/artifacttest"
	"github.com/telekom/controlplane-infrastructure/internal/local/localtest"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/plugins"
	"github.com/telekom/controlplane-infrastructure/internal/plugins/kubernetes"
	"github.com/telekom/controlplane-infrastructure/internal/plugins/plugintest"
)

// gateway is what somebody makes who serves a host by the Gateway API.
const gateway = `apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: test}
spec: {controllerName: example.com/controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: web, namespace: default}
spec:
  gatewayClassName: test
  listeners:
  - {name: https, protocol: HTTPS, port: 443, hostname: "*.example.com", tls: {certificateRefs: [{name: web-tls}]}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web, namespace: default}
spec:
  parentRefs: [{name: web}]
  hostnames: [shop.example.com]
  rules: [{backendRefs: [{name: web, port: 8443}]}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: {name: web, namespace: default}
spec:
  targetRefs: [{group: "", kind: Service, name: web}]
  validation: {hostname: web.default.svc, caCertificateRefs: [{group: "", kind: ConfigMap, name: platform-trust}]}
`

func source(t *testing.T) *artifact.Tree {
	return artifacttest.Fetch(t, "sigs.k8s.io/gateway-api", "config/crd/standard")
}

// stack is the component with a gateway.
func stack(t *testing.T, target kubernetes.Options) auto.Stack {
	t.Helper()
	host, err := plugins.Serve(t.Context(), plugins.Options{Kubernetes: target})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, host.Close()) })
	tree := source(t)
	s, _ := plugintest.Stack(t, "gateways", map[string]string{plugins.EnvKey: host.Env()}, func(ctx *pulumi.Context) error {
		c, err := cluster.New(ctx, "cluster", cluster.Args{Identifier: "test"})
		if err != nil {
			return err
		}
		g, err := gatewayapi.New(ctx, "gateway-api", gatewayapi.Args{Provider: c.Provider, Source: tree})
		if err != nil {
			return err
		}
		set, err := manifest.ParseYAML("gateway.yaml", []byte(gateway))
		if err != nil {
			return err
		}
		reg := manifest.Registrar{Ctx: ctx, Parent: c, Provider: c.Provider}
		_, err = reg.Register(set, pulumi.DependsOn([]pulumi.Resource{g}))
		return err
	})
	return s
}

// A real API server accepts the definitions and what is defined by them, twice without a change, and keeps nothing.
func TestLifeOfTheDefinitions(t *testing.T) {
	t.Parallel()
	target := localtest.Start(t).REST()
	client, err := dynamic.NewForConfig(target)
	require.NoError(t, err)
	definitions := client.Resource(schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"})
	before, err := definitions.List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	s := stack(t, kubernetes.Options{Target: target})

	_, err = s.Up(t.Context())
	require.NoError(t, err)
	_, err = s.Preview(t.Context(), optpreview.ExpectNoChanges())
	require.NoError(t, err)
	_, err = s.Refresh(t.Context(), optrefresh.ExpectNoChanges())
	require.NoError(t, err)

	t.Run("nobody puts the experimental channel in their place", func(t *testing.T) {
		_, err := definitions.Patch(t.Context(), "httproutes.gateway.networking.k8s.io", types.MergePatchType,
			[]byte(`{"metadata":{"annotations":{"gateway.networking.k8s.io/channel":"experimental"}}}`), metav1.PatchOptions{})
		require.ErrorContains(t, err, "experimental")
	})

	_, err = s.Destroy(t.Context())
	require.NoError(t, err)
	after, err := definitions.List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	assert.Len(t, after.Items, len(before.Items))
}

func TestATreeWithoutDefinitions(t *testing.T) {
	tree := &artifact.Tree{Origin: "a directory", FS: fstest.MapFS{
		"other.yaml": {Data: []byte("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\n")},
	}}
	err := pulumi.RunErr(func(ctx *pulumi.Context) error {
		_, err := gatewayapi.New(ctx, "gateway-api", gatewayapi.Args{Source: tree})
		return err
	}, pulumi.WithMocks("controlplane", "test", mocks{}))
	require.ErrorContains(t, err, "gateway-api: a directory holds no custom resource definitions")
}

// mocks create nothing.
type mocks struct{}

func (mocks) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	return args.Name, args.Inputs, nil
}
func (mocks) Call(pulumi.MockCallArgs) (resource.PropertyMap, error) { return nil, nil }
