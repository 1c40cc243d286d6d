package workload

import (
	"maps"
	"slices"

	"k8s.io/pod-security-admission/api"

	"github.com/telekom/controlplane-infrastructure/internal/manifest"
)

// Exception is a namespace in which the API server admits pods that the Pod Security level restricted refuses.
type Exception struct {
	// Level is what the namespace enforces instead.
	Level api.Level
	// Workloads are what needs it, as kind/name. Whatever else runs there has to be restricted all the same.
	Workloads []string
	// Reason says what they do that needs it.
	Reason string
}

// exceptions are all namespaces of the platform that do not enforce the level restricted.
var exceptions = map[string]Exception{
	"istio-dataplane": {
		Level:     api.LevelPrivileged,
		Workloads: []string{"DaemonSet/istio-cni-node", "DaemonSet/ztunnel"},
		Reason: "Istio's node agents lead the traffic of pods through the mesh: they enter the network namespaces of the " +
			"node's pods, and one installs its network plugin in directories of the node. They run for the pods, which " +
			"therefore need no rights of their own.",
	},
	"linkerd-cni": {
		Level:     api.LevelPrivileged,
		Workloads: []string{"DaemonSet/linkerd-cni"},
		Reason: "Linkerd's node agent installs its network plugin in directories of the node. The plugin leads the traffic " +
			"of pods through their proxies, which they would otherwise need the right to administer their network for.",
	},
	"node-exporter": {
		Level:     api.LevelPrivileged,
		Workloads: []string{"DaemonSet/node-exporter"},
		Reason: "The node exporter measures the node itself: it shares the node's network and list of processes, and sees " +
			"its file systems, read only. It runs without root, without capabilities and without a token of the cluster.",
	},
}

// Exceptions are the namespaces that do not enforce the level restricted, by name.
func Exceptions() map[string]Exception {
	all := maps.Clone(exceptions)
	for name, e := range all {
		e.Workloads = slices.Clone(e.Workloads)
		all[name] = e
	}
	return all
}

// LevelOf is the Pod Security level that the pods of an object have to comply with.
func LevelOf(o *manifest.Object) api.Level {
	if e, ok := exceptions[o.GetNamespace()]; ok && slices.Contains(e.Workloads, o.GetKind()+"/"+o.GetName()) {
		return e.Level
	}
	return api.LevelRestricted
}
