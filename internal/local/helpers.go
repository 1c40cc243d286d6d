package local

import (
	"context"

	"github.com/telekom/controlplane-infrastructure/internal/local/loadbalancer"
	"github.com/telekom/controlplane-infrastructure/internal/local/node"
	"github.com/telekom/controlplane-infrastructure/internal/local/volumes"
)

// realImages are the image repositories whose pods run as real processes.
func realImages() []string { return node.Images() }

// startHelpers starts the parts of the control plane that run in its own process.
func (c *ControlPlane) startHelpers(ctx context.Context, _ layout) error {
	if err := volumes.Run(ctx, c.REST()); err != nil {
		return err
	}
	return loadbalancer.Run(ctx, c.REST())
}

// waitHelpers returns when the helpers have ended after the end of their context.
func (c *ControlPlane) waitHelpers() {}
