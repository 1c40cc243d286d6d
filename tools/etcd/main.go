// Command etcd is the key-value store below the Kubernetes API server. Upstream's own main package is in a module
// that carries its clients and utilities along; this one depends on the server alone.
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() { etcdmain.Main(os.Args) }
