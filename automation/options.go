package automation

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/telekom/controlplane-infrastructure/internal/local"
)

// Plugins says which engine plugins a run uses.
type Plugins string

const (
	// PluginsPublished are the plugins that the engine finds on this machine, or downloads.
	PluginsPublished Plugins = "published"
	// PluginsBuiltin are the plugins compiled into this module; they need no download.
	PluginsBuiltin Plugins = "builtin"
)

// ParsePlugins reads the value of a --plugins flag; the empty string is the default, published.
func ParsePlugins(s string) (Plugins, error) {
	switch p := Plugins(s); p {
	case "":
		return PluginsPublished, nil
	case PluginsPublished, PluginsBuiltin:
		return p, nil
	}
	return "", usageErrorf("plugins: %q is not known; allowed: %s, %s", s, PluginsPublished, PluginsBuiltin)
}

// Options say what is run and where. Stack is required; the zero value of every other field is a working default.
type Options struct {
	// Project is the directory of Pulumi.yaml; default: found from the working directory upwards.
	Project string
	// Stack names the stack and with it its file, Pulumi.<stack>.yaml.
	Stack string
	// Local runs against the local control plane instead of the cluster that the stack names. It implies built-in plugins.
	Local bool
	// LocalDir is the directory of the local control plane; default: the one that `platform local start` uses.
	LocalDir string
	// LocalControlPlane is a local control plane that this process runs itself, as tests do, in place of the one in
	// LocalDir.
	LocalControlPlane *local.ControlPlane
	// Plugins defaults to PluginsPublished, or with Local to PluginsBuiltin.
	Plugins Plugins
	// Progress receives a line for each thing that happens; nil: nothing is printed.
	Progress io.Writer
	// Verbose adds the engine's own output to Progress.
	Verbose bool
	// Parallel bounds how many resources are worked on at once; 0: the engine's default.
	Parallel int
	// Events is called with each thing that happens, in order and from one goroutine, and not any more once the operation
	// has returned. The operation waits for it. Nil: nobody is told.
	Events func(Event)
	// LockWait is how long an operation waits for another one on the same stack to end; 0: it fails at once with a
	// LockedError.
	LockWait time.Duration
}

// UsageError is a fault in what was asked for: an option, the stack's name or its configuration. Nothing was started.
type UsageError struct{ Err error }

func (e *UsageError) Error() string { return e.Err.Error() }
func (e *UsageError) Unwrap() error { return e.Err }

func usageErrorf(format string, args ...any) error {
	return &UsageError{Err: fmt.Errorf(format, args...)}
}

// complete fills in defaults and reports what cannot be run.
func (o Options) complete() (Options, error) {
	if o.Stack == "" {
		return o, usageErrorf("stack: no stack is named; name one, such as --stack dev")
	}
	var err error
	if o.Project, err = ProjectDir(o.Project); err != nil {
		return o, &UsageError{Err: err}
	}
	if o.Local {
		if o.Plugins == PluginsPublished {
			return o, usageErrorf("plugins: %q cannot be used with the local control plane; leave it out or use %q",
				o.Plugins, PluginsBuiltin)
		}
		o.Plugins = PluginsBuiltin
	}
	if o.Plugins, err = ParsePlugins(string(o.Plugins)); err != nil {
		return o, err
	}
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	return o, nil
}

// ProjectDir is dir, or the nearest directory from the working directory upwards, that holds Pulumi.yaml.
func ProjectDir(dir string) (string, error) {
	if dir != "" {
		if _, err := os.Stat(filepath.Join(dir, "Pulumi.yaml")); err != nil {
			return "", fmt.Errorf("project: %s holds no Pulumi.yaml", dir)
		}
		return filepath.Abs(dir)
	}
	wd, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for d := wd; ; d = filepath.Dir(d) {
		if _, err := os.Stat(filepath.Join(d, "Pulumi.yaml")); err == nil {
			return d, nil
		}
		if d == filepath.Dir(d) {
			return "", fmt.Errorf("project: no Pulumi.yaml in %s or above; use --project DIR", wd)
		}
	}
}

// IsUsage tells whether err lies in what was asked for rather than in what happened.
func IsUsage(err error) bool {
	var u *UsageError
	return errors.As(err, &u)
}

// environment is what the engine's processes see besides this process' own environment.
type environment map[string]string

func (e environment) has(key string) bool {
	return e[key] != "" || os.Getenv(key) != ""
}

// withoutPlugins drops plugin attachments that a caller's environment may carry, so that they do not leak into a run
// that asked for published plugins.
func withoutPlugins(env []string) []string {
	return slices.DeleteFunc(env, func(kv string) bool { return strings.HasPrefix(kv, "PULUMI_DEBUG_PROVIDERS=") })
}
