// Package cluster provides the Kubernetes cluster that everything else is installed on, and the provider through which
// the other components reach it.
//
// An existing cluster is described by a kubeconfig; nothing is created in it here, and package preflight tells what it
// lacks. A cluster on Amazon EKS is made (package eks), then the provider, then what such a cluster comes without: a
// default StorageClass and the cluster autoscaler. Package metricsserver is for existing clusters that lack one; it needs
// certificates, and so comes later.
package cluster
