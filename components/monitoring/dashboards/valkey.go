package dashboards

func valkey(b *board, _ Args) {
	const all = `namespace="valkey", pod=~"$pod"`
	b.about("Whether the cache has a primary with replicas, how fast it is, and how near it is to its memory.")
	b.choice("pod", "Server", `label_values(redis_up{namespace="valkey"}, pod)`)
	b.row("Availability")
	b.number(quarter, chart{
		title: "Servers that answer", unit: count, limits: highIsGood(1), says: "Good is all that are configured.",
		queries: []query{{expr: `sum(redis_up{namespace="valkey"})`}},
	})
	b.number(quarter, chart{
		title: "Primaries", unit: count, limits: &limits{bad, []limit{{1, good}, {2, bad}}},
		says:    "Servers that take writes. Good is exactly 1; for the seconds of a failover it may be another number.",
		queries: []query{{expr: `sum(redis_instance_info{namespace="valkey", role="master"}) or vector(0)`}},
	})
	b.number(quarter, chart{
		title: "Replicas that follow", unit: count, says: "As the primary sees it. Good is one less than there are servers.",
		queries: []query{{expr: `max(redis_connected_slaves{namespace="valkey"})`}},
	})
	b.number(quarter, chart{
		title: "Memory in use", unit: ratio, limits: lowIsGood(0.8, 0.9),
		says:    "Of what a server may take, on the fullest. Good is below 80 %: beyond, it drops keys or refuses writes.",
		queries: []query{{expr: `max(redis_memory_used_bytes{` + all + `} / (redis_memory_max_bytes{` + all + `} > 0))`}},
	})
	b.states(half, chart{
		title: "Who was primary when", unit: count, limits: &limits{base: good},
		says:    "Good is one line at any time, and few changes.",
		queries: []query{{`sum by (pod) (redis_instance_info{` + all + `, role="master"})`, "{{pod}}"}},
	})
	b.lines(half, chart{
		title: "Replication lag", unit: seconds, limits: lowIsGood(10),
		says: "Since each replica was last heard of, as the primary sees it. Good is 0 or 1 second.",
		queries: []query{{
			`max by (pod, slave_ip) (redis_connected_slave_lag_seconds{` + all + `})`, "{{slave_ip}} behind {{pod}}",
		}},
	})
	b.row("Work")
	b.lines(third, chart{
		title: "Commands", unit: perSecond, says: "Commands by server. Good is what is usual for the hour.",
		queries: []query{{rateBy("pod", "redis_commands_processed_total", all), "{{pod}}"}},
	})
	b.lines(third, chart{
		title: "Mean time of a command", unit: seconds,
		says: "Inside the server, by command, of the ten slowest. Good is below a millisecond.",
		queries: []query{{`topk(10, sum by (cmd) (rate(redis_commands_duration_seconds_total{` + all + `}[$__rate_interval])) / ` +
			`(sum by (cmd) (rate(redis_commands_total{` + all + `}[$__rate_interval])) > 0))`, "{{cmd}}"}},
	})
	b.lines(third, chart{
		title: "Found in the cache", unit: ratio, upTo: 1,
		says: "Reads that found their key. What is good depends on the clients: rate limits mostly find theirs.",
		queries: []query{{`sum by (pod) (rate(redis_keyspace_hits_total{` + all + `}[$__rate_interval])) / ` +
			`(sum by (pod) (rate(redis_keyspace_hits_total{` + all + `}[$__rate_interval])) ` +
			`+ sum by (pod) (rate(redis_keyspace_misses_total{` + all + `}[$__rate_interval])) > 0)`, "{{pod}}"}},
	})
	b.row("Limits")
	b.lines(third, chart{
		title: "Memory", unit: bytesIEC, says: "Memory in use, and what a server may take. Good is well below the limit.",
		queries: []query{
			{`max by (pod) (redis_memory_used_bytes{` + all + `})`, "{{pod}}"},
			{`max(redis_memory_max_bytes{` + all + `})`, "limit"},
		},
	})
	b.lines(third, chart{
		title: "Clients", unit: count,
		says: "Connections, and how many a server takes. Good is an even line far below the limit.",
		queries: []query{
			{`max by (pod) (redis_connected_clients{` + all + `})`, "{{pod}}"},
			{`max(redis_max_clients{` + all + `})`, "limit"},
		},
	})
	b.lines(third, chart{
		title: "Refused and dropped", unit: perSecond, limits: lowIsGood(0.1),
		says: "Connections refused for want of room, and keys dropped for want of memory. Good is 0.",
		queries: []query{{rateBy("pod", "redis_rejected_connections_total", all), "{{pod}} refused"},
			{rateBy("pod", "redis_evicted_keys_total", all), "{{pod}} dropped"}},
	})
	b.lines(half, chart{
		title: "Keys", unit: count, says: "Keys by server. Good is the same number on all of them.",
		queries: []query{{`sum by (pod) (redis_db_keys{` + all + `})`, "{{pod}}"}},
	})
	b.lines(half, chart{
		title: "Network", unit: byteRate, says: "What servers receive and send. Good is what is usual for the hour.",
		queries: []query{{rateBy("pod", "redis_net_input_bytes_total", all), "{{pod}} in"},
			{rateBy("pod", "redis_net_output_bytes_total", all), "{{pod}} out"}},
	})
}
