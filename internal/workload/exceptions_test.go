package workload_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/pod-security-admission/api"

	"github.com/telekom/controlplane-infrastructure/internal/workload"
)

// nodeAgent is a workload as the network plugins of meshes are: root, with files of the node.
const nodeAgent = `apiVersion: apps/v1
kind: DaemonSet
metadata: {name: linkerd-cni, namespace: linkerd-cni}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec:
      hostNetwork: true
      containers: [{name: install, image: install, securityContext: {privileged: true, runAsUser: 0}}]
      volumes: [{name: plugins, hostPath: {path: /opt/cni/bin}}]
`

func TestExceptionsSayWhoNeedsWhatAndWhy(t *testing.T) {
	all := workload.Exceptions()
	require.NotEmpty(t, all)
	for namespace, e := range all {
		assert.Contains(t, []api.Level{api.LevelPrivileged, api.LevelBaseline}, e.Level, namespace)
		assert.NotEmpty(t, e.Workloads, namespace)
		assert.GreaterOrEqual(t, len(strings.Fields(e.Reason)), 10, "%s: a reason that a person understands", namespace)
	}
	all["linkerd-cni"].Workloads[0] = "DaemonSet/other"
	delete(all, "istio-dataplane")
	assert.Equal(t, []string{"DaemonSet/linkerd-cni"}, workload.Exceptions()["linkerd-cni"].Workloads)
	assert.Contains(t, workload.Exceptions(), "istio-dataplane", "nobody else adds or removes one")
}

func TestNamespaceOfAnExceptionEnforcesItsLevel(t *testing.T) {
	labels := workload.Namespace("linkerd-cni", nil).Labels
	assert.Equal(t, "privileged", labels[api.EnforceLevelLabel])
	assert.Equal(t, "restricted", labels[api.AuditLevelLabel], "what it admits is seen")
	assert.Equal(t, "restricted", labels[api.WarnLevelLabel])
}

func TestExceptionIsForItsWorkloadsAlone(t *testing.T) {
	agent := parse(t, nodeAgent)
	before := agent.Objects[0].DeepCopy().Object
	require.NoError(t, agent.Transform(workload.Restrict()))
	assert.Equal(t, before, agent.Objects[0].Object, "it stays as its authors wrote it")
	require.NoError(t, workload.CheckRestricted(agent.Objects[0]))
	require.ErrorContains(t, workload.CheckLevel(agent.Objects[0], api.LevelRestricted),
		"DaemonSet linkerd-cni/linkerd-cni: breaks the Pod Security level restricted: ")
	require.ErrorContains(t, workload.CheckLevel(agent.Objects[0], api.LevelBaseline),
		"breaks the Pod Security level baseline: host namespaces (hostNetwork=true); hostPath volumes (volume \"plugins\"); privileged")

	for what, yaml := range map[string]string{
		"a workload of another name":      strings.Replace(nodeAgent, "name: linkerd-cni,", "name: other,", 1),
		"a workload of another kind":      strings.Replace(nodeAgent, "DaemonSet", "Deployment", 1),
		"a workload of another namespace": strings.Replace(nodeAgent, "namespace: linkerd-cni", "namespace: linkerd", 1),
	} {
		set := parse(t, yaml)
		require.ErrorContains(t, workload.CheckRestricted(set.Objects[0]), "level restricted", what)
		require.ErrorContains(t, set.Transform(workload.Restrict()), "level restricted", what)
	}
}
