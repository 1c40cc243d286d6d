package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/telekom/controlplane-infrastructure/internal/local/node"
)

// State is what a control plane in the background does.
type State string

// The states of a control plane in the background.
const (
	Stopped  State = "stopped"  // there is none
	Starting State = "starting" // not ready yet
	Running  State = "running"
	Stopping State = "stopping"
	Failed   State = "failed" // one of its processes crashed; nothing runs, the logs are still there
)

// Report is what is known of a control plane in the background.
type Report struct {
	State      State      `json:"state"`
	Name       string     `json:"name"`
	Dir        string     `json:"dir"`
	Kubeconfig string     `json:"kubeconfig,omitempty"` // path, once it is ready
	URL        string     `json:"url,omitempty"`        // of the API server
	Ingress    string     `json:"ingress,omitempty"`    // URL of the way in for HTTP
	NameServer string     `json:"nameServer,omitempty"` // host:port
	PID        int        `json:"pid,omitempty"`        // of the supervisor
	Started    *time.Time `json:"started,omitempty"`
	Uptime     string     `json:"uptime,omitempty"`
	Nodes      int        `json:"nodes,omitempty"`
	Zones      []string   `json:"zones,omitempty"`
	// KubernetesVersion is the minor.
	KubernetesVersion string  `json:"kubernetesVersion,omitempty"`
	Children          []Child `json:"children,omitempty"`
	// Pods are the containers that run as real processes.
	Pods []node.Pod `json:"pods,omitempty"`
	// Problem tells why it failed, why it does not answer, or what a killed one had left behind.
	Problem string `json:"problem,omitempty"`
	// Fingerprint tells whether a control plane is what today's Start would make.
	Fingerprint string `json:"fingerprint,omitempty"`
}

// write replaces the report in the control plane's directory.
func (r Report) write(l layout) error {
	content, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("state of the local control plane: %w", err)
	}
	next := l.state() + ".next"
	if err := os.WriteFile(next, content, 0o600); err != nil {
		return fmt.Errorf("state of the local control plane: %w", err)
	}
	return os.Rename(next, l.state())
}

// readReport returns nil when there is no report.
func readReport(l layout) (*Report, error) {
	content, err := os.ReadFile(l.state())
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("state of the local control plane: %w", err)
	}
	var r Report
	if err := json.Unmarshal(content, &r); err != nil {
		return nil, fmt.Errorf("state of the local control plane in %s: %w", l.state(), err)
	}
	return &r, nil
}

// Status tells how the control plane in the background is. One whose supervisor was killed is cleaned up.
func Status(ctx context.Context, o Options) (Report, error) {
	o, err := o.complete()
	if err != nil {
		return Report{}, err
	}
	l := layout(o.Dir)
	stopped := Report{State: Stopped, Name: o.Name, Dir: o.Dir}
	r, err := readReport(l)
	if err != nil || r == nil {
		return stopped, err
	}
	if supervised(l) {
		r.Uptime = time.Since(*r.Started).Round(time.Second).String()
		if r.State == Running {
			if err := r.answers(ctx); err != nil {
				r.Problem = err.Error()
			}
		}
		return *r, nil
	}
	if r.State == Failed {
		return *r, nil
	}
	unlock, err := lockDir(ctx, l)
	if err != nil {
		return stopped, err
	}
	defer unlock()
	stopped.Problem, err = clean(l)
	return stopped, err
}

// answers tells whether the API server is ready, and the supervisor alive. The lock alone does not tell the latter: a
// process that has just been killed, or is suspended, has it still.
func (r *Report) answers(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	config, err := clientcmd.BuildConfigFromFlags("", r.Kubeconfig)
	if err != nil {
		return fmt.Errorf("the API server cannot be asked: %w", err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("the API server cannot be asked: %w", err)
	}
	if err := client.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).Error(); err != nil {
		return fmt.Errorf("the API server does not answer: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.Ingress, nil)
	if err != nil {
		return fmt.Errorf("its supervisor cannot be asked: %w", err)
	}
	response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
	if err != nil {
		return fmt.Errorf("its supervisor (pid %d) does not answer: %w", r.PID, err)
	}
	return response.Body.Close() // whatever it says
}

// clean ends the processes and removes the files of a control plane whose supervisor is gone, and describes what it
// found. The caller holds the directory's lock.
func clean(l layout) (string, error) {
	r, err := readReport(l)
	if err != nil {
		return "", err
	}
	if supervised(l) {
		return "", nil
	}
	if _, err := os.Stat(l.options()); r == nil && errors.Is(err, os.ErrNotExist) {
		// No supervisor was ever meant to start here.
		if entry, err := l.foreign(); err != nil || entry != "" {
			return "", err
		}
	}
	killed, err := killProcessesOf(l)
	if err != nil {
		return "", err
	}
	if err := os.RemoveAll(string(l)); err != nil {
		return "", fmt.Errorf("remove the files of the local control plane: %w", err)
	}
	switch {
	case r == nil || r.State == Stopped:
		return "", nil
	case r.State == Failed:
		reason, _, _ := strings.Cut(r.Problem, "; the end of") // the log is gone now
		return "an earlier one had failed: " + reason, nil
	}
	return fmt.Sprintf("its supervisor (pid %d) was killed while it was %s; %d processes that were left have been ended, and its files removed",
		r.PID, r.State, killed), nil
}

// supervised tells whether a supervisor lives: it holds a lock that the kernel releases at its end.
func supervised(l layout) bool {
	lock, err := os.Open(l.supervisorLock())
	if err != nil {
		return false
	}
	defer lock.Close()
	return errors.Is(syscall.Flock(int(lock.Fd()), syscall.LOCK_SH|syscall.LOCK_NB), syscall.EWOULDBLOCK)
}

// supervise takes the supervisor's lock for the rest of this process's life.
func supervise(l layout) (*os.File, error) {
	lock, err := os.OpenFile(l.supervisorLock(), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock of the local control plane: %w", err)
	}
	for range 20 { // somebody who looks whether there is a supervisor has the lock for a moment
		if err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err == nil {
			return lock, nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	lock.Close()
	return nil, fmt.Errorf("local control plane in %s: there is a supervisor already", l)
}

// lockDir makes this process the only one that starts, stops or cleans up the control plane. The lock is on the
// directory itself, so that nothing is left when that is removed.
func lockDir(ctx context.Context, l layout) (unlock func(), err error) {
	for {
		if err := os.MkdirAll(string(l), 0o700); err != nil {
			return nil, fmt.Errorf("directory of the local control plane: %w", err)
		}
		dir, err := os.Open(string(l))
		if err != nil {
			if errors.Is(err, os.ErrNotExist) {
				continue
			}
			return nil, fmt.Errorf("directory of the local control plane: %w", err)
		}
		if err := syscall.Flock(int(dir.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err == nil && stillThere(dir) {
			return func() { dir.Close() }, nil
		}
		dir.Close()
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("local control plane in %s: somebody else is starting or stopping it: %w", l, ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// stillThere tells whether the open directory has not been removed (and perhaps made anew) in the meantime.
func stillThere(dir *os.File) bool {
	opened, err := dir.Stat()
	if err != nil {
		return false
	}
	current, err := os.Stat(dir.Name())
	return err == nil && os.SameFile(opened, current)
}
