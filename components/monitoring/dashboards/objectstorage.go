package dashboards

import "fmt"

// inMinIO selects the metrics of the object storage. Every server tells of all, and once more of itself: the highest of what
// is told of a server counts.
const inMinIO = `namespace="minio"`

// perServer is the rate of a counter by labels, with each server counted once.
func perServer(counter, labels string) string {
	by := ""
	if labels != "" {
		by = ", " + labels
	}
	return fmt.Sprintf(`sum by (%s) (max by (server%s) (rate(%s{%s}[$__rate_interval])))`, labels, by, counter, inMinIO)
}

func objectStorage(b *board, _ Args) {
	b.every = "1m"
	b.about("Whether MinIO has the drives that it needs to read and write, how full it is, and how fast it answers.")
	b.row("Availability")
	b.number(sixth, chart{
		title: "Cluster", unit: count, limits: highIsGood(1), words: upDown("Healthy", "Down"),
		says:    "Whether it can read and write.",
		queries: []query{{expr: `max(minio_cluster_health_status{` + inMinIO + `}) or vector(0)`}},
	})
	b.number(sixth, chart{
		title: "Servers offline", unit: count, limits: lowIsGood(1),
		says:    "Good is 0. Up to half of them less one can be lost.",
		queries: []query{{expr: `max(minio_cluster_nodes_offline_total{` + inMinIO + `})`}},
	})
	b.number(sixth, chart{
		title: "Drives offline", unit: count, limits: lowIsGood(1), says: "Good is 0.",
		queries: []query{{expr: `max(minio_cluster_drive_offline_total{` + inMinIO + `})`}},
	})
	b.number(sixth, chart{
		title: "Drives to spare", unit: count, limits: highIsGood(1, 2),
		says: "How many more drives may go until nothing can be written any more. Good is 2 and more.",
		queries: []query{{
			expr: `min(minio_cluster_health_erasure_set_online_drives{` + inMinIO +
				`} - minio_cluster_health_erasure_set_write_quorum{` + inMinIO + `})`,
		}},
	})
	b.number(sixth, chart{
		title: "Healing", unit: count, limits: &limits{good, []limit{{1, doubtful}}},
		says:    "Drives that are being filled again after a loss. Good is 0.",
		queries: []query{{expr: `max(minio_cluster_health_erasure_set_healing_drives{` + inMinIO + `})`}},
	})
	b.number(sixth, chart{
		title: "Space in use", unit: ratio, limits: lowIsGood(0.75, 0.85), says: "Of what can be used. Good is below 75 %.",
		queries: []query{{
			expr: `1 - max(minio_cluster_capacity_usable_free_bytes{` + inMinIO + `}) ` +
				`/ max(minio_cluster_capacity_usable_total_bytes{` + inMinIO + `})`,
		}},
	})
	b.row("Requests")
	b.lines(third, chart{
		title: "Requests", unit: requests, says: "Requests by operation. Good is what is usual for the hour.",
		queries: []query{{perServer("minio_s3_requests_total", "api"), "{{api}}"}},
	})
	b.lines(third, chart{
		title: "Errors", unit: requests, limits: lowIsGood(0.1),
		says: "Requests that MinIO failed, and those that it refused. Good is none failed.",
		queries: []query{{perServer("minio_s3_requests_5xx_errors_total", "api") + " > 0", "{{api}} failed"},
			{perServer("minio_s3_requests_4xx_errors_total", "api") + " > 0", "{{api}} refused"}},
	})
	b.lines(third, chart{
		title: "Time to the first byte", unit: seconds, limits: lowIsGood(1),
		says: "95 of 100 requests take less, by operation. Good is below a quarter of a second.",
		queries: []query{{
			`histogram_quantile(0.95, ` + perServer("minio_s3_requests_ttfb_seconds_distribution", "le, api") +
				`)`, "{{api}}",
		}},
	})
	b.lines(third, chart{
		title: "Traffic", unit: byteRate, says: "What clients send and get. Good is what is usual for the hour.",
		queries: []query{{`sum(max by (server) (rate(minio_s3_traffic_received_bytes{` + inMinIO + `}[$__rate_interval])))`, "received"},
			{`sum(max by (server) (rate(minio_s3_traffic_sent_bytes{` + inMinIO + `}[$__rate_interval])))`, "sent"}},
	})
	b.lines(third, chart{
		title: "Waiting", unit: count, limits: lowIsGood(10), says: "Requests that wait for a free server. Good is 0.",
		queries: []query{{`sum(max by (server) (minio_s3_requests_waiting_total{` + inMinIO + `}))`, "waiting"}},
	})
	b.lines(third, chart{
		title: "Refused logins", unit: requests, limits: lowIsGood(1),
		says: "Requests with keys that are unknown or do not fit. Good is 0.",
		queries: []query{{
			`max by (server) (rate(minio_s3_requests_rejected_auth_total{` + inMinIO + `}[$__rate_interval]))`, "{{server}}",
		}},
	})
	b.row("Servers")
	b.lines(third, chart{
		title: "Drives", unit: ratio, upTo: 1, limits: lowIsGood(0.85), says: "How full each drive is. Good is below 85 %.",
		queries: []query{{
			`max by (server, drive) (minio_node_drive_used_bytes{` + inMinIO + `} / minio_node_drive_total_bytes{` +
				inMinIO + `})`, "{{server}} {{drive}}",
		}},
	})
	b.lines(third, chart{
		title: "Latency of drives", unit: micros,
		says: "How long drives take, of their slowest operation. Good is the same for all: one that is slower is about to " +
			"fail.",
		queries: []query{{`max by (server, drive) (minio_node_drive_latency_us{` + inMinIO + `})`, "{{server}} {{drive}}"}},
	})
	b.lines(third, chart{
		title: "Memory", unit: bytesIEC, says: "Memory of each server. Good is an even line.",
		queries: []query{{`max by (server) (minio_node_process_resident_memory_bytes{` + inMinIO + `})`, "{{server}}"}},
	})
}
