package rules

// Selections of targets and series that several rules share.
const (
	// apiServers are the targets behind the Service kubernetes, by that name in every cluster.
	apiServers = `namespace="default", service="kubernetes"`
	// instances are the targets of databases, without their poolers.
	instances = `namespace="postgresql", container="postgres"`
	// primaries counts the instances of each database cluster that take writes.
	primaries = `sum by (job) (cnpg_pg_replication_in_recovery{namespace="postgresql"} == bool 0)`
)
