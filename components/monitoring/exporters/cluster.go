package exporters

import (
	"net"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/telekom/controlplane-infrastructure/components/monitoring/names"
	"github.com/telekom/controlplane-infrastructure/internal/flow"
)

// scrapeClass is the scrape class of what belongs to Kubernetes itself.
const scrapeClass = "kubernetes"

// ScrapeClass is an entry of the scrapeClasses of the custom resource Prometheus: its service account's token, and the
// authority of the cluster.
func ScrapeClass() map[string]any {
	const account = "/var/run/secrets/kubernetes.io/serviceaccount/"
	return map[string]any{
		"name":          scrapeClass,
		"tlsConfig":     map[string]any{"caFile": account + "ca.crt"},
		"authorization": map[string]any{"type": "Bearer", "credentialsFile": account + "token"},
	}
}

// kubelets are read at each of their paths: what they know of themselves and of volumes, what containers use, and how
// their probes end. The label metrics_path tells them apart.
func (a Args) kubelets() []runtime.Object {
	kubelet := func(name, path string, drop ...any) runtime.Object {
		spec := map[string]any{
			"jobName": kubeletJob, "scrapeClass": scrapeClass, "scheme": "HTTPS", "metricsPath": path,
			"kubernetesSDConfigs": []any{map[string]any{"role": "Node"}},
			"relabelings":         append(byNode("__meta_kubernetes_node_name"), copyLabel("__metrics_path__", "metrics_path")),
		}
		if a.SkipKubeletVerification {
			spec["tlsConfig"] = map[string]any{"insecureSkipVerify": true}
		}
		if len(drop) > 0 {
			spec["metricRelabelings"] = drop
		}
		return scrapeConfig(name, kubeletJob, spec)
	}
	return []runtime.Object{
		kubelet("kubelet", "/metrics", dropMetrics(unusedOfKubelets)),
		kubelet("kubelet-cadvisor", "/metrics/cadvisor", dropMetrics(unusedOfContainers), withoutPod()),
		kubelet("kubelet-probes", "/metrics/probes"),
	}
}

const (
	// What takes many series and answers no question of the platform's operators.
	unusedOfKubelets = `(kubelet_(http_requests_duration|runtime_operations_duration|docker_operations_duration|` +
		`pleg_relist_interval)_seconds|csi_operations_seconds|storage_operation_duration_seconds|` +
		`rest_client_(rate_limiter_duration|request_duration)_seconds|rest_client_(request|response)_size_bytes|` +
		`workqueue_(queue|work)_duration_seconds)_bucket|apiserver_.*|authentication_.*|authorization_.*|` +
		`kubernetes_feature_enabled`
	unusedOfContainers = `container_(blkio_device_usage_total|file_descriptors|last_seen|memory_(failcnt|failures_total|` +
		`mapped_file|max_usage_bytes|swap)|network_(tcp6?|udp6?|advance_tcp_stats).*|processes|sockets|spec_.*|tasks_state|` +
		`threads.*|ulimits_soft|fs_(inodes.*|io_.*|read_seconds.*|write_seconds.*|sector.*|.*_merged_total)|` +
		`cpu_(load_average_10s|system_seconds_total|user_seconds_total)|hugetlb_.*|llc_.*|perf_.*)`
	unusedOfAPIServers = `(apiserver_(request_(sli|slo)_duration_seconds|request_body_size_bytes|response_sizes|` +
		`watch_events_sizes|watch_list_duration_seconds|flowcontrol_.*|admission_(step|controller)_.*|` +
		`watch_cache_.*|storage_.*|cel_.*|validating_admission_.*)|etcd_request_duration_seconds|` +
		`rest_client_.*|workqueue_.*|field_validation_.*|authentication_.*|authorization_.*)_bucket|` +
		`kubernetes_feature_enabled`
)

// withoutPod drops what groups of processes use that are no pod's, such as the whole node, which would be counted twice
// when series are added up.
func withoutPod() map[string]any {
	return map[string]any{"action": "drop", "sourceLabels": []any{"__name__", "pod"}, "regex": "container_.*;"}
}

// apiServer reads each API server, by the Service that every cluster has.
func apiServer() runtime.Object {
	return monitor("ServiceMonitor", names.Namespace, apiServerJob, map[string]any{
		"scrapeClass":       scrapeClass,
		"selector":          selecting(map[string]string{"component": "apiserver", "provider": "kubernetes"}),
		"namespaceSelector": inNamespace("default"),
		"endpoints": []any{map[string]any{
			"port": "https", "scheme": "https", "tlsConfig": map[string]any{"serverName": "kubernetes"},
			"relabelings":       []any{setJob(apiServerJob)},
			"metricRelabelings": []any{dropMetrics(unusedOfAPIServers)},
		}},
	})
}

// coreDNS reads the pods, as not every cluster has a Service with their port.
func coreDNS(pods flow.Peer) runtime.Object {
	return monitor("PodMonitor", names.Namespace, coreDNSJob, map[string]any{
		"selector":          selecting(pods.Pods),
		"namespaceSelector": inNamespace(pods.Namespace),
		"podMetricsEndpoints": []any{map[string]any{
			"portNumber": int64(coreDNSPort), "relabelings": []any{setJob(coreDNSJob)},
			"metricRelabelings": []any{dropMetrics("coredns_dns_(request|response)_size_bytes_bucket")},
		}},
	})
}

// scrapeConfig reads the members of etcd.
func (e Etcd) scrapeConfig() runtime.Object {
	var targets []any
	for _, address := range e.Endpoints {
		targets = append(targets, net.JoinHostPort(address, strconv.Itoa(e.Port)))
	}
	tls := map[string]any{
		"ca":        map[string]any{"secret": key(e.ClientSecret, "ca.crt")},
		"cert":      map[string]any{"secret": key(e.ClientSecret, corev1.TLSCertKey)},
		"keySecret": key(e.ClientSecret, corev1.TLSPrivateKeyKey),
	}
	if e.ServerName != "" {
		tls["serverName"] = e.ServerName
	}
	return scrapeConfig(etcdJob, etcdJob, map[string]any{
		"jobName": etcdJob, "scheme": "HTTPS", "tlsConfig": tls,
		"staticConfigs":     []any{map[string]any{"targets": targets}},
		"metricRelabelings": []any{dropMetrics(`etcd_debugging_.*|grpc_server_(handling_seconds|msg_.*)_bucket`)},
	})
}
