// Package s3 provides object storage on Amazon S3: the File Manager's bucket with the role that may use it, and, where
// asked for, a bucket for the backups of databases with a role of its own.
//
// In order: the key that encrypts, the buckets with everything that guards them (public access, ownership, TLS,
// encryption, versions, lifecycle), and the roles. A role is assumed with the service account tokens of the cluster, by
// exactly the accounts named: there are no static credentials.
package s3
