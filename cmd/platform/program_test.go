package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// asProgram has the test's binary be the program platform: scripts and documentation are tested with the real one, without
// a second binary of its size to link.
const asProgram = "PLATFORM_TEST_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	os.Exit(m.Run())
}

// clone is a directory that looks like a clone of the project with bin/platform built, and the environment to work in it:
// with no cluster to be reached, no state of earlier runs, and nothing that a pipeline has set.
func clone(t *testing.T) (dir string, environment []string) {
	t.Helper()
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	binary, err := os.Executable()
	require.NoError(t, err)
	dir = t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "bin"), 0o755))
	require.NoError(t, os.Symlink(binary, filepath.Join(dir, "bin", "platform")))
	for _, name := range []string{"artifacts", "tools", "ci", "go.mod", "go.sum", "Makefile"} {
		require.NoError(t, os.Symlink(filepath.Join(root, name), filepath.Join(dir, name)))
	}
	stackFiles, err := filepath.Glob(filepath.Join(root, "Pulumi*.yaml"))
	require.NoError(t, err)
	for _, file := range stackFiles { // copies: the engine may write to them
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, filepath.Base(file)), data, 0o600))
	}
	private := t.TempDir()
	for _, name := range []string{
		"PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE", "PULUMI_ACCESS_TOKEN",
		"GITHUB_STEP_SUMMARY", "PULL_REQUEST", "COMMENT_TOKEN",
	} {
		environment = append(environment, name+"=")
	}
	return dir, append(append(os.Environ(), environment...), asProgram+"=1", "KUBECONFIG="+filepath.Join(private, "none"),
		"XDG_STATE_HOME="+filepath.Join(private, "state"), "PULUMI_HOME="+filepath.Join(private, "pulumi"))
}
