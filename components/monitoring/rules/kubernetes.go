package rules

import "slices"

const (
	object  = `{{ $labels.namespace }}/`
	replica = `{{ $value }} of its replicas are missing`
)

// kubernetes watches the cluster and all workloads in it. The namespace is that of the object at fault.
func kubernetes(a Args) Group {
	alerts := slices.Concat(clusterAlerts(), workloadAlerts(), volumeAlerts())
	if a.APIServer {
		alerts = append(alerts, apiServerAlerts()...)
	}
	if a.CoreDNS {
		alerts = append(alerts, dnsErrors())
	}
	if a.Etcd {
		alerts = append(alerts, etcdAlerts()...)
	}
	return Group{Name: Kubernetes, Alerts: alerts}
}

// clusterAlerts are about what makes a cluster of nodes.
func clusterAlerts() []Alert {
	return []Alert{
		{
			Name: "KubernetesTargetDown", For: "10m", Severity: Warning,
			Expr:    unanswered(`job=~"kubelet|coredns|etcd|apiserver"`),
			Summary: `Prometheus cannot read the metrics of {{ $labels.job }} at {{ $labels.instance }}.`,
			Description: "For ten minutes nothing has been known of it: it is down, or cannot be reached. Other alerts of it stay " +
				"silent as long as its metrics are missing.",
		},
		{
			Name: "KubernetesDNSDown", For: "2m", Severity: Critical,
			Expr:        `kube_deployment_status_replicas_available{namespace="kube-system", deployment="coredns"} == 0`,
			Summary:     `No pod of CoreDNS works: nothing in the cluster finds anything by its name.`,
			Description: "Every new connection inside of the cluster fails, and with that every component.",
		},
	}
}

// apiServerAlerts would take one that is not asked for one that is down.
func apiServerAlerts() []Alert {
	return []Alert{
		{
			Name: "KubernetesAPIDown", For: "5m", Severity: Critical,
			Expr:    answering(apiServers) + ` == 0`,
			Summary: `No Kubernetes API server answers.`,
			Description: "Pods go on to run, but nothing is replaced, scaled or renewed, and the Control Plane cannot work. This alert is " +
				"also told when Prometheus alone cannot reach it.",
		},
		{
			Name: "KubernetesAPIErrors", For: "10m", Severity: Critical,
			Expr:        share("apiserver_request_total", apiServers, `code=~"5.."`, "job") + ` > 0.05`,
			Summary:     `The Kubernetes API answers {{ $value | humanizePercentage }} of all requests with an error of its own.`,
			Description: "Controllers and the Control Plane cannot do what they should. It is most often etcd, or a webhook that is gone.",
		},
		{
			Name: "KubernetesAPISlow", For: "15m", Severity: Warning,
			Expr: quantile(0.95, "apiserver_request_duration_seconds_bucket",
				apiServers+`, verb=~"GET|POST|PUT|PATCH|DELETE", subresource!~"log|exec|attach|portforward|proxy"`, "verb") + ` > 1`,
			Summary:     `One of twenty {{ $labels.verb }} requests to the Kubernetes API takes longer than {{ $value | humanizeDuration }}.`,
			Description: "Changes take effect late. etcd's disk, a webhook, or a client with too many requests slows it down.",
		},
	}
}

func dnsErrors() Alert {
	return Alert{
		Name: "KubernetesDNSErrors", For: "10m", Severity: Warning,
		Expr:        share("coredns_dns_responses_total", coreDNS, `rcode="SERVFAIL"`, "job") + ` > 0.05`,
		Summary:     `CoreDNS cannot answer {{ $value | humanizePercentage }} of all questions.`,
		Description: "Connections by name fail now and then. The name servers outside may not answer, or CoreDNS has lost the API server.",
	}
}

// workloadAlerts are about pods and what keeps them.
func workloadAlerts() []Alert {
	return []Alert{
		{
			Name: "KubernetesPodCrashLooping", For: "10m", Severity: Warning,
			Expr: `max_over_time(kube_pod_container_status_waiting_reason{reason="CrashLoopBackOff"}[5m]) == 1`,
			Summary: `Container {{ $labels.container }} of pod ` + object + `{{ $labels.pod }} ends again and again ` +
				`soon after its start.`,
			Description: "Kubernetes waits longer before each new start. What the pod is for is missing meanwhile.",
		},
		{
			Name: "KubernetesPodNotReady", For: "15m", Severity: Warning,
			Expr: `max by (namespace, pod) (kube_pod_status_ready{condition=~"false|unknown"}) == 1 and on (namespace, pod) ` +
				`max by (namespace, pod) (kube_pod_status_phase{phase=~"Pending|Running|Unknown"}) == 1`,
			Summary:     `Pod ` + object + `{{ $labels.pod }} has not been ready for 15 minutes.`,
			Description: "It cannot be scheduled, does not start, or its probe fails: it gets no requests.",
		},
		{
			Name: "KubernetesDeploymentIncomplete", For: "15m", Severity: Warning,
			Expr:        `kube_deployment_spec_replicas - kube_deployment_status_replicas_available > 0`,
			Summary:     `Deployment ` + object + `{{ $labels.deployment }}: ` + replica + `.`,
			Description: "It works with fewer pods than it should: there is less for a failure, or for load.",
		},
		{
			Name: "KubernetesStatefulSetIncomplete", For: "15m", Severity: Warning,
			Expr:        `kube_statefulset_replicas - kube_statefulset_status_replicas_ready > 0`,
			Summary:     `StatefulSet ` + object + `{{ $labels.statefulset }}: ` + replica + `.`,
			Description: "It works with fewer pods than it should: the next failure may stop it.",
		},
		{
			Name: "KubernetesDaemonSetIncomplete", For: "15m", Severity: Warning,
			Expr:        `kube_daemonset_status_desired_number_scheduled - kube_daemonset_status_number_available > 0`,
			Summary:     `DaemonSet ` + object + `{{ $labels.daemonset }} is missing on {{ $value }} nodes.`,
			Description: "What it does for its nodes, such as their network or their metrics, does not happen there.",
		},
		{
			Name: "KubernetesDisruptionBudgetAtLimit", For: "15m", Severity: Warning,
			Expr:        `kube_poddisruptionbudget_status_current_healthy < kube_poddisruptionbudget_status_desired_healthy`,
			Summary:     `Pods of disruption budget ` + object + `{{ $labels.poddisruptionbudget }} are fewer than it asks for.`,
			Description: "No node with one of these pods can be drained, so updates of nodes wait; another failure may be an outage.",
		},
		{
			Name: "KubernetesJobFailed", For: "5m", Severity: Warning,
			Expr:        `kube_job_failed{condition="true"} == 1`,
			Summary:     `Job ` + object + `{{ $labels.job_name }} has failed.`,
			Description: "What it should have done has not been done, or not all of it. The alert ends when the Job is deleted.",
		},
		{
			Name: "KubernetesAutoscalerAtMaximum", For: "30m", Severity: Warning,
			Expr: `kube_horizontalpodautoscaler_status_current_replicas >= kube_horizontalpodautoscaler_spec_max_replicas ` +
				`and kube_horizontalpodautoscaler_spec_max_replicas > kube_horizontalpodautoscaler_spec_min_replicas`,
			Summary:     `Autoscaler ` + object + `{{ $labels.horizontalpodautoscaler }} has had its maximum of {{ $value }} pods for half an hour.`,
			Description: "More load than now makes it slow. The maximum may have to be raised, or something asks too much.",
		},
	}
}

// volumeAlerts are for all volumes but those of databases, which have their own.
func volumeAlerts() []Alert {
	const others = `namespace!="postgresql"`
	// Prometheus fills its volumes up to its retention by size, and no further: they are full enough for the alert for good.
	const growing = others + `, persistentvolumeclaim!~"prometheus-platform-db-.+"`
	return []Alert{
		{
			Name: "KubernetesVolumeFilling", For: "30m", Severity: Warning,
			Expr:        volumeFilling(growing),
			Summary:     `Volume ` + object + `{{ $labels.persistentvolumeclaim }} has {{ $value | humanizePercentage }} left and will be full within four days.`,
			Description: "What writes to it fails when it is full.",
		},
		{
			Name: "KubernetesVolumeFull", For: "5m", Severity: Critical,
			Expr:        volumeLeft(others) + ` < 0.03`,
			Summary:     `Volume ` + object + `{{ $labels.persistentvolumeclaim }} has only {{ $value | humanizePercentage }} left.`,
			Description: "What writes to it fails, now or soon.",
		},
	}
}

func etcdAlerts() []Alert {
	return []Alert{
		{
			Name: "KubernetesEtcdNoLeader", For: "2m", Severity: Critical,
			Expr:        `etcd_server_has_leader{` + etcd + `} == 0`,
			Summary:     `Member {{ $labels.instance }} of etcd has no leader: the cluster cannot be changed through it.`,
			Description: "Without a leader nothing can be written, so Kubernetes stands still. Pods go on to run.",
		},
		{
			Name: "KubernetesEtcdSlow", For: "10m", Severity: Warning,
			Expr:        quantile(0.99, "etcd_disk_wal_fsync_duration_seconds_bucket", etcd, "instance") + ` > 0.5`,
			Summary:     `The disk of etcd at {{ $labels.instance }} takes {{ $value | humanizeDuration }} to store what it is given.`,
			Description: "The Kubernetes API becomes slow, and leaders are elected again and again.",
		},
		{
			Name: "KubernetesEtcdFull", For: "10m", Severity: Critical,
			Expr:        `etcd_mvcc_db_total_size_in_bytes{` + etcd + `} / etcd_server_quota_backend_bytes{` + etcd + `} > 0.85`,
			Summary:     `Member {{ $labels.instance }} of etcd has used {{ $value | humanizePercentage }} of the space that it may use.`,
			Description: "When all is used it refuses every change, until it is made smaller by hand.",
		},
	}
}
