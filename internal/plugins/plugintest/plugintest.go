// Package plugintest runs programs through the real engine with attached plugins, for tests.
package plugintest

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/internal/tools"
)

// Stack is a stack of the real engine that runs a program of this process, and the directory that its state is in.
// The environment attaches plugins.
func Stack(t *testing.T, name string, environment map[string]string, run pulumi.RunFunc) (s auto.Stack, backend string) {
	t.Helper()
	settings := map[string]string{"PULUMI_CONFIG_PASSPHRASE": "test", "PULUMI_SKIP_UPDATE_CHECK": "true"}
	maps.Copy(settings, environment)
	ctx := t.Context()
	root, err := tools.PulumiRoot(ctx)
	require.NoError(t, err)
	cli, err := auto.NewPulumiCommand(&auto.PulumiCommandOptions{Root: root})
	require.NoError(t, err)
	backend = t.TempDir()
	ws, err := auto.NewLocalWorkspace(ctx, auto.Pulumi(cli), auto.Program(run), auto.WorkDir(t.TempDir()),
		auto.PulumiHome(t.TempDir()),
		auto.Project(workspace.Project{
			Name: tokens.PackageName("plugins"), Runtime: workspace.NewProjectRuntimeInfo("go", nil),
			Backend: &workspace.ProjectBackend{URL: "file://" + backend},
		}),
		auto.EnvVars(settings))
	require.NoError(t, err)
	s, err = auto.UpsertStack(ctx, name, ws)
	require.NoError(t, err)
	return s, backend
}

// Command runs a command of the engine's on a stack, such as state unprotect.
func Command(t *testing.T, s auto.Stack, arguments ...string) {
	t.Helper()
	ws := s.Workspace()
	environment := []string{"PULUMI_HOME=" + ws.PulumiHome()}
	for key, value := range ws.GetEnvVars() {
		environment = append(environment, key+"="+value)
	}
	arguments = append(arguments, "--stack", s.Name())
	_, stderr, _, err := ws.PulumiCommand().Run(t.Context(), ws.WorkDir(), nil, nil, nil, environment, arguments...)
	require.NoError(t, err, stderr)
}

// Written is everything that the engine has written down of a stack: the state, its backups and its history.
func Written(t *testing.T, backend string) string {
	t.Helper()
	var all strings.Builder
	require.NoError(t, filepath.WalkDir(backend, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		all.Write(content)
		return err
	}))
	return all.String()
}
