package local_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/telekom/controlplane-infrastructure/internal/local"
	"github.com/telekom/controlplane-infrastructure/internal/local/node"
)

func TestSideBySideAndCrash(t *testing.T) {
	t.Parallel()
	dir := shortDir(t)
	cp, err := local.Run(t.Context(), local.Options{Dir: dir, Nodes: 2, Zones: []string{"west", "east"}})
	require.NoError(t, err)
	require.NotEqual(t, shared.URL, cp.URL)

	_, err = client(t, cp).CoreV1().ConfigMaps("default").Create(t.Context(),
		&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "mine"}}, metav1.CreateOptions{})
	require.NoError(t, err)
	_, err = client(t, shared).CoreV1().ConfigMaps("default").Get(t.Context(), "mine", metav1.GetOptions{})
	require.True(t, apierrors.IsNotFound(err), "the other control plane has it too: %v", err)

	companion := exec.Command("sleep", "600")
	require.NoError(t, cp.StartProcess(companion))
	require.Contains(t, mentioning(t, dir), companion.Process.Pid)

	kill(t, cp.Children(), "etcd")
	select {
	case <-cp.Done():
	case <-time.After(20 * time.Second):
		require.Fail(t, "nobody noticed that etcd was killed")
	}
	var crash *local.ChildError
	require.ErrorAs(t, cp.Err(), &crash)
	assert.Equal(t, "etcd", crash.Child.Name)
	assert.Equal(t, "signal: killed", crash.Reason)
	assert.Contains(t, crash.Tail, `"level":"warn"`, "the last log lines are told")
	assert.Empty(t, mentioning(t, dir), "the other processes have ended as well")
	require.Error(t, companion.Wait(), "it was not left to end by itself")
	assert.FileExists(t, crash.Child.Log, "the log is there to be read")

	require.ErrorAs(t, cp.Stop(), &crash, "a test that stops its control plane learns of the crash")
	assertNothingLeft(t, dir)
	assert.NoError(t, shared.Err(), "the other control plane goes on")
}

func TestCancelledStartLeavesNothing(t *testing.T) {
	t.Parallel()
	dir := shortDir(t)
	ctx, cancel := context.WithTimeout(t.Context(), 700*time.Millisecond)
	defer cancel()
	_, err := local.Run(ctx, local.Options{Dir: dir})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assertNothingLeft(t, dir)
}

func TestForeignDirectoryIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	precious := filepath.Join(dir, "precious")
	require.NoError(t, os.WriteFile(precious, nil, 0o600))
	_, err := local.Run(t.Context(), local.Options{Dir: dir})
	require.ErrorContains(t, err, "is not empty (precious)")
	_, err = local.Start(t.Context(), local.Options{Dir: dir})
	require.ErrorContains(t, err, "is not empty (precious)")
	require.Error(t, local.Stop(t.Context(), local.Options{Dir: dir}))
	assert.FileExists(t, precious)
}

func TestWrongOptions(t *testing.T) {
	for name, test := range map[string]struct {
		options local.Options
		want    string
	}{
		"name":     {local.Options{Name: "No Name"}, `"No Name": up to 32 lower-case letters`},
		"nodes":    {local.Options{Nodes: 2}, "2 nodes in 3 zones"},
		"zone":     {local.Options{Zones: []string{"Zone A"}}, `zone "Zone A"`},
		"version":  {local.Options{KubernetesVersion: "1.30"}, `"1.30" of Kubernetes for the local control plane: allowed are 1.31, 1.37`},
		"long dir": {local.Options{Dir: "/tmp/" + strings.Repeat("x", 100)}, "too long for the sockets"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := local.Run(t.Context(), test.options)
			require.ErrorContains(t, err, test.want)
		})
	}
}

// A program that is missing is built where the user sees that it takes time, and not by the supervisor.
func TestProgramsOfRealPodsAreBuiltBeforeTheStart(t *testing.T) {
	for _, version := range local.KubernetesVersions {
		programs, err := local.FindTools(t.Context(), version)
		require.NoError(t, err)
		for _, name := range append(node.Programs(), "etcd", "kube-apiserver", "cert-manager-webhook") {
			assert.FileExists(t, programs[name], name)
		}
	}
}

func TestBackground(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	o := local.Options{Dir: shortDir(t), Log: &log, SupervisorCommand: []string{os.Args[0], "supervise"}}
	t.Cleanup(func() { assert.NoError(t, local.Stop(context.Background(), o)) })
	assert.Equal(t, local.Stopped, status(t, o).State)
	require.NoError(t, local.Stop(t.Context(), o), "there is nothing to stop")

	cp, err := local.Start(t.Context(), o)
	require.NoError(t, err)
	assert.Contains(t, log.String(), "local control plane ready: "+cp.URL)
	first := status(t, o)
	assert.Equal(t, local.Running, first.State)
	assert.Empty(t, first.Problem)
	assert.Equal(t, cp.Kubeconfig, first.Kubeconfig)
	assert.Len(t, first.Children, 5)
	info, err := os.Stat(cp.Kubeconfig)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "nobody else may read the credentials")

	again, err := local.Start(t.Context(), o)
	require.NoError(t, err)
	assert.Equal(t, cp.URL, again.URL, "the running one is used")
	assert.Equal(t, first.PID, status(t, o).PID)
	other := o
	other.Nodes = 6
	_, err = local.Start(t.Context(), other)
	require.ErrorContains(t, err, "other programs, nodes or zones")
	other = o
	other.KubernetesVersion = "1.37"
	_, err = local.Start(t.Context(), other)
	require.ErrorContains(t, err, "another Kubernetes version")

	require.NoError(t, syscall.Kill(first.PID, syscall.SIGSTOP)) // it has its lock still, and the API server runs
	soon, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	suspended, err := local.Status(soon, o)
	require.NoError(t, err)
	assert.Contains(t, suspended.Problem, fmt.Sprintf("its supervisor (pid %d) does not answer", first.PID))
	require.NoError(t, syscall.Kill(first.PID, syscall.SIGKILL))
	eventually(t, func() string {
		if s := status(t, o); s.State != local.Stopped {
			return "the killed supervisor is not noticed: " + string(s.State)
		}
		return ""
	})
	assertNothingLeft(t, o.Dir)

	_, err = local.Start(t.Context(), o)
	require.NoError(t, err)
	second := status(t, o)
	require.NoError(t, syscall.Kill(second.PID, syscall.SIGKILL))
	log.Reset()
	_, err = local.Start(t.Context(), o)
	require.NoError(t, err, "a start cleans up after a killed one")
	third := status(t, o)
	assert.Equal(t, local.Running, third.State)
	assert.NotEqual(t, second.PID, third.PID)

	kill(t, third.Children, "kube-scheduler")
	eventually(t, func() string {
		if s := status(t, o); s.State != local.Failed {
			return "the killed scheduler is not noticed: " + string(s.State)
		}
		return ""
	})
	failed := status(t, o)
	assert.Contains(t, failed.Problem, "kube-scheduler ended unexpectedly (signal: killed)")
	assert.Contains(t, failed.Problem, "kube-scheduler.log:\n  ", "the last log lines are told")
	require.NoError(t, local.Stop(t.Context(), o))
	assertNothingLeft(t, o.Dir)
}

func TestConcurrentStartsShareOneAndStopLeavesNothing(t *testing.T) {
	t.Parallel()
	o := local.Options{Dir: shortDir(t), KubernetesVersion: "1.37", SupervisorCommand: []string{os.Args[0], "supervise"}}
	const starts = 4
	started, failures := make(chan *local.ControlPlane, starts), make(chan error, starts)
	for range starts {
		go func() {
			cp, err := local.Start(t.Context(), o)
			started <- cp
			failures <- err
		}()
	}
	for range starts {
		require.NoError(t, <-failures)
	}
	one, two := <-started, <-started
	for range starts - 2 {
		assert.Equal(t, one.URL, (<-started).URL)
	}
	assert.Equal(t, one.URL, two.URL)
	assert.Equal(t, "1.37", status(t, o).KubernetesVersion)
	o.KubernetesVersion = ""
	found, err := local.Start(t.Context(), o)
	require.NoError(t, err)
	assert.Equal(t, one.URL, found.URL, "who asks for no version gets the one that runs")

	// The state of stacks goes as well: what it describes is gone.
	require.NoError(t, os.MkdirAll(filepath.Join(o.Dir, "pulumi", "stacks"), 0o700))
	require.NotEmpty(t, mentioning(t, o.Dir))
	require.NoError(t, one.Stop())
	assertNothingLeft(t, o.Dir)
	assert.NoError(t, two.Stop(), "it is stopped already")
}

func TestCancelledStartInBackgroundLeavesNothing(t *testing.T) {
	t.Parallel()
	o := local.Options{Dir: shortDir(t), SupervisorCommand: []string{os.Args[0], "supervise"}}
	ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
	defer cancel()
	_, err := local.Start(ctx, o)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assertNothingLeft(t, o.Dir)
}

func TestStopRemovesStateThatOutlivedItsControlPlane(t *testing.T) {
	o := local.Options{Dir: shortDir(t)}
	require.NoError(t, os.MkdirAll(filepath.Join(o.Dir, "pulumi", "stacks"), 0o700))
	require.NoError(t, local.Stop(t.Context(), o))
	assert.NoDirExists(t, o.Dir)
}

func TestFailedStartInBackgroundTellsWhy(t *testing.T) {
	o := local.Options{Dir: shortDir(t), SupervisorCommand: []string{"sh", "-c", "echo no such luck >&2; exit 1"}}
	_, err := local.Start(t.Context(), o)
	require.ErrorContains(t, err, "no such luck")
	assertNothingLeft(t, o.Dir)
}

func TestUnreadableStateIsToldAtOnce(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "state.json"), []byte("{"), 0o600))
	lock, err := os.Create(filepath.Join(dir, "supervisor.lock"))
	require.NoError(t, err)
	defer lock.Close()
	require.NoError(t, syscall.Flock(int(lock.Fd()), syscall.LOCK_EX), "as a supervisor that lives")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, err = local.Start(ctx, local.Options{Dir: dir})
	require.ErrorContains(t, err, "state.json: unexpected end of JSON input")
}

func status(t *testing.T, o local.Options) local.Report {
	t.Helper()
	r, err := local.Status(t.Context(), o)
	require.NoError(t, err)
	return r
}

func kill(t *testing.T, children []local.Child, name string) {
	t.Helper()
	signal(t, children, name, syscall.SIGKILL)
}

func signal(t *testing.T, children []local.Child, name string, signal syscall.Signal) {
	t.Helper()
	for _, child := range children {
		if child.Name == name {
			require.NoError(t, syscall.Kill(child.PID, signal))
			return
		}
	}
	require.Fail(t, "no child "+name)
}
