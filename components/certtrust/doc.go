// Package certtrust provides certificates and trust: cert-manager and trust-manager, the platform's certificate
// authority, the bundle of certificates that workloads trust, and the issuers that the Control Plane and public host
// names may need.
//
// In order: the namespaces, cert-manager with the check that its API really issues, trust-manager, the issuers, the
// bundle. The component is finished when its last part is ready, so who depends on it can have a certificate at once.
package certtrust
