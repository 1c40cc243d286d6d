package exporters_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/telekom/controlplane-infrastructure/components/monitoring/exporters"
	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/tests/metrics"
	"github.com/telekom/controlplane-infrastructure/tests/process"
	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

func TestWhatIsDeclaredFollowsTheArguments(t *testing.T) {
	ca := verify.NewCA(t, "platform")
	all := render(t, ca, arguments())
	assert.ElementsMatch(t, []string{"kubelet", "kubelet-cadvisor", "kubelet-probes", "etcd"}, all.Names("ScrapeConfig"))
	assert.ElementsMatch(t, []string{"kube-state-metrics", "node-exporter", "apiserver"}, all.Names("ServiceMonitor"))
	assert.Equal(t, []string{"coredns"}, all.Names("PodMonitor"))
	assert.ElementsMatch(t, []string{"monitoring", "node-exporter"}, all.Names("Namespace"))

	least := arguments()
	least.NodeExporter, least.Kubelet, least.APIServer, least.CoreDNS, least.Etcd = nil, false, false, nil, nil
	few := render(t, ca, least)
	for _, kind := range []string{"ScrapeConfig", "PodMonitor", "DaemonSet"} {
		assert.Empty(t, few.Names(kind), kind)
	}
	assert.Equal(t, []string{"kube-state-metrics"}, few.Names("ServiceMonitor"))
	assert.Equal(t, []string{"monitoring"}, few.Names("Namespace"))
}

func TestKubeletsAreVerifiedUnlessToldOtherwise(t *testing.T) {
	ca := verify.NewCA(t, "platform")
	args := arguments()
	for _, skip := range []bool{false, true} {
		args.SkipKubeletVerification = skip
		config := render(t, ca, args).Find("ScrapeConfig", "kubelet").Object
		class, _, err := unstructured.NestedString(config, "spec", "scrapeClass")
		require.NoError(t, err)
		assert.Equal(t, exporters.ScrapeClass()["name"], class)
		skipped, _, err := unstructured.NestedBool(config, "spec", "tlsConfig", "insecureSkipVerify")
		require.NoError(t, err)
		assert.Equal(t, skip, skipped)
	}
}

func TestNodeExporterTakesNoMoreOfItsNodeThanItNeeds(t *testing.T) {
	o := render(t, verify.NewCA(t, "platform"), arguments())
	pod := process.Decode[appsv1.DaemonSet](t, o, "DaemonSet", "node-exporter").Spec.Template.Spec
	require.Len(t, pod.Containers, 1)
	container := pod.Containers[0]
	for _, mount := range container.VolumeMounts {
		assert.True(t, mount.ReadOnly, mount.Name)
	}
	assert.True(t, *container.SecurityContext.ReadOnlyRootFilesystem)
	assert.Equal(t, "ALL", string(container.SecurityContext.Capabilities.Drop[0]))
	assert.Nil(t, container.SecurityContext.Privileged)
	assert.True(t, *pod.SecurityContext.RunAsNonRoot)
	assert.False(t, *pod.AutomountServiceAccountToken)
	require.Len(t, pod.Tolerations, 1)
	assert.Empty(t, pod.Tolerations[0].Key, "it runs on every node, whatever its taints")
}

func TestFlows(t *testing.T) {
	args := arguments()
	args.Monitoring = flow.Peer{Namespace: "monitoring", Pods: map[string]string{"app.kubernetes.io/name": "prometheus"}}
	flows := map[string]flow.Flow{}
	for _, f := range args.Flows() {
		flows[f.Name] = f
		assert.NotEmpty(t, f.Why, f.Name)
	}
	require.Len(t, flows, 4)
	assert.Equal(t, []int{8443, 8444}, flows["kube-state-metrics-metrics"].Ports)
	assert.Equal(t, args.Monitoring, flows["node-exporter-metrics"].From)
	assert.Equal(t, []string{"10.0.0.11/32", "fd00::12/128"}, flows["etcd-metrics"].To.CIDRs)
	assert.Equal(t, []int{2381}, flows["etcd-metrics"].Ports)
}

func TestCheckNamesEveryMistake(t *testing.T) {
	require.NoError(t, arguments().Check())
	args := arguments()
	args.KubeStateMetrics.Image, args.NodeExporter.Image = "", ""
	args.CoreDNS = &flow.Peer{Namespace: "kube-system"}
	args.Etcd = &exporters.Etcd{Endpoints: []string{"10.0.0.1:2379"}, Port: 70000}
	err := args.Check()
	for _, part := range []string{
		"KubeStateMetrics.Image is missing", "NodeExporter.Image is missing", "CoreDNS has to name",
		`Etcd.Endpoints has "10.0.0.1:2379": allowed are IP addresses, without a port`, "Etcd.Port is 70000: allowed are 1 to 65535",
		"Etcd.ClientSecret is missing",
	} {
		require.ErrorContains(t, err, part)
	}
	args.Etcd = &exporters.Etcd{Port: 1, ClientSecret: "etcd"}
	require.ErrorContains(t, args.Check(), "Etcd.Endpoints is empty")
	_, err = args.Set()
	require.Error(t, err, "nothing is made of it")
}

// No rule and no dashboard asks for what is thrown away.
func TestNothingIsDroppedThatIsUsed(t *testing.T) {
	o := render(t, verify.NewCA(t, "platform"), arguments())
	looked := 0
	for from, declarations := range map[string][]any{
		"kubelet": {
			o.Find("ScrapeConfig", "kubelet").Object, o.Find("ScrapeConfig", "kubelet-cadvisor").Object,
			o.Find("ScrapeConfig", "kubelet-probes").Object,
		},
		"kube-apiserver": {o.Find("ServiceMonitor", "apiserver").Object},
		"coredns":        {o.Find("PodMonitor", "coredns").Object},
		"etcd":           {o.Find("ScrapeConfig", "etcd").Object},
	} {
		for _, drop := range drops(declarations) {
			for _, name := range metrics.Names()[from] {
				for _, series := range []string{name, name + "_bucket", name + "_sum", name + "_count"} {
					looked++
					assert.NotRegexp(t, drop, series, "%s of %s", series, from)
				}
			}
		}
	}
	assert.NotZero(t, looked)
	assert.Regexp(t, drops(o.Find("ServiceMonitor", "apiserver").Object)[0], "apiserver_request_sli_duration_seconds_bucket")
}

// drops are the expressions by which an object leaves out metrics by their names alone.
func drops(node any) []*regexp.Regexp {
	var all []*regexp.Regexp
	switch node := node.(type) {
	case map[string]any:
		if expression, ok := node["regex"].(string); ok && node["action"] == "drop" && !strings.Contains(expression, ";") {
			return []*regexp.Regexp{regexp.MustCompile("^(?:" + expression + ")$")}
		}
		for _, value := range node {
			all = append(all, drops(value)...)
		}
	case []any:
		for _, value := range node {
			all = append(all, drops(value)...)
		}
	}
	return all
}
