// Package autoscaler provides the cluster autoscaler on a cluster of Amazon EKS: it adds nodes for pods that find no room,
// and removes idle ones, within the bounds of the node groups.
//
// Every node group has its nodes in one zone, which is what it reckons with: it knows in which zone a node for a pod with a
// volume has to be, and keeps groups that differ in their zone alone equally large. It finds the groups by their tags.
package autoscaler
