package portforward

import (
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"

	"k8s.io/streaming/pkg/httpstream"
)

// verdict is how long, after both sides have said all, the kubelet may take to say whether something failed.
const verdict = 3 * time.Second

// streams are one connection inside a tunnel.
type streams struct {
	tunnel        *tunnel
	data, failure httpstream.Stream
	failed        func() // keeps new connections off the tunnel
}

// carry copies between a local connection and the pod until both sides have ended, or one is gone. Either side may end
// its half first: what the other still sends arrives.
func (s *streams) carry(ctx context.Context, local *net.TCPConn) error {
	sent, received, failure := make(chan error, 1), make(chan error, 1), make(chan string, 1)
	answer := &answer{stream: s.data}
	go func() {
		_, err := io.Copy(s.data, local)
		_ = s.data.Close() // ends our half; that the other side has gone shows elsewhere
		sent <- err
	}()
	go func() {
		_, err := io.Copy(local, answer)
		received <- err
	}()
	go func() {
		message := make([]byte, 4096)
		n, _ := s.failure.Read(message) // the kubelet writes it at once; that there is none is no error
		failure <- string(message[:n])
	}()
	copies := &copies{sent: sent, received: received, failure: failure}
	err := copies.follow(ctx, s.tunnel, local)
	switch {
	case err == nil:
	case answer.begun.Load() && !s.tunnel.broken():
		err = nil // a pod that answered works; how a connection to it ends is the business of both ends
	case ctx.Err() == nil:
		s.failed()
	}
	_ = local.Close()
	s.close()
	copies.wait()
	return err
}

// answer is what comes from the pod.
type answer struct {
	stream httpstream.Stream
	begun  atomic.Bool
}

func (a *answer) Read(p []byte) (int, error) {
	n, err := a.stream.Read(p)
	if n > 0 {
		a.begun.Store(true)
	}
	return n, err
}

// close gives both streams back. A reset ends what still reads from them.
func (s *streams) close() {
	_ = s.data.Reset()
	_ = s.failure.Reset()
	s.tunnel.conn.RemoveStreams(s.data, s.failure)
	s.tunnel.release()
}

// copies are the three halves of a connection that are copied at the same time; a channel is nil once it has spoken.
type copies struct {
	sent, received <-chan error
	failure        <-chan string
}

// follow returns when a connection is over. An error means that the tunnel or the pod failed; that a client went away
// is none.
func (c *copies) follow(ctx context.Context, t *tunnel, local *net.TCPConn) error {
	for c.sent != nil || c.received != nil {
		select {
		case err := <-c.sent:
			c.sent = nil
			if err != nil { // the client was cut off, or the tunnel
				if err := c.judge(ctx, t); err != nil || !t.broken() {
					return err
				}
				return t.brokenError()
			}
		case err := <-c.received:
			c.received = nil
			if err != nil {
				return nil // the client takes no more
			}
			if t.broken() {
				return t.brokenError()
			}
			if c.failure == nil {
				return nil // the pod has closed the connection
			}
			_ = local.CloseWrite()
		case message := <-c.failure:
			c.failure = nil
			if message != "" {
				return errors.New(message)
			}
			if c.received == nil {
				return nil
			}
		case <-t.conn.CloseChan():
			return t.brokenError()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	_ = local.Close()
	return c.judge(ctx, t)
}

// judge waits a moment for what the kubelet has to say about a connection that is over.
func (c *copies) judge(ctx context.Context, t *tunnel) error {
	if c.failure == nil {
		return nil
	}
	timer := time.NewTimer(verdict)
	defer timer.Stop()
	select {
	case message := <-c.failure:
		c.failure = nil
		if message != "" {
			return errors.New(message)
		}
	case <-t.conn.CloseChan():
	case <-timer.C:
	case <-ctx.Done():
	}
	return nil
}

// wait returns when nothing is copied any more.
func (c *copies) wait() {
	if c.sent != nil {
		<-c.sent
	}
	if c.received != nil {
		<-c.received
	}
	if c.failure != nil {
		<-c.failure
	}
}
