// Package rds provides PostgreSQL as a service of AWS: instances of Amazon RDS, with the databases, roles and Secrets
// that clusters of PostgreSQL in Kubernetes would have, so that who uses them cannot tell the difference.
//
// In order: the key, the subnets and the security group; for each instance its parameters, its administrator's password
// and the instance itself; and then, in Kubernetes, the Secrets with the logins and a Job. The Job reaches the instance
// as clients do, where the engine may not. It makes the roles and the databases, and logs in to each of them. The
// component is finished when that has worked.
//
// Roles can connect to their own database only, and each may have its share of the connections. The key of storage and
// backups stays when the component goes: it opens the last snapshot.
package rds
