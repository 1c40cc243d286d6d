package automation

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/client-go/rest"

	"github.com/telekom/controlplane-infrastructure/components/cluster/preflight"
	"github.com/telekom/controlplane-infrastructure/internal/handover"
	"github.com/telekom/controlplane-infrastructure/stacks/config"
)

// HandoverOptions say which Control Plane is to be installed, and where its overlay, its Zone and its contract are written.
type HandoverOptions = handover.Options

// Handover writes, from the outputs of the stack alone, what installs the Control Plane on it: all of it or nothing. It
// returns the contract, which holds no secret value; the files of the Zone do.
func Handover(ctx context.Context, o Options, h HandoverOptions) (*handover.Contract, error) {
	values, err := plainValues(ctx, o)
	if err != nil {
		return nil, err
	}
	h.Local = o.Local
	contract, err := handover.Write(o.Stack, values, h)
	var invalid *handover.Invalid
	if errors.As(err, &invalid) {
		return nil, &UsageError{Err: err}
	}
	return contract, err
}

// CheckHandover looks whether everything that the Control Plane wants is in the stack's cluster before its manifests are
// applied, and changes nothing. A cluster that cannot be reached is an error.
func CheckHandover(ctx context.Context, o Options) ([]handover.Check, error) {
	o, err := o.complete()
	if err != nil {
		return nil, err
	}
	cfg, err := loadConfig(o)
	if err != nil {
		return nil, err
	}
	values, err := plainValues(ctx, o)
	if err != nil {
		return nil, err
	}
	target, err := o.handoverTarget(ctx, cfg, values)
	if err != nil {
		return nil, err
	}
	// The rest of what preflight knows concerns the platform, which is there by now.
	needs := preflight.Needs{StorageClasses: []string{""}, NetworkPolicies: !o.Local}
	findings, err := preflight.Check(ctx, target, needs)
	if err != nil {
		return nil, err
	}
	checks, err := handover.Inspect(ctx, target, values)
	if err != nil {
		return nil, fmt.Errorf("stack %s: %w", o.Stack, err)
	}
	if o.Local {
		findings = append(findings, preflight.Finding{
			Check: "network policies", Severity: preflight.Warning, Found: "a local control plane has no network of pods",
			Remedy: "Look at the cluster that the stack is meant for.",
		})
	}
	return append(clusterChecks(findings), checks...), nil
}

// plainValues are the stack's outputs with secret values in the clear.
func plainValues(ctx context.Context, o Options) (map[string]any, error) {
	outputs, err := Outputs(ctx, o)
	if err != nil {
		return nil, err
	}
	if len(outputs) == 0 {
		return nil, fmt.Errorf("stack %s has no outputs: run up first", o.Stack)
	}
	values := make(map[string]any, len(outputs))
	for name, output := range outputs {
		values[name] = output.Value
	}
	return values, nil
}

// handoverTarget is the cluster that the stack names, or the one that it has made.
func (o Options) handoverTarget(ctx context.Context, cfg *config.Config, values map[string]any) (*rest.Config, error) {
	kubeconfig, _ := values["kubeconfig"].(string)
	if o.Local || cfg.Cluster.Kind != config.ClusterEKS {
		return o.target(ctx, cfg)
	}
	if kubeconfig == "" {
		return nil, fmt.Errorf("stack %s: %w", o.Stack, &handover.Missing{Names: []string{"kubeconfig"}})
	}
	return preflight.Kubeconfig{Content: kubeconfig}.Load()
}

// clusterChecks are what preflight knows of a cluster, as preconditions of the Control Plane. A finding of one of them says
// what is wrong, or cannot be seen; none that it holds.
func clusterChecks(findings []preflight.Finding) []handover.Check {
	checks := []struct {
		finding string
		check   handover.Check
		// warning is what a finding means that is no error.
		warning handover.Status
	}{
		{"version", handover.Check{Name: "kubernetes-version", What: fmt.Sprintf("Kubernetes is 1.%d or newer", preflight.OldestMinor)}, handover.OK},
		{"network policies", handover.Check{Name: "network-policies", What: "a network plugin enforces NetworkPolicies"}, handover.Unknown},
		{"storage class", handover.Check{Name: "storage-class", What: "there is one default StorageClass"}, handover.OK},
		{"ingress class", handover.Check{Name: "ingress-class", What: "there is one default IngressClass"}, handover.Failed},
	}
	all := make([]handover.Check, len(checks))
	for i, c := range checks {
		c.check.Status = handover.OK
		for _, f := range findings {
			if f.Check != c.finding {
				continue
			}
			c.check.Status, c.check.Detail, c.check.Mend = c.warning, f.Found, f.Remedy
			if f.Severity == preflight.Error {
				c.check.Status = handover.Failed
				break
			}
		}
		all[i] = c.check
	}
	return all
}
