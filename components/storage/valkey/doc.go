// Package valkey provisions Valkey, an in-memory store that clients call Redis, behind one address that always is the
// primary's: for clients that speak neither the protocol of Sentinel nor that of Cluster.
//
// With one server that address leads to it. With several, a primary and its replicas, sentinels elect a new primary
// when the old one fails, and HAProxy passes connections on to the server that a majority of the sentinels names and
// that says itself that it is the primary: so never to two. TLS reaches from the client to the server; the proxies have
// no key. Clients have no certificates: they know the platform's authority, and a password. They read and write keys;
// what administers the server, drops or lists all keys, or uses channels is refused.
//
// In order: the namespace, passwords and access lists, certificates, configuration and scripts, claims, then servers,
// sentinels and proxies at once, because each needs the others to become ready.
//
// What a failure may cost: an acknowledged write exists on the primary and, within the bound MaxReplicaLag, on a
// replica; a primary whose replicas are further behind refuses writes. A server that was the primary and ended does
// not become the primary again as long as another one has its data. The sentinels keep what they know as long as their
// pods exist; a new pod asks the others.
package valkey
