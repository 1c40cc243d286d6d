package dashboards

// Selections of database instances and of the cluster that is chosen: the job of a PodMonitor is <namespace>/<its name>.
const (
	pgCluster = `namespace="postgresql", job=~"$cluster"`
	pgVolumes = `namespace="postgresql", persistentvolumeclaim=~".+"`
)

func postgresql(b *board, a Args) {
	b.about("Whether the databases have a primary and current replicas, and how near they are to their limits.")
	b.choice("cluster", "Cluster", `label_values(cnpg_collector_up{namespace="postgresql"}, job)`)
	b.row("Availability")
	b.number(quarter, chart{
		title: "Instances that answer", unit: count, limits: highIsGood(1),
		says:    "Instances by cluster. Good is all that are configured.",
		queries: []query{{`sum by (job) (cnpg_collector_up{` + pgCluster + `})`, "{{job}}"}},
	})
	b.number(quarter, chart{
		title: "Primaries", unit: count, limits: &limits{bad, []limit{{1, good}, {2, bad}}},
		says: "Instances that take writes, by cluster. Good is exactly 1.",
		queries: []query{{
			`count by (job) (cnpg_pg_replication_in_recovery{` + pgCluster + `} == 0) ` +
				`or sum by (job) (cnpg_collector_up{` + pgCluster + `}) * 0`, "{{job}}",
		}},
	})
	b.number(quarter, chart{
		title: "Replication lag", unit: seconds, limits: lowIsGood(10, 60),
		says:    "How far the last replica is behind its primary. Good is below ten seconds.",
		queries: []query{{`max by (job) (cnpg_pg_replication_lag{` + pgCluster + `})`, "{{job}}"}},
	})
	b.number(quarter, chart{
		title: "Connections in use", unit: ratio, limits: lowIsGood(0.7, 0.8),
		says:    "Of those that the server allows, on the fullest instance. Good is below 70 %.",
		queries: []query{{`max by (job) (` + pgConnectionShare + `)`, "{{job}}"}},
	})
	b.lines(half, chart{
		title: "Replication lag", unit: seconds, limits: lowIsGood(60),
		says: "How far each replica is behind. Good is below ten seconds; peaks of a load are no harm.",
		queries: []query{{
			`cnpg_pg_replication_lag{` + pgCluster + `} and on (namespace, pod) cnpg_pg_replication_in_recovery{` +
				pgCluster + `} == 1`, "{{pod}}",
		}},
	})
	b.lines(half, chart{
		title: "Streaming replicas", unit: count,
		says:    "Replicas that follow, as the primary sees it. Good is one less than the cluster has instances.",
		queries: []query{{`max by (job) (cnpg_pg_replication_streaming_replicas{` + pgCluster + `})`, "{{job}}"}},
	})
	b.row("Work")
	b.lines(third, chart{
		title: "Transactions", unit: perSecond,
		says: "Transactions that end, by database. Good is what is usual for the hour.",
		queries: []query{{rateBy("datname", "cnpg_pg_stat_database_xact_commit", pgCluster+`, datname!=""`), "{{datname}}"},
			{rateBy("datname", "cnpg_pg_stat_database_xact_rollback", pgCluster+`, datname!=""`) + ` > 0`, "{{datname}} rolled back"}},
	})
	b.lines(third, chart{
		title: "Connections", unit: count, stacked: true,
		says:    "Connections by what they do. Good: few idle in transaction, since these hold locks.",
		queries: []query{{`sum by (state) (cnpg_backends_total{` + pgCluster + `})`, "{{state}}"}},
	})
	b.lines(third, chart{
		title: "Longest transaction", unit: seconds, limits: lowIsGood(300),
		says: "The oldest open transaction by database. Good is below five minutes: an old one keeps tables from being " +
			"cleaned.",
		queries: []query{{`max by (datname) (cnpg_backends_max_tx_duration_seconds{` + pgCluster + `})`, "{{datname}}"}},
	})
	b.lines(third, chart{
		title: "Waiting for locks", unit: count, limits: lowIsGood(10),
		says:    "Connections that wait for others. Good is 0 most of the time.",
		queries: []query{{`sum by (job) (cnpg_backends_waiting_total{` + pgCluster + `})`, "{{job}}"}},
	})
	b.lines(third, chart{
		title: "Found in memory", unit: ratio, upTo: 1,
		says: "Blocks that need no disk. Good is above 99 % once a server has run for a while.",
		queries: []query{{`sum by (datname) (rate(cnpg_pg_stat_database_blks_hit{` + pgCluster + `, datname!=""}[$__rate_interval])) / ` +
			`(sum by (datname) (rate(cnpg_pg_stat_database_blks_hit{` + pgCluster + `, datname!=""}[$__rate_interval])) + ` +
			`sum by (datname) (rate(cnpg_pg_stat_database_blks_read{` + pgCluster + `, datname!=""}[$__rate_interval])) > 0)`, "{{datname}}"}},
	})
	b.lines(third, chart{
		title: "Deadlocks", unit: perSecond, limits: lowIsGood(0.1),
		says:    "Transactions that PostgreSQL ended because each waited for the other. Good is 0.",
		queries: []query{{rateBy("datname", "cnpg_pg_stat_database_deadlocks", pgCluster+`, datname!=""`), "{{datname}}"}},
	})
	b.databaseSpace(a)
	if a.Pooler {
		b.pooler()
	}
}

// pgConnectionShare is the share of an instance's connections that are in use.
const pgConnectionShare = `sum by (job, pod) (cnpg_backends_total{` + pgCluster + `}) / ` +
	`max by (job, pod) (cnpg_pg_settings_setting{` + pgCluster + `, name="max_connections"})`

// databaseSpace is about disks, and about what is saved elsewhere.
func (b *board) databaseSpace(a Args) {
	b.row("Space and backups")
	b.lines(third, chart{
		title: "Volumes", unit: ratio, upTo: 1, limits: lowIsGood(0.85),
		says: "How full the volumes are. Good is below 85 %: a full one stops its instance.",
		queries: []query{{
			`max by (persistentvolumeclaim) (kubelet_volume_stats_used_bytes{` + pgVolumes +
				`} / kubelet_volume_stats_capacity_bytes{` + pgVolumes + `})`, "{{persistentvolumeclaim}}",
		}},
	})
	b.lines(third, chart{
		title: "Databases", unit: bytesIEC, says: "The size of each database. Good is slow growth.",
		queries: []query{{`max by (datname) (cnpg_pg_database_size_bytes{` + pgCluster + `})`, "{{datname}}"}},
	})
	b.lines(third, chart{
		title: "Write-ahead log", unit: bytesIEC,
		says:    "What is kept of the log. It grows while archiving fails or a replica is gone. Good is an even line.",
		queries: []query{{`max by (pod) (cnpg_collector_pg_wal{` + pgCluster + `, value="size"})`, "{{pod}}"}},
	})
	if !a.Backups {
		return
	}
	b.number(third, chart{
		title: "Age of the last backup", unit: seconds, limits: lowIsGood(26*60*60, 50*60*60), empty: "No backup yet",
		says: "Good is less than a day and two hours, with a backup a day.",
		queries: []query{{`time() - max by (job) (barman_cloud_cloudnative_pg_io_last_available_backup_timestamp{` + pgCluster + `} > 0)`,
			"{{job}}"}},
	})
	b.number(third, chart{
		title: "Since the last archived log", unit: seconds, limits: lowIsGood(15*60, 60*60),
		says: "What would be lost with the primary's disk. Good is below 15 minutes.",
		queries: []query{{`max by (job) (cnpg_pg_stat_archiver_seconds_since_last_archival{` + pgCluster + `} ` +
			`and on (namespace, pod) cnpg_pg_replication_in_recovery{` + pgCluster + `} == 0)`,
			"{{job}}"}},
	})
	b.number(third, chart{
		title: "Failed to archive", unit: count, limits: lowIsGood(1),
		says:    "Files of the log that could not be archived within an hour. Good is 0.",
		queries: []query{{`sum by (job) (increase(cnpg_pg_stat_archiver_failed_count{` + pgCluster + `}[1h]))`, "{{job}}"}},
	})
}

func (b *board) pooler() {
	b.row("Pooler")
	b.lines(third, chart{
		title: "Clients", unit: count, stacked: true, says: "Connections of clients. Good: none waits.",
		queries: []query{{`sum by (database) (cnpg_pgbouncer_pools_cl_active{namespace="postgresql"})`, "{{database}} active"},
			{`sum by (database) (cnpg_pgbouncer_pools_cl_waiting{namespace="postgresql"})`, "{{database}} waiting"}},
	})
	b.lines(third, chart{
		title: "Connections to the server", unit: count, says: "What clients share. Good is below what the pooler may open.",
		queries: []query{{`sum by (database) (cnpg_pgbouncer_pools_sv_active{namespace="postgresql"})`, "{{database}} active"},
			{`sum by (database) (cnpg_pgbouncer_pools_sv_idle{namespace="postgresql"})`, "{{database}} idle"}},
	})
	b.lines(third, chart{
		title: "Longest wait", unit: seconds, limits: lowIsGood(1),
		says:    "How long a client has waited for a connection. Good is below a second.",
		queries: []query{{`max by (database) (cnpg_pgbouncer_pools_maxwait{namespace="postgresql"})`, "{{database}}"}},
	})
}
