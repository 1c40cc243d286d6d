package automation

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// project is a project with two stacks like dev, whose backend is a relative path.
func project(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	dir := t.TempDir()
	free, err := net.Listen("tcp", "localhost:0")
	require.NoError(t, err)
	port := free.Addr().(*net.TCPAddr).Port
	require.NoError(t, free.Close())
	for from, to := range map[string]string{"Pulumi.yaml": "Pulumi.yaml", "Pulumi.dev.yaml": "Pulumi.one.yaml", "Pulumi.onprem.yaml": "Pulumi.two.yaml"} {
		data, err := os.ReadFile(filepath.Join(root, from))
		require.NoError(t, err)
		data = bytes.Replace(data, []byte("  controlplane:identity:\n"), // others use the port that is the default
			fmt.Appendf(nil, "  controlplane:identity:\n    adminApi: {url: 'https://localhost:%d'}\n", port), 1)
		require.NoError(t, os.WriteFile(filepath.Join(dir, to), data, 0o600))
	}
	require.NoError(t, os.Symlink(filepath.Join(root, "artifacts"), filepath.Join(dir, "artifacts")))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "state"), 0o700))
	for key, value := range map[string]string{
		"XDG_STATE_HOME": t.TempDir(), "PULUMI_HOME": t.TempDir(), "PULUMI_BACKEND_URL": "file://./state",
		"PULUMI_CONFIG_PASSPHRASE": "of a test", "KUBECONFIG": os.DevNull,
	} {
		t.Setenv(key, value)
	}
	return dir
}

// settings are the files beside the state.
func settings(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, entry := range entries {
		data, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err == nil {
			found[entry.Name()] = string(data)
		}
	}
	return found
}

func TestStacksOfAProjectDoNotMeet(t *testing.T) {
	dir := project(t)
	before := settings(t, dir)
	var all sync.WaitGroup
	results, failures := make([]*Result, 2), make([]error, 2)
	for i, stack := range []string{"one", "two"} {
		all.Go(func() {
			results[i], failures[i] = Preview(t.Context(), Options{Project: dir, Stack: stack, Plugins: PluginsBuiltin})
		})
	}
	all.Wait()
	require.NoError(t, errors.Join(failures...))
	assert.NotEqual(t, results[0].Changes, results[1].Changes)
	assert.Equal(t, before, settings(t, dir), "not even a salt is written into the project")
	for _, stack := range []string{"one", "two"} {
		assert.FileExists(t, filepath.Join(dir, "state", ".pulumi", "stacks", "controlplane", stack+".json"),
			"a relative backend is one of the project's")
	}

	t.Run("a lock is respected or, when it is nobody's, released", func(t *testing.T) { locks(t, dir) })
	t.Run("another backend has another passphrase", func(t *testing.T) {
		t.Setenv("PULUMI_BACKEND_URL", "file://"+t.TempDir())
		t.Setenv("PULUMI_CONFIG_PASSPHRASE", "of another backend")
		_, err := Outputs(t.Context(), Options{Project: dir, Stack: "one", Plugins: PluginsBuiltin})
		require.NoError(t, err)
	})
}

// onWrite is a writer that is a function.
type onWrite func([]byte)

func (f onWrite) Write(p []byte) (int, error) {
	f(p)
	return len(p), nil
}

func locks(t *testing.T, dir string) {
	me, err := user.Current()
	require.NoError(t, err)
	host, err := os.Hostname()
	require.NoError(t, err)
	gone := exec.CommandContext(t.Context(), "true")
	require.NoError(t, gone.Run())
	held := filepath.Join(dir, "state", ".pulumi", "locks", "organization", "controlplane", "one")
	require.NoError(t, os.MkdirAll(held, 0o700))
	lock := func(user, host string) {
		require.NoError(t, os.WriteFile(filepath.Join(held, "lock.json"), fmt.Appendf(nil,
			`{"pid":%d,"username":%q,"hostname":%q,"timestamp":"2026-11-23T04:05:06Z"}`, gone.Process.Pid, user, host), 0o600))
	}
	var progress bytes.Buffer
	o := Options{Project: dir, Stack: "one", Plugins: PluginsBuiltin, Progress: &progress}

	// The state of a run that is alive says what it is creating, as that of a run that was killed does.
	file := filepath.Join(dir, "state", ".pulumi", "stacks", "controlplane", "one.json")
	idle, err := os.ReadFile(file)
	require.NoError(t, err)
	creating := bytes.Replace(idle, []byte(`"latest":{`), []byte(`"latest":{"pending_operations": [{"type": "creating", "resource": {`+
		`"urn": "urn:pulumi:one::controlplane::aws:s3/bucketV2:BucketV2::files", "custom": true, "type": "aws:s3/bucketV2:BucketV2"}}],`), 1)
	require.Greater(t, len(creating), len(idle))
	require.NoError(t, os.WriteFile(file, creating, 0o600))

	lock("ci", "elsewhere")
	_, err = Refresh(t.Context(), o)
	var locked *LockedError
	require.ErrorAs(t, err, &locked)
	assert.NotContains(t, progress.String(), "killed")
	require.NoError(t, os.Remove(filepath.Join(held, "lock.json")))
	_, err = Refresh(t.Context(), o)
	require.ErrorContains(t, err, "only a person can tell whether they exist:\n  aws:s3/bucketV2:BucketV2 files")
	require.ErrorContains(t, err, "export PULUMI_BACKEND_URL=file://"+dir)
	require.ErrorContains(t, err, "pulumi stack select one")
	require.NoError(t, os.WriteFile(file, idle, 0o600))

	lock("ci", "elsewhere")
	_, err = Refresh(t.Context(), o)
	require.ErrorAs(t, err, &locked)
	assert.Equal(t, Holder{User: "ci", Host: "elsewhere", PID: gone.Process.Pid, Since: time.Date(2026, 11, 23, 4, 5, 6, 0, time.UTC)}, locked.Holder)
	assert.FileExists(t, filepath.Join(held, "lock.json"))

	o.LockWait = time.Minute
	o.Progress = onWrite(func(p []byte) {
		progress.Write(p)
		if strings.HasPrefix(string(p), "waiting until ") {
			_ = os.Remove(filepath.Join(held, "lock.json"))
		}
	})
	_, err = Refresh(t.Context(), o)
	require.NoError(t, err)
	assert.Contains(t, progress.String(), "stack one is locked by ci@elsewhere")

	lock(me.Username, host)
	o.LockWait = 0
	_, err = Refresh(t.Context(), o)
	require.NoError(t, err)
	assert.Contains(t, progress.String(), fmt.Sprintf("released the lock of pid %d", gone.Process.Pid))
	_, err = os.Stat(filepath.Join(held, "lock.json"))
	assert.ErrorIs(t, err, fs.ErrNotExist)
}
