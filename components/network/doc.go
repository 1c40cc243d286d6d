// Package network provisions what gets in, and optionally a mesh: the definitions of the Gateway API, then Istio or
// Linkerd, then Traefik, each a component of its own. Network policies belong to the namespaces that they protect, so
// every component makes those of its own.
package network
