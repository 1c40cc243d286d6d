// Package tools gives the programs that tests and the local control plane run: the Pulumi command line, etcd, the
// Kubernetes control plane, cert-manager and so on.
//
// They are pinned under tools/, one Go module per group of programs that can share a dependency graph, and built from
// there into a cache outside the clone. A binary's directory is named after everything that went into it, so clones of
// the same state share it and a change is never missed. Only what is asked for and missing is built; one build runs at
// a time on a machine, whoever asks.
//
// Programs that are not written in Go are the machine's, or come from Debian packages into the same cache. What no
// machine has comes from a Maven repository, by its checksum.
package tools
