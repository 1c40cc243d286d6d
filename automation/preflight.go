package automation

import (
	"context"
	"fmt"

	"k8s.io/client-go/rest"

	"github.com/telekom/controlplane-infrastructure/components/cluster/preflight"
	"github.com/telekom/controlplane-infrastructure/stacks"
	"github.com/telekom/controlplane-infrastructure/stacks/config"
)

// Preflight looks whether the cluster has what the stack needs of it, and changes nothing. Up does the same before it
// begins, and refuses to when a finding is an error. A cluster that cannot be reached is an error of its own.
func Preflight(ctx context.Context, o Options) ([]preflight.Finding, error) {
	o, err := o.complete()
	if err != nil {
		return nil, err
	}
	cfg, err := loadConfig(o)
	if err != nil {
		return nil, err
	}
	if cfg.Cluster.Kind == config.ClusterEKS {
		return nil, usageErrorf("cluster.kind: stack %s makes its cluster (%s); only one that exists can be looked at (%s)",
			o.Stack, config.ClusterEKS, config.ClusterExisting)
	}
	target, err := o.target(ctx, cfg)
	if err != nil {
		return nil, err
	}
	needs := stacks.ClusterNeeds(cfg)
	if o.Local {
		// There is no network that could enforce policies, and AWS is simulated.
		needs = needs.Simulated()
	}
	return preflight.Check(ctx, target, needs)
}

// target is how to reach the cluster that a run would work on.
func (o Options) target(ctx context.Context, cfg *config.Config) (*rest.Config, error) {
	if !o.Local {
		return o.stackTarget(ctx, cfg)
	}
	found, err := o.runningLocal(ctx)
	if err != nil {
		return nil, err
	}
	return localServer(found)
}

// stackTarget is the cluster that the stack names. The engine is needed for a kubeconfig that it has encrypted only.
func (o Options) stackTarget(ctx context.Context, cfg *config.Config) (*rest.Config, error) {
	s := &session{Options: o, cfg: cfg, place: &place{}}
	if cfg.Cluster.KubeconfigContent.IsSet() {
		var err error
		if s, err = open(ctx, o); err != nil {
			return nil, err
		}
		defer s.close()
	}
	target, err := s.restConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("cluster of stack %s: %w", o.Stack, err)
	}
	return target, nil
}
