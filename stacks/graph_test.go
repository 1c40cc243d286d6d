package stacks_test

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/stacks"
)

// registered is a resource as the program registers it.
type registered struct {
	kind, name, urn, parent, provider string
	dependencies                      []string
	inputs                            resource.PropertyMap
	object                            *unstructured.Unstructured // nil for what is no Kubernetes object
}

// graph is everything that one run of the program registers.
type graph struct {
	mutex sync.Mutex
	all   []registered
}

func (g *graph) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	r := registered{
		kind: args.TypeToken, name: args.Name, provider: args.Provider, inputs: args.Inputs,
		parent: args.RegisterRPC.GetParent(), dependencies: args.RegisterRPC.GetDependencies(),
	}
	r.urn = urnOf(args)
	if strings.HasPrefix(r.kind, "kubernetes:") {
		plain, err := plugin.MarshalProperties(args.Inputs, plugin.MarshalOptions{})
		if err != nil {
			return "", nil, err
		}
		data, err := json.Marshal(plain.AsMap())
		if err != nil {
			return "", nil, err
		}
		r.object = &unstructured.Unstructured{}
		if err := r.object.UnmarshalJSON(data); err != nil {
			return "", nil, err
		}
	}
	g.mutex.Lock()
	defer g.mutex.Unlock()
	g.all = append(g.all, r)
	return args.Name + "-id", args.Inputs, nil
}

func (g *graph) Call(pulumi.MockCallArgs) (resource.PropertyMap, error) { return nil, nil }

// urnOf is what the mocked engine calls the resource.
func urnOf(args pulumi.MockResourceArgs) string {
	parent := resource.URN(args.RegisterRPC.GetParent())
	kind := args.TypeToken
	if parent != "" && parent.QualifiedType() != resource.RootStackType {
		kind = string(parent.QualifiedType()) + "$" + kind
	}
	return "urn:pulumi:test::controlplane::" + kind + "::" + args.Name
}

// run runs the program with a configuration; values are JSON or plain strings.
func run(t *testing.T, config map[string]string) *graph {
	t.Helper()
	values := map[string]string{}
	for key, value := range config {
		values["controlplane:"+key] = value
	}
	g := &graph{}
	err := pulumi.RunErr(stacks.Program, pulumi.WithMocks("controlplane", "test", g),
		func(info *pulumi.RunInfo) { info.Config = values })
	require.NoError(t, err)
	return g
}

func (g *graph) objects(kinds ...string) []registered {
	var found []registered
	for _, r := range g.all {
		if r.object != nil && (len(kinds) == 0 || slices.Contains(kinds, r.object.GetKind())) {
			found = append(found, r)
		}
	}
	return found
}

func (g *graph) find(t *testing.T, kind, name string) registered {
	t.Helper()
	for _, r := range g.objects(kind) {
		if r.name == name {
			return r
		}
	}
	require.Failf(t, "no such object", "%s %s", kind, name)
	return registered{}
}

// after lists the names of everything that exists before r: what it depends on, what its component depends on, and so on.
func (g *graph) after(r registered) []string {
	byURN := map[string]registered{}
	for _, other := range g.all {
		byURN[other.urn] = other
	}
	seen, names := map[string]bool{}, []string{}
	var walk func(registered)
	walk = func(r registered) {
		for _, urn := range append(slices.Clone(r.dependencies), r.parent) {
			if d, found := byURN[urn]; found && !seen[urn] {
				seen[urn] = true
				names = append(names, d.name)
				walk(d)
			}
		}
	}
	walk(r)
	return names
}

// manifestObject is the object as the policies in internal/workload take it.
func (r registered) manifestObject() *manifest.Object {
	return &manifest.Object{Unstructured: r.object}
}

func TestEveryResourceBelongsToAComponent(t *testing.T) {
	g := run(t, nil)
	assert.Greater(t, len(g.objects()), 60)
	for _, r := range g.all {
		if strings.HasPrefix(r.kind, "controlplane:") || r.kind == string(resource.RootStackType) {
			continue
		}
		parent := resource.URN(r.parent)
		assert.True(t, strings.HasPrefix(string(parent.Type()), "controlplane:"), "%s %s has parent %q", r.kind, r.name, r.parent)
		if r.object != nil {
			assert.Contains(t, r.provider, "pulumi:providers:kubernetes::cluster", "%s %s uses no default provider", r.kind, r.name)
			assert.Less(t, len(r.name), 100, "%s is a short name", r.name)
		}
	}
}

func TestOrder(t *testing.T) {
	g := run(t, map[string]string{"certTrust": `{"controlPlaneIssuer":{"fromPlatformCA":true}}`})
	const apiCheck = "cert-manager/cert-manager-startupapicheck"
	for _, r := range g.objects("Certificate", "ClusterIssuer", "Issuer", "Bundle") {
		assert.Contains(t, g.after(r), apiCheck, "%s %s waits until certificates can be issued", r.object.GetKind(), r.name)
	}
	assert.Contains(t, g.after(g.find(t, "Bundle", "platform-trust")), "cert-manager/trust-manager", "the webhook that checks bundles")
	assert.Contains(t, g.after(g.find(t, "Deployment", "cert-manager/trust-manager")), "controlplane-system",
		"trust-manager reads the Control Plane's namespace")
	for _, r := range g.objects("ServiceMonitor") {
		assert.Contains(t, g.after(r), "servicemonitors.monitoring.coreos.com")
	}
	job := g.find(t, "Job", apiCheck)
	for _, name := range []string{"cert-manager/cert-manager-webhook", "cert-manager/cert-manager-cainjector", "cert-manager-webhook"} {
		assert.Contains(t, g.after(job), name, "the check comes last")
	}
}

func TestNamespaceOfTheControlPlane(t *testing.T) {
	labels := run(t, nil).find(t, "Namespace", "controlplane-system").object.GetLabels()
	for label, value := range map[string]string{
		"app.kubernetes.io/name":             "controlplane-system",
		"cp.ei.telekom.de/secret-manager":    "enabled",
		"cp.ei.telekom.de/file-manager":      "enabled",
		"cp.ei.telekom.de/controlplane-api":  "enabled",
		"pod-security.kubernetes.io/enforce": "restricted",
	} {
		assert.Equal(t, value, labels[label], label)
	}
}

func TestImagesComeFromTheMirror(t *testing.T) {
	g := run(t, map[string]string{"artifacts": `{"imageMirror":"registry.example.com/mirror"}`})
	images := 0
	for _, r := range g.objects() {
		data, err := json.Marshal(r.object)
		require.NoError(t, err)
		mirrored := strings.Count(string(data), "registry.example.com/mirror/quay.io/jetstack/")
		assert.Equal(t, strings.Count(string(data), "quay.io/"), mirrored, "%s", r.name)
		images += mirrored
	}
	assert.GreaterOrEqual(t, images, 7, "controller, webhook, CA injector, API check, ACME solver, trust-manager, root certificates")
}
