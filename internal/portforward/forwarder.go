package portforward

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"syscall"
	"time"

	"k8s.io/client-go/rest"
)

// Target names the pods that connections are carried to.
type Target struct {
	// Namespace of the pods.
	Namespace string
	// Selector is the label selector that the pods match, for example "app.kubernetes.io/name=iris".
	Selector string
	// Port of the pods, as a number.
	Port int
}

// Options of Listen.
type Options struct {
	// Config returns how to reach the cluster. It is asked when the first connection arrives, not before, and again
	// after the API server could not be reached or refused the credentials.
	Config func() (*rest.Config, error)
	// Target names the pods.
	Target Target
	// LocalPort is listened on at 127.0.0.1 and, where this machine has it, at ::1. 0 takes a free port.
	LocalPort int
	// Log receives a line when a connection could not be carried; nothing else is written. Nil discards.
	Log io.Writer
}

const (
	// patience is how long a connection waits for a pod that is ready.
	patience = time.Minute
	// interval lies between two looks for a pod that is ready.
	interval = 500 * time.Millisecond
	// farewell is how long Close waits for connections to end. They end at once, unless the cluster is silent.
	farewell = 5 * time.Second
)

// Forwarder listens on the loopback interface, and carries each connection to a pod.
type Forwarder struct {
	listeners []net.Listener
	port      int
	target    Target
	pods      *pods
	cancel    context.CancelFunc
	running   sync.WaitGroup
	patience  time.Duration

	mu   sync.Mutex
	log  io.Writer
	said string // what was logged last, so that it is not repeated for every connection
}

// Listen binds the local port and forwards in the background until the context ends or Close is called. It doesn't talk
// to the cluster yet. A port that is in use is an error that says which configuration key selects another.
func Listen(ctx context.Context, options Options) (*Forwarder, error) {
	return listen(ctx, options, patience)
}

func listen(ctx context.Context, options Options, patience time.Duration) (*Forwarder, error) {
	listeners, port, err := bind(options.LocalPort)
	if err != nil {
		return nil, err
	}
	if options.Log == nil {
		options.Log = io.Discard
	}
	ctx, cancel := context.WithCancel(ctx)
	f := &Forwarder{
		listeners: listeners,
		port:      port,
		target:    options.Target,
		pods:      &pods{config: options.Config, target: options.Target},
		cancel:    cancel,
		patience:  patience,
		log:       options.Log,
	}
	for _, listener := range listeners {
		f.running.Go(func() { f.accept(ctx, listener) })
	}
	f.running.Go(func() {
		<-ctx.Done()
		for _, listener := range f.listeners {
			_ = listener.Close() // so that accept returns; nobody is interested in how it ended
		}
	})
	return f, nil
}

// Port returns the local port.
func (f *Forwarder) Port() int { return f.port }

// Close stops listening, ends all connections and the tunnel, and returns when everything has ended. It may be called
// more than once.
func (f *Forwarder) Close() error {
	f.cancel()
	ended := make(chan struct{})
	go func() {
		f.running.Wait()
		f.pods.close()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-time.After(farewell):
		return fmt.Errorf("connections to port %d of localhost did not end within %s, because the cluster does not answer", f.port, farewell)
	}
}

// bind listens on both loopback addresses. A client that resolves "localhost" may try either first, so a port that
// somebody else serves on one of them is not ours on the other.
func bind(port int) ([]net.Listener, int, error) {
	const attempts = 10 // for port 0: the port that is free at one address may be taken at the other
	var err error
	for range attempts {
		var listeners []net.Listener
		var bound int
		if listeners, bound, err = bindOnce(port); err == nil {
			return listeners, bound, nil
		}
		if port != 0 {
			break
		}
	}
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, 0, fmt.Errorf("port %d of localhost is in use, and the admin API is forwarded to it: end what uses it, or choose another port by identity.adminApi.url: %w", port, err)
	}
	return nil, 0, fmt.Errorf("forward port %d of localhost (identity.adminApi.url): %w", port, err)
}

func bindOnce(port int) ([]net.Listener, int, error) {
	four, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return nil, 0, err
	}
	bound := four.Addr().(*net.TCPAddr).Port
	six, err := net.Listen("tcp6", net.JoinHostPort("::1", strconv.Itoa(bound)))
	switch {
	case err == nil:
		return []net.Listener{four, six}, bound, nil
	case errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT):
		return []net.Listener{four}, bound, nil // a machine without IPv6
	default:
		return nil, 0, errors.Join(err, four.Close())
	}
}

func (f *Forwarder) accept(ctx context.Context, listener net.Listener) {
	for {
		conn, err := listener.Accept()
		switch {
		case err == nil:
			f.running.Go(func() { f.serve(ctx, conn.(*net.TCPConn)) })
		case ctx.Err() != nil:
			return
		default: // out of file descriptors, for one: it passes
			f.complain(fmt.Errorf("accept on %s: %w", listener.Addr(), err))
			pause(ctx, interval)
		}
	}
}

// serve carries one connection.
func (f *Forwarder) serve(ctx context.Context, conn *net.TCPConn) {
	defer conn.Close()
	streams, err := f.connect(ctx)
	if err == nil {
		err = streams.carry(ctx, conn)
	}
	switch {
	case ctx.Err() != nil: // we are being closed, so that a connection ended is no news
	case err != nil:
		f.complain(fmt.Errorf("port %d of pods %s in namespace %s: %w", f.target.Port, f.target.Selector, f.target.Namespace, err))
	default:
		f.relieve()
	}
}

// connect opens streams to a pod, and waits for one that is ready.
func (f *Forwarder) connect(ctx context.Context) (*streams, error) {
	deadline := time.Now().Add(f.patience)
	for {
		streams, err := f.pods.open(ctx)
		if err == nil {
			return streams, nil
		}
		if final(err) || ctx.Err() != nil {
			return nil, err
		}
		if time.Now().After(deadline) {
			return nil, fmt.Errorf("%w (waited %s)", err, f.patience)
		}
		pause(ctx, interval)
	}
}

// complain logs an error, unless it is what was logged last.
func (f *Forwarder) complain(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if text := err.Error(); text != f.said {
		f.said = text
		fmt.Fprintf(f.log, "port forwarding: %s\n", text)
	}
}

// relieve makes the next error news again.
func (f *Forwarder) relieve() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.said = ""
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
