package rules

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

const database = `{{ reReplaceAll "^postgresql/" "" $labels.job }}`

// postgresql watches CloudNativePG and its clusters, which the label job tells apart: postgresql/<cluster>.
func postgresql(a Args) Group {
	g := Group{Name: PostgreSQL, Namespace: "postgresql"}
	if len(a.PostgreSQL) == 0 {
		return g
	}
	g.Alerts = slices.Concat(postgresqlService(a), postgresqlState())
	if a.Backups {
		g.Alerts = append(g.Alerts, postgresqlBackups()...)
	}
	if a.Pooler {
		g.Alerts = append(g.Alerts, Alert{
			Name: "PostgreSQLPoolerWaiting", For: "5m", Severity: Warning,
			Expr: `max by (job, database) (cnpg_pgbouncer_pools_maxwait{namespace="postgresql"}) > 5`,
			Summary: `Clients wait for {{ $value | humanizeDuration }} at pooler ` + database +
				` for a connection to database {{ $labels.database }}.`,
			Description: "All connections that the pooler may open are in use, by long transactions or by too many clients.",
		})
	}
	return g
}

// postgresqlService is about whether clients are served.
func postgresqlService(a Args) []Alert {
	alerts := []Alert{
		targetDown("PostgreSQL", "the databases or their operator", `namespace=~"postgresql|cnpg-system"`, "postgresql"),
		{
			Name: "PostgreSQLNoPrimary", For: "2m", Severity: Critical,
			Expr:        `(` + primaries(a.PostgreSQL) + `) == 0`,
			Summary:     `Database cluster ` + database + ` has no primary: nothing can be written.`,
			Description: "Iris, gateways and whoever else keeps data in this cluster fail. A failover takes less than a minute; this one did not happen.",
		},
		{
			Name: "PostgreSQLOperatorDown", For: "10m", Severity: Warning,
			Expr:        `kube_deployment_status_replicas_available{namespace="cnpg-system"} == 0`,
			Summary:     `Deployment {{ $labels.deployment }} in namespace cnpg-system has no pod that works.`,
			Description: "Databases go on to work, but a primary that fails now is not replaced, and no backup begins.",
		},
	}
	if expr := replicasMissing(a.PostgreSQL); expr != "" {
		alerts = append(alerts, Alert{
			Name: "PostgreSQLReplicaMissing", For: "15m", Severity: Warning, Expr: expr,
			Summary:     `Database cluster ` + database + ` has only {{ $value }} replicas that follow its primary.`,
			Description: "With fewer replicas the next failure may stop the database, or its writes where they wait for a replica.",
		})
	}
	return alerts
}

// primaries counts the instances of each cluster that take writes. A cluster of which nothing is known has none: when all of
// its pods are pending, there is not even a target that could be down.
func primaries(clusters map[string]int) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(clusters)) {
		all = append(all, fmt.Sprintf(`label_replace(sum(cnpg_pg_replication_in_recovery{job="postgresql/%[1]s"} == bool 0) or vector(0), `+
			`"job", "postgresql/%[1]s", "", "")`, name))
	}
	return strings.Join(all, " or ")
}

// replicasMissing compares the replicas of each cluster with what it should have; empty if none has replicas. Without a
// primary there is another alert.
func replicasMissing(clusters map[string]int) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(clusters)) {
		if replicas := clusters[name] - 1; replicas > 0 {
			all = append(all, fmt.Sprintf(`max by (job) (cnpg_pg_replication_streaming_replicas{job="postgresql/%s"}) < %d`, name, replicas))
		}
	}
	return strings.Join(all, " or ")
}

// postgresqlState is about what leads to an outage if nobody does anything.
func postgresqlState() []Alert {
	return []Alert{
		{
			Name: "PostgreSQLReplicationLagging", For: "10m", Severity: Warning,
			Expr:        `cnpg_pg_replication_lag{namespace="postgresql"} > 300`,
			Summary:     `Replica {{ $labels.pod }} is {{ $value | humanizeDuration }} behind its primary.`,
			Description: "A failover to it would lose what it has not received, or take as long as it needs to catch up.",
		},
		{
			Name: "PostgreSQLReplicationBroken", For: "10m", Severity: Warning,
			Expr: `cnpg_pg_replication_in_recovery{namespace="postgresql"} > ` +
				`cnpg_pg_replication_is_wal_receiver_up{namespace="postgresql"}`,
			Summary:     `Replica {{ $labels.pod }} receives nothing from its primary.`,
			Description: "It falls behind, and the primary may have to keep its log for it, which fills the volume.",
		},
		{
			Name: "PostgreSQLConnectionsHigh", For: "10m", Severity: Warning,
			Expr: `sum by (job, pod) (cnpg_backends_total{namespace="postgresql"}) / ` +
				`max by (job, pod) (cnpg_pg_settings_setting{namespace="postgresql", name="max_connections"}) > 0.8`,
			Summary:     `{{ $value | humanizePercentage }} of all connections to {{ $labels.pod }} are in use.`,
			Description: "When none is left, clients are refused. Something opens too many connections, or does not give them back.",
		},
		{
			Name: "PostgreSQLVolumeFilling", For: "30m", Severity: Warning,
			Expr:        volumeFilling(`namespace="postgresql"`),
			Summary:     `Volume {{ $labels.persistentvolumeclaim }} of a database has {{ $value | humanizePercentage }} left and will be full within four days.`,
			Description: "A database that cannot write its log stops.",
		},
		{
			Name: "PostgreSQLVolumeFull", For: "5m", Severity: Critical,
			Expr:        volumeLeft(`namespace="postgresql"`) + ` < 0.05`,
			Summary:     `Volume {{ $labels.persistentvolumeclaim }} of a database has only {{ $value | humanizePercentage }} left.`,
			Description: "A database that cannot write its log stops, and does not start again before there is room.",
		},
	}
}

func postgresqlBackups() []Alert {
	return []Alert{
		{
			Name: "PostgreSQLArchivingFailing", For: "15m", Severity: Warning,
			Expr: `cnpg_pg_stat_archiver_last_failed_time{namespace="postgresql"} > ` +
				`cnpg_pg_stat_archiver_last_archived_time{namespace="postgresql"}`,
			Summary: `Database {{ $labels.pod }} cannot archive its write-ahead log.`,
			Description: "Nothing since the last success could be restored, and the log stays on the volume until it is full: " +
				"then the database stops.",
		},
		{
			Name: "PostgreSQLBackupTooOld", For: "1h", Severity: Warning,
			Expr:        `time() - max by (job) (barman_cloud_cloudnative_pg_io_last_available_backup_timestamp{namespace="postgresql"}) > 2 * 86400`,
			Summary:     `The last backup of database cluster ` + database + ` is {{ $value | humanizeDuration }} old, or there is none.`,
			Description: "A restore would have to replay all of the log since then, if it is there.",
		},
		{
			Name: "PostgreSQLBackupFailing", For: "15m", Severity: Warning,
			Expr: `max by (job) (barman_cloud_cloudnative_pg_io_last_failed_backup_timestamp{namespace="postgresql"}) > ` +
				`max by (job) (barman_cloud_cloudnative_pg_io_last_available_backup_timestamp{namespace="postgresql"})`,
			Summary:     `The last backup of database cluster ` + database + ` has failed.`,
			Description: "An older one is still there. The next attempt is at the next time of its schedule.",
		},
	}
}
