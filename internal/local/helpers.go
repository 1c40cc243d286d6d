package local

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/telekom/controlplane-infrastructure/internal/local/loadbalancer"
	"github.com/telekom/controlplane-infrastructure/internal/local/node"
	"github.com/telekom/controlplane-infrastructure/internal/local/proxy"
	"github.com/telekom/controlplane-infrastructure/internal/local/simulated"
	"github.com/telekom/controlplane-infrastructure/internal/local/volumes"
)

// realImages are the image repositories whose pods run as real processes.
func realImages() []string { return node.Images() }

// helpers are the parts of the control plane that run in its own process.
type helpers struct {
	log   io.Closer
	node  *node.Node
	proxy *proxy.Proxy
}

// startHelpers starts them; they end with ctx, and what they have opened is closed by wait.
func (c *ControlPlane) startHelpers(ctx context.Context, l layout, programs toolset) error {
	log, err := os.OpenFile(l.log("helpers"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("log of the helpers: %w", err)
	}
	c.helpers.log = log
	if err := volumes.Run(ctx, c.REST()); err != nil {
		return err
	}
	if err := loadbalancer.Run(ctx, c.REST()); err != nil {
		return err
	}
	if err := simulated.Run(ctx, c.REST(), log); err != nil {
		return err
	}
	c.helpers.proxy, err = proxy.Listen(proxy.Config{
		REST:          c.REST(),
		EgressSocket:  l.egressSocket(),
		CACert:        l.path("pki", "webhook-ca.crt"),
		CAKey:         l.path("pki", "webhook-ca.key"),
		KubeletCACert: l.path("pki", "ca.crt"),
		KubeletCAKey:  l.path("pki", "ca.key"),
		Log:           log,
	})
	if err != nil {
		return err
	}
	c.Ingress, c.NameServer = c.helpers.proxy.URL(), c.helpers.proxy.NameServer()
	c.helpers.node, err = node.Run(ctx, node.Config{
		REST:      c.REST(),
		Dir:       c.Dir,
		Programs:  programs,
		HTTPProxy: c.helpers.proxy.URL(),
		Env:       environment(l),
		Start:     startTied,
		Log:       log,
	})
	if err != nil {
		return err
	}
	return c.helpers.proxy.Serve(ctx, c.helpers.node)
}

// startTied starts a process that ends with this one at the latest.
func startTied(command *exec.Cmd) error {
	if command.SysProcAttr == nil {
		command.SysProcAttr = childAttributes()
	}
	return onSpawnThread(command.Start)
}

// StartProcess starts a program of the caller's, such as a server that talks to the control plane, that ends with the
// control plane and with this process at the latest.
func (c *ControlPlane) StartProcess(command *exec.Cmd) error {
	command.Env = append(command.Environ(), dirVariable+"="+c.Dir)
	return startTied(command)
}

// wait returns when the helpers have ended, or do not seem to, after the end of their context.
func (h *helpers) wait() {
	if h.proxy != nil {
		h.proxy.Close()
	}
	if h.node != nil {
		select {
		case <-h.node.Done():
		case <-time.After(10 * time.Second): // what is left is killed
		}
	}
	if h.log != nil {
		h.log.Close()
	}
}

// Pods describes the pods that run as real processes. It knows none of a control plane in the background.
func (c *ControlPlane) Pods() []node.Pod {
	if c.helpers.node == nil {
		return nil
	}
	return c.helpers.node.Pods()
}
