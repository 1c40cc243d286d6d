package stacks

import (
	"time"

	"github.com/telekom/controlplane-infrastructure/components/certtrust"
	"github.com/telekom/controlplane-infrastructure/stacks/config"
)

func platformCA(cfg config.PlatformCA) certtrust.CA {
	if e := cfg.Existing; cfg.Source == config.CAExisting {
		if e.SecretName != "" {
			return certtrust.CA{SecretName: e.SecretName}
		}
		return certtrust.CA{KeyPair: &certtrust.KeyPair{Certificate: e.Certificate, PrivateKey: secret(e.PrivateKey)}}
	}
	s := cfg.SelfSigned
	return certtrust.CA{SelfSigned: &certtrust.SelfSigned{
		CommonName: s.CommonName, Organization: s.Organization,
		Duration: time.Duration(s.Duration).String(), RenewBefore: time.Duration(s.RenewBefore).String(),
		KeyAlgorithm: string(s.PrivateKey.Algorithm), KeySize: s.PrivateKey.Size,
		RotationPolicy: string(s.PrivateKey.RotationPolicy),
	}}
}

func acme(cfg *config.ACME) *certtrust.ACME {
	if cfg == nil {
		return nil
	}
	a := &certtrust.ACME{Server: cfg.Server, Email: cfg.Email, CABundle: cfg.CABundle}
	if cfg.HTTP01 != nil {
		a.IngressClassName = cfg.HTTP01.IngressClassName
	}
	if r := cfg.Route53; r != nil {
		a.Route53 = &certtrust.Route53{Region: r.Region, HostedZoneID: r.HostedZoneID, Role: r.Role}
	}
	return a
}

func controlPlaneIssuer(cfg *config.ControlPlaneIssuer) *certtrust.ControlPlaneIssuer {
	switch {
	case cfg == nil:
		return nil
	case cfg.FromPlatformCA:
		return &certtrust.ControlPlaneIssuer{}
	}
	return &certtrust.ControlPlaneIssuer{
		KeyPair: &certtrust.KeyPair{Certificate: cfg.Certificate, PrivateKey: secret(cfg.PrivateKey)},
	}
}
