package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Process is a running container. It ends with the test at the latest.
type Process struct {
	// Container is what runs.
	Container *Container

	t     *testing.T
	log   string // path
	mutex sync.Mutex
	cmd   *exec.Cmd
	ended chan struct{} // closed when the process is gone
}

// Start starts a container. What it writes goes to a log, whose end a failing test prints.
func (o *Objects) Start(t *testing.T, s Spec) *Process {
	t.Helper()
	c, err := o.Container(s)
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(s.Dir, 0o755))
	p := &Process{Container: c, t: t, log: filepath.Join(s.Dir, c.Spec.Name+".log")}
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			t.Logf("%s of %s, end of the log:\n%s", c.Spec.Name, c.PodName, p.tail())
		}
	})
	p.Restart()
	return p
}

// Restart starts the container again, with its volumes as they are: what a kubelet does after its process ended. A
// running one is killed.
func (p *Process) Restart() {
	p.t.Helper()
	p.Kill()
	i, err := p.Container.prepare(nil)
	require.NoError(p.t, err, "prepare %s", p.Container.PodName)
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	require.NoError(p.t, err)
	defer log.Close()
	cmd := exec.Command(i.program, i.args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = p.Container.Dir, i.env, log, log
	if dir := p.Container.Spec.WorkingDir; dir != "" {
		cmd.Dir = i.rewrite.rewrite(dir)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that its children end with it
	require.NoError(p.t, cmd.Start(), "start %s of %s", p.Container.Spec.Name, p.Container.PodName)
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // the state says it all
		close(ended)
	}()
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.cmd, p.ended = cmd, ended
}

// Replace starts the container in a new pod of the same name: what it wrote outside of claims is gone.
func (p *Process) Replace() {
	p.t.Helper()
	p.Kill()
	require.NoError(p.t, os.RemoveAll(filepath.Join(p.Container.Dir, "scratch")))
	p.Restart()
}

// Refresh writes the mounted Secrets and ConfigMaps again, as a kubelet does when they have changed.
func (p *Process) Refresh() {
	p.t.Helper()
	_, err := p.Container.prepare(nil)
	require.NoError(p.t, err)
}

func (p *Process) current() (*exec.Cmd, chan struct{}) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.cmd, p.ended
}

// Kill ends the process and its children at once, as the loss of a node would.
func (p *Process) Kill() { p.signal(syscall.SIGKILL, true) }

// Freeze stops the process and its children without ending them; Thaw lets them go on.
func (p *Process) Freeze() { p.signal(syscall.SIGSTOP, false) }

// Thaw lets a frozen process go on.
func (p *Process) Thaw() { p.signal(syscall.SIGCONT, false) }

func (p *Process) signal(s syscall.Signal, wait bool) {
	cmd, ended := p.current()
	if cmd == nil {
		return
	}
	_ = syscall.Kill(-cmd.Process.Pid, s) // if it fails the group is gone
	if wait {
		<-ended
	}
}

// Stop ends the container as the deletion of its pod does: its hook first, then a request to end, and after the grace
// period by force.
func (p *Process) Stop() {
	p.t.Helper()
	cmd, ended := p.current()
	if cmd == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(p.t.Context()), time.Duration(p.Container.GraceSeconds)*time.Second)
	defer cancel()
	p.preStop(ctx)
	_ = cmd.Process.Signal(syscall.SIGTERM) // if it fails the process has ended
	select {
	case <-ended:
	case <-ctx.Done():
	}
	p.Kill() // its children, if nothing else
}

// preStop runs the hook.
func (p *Process) preStop(ctx context.Context) {
	hook := p.Container.Spec.Lifecycle
	switch {
	case hook == nil || hook.PreStop == nil:
	case hook.PreStop.Exec != nil:
		if out, err := p.Exec(ctx, hook.PreStop.Exec.Command...); err != nil {
			p.t.Logf("hook of %s: %v: %s", p.Container.PodName, err, out)
		}
	case hook.PreStop.Sleep != nil:
		time.Sleep(time.Duration(hook.PreStop.Sleep.Seconds) * time.Second)
	}
}

// Wait waits for the process to end by itself and returns its exit code.
func (p *Process) Wait(timeout time.Duration) int {
	p.t.Helper()
	cmd, ended := p.current()
	select {
	case <-ended:
	case <-time.After(timeout):
		require.Failf(p.t, "still running", "%s of %s after %s", p.Container.Spec.Name, p.Container.PodName, timeout)
	}
	return cmd.ProcessState.ExitCode()
}

// Running reports whether the process has not ended.
func (p *Process) Running() bool {
	_, ended := p.current()
	select {
	case <-ended:
		return false
	default:
		return true
	}
}

// Exec runs another command in the container, such as a probe, and returns what it wrote.
func (p *Process) Exec(ctx context.Context, command ...string) (string, error) {
	if len(command) == 0 {
		return "", errors.New("no command")
	}
	i, err := p.Container.prepare(command)
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, i.program, i.args...)
	cmd.Dir, cmd.Env = p.Container.Dir, i.env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%s: %w", strings.Join(command, " "), err)
	}
	return string(out), err
}

// Log is all that the container has written.
func (p *Process) Log() string {
	data, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// tail is the end of the log.
func (p *Process) tail() string {
	const lines = 40
	all := strings.Split(strings.TrimSpace(p.Log()), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
