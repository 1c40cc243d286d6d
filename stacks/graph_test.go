package stacks_test

import (
	"encoding/json"
	"fmt"
	"regexp"
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
	"github.com/telekom/controlplane-infrastructure/stacks/config"
)

// registered is a resource as the program registers it.
type registered struct {
	kind, name, urn, parent, provider string
	dependencies                      []string
	inputs                            resource.PropertyMap
	protected                         bool
	deletedWith                       string
	object                            *unstructured.Unstructured // nil for what is no Kubernetes object
}

// graph is everything that one run of the program registers.
type graph struct {
	mutex    sync.Mutex
	all      []registered
	previous resource.PropertyMap // outputs of the stack's last run
}

func (g *graph) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	r := registered{
		kind: args.TypeToken, name: args.Name, provider: args.Provider, inputs: args.Inputs,
		parent: args.RegisterRPC.GetParent(), dependencies: args.RegisterRPC.GetDependencies(),
		protected: args.RegisterRPC.GetProtect(), deletedWith: args.RegisterRPC.GetDeletedWith(),
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

func (g *graph) Call(pulumi.MockCallArgs) (resource.PropertyMap, error) {
	return resource.PropertyMap{"outputs": resource.NewProperty(g.previous)}, nil
}

func (g *graph) inNamespace(name string) []registered {
	return slices.DeleteFunc(g.objects(), func(r registered) bool { return r.object.GetNamespace() != name })
}

// urnOf is what the mocked engine calls the resource.
func urnOf(args pulumi.MockResourceArgs) string {
	parent := resource.URN(args.RegisterRPC.GetParent())
	kind := args.TypeToken
	if parent != "" && parent.QualifiedType() != resource.RootStackType {
		kind = string(parent.QualifiedType()) + "$" + kind
	}
	return "urn:pulumi:test::controlplane::" + kind + "::" + args.Name
}

// No stack does without a host name.
const identityKey, hostname = "controlplane:identity", `{"hostname": "iris.example.com"}`

// graphs are the runs so far: a run takes seconds, and nobody changes what comes out of it.
var graphs = map[string]*graph{}

// run runs the program with a configuration; values are JSON or plain strings.
func run(t *testing.T, config map[string]string) *graph {
	t.Helper()
	key := fmt.Sprint(config) // sorted by key
	if graphs[key] == nil {
		graphs[key] = runAnew(t, config)
	}
	return graphs[key]
}

func runAnew(t *testing.T, config map[string]string) *graph {
	t.Helper()
	values := map[string]string{identityKey: hostname}
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
		if strings.HasPrefix(r.kind, "controlplane:") || strings.HasPrefix(r.kind, "pulumi:") {
			continue // components, providers and the stack itself
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

// registries are those that the platform's images come from.
var registries = regexp.MustCompile(`([^"\s]*)\b(quay\.io|docker\.io|ghcr\.io)/`)

func TestImagesComeFromTheMirror(t *testing.T) {
	g := run(t, map[string]string{"availability": "zonal", "artifacts": `{"imageMirror":"registry.example.com/mirror"}`})
	images := 0
	for _, r := range g.objects() {
		if r.object.GetKind() == "CustomResourceDefinition" {
			continue // they explain with examples
		}
		data, err := json.Marshal(r.object)
		require.NoError(t, err)
		for _, match := range registries.FindAllStringSubmatch(string(data), -1) {
			images++
			assert.True(t, strings.HasSuffix(match[1], "registry.example.com/mirror/"), "%s: %s", r.name, match[0])
		}
	}
	assert.GreaterOrEqual(t, images, 20)
}

// storage asserts what the parts of the storage are to each other and to others.
func TestStorage(t *testing.T) {
	const minIO, bootstrap, database = "minio/minio", "minio/minio-bootstrap", "postgresql/platform"
	t.Run("backups go to our own object storage", func(t *testing.T) {
		g := run(t, profiles["zonal"])
		assert.Contains(t, g.after(g.find(t, "Cluster", database)), bootstrap, "the bucket is there before the first backup")
		spec := g.find(t, "ObjectStore", database+"-backup").object.Object["spec"].(map[string]any)["configuration"].(map[string]any)
		assert.Equal(t, "s3://controlplane-files-backups/postgresql", spec["destinationPath"])
		assert.Equal(t, "https://minio.minio.svc:9000", spec["endpointURL"])
	})
	t.Run("without backups the database waits for no object storage", func(t *testing.T) {
		g := run(t, profiles["single"])
		assert.NotContains(t, g.after(g.find(t, "Cluster", database)), minIO)
		assert.Empty(t, g.objects("ObjectStore"))
	})
	t.Run("everything with data is protected over zones", func(t *testing.T) {
		for profile, want := range map[string]bool{"zonal": true, "single": false} {
			g := run(t, profiles[profile])
			for _, r := range append(g.objects("PersistentVolumeClaim"), g.find(t, "Cluster", database)) {
				assert.Equal(t, want, r.protected, "%s: %s", profile, r.name)
			}
		}
	})
	t.Run("the cache's address leads to proxies that are ready", func(t *testing.T) {
		g := run(t, profiles["zonal"])
		assert.Contains(t, g.after(g.find(t, "Service", "valkey/valkey")), "valkey/valkey-proxies")
	})
	t.Run("Amazon S3 needs no object storage of ours", func(t *testing.T) {
		g := run(t, amazon)
		assert.Empty(t, g.inNamespace("minio"))
		store := g.find(t, "ObjectStore", database+"-backup").object.Object["spec"].(map[string]any)["configuration"].(map[string]any)
		assert.Equal(t, "s3://example-files-backups/postgresql", store["destinationPath"])
		assert.NotContains(t, store, "endpointURL")
		assert.Equal(t, true, store["s3Credentials"].(map[string]any)["inheritFromIAMRole"])
	})
}

// amazon is a configuration with object storage in AWS.
var amazon = map[string]string{
	"availability": "zonal",
	"aws":          `{"region":"eu-central-1"}`,
	"cluster":      `{"oidcProviderArn":"arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLE"}`,
	"storage":      `{"objectStorage":{"backend":"s3","bucket":"example-files"}}`,
}

// What a stack is now decides what it can become.
func TestWhatCannotBeUndoneIsRefused(t *testing.T) {
	g := &graph{previous: resource.PropertyMap{"footprint": resource.NewProperty(resource.PropertyMap{
		"storage.postgresql.clusters[platform].volume.size": resource.NewProperty("100Gi"),
	})}}
	err := pulumi.RunErr(stacks.Program, pulumi.WithMocks("controlplane", "test", g), func(info *pulumi.RunInfo) {
		info.Config = map[string]string{identityKey: hostname}
	})
	assert.ErrorContains(t, err, `"10Gi" must be at least "100Gi"`)
	assert.Empty(t, g.objects(), "nothing is registered")
}

// What only the components can tell is told before anything is registered, too.
func TestWhatCannotWorkIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		key, value string
		messages   []string
	}{
		"too few connections for the cluster": {
			"storage", `{"postgresql":{"parameters":{"max_connections":"5"}}}`,
			[]string{"controlplane:storage.postgresql: cluster platform: ", "max_connections"},
		},
		"too few connections for Keycloak": {
			"storage", `{"postgresql":{"parameters":{"max_connections":"40"}}}`,
			[]string{"controlplane:identity: ", "Connections"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := &graph{}
			err := pulumi.RunErr(stacks.Program, pulumi.WithMocks("controlplane", "test", g), func(info *pulumi.RunInfo) {
				info.Config = map[string]string{identityKey: hostname, "controlplane:availability": "zonal", "controlplane:" + c.key: c.value}
			})
			var invalid config.Errors
			require.ErrorAs(t, err, &invalid)
			for _, message := range c.messages {
				assert.ErrorContains(t, err, message)
			}
			assert.Empty(t, g.objects(), "nothing is registered")
		})
	}
}
