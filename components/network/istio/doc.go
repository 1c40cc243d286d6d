// Package istio installs Istio in ambient mode: its resource definitions, the control plane istiod, and on every node
// the network plugin's agent and the proxy ztunnel, in this order. Pods stay as they are; the node's proxy encrypts what
// they say to each other, with certificates of a mesh authority that istiod keeps.
//
// istiod runs in a namespace that enforces the Pod Security level restricted. The node's agents need rights on the node,
// and have a namespace of their own for it.
//
// Which namespaces take part, and what they accept, is the business of package mesh.
package istio
