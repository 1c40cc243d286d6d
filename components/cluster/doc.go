// Package cluster provides the Kubernetes cluster that everything else is installed on, and the provider through which
// the other components reach it. An existing cluster is described by a kubeconfig; nothing is created in it here.
package cluster
