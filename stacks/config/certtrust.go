package config

const (
	// BundleLabel and BundleLabelValue select the namespaces that get the
	// trust bundle as a ConfigMap.
	BundleLabel      = "trust.controlplane.io/bundle"
	BundleLabelValue = "platform"
)

// CertTrust configures certificates and trust.
type CertTrust struct {
	// The controller that issues and renews certificates.
	CertManager CertManager `json:"certManager"`
	// The controller that distributes trust bundles.
	TrustManager TrustManager `json:"trustManager"`
	// The certificate authority that signs the certificates between the platform's parts.
	PlatformCA PlatformCA `json:"platformCA"`
	// An additional issuer for public host names, by the ACME protocol (Let's Encrypt, for one). Without it, no such issuer is created.
	ACME *ACME `json:"acme,omitempty"`
	// The trust bundle: a ConfigMap with the platform CA in every namespace that carries the label `trust.controlplane.io/bundle: platform`.
	Bundle Bundle `json:"bundle"`
	// A certificate authority from outside for the Control Plane's own certificates: its Issuer `controlplane-issuer` is then created here. Without it the Control Plane creates a CA of its own.
	ControlPlaneIssuer *ControlPlaneIssuer `json:"controlPlaneIssuer,omitempty"`
}

// CertManager configures cert-manager.
type CertManager struct {
	// Replicas of the controller. One leads, the others stand by.
	ControllerReplicas int `json:"controllerReplicas" jsonschema:"minimum=1,maximum=5" jsonschema_extras:"x-derived=1 (single)\\, 2 (zonal)"`
	// Replicas of the webhook, which the API server asks about every certificate and issuer.
	WebhookReplicas int `json:"webhookReplicas" jsonschema:"minimum=1,maximum=5" jsonschema_extras:"x-derived=1 (single)\\, 3 (zonal)"`
	// Replicas of the CA injector. One leads, the others stand by.
	CAInjectorReplicas int `json:"cainjectorReplicas" jsonschema:"minimum=1,maximum=5" jsonschema_extras:"x-derived=1 (single)\\, 2 (zonal)"`
	// Whether a ServiceMonitor has Prometheus scrape cert-manager.
	ServiceMonitor bool `json:"serviceMonitor" jsonschema:"default=true"`
	// DNS servers, as host:port, that are asked whether the record of a DNS-01 challenge is visible. Needs acme.route53.
	DNS01RecursiveNameservers []string `json:"dns01RecursiveNameservers,omitempty" jsonschema:"format=host-port,uniqueItems=true,minItems=1,example=1.1.1.1:53" jsonschema_extras:"x-derived=the cluster's DNS"`
}

// TrustManager configures trust-manager.
type TrustManager struct {
	// Replicas of trust-manager. One leads, the others stand by and serve the webhook.
	Replicas int `json:"replicas" jsonschema:"minimum=1,maximum=5" jsonschema_extras:"x-derived=1 (single)\\, 2 (zonal)"`
	// Whether a ServiceMonitor has Prometheus scrape trust-manager.
	ServiceMonitor bool `json:"serviceMonitor" jsonschema:"default=true"`
}

// CASource says where a certificate authority comes from.
type CASource string

const (
	// CASelfSigned has cert-manager create the CA on the cluster.
	CASelfSigned CASource = "selfSigned"
	// CAExisting uses a CA that is given.
	CAExisting CASource = "existing"
)

// PlatformCA configures the platform's certificate authority.
type PlatformCA struct {
	// Where the CA comes from: `selfSigned` has cert-manager create it on the cluster, so that its private key never leaves the cluster; `existing` uses the one given under existing.
	Source CASource `json:"source,omitempty" jsonschema:"enum=selfSigned,enum=existing,default=selfSigned"`
	// The CA that is created with source selfSigned. Not allowed with another source.
	SelfSigned *SelfSignedCA `json:"selfSigned,omitempty"`
	// The CA that is used with source existing. Not allowed with another source.
	Existing *ExistingCA `json:"existing,omitempty"`
}

// SelfSignedCA describes a CA that cert-manager creates.
type SelfSignedCA struct {
	// Common name of the CA.
	CommonName string `json:"commonName,omitempty" jsonschema:"minLength=1,maxLength=64,default=Platform Root CA"`
	// Organization in the subject of the CA.
	Organization string `json:"organization,omitempty" jsonschema:"minLength=1,maxLength=64"`
	// How long the CA is valid.
	Duration Duration `json:"duration,omitempty" jsonschema:"default=87600h"`
	// How long before its end the CA is renewed. Shorter than duration.
	RenewBefore Duration `json:"renewBefore,omitempty" jsonschema:"default=8760h"`
	// The private key of the CA.
	PrivateKey CAPrivateKey `json:"privateKey"`
}

// KeyAlgorithm is the algorithm of a private key.
type KeyAlgorithm string

const (
	// ECDSA keys lie on a NIST curve.
	ECDSA KeyAlgorithm = "ECDSA"
	// RSA keys are the most widely understood.
	RSA KeyAlgorithm = "RSA"
	// Ed25519 keys have one size.
	Ed25519 KeyAlgorithm = "Ed25519"
)

// RotationPolicy says what a renewal does with the private key.
type RotationPolicy string

const (
	// RotateNever keeps the key.
	RotateNever RotationPolicy = "Never"
	// RotateAlways makes a new key.
	RotateAlways RotationPolicy = "Always"
)

// CAPrivateKey describes the private key of a CA that cert-manager creates.
type CAPrivateKey struct {
	// Algorithm of the key.
	Algorithm KeyAlgorithm `json:"algorithm,omitempty" jsonschema:"enum=ECDSA,enum=RSA,enum=Ed25519,default=ECDSA"`
	// Size of the key in bits: 256, 384 or 521 with ECDSA; 2048, 3072 or 4096 with RSA; not allowed with Ed25519.
	Size int `json:"size" jsonschema:"enum=256,enum=384,enum=521,enum=2048,enum=3072,enum=4096" jsonschema_extras:"x-derived=384 (ECDSA)\\, 4096 (RSA)"`
	// What a renewal does with the key. `Never` keeps it, so that certificates which the CA signed before its renewal still verify against the renewed CA; `Always` makes a new key, after which certificates signed by the old one fail as soon as the bundle no longer has it.
	RotationPolicy RotationPolicy `json:"rotationPolicy,omitempty" jsonschema:"enum=Never,enum=Always,default=Never"`
}

// ExistingCA is a CA that is given: either certificate and private key, or the
// name of a Secret that holds both.
type ExistingCA struct {
	// Certificate of the CA in PEM, followed by those of the authorities above it, if any. It must be a CA's, and not expired.
	Certificate string `json:"certificate,omitempty" jsonschema:"format=pem-certificate"`
	// Private key of the certificate in PEM, not encrypted by a passphrase of its own.
	PrivateKey Secret `json:"privateKey,omitempty" jsonschema:"format=pem-private-key"`
	// Name of a Secret of type kubernetes.io/tls in the namespace cert-manager, which something else provides. Excludes certificate and privateKey.
	SecretName string `json:"secretName,omitempty" jsonschema:"format=dns-subdomain"`
}

// ACME describes an issuer for public host names. It has exactly one of HTTP01
// and Route53.
type ACME struct {
	// URL of the ACME server's directory.
	Server string `json:"server" jsonschema:"required,format=https-url,example=https://acme-v02.api.letsencrypt.org/directory"`
	// Address that the ACME server sends notices to.
	Email string `json:"email" jsonschema:"required,format=email,example=platform@example.com"`
	// Certificates in PEM that the ACME server's own certificate is verified with. Needed for a private ACME server only.
	CABundle string `json:"caBundle,omitempty" jsonschema:"format=pem-certificate"`
	// Prove the ownership of a host name by answering an HTTP request at it. Excludes route53.
	HTTP01 *HTTP01 `json:"http01,omitempty"`
	// Prove the ownership of a host name by a record in Amazon Route 53. Excludes http01.
	Route53 *Route53 `json:"route53,omitempty"`
}

// HTTP01 configures HTTP-01 challenges.
type HTTP01 struct {
	// The IngressClass that challenges are answered through.
	IngressClassName string `json:"ingressClassName,omitempty" jsonschema:"format=dns-subdomain" jsonschema_extras:"x-derived=that of network.ingress"`
}

// Route53 configures DNS-01 challenges in Amazon Route 53.
type Route53 struct {
	// AWS region.
	Region string `json:"region" jsonschema:"required,format=aws-region,example=eu-central-1"`
	// Hosted zone that the records are written to.
	HostedZoneID string `json:"hostedZoneID" jsonschema:"required,format=route53-zone,example=Z0123456789ABCDEFGHIJ"`
	// ARN of an IAM role to assume. Without it, cert-manager uses the credentials of its pod.
	Role string `json:"role,omitempty" jsonschema:"format=iam-role-arn,example=arn:aws:iam::123456789012:role/cert-manager"`
}

// Bundle configures the trust bundle.
type Bundle struct {
	// Name of the bundle, and of its ConfigMap in each namespace.
	Name string `json:"name,omitempty" jsonschema:"format=dns-subdomain,default=platform-trust"`
	// Key in the ConfigMap that holds the certificates in PEM.
	Key string `json:"key,omitempty" jsonschema:"format=configmap-key,default=ca-certificates.crt"`
	// Whether the bundle also has the public root certificates, so that one file suffices to call both the platform's parts and the internet.
	PublicRoots bool `json:"publicRoots" jsonschema:"default=true"`
	// More certificates in PEM that the bundle has, such as those of the company's own authorities, or of a platform CA that is about to take over or has just been replaced.
	AdditionalCertificates string `json:"additionalCertificates,omitempty" jsonschema:"format=pem-certificate"`
}

// ControlPlaneIssuer is the CA behind the Issuer controlplane-issuer: either
// the platform CA, or the certificate and private key given.
type ControlPlaneIssuer struct {
	// Whether the platform CA signs the Control Plane's certificates. Excludes certificate and privateKey.
	FromPlatformCA bool `json:"fromPlatformCA" jsonschema:"default=false"`
	// Certificate of the CA in PEM, followed by those of the authorities above it, if any.
	Certificate string `json:"certificate,omitempty" jsonschema:"format=pem-certificate"`
	// Private key of the certificate in PEM, not encrypted by a passphrase of its own.
	PrivateKey Secret `json:"privateKey,omitempty" jsonschema:"format=pem-private-key"`
}
