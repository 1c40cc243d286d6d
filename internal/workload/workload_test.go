package workload_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/telekom/controlplane-infrastructure/internal/artifact/artifacttest"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
)

const deploymentYAML = `apiVersion: apps/v1
kind: Deployment
metadata: {name: demo, namespace: demo, labels: {app: demo}}
spec:
  selector: {matchLabels: {app: demo}}
  template:
    metadata: {labels: {app: demo}}
    spec:
      initContainers: [{name: init, image: init}]
      containers:
      - {name: main, image: main}
      - {name: side, image: side, resources: {limits: {memory: 64Mi}}}
      volumes: [{name: tmp, emptyDir: {}}]
`

func parse(t *testing.T, yaml string) manifest.Set {
	t.Helper()
	set, err := manifest.ParseYAML("test.yaml", []byte(yaml))
	require.NoError(t, err)
	return set
}

func deployment(t *testing.T, transforms ...manifest.Transform) *appsv1.Deployment {
	t.Helper()
	set := parse(t, deploymentYAML)
	require.NoError(t, set.Transform(transforms...))
	d := &appsv1.Deployment{}
	require.NoError(t, set.Objects[0].Decode(d))
	return d
}

func certManager(t *testing.T) manifest.Set {
	t.Helper()
	tree := artifacttest.Fetch(t, "github.com/cert-manager/cert-manager", "deploy/charts/cert-manager")
	set, err := manifest.Chart{Tree: tree, Release: "cert-manager", Namespace: "cert-manager", AppVersion: tree.Version}.Render()
	require.NoError(t, err)
	return set
}

// classes is a table as a stack has it.
var classes = workload.Classes{
	workload.Operator: {
		Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("100m"), corev1.ResourceMemory: resource.MustParse("128Mi")},
		Limits:   corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("500m"), corev1.ResourceMemory: resource.MustParse("512Mi")},
	},
	workload.Gateway: {},
}

// scale sets the replicas of every Deployment.
func scale(replicas int64) manifest.Transform {
	return func(o *manifest.Object) error {
		if o.GetKind() != "Deployment" {
			return nil
		}
		return unstructured.SetNestedField(o.Object, replicas, "spec", "replicas")
	}
}

func TestResourcesReachEveryContainer(t *testing.T) {
	pod := deployment(t, classes.Resources(workload.Operator)).Spec.Template.Spec
	want := classes[workload.Operator]
	require.Equal(t, want.Limits.Memory().String(), pod.InitContainers[0].Resources.Limits.Memory().String())
	require.Equal(t, want.Requests.Cpu().String(), pod.Containers[0].Resources.Requests.Cpu().String())
	require.Equal(t, "64Mi", pod.Containers[1].Resources.Limits.Memory().String(), "a value that is set stays")
	require.Equal(t, "500m", pod.Containers[1].Resources.Limits.Cpu().String())

	err := parse(t, deploymentYAML).Transform(classes.Resources("opertaor"))
	require.ErrorContains(t, err, `Deployment demo/demo (test.yaml): no resource class "opertaor"; there are gateway, operator`)
}

func TestZonalWorkloadsAreSpread(t *testing.T) {
	d := deployment(t, workload.Spread(workload.Zonal))
	constraints := d.Spec.Template.Spec.TopologySpreadConstraints
	require.Len(t, constraints, 2)
	require.Equal(t, "topology.kubernetes.io/zone", constraints[0].TopologyKey)
	require.Equal(t, corev1.DoNotSchedule, constraints[0].WhenUnsatisfiable)
	require.Equal(t, corev1.NodeInclusionPolicyHonor, *constraints[0].NodeTaintsPolicy, "a failed zone does not keep replicas from the others")
	require.Equal(t, []string{"pod-template-hash"}, constraints[0].MatchLabelKeys)
	require.Equal(t, corev1.ScheduleAnyway, constraints[1].WhenUnsatisfiable)
	for _, c := range constraints {
		require.Equal(t, map[string]string{"app": "demo"}, c.LabelSelector.MatchLabels)
	}
	apart := d.Spec.Template.Spec.Affinity.PodAntiAffinity.PreferredDuringSchedulingIgnoredDuringExecution
	require.Equal(t, "kubernetes.io/hostname", apart[0].PodAffinityTerm.TopologyKey)
	require.Equal(t, map[string]string{"app": "demo"}, apart[0].PodAffinityTerm.LabelSelector.MatchLabels)
}

func TestSingleWorkloadsAreNot(t *testing.T) {
	d := deployment(t, workload.Spread(workload.Single))
	require.Empty(t, d.Spec.Template.Spec.TopologySpreadConstraints)
	require.Nil(t, d.Spec.Template.Spec.Affinity)
}

func TestBudgets(t *testing.T) {
	set := certManager(t)
	single, err := workload.Budgets(set)
	require.NoError(t, err)
	require.Len(t, single.All(), len(set.All()), "a budget for one replica would block the drain of its node")

	require.NoError(t, set.Transform(scale(2)))
	zonal, err := workload.Budgets(set)
	require.NoError(t, err)
	require.Len(t, zonal.All(), len(set.All())+3)

	var budget policyv1.PodDisruptionBudget
	var webhook appsv1.Deployment
	require.NoError(t, zonal.Find("PodDisruptionBudget", "cert-manager-webhook").Decode(&budget))
	require.NoError(t, zonal.Find("Deployment", "cert-manager-webhook").Decode(&webhook))
	require.Equal(t, webhook.Spec.Selector, budget.Spec.Selector)
	require.Equal(t, 1, budget.Spec.MaxUnavailable.IntValue())
	require.Equal(t, policyv1.AlwaysAllow, *budget.Spec.UnhealthyPodEvictionPolicy)

	again, err := workload.Budgets(zonal)
	require.NoError(t, err)
	require.Len(t, again.All(), len(zonal.All()), "a workload that has a budget gets no second one")
}

func TestRestrictedPodsPassTheChecksOfTheAPIServer(t *testing.T) {
	set := parse(t, deploymentYAML)
	require.ErrorContains(t, workload.CheckRestricted(set.Objects[0]), "Deployment demo/demo: breaks the Pod Security level restricted: allowPrivilegeEscalation != false")

	require.NoError(t, set.Transform(workload.Restrict()))
	require.NoError(t, workload.CheckRestricted(set.Objects[0]))
	var d appsv1.Deployment
	require.NoError(t, set.Objects[0].Decode(&d))
	for _, c := range append(d.Spec.Template.Spec.InitContainers, d.Spec.Template.Spec.Containers...) {
		require.True(t, *c.SecurityContext.ReadOnlyRootFilesystem, c.Name)
	}
	require.NotNil(t, d.Spec.Template.Spec.Volumes[0].EmptyDir, "the rest of the pod stays")
}

func TestPodsThatAskForMoreAreRejected(t *testing.T) {
	for field, want := range map[string]string{
		"securityContext: {privileged: true}":                   "privileged",
		"securityContext: {allowPrivilegeEscalation: true}":     "allowPrivilegeEscalation != false",
		"securityContext: {capabilities: {add: [NET_ADMIN]}}":   "unrestricted capabilities",
		"securityContext: {runAsUser: 0}":                       "runAsUser=0",
		"ports: [{containerPort: 80, hostPort: 80}]":            "hostPort",
		"securityContext: {seccompProfile: {type: Unconfined}}": "seccompProfile",
	} {
		set := parse(t, "apiVersion: v1\nkind: Pod\nmetadata: {name: demo}\nspec: {containers: [{name: a, image: a, "+field+"}]}\n")
		require.ErrorContains(t, set.Transform(workload.Restrict()), want, field)
	}
	cron := parse(t, `apiVersion: batch/v1
kind: CronJob
metadata: {name: demo}
spec: {schedule: "@daily", jobTemplate: {spec: {template: {spec: {hostNetwork: true, containers: [{name: a, image: a}]}}}}}
`)
	require.ErrorContains(t, cron.Transform(workload.Restrict()), "host namespaces")
}

func TestCertManagerIsRestricted(t *testing.T) {
	pods := 0
	for _, o := range certManager(t).All() {
		require.NoError(t, workload.CheckRestricted(o))
		if manifest.PodPath(o) != nil {
			pods++
		}
	}
	require.Equal(t, 4, pods)
}

func TestPoliciesKeepWhatAChartWrote(t *testing.T) {
	before, after := certManager(t), certManager(t)
	require.NoError(t, after.Transform(
		workload.Restrict(),
		classes.Resources(workload.Operator),
		workload.Spread(workload.Zonal),
	))
	for i, o := range before.All() {
		requireSubset(t, o.Object, after.All()[i].Object, o.String())
	}
}

// requireSubset asserts that got holds everything that want holds.
func requireSubset(t *testing.T, want, got any, path string) {
	t.Helper()
	switch want := want.(type) {
	case map[string]any:
		require.IsType(t, want, got, path)
		for key, value := range want {
			requireSubset(t, value, got.(map[string]any)[key], path+"."+key)
		}
	case []any:
		require.IsType(t, want, got, path)
		require.Len(t, got, len(want), path)
		for i, value := range want {
			requireSubset(t, value, got.([]any)[i], path)
		}
	default:
		require.Equal(t, want, got, path)
	}
}

func TestNamespaceEnforcesTheRestrictedLevel(t *testing.T) {
	ns := workload.Namespace("demo", map[string]string{"metrics": "enabled"})
	require.Equal(t, "demo", ns.Name)
	require.Equal(t, map[string]string{
		"app.kubernetes.io/name":                     "demo",
		"app.kubernetes.io/managed-by":               "pulumi",
		"app.kubernetes.io/part-of":                  "controlplane-infrastructure",
		"metrics":                                    "enabled",
		"pod-security.kubernetes.io/enforce":         "restricted",
		"pod-security.kubernetes.io/enforce-version": "latest",
		"pod-security.kubernetes.io/audit":           "restricted",
		"pod-security.kubernetes.io/audit-version":   "latest",
		"pod-security.kubernetes.io/warn":            "restricted",
		"pod-security.kubernetes.io/warn-version":    "latest",
	}, ns.Labels)
}
