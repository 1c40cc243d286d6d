package tools

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fakePulumi is a command that says that version.
func fakePulumi(t *testing.T, name, version string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\n[ \"$1\" = version ] && echo "+version+"\n"), 0o755))
	return path
}

func TestPulumiOfTheMachine(t *testing.T) {
	cases := []struct {
		version string
		suits   bool
		says    string
	}{
		{"v3.259.0", true, ""},
		{"v3.200.0", true, ""},
		{"v3.301.1-alpha.17+abc", true, ""},
		{"v3.199.9", false, `its version is "v3.199.9", wanted is v3.200.0 or a newer v3`},
		{"v4.0.0", false, `its version is "v4.0.0"`},
		{"whatever", false, `its version is "whatever"`},
	}
	for _, c := range cases {
		t.Run(c.version, func(t *testing.T) {
			path := fakePulumi(t, "pulumi", c.version)
			t.Setenv("PATH", filepath.Dir(path)+string(os.PathListSeparator)+os.Getenv("PATH"))
			t.Setenv(PulumiEnv, "")
			b, progress := project(t)
			found, err := b.machinePulumi(t.Context())
			require.NoError(t, err)
			if c.suits {
				assert.Equal(t, path, found)
			} else {
				assert.Empty(t, found, "one is built then")
				assert.Contains(t, progress.String(), c.says)
			}

			t.Setenv(PulumiEnv, "build")
			found, err = b.machinePulumi(t.Context())
			require.NoError(t, err)
			assert.Empty(t, found)
		})
	}
}

func TestChosenPulumi(t *testing.T) {
	b, _ := project(t)
	good, old := fakePulumi(t, "pulumi-next", "v3.260.0"), fakePulumi(t, "pulumi-old", "v3.1.0")

	t.Setenv(PulumiEnv, good)
	found, err := b.machinePulumi(t.Context())
	require.NoError(t, err)
	assert.Equal(t, good, found)

	for _, bad := range []string{old, filepath.Join(t.TempDir(), "missing")} {
		t.Setenv(PulumiEnv, bad)
		_, err = b.machinePulumi(t.Context())
		assert.ErrorContains(t, err, "PLATFORM_PULUMI="+bad)
	}
}

// The Automation API wants a directory with bin/pulumi in it.
func TestPulumiRoot(t *testing.T) {
	b, _ := project(t)
	usual := fakePulumi(t, "bin/pulumi", "v3.259.0")
	root, err := b.pulumiRoot(usual)
	require.NoError(t, err)
	assert.Equal(t, usual, filepath.Join(root, "bin", "pulumi"))

	for range 2 { // the second time the link is there
		elsewhere := fakePulumi(t, "pulumi-next", "v3.260.0")
		root, err = b.pulumiRoot(elsewhere)
		require.NoError(t, err)
		require.NoError(t, checkPulumi(t.Context(), filepath.Join(root, "bin", "pulumi")))
		again, err := b.pulumiRoot(elsewhere)
		require.NoError(t, err)
		assert.Equal(t, root, again)
	}
}
