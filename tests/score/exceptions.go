// Package score has kube-score judge the manifests of every stack. What it calls critical is mended, or is an exception here.
package score

import "path"

// exception is a finding that stays.
type exception struct {
	// check is kube-score's id; objects is a pattern as of path.Match for "Kind namespace/name".
	check, objects string
	reason         string
}

var exceptions = []exception{
	{
		"container-ephemeral-storage-request-and-limit", "*/*",
		"resource classes are of CPU and memory; containers write to volumes only, as their root file systems are read-only",
	},
	{
		"container-image-pull-policy", "*/*",
		"images have the tags of releases, which do not change; pods of an image that a node has start while the registry is away",
	},
	{
		"container-security-context-user-group-id", "*/*",
		"user ids are those that images are made for; that none is root is enforced by Pod Security",
	},
	{
		"networkpolicy-targets-pod", "NetworkPolicy monitoring/*",
		"the pods of Prometheus and Alertmanager are made by the Prometheus operator",
	},
	{
		"networkpolicy-targets-pod", "NetworkPolicy postgresql/*",
		"the pods of databases are made by CloudNativePG",
	},
	{
		"service-targets-pod", "Service monitoring/prometheus",
		"its pods are made by the Prometheus operator",
	},
	{
		"service-targets-pod", "Service monitoring/alertmanager",
		"its pods are made by the Prometheus operator",
	},
	{
		"pod-probes", "Deployment cert-manager/cert-manager",
		"it serves metrics only, and upstream offers no readiness of it; its API check tells when it works",
	},
	{
		"pod-probes", "Deployment cert-manager/cert-manager-cainjector",
		"it serves metrics only, and upstream offers no readiness of it; its API check tells when it works",
	},
	{
		"pod-probes-identical", "Deployment monitoring/prometheus-operator",
		"upstream has one endpoint that tells its health",
	},
	{
		"pod-probes-identical", "Deployment monitoring/prometheus-operator-webhook",
		"upstream has one endpoint that tells its health",
	},
	{
		"pod-probes-identical", "Deployment cnpg-system/cnpg-controller-manager",
		"upstream has one endpoint that tells its health",
	},
	{
		"pod-probes-identical", "Deployment valkey/valkey-proxies",
		"whether a proxy answers is all there is to tell: which server it leads to is its own business",
	},
	{
		"container-security-context-readonlyrootfilesystem", "DaemonSet istio-dataplane/istio-cni-node",
		"upstream's chart has no setting for it; it installs the mesh's network plugin on nodes, in a namespace of its own",
	},
}

// allowed tells which exception, by its index, a finding is; -1: none.
func allowed(check, object string) int {
	for i, e := range exceptions {
		if matches, err := path.Match(e.objects, object); e.check == check && err == nil && matches {
			return i
		}
	}
	return -1
}
