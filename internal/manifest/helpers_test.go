package manifest_test

import (
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/internal/artifact/artifacttest"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
)

func certManager(t *testing.T) manifest.Chart {
	t.Helper()
	tree := artifacttest.Fetch(t, "github.com/cert-manager/cert-manager", "deploy/charts/cert-manager")
	return manifest.Chart{
		Tree: tree, Release: "cert-manager", Namespace: "cert-manager", Version: tree.Version, AppVersion: tree.Version,
		Values: map[string]any{"crds": map[string]any{"enabled": true, "keep": false}},
	}
}

func trustManager(t *testing.T) manifest.Chart {
	t.Helper()
	tree := artifacttest.Fetch(t, "github.com/cert-manager/trust-manager", "deploy/charts/trust-manager")
	return manifest.Chart{
		Tree: tree, Release: "trust-manager", Namespace: "cert-manager", Version: tree.Version, AppVersion: tree.Version,
		Values: map[string]any{
			"defaultPackageImage": map[string]any{"tag": "20250419.0"},
			"app":                 map[string]any{"trust": map[string]any{"namespace": "controlplane-system"}},
		},
	}
}

// chart is a small chart made of the given files.
func chart(files map[string]string) manifest.Chart {
	tree := fstest.MapFS{"Chart.yaml": {Data: []byte("apiVersion: v2\nname: demo\nversion: 0.0.0\n")}}
	for name, content := range files {
		tree[name] = &fstest.MapFile{Data: []byte(content)}
	}
	return manifest.Chart{Tree: tree, Release: "demo", Namespace: "demo"}
}

func render(t *testing.T, c manifest.Chart) manifest.Set {
	t.Helper()
	set, err := c.Render()
	require.NoError(t, err)
	return set
}

func parse(t *testing.T, yaml string) manifest.Set {
	t.Helper()
	set, err := manifest.ParseYAML("test.yaml", []byte(yaml))
	require.NoError(t, err)
	return set
}

// registered is what the engine was told, by type and name.
type registered struct {
	mu        sync.Mutex
	resources map[string]pulumi.MockResourceArgs
}

func (r *registered) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if args.Custom && args.TypeToken != "pulumi:providers:kubernetes" {
		r.resources[args.TypeToken+"::"+args.Name] = args
	}
	return args.Name, args.Inputs, nil
}

func (r *registered) Call(pulumi.MockCallArgs) (resource.PropertyMap, error) {
	return resource.PropertyMap{}, nil
}

type component struct{ pulumi.ResourceState }

type provider struct{ pulumi.ProviderResourceState }

// register registers a set below a component, and returns the requests by
// type and name.
func register(t *testing.T, set manifest.Set, check func(*manifest.Group), transforms ...manifest.Transform) map[string]request {
	t.Helper()
	got, err := tryRegister(set, check, transforms...)
	require.NoError(t, err)
	return got
}

// request is what matters of a registration.
type request struct {
	Token        string
	Name         string
	Parent       string
	Provider     string
	Inputs       resource.PropertyMap
	Dependencies []string
	Ignored      []string
	SecretOut    []string
}

func tryRegister(set manifest.Set, check func(*manifest.Group), transforms ...manifest.Transform) (map[string]request, error) {
	mocks := &registered{resources: map[string]pulumi.MockResourceArgs{}}
	err := pulumi.RunErr(func(ctx *pulumi.Context) error {
		parent := &component{}
		if err := ctx.RegisterComponentResource("test:index:Component", "parent", parent); err != nil {
			return err
		}
		kubernetes := &provider{}
		if err := ctx.RegisterResource("pulumi:providers:kubernetes", "cluster", pulumi.Map{}, kubernetes, pulumi.Parent(parent)); err != nil {
			return err
		}
		registrar := manifest.Registrar{Ctx: ctx, Parent: parent, Provider: kubernetes, Transforms: transforms}
		group, err := registrar.Register(set)
		if err == nil && check != nil {
			check(group)
		}
		return err
	}, pulumi.WithMocks("project", "stack", mocks))
	if err != nil {
		return nil, err
	}
	requests := map[string]request{}
	for urn, args := range mocks.resources {
		rpc := args.RegisterRPC
		r := request{
			Token: args.TypeToken, Name: args.Name, Parent: rpc.GetParent(), Provider: args.Provider, Inputs: args.Inputs,
			Ignored: rpc.GetIgnoreChanges(), SecretOut: rpc.GetAdditionalSecretOutputs(),
		}
		for _, urn := range rpc.GetDependencies() {
			r.Dependencies = append(r.Dependencies, name(urn))
		}
		requests[name(urn)] = r
	}
	return requests, nil
}

// name shortens …kubernetes:apps/v1:Deployment::ns/name to Deployment ns/name.
func name(urn string) string {
	token, name := cutLast(urn, "::")
	_, kind := cutLast(token, ":")
	return kind + " " + name
}

func cutLast(s, separator string) (before, after string) {
	i := strings.LastIndex(s, separator)
	return s[:max(i, 0)], s[i+len(separator):]
}
