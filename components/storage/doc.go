// Package storage provides the data stores of the platform: PostgreSQL, a cache that speaks the Redis protocol, and
// object storage. Consumers see endpoints, names and references to Secrets; what is behind them is chosen by the
// stack's configuration: software in the cluster, or a service of AWS.
//
// In order: object storage, because backups go there, then PostgreSQL and the cache. Each part is finished when its
// clients can use it.
package storage
