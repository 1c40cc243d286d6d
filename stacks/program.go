package stacks

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"k8s.io/client-go/rest"

	"github.com/telekom/controlplane-infrastructure/components/cluster/preflight"
	"github.com/telekom/controlplane-infrastructure/internal/artifact"
	"github.com/telekom/controlplane-infrastructure/stacks/config"
)

// Options say where a program finds what is not configuration.
type Options struct {
	// Root is the project's directory, with artifacts/go.mod in it; empty: found from the working directory upwards.
	Root string
	// Cluster is how to reach a cluster that is there already. An update looks at it before it creates anything. Nil: nobody
	// looks.
	Cluster func(root string, cfg config.Cluster) (*rest.Config, error)
	// Simulated says that the cluster has neither a network of pods nor an account in AWS that could be looked at.
	Simulated bool
	// Made is called with the kubeconfig of a cluster that an update makes, or has made before; nil: nobody wants it.
	Made func(kubeconfig string)
}

// Program is the stack as `pulumi up` runs it.
func Program(ctx *pulumi.Context) error { return New(Options{Cluster: Existing})(ctx) }

// Existing is how to reach the cluster of the configuration, by the rules of the Kubernetes plugin.
func Existing(root string, cfg config.Cluster) (*rest.Config, error) {
	k := preflight.Kubeconfig{Content: cfg.KubeconfigContent.Reveal(), Context: cfg.Context}
	if cfg.Kubeconfig != "" {
		k.Path = Path(root, cfg.Kubeconfig)
	}
	return k.Load()
}

// New is the stack as a function of its configuration.
func New(o Options) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		cfg, err := readConfig(ctx)
		if err != nil {
			return err
		}
		root := o.Root
		if root == "" {
			if root, err = artifact.FindRoot(); err != nil {
				return err
			}
		}
		store, err := artifact.Open(root)
		if err != nil {
			return err
		}
		return (&stack{
			ctx: ctx, name: ctx.Stack(), cfg: cfg, options: o, store: store, root: root, versions: pulumi.StringMap{},
		}).build()
	}
}

// readConfig is the stack's configuration as the engine hands it to the program, with secrets in the clear.
func readConfig(ctx *pulumi.Context) (*config.Config, error) {
	values := map[string]string{}
	keys, err := config.ProjectKeys()
	if err != nil {
		return nil, err
	}
	for _, key := range keys {
		name := config.Namespace + ":" + key.Name
		if value, found := ctx.GetConfig(name); found {
			values[name] = value
		}
	}
	// A program that the engine has started finds every key here, also those that nobody knows.
	if all := os.Getenv("PULUMI_CONFIG"); all != "" {
		if err := json.Unmarshal([]byte(all), &values); err != nil {
			return nil, fmt.Errorf("read the stack's configuration: %w", err)
		}
	}
	cfg, err := config.ParseJSON(values)
	if err != nil {
		return nil, fmt.Errorf("stack %s is not valid:\n%w", ctx.Stack(), err)
	}
	cfg.SetStack(ctx.Stack())
	return cfg, nil
}
