package render_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/telekom/controlplane-infrastructure/internal/planned"
	"github.com/telekom/controlplane-infrastructure/internal/render"
	"github.com/telekom/controlplane-infrastructure/tests/graph"
)

const root = "../.."

// profile is a stack as the program registers it.
func profile(t *testing.T, name string, c graph.Configuration) render.Stack {
	t.Helper()
	if c == nil {
		var err error
		c, err = graph.StackFile(root, name)
		require.NoError(t, err)
	}
	g := graph.Run(t, c)
	s := render.Stack{Name: name, Needs: map[string][]string{}}
	var err error
	s.Resources, err = g.Planned()
	require.NoError(t, err)
	for _, r := range g.All {
		s.Needs[r.URN] = r.Dependencies
	}
	return s
}

// profiles are what people run; nil stands for a stack's own file.
var profiles = map[string]graph.Configuration{
	"dev": nil, "onprem": nil, "prod": nil, "istio": graph.Istio, "linkerd": graph.Linkerd, "amazon": graph.Amazon,
}

// build is what kustomize makes of a directory of the manifests.
func build(t *testing.T, m *render.Manifests, dir string) resmap.ResMap {
	t.Helper()
	files := filesys.MakeFsInMemory()
	for _, file := range m.Files() {
		require.NoError(t, files.WriteFile(filepath.Join("/", file), m.Content(file)))
	}
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(files, filepath.Join("/", dir))
	require.NoError(t, err)
	return built
}

func TestProfiles(t *testing.T) {
	for name, configuration := range profiles {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stack := profile(t, name, configuration)
			m, err := render.Make(stack)
			require.NoError(t, err)

			// Kustomize takes longer than everything else together. What it makes of onprem is put to an API server.
			if name == "dev" || name == "prod" {
				t.Run("kustomize builds all of it", func(t *testing.T) {
					built := build(t, m, ".")
					assert.Equal(t, m.Objects(), built.Size())
					for _, r := range built.Resources() {
						assert.NotEqual(t, "Secret", r.GetKind(), r.GetName())
						assert.NotEmpty(t, r.GetAnnotations()["argocd.argoproj.io/sync-wave"], r.GetName())
					}
				})
			}
			t.Run("nothing is lost", func(t *testing.T) {
				objects := 0
				for _, r := range stack.Resources {
					if r.Object() != nil {
						objects++
					}
				}
				assert.Equal(t, objects, m.Objects()+len(m.Secrets))
			})
			t.Run("components come after what they need", func(t *testing.T) {
				waves := map[string]int{}
				for _, c := range m.Components {
					for _, before := range c.After {
						assert.Less(t, waves[before], c.Wave, "%s after %s", c.Name, before)
						assert.NotZero(t, waves[before], "%s is listed before %s", before, c.Name)
					}
					waves[c.Name] = c.Wave
				}
				assert.Less(t, waves["cert-trust"], waves["storage"])
				assert.Less(t, waves["storage"], waves["identity"])
			})
			t.Run("the engine's annotations are gone", func(t *testing.T) {
				for _, file := range m.Files() {
					assert.NotContains(t, string(m.Content(file)), "pulumi.com/", file)
				}
			})
			t.Run("what is to be filled in is marked and listed", func(t *testing.T) {
				listed := map[string]bool{}
				for _, f := range m.Fields {
					listed[f.File] = true
					assert.Contains(t, string(m.Content("README.md")), "`"+f.Path+"`")
				}
				for _, s := range m.Secrets {
					listed[s.File] = true
					assert.NotEmpty(t, s.Keys, s.Name)
				}
				for _, file := range m.Files() {
					text := string(m.Content(file))
					assert.NotContains(t, text, planned.Secret, file)
					assert.NotContains(t, text, planned.Unknown, file)
					if file != "README.md" {
						assert.Equal(t, listed[file], strings.Contains(text, render.Placeholder), file)
					}
				}
			})
			t.Run("the order of resources makes no difference", func(t *testing.T) {
				shuffled := stack
				shuffled.Resources = slices.Clone(stack.Resources)
				rand.Shuffle(len(shuffled.Resources), func(i, j int) {
					shuffled.Resources[i], shuffled.Resources[j] = shuffled.Resources[j], shuffled.Resources[i]
				})
				again, err := render.Make(shuffled)
				require.NoError(t, err)
				assert.Equal(t, m, again)
			})
		})
	}
}

// The names are what a repository's history is told by: they change on purpose only.
func TestFilesOfDev(t *testing.T) {
	m, err := render.Make(profile(t, "dev", nil))
	require.NoError(t, err)
	want, err := os.ReadFile("testdata/dev.txt")
	require.NoError(t, err)
	if got := strings.Join(m.Files(), "\n") + "\n"; !assert.Equal(t, string(want), got) {
		t.Logf("if this is meant, write to testdata/dev.txt:\n%s", got)
	}
}

func TestWhatTheEngineKnowsIsToldToOthers(t *testing.T) {
	m, err := render.Make(profile(t, "prod", nil))
	require.NoError(t, err)
	database := string(m.Content("storage/cluster_postgresql_platform.yaml"))
	assert.Contains(t, database, "argocd.argoproj.io/sync-options: Prune=false,Delete=false", "a protected database stays")
	assert.Contains(t, database, "kustomize.toolkit.fluxcd.io/prune: disabled")
	assert.Contains(t, string(m.Content("storage/job_postgresql_platform-check.yaml")), "kustomize.toolkit.fluxcd.io/force: enabled",
		"a changed Job is a new one")
	assert.NotContains(t, string(m.Content("network/deployment_ingress_traefik.yaml")), "\n  replicas:", "the autoscaler sets them")
	assert.Contains(t, string(m.Content("README.md")), "`aws:s3/bucketV2:BucketV2`", "what manifests cannot make")
}

func TestComponentsThatWaitForEachOther(t *testing.T) {
	object := func(urn, component string) planned.Resource {
		return planned.Resource{URN: urn, Type: "kubernetes:core/v1:ConfigMap", Name: urn, Component: component, Inputs: map[string]any{
			"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": urn},
		}}
	}
	_, err := render.Make(render.Stack{
		Resources: []planned.Resource{object("a", "one"), object("b", "two")},
		Needs:     map[string][]string{"a": {"b"}, "b": {"a"}},
	})
	assert.EqualError(t, err, "components wait for each other: one, two, one")
}
