package local

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"time"
)

// dirVariable marks every process of a control plane with the control plane's directory, so that those whose supervisor
// was killed can be found.
const dirVariable = "PLATFORM_LOCAL_DIR"

// Child is a process of the control plane.
type Child struct {
	Name string `json:"name"`
	PID  int    `json:"pid"`
	Log  string `json:"log"` // path of its output
}

// ChildError tells that a process of the control plane ended although nobody asked it to.
type ChildError struct {
	Child  Child
	Reason string // how it ended, such as "signal: killed"
	Tail   string // its last log lines
}

func (e *ChildError) Error() string {
	if e.Tail == "" {
		return fmt.Sprintf("%s ended unexpectedly (%s) and wrote nothing to %s", e.Child.Name, e.Reason, e.Child.Log)
	}
	return fmt.Sprintf("%s ended unexpectedly (%s); the end of %s:\n%s", e.Child.Name, e.Reason, e.Child.Log, e.Tail)
}

// child is a running Child.
type child struct {
	Child
	command *exec.Cmd
	ended   chan struct{} // closed when the process is gone
	reason  string        // valid after ended
}

// startChild starts a program with nothing in its environment but what the arguments say and what programs expect.
func startChild(l layout, name, program string, args, env []string) (*child, error) {
	output, err := os.OpenFile(l.log(name), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("log of %s: %w", name, err)
	}
	defer output.Close()
	command := exec.Command(program, args...)
	command.Dir = string(l)
	command.Stdout, command.Stderr = output, output
	command.Env = append(environment(l), env...)
	if err := startTied(command); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	c := &child{
		Child:   Child{Name: name, PID: command.Process.Pid, Log: l.log(name)},
		command: command,
		ended:   make(chan struct{}),
	}
	go func() {
		err := command.Wait()
		c.reason = "exit status 0"
		if err != nil {
			c.reason = err.Error()
		}
		close(c.ended)
	}()
	return c, nil
}

// environment is what every process of the control plane gets of it; the caller's own stays out.
func environment(l layout) []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + string(l), "TMPDIR=" + l.path("tmp"), dirVariable + "=" + string(l),
	}
}

// failure describes the unexpected end of a child that has ended.
func (c *child) failure() *ChildError {
	return &ChildError{Child: c.Child, Reason: c.reason, Tail: tail(c.Log, 12)}
}

// kill ends the child at once. What it might still want to write is in the directory that is removed with it.
func (c *child) kill() error {
	if err := c.command.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("end %s (pid %d): %w", c.Name, c.PID, err)
	}
	select {
	case <-c.ended:
		return nil
	case <-time.After(10 * time.Second):
		return fmt.Errorf("%s (pid %d) does not end", c.Name, c.PID)
	}
}

var spawn = struct {
	once  sync.Once
	calls chan func()
}{calls: make(chan func())}

// onSpawnThread calls start on one thread that lives as long as this process. The kernel sends a parent-death signal
// when the thread that started a child ends, and the Go runtime may end any other thread earlier than the process.
func onSpawnThread(start func() error) error {
	spawn.once.Do(func() {
		go func() {
			runtime.LockOSThread()
			for call := range spawn.calls {
				call()
			}
		}()
	})
	result := make(chan error, 1)
	spawn.calls <- func() { result <- start() }
	return <-result
}

// tail returns the last lines of a log, long ones cut.
func tail(file string, lines int) string {
	const reach, width = 32 << 10, 240
	f, err := os.Open(file)
	if err != nil {
		return ""
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > reach {
		if _, err := f.Seek(-reach, io.SeekEnd); err != nil {
			return ""
		}
	}
	content, err := io.ReadAll(f)
	if err != nil {
		return ""
	}
	all := strings.Split(string(bytes.TrimSpace(content)), "\n")
	all = all[max(0, len(all)-lines):]
	for i, line := range all {
		if len(line) > width {
			line = line[:width] + "..."
		}
		all[i] = "  " + line
	}
	return strings.TrimRight(strings.Join(all, "\n"), " ")
}
