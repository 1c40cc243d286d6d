package certtrust

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/telekom/controlplane-infrastructure/internal/manifest"
)

// Type is the component's type token.
const Type = "controlplane:certtrust:CertTrust"

const (
	// Namespace is where cert-manager and trust-manager run.
	Namespace = "cert-manager"
	// ControlPlaneNamespace is where the Control Plane runs; its name is fixed in the Control Plane's code.
	ControlPlaneNamespace = "controlplane-system"
	// BundleLabel with the value BundleLabelValue on a namespace asks for the trust bundle there.
	BundleLabel      = "trust.controlplane.io/bundle"
	BundleLabelValue = "platform"
	// PlatformIssuer is the ClusterIssuer of the platform CA.
	PlatformIssuer = "platform-ca"
	// PublicIssuer is the ClusterIssuer for public host names, if there is one.
	PublicIssuer = "public"
)

// CertTrust is a cluster that issues certificates and knows which to trust.
type CertTrust struct {
	pulumi.ResourceState
	manifest.Members
	// IssuerName is the ClusterIssuer for certificates between the platform's parts.
	IssuerName pulumi.StringOutput
	// PublicIssuerName is the ClusterIssuer for public host names: the ACME issuer, or the platform CA without one.
	PublicIssuerName pulumi.StringOutput
	// BundleName is the ConfigMap with the trusted certificates, BundleKey its key.
	BundleName pulumi.StringOutput
	BundleKey  pulumi.StringOutput
}

// builder carries what the steps of New share.
type builder struct {
	args Args
	reg  *manifest.Registrar
}

// New provisions the component.
func New(ctx *pulumi.Context, name string, args Args, opts ...pulumi.ResourceOption) (*CertTrust, error) {
	c := &CertTrust{}
	if err := ctx.RegisterComponentResource(Type, name, c, opts...); err != nil {
		return nil, fmt.Errorf("register %s: %w", name, err)
	}
	b := &builder{args: args, reg: &manifest.Registrar{
		Ctx: ctx, Parent: c, Provider: args.Provider, Transforms: args.Transforms,
	}}
	if err := b.build(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	public := PlatformIssuer
	if args.ACME != nil {
		public = PublicIssuer
	}
	c.IssuerName = pulumi.String(PlatformIssuer).ToStringOutput()
	c.PublicIssuerName = pulumi.String(public).ToStringOutput()
	c.BundleName = pulumi.String(args.Bundle.Name).ToStringOutput()
	c.BundleKey = pulumi.String(args.Bundle.Key).ToStringOutput()
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{
		"issuerName": c.IssuerName, "publicIssuerName": c.PublicIssuerName,
		"bundleName": c.BundleName, "bundleKey": c.BundleKey,
	})
}

// build registers the parts in the order in which each can work.
func (b *builder) build() error {
	namespaces, err := b.reg.Step(b.namespaces)
	if err != nil {
		return err
	}
	certManager, err := b.reg.Step(b.certManager, namespaces)
	if err != nil {
		return err
	}
	// From here on certificates can be issued: certManager is ready only when its API check has passed.
	trustManager, err := b.reg.Step(b.trustManager, certManager)
	if err != nil {
		return err
	}
	authority, err := b.reg.Step(b.authority, certManager)
	if err != nil {
		return err
	}
	for _, step := range []func() (manifest.Set, error){b.acmeIssuer, b.controlPlaneIssuer} {
		if _, err := b.reg.Step(step, authority); err != nil {
			return err
		}
	}
	_, err = b.reg.Step(b.bundle, trustManager, authority)
	return err
}
