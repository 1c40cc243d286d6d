package monitoring_test

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/telekom/controlplane-infrastructure/components/monitoring"
	"github.com/telekom/controlplane-infrastructure/components/monitoring/names"
	"github.com/telekom/controlplane-infrastructure/components/monitoring/prometheus"
	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/internal/flow/flowtest"
	"github.com/telekom/controlplane-infrastructure/internal/namespace"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
	"github.com/telekom/controlplane-infrastructure/tests/flows"
	"github.com/telekom/controlplane-infrastructure/tests/process"
	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

func rendered(t *testing.T, availability workload.Availability, change func(*monitoring.Args)) *process.Objects {
	t.Helper()
	args := arguments()
	if change != nil {
		change(&args)
	}
	return process.Render(t, verify.NewCA(t, "platform"), program(availability, args))
}

// single is everything once.
func single(a *monitoring.Args) { a.Prometheus.Replicas, a.Alertmanager.Replicas = 1, 1 }

// The operator reads Secrets where its servers are, and nowhere else.
func TestOperatorReadsSecretsOfItsNamespaceOnly(t *testing.T) {
	o := rendered(t, workload.Single, single)
	for _, rule := range process.Decode[rbacv1.ClusterRole](t, o, "ClusterRole", names.Operator).Rules {
		assert.NotContains(t, rule.Resources, "secrets")
		assert.NotContains(t, rule.Verbs, "*")
		assert.NotContains(t, rule.Resources, "statefulsets")
	}
	bound := func(o *process.Objects) []string {
		var all []string
		for _, binding := range o.Of("RoleBinding") {
			if binding.GetName() == names.Operator+"-secrets" {
				all = append(all, binding.GetNamespace())
			}
		}
		return all
	}
	assert.Empty(t, bound(o))
	o = rendered(t, workload.Single, func(a *monitoring.Args) {
		single(a)
		a.Operator.SecretNamespaces = []string{"team"}
	})
	assert.Equal(t, []string{"team"}, bound(o))
}

func TestWebhookSurvivesTheLossOfAZone(t *testing.T) {
	webhook := func(availability workload.Availability) appsv1.DeploymentSpec {
		return process.Decode[appsv1.Deployment](t, rendered(t, availability, single), "Deployment", names.Webhook).Spec
	}
	assert.EqualValues(t, 1, *webhook(workload.Single).Replicas)
	zonal := webhook(workload.Zonal)
	assert.EqualValues(t, 2, *zonal.Replicas)
	assert.NotEmpty(t, zonal.Template.Spec.TopologySpreadConstraints)
	assert.False(t, *zonal.Template.Spec.AutomountServiceAccountToken, "it asks the API server nothing")
}

// A webhook that nobody answers must not keep anyone from removing anything.
func TestWebhookIsNotAskedAboutDeletions(t *testing.T) {
	o := rendered(t, workload.Single, single)
	for _, webhook := range process.Decode[admissionv1.ValidatingWebhookConfiguration](t, o, "ValidatingWebhookConfiguration", names.Webhook).Webhooks {
		for _, rule := range webhook.Rules {
			assert.Equal(t, []admissionv1.OperationType{admissionv1.Create, admissionv1.Update}, rule.Operations, webhook.Name)
		}
	}
	assert.Empty(t, o.Names("MutatingWebhookConfiguration"), "what is applied stays as it is")
}

func TestNamespaceMayScrape(t *testing.T) {
	labels := rendered(t, workload.Single, single).Find("Namespace", names.Namespace).GetLabels()
	assert.Equal(t, "enabled", labels["metrics"], "network policies of the Control Plane go by it")
	assert.Equal(t, "restricted", labels["pod-security.kubernetes.io/enforce"])
}

// Without Grafana nothing of it is left, and nobody is let in for it.
func TestGrafanaIsOptional(t *testing.T) {
	o := rendered(t, workload.Single, func(a *monitoring.Args) {
		single(a)
		a.Grafana = nil
	})
	for _, object := range o.All {
		if object.GetKind() != "PrometheusRule" {
			assert.NotContains(t, object.GetName(), "grafana", object.GetKind())
		}
	}
}

func TestGrafanaShowsDashboardsOfTheDataThatIsThere(t *testing.T) {
	o := rendered(t, workload.Single, single)
	var found bool
	for _, config := range o.Of("ConfigMap") {
		for file, text := range o.Data("ConfigMap", config.GetName()) {
			found = found || file == "platform-overview.json" && strings.Contains(text, "platform:component_up")
		}
	}
	assert.True(t, found, "the overview is there")
}

func TestResults(t *testing.T) {
	process.Render(t, verify.NewCA(t, "platform"), func(ctx *pulumi.Context) error {
		args := arguments()
		common, err := process.Common(ctx, workload.Zonal)
		if err != nil {
			return err
		}
		args.Common = common
		m, err := monitoring.New(ctx, "monitoring", args)
		if err != nil {
			return err
		}
		assert.Equal(t, "https://prometheus.monitoring.svc:9090", m.PrometheusURL)
		assert.Equal(t, "https://alertmanager.monitoring.svc:9093", m.AlertmanagerURL)
		assert.Equal(t, "https://localhost:3000", m.GrafanaURL, "without a host name, through a forwarded port")
		assert.Equal(t, "admin", m.GrafanaUser)
		assert.NotEmpty(t, m.Ground)
		return nil
	})
}

// Every mistake of every part is reported at once, by its field.
func TestMistakesAreReportedTogether(t *testing.T) {
	args := arguments()
	args.Operator.Image, args.Prometheus.Replicas, args.Exporters.KubeStateMetrics.Image = "", 5, ""
	err := args.Check()
	require.Error(t, err)
	for _, message := range []string{
		"Operator.Image is missing", "Prometheus: Replicas is 5", "Exporters: KubeStateMetrics.Image is missing",
	} {
		assert.ErrorContains(t, err, message)
	}
}

// Whoever has to be reached is, with all that there can be. What the operator makes at run time is said here.
func TestFlows(t *testing.T) {
	surroundings := flows.Surroundings
	surroundings.Monitoring = prometheus.Pods
	var declared []flow.Flow
	objects := process.Render(t, verify.NewCA(t, "platform"), func(ctx *pulumi.Context) error {
		args := arguments()
		var err error
		if args.Common, err = process.Common(ctx, workload.Zonal); err != nil {
			return err
		}
		args.Surroundings = surroundings
		declared = args.Flows()
		args.Namespaces = namespace.Plan{Flows: flowtest.Table(declared...)}
		_, err = monitoring.New(ctx, "monitoring", args)
		return err
	})
	made := func(component string, token bool, ports map[string]int) flows.Pods {
		labels := names.Selector(component)
		labels["app.kubernetes.io/instance"], labels[component] = names.Instance, names.Instance
		return flows.Pods{Namespace: names.Namespace, Name: component + "-platform", Labels: labels, Ports: ports, Token: token}
	}
	problems, err := flows.Problems(declared, surroundings, flows.Rendered(objects),
		made(names.Prometheus, true, map[string]int{"https": 9090, "reloader-web": 8080}),
		made(names.Alertmanager, false, map[string]int{"https": 9093, "reloader-web": 8080, "mesh-tcp": 9094}),
	)
	require.NoError(t, err)
	assert.Empty(t, problems)
}
