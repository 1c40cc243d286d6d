// Package localtest gives tests a local control plane.
package localtest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/telekom/controlplane-infrastructure/internal/local"
)

// KubernetesEnv names the environment variable that says which Kubernetes minor a control plane has when its test does not,
// so that any test can run on each of local.KubernetesVersions.
const KubernetesEnv = "LOCAL_KUBERNETES"

// Option alters what a control plane looks like.
type Option func(*local.Options)

// Kubernetes chooses the minor.
func Kubernetes(version string) Option {
	return func(o *local.Options) { o.KubernetesVersion = version }
}

// Start runs a control plane in this process until the test and its subtests are over, and fails the test when one of
// the control plane's processes crashes in the meantime.
func Start(t testing.TB, with ...Option) *local.ControlPlane {
	t.Helper()
	cp, stop, err := run(t.Context(), with)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	return cp
}

// Main runs the tests of a package, with one control plane for all of them, and exits. It belongs into TestMain:
//
//	var cluster *local.ControlPlane
//
//	func TestMain(m *testing.M) { localtest.Main(m, &cluster) }
func Main(m runner, cluster **local.ControlPlane) {
	os.Exit(runMain(m, cluster))
}

// runner is *testing.M, perhaps with something done around its Run.
type runner interface{ Run() int }

func runMain(m runner, cluster **local.ControlPlane) int {
	cp, stop, err := run(context.Background(), nil)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	*cluster = cp
	code := m.Run()
	if err := stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// run makes a directory that is not named after the test, since the paths of sockets are limited.
func run(ctx context.Context, with []Option) (*local.ControlPlane, func() error, error) {
	dir, err := os.MkdirTemp("", "local-")
	if err != nil {
		return nil, nil, fmt.Errorf("directory for a local control plane: %w", err)
	}
	o := local.Options{Dir: filepath.Join(dir, "cp"), Name: "test", KubernetesVersion: os.Getenv(KubernetesEnv)}
	for _, option := range with {
		option(&o)
	}
	// A test's context ends before its cleanup functions run, and they may still need the API server.
	cp, err := local.Run(context.WithoutCancel(ctx), o)
	if err != nil {
		return nil, nil, fmt.Errorf("%w (removing its directory: %v)", err, os.RemoveAll(dir))
	}
	return cp, func() error {
		err := cp.Stop()
		if removal := os.RemoveAll(dir); err == nil {
			err = removal
		}
		return err
	}, nil
}
