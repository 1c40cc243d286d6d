// Package postgresql provides PostgreSQL: the CloudNativePG operator, clusters with their databases, connection poolers,
// and backups to an object storage with point-in-time recovery.
//
// In order: the namespaces, the operator, the backup plugin, and for each cluster its certificates and passwords, the
// cluster itself, what belongs to it, and a Job that logs in to every database the way a client does. The component is
// finished when that has worked, so who depends on it can connect at once.
package postgresql
