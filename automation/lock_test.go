package automation

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// lockedBy is the engine's complaint about a lock in a file.
func lockedBy(file, who, host string, pid int) error {
	return fmt.Errorf("failed to run update: exit status 255\ncode: 255\nstdout: \nstderr: error: the stack is currently locked by 1 lock(s). "+
		"Either wait for the other process(es) to end or delete the lock file with `pulumi cancel`.\n"+
		"  file://%s?no_tmp_dir=true: created by %s@%s (pid %d) at 2026-11-23T04:05:06Z\n", file, who, host, pid)
}

func TestALockTellsItsHolder(t *testing.T) {
	t.Parallel()
	me, err := user.Current()
	require.NoError(t, err)
	host, err := os.Hostname()
	require.NoError(t, err)
	gone := exec.CommandContext(t.Context(), "true")
	require.NoError(t, gone.Run())
	file := filepath.Join(t.TempDir(), "a lock.json")
	for name, c := range map[string]struct {
		err   error
		stale bool
	}{
		"of a process that is gone":    {lockedBy("/state/lock.json", me.Username, host, gone.Process.Pid), true},
		"of another program's process": {lockedBy("/state/lock.json", me.Username, host, os.Getpid()), true},
		"of another user":              {lockedBy("/state/lock.json", "somebody", host, gone.Process.Pid), false},
		"on another machine":           {lockedBy("/state/lock.json", me.Username, "elsewhere.example.com", gone.Process.Pid), false},
	} {
		locked := lockConflict("prod", fmt.Errorf("settle: %w", c.err))
		require.NotNil(t, locked, name)
		assert.Equal(t, c.stale, locked.Stale, name)
		assert.Equal(t, time.Date(2026, 11, 23, 4, 5, 6, 0, time.UTC), locked.Holder.Since)
		assert.Contains(t, locked.Error(), fmt.Sprintf("(pid %d) since 2026-11-23T04:05:06Z", locked.Holder.PID))
		assert.Contains(t, locked.Error(), "delete /state/lock.json")
	}

	require.NoError(t, os.WriteFile(file, []byte("{}"), 0o600))
	locked := &LockedError{Stale: true, file: file}
	released, err := locked.release()
	require.NoError(t, err)
	assert.True(t, released)
	assert.NoFileExists(t, file)
	released, err = (&LockedError{file: file}).release()
	require.NoError(t, err)
	assert.False(t, released, "a lock that may be in use stays")
}

func TestOtherLocks(t *testing.T) {
	t.Parallel()
	assert.Nil(t, lockConflict("prod", nil))
	assert.Nil(t, lockConflict("prod", errors.New("exit status 1: no such file")))
	service := lockConflict("prod", errors.New("exit status 255\nstderr: error: [409] Conflict: Another update is currently in progress.\n"))
	require.NotNil(t, service)
	assert.Zero(t, service.Holder)
	assert.Equal(t, "stack prod is locked: another operation works on it; wait for it, for instance with --lock-wait 10m, "+
		"or, when you know that it is gone, run `pulumi cancel --stack prod`", service.Error())
}

// What a killed run was about to create becomes a resource that a refresh can look for, if it has a name.
func TestObjectsAreFoundByTheirNames(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ kind, metadata, id string }{
		{"kubernetes:apps/v1:Deployment", `{"name":"webhook","namespace":"cert-manager"}`, "cert-manager/webhook"},
		{"kubernetes:core/v1:Namespace", `{"name":"cert-manager"}`, "cert-manager"},
		{"kubernetes:core/v1:NamespacePatch", `{"name":"cert-manager"}`, ""},
		{"random:index/randomPassword:RandomPassword", `{}`, ""},
	} {
		var o pendingOperation
		require.NoError(t, json.Unmarshal([]byte(fmt.Sprintf(
			`{"type":"creating","resource":{"urn":"urn:pulumi:dev::controlplane::%s::it","inputs":{"metadata":%s}}}`, c.kind, c.metadata)), &o))
		assert.Equal(t, c.id, objectID(o), c.kind)
	}
}
