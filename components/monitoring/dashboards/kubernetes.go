package dashboards

import "fmt"

func kubernetes(b *board, a Args) {
	b.about("Whether workloads have the pods that they should, volumes have room, and the API server and DNS answer.")
	b.choice("namespace", "Namespace", `label_values(kube_pod_status_phase, namespace)`)
	const chosenOnes = `namespace=~"$namespace"`
	b.row("Workloads")
	b.number(quarter, chart{
		title: "Pods not ready", unit: count, limits: lowIsGood(1, 5),
		says: "Pods that should serve and do not. Good is 0, but for the minutes of an update.",
		queries: []query{{
			expr: `sum(kube_pod_status_ready{` + chosenOnes + `, condition="false"} and ` +
				`on (namespace, pod) kube_pod_status_phase{phase="Running"} == 1) or vector(0)`,
		}},
	})
	b.number(quarter, chart{
		title: "Pods that cannot start", unit: count, limits: lowIsGood(1, 3),
		says:    "Pods that are pending. Good is 0: else there is no room, or a volume or an image is missing.",
		queries: []query{{expr: `sum(kube_pod_status_phase{` + chosenOnes + `, phase="Pending"}) or vector(0)`}},
	})
	b.number(quarter, chart{
		title: "Restarts", unit: count, limits: lowIsGood(3, 10), says: "Restarts of containers within an hour. Good is 0.",
		queries: []query{{
			expr: `sum(round(increase(kube_pod_container_status_restarts_total{` + chosenOnes + `}[1h]))) or vector(0)`,
		}},
	})
	b.number(quarter, chart{
		title: "Failed jobs", unit: count, limits: lowIsGood(1), says: "Jobs with a pod that failed. Good is 0.",
		queries: []query{{expr: `count(kube_job_status_failed{` + chosenOnes + `} > 0) or vector(0)`}},
	})
	b.list(half, chart{
		title: "Deployments with missing replicas", unit: count, empty: "All are complete", limits: lowIsGood(1),
		says: "What they lack. Good is an empty list.",
		queries: []query{{
			expr: `max by (namespace, deployment) (kube_deployment_spec_replicas{` + chosenOnes +
				`} - kube_deployment_status_replicas_available{` + chosenOnes + `}) > 0`,
		}},
		columns: []column{{"namespace", "Namespace"}, {"deployment", "Deployment"}, {value, "Missing"}},
	})
	b.list(half, chart{
		title: "StatefulSets with missing replicas", unit: count, empty: "All are complete", limits: lowIsGood(1),
		says: "What they lack. Good is an empty list.",
		queries: []query{{
			expr: `max by (namespace, statefulset) (kube_statefulset_replicas{` + chosenOnes +
				`} - kube_statefulset_status_replicas_ready{` + chosenOnes + `}) > 0`,
		}},
		columns: []column{{"namespace", "Namespace"}, {"statefulset", "StatefulSet"}, {value, "Missing"}},
	})
	b.lines(third, chart{
		title: "Processor", unit: count, stacked: true,
		says: "Processors in use, by namespace. Good is well below what nodes have.",
		queries: []query{{
			rateBy("namespace", "container_cpu_usage_seconds_total", chosenOnes+`, container!=""`), "{{namespace}}",
		}},
	})
	b.lines(third, chart{
		title: "Memory", unit: bytesIEC, stacked: true,
		says: "Memory in use, by namespace. Good is well below what nodes have.",
		queries: []query{{
			`sum by (namespace) (container_memory_working_set_bytes{` + chosenOnes + `, container!=""})`, "{{namespace}}",
		}},
	})
	b.lines(third, chart{
		title: "Volumes", unit: ratio, upTo: 1, limits: lowIsGood(0.85),
		says: "How full the ten fullest volumes are. Good is below 85 %.",
		queries: []query{{`topk(10, max by (namespace, persistentvolumeclaim) (kubelet_volume_stats_used_bytes{` + chosenOnes + `} ` +
			`/ kubelet_volume_stats_capacity_bytes{` + chosenOnes + `}))`,
			"{{namespace}} {{persistentvolumeclaim}}"}},
	})
	b.controlPlaneOfKubernetes(a)
}

// controlPlaneOfKubernetes is about the API server, etcd and DNS.
func (b *board) controlPlaneOfKubernetes(a Args) {
	const apiServer = `job="apiserver"`
	b.row("API server")
	b.lines(third, chart{
		title: "Requests", unit: requests, says: "Requests by verb. Good is what is usual for the hour.",
		queries: []query{{rateBy("verb", "apiserver_request_total", apiServer), "{{verb}}"}},
	})
	b.lines(third, chart{
		title: "Errors", unit: ratio, limits: lowIsGood(0.05),
		says:    "The share of requests that the API server failed, by verb. Good is below 1 %.",
		queries: []query{{errorShare("apiserver_request_total", "verb", apiServer), "{{verb}}"}},
	})
	b.lines(third, chart{
		title: "Duration", unit: seconds, limits: lowIsGood(1),
		says: "95 of 100 requests take less, without those that watch. Good is below a second.",
		queries: []query{{
			quantile(0.95, "apiserver_request_duration_seconds", apiServer+`, verb!~"WATCH|CONNECT"`, "verb"), "{{verb}}",
		}},
	})
	if a.Etcd {
		b.row("etcd")
		b.lines(third, chart{
			title: "Members with a leader", unit: count, says: "Good is all members.",
			queries: []query{{`sum(etcd_server_has_leader{job="etcd"})`, "with a leader"}},
		})
		b.lines(third, chart{
			title: "Writing to disk", unit: seconds, limits: lowIsGood(0.1),
			says: "99 of 100 writes take less. Good is below ten milliseconds: slow disks make the whole cluster slow.",
			queries: []query{{
				quantile(0.99, "etcd_disk_wal_fsync_duration_seconds", `job="etcd"`, "instance"), "{{instance}}",
			}},
		})
		b.lines(third, chart{
			title: "Database", unit: bytesIEC,
			says: "The size of the database, and how large it may become. Good is below 80 % of that.",
			queries: []query{
				{`max by (instance) (etcd_mvcc_db_total_size_in_bytes{job="etcd"})`, "{{instance}}"},
				{`max(etcd_server_quota_backend_bytes{job="etcd"})`, "limit"},
			},
		})
	}
	b.row("DNS")
	b.lines(half, chart{
		title: "Answers", unit: requests, says: "By code. Good: no SERVFAIL. NXDOMAIN is what search lists ask for.",
		queries: []query{{rateBy("rcode", "coredns_dns_responses_total", `job="coredns"`), "{{rcode}}"}},
	})
	b.lines(half, chart{
		title: "Duration", unit: seconds, limits: lowIsGood(0.1),
		says:    "95 of 100 answers come sooner. Good is a few milliseconds.",
		queries: []query{{quantile(0.95, "coredns_dns_request_duration_seconds", `job="coredns"`, ""), "0.95"}},
	})
}

// errorShare is the share of answers with a status of 500 and above; 0 where there are answers, but no errors.
func errorShare(metric, by, selection string) string {
	all, failed := rateBy(by, metric, selection), rateBy(by, metric, selection+`, code=~"5.."`)
	return fmt.Sprintf(`(%s or %s * 0) / (%s > 0)`, failed, all, all)
}
