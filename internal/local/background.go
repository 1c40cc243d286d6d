package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"reflect"
	"syscall"
	"time"

	"k8s.io/client-go/tools/clientcmd"
)

// Start returns the control plane in the background, which it starts when there is none. What a killed one left behind
// is cleaned up first. A running one that is not what Start would make today is an error, and left alone.
func Start(ctx context.Context, o Options) (*ControlPlane, error) {
	o, err := o.likeRunning().complete()
	if err != nil {
		return nil, err
	}
	programs, err := findTools(ctx, o.KubernetesVersion) // here, where the user sees the progress of a build
	if err != nil {
		return nil, err
	}
	fingerprint, err := o.fingerprint(programs)
	if err != nil {
		return nil, err
	}
	for l := layout(o.Dir); ; {
		cp, again, err := o.startOrClean(ctx, l, fingerprint)
		if !again {
			return cp, err
		}
	}
}

// likeRunning takes the Kubernetes version of the control plane that runs, if none is asked for.
func (o Options) likeRunning() Options {
	found, err := o.complete()
	if err != nil || o.KubernetesVersion != "" || !supervised(layout(found.Dir)) {
		return o
	}
	if r, err := readReport(layout(found.Dir)); err == nil && r != nil {
		o.KubernetesVersion = r.KubernetesVersion
	}
	return o
}

// startOrClean does what a start finds to do: reuse what runs, clean up what a killed one has left, or launch. Cleaning
// up removes the directory and with it the lock on it, so that somebody else may be next: the start looks again.
func (o Options) startOrClean(ctx context.Context, l layout, fingerprint string) (cp *ControlPlane, again bool, err error) {
	unlock, err := lockDir(ctx, l)
	if err != nil {
		return nil, false, err
	}
	defer unlock()
	if cp, err := reuse(ctx, l, fingerprint); cp != nil || err != nil {
		return cp, false, err
	}
	if entries, err := os.ReadDir(string(l)); err == nil && len(entries) > 0 {
		found, err := clean(l)
		if err != nil {
			return nil, false, err
		}
		if found != "" {
			fmt.Fprintf(o.Log, "local control plane in %s: %s\n", l, found)
		}
		if _, err := os.Stat(string(l)); err != nil {
			return nil, true, nil
		}
	}
	cp, err = launch(ctx, l, o)
	return cp, false, err
}

// reuse returns the control plane that has a supervisor already, or nil when there is none.
func reuse(ctx context.Context, l layout, fingerprint string) (*ControlPlane, error) {
	for deadline := time.Now().Add(5 * time.Second); supervised(l); time.Sleep(100 * time.Millisecond) {
		r, err := awaitReady(ctx, l, nil, io.Discard)
		if err != nil && ctx.Err() == nil && !supervised(l) {
			break // it has just ended
		}
		if err != nil {
			return nil, err
		}
		if r.Fingerprint != fingerprint {
			return nil, fmt.Errorf("local control plane in %s: it has been running since %s with another Kubernetes version, other programs, nodes or zones than this call asks for: stop it first",
				l, r.Started.Format(time.TimeOnly))
		}
		problem := r.answers(ctx)
		if problem == nil {
			return r.controlPlane()
		}
		if time.Now().After(deadline) { // until then it may be on its way down
			return nil, fmt.Errorf("local control plane in %s: it runs, but %w: stop it and start again", l, problem)
		}
	}
	return nil, nil
}

// launch starts a supervisor and waits until its control plane is ready.
func launch(ctx context.Context, l layout, o Options) (*ControlPlane, error) {
	if err := l.make(); err != nil {
		return nil, err
	}
	content, err := json.Marshal(o)
	if err != nil {
		return nil, fmt.Errorf("options of the local control plane: %w", err)
	}
	if err := os.WriteFile(l.options(), content, 0o600); err != nil {
		return nil, fmt.Errorf("options of the local control plane: %w", err)
	}
	output, err := os.OpenFile(l.log("supervisor"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("log of the local control plane: %w", err)
	}
	defer output.Close()
	command, err := o.supervisorCommand()
	if err != nil {
		return nil, err
	}
	command.Stdout, command.Stderr = output, output
	command.Env = append(os.Environ(), dirVariable+"="+o.Dir)
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // it outlives this process and its terminal
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("start the supervisor of the local control plane: %w", err)
	}
	ended := make(chan struct{})
	go func() { _ = command.Wait(); close(ended) }() // how it ended is in its report

	r, err := awaitReady(ctx, l, ended, o.Log)
	if err != nil {
		return nil, errors.Join(err, abandon(l, command, ended))
	}
	return r.controlPlane()
}

// abandon removes everything of a start that failed.
func abandon(l layout, supervisor *exec.Cmd, ended <-chan struct{}) error {
	_ = supervisor.Process.Signal(syscall.SIGTERM)
	select {
	case <-ended:
	case <-time.After(stopTimeout):
		_ = supervisor.Process.Kill()
		<-ended
	}
	if _, err := killProcessesOf(l); err != nil {
		return err
	}
	return os.RemoveAll(string(l))
}

func (o Options) supervisorCommand() (*exec.Cmd, error) {
	line := o.SupervisorCommand
	if line == nil {
		self, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("supervisor of the local control plane: %w", err)
		}
		line = []string{self, "local", "supervise"}
	}
	return exec.Command(line[0], append(line[1:len(line):len(line)], "--dir", o.Dir)...), nil
}

// awaitReady copies the supervisor's progress to log until the control plane is ready. The channel ended tells of the
// supervisor's end, if it is our child; otherwise its lock tells.
func awaitReady(ctx context.Context, l layout, ended <-chan struct{}, log io.Writer) (*Report, error) {
	progress := &follower{path: l.log("supervisor"), to: log}
	for {
		progress.copy()
		r, err := readReport(l)
		if err != nil {
			return nil, err
		}
		if r != nil && r.State == Running {
			progress.copy()
			return r, nil
		}
		over := ended == nil && !supervised(l)
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("start the local control plane: %w", context.Cause(ctx))
		case <-ended:
			over = true
		case <-time.After(30 * time.Millisecond):
		}
		if over {
			return nil, failedStart(l)
		}
	}
}

func failedStart(l layout) error {
	if r, err := readReport(l); err == nil && r != nil && r.Problem != "" {
		return errors.New(r.Problem)
	}
	return fmt.Errorf("the supervisor of the local control plane ended; the end of its output:\n%s", tail(l.log("supervisor"), 12))
}

// follower copies what a growing file has got since the last time.
type follower struct {
	path   string
	to     io.Writer
	offset int64
}

func (f *follower) copy() {
	file, err := os.Open(f.path)
	if err != nil {
		return
	}
	defer file.Close()
	n, _ := io.Copy(f.to, io.NewSectionReader(file, f.offset, 1<<20))
	f.offset += n
}

func (r *Report) controlPlane() (*ControlPlane, error) {
	config, err := clientcmd.BuildConfigFromFlags("", r.Kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("kubeconfig of the local control plane: %w", err)
	}
	config.QPS = -1
	return &ControlPlane{
		Name: r.Name, Dir: r.Dir, Kubeconfig: r.Kubeconfig, URL: r.URL, Ingress: r.Ingress, NameServer: r.NameServer,
		rest: config, zones: r.Zones, nodeCount: r.Nodes,
	}, nil
}

// Supervise is what the supervisor process does: it runs the control plane that Start has described in the directory
// until SIGTERM, SIGINT, the end of ctx, or a crash.
func Supervise(ctx context.Context, o Options) error {
	ctx, cancel := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	l := layout(o.Dir)
	content, err := os.ReadFile(l.options())
	if err != nil {
		return fmt.Errorf("options of the local control plane: %w", err)
	}
	o = Options{Dir: o.Dir, Log: os.Stderr}
	if err := json.Unmarshal(content, &o); err != nil {
		return fmt.Errorf("options of the local control plane: %w", err)
	}
	if o, err = o.complete(); err != nil {
		return err
	}
	lock, err := supervise(l)
	if err != nil {
		return err
	}
	defer lock.Close()
	return superviseLocked(ctx, l, o)
}

func superviseLocked(ctx context.Context, l layout, o Options) error {
	now := time.Now()
	r := Report{State: Starting, Name: o.Name, Dir: o.Dir, PID: os.Getpid(), Started: &now, Nodes: o.Nodes, Zones: o.Zones, KubernetesVersion: o.KubernetesVersion}
	if err := r.write(l); err != nil {
		return err
	}
	programs, err := findTools(ctx, o.KubernetesVersion)
	if err != nil {
		return r.fail(l, err)
	}
	if r.Fingerprint, err = o.fingerprint(programs); err != nil {
		return r.fail(l, err)
	}
	cp, err := run(ctx, o, programs)
	if err != nil {
		return r.fail(l, err)
	}
	r.State, r.Children, r.Kubeconfig, r.URL = Running, cp.Children(), cp.Kubeconfig, cp.URL
	r.Ingress, r.NameServer = cp.Ingress, cp.NameServer
	if err := r.write(l); err != nil {
		return errors.Join(r.fail(l, err), cp.Stop())
	}
	r.follow(ctx, l, cp, o.Log)
	<-cp.Done()
	if err := cp.Err(); err != nil {
		return r.fail(l, err)
	}
	r.State = Stopped // whoever looks next removes the files
	return r.write(l)
}

// follow keeps the report up to date until ctx or the control plane ends.
func (r *Report) follow(ctx context.Context, l layout, cp *ControlPlane, log io.Writer) {
	for tick := time.Tick(time.Second); ; {
		select {
		case <-cp.Done():
			return
		case <-ctx.Done():
			r.State = Stopping
		case <-tick:
			pods := cp.Pods()
			if reflect.DeepEqual(pods, r.Pods) {
				continue
			}
			r.Pods = pods
		}
		if err := r.write(l); err != nil {
			fmt.Fprintln(log, err)
		}
		if r.State == Stopping {
			return
		}
	}
}

// fail records why the control plane ended and returns it.
func (r *Report) fail(l layout, cause error) error {
	failed := Report{State: Failed, Problem: cause.Error(), Name: r.Name, Dir: r.Dir, PID: r.PID, Started: r.Started}
	return errors.Join(cause, failed.write(l))
}

// stopTimeout is how long a supervisor gets to take everything down before it is killed.
const stopTimeout = 20 * time.Second

// Stop ends the control plane in the background, or what is left of one, and removes its files. It is fine if there
// is none.
func Stop(ctx context.Context, o Options) error {
	o, err := o.complete()
	if err != nil {
		return err
	}
	l := layout(o.Dir)
	if _, err := os.Stat(o.Dir); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	unlock, err := lockDir(ctx, l)
	if err != nil {
		return err
	}
	defer unlock()
	if supervised(l) {
		if err := endSupervisor(ctx, l); err != nil {
			return err
		}
	}
	if _, err := clean(l); err != nil {
		return err
	}
	// What is still there is somebody else's.
	if err := os.Remove(o.Dir); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove the directory of the local control plane: %w", err)
	}
	return nil
}

// endSupervisor asks the supervisor to end, and kills it when it does not.
func endSupervisor(ctx context.Context, l layout) error {
	r, err := readReport(l)
	if err != nil {
		return err
	}
	if r == nil {
		return fmt.Errorf("local control plane in %s: its supervisor has not told its process id", l)
	}
	for signal, deadline := syscall.SIGTERM, time.Now().Add(stopTimeout); supervised(l); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			signal, deadline = syscall.SIGKILL, time.Now().Add(stopTimeout)
		}
		if err := syscall.Kill(r.PID, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("end the supervisor of the local control plane (pid %d): %w", r.PID, err)
		}
		if ctx.Err() != nil {
			return fmt.Errorf("end the supervisor of the local control plane (pid %d): %w", r.PID, ctx.Err())
		}
	}
	return nil
}
