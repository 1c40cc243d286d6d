package local_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/client-go/kubernetes"

	"github.com/telekom/controlplane-infrastructure/internal/local"
	"github.com/telekom/controlplane-infrastructure/internal/local/localtest"
)

var (
	// shared is the control plane of all tests that do no harm to it.
	shared  *local.ControlPlane
	readyIn time.Duration
)

func TestMain(m *testing.M) {
	if len(os.Args) == 4 && os.Args[1] == "supervise" { // what Start runs in the background
		if err := local.Supervise(withParent(), local.Options{Dir: os.Args[3]}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	// Programs are built once on a machine; that takes minutes and does not count.
	for _, version := range local.KubernetesVersions {
		if _, err := local.FindTools(context.Background(), version); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	begin := time.Now()
	localtest.Main(timed{m, begin}, &shared)
}

// withParent returns a context that ends with the parent process. A supervisor outlives whoever started it, but not one
// of a test that panicked.
func withParent() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		for parent := os.Getppid(); os.Getppid() == parent; time.Sleep(time.Second) {
		}
		cancel()
	}()
	return ctx
}

// timed notes how long it took until the tests could run.
type timed struct {
	*testing.M
	begin time.Time
}

func (t timed) Run() int {
	readyIn = time.Since(t.begin)
	return t.M.Run()
}

func client(t *testing.T, cp *local.ControlPlane) *kubernetes.Clientset {
	t.Helper()
	c, err := kubernetes.NewForConfig(cp.REST())
	require.NoError(t, err)
	return c
}

// eventually fails the test with the last complaint when there still is one after a while.
func eventually(t *testing.T, complaint func() string) {
	t.Helper()
	var last string
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if last = complaint(); last == "" {
			return
		}
	}
	require.Fail(t, last)
}

// mentioning returns the processes that have the directory in their command line or environment.
func mentioning(t *testing.T, dir string) []int {
	t.Helper()
	var found []int
	for _, name := range []string{"cmdline", "environ"} {
		files, err := filepath.Glob("/proc/[0-9]*/" + name)
		require.NoError(t, err)
		for _, file := range files {
			content, err := os.ReadFile(file)
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
			if err == nil && pid != os.Getpid() && bytes.Contains(content, []byte(dir)) {
				found = append(found, pid)
			}
		}
	}
	return found
}

func assertNothingLeft(t *testing.T, dir string) {
	t.Helper()
	assert.Empty(t, mentioning(t, dir), "processes are left")
	assert.NoDirExists(t, dir)
}

// shortDir is a directory whose name leaves room for the names of sockets, unlike one that is named after the test.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "local-")
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(dir)) })
	return filepath.Join(dir, "cp")
}
