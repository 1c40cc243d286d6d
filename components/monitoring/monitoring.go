package monitoring

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/telekom/controlplane-infrastructure/components/monitoring/names"
	"github.com/telekom/controlplane-infrastructure/components/monitoring/rules"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
)

// Type is the component's type token.
const Type = "controlplane:monitoring:Monitoring"

// ScrapeLabel on a namespace, with the value ScrapeLabelValue, is how network policies of others know who may read their metrics.
const ScrapeLabel, ScrapeLabelValue = "metrics", "enabled"

// Monitoring is a running monitoring.
type Monitoring struct {
	pulumi.ResourceState
	manifest.Members
	// Namespace is where it runs.
	Namespace string
	// PrometheusURL and AlertmanagerURL are addresses inside the cluster, with certificates that the trust bundle verifies.
	PrometheusURL, AlertmanagerURL string
}

// builder carries what the steps of New share.
type builder struct {
	args Args
	reg  *manifest.Registrar
}

// New provisions the component.
func New(ctx *pulumi.Context, resourceName string, args Args, opts ...pulumi.ResourceOption) (*Monitoring, error) {
	if err := args.Check(); err != nil {
		return nil, fmt.Errorf("%s: %w", resourceName, err)
	}
	args = args.shared()
	m := &Monitoring{
		Namespace:       names.Namespace,
		PrometheusURL:   url(names.Prometheus, names.PrometheusPort),
		AlertmanagerURL: url(names.Alertmanager, names.AlertmanagerPort),
	}
	if err := ctx.RegisterComponentResource(Type, resourceName, m, opts...); err != nil {
		return nil, fmt.Errorf("register %s: %w", resourceName, err)
	}
	b := &builder{args: args, reg: args.Registrar(ctx, m)}
	if err := b.build(); err != nil {
		return nil, fmt.Errorf("%s: %w", resourceName, err)
	}
	return m, ctx.RegisterResourceOutputs(m, pulumi.Map{
		"namespace": pulumi.String(m.Namespace), "prometheusUrl": pulumi.String(m.PrometheusURL),
		"alertmanagerUrl": pulumi.String(m.AlertmanagerURL),
	})
}

// url is the address of a component inside the cluster.
func url(component string, port int) string {
	return fmt.Sprintf("https://%s:%d", names.Host(component), port)
}

// build registers the parts in the order in which each can work.
func (b *builder) build() error {
	ground, err := b.register(b.ground)
	if err != nil {
		return err
	}
	operator, err := b.register(b.args.operator, ground)
	if err != nil {
		return fmt.Errorf("operator: %w", err)
	}
	// Rules come before who evaluates them, so that Prometheus starts once.
	written, err := b.register(func() (manifest.Set, error) { return manifest.Typed(rules.Objects(b.args.Rules)...) }, operator)
	if err != nil {
		return fmt.Errorf("rules: %w", err)
	}
	if _, err := b.register(b.args.Prometheus.Set, operator, written); err != nil {
		return fmt.Errorf("prometheus: %w", err)
	}
	if _, err := b.register(b.args.Exporters.Set, operator); err != nil {
		return fmt.Errorf("exporters: %w", err)
	}
	return nil
}

// register adds the objects that a step makes once what they need is ready.
func (b *builder) register(step func() (manifest.Set, error), after ...*manifest.Group) (*manifest.Group, error) {
	set, err := step()
	if err != nil {
		return nil, err
	}
	if set, err = b.args.Workloads(set, b.args.Classes.Resources(workload.Operator)); err != nil {
		return nil, err
	}
	return b.reg.RegisterAfter(set, after...)
}

// ground is the namespace with its policies. The volumes go with it.
func (b *builder) ground() (manifest.Set, error) {
	labels := b.args.NamespaceLabels()
	labels[ScrapeLabel] = ScrapeLabelValue
	set, err := manifest.Typed(b.args.Namespaces.Objects(names.Namespace, labels)...)
	if err != nil {
		return set, err
	}
	b.args.Stateful(set.Find("Namespace", names.Namespace))
	return set, nil
}
