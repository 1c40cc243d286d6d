package rules

// valkey watches the servers, sentinels and proxies.
func valkey(a Args) Group {
	g := Group{Name: Valkey, Namespace: "valkey"}
	if !a.Valkey {
		return g
	}
	g.Alerts = []Alert{
		targetDown("Valkey", "the cache", `namespace="valkey"`, "valkey"),
		{
			Name: "ValkeyNoPrimary", For: "2m", Severity: Critical,
			Expr:        `(sum(redis_instance_info{namespace="valkey", role="master"}) or vector(0)) == 0`,
			Summary:     `Valkey has no primary: no client is served.`,
			Description: "Rate limits and sessions of gateways are not available. Sentinels elect another primary within seconds; they could not.",
		},
		{
			Name: "ValkeyProxiesDown", For: "2m", Severity: Critical,
			Expr:        `kube_deployment_status_replicas_available{namespace="valkey", deployment="valkey-proxies"} == 0`,
			Summary:     `None of the proxies before Valkey works: no client reaches it.`,
			Description: "Clients connect to valkey.valkey.svc, which is the proxies. Servers and data may be well.",
		},
		{
			Name: "ValkeyReplicasMissing", For: "10m", Severity: Warning,
			Expr:        `max(redis_connected_slaves{namespace="valkey"}) < max(kube_statefulset_replicas{namespace="valkey", statefulset="valkey"}) - 1`,
			Summary:     `Valkey's primary has only {{ $value }} replicas.`,
			Description: "The next failure may leave no server with the data.",
		},
		{
			Name: "ValkeyReplicationBroken", For: "5m", Severity: Warning,
			Expr:        `redis_master_link_up{namespace="valkey"} == 0`,
			Summary:     `Valkey server {{ $labels.pod }} does not follow the primary.`,
			Description: "What it has is getting older. It cannot take over without losing data.",
		},
		{
			Name: "ValkeySentinelsMissing", For: "10m", Severity: Warning,
			Expr: `kube_statefulset_status_replicas_ready{namespace="valkey", statefulset="valkey-sentinels"} <= ` +
				`kube_statefulset_replicas{namespace="valkey", statefulset="valkey-sentinels"} / 2`,
			Summary:     `Only {{ $value }} of Valkey's sentinels work: a primary that fails now is not replaced.`,
			Description: "An election needs more than half of them. Clients are served as long as the primary is well.",
		},
		{
			Name: "ValkeyMemoryHigh", For: "10m", Severity: Warning,
			Expr: `redis_memory_used_bytes{namespace="valkey"} / redis_memory_max_bytes{namespace="valkey"} > 0.9 ` +
				`and redis_memory_max_bytes{namespace="valkey"} > 0`,
			Summary:     `Valkey server {{ $labels.pod }} uses {{ $value | humanizePercentage }} of its memory.`,
			Description: "When it is full, entries are dropped before their time or writes are refused.",
		},
		{
			Name: "ValkeyConnectionsRejected", For: "5m", Severity: Warning,
			Expr:        `increase(redis_rejected_connections_total{namespace="valkey"}[10m]) > 0`,
			Summary:     `Valkey server {{ $labels.pod }} refuses clients: all of its connections are in use.`,
			Description: "Gateways cannot open connections. Something opens too many, or does not close them.",
		},
	}
	return g
}
