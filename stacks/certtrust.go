package stacks

import (
	"strings"
	"time"

	"github.com/telekom/controlplane-infrastructure/components/certtrust"
	"github.com/telekom/controlplane-infrastructure/components/network/traefik"
	"github.com/telekom/controlplane-infrastructure/stacks/config"
)

// certTrust are the arguments of the component.
func (s *stack) certTrust() certtrust.Args {
	cfg := s.cfg.CertTrust
	additional := append(s.storeAuthorities(), cfg.Bundle.AdditionalCertificates)
	return certtrust.Args{
		CertManager: certtrust.CertManager{
			ControllerReplicas: cfg.CertManager.ControllerReplicas, WebhookReplicas: cfg.CertManager.WebhookReplicas,
			CAInjectorReplicas: cfg.CertManager.CAInjectorReplicas, ServiceMonitor: cfg.CertManager.ServiceMonitor,
			RecursiveNameservers: cfg.CertManager.DNS01RecursiveNameservers,
		},
		TrustManager: certtrust.TrustManager{
			Replicas: cfg.TrustManager.Replicas, ServiceMonitor: cfg.TrustManager.ServiceMonitor,
		},
		CA:   platformCA(cfg.PlatformCA),
		ACME: s.acme(),
		Bundle: certtrust.Bundle{
			Name: cfg.Bundle.Name, Key: cfg.Bundle.Key, PublicRoots: cfg.Bundle.PublicRoots,
			Additional: strings.Trim(strings.Join(additional, "\n"), "\n"),
		},
		ControlPlaneIssuer: controlPlaneIssuer(cfg.ControlPlaneIssuer),
	}
}

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

func (s *stack) acme() *certtrust.ACME {
	cfg, policy := s.cfg.CertTrust.ACME, s.cfg.Network.Policies.ACME
	if cfg == nil {
		return nil
	}
	a := &certtrust.ACME{
		Server: cfg.Server, Email: cfg.Email, CABundle: cfg.CABundle,
		ServerPeer: outside("ACME server", policy.CIDRs), ServerPorts: policy.Ports,
	}
	if cfg.HTTP01 != nil {
		a.IngressClassName = cfg.HTTP01.IngressClassName
		a.Ingress = *s.prover()
		if a.Ingress.Namespace == traefik.Namespace && s.cfg.Network.Ingress.Traefik != nil {
			a.IngressPorts = []int{traefik.HTTPPort, traefik.HTTPSPort}
		}
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
