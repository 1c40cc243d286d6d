// Package linkerd installs Linkerd: in this order its namespaces, the certificates, its resource definitions, the
// network plugin on every node that leads the traffic of pods through their proxies, and the control plane, which puts a
// proxy into each new pod of the namespaces that take part. Because of the plugin no pod needs rights on its network.
//
// No certificate is made while charts are rendered. cert-manager keeps the trust anchor and renews what it has signed;
// trust-manager hands its certificate out, next to those that the operator adds while the anchor's key is changed.
//
// What the namespaces accept that take part, and what flows look like between them, is the business of package mesh.
package linkerd
