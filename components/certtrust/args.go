package certtrust

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/telekom/controlplane-infrastructure/internal/artifact"
	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/namespace"
	"github.com/telekom/controlplane-infrastructure/internal/part"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
)

// Args configure the component. Native types decide what exists; Pulumi inputs carry values.
type Args struct {
	// Provider is the cluster that everything is registered with.
	Provider pulumi.ProviderResource
	// Transforms apply to every object before it is registered, such as the image mirror.
	Transforms []manifest.Transform
	// Namespaces are made by it: with network policies, and part of the mesh.
	Namespaces namespace.Plan
	// Surroundings are the peers that the cluster brings.
	part.Surroundings
	// CertManager is cert-manager.
	CertManager CertManager
	// TrustManager is trust-manager.
	TrustManager TrustManager
	// Availability says whether replicas are spread over zones and nodes.
	Availability workload.Availability
	// Classes say what each container reserves and may use; all of this component's are operators.
	Classes workload.Classes
	// CA is the platform's certificate authority.
	CA CA
	// ACME is the issuer for public host names; nil: none.
	ACME *ACME
	// Bundle is what workloads trust.
	Bundle Bundle
	// ControlPlaneIssuer is the issuer that the Control Plane uses instead of a CA of its own; nil: none.
	ControlPlaneIssuer *ControlPlaneIssuer
}

// CertManager configures cert-manager. Two replicas or more get a disruption budget.
type CertManager struct {
	// Chart is cert-manager's chart.
	Chart *artifact.Tree
	// ControllerReplicas, WebhookReplicas and CAInjectorReplicas are at least 1.
	ControllerReplicas, WebhookReplicas, CAInjectorReplicas int
	// ServiceMonitor declares the metrics to Prometheus; it needs the ServiceMonitor resource definition.
	ServiceMonitor bool
	// RecursiveNameservers check DNS-01 challenges, as host:port; empty: the cluster's DNS.
	RecursiveNameservers []string
}

// TrustManager configures trust-manager. Two replicas or more get a disruption budget.
type TrustManager struct {
	// Chart is trust-manager's chart.
	Chart *artifact.Tree
	// Replicas is at least 1.
	Replicas int
	// ServiceMonitor declares the metrics to Prometheus; it needs the ServiceMonitor resource definition.
	ServiceMonitor bool
}

// CA is the platform's certificate authority: exactly one of SelfSigned, KeyPair and SecretName.
type CA struct {
	// SelfSigned is a root that cert-manager creates; its private key never leaves the cluster.
	SelfSigned *SelfSigned
	// KeyPair is a CA from outside.
	KeyPair *KeyPair
	// SecretName names a Secret of type kubernetes.io/tls in namespace cert-manager that something else provides.
	SecretName string
}

// SelfSigned describes a root certificate that cert-manager creates and renews.
type SelfSigned struct {
	// CommonName and Organization are its subject; Organization may be empty.
	CommonName, Organization string
	// Duration is how long it is valid and RenewBefore how long before its end it is renewed, as Go durations.
	Duration, RenewBefore string
	// KeyAlgorithm is ECDSA, RSA or Ed25519; KeySize is in bits, 0 for Ed25519.
	KeyAlgorithm string
	KeySize      int
	// RotationPolicy is Never (a renewed root still verifies what the old one signed) or Always.
	RotationPolicy string
}

// KeyPair is a CA's certificate and private key, in PEM.
type KeyPair struct {
	// Certificate is the CA's certificate, followed by those above it.
	Certificate string
	// PrivateKey is its key; it is kept as a secret.
	PrivateKey pulumi.StringInput
}

// ACME is an issuer for public host names: exactly one of IngressClassName and Route53.
type ACME struct {
	// Server is the URL of the ACME directory.
	Server string
	// Email receives the notices of the ACME server.
	Email string
	// CABundle verifies the ACME server, in PEM; empty: public roots.
	CABundle string
	// ServerPeer and ServerPorts are where Server is reached.
	ServerPeer  flow.Peer
	ServerPorts []int
	// IngressClassName answers HTTP-01 challenges through the ingress controller of this class.
	IngressClassName string
	// Ingress is where that controller's pods run, as far as is known, and IngressPorts the ports on which they serve HTTP
	// and HTTPS; none: on whatever port.
	Ingress      flow.Peer
	IngressPorts []int
	// Route53 answers DNS-01 challenges.
	Route53 *Route53
}

// Route53 is a hosted zone in Amazon Route 53.
type Route53 struct {
	// Region is the AWS region; HostedZoneID the zone; Role an IAM role to assume, or empty.
	Region, HostedZoneID, Role string
}

// Bundle is the set of CA certificates that workloads trust, as a ConfigMap in every namespace that asks for it by the
// label BundleLabel.
type Bundle struct {
	// Name is the ConfigMap's name and Key its key.
	Name, Key string
	// PublicRoots adds the public root certificates.
	PublicRoots bool
	// Additional are more certificates, in PEM; empty: none.
	Additional string
}

// ControlPlaneIssuer is the CA behind the Issuer controlplane-issuer: KeyPair, or nil for an intermediate CA that the
// platform CA signs.
type ControlPlaneIssuer struct {
	KeyPair *KeyPair
}
