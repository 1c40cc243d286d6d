package automation

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/stacks/config"
)

func TestOptionsThatCannotBeRun(t *testing.T) {
	project := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(project, "Pulumi.yaml"), []byte("name: controlplane\nruntime: go\n"), 0o600))
	empty := t.TempDir()
	for name, c := range map[string]struct {
		options Options
		message string
	}{
		"no stack":          {Options{Project: project}, "stack: no stack is named; name one, such as --stack dev"},
		"no project":        {Options{Project: empty, Stack: "dev"}, "project: " + empty + " holds no Pulumi.yaml"},
		"unknown plugins":   {Options{Project: project, Stack: "dev", Plugins: "buildin"}, `plugins: "buildin" is not known; allowed: published, builtin`},
		"published locally": {Options{Project: project, Stack: "dev", Local: true, Plugins: PluginsPublished}, `plugins: "published" cannot be used with the local control plane; leave it out or use "builtin"`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.options.complete()
			require.EqualError(t, err, c.message)
			assert.True(t, IsUsage(err), "the exit code is that of wrong usage")
		})
	}
}

// A simulated account is no place for what is to last.
func TestAmazonIsNotSimulatedUnasked(t *testing.T) {
	without, with := &config.Config{}, &config.Config{}
	with.Storage.ObjectStorage.Backend = config.ObjectsS3
	for name, c := range map[string]struct {
		session session
		want    bool
	}{
		"built-in plugins on a cluster of one's own": {session{cfg: with, Options: Options{Plugins: PluginsBuiltin}}, true},
		"published plugins":                          {session{cfg: with, Options: Options{Plugins: PluginsPublished}}, false},
		"the local control plane":                    {session{cfg: with, Options: Options{Plugins: PluginsBuiltin, Local: true}}, false},
		"a stack without it":                         {session{cfg: without, Options: Options{Plugins: PluginsBuiltin}}, false},
	} {
		assert.Equal(t, c.want, c.session.simulatesAWS(), name)
	}
}

func TestPluginsDefault(t *testing.T) {
	project := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(project, "Pulumi.yaml"), []byte("name: controlplane\nruntime: go\n"), 0o600))
	remote, err := Options{Project: project, Stack: "prod"}.complete()
	require.NoError(t, err)
	assert.Equal(t, PluginsPublished, remote.Plugins)
	local, err := Options{Project: project, Stack: "dev", Local: true}.complete()
	require.NoError(t, err)
	assert.Equal(t, PluginsBuiltin, local.Plugins)
}

func TestTheUsersBackendIsRespected(t *testing.T) {
	for name, c := range map[string]struct {
		url, project, credentials string
		backend                   string
	}{
		"nothing is chosen":   {"", "name: controlplane\nruntime: go\n", "", ""},
		"by environment":      {"s3://states", "name: controlplane\nruntime: go\n", "", "s3://states"},
		"in the project":      {"", "name: controlplane\nruntime: go\nbackend:\n  url: s3://project\n", `{"current":"s3://states"}`, "s3://project"},
		"by pulumi login":     {"", "name: controlplane\nruntime: go\n", `{"current":"s3://states"}`, "s3://states"},
		"after pulumi logout": {"", "name: controlplane\nruntime: go\n", `{"current":""}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			project, home := t.TempDir(), t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(project, "Pulumi.yaml"), []byte(c.project), 0o600))
			if c.credentials != "" {
				require.NoError(t, os.WriteFile(filepath.Join(home, "credentials.json"), []byte(c.credentials), 0o600))
			}
			t.Setenv("PULUMI_HOME", home)
			t.Setenv("PULUMI_BACKEND_URL", c.url)
			backend, err := backendURL(project)
			require.NoError(t, err)
			assert.Equal(t, c.backend, backend)
		})
	}
}

func TestOwnBackendKeepsItsPassphrase(t *testing.T) {
	t.Setenv("PULUMI_CONFIG_PASSPHRASE", "")
	t.Setenv("PULUMI_CONFIG_PASSPHRASE_FILE", "")
	dir := t.TempDir()
	first := &place{env: environment{}}
	require.NoError(t, first.ownBackend(dir))
	passphrase, err := os.ReadFile(first.env["PULUMI_CONFIG_PASSPHRASE_FILE"])
	require.NoError(t, err)
	assert.GreaterOrEqual(t, len(passphrase), 26)
	info, err := os.Stat(first.env["PULUMI_CONFIG_PASSPHRASE_FILE"])
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	second := &place{env: environment{}}
	require.NoError(t, second.ownBackend(dir))
	again, err := os.ReadFile(second.env["PULUMI_CONFIG_PASSPHRASE_FILE"])
	require.NoError(t, err)
	assert.Equal(t, passphrase, again)

	t.Setenv("PULUMI_CONFIG_PASSPHRASE", "mine")
	third := &place{env: environment{}}
	require.NoError(t, third.ownBackend(dir))
	assert.NotContains(t, third.env, "PULUMI_CONFIG_PASSPHRASE_FILE", "the user's own passphrase is used")
}

func TestCopyProjectKeepsTheSaltOfAnEarlierRun(t *testing.T) {
	project, work := t.TempDir(), t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(project, "Pulumi.yaml"), []byte("name: controlplane\n"), 0o600))
	stackFile := filepath.Join(project, "Pulumi.dev.yaml")
	require.NoError(t, os.WriteFile(stackFile, []byte("config: {}\n"), 0o600))
	require.NoError(t, copyProject(project, "dev", work))

	copied := filepath.Join(work, "Pulumi.dev.yaml")
	require.NoError(t, os.WriteFile(copied, []byte("encryptionsalt: v1:abc\nconfig: {}\n"), 0o600)) // as the engine does
	require.NoError(t, os.WriteFile(stackFile, []byte("config: {controlplane:availability: zonal}\n"), 0o600))
	require.NoError(t, copyProject(project, "dev", work))
	data, err := os.ReadFile(copied)
	require.NoError(t, err)
	assert.Equal(t, "config: {controlplane:availability: zonal}\n\nencryptionsalt: v1:abc\n", string(data))
}
