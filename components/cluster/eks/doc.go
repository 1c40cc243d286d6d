// Package eks provides a Kubernetes cluster on Amazon EKS, from the resources of AWS themselves.
//
// In order: the network (a VPC of its own with public and private subnets, or subnets of an existing one), the key that
// encrypts Secrets, the log group and the role of the control plane, the control plane, who may use it, and its OIDC
// provider. Then the add-ons that every node starts with (network, proxy, pod identity), the node groups, one per group
// and zone, and the add-ons whose pods need nodes. What pods may do in AWS they may by pod identity, each with a role
// of its own; nodes may no more than join.
//
// Nothing of it is replaced by a new version, by other sizes, labels, taints, disks, tags or CIDRs of the endpoint. Node
// groups are replaced by other instance types, systems or subnets: the new one is there before the old one is drained.
package eks
