// Package connectivity proves that the platform's network policies allow the connections that its components declare,
// and no other.
//
// Two computations that share nothing meet. What the policies allow is computed from the registered objects by
// netpol-analyzer, which knows the semantics of Kubernetes and nothing of flows. What is declared is computed from the
// table of flows, which knows nothing of policies. For every pair of pods, and for addresses outside of the cluster, they
// have to be equal.
//
// Pods that operators make, and those of others that have to do with the platform, stand in with the labels they have in
// a cluster. The analyser takes blocks of addresses for what is outside of the cluster, and knows IPv4 only.
package connectivity_test
