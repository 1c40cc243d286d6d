package monitoring

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/telekom/controlplane-infrastructure/components/monitoring/grafana"
	"github.com/telekom/controlplane-infrastructure/components/monitoring/names"
	"github.com/telekom/controlplane-infrastructure/components/monitoring/rules"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
)

// Type is the component's type token.
const Type = "controlplane:monitoring:Monitoring"

// ScrapeLabel on a namespace, with the value ScrapeLabelValue, is how network policies of others know who may read their
// metrics.
const ScrapeLabel, ScrapeLabelValue = "metrics", "enabled"

// Monitoring is a running monitoring.
type Monitoring struct {
	pulumi.ResourceState
	manifest.Members
	// Namespace is where it runs.
	Namespace string
	// PrometheusURL and AlertmanagerURL are addresses inside the cluster, with certificates that the trust bundle verifies.
	PrometheusURL, AlertmanagerURL string
	// GrafanaURL is where people find Grafana; empty: there is none.
	GrafanaURL string
	// GrafanaUser and GrafanaPassword are its administrator, GrafanaSecret the Secret that has both.
	GrafanaUser, GrafanaSecret string
	GrafanaPassword            pulumi.StringOutput
	// Ground is what there is before the first pod starts, the namespace first of all.
	Ground []pulumi.Resource
}

// builder carries what the steps of New share.
type builder struct {
	args    Args
	reg     *manifest.Registrar
	secrets grafana.Secrets
}

// New provisions the component.
func New(ctx *pulumi.Context, resourceName string, args Args, opts ...pulumi.ResourceOption) (*Monitoring, error) {
	if err := args.Check(); err != nil {
		return nil, fmt.Errorf("%s: %w", resourceName, err)
	}
	args, err := args.shared()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", resourceName, err)
	}
	m := &Monitoring{
		Namespace:       names.Namespace,
		PrometheusURL:   names.URL(names.Prometheus, names.PrometheusPort),
		AlertmanagerURL: names.URL(names.Alertmanager, names.AlertmanagerPort),
	}
	if err := ctx.RegisterComponentResource(Type, resourceName, m, opts...); err != nil {
		return nil, fmt.Errorf("register %s: %w", resourceName, err)
	}
	b := &builder{args: args, reg: args.Registrar(ctx, m)}
	if g := args.Grafana; g != nil {
		if b.secrets, err = g.Secrets(ctx, m, resourceName+"-grafana"); err != nil {
			return nil, fmt.Errorf("%s: %w", resourceName, err)
		}
		m.GrafanaURL, m.GrafanaUser, m.GrafanaSecret = g.URL(), g.AdminUser, grafana.AdminSecret
		m.GrafanaPassword = b.secrets.AdminPassword
	}
	ground, err := b.build()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", resourceName, err)
	}
	m.Ground = ground.Resources()
	return m, ctx.RegisterResourceOutputs(m, m.outputs())
}

func (m *Monitoring) outputs() pulumi.Map {
	outputs := pulumi.Map{
		"namespace": pulumi.String(m.Namespace), "prometheusUrl": pulumi.String(m.PrometheusURL),
		"alertmanagerUrl": pulumi.String(m.AlertmanagerURL),
	}
	if m.GrafanaURL != "" {
		outputs["grafanaUrl"], outputs["grafanaUser"] = pulumi.String(m.GrafanaURL), pulumi.String(m.GrafanaUser)
		outputs["grafanaPassword"], outputs["grafanaSecret"] = m.GrafanaPassword, pulumi.String(m.GrafanaSecret)
	}
	return outputs
}

// build registers the parts in the order in which each can work, and returns the first.
func (b *builder) build() (*manifest.Group, error) {
	ground, err := b.register("namespace", b.ground)
	if err != nil {
		return nil, err
	}
	operator, err := b.register("operator", b.args.operator, ground.Ready())
	if err != nil {
		return nil, err
	}
	alertmanager, err := b.register("alertmanager", b.args.Alertmanager.Set, operator.Ready())
	if err != nil {
		return nil, err
	}
	// Nobody is to be woken because what is watched has not been there yet.
	if _, err := b.register("rules", b.rules, append([]pulumi.ResourceOption{operator.Ready()}, b.args.RulesNeed...)...); err != nil {
		return nil, err
	}
	if _, err := b.register("prometheus", b.args.Prometheus.Set, alertmanager.Ready()); err != nil {
		return nil, err
	}
	if _, err := b.register("exporters", b.args.Exporters.Set, operator.Ready()); err != nil {
		return nil, err
	}
	if b.args.Grafana != nil { // it starts without its data sources
		_, err = b.register("grafana", b.grafana, ground.Ready())
	}
	return ground, err
}

// grafana is Grafana, which starts once what it needs is ready.
func (b *builder) grafana() (manifest.Set, error) {
	set, err := b.args.Grafana.Set(b.secrets)
	if err != nil {
		return set, err
	}
	servers := set.Find("Deployment", names.Grafana)
	servers.Options = append(servers.Options, b.args.GrafanaNeeds...)
	return set, nil
}

// register adds the objects that a step makes, with options for all of them: what they wait for.
func (b *builder) register(
	what string, step func() (manifest.Set, error), opts ...pulumi.ResourceOption,
) (*manifest.Group, error) {
	set, err := step()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	if set, err = b.args.Workloads(set, b.args.Classes.Resources(workload.Operator)); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	group, err := b.reg.Register(set, opts...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return group, nil
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

func (b *builder) rules() (manifest.Set, error) {
	return manifest.Typed(rules.Objects(b.args.Rules)...)
}
