package stacks_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/pod-security-admission/api"

	"github.com/telekom/controlplane-infrastructure/components/certtrust"
	"github.com/telekom/controlplane-infrastructure/components/identity"
	"github.com/telekom/controlplane-infrastructure/components/network/istio"
	"github.com/telekom/controlplane-infrastructure/components/network/linkerd"
	"github.com/telekom/controlplane-infrastructure/components/network/traefik"
	"github.com/telekom/controlplane-infrastructure/components/storage/minio"
	"github.com/telekom/controlplane-infrastructure/components/storage/postgresql"
	"github.com/telekom/controlplane-infrastructure/components/storage/valkey"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
	"github.com/telekom/controlplane-infrastructure/stacks/config"
	"github.com/telekom/controlplane-infrastructure/tests/graph"
	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

// profiles are the configurations that every invariant holds for.
var profiles = map[string]graph.Configuration{
	"single": nil, "istio": graph.Istio, "linkerd": graph.Linkerd, "onprem": stackFile("onprem"), "prod": stackFile("prod"),
}

// stackFile is the configuration of one of the project's stacks.
func stackFile(name string) graph.Configuration {
	c, err := graph.StackFile("..", name)
	if err != nil {
		panic(err)
	}
	return c
}

// The exceptions from Pod Security restricted stand in one table with their reasons: one that nobody needs any more fails
// here. A new one breaks a policy.
func TestPodSecurityExceptionsAreNeeded(t *testing.T) {
	exceptions, needed := workload.Exceptions(), map[string][]string{}
	for _, profile := range profiles {
		for _, r := range graph.Run(t, profile).Objects() {
			namespace, key := r.Object.GetNamespace(), r.Object.GetKind()+"/"+r.Object.GetName()
			if workload.CheckLevel(r.Manifest(), api.LevelRestricted) != nil && !slices.Contains(needed[namespace], key) {
				needed[namespace] = append(needed[namespace], key)
			}
		}
	}
	for namespace, e := range exceptions {
		assert.NotEmpty(t, e.Reason, namespace)
		assert.ElementsMatch(t, e.Workloads, needed[namespace], "workloads in %s that need their exception", namespace)
	}
}

func containersOf(t *testing.T, o *unstructured.Unstructured, path []string) []corev1.Container {
	t.Helper()
	content, found, err := unstructured.NestedMap(o.Object, append(path, "spec")...)
	require.NoError(t, err)
	require.True(t, found)
	var pod corev1.PodSpec
	require.NoError(t, runtime.DefaultUnstructuredConverter.FromUnstructured(content, &pod))
	return append(pod.InitContainers, pod.Containers...)
}

// alone are the workloads that have one replica in every profile, with the reason.
var alone = map[string]string{
	"cnpg-system/barman-cloud":       "a second replica would not serve, and so never be ready, until it leads",
	"monitoring/kube-state-metrics":  "everything that a second one says would be counted twice",
	"monitoring/prometheus-operator": "it knows of no second one; while it is away, Prometheus and Alertmanager go on",
}

func TestReplicasSurviveAZone(t *testing.T) {
	for _, profile := range []string{"istio", "linkerd", "onprem", "prod"} {
		t.Run(profile, func(t *testing.T) { surviveAZone(t, graph.Run(t, profiles[profile])) })
	}
	assert.Empty(t, graph.Run(t, nil).Objects("PodDisruptionBudget"), "a budget for one replica only blocks drains")
}

func surviveAZone(t *testing.T, g *graph.Graph) {
	t.Helper()
	for _, r := range g.Objects("Deployment", "StatefulSet") {
		if alone[r.Name] != "" {
			evictedSoon(t, r)
			continue
		}
		replicas, _, err := unstructured.NestedInt64(r.Object.Object, "spec", "replicas")
		require.NoError(t, err)
		assert.GreaterOrEqual(t, replicas, int64(2), r.Name)
		spread, _, err := unstructured.NestedSlice(r.Object.Object, "spec", "template", "spec", "topologySpreadConstraints")
		require.NoError(t, err)
		assert.Contains(t, fmt.Sprint(spread), "topology.kubernetes.io/zone", r.Name)
	}
}

// evictedSoon asserts that a pod leaves a node that has failed within half a minute, not after Kubernetes' five minutes.
func evictedSoon(t *testing.T, r graph.Resource) {
	t.Helper()
	tolerations, _, err := unstructured.NestedSlice(r.Object.Object, "spec", "template", "spec", "tolerations")
	require.NoError(t, err)
	seconds := map[any]any{}
	for _, toleration := range tolerations {
		one := toleration.(map[string]any)
		seconds[one["key"]] = one["tolerationSeconds"]
	}
	assert.Equal(t, map[any]any{"node.kubernetes.io/not-ready": int64(30), "node.kubernetes.io/unreachable": int64(30)}, seconds, r.Name)
}

func TestNoSecretInPlainInputs(t *testing.T) {
	ca := verify.NewCA(t, "test")
	marker := strings.Split(ca.Key, "\n")[1]
	pair := map[string]any{"certificate": ca.Certificate, "privateKey": ca.Key}
	trust, err := json.Marshal(map[string]any{
		"platformCA":         map[string]any{"source": "existing", "existing": pair},
		"controlPlaneIssuer": pair,
	})
	require.NoError(t, err)
	g := graph.Run(t, graph.Configuration{
		"certTrust": string(trust), "cluster": `{"kubeconfigContent":"apiVersion: v1 # ` + marker + `"}`,
	})
	holders := map[string]bool{}
	for _, r := range g.All {
		walkValues(resource.NewProperty(r.Inputs), func(v resource.PropertyValue, secret bool) {
			if v.IsString() && strings.Contains(v.StringValue(), marker) {
				holders[hexadecimal.ReplaceAllString(r.Name, "<fingerprint>")] = true
				assert.True(t, secret, "%s %s holds a secret in plain text", r.Kind, r.Name)
			}
		})
	}
	assert.Equal(t, map[string]bool{
		"cert-manager/platform-ca-<fingerprint>": true, "controlplane-system/controlplane-issuer-<fingerprint>": true, "cluster": true,
	}, holders)
}

var hexadecimal = regexp.MustCompile(`[0-9a-f]{8}$`)

// walkValues visits every value and says whether it, or what it is part of, is secret.
func walkValues(v resource.PropertyValue, visit func(resource.PropertyValue, bool)) {
	var walk func(resource.PropertyValue, bool)
	walk = func(v resource.PropertyValue, secret bool) {
		switch {
		case v.IsSecret():
			walk(v.SecretValue().Element, true)
		case v.IsOutput():
			walk(v.OutputValue().Element, secret || v.OutputValue().Secret)
		case v.IsObject():
			for _, item := range v.ObjectValue() {
				walk(item, secret)
			}
		case v.IsArray():
			for _, item := range v.ArrayValue() {
				walk(item, secret)
			}
		default:
			visit(v, secret)
		}
	}
	walk(v, false)
}

// TestTablesAgree holds together what two packages must say that cannot import each other.
func TestTablesAgree(t *testing.T) {
	assert.Equal(t, config.BundleLabel, certtrust.BundleLabel)
	assert.Equal(t, config.BundleLabelValue, certtrust.BundleLabelValue)
	for name, namespace := range map[string]string{
		config.NamespaceCertManager: certtrust.Namespace, config.NamespaceControlPlane: certtrust.ControlPlaneNamespace,
		config.NamespaceDatabaseOperator: postgresql.OperatorNamespace, config.NamespacePostgreSQL: postgresql.Namespace,
		config.NamespaceIdentity: identity.Namespace, config.NamespaceIngress: traefik.Namespace,
		config.NamespaceIstio: istio.Namespace, config.NamespaceIstioNodes: istio.NodeNamespace,
		config.NamespaceLinkerd: linkerd.Namespace, config.NamespaceLinkerdNodes: linkerd.CNINamespace,
		config.NamespaceMinIO: minio.Namespace, config.NamespaceValkey: valkey.Namespace,
	} {
		assert.Equal(t, name, namespace)
	}
}

// TestOperatorsHaveTheirPublishedResources: the figures are those of the Control Plane's infrastructure page.
func TestOperatorsHaveTheirPublishedResources(t *testing.T) {
	g := graph.Run(t, nil)
	for _, c := range containersOf(t, g.Object(t, "Deployment", "cert-manager/cert-manager").Object, []string{"spec", "template"}) {
		r := c.Resources
		assert.Equal(t, [4]string{"100m", "500m", "128Mi", "512Mi"},
			[4]string{r.Requests.Cpu().String(), r.Limits.Cpu().String(), r.Requests.Memory().String(), r.Limits.Memory().String()})
	}
}
