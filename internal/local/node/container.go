package node

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	// Backoff between restarts: as a kubelet's, but quicker to try again, because nothing here is shared or far away.
	firstBackoff = time.Second
	lastBackoff  = 30 * time.Second
	// steady is how long a process has to run for its next failure to count as a first one.
	steady = time.Minute
)

// container runs the processes of one container, one after the other. Its variable fields are the pod's lock's.
type container struct {
	pod   *pod
	spec  corev1.Container
	image image
	known bool // the image has a program; otherwise the container is reported as running and nothing more

	command  *exec.Cmd // the running process, or nil
	ports    map[int]int
	state    corev1.ContainerState
	last     corev1.ContainerState // how the process before ended
	restarts int32
	started  bool
	ready    bool
	over     bool // it will not run again
}

func newContainer(p *pod, spec corev1.Container) *container {
	c := &container{pod: p, spec: spec}
	c.image, c.known = images[repository(spec.Image)]
	c.state.Waiting = &corev1.ContainerStateWaiting{Reason: "ContainerCreating"}
	if len(p.spec.InitContainers) > 0 {
		c.state.Waiting.Reason = "PodInitializing"
	}
	return c
}

// sidecar reports whether this is an init container that runs beside the main ones.
func (c *container) sidecar() bool {
	return c.spec.RestartPolicy != nil && *c.spec.RestartPolicy == corev1.ContainerRestartPolicyAlways
}

// change alters fields of the container and lets the API server know.
func (c *container) change(alter func()) {
	c.pod.mu.Lock()
	defer c.pod.mu.Unlock()
	alter()
	notify(c.pod.dirty)
}

// run starts the process again and again as the policy wants. It returns, when it is over, whether the last one
// succeeded.
func (c *container) run(policy corev1.RestartPolicy) bool {
	defer c.change(func() { c.over = true })
	if !c.known {
		return c.simulate()
	}
	backoff := firstBackoff
	for {
		begin := time.Now()
		code, err := c.once()
		if c.pod.stopping.Err() != nil {
			return false
		}
		if err != nil { // it could not be started: nothing that a policy decides
			c.wait("CreateContainerError", err.Error())
			c.pod.node.events.Event(c.pod.current(), corev1.EventTypeWarning, "Failed", err.Error())
		} else if policy == corev1.RestartPolicyNever || policy == corev1.RestartPolicyOnFailure && code == 0 {
			return code == 0
		} else {
			if time.Since(begin) > steady {
				backoff = firstBackoff
			}
			c.change(func() { c.last, c.restarts = c.state, c.restarts+1 })
			c.wait("CrashLoopBackOff", fmt.Sprintf("back-off %s restarting failed container=%s", backoff, c.spec.Name))
		}
		select {
		case <-c.pod.stopping.Done():
			return false
		case <-time.After(backoff):
		}
		backoff = min(2*backoff, lastBackoff)
	}
}

// simulate reports the container of an unknown image as running, or as done if that is what the pod waits for.
func (c *container) simulate() bool {
	now := metav1.Now()
	if c.pod.isInit(c) && !c.sidecar() {
		c.change(func() {
			c.ready = true
			c.state = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
				Reason: "Completed", StartedAt: now, FinishedAt: now}}
		})
		return true
	}
	c.change(func() {
		c.started, c.ready = true, true
		c.state = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: now}}
	})
	<-c.pod.stopping.Done()
	c.change(func() {
		c.ready = false
		c.state = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
			Reason: "Completed", StartedAt: now, FinishedAt: metav1.Now()}}
	})
	return true
}

func (p *pod) isInit(c *container) bool {
	for _, one := range p.init {
		if one == c {
			return true
		}
	}
	return false
}

func (c *container) wait(reason, message string) {
	c.change(func() {
		c.state = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}
	})
}

// once runs one process to its end and returns its exit code.
func (c *container) once() (int, error) {
	program := c.pod.node.Programs[c.image.tool]
	args, env, err := c.invocation()
	if err != nil {
		return 0, err
	}
	args, ports, release, err := c.image.listen(args, &c.pod.node.ports)
	if err != nil {
		return 0, err
	}
	defer release()
	log, err := c.pod.openLog()
	if err != nil {
		return 0, err
	}
	defer log.Close()

	command := exec.Command(program, args...)
	command.Dir = c.pod.dir
	command.Env = env
	command.Stdout, command.Stderr = log, log
	if err := c.start(command, ports); err != nil {
		return 0, fmt.Errorf("start %s: %w", program, err)
	}
	fmt.Fprintf(log, "--- %s started as %s, pid %d\n", c.spec.Name, filepath.Base(program), command.Process.Pid)
	return c.supervise(command, log), nil
}

// start starts the process unless the pod ends already.
func (c *container) start(command *exec.Cmd, ports map[int]int) error {
	c.pod.mu.Lock()
	defer c.pod.mu.Unlock()
	if err := c.pod.stopping.Err(); err != nil {
		return err
	}
	if err := c.pod.node.Start(command); err != nil {
		return err
	}
	c.command, c.ports = command, ports
	c.state = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Now()}}
	notify(c.pod.dirty)
	return nil
}

// supervise probes the process until it ends by itself, by a failing probe or with the pod.
func (c *container) supervise(command *exec.Cmd, log *os.File) int {
	ended := make(chan struct{})
	go func() {
		_ = command.Wait() // the process state says it all
		close(ended)
	}()
	probing, stopProbing := context.WithCancel(c.pod.stopping)
	unhealthy := make(chan string, 1)
	probed := make(chan struct{})
	go func() {
		defer close(probed)
		c.probe(probing, unhealthy)
	}()

	select {
	case <-ended:
	case reason := <-unhealthy:
		c.pod.node.events.Event(c.pod.current(), corev1.EventTypeNormal, "Killing", reason)
		c.terminate(command, ended, c.gracePeriod())
	case <-c.pod.stopping.Done():
		c.pod.mu.Lock()
		grace := c.pod.grace
		c.pod.mu.Unlock()
		c.terminate(command, ended, grace)
	}
	stopProbing()
	<-probed
	return c.conclude(command, log)
}

func (c *container) gracePeriod() time.Duration {
	if seconds := c.pod.spec.TerminationGracePeriodSeconds; seconds != nil {
		return time.Duration(*seconds) * time.Second
	}
	return corev1.DefaultTerminationGracePeriodSeconds * time.Second
}

// terminate asks the process to end, and ends it when it does not within the grace period.
func (c *container) terminate(command *exec.Cmd, ended <-chan struct{}, grace time.Duration) {
	if grace > 0 {
		_ = command.Process.Signal(syscall.SIGTERM) // if it fails the process has ended
		select {
		case <-ended:
			return
		case <-time.After(grace):
		}
	}
	_ = command.Process.Kill()
	<-ended
}

// kill ends the running process at once. The caller holds the pod's lock.
func (c *container) kill() {
	if c.command != nil {
		_ = c.command.Process.Kill()
	}
}

// conclude records how the process ended, with its last words if it failed.
func (c *container) conclude(command *exec.Cmd, log *os.File) int {
	code, signal := command.ProcessState.ExitCode(), int32(0)
	if status, ok := command.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		signal = int32(status.Signal())
		code = 128 + int(signal)
	}
	result := &corev1.ContainerStateTerminated{
		ExitCode: int32(code), Signal: signal, Reason: "Completed", FinishedAt: metav1.Now(),
	}
	if code != 0 {
		result.Reason, result.Message = "Error", lastLines(log)
		c.pod.node.logf("pod %s: %s: %s", c.pod.key, c.spec.Name, command.ProcessState)
	}
	c.change(func() {
		if c.state.Running != nil {
			result.StartedAt = c.state.Running.StartedAt
		}
		c.state = corev1.ContainerState{Terminated: result}
		c.command, c.ports = nil, nil
		c.started, c.ready = false, c.pod.isInit(c) && code == 0
	})
	return code
}

// lastLines returns the end of a log, as much of it as fits into a status.
func lastLines(log *os.File) string {
	const size, lines = 2048, 10
	info, err := log.Stat()
	if err != nil {
		return ""
	}
	offset := max(0, info.Size()-size)
	content := make([]byte, info.Size()-offset)
	if n, err := log.ReadAt(content, offset); err != nil && n == 0 {
		return ""
	}
	all := strings.Split(strings.TrimSpace(string(content)), "\n")
	return strings.ToValidUTF8(strings.Join(all[max(0, len(all)-lines):], "\n"), "?")
}
