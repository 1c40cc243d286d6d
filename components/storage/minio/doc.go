// Package minio provides object storage on the cluster: MinIO, a bucket with versioning for the File Manager, and
// optionally one for backups of databases.
//
// In order: the namespace and the servers' certificate; the volumes and the servers; a Job that sets up buckets,
// policies and users; the Secret with the File Manager's keys. The component is finished when the keys work. The root
// user exists for that Job alone: nothing else gets its password, and no output carries it.
//
// # What survives
//
// One server keeps one copy on its volume. Four and more are one erasure set over all of them: each object is cut into
// data and parity, a piece for each server. Over three zones:
//
//	servers  parity  readable with     writable with    the loss of a zone
//	4        2       2 of 4            3 of 4           takes 1 or 2 servers: reads go on; without 2, writes wait
//	5        2       3 of 5            3 of 5           takes up to 2: reads and writes go on
//	6        3       3 of 6            4 of 6           takes 2: reads and writes go on
//	7        3       4 of 7            4 of 7           takes up to 3: reads and writes go on
//	8        4       4 of 8            5 of 8           takes up to 3: reads and writes go on
//	9 to 12  4       all but 4         all but 4        takes up to 4: reads and writes go on
//	13 to 15 5       all but 5         all but 5        takes up to 5: reads and writes go on
//	16       6       10 of 16          10 of 16         takes up to 6: reads and writes go on
//
// So four servers survive the loss of any one without anybody noticing, and five is the least number that keeps writing
// without a zone. The number of servers is part of how data is laid out: it can never change.
//
// A new image or another setting reaches one server after the other. A server joins only others with the same program
// and settings, so in the middle of such an update writes, and with some numbers of servers reads as well, pause until
// enough have followed: some seconds. A new root password reaches all servers at once.
//
// Servers look for a renewed certificate every ten seconds. The authorities that they verify each other with are read
// when a server starts: before another CA signs, the trust bundle must contain it as well, and the servers be restarted
// (kubectl -n minio rollout restart statefulset/minio).
//
// # The image
//
// The publisher of MinIO made its community edition source-only in October 2025
// (https://github.com/minio/minio/issues/21647) and archived the repository in April 2026
// (https://github.com/pgsty/silo/issues/35): there are no images and no security fixes from there any more. The default
// is a build of the fork that Pigsty maintains from those sources, with the protocol, the settings and the format on
// disk unchanged: pgsty/minio until August 2026, pgsty/silo since then (https://github.com/pgsty/silo, with the fixes
// of each release in docs/security/advisories.md there). Its images contain the client mc as well, since March 2026
// (https://github.com/pgsty/silo/issues/9), which the set-up needs.
//
// Any other image does whose entry point takes the arguments of "minio server", and which has mc and a POSIX shell with
// date and sleep. And since everybody else knows only an S3 endpoint, a bucket and a pair of keys, another S3 server can
// take this one's place.
package minio
