package automation

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/blang/semver"
	"github.com/pulumi/pulumi/sdk/v3/go/auto"
)

// cancelGrace is how long the engine may take to end after a cancel before it is killed.
const cancelGrace = 30 * time.Second

// command runs the Pulumi CLI in a process group of its own. A Ctrl-C in a terminal reaches every process of the
// group in the foreground; the engine takes a second interrupt as "terminate at once", so it must get only ours.
type command struct {
	path    string
	version semver.Version
}

var _ auto.PulumiCommand = command{}

// newCommand uses the CLI at root/bin/pulumi.
func newCommand(root string) (auto.PulumiCommand, error) {
	found, err := auto.NewPulumiCommand(&auto.PulumiCommandOptions{Root: root})
	if err != nil {
		return nil, err
	}
	return command{path: filepath.Join(root, "bin", "pulumi"), version: found.Version()}, nil
}

func (c command) Version() semver.Version { return c.version }

func (c command) Run(ctx context.Context, dir string, stdin io.Reader, outs, errs []io.Writer, env []string,
	args ...string,
) (string, string, int, error) {
	// What is protected is to be in a preview, and not to end it: with many resources the engine would take hours to end.
	if len(args) > 0 && args[0] == "preview" {
		args = append(slices.Clone(args), "--ignore-protect")
	}
	if !slices.Contains(args, "--non-interactive") {
		args = append([]string{"--non-interactive"}, args...)
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, c.path, args...)
	cmd.Dir, cmd.Stdin = dir, stdin
	cmd.Env = append(withoutPlugins(os.Environ()), env...)
	cmd.Env = append(cmd.Env, "PULUMI_AUTOMATION_API=true",
		"PATH="+filepath.Dir(c.path)+string(os.PathListSeparator)+os.Getenv("PATH"))
	cmd.Stdout = io.MultiWriter(append(slices.Clone(outs), &stdout)...)
	cmd.Stderr = io.MultiWriter(append(slices.Clone(errs), &stderr)...)
	cmd.SysProcAttr = engineAttributes()
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = cancelGrace

	err := runTied(cmd)
	code := -2 // what the Automation API reports for a command that did not run
	var exit *exec.ExitError
	switch {
	case err == nil:
		code = 0
	case errors.As(err, &exit):
		code = exit.ExitCode()
	}
	return stdout.String(), stderr.String(), code, err
}

// runTied runs a command on an operating system's thread of its own: a child that is to end with this process ends with
// the thread that has started it, and Go's threads come and go.
func runTied(cmd *exec.Cmd) error {
	ended := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		ended <- cmd.Run()
	}()
	return <-ended
}
