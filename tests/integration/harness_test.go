// Package integration runs whole stacks through the Automation API on a local control plane: a real API server with
// real controllers, a real cert-manager and a real trust-manager. The same tests run with the published plugins
// (PLUGINS=published) against the same control plane, so that they also show whether the built-in plugins tell the truth.
package integration

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	pulumiconfig "github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/telekom/controlplane-infrastructure/automation"
	"github.com/telekom/controlplane-infrastructure/internal/local"
	"github.com/telekom/controlplane-infrastructure/internal/local/localtest"
	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

// published says that the run is to use the plugins that Pulumi publishes.
var published = os.Getenv("PLUGINS") == string(automation.PluginsPublished)

// env is one stack on one control plane.
type env struct {
	*verify.Cluster
	t       *testing.T
	cp      *local.ControlPlane
	project string
}

// parallel runs the test beside others, as half of its time is spent on waiting. With the published plugins its state is
// found by an environment variable, of which there is one for all.
func parallel(t *testing.T) {
	if !published {
		t.Parallel()
	}
}

// newEnv starts a control plane and makes a project whose stack "test" has the given configuration.
func newEnv(t *testing.T, config map[string]any, with ...localtest.Option) *env {
	t.Helper()
	cp := localtest.Start(t, with...)
	e := &env{Cluster: verify.Connect(t, cp.Kubeconfig), t: t, cp: cp, project: newProject(t)}
	e.configure(config)
	return e
}

// newProject is a directory with the project's settings and artefacts, and no stack.
func newProject(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	dir := t.TempDir()
	settings, err := os.ReadFile(filepath.Join(root, "Pulumi.yaml"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "Pulumi.yaml"), settings, 0o600))
	require.NoError(t, os.Symlink(filepath.Join(root, "artifacts"), filepath.Join(dir, "artifacts")))
	return dir
}

// secret is a configuration value that the stack's file holds encrypted.
type secret string

// passphrase protects the secrets of every stack under test.
const passphrase = "correct horse battery staple"

// configure writes the stack's file. Keys are those of the project, without its name. As in every stack of the project,
// default providers are off.
func (e *env) configure(config map[string]any) {
	e.t.Helper()
	salt := []byte("eight by")
	crypter := pulumiconfig.NewSymmetricCrypterFromPassphrase(passphrase, salt)
	seal := func(text string) string {
		sealed, err := crypter.EncryptValue(context.Background(), text)
		require.NoError(e.t, err)
		return sealed
	}
	var encrypt func(value any) any
	encrypt = func(value any) any {
		switch v := value.(type) {
		case secret:
			return map[string]any{"secure": seal(string(v))}
		case map[string]any:
			encrypted := map[string]any{}
			for key, item := range v {
				encrypted[key] = encrypt(item)
			}
			return encrypted
		}
		return value
	}
	keys := map[string]any{
		"pulumi:disable-default-providers": []any{"*"},
		"controlplane:identity":            map[string]any{"hostname": "iris.example.com"}, // no stack does without
		// Only tests of the monitoring, or of a whole stack, install it.
		"controlplane:monitoring": map[string]any{"stack": "existing"},
	}
	for key, value := range config {
		keys["controlplane:"+key] = encrypt(value)
	}
	if published {
		keys["controlplane:cluster"] = map[string]any{"kubeconfig": e.cp.Kubeconfig}
	}
	data, err := yaml.Marshal(map[string]any{
		// As `pulumi stack init` writes it: the salt, and a known text to tell a wrong passphrase.
		"encryptionsalt": "v1:" + base64.StdEncoding.EncodeToString(salt) + ":" + seal("pulumi"),
		"config":         keys,
	})
	require.NoError(e.t, err)
	require.NoError(e.t, os.WriteFile(filepath.Join(e.project, "Pulumi.test.yaml"), data, 0o600))
}

// small adds to a configuration that the stack is as small as it can be, for tests that have no business with the rest.
func small(config map[string]any) map[string]any {
	all := map[string]any{
		"network": map[string]any{"ingress": map[string]any{"existing": map[string]any{"className": "nginx"}}},
		"storage": map[string]any{"objectStorage": map[string]any{"backend": "none"}},
	}
	maps.Copy(all, config)
	return all
}

// stackConfig is the configuration of one of the project's stacks.
func stackConfig(t *testing.T, stack string) map[string]any {
	t.Helper()
	data, err := os.ReadFile("../../Pulumi." + stack + ".yaml")
	require.NoError(t, err)
	var file struct {
		Config map[string]any `json:"config"`
	}
	require.NoError(t, yaml.Unmarshal(data, &file))
	config := map[string]any{"monitoring": map[string]any{}}
	for key, value := range file.Config {
		if name, ours := strings.CutPrefix(key, "controlplane:"); ours {
			config[name] = value
		}
	}
	require.NotEmpty(t, config)
	return config
}

// with is a configuration with other values, each at a dotted path.
func with(config map[string]any, values map[string]any) map[string]any {
	var set func(in map[string]any, path []string, value any) map[string]any
	set = func(in map[string]any, path []string, value any) map[string]any {
		in = maps.Clone(in)
		if in == nil {
			in = map[string]any{}
		}
		if len(path) > 1 {
			below, _ := in[path[0]].(map[string]any)
			value = set(below, path[1:], value)
		}
		in[path[0]] = value
		return in
	}
	for path, value := range values {
		config = set(config, strings.Split(path, "."), value)
	}
	return config
}

// options run the stack with the plugins under test. Published plugins cannot know of a local control plane, so they
// get it as an existing cluster, with the state in a directory of the test's.
func (e *env) options() automation.Options {
	o := automation.Options{Project: e.project, Stack: "test", Progress: testWriter{e.t}}
	if !published {
		o.Local, o.LocalControlPlane = true, e.cp
		return o
	}
	o.Plugins = automation.PluginsPublished
	state := filepath.Join(e.project, "state")
	require.NoError(e.t, os.MkdirAll(state, 0o700))
	e.t.Setenv("PULUMI_BACKEND_URL", "file://"+state)
	return o
}

func (e *env) up() *automation.Result {
	e.t.Helper()
	result, err := automation.Up(e.Context(), e.options())
	require.NoError(e.t, err)
	return result
}

func (e *env) preview() *automation.Result {
	e.t.Helper()
	result, err := automation.Preview(e.Context(), e.options())
	require.NoError(e.t, err)
	return result
}

func (e *env) refresh() *automation.Result {
	e.t.Helper()
	result, err := automation.Refresh(e.Context(), e.options())
	require.NoError(e.t, err)
	return result
}

func (e *env) destroy() *automation.Result {
	e.t.Helper()
	result, err := automation.Destroy(e.Context(), e.options())
	require.NoError(e.t, err)
	return result
}

// requireNoChanges fails with the steps that were not expected.
func (e *env) requireNoChanges(result *automation.Result) {
	e.t.Helper()
	var lines []string
	for _, s := range result.Steps {
		lines = append(lines, fmt.Sprintf("%s %s %s %v", s.Operation, s.Type, s.Name, s.Properties))
	}
	require.False(e.t, result.HasChanges(), "unexpected: %v\n%s", result.Changes, strings.Join(lines, "\n"))
}

// objects lists "type name" of the Kubernetes objects, and of what is in AWS, among a result's steps of one operation.
func objects(result *automation.Result, operation string) []string {
	set := map[string]bool{}
	for _, s := range result.Steps {
		if s.Operation == operation && s.Custom && (strings.HasPrefix(s.Type, "kubernetes:") || strings.HasPrefix(s.Type, "aws:")) {
			set[s.Type+" "+s.Name] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// testWriter sends progress to the test's log.
type testWriter struct{ t *testing.T }

var _ io.Writer = testWriter{}

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Log(strings.TrimRight(string(p), "\n"))
	return len(p), nil
}
