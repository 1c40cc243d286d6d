package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// startTimeout bounds each step of a start; on a busy machine a start takes longer than the usual few seconds.
const startTimeout = 90 * time.Second

// errStopped is why a control plane ends when somebody asked for it.
var errStopped = errors.New("stopped")

// ControlPlane is a local control plane that is ready for use.
type ControlPlane struct {
	Name       string
	Dir        string // holds everything
	Kubeconfig string // path of the administrator's kubeconfig
	URL        string // of the API server
	// Ingress is the URL where HTTP requests reach the services of real pods: by the host of an Ingress, or
	// <service>.<namespace>.svc. NameServer (host:port, UDP) answers any name with the address to find it at.
	Ingress, NameServer string

	rest      *rest.Config
	zones     []string
	nodeCount int

	// What follows is known only to the process that runs the control plane.
	started  time.Time
	log      io.Writer
	ctx      context.Context
	cancel   context.CancelCauseFunc
	children []*child
	mu       sync.Mutex // guards children
	helpers  helpers
	release  func() // of the API server's port
	done     chan struct{}
	err      error // why it ended; valid after done
}

// Run starts a control plane inside this process and returns when it is ready. It lives until Stop is called, ctx ends,
// or one of its processes ends unexpectedly. A failed or cancelled start leaves nothing behind.
func Run(ctx context.Context, o Options) (*ControlPlane, error) {
	o, err := o.complete()
	if err != nil {
		return nil, err
	}
	programs, err := findTools(ctx, o.KubernetesVersion)
	if err != nil {
		return nil, err
	}
	if err := layout(o.Dir).make(); err != nil {
		return nil, err
	}
	cp, err := run(ctx, o, programs)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(o.Dir))
	}
	return cp, nil
}

// run is Run in a directory that was made before, and stays after a failed start.
func run(ctx context.Context, o Options, programs toolset) (*ControlPlane, error) {
	l := layout(o.Dir)
	port, release, err := reservePort()
	if err != nil {
		return nil, err
	}
	cp := &ControlPlane{
		Name: o.Name, Dir: o.Dir, Kubeconfig: l.admin(), URL: fmt.Sprintf("https://127.0.0.1:%d", port),
		zones: o.Zones, nodeCount: o.Nodes,
		started: time.Now(), log: o.Log, release: release, done: make(chan struct{}),
	}
	cp.ctx, cp.cancel = context.WithCancelCause(ctx)
	startOver := make(chan struct{})
	go cp.endWithContext(startOver)
	err = cp.start(l, o, programs, port)
	close(startOver)
	if err != nil {
		cp.cancel(err) // the first cause counts: a child's crash tells more than what followed from it
		<-cp.done
		if cause := context.Cause(cp.ctx); cause != nil {
			err = cause
		}
		return nil, fmt.Errorf("start the local control plane: %w", err)
	}
	cp.progress("local control plane ready: %s", cp.URL)
	return cp, nil
}

func (c *ControlPlane) start(l layout, o Options, programs toolset, port int) error {
	var err error
	if c.rest, err = newPKI(l, c.URL); err != nil {
		return err
	}
	c.rest.QPS = -1 // the API server's own flow control is enough
	if err := writeEgressConfig(l); err != nil {
		return err
	}
	if err := writeKwokConfig(l, realImages()); err != nil {
		return err
	}
	if err := c.startChild(l, programs, "etcd", etcdArgs(l)); err != nil {
		return err
	}
	if err := c.startChild(l, programs, "kube-apiserver", apiServerArgs(l, port), apiServerEnv(l)...); err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(c.rest)
	if err != nil {
		return err
	}
	if err := waitServing(c.ctx, client); err != nil {
		return err
	}
	c.progress("API server answers")
	if err := c.startChild(l, programs, "kube-controller-manager", controllerManagerArgs(l)); err != nil {
		return err
	}
	if err := c.startChild(l, programs, "kube-scheduler", schedulerArgs(l)); err != nil {
		return err
	}
	if err := bootstrap(c.ctx, client, o); err != nil {
		return err
	}
	if err := c.startChild(l, programs, "kwok", kwokArgs(l)); err != nil {
		return err
	}
	if err := c.startHelpers(c.ctx, l, programs); err != nil {
		return err
	}
	return waitUsable(c.ctx, client)
}

// waitServing returns when the API server and everything it does at its start are ready.
func waitServing(ctx context.Context, client kubernetes.Interface) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		var code int
		err := client.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).StatusCode(&code).Error()
		if err == nil && code == http.StatusOK {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the API server is not ready: %w", err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// startChild starts a program and ends the control plane when that ends.
func (c *ControlPlane) startChild(l layout, programs toolset, name string, args []string, env ...string) error {
	started, err := startChild(l, name, programs[name], args, env)
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.children = append(c.children, started)
	c.mu.Unlock()
	go func() {
		select {
		case <-started.ended:
			c.cancel(started.failure())
		case <-c.ctx.Done():
		}
	}()
	return nil
}

// endWithContext takes everything down when the control plane's context ends, for whatever reason. The start, which
// ends with the context too, must be over: it would go on to start what is taken down here.
func (c *ControlPlane) endWithContext(startOver <-chan struct{}) {
	<-c.ctx.Done()
	<-startOver
	defer close(c.done)
	c.helpers.wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	var failed []error
	for _, child := range slices.Backward(c.children) {
		failed = append(failed, child.kill())
	}
	_, err := killProcessesOf(layout(c.Dir)) // of pods, if the helpers have not ended
	failed = append(failed, err)
	c.release()
	var crash *ChildError
	if cause := context.Cause(c.ctx); errors.As(cause, &crash) {
		failed = append([]error{crash}, failed...)
	}
	c.err = errors.Join(failed...)
}

// REST returns the administrator's configuration for clients.
func (c *ControlPlane) REST() *rest.Config { return rest.CopyConfig(c.rest) }

// Done is closed when a control plane of this process has ended, and everything of it but its directory. It is nil
// for one in the background.
func (c *ControlPlane) Done() <-chan struct{} { return c.done }

// Err tells, after Done, why the control plane ended: a *ChildError, or nil after Stop.
func (c *ControlPlane) Err() error {
	select {
	case <-c.done:
		return c.err
	default:
		return nil
	}
}

// Children returns the processes.
func (c *ControlPlane) Children() []Child {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []Child
	for _, child := range c.children {
		all = append(all, child.Child)
	}
	return all
}

// Stop ends the control plane and removes its directory. It returns the error of a process that had crashed earlier.
func (c *ControlPlane) Stop() error {
	if c.cancel == nil {
		return Stop(context.Background(), Options{Dir: c.Dir, Name: c.Name})
	}
	c.cancel(errStopped)
	<-c.done
	return errors.Join(c.err, os.RemoveAll(c.Dir))
}

func (c *ControlPlane) progress(format string, args ...any) {
	fmt.Fprintf(c.log, "[%5.1fs] %s\n", time.Since(c.started).Seconds(), fmt.Sprintf(format, args...))
}
