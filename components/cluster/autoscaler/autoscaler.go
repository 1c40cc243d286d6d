package autoscaler

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
)

// Type is the component's type token.
const Type = "controlplane:cluster:Autoscaler"

// Autoscaler is the cluster autoscaler.
type Autoscaler struct {
	pulumi.ResourceState
	manifest.Members
	args Args
}

// New provisions the component, once there are nodes and the IAM role of the pods.
func New(ctx *pulumi.Context, name string, args Args, opts ...pulumi.ResourceOption) (*Autoscaler, error) {
	if err := args.Check(); err != nil {
		return nil, err
	}
	a := &Autoscaler{args: args}
	if err := ctx.RegisterComponentResource(Type, name, a, opts...); err != nil {
		return nil, fmt.Errorf("register %s: %w", name, err)
	}
	reg := args.Registrar(ctx, a)
	namespace, err := reg.Step(func() (manifest.Set, error) {
		return manifest.Typed(args.Namespaces.Objects(Namespace, nil)...)
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if _, err := reg.Step(args.objects, namespace); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return a, ctx.RegisterResourceOutputs(a, pulumi.Map{})
}

// Monitor declares the metrics to Prometheus. That comes later than all else: the cluster has no resource definitions
// when the first nodes are needed.
func (a *Autoscaler) Monitor(ctx *pulumi.Context, opts ...pulumi.ResourceOption) error {
	set, err := manifest.Typed(monitor())
	if err != nil {
		return err
	}
	_, err = a.args.Registrar(ctx, a).Register(set, append(opts, a.Ready())...)
	return err
}

func (a Args) objects() (manifest.Set, error) {
	set, err := manifest.Typed(append(a.permissions(), a.deployment())...)
	if err != nil {
		return manifest.Set{}, err
	}
	return a.Workloads(set, a.Classes.Resources(workload.Operator))
}
