package rules

import "fmt"

// Selections of targets and series that several rules share.
const (
	// The jobs of what belongs to the cluster.
	apiServers = `job="apiserver"`
	kubelets   = `job="kubelet"`
	coreDNS    = `job="coredns"`
	etcd       = `job="etcd"`
)

// unanswered are the targets that do not answer. One that is asked for metrics at several paths counts once, whichever of them
// fails: all of them are one process.
func unanswered(matchers string) string {
	return fmt.Sprintf(`min without (metrics_path) (up{%s}) == 0`, matchers)
}

// targetDown is for targets that do not answer, and for a component that has none in its namespace.
func targetDown(prefix, what, matchers, namespace string) Alert {
	return Alert{
		Name: prefix + "TargetDown", For: "10m", Severity: Warning,
		Expr: unanswered(matchers) + fmt.Sprintf(` or absent(up{namespace=%q})`, namespace),
		Summary: "Prometheus cannot read the metrics of " +
			`{{ with $labels.pod }}pod {{ . }}{{ else }}{{ with $labels.instance }}{{ . }}{{ else }}any pod{{ end }}{{ end }}` +
			` in namespace {{ $labels.namespace }}.`,
		Description: "For ten minutes nothing has been known of " + what + ": it is down, or cannot be reached. " +
			"Other alerts of it stay silent as long as its metrics are missing.",
	}
}

// volumeLeft is the part of volumes that is left, volumeFilling the same for those that are more than four fifths full and
// will be full within four days if they go on to fill as in the last six hours.
func volumeLeft(matchers string) string {
	return fmt.Sprintf(`kubelet_volume_stats_available_bytes{%[1]s} / kubelet_volume_stats_capacity_bytes{%[1]s}`, matchers)
}

func volumeFilling(matchers string) string {
	return volumeLeft(matchers) + fmt.Sprintf(` < 0.2 and predict_linear(kubelet_volume_stats_available_bytes{%s}[6h], 4 * 86400) < 0`, matchers)
}

// noneWorks is for a Deployment without an available pod, and for one that has gone. That nothing is known of it when
// kube-state-metrics does not answer is another matter.
func noneWorks(deployment string) string {
	return fmt.Sprintf(`kube_deployment_status_replicas_available{%[1]s} == 0 or `+
		`(absent(kube_deployment_status_replicas_available{%[1]s}) and on () up{job="kube-state-metrics"} == 1)`, deployment)
}

// share is what part of all series of a counter has further matchers, over five minutes and by labels.
func share(counter, matchers, further, by string) string {
	return fmt.Sprintf(`sum by (%[4]s) (rate(%[1]s{%[2]s, %[3]s}[5m])) / sum by (%[4]s) (rate(%[1]s{%[2]s}[5m]))`,
		counter, matchers, further, by)
}
