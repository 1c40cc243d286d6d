package istio_test

import (
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"

	"github.com/telekom/controlplane-infrastructure/components/network/istio"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/mesh"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
	"github.com/telekom/controlplane-infrastructure/tests/process"
)

// istiodEnv are the variables of istiod.
func istiodEnv(t *testing.T, o *process.Objects) map[string]string {
	t.Helper()
	return env(find[appsv1.Deployment](t, o, "Deployment", "istiod").Spec.Template.Spec.Containers[0])
}

func env(container corev1.Container) map[string]string {
	all := map[string]string{}
	for _, v := range container.Env {
		all[v.Name] = v.Value
	}
	return all
}

func TestIstiodSurvivesTheLossOfAZone(t *testing.T) {
	o := rendered(t, nil)
	d := find[appsv1.Deployment](t, o, "Deployment", "istiod")
	assert.Equal(t, istio.Namespace, d.Namespace)
	assert.EqualValues(t, 2, *d.Spec.Replicas)
	assert.Equal(t, corev1.LabelTopologyZone, d.Spec.Template.Spec.TopologySpreadConstraints[0].TopologyKey)
	assert.Empty(t, o.Of("HorizontalPodAutoscaler"), "the profile says how many there are")
	require.Len(t, o.Of("PodDisruptionBudget"), 1)
	budget := find[policyv1.PodDisruptionBudget](t, o, "PodDisruptionBudget", "istiod")
	assert.Equal(t, d.Spec.Selector, budget.Spec.Selector)
	assert.Equal(t, 1, budget.Spec.MaxUnavailable.IntValue())

	single := rendered(t, func(a *istio.Args) { a.Availability, a.Replicas = workload.Single, 1 })
	assert.EqualValues(t, 1, *find[appsv1.Deployment](t, single, "Deployment", "istiod").Spec.Replicas)
	assert.Empty(t, single.Of("PodDisruptionBudget"), "one would block every drain")
}

// Everything is of one release, in the variant without a shell, and is pulled once.
func TestImages(t *testing.T) {
	o := rendered(t, nil)
	images := map[string]corev1.Container{}
	for _, pod := range pods(t, o) {
		for _, c := range pod.Spec.Containers {
			images[c.Image] = c
			assert.NotEqual(t, corev1.PullAlways, c.ImagePullPolicy)
			for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
				assert.Contains(t, c.Resources.Requests, name, c.Name)
				assert.Contains(t, c.Resources.Limits, name, c.Name)
			}
		}
	}
	assert.Len(t, images, 3)
	for _, name := range []string{"pilot", "install-cni", "ztunnel"} {
		assert.Contains(t, images, "docker.io/istio/"+name+":1.31.0-distroless")
	}
	istiod := images["docker.io/istio/pilot:1.31.0-distroless"].Resources
	ztunnel := images["docker.io/istio/ztunnel:1.31.0-distroless"].Resources
	assert.Equal(t, "200m", ztunnel.Requests.Cpu().String(), "what the chart asks for on every node")
	assert.Equal(t, "2Gi", ztunnel.Limits.Memory().String())
	assert.Equal(t, "256Mi", istiod.Requests.Memory().String())
}

// What istiod makes at run time comes from the mirror too.
func TestMirror(t *testing.T) {
	o := rendered(t, func(a *istio.Args) {
		a.Transforms = []manifest.Transform{manifest.MirrorImages("mirror.example.com/all")}
	})
	for _, pod := range pods(t, o) {
		for _, c := range pod.Spec.Containers {
			assert.True(t, strings.HasPrefix(c.Image, "mirror.example.com/all/docker.io/istio/"), c.Image)
		}
	}
	values := o.Data("ConfigMap", "istio-sidecar-injector")["values"]
	assert.Contains(t, values, `"hub": "mirror.example.com/all/docker.io/istio"`)
	assert.NotContains(t, values, `"docker.io/istio"`)
}

// pods are the pods of all workloads.
func pods(t *testing.T, o *process.Objects) []corev1.PodTemplateSpec {
	t.Helper()
	return []corev1.PodTemplateSpec{
		find[appsv1.Deployment](t, o, "Deployment", "istiod").Spec.Template,
		find[appsv1.DaemonSet](t, o, "DaemonSet", "istio-cni-node").Spec.Template,
		find[appsv1.DaemonSet](t, o, "DaemonSet", "ztunnel").Spec.Template,
	}
}

func TestAmbientMode(t *testing.T) {
	o := rendered(t, nil)
	istiod := istiodEnv(t, o)
	assert.Equal(t, "true", istiod["PILOT_ENABLE_AMBIENT"])
	assert.Equal(t, "istio-dataplane/ztunnel", istiod["CA_TRUSTED_NODE_ACCOUNTS"], "who may ask for the certificates of pods")
	ztunnel := find[appsv1.DaemonSet](t, o, "DaemonSet", "ztunnel")
	assert.Equal(t, "istio-dataplane", ztunnel.Namespace)
	assert.Equal(t, "ztunnel", ztunnel.Spec.Template.Spec.ServiceAccountName)
	assert.Equal(t, "istiod.istio-system.svc:15012", env(ztunnel.Spec.Template.Spec.Containers[0])["CA_ADDRESS"])
	assert.Equal(t, "true", o.Data("ConfigMap", "istio-cni-config")["AMBIENT_ENABLED"])
	for _, pod := range pods(t, o) {
		assert.Equal(t, "none", pod.Labels["istio.io/dataplane-mode"], "Istio itself takes no part")
	}
}

// The agents on the nodes are the only ones that need more than restricted pods may.
func TestPodSecurity(t *testing.T) {
	o := rendered(t, nil)
	levels := map[string]string{}
	for _, ns := range o.Of("Namespace") {
		levels[ns.GetName()] = ns.GetLabels()["pod-security.kubernetes.io/enforce"]
	}
	assert.Equal(t, map[string]string{"istio-system": "restricted", "istio-dataplane": "privileged", shop: "restricted"}, levels)
	exception := workload.Exceptions()[istio.NodeNamespace]
	var agents []string
	for _, d := range o.Of("DaemonSet") {
		agents = append(agents, "DaemonSet/"+d.GetName())
	}
	assert.ElementsMatch(t, exception.Workloads, agents)
	for _, object := range o.Of("Deployment") {
		require.NoError(t, workload.CheckRestricted(&manifest.Object{Unstructured: object.Unstructured}))
	}
}

// Nobody but istiod decides when webhooks fail closed, and nobody but istiod knows the certificate.
func TestWebhooks(t *testing.T) {
	o := rendered(t, nil)
	validating := o.Of("ValidatingWebhookConfiguration")
	require.Len(t, validating, 2)
	for _, object := range validating {
		assert.ElementsMatch(t, []string{"webhooks[*].clientConfig.caBundle", "webhooks[*].failurePolicy"}, object.IgnoreChanges)
		config := find[admissionv1.ValidatingWebhookConfiguration](t, o, object.GetKind(), object.GetName())
		assert.Equal(t, admissionv1.Ignore, *config.Webhooks[0].FailurePolicy, "until istiod answers")
	}
	mutating := o.Of("MutatingWebhookConfiguration")
	require.Len(t, mutating, 1)
	assert.Equal(t, []string{"webhooks[*].clientConfig.caBundle"}, mutating[0].IgnoreChanges)
}

// Without the Gateway API, istiod may not create anything outside of its namespace.
func TestLeastPrivilege(t *testing.T) {
	writes := func(o *process.Objects) (all []string) {
		for _, object := range o.Of("ClusterRole") {
			role := find[rbacv1.ClusterRole](t, o, "ClusterRole", object.GetName())
			for _, rule := range role.Rules {
				if slices.Contains(rule.Verbs, "create") && slices.ContainsFunc(rule.Resources, func(r string) bool {
					return r == "deployments" || r == "services" || r == "serviceaccounts"
				}) {
					all = append(all, role.Name)
				}
			}
		}
		return all
	}
	bare := rendered(t, nil)
	assert.Empty(t, writes(bare))
	assert.Equal(t, "false", istiodEnv(t, bare)["PILOT_ENABLE_GATEWAY_API"])
	for _, account := range bare.Of("ServiceAccount") {
		assert.NotContains(t, account.GetName(), "reader", "there is one cluster")
	}
	with := rendered(t, func(a *istio.Args) { a.GatewayAPI = true })
	assert.NotEmpty(t, writes(with))
	assert.NotContains(t, istiodEnv(t, with), "PILOT_ENABLE_GATEWAY_API")
}

func TestPlatforms(t *testing.T) {
	var known []string
	profiles, err := fs.Glob(arguments(t).CNI, "files/profile-platform-*.yaml")
	require.NoError(t, err)
	for _, profile := range profiles {
		known = append(known, strings.TrimSuffix(strings.TrimPrefix(profile, "files/profile-platform-"), ".yaml"))
	}
	assert.Equal(t, known, istio.Platforms())

	o := rendered(t, func(a *istio.Args) { a.Platform = "openshift" })
	assert.Equal(t, "istio-dataplane/ztunnel", istiodEnv(t, o)["CA_TRUSTED_NODE_ACCOUNTS"], "not where the profile has it")
	assert.Equal(t, "openshift", istiodEnv(t, o)["PLATFORM"])
	assert.Contains(t, hostPaths(t, o), "/etc/cni/multus/net.d")
	assert.NotContains(t, hostPaths(t, rendered(t, nil)), "/etc/cni/multus/net.d")
}

// hostPaths are the directories of the node that the network plugin's agent works in.
func hostPaths(t *testing.T, o *process.Objects) (paths []string) {
	t.Helper()
	for _, v := range find[appsv1.DaemonSet](t, o, "DaemonSet", "istio-cni-node").Spec.Template.Spec.Volumes {
		if v.HostPath != nil {
			paths = append(paths, v.HostPath.Path)
		}
	}
	return paths
}

func TestBadArguments(t *testing.T) {
	err := pulumi.RunErr(func(ctx *pulumi.Context) error {
		common, err := process.Common(ctx, workload.Single)
		if err != nil {
			return err
		}
		_, err = istio.New(ctx, "istio", istio.Args{Common: common, Platform: "eks", Tag: "1.31.0"})
		return err
	}, pulumi.WithMocks("controlplane", "test", mocks{}))
	for _, want := range []string{
		"istio: ", "the chart Istiod is missing", "hub and tag", "0 replicas of istiod",
		`platform "eks": Istio knows gke, k3d, k3s, microk8s, minikube, openshift; leave it empty elsewhere`,
	} {
		assert.ErrorContains(t, err, want)
	}
}

// mocks create nothing.
type mocks struct{}

func (mocks) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	return args.Name, args.Inputs, nil
}
func (mocks) Call(pulumi.MockCallArgs) (resource.PropertyMap, error) { return nil, nil }

func TestMonitors(t *testing.T) {
	o := rendered(t, nil)
	service := find[corev1.Service](t, o, "Service", "istiod")
	monitor := o.Find("ServiceMonitor", "istiod").Object["spec"].(map[string]any)
	for key, value := range monitor["selector"].(map[string]any)["matchLabels"].(map[string]any) {
		assert.Equal(t, value, service.Labels[key])
	}
	assert.True(t, slices.ContainsFunc(service.Spec.Ports, func(p corev1.ServicePort) bool { return p.Name == "http-monitoring" && p.Port == 15014 }))
	for monitored, name := range map[string]string{"istio-cni-node": "istio-cni", "ztunnel": "ztunnel"} {
		pod := find[appsv1.DaemonSet](t, o, "DaemonSet", monitored).Spec.Template
		monitor := o.Find("PodMonitor", name).Object["spec"].(map[string]any)
		for key, value := range monitor["selector"].(map[string]any)["matchLabels"].(map[string]any) {
			assert.Equal(t, value, pod.Labels[key])
		}
		port := monitor["podMetricsEndpoints"].([]any)[0].(map[string]any)["port"]
		assert.True(t, slices.ContainsFunc(pod.Spec.Containers[0].Ports, func(p corev1.ContainerPort) bool { return p.Name == port }), port)
	}
	without := rendered(t, func(a *istio.Args) { a.ServiceMonitors = false })
	assert.Empty(t, append(without.Of("ServiceMonitor"), without.Of("PodMonitor")...), "their definitions may be missing")
	for _, policy := range without.Of("NetworkPolicy") {
		assert.False(t, strings.Contains(policy.GetName(), "metrics") && policy.GetNamespace() != shop, policy.GetName())
	}
}

// The labels by which flows find Istio's pods are those that the charts give them.
func TestFlowsFindTheirPods(t *testing.T) {
	args := arguments(t)
	o := rendered(t, nil)
	labels := map[string]map[string]string{}
	for _, pod := range pods(t, o) {
		for key, value := range pod.Labels {
			if labels[key+"="+value] == nil {
				labels[key+"="+value] = pod.Labels
			}
		}
	}
	for _, f := range args.Flows() {
		for _, peer := range []map[string]string{f.From.Pods, f.To.Pods} {
			for key, value := range peer {
				assert.Contains(t, labels, key+"="+value, f.Name)
			}
		}
	}
	require.NoError(t, plan(args, mesh.Istio).Flows.Check())
	args.GatewayAPI = true
	gateways := plan(args, mesh.Istio).Flows
	require.NoError(t, gateways.Check())
	assert.Len(t, gateways.Into(istio.Namespace), len(plan(arguments(t), mesh.Istio).Flows.Into(istio.Namespace))+1,
		"gateways run where somebody asks for them")
}

// A pod of the mesh is reached through the tunnel, by the kubelet, and by whom the mesh does not know.
func TestANamespaceInTheMesh(t *testing.T) {
	o := rendered(t, nil)
	assert.Equal(t, "ambient", o.Find("Namespace", shop).GetLabels()["istio.io/dataplane-mode"])
	for name, want := range map[string]string{
		"PeerAuthentication default": `mtls: {mode: STRICT}`,
		"PeerAuthentication outside-shop-metrics": `
selector: {matchLabels: {app: till}}
mtls: {mode: STRICT}
portLevelMtls: {"8080": {mode: PERMISSIVE}, "9443": {mode: PERMISSIVE}, "9000": {mode: PERMISSIVE}}`,
		"AuthorizationPolicy default-deny": `{}`,
		"AuthorizationPolicy allow-shop-pay": `
selector: {matchLabels: {app: till}}
action: ALLOW
rules: [{from: [{source: {namespaces: [shop]}}], to: [{operation: {ports: ["8443"]}}]}]`,
	} {
		kind, object, _ := strings.Cut(name, " ")
		var spec map[string]any
		require.NoError(t, yaml.Unmarshal([]byte(want), &spec))
		assert.Equal(t, spec, o.Find(kind, object).Object["spec"], name)
	}
	ports := func(name string) (all []int) {
		for _, p := range find[networkingv1.NetworkPolicy](t, o, "NetworkPolicy", name).Spec.Ingress[0].Ports {
			all = append(all, p.Port.IntValue())
		}
		return all
	}
	assert.Equal(t, []int{8443, 15008}, ports("allow-shop-pay-ingress"))
	assert.Equal(t, []int{9443}, ports("allow-shop-webhook-ingress"))
	assert.Empty(t, ports("allow-istio-probes-shop-ingress"))
}
