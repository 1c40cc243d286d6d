package automation

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"k8s.io/client-go/rest"

	"github.com/telekom/controlplane-infrastructure/components/cluster/preflight"
	"github.com/telekom/controlplane-infrastructure/components/identity"
	"github.com/telekom/controlplane-infrastructure/internal/portforward"
	"github.com/telekom/controlplane-infrastructure/stacks"
	"github.com/telekom/controlplane-infrastructure/stacks/config"
)

// forward lets the run reach Keycloak's admin API where the stack says that it listens on this machine: on a port that
// leads through the Kubernetes API to its pods. They may come up during the run; nothing is asked for before the first
// connection. A preview needs none of it, and neither does a local control plane, whose realms are simulated.
func (s *session) forward(ctx context.Context) error {
	port := s.cfg.Identity.AdminAPI.ForwardedPort()
	if port == 0 || s.Local || s.forwarded {
		return nil
	}
	// What is under way when a run is cancelled is still finished, so that the state says what there is.
	ctx = context.WithoutCancel(ctx)
	forwarder, err := portforward.Listen(ctx, portforward.Options{
		Config: func() (*rest.Config, error) { return s.restConfig(ctx) }, Target: adminServers(s.cfg.Identity),
		LocalPort: port, Log: s.Progress,
	})
	if errors.Is(err, syscall.EADDRINUSE) {
		if locked := s.refuseLocked(ctx); locked != nil {
			return locked // whoever works on the stack has the port as well
		}
	}
	if err != nil {
		return fmt.Errorf("forward a port to Keycloak: %w", err)
	}
	s.forwarded = true
	s.cleanup = append(s.cleanup, func() { _ = forwarder.Close() })
	return nil
}

// adminServers are Keycloak's pods, at the port that speaks as the URL of their admin API says.
func adminServers(cfg config.Identity) portforward.Target {
	target := portforward.Target{Namespace: identity.Namespace, Selector: identity.Selector, Port: identity.Port}
	if strings.HasPrefix(cfg.AdminAPI.URL, "http:") {
		target.Port = identity.PlainPort
	}
	return target
}

// restConfig is how to reach the stack's cluster, by the same rules as the Kubernetes plugin's.
func (s *session) restConfig(ctx context.Context) (*rest.Config, error) {
	c := s.cfg.Cluster
	switch {
	case c.Kind == config.ClusterEKS:
		return s.madeCluster(ctx)
	case c.KubeconfigContent.IsSet():
		// The stack's file has it encrypted; the engine has the key.
		value, err := s.stack.GetConfigWithOptions(ctx, config.Namespace+":cluster.kubeconfigContent", &auto.ConfigOptions{Path: true})
		if err != nil {
			return nil, fmt.Errorf("read cluster.kubeconfigContent: %w", shorten(err))
		}
		c.KubeconfigContent = config.Secret(value.Value)
	}
	return stacks.Existing(s.Project, c)
}

// madeCluster is how to reach a cluster that the stack makes: in this run, or in one before.
func (s *session) madeCluster(ctx context.Context) (*rest.Config, error) {
	kubeconfig := ""
	if k := s.kubeconfig.Load(); k != nil {
		kubeconfig = *k
	} else {
		outputs, err := s.stack.Outputs(ctx)
		if err != nil {
			return nil, fmt.Errorf("read the kubeconfig of stack %s: %w", s.Stack, shorten(err))
		}
		kubeconfig, _ = outputs["kubeconfig"].Value.(string)
	}
	if kubeconfig == "" {
		return nil, fmt.Errorf("the cluster of stack %s is not there yet", s.Stack)
	}
	return preflight.Kubeconfig{Content: kubeconfig}.Load()
}
