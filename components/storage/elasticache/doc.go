// Package elasticache provides the cache as a service of AWS: a replication group of Amazon ElastiCache with Valkey,
// behind one address of its primary. Clients use it as they use Valkey in Kubernetes: with TLS, and with a password.
//
// In order: the subnets, the parameters and the security group, the group of servers, the Secret with the password, and a
// Job that uses the cache as clients do. The component is finished when that has worked.
package elasticache
