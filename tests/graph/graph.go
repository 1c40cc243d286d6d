// Package graph runs the program on mocks of the engine, and gives tests what it registers: resources with their inputs
// and dependencies, and Kubernetes objects as they would be applied.
package graph

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/telekom/controlplane-infrastructure/internal/aws"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/stacks"
)

// Resource is a resource as the program registers it.
type Resource struct {
	Kind, Name, URN, Parent, Provider string
	// Dependencies are URNs.
	Dependencies []string
	Inputs       resource.PropertyMap
	Protected    bool
	// DeletedWith is a URN.
	DeletedWith string
	// Object is nil for what is no Kubernetes object.
	Object *unstructured.Unstructured
}

// Manifest is the object as the policies of internal/workload take it.
func (r Resource) Manifest() *manifest.Object { return &manifest.Object{Unstructured: r.Object} }

// Graph is everything that one run of the program registers.
type Graph struct {
	// All are the resources in the order of their registration.
	All []Resource

	mutex    sync.Mutex
	previous resource.PropertyMap
}

// runs are those so far, by configuration.
var runs sync.Map

// Run runs the program with a configuration, once in a test binary: it takes a second. Nobody may change what it gives.
func Run(t *testing.T, c Configuration) *Graph {
	t.Helper()
	run, _ := runs.LoadOrStore(fmt.Sprint(c), sync.OnceValues(func() (*Graph, error) { return Try(c, nil) }))
	g, err := run.(func() (*Graph, error))()
	require.NoError(t, err)
	return g
}

// Try runs the program where the stack's last run, if there was one, had some outputs.
func Try(c Configuration, previous resource.PropertyMap) (*Graph, error) {
	g := &Graph{previous: previous}
	err := pulumi.RunErr(stacks.New(stacks.Options{}), pulumi.WithMocks("controlplane", "test", g),
		func(info *pulumi.RunInfo) { info.Config = c.values() })
	return g, err
}

// NewResource is called by the mocked engine.
func (g *Graph) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	r := Resource{
		Kind: args.TypeToken, Name: args.Name, URN: urn(args), Provider: args.Provider, Inputs: args.Inputs,
		Parent: args.RegisterRPC.GetParent(), Dependencies: args.RegisterRPC.GetDependencies(),
		Protected: args.RegisterRPC.GetProtect(), DeletedWith: args.RegisterRPC.GetDeletedWith(),
	}
	if strings.HasPrefix(r.Kind, "kubernetes:") {
		var err error
		if r.Object, err = object(args.Inputs); err != nil {
			return "", nil, fmt.Errorf("%s %s: %w", r.Kind, r.Name, err)
		}
	}
	g.mutex.Lock()
	defer g.mutex.Unlock()
	g.All = append(g.All, r)
	return args.Name + "-id", outputs(args), nil
}

// outputs are the inputs, and of resources of AWS what others need of them to be registered.
func outputs(args pulumi.MockResourceArgs) resource.PropertyMap {
	if !strings.HasPrefix(args.TypeToken, "aws:") {
		return args.Inputs
	}
	const account, issuer = "123456789012", "oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLE"
	arn := "arn:aws:test:eu-central-1:" + account + ":" + args.Name
	if args.TypeToken == aws.OIDCProvider {
		arn = "arn:aws:iam::" + account + ":oidc-provider/" + issuer
	}
	all := args.Inputs.Copy()
	all["arn"] = resource.NewProperty(arn)
	if args.TypeToken == aws.EKSCluster {
		for key, value := range map[string]any{
			"endpoint":             "https://EXAMPLE.gr7.eu-central-1.eks.amazonaws.com",
			"certificateAuthority": map[string]any{"data": "Q0E="},
			"identities":           []any{map[string]any{"oidcs": []any{map[string]any{"issuer": "https://" + issuer}}}},
		} {
			all[resource.PropertyKey(key)] = resource.NewPropertyValue(value)
		}
	}
	return all
}

// Call is called by the mocked engine, for the outputs of the stack's last run.
func (g *Graph) Call(pulumi.MockCallArgs) (resource.PropertyMap, error) {
	return resource.PropertyMap{"outputs": resource.NewProperty(g.previous)}, nil
}

// urn is what the mocked engine calls the resource.
func urn(args pulumi.MockResourceArgs) string {
	parent, kind := resource.URN(args.RegisterRPC.GetParent()), args.TypeToken
	if parent != "" && parent.QualifiedType() != resource.RootStackType {
		kind = string(parent.QualifiedType()) + "$" + kind
	}
	return "urn:pulumi:test::controlplane::" + kind + "::" + args.Name
}

func object(inputs resource.PropertyMap) (*unstructured.Unstructured, error) {
	plain, err := plugin.MarshalProperties(inputs, plugin.MarshalOptions{})
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(plain.AsMap())
	if err != nil {
		return nil, err
	}
	o := &unstructured.Unstructured{}
	return o, o.UnmarshalJSON(data)
}

// Objects are the Kubernetes objects, or those of the given kinds.
func (g *Graph) Objects(kinds ...string) []Resource {
	var found []Resource
	for _, r := range g.All {
		if r.Object != nil && (len(kinds) == 0 || slices.Contains(kinds, r.Object.GetKind())) {
			found = append(found, r)
		}
	}
	return found
}

// InNamespace are the objects of a namespace.
func (g *Graph) InNamespace(name string) []Resource {
	return slices.DeleteFunc(g.Objects(), func(r Resource) bool { return r.Object.GetNamespace() != name })
}

// Object is the one of a kind with the name in the program, such as namespace/name.
func (g *Graph) Object(t *testing.T, kind, name string) Resource {
	t.Helper()
	for _, r := range g.Objects(kind) {
		if r.Name == name {
			return r
		}
	}
	require.Failf(t, "no such object", "%s %s", kind, name)
	return Resource{}
}

// Resource is the one of a type with the name, whether it is a Kubernetes object or not.
func (g *Graph) Resource(t *testing.T, kind, name string) Resource {
	t.Helper()
	for _, r := range g.All {
		if r.Kind == kind && r.Name == name {
			return r
		}
	}
	require.Failf(t, "no such resource", "%s %s", kind, name)
	return Resource{}
}

// After are the names of everything that exists before r: what it depends on, what its component depends on, and so on.
func (g *Graph) After(r Resource) []string {
	byURN := map[string]Resource{}
	for _, other := range g.All {
		byURN[other.URN] = other
	}
	seen, names := map[string]bool{}, []string{}
	var walk func(Resource)
	walk = func(r Resource) {
		for _, urn := range append(slices.Clone(r.Dependencies), r.Parent) {
			if d, found := byURN[urn]; found && !seen[urn] {
				seen[urn] = true
				names = append(names, d.Name)
				walk(d)
			}
		}
	}
	walk(r)
	return names
}
