package postgresql

import (
	"fmt"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/telekom/controlplane-infrastructure/internal/certmanager"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
)

const (
	// selfSignedIssuer signs nothing but the authorities of client certificates.
	selfSignedIssuer = "client-authorities"
	// replicationUser is the role that replicas log in with; its name is fixed in CloudNativePG.
	replicationUser = "streaming_replica"
	// poolerUser is the role that poolers look up passwords with. For it, and for the one above, CloudNativePG's own
	// first rules of pg_hba.conf ask for a client certificate.
	poolerUser = "cnpg_pooler_pgbouncer"
)

// reload has the operator and the instances follow a Secret that changes.
var reload = map[string]string{"cnpg.io/reload": ""}

// selfSigned is the issuer of the authorities of client certificates.
func selfSigned() (manifest.Set, error) {
	return manifest.Typed(certmanager.Issuer(Namespace, selfSignedIssuer, map[string]any{"selfSigned": map[string]any{}}))
}

// credentials are a cluster's certificates and passwords.
func (b *builder) credentials(p plan) (manifest.Set, error) {
	certificates, err := manifest.Typed(b.certificates(p)...)
	if err != nil {
		return certificates, err
	}
	passwords, err := b.passwords(p)
	return manifest.Merge(certificates, passwords), err
}

// certificates are those of the servers, which everybody verifies with the trust bundle, and of the clients that log in
// with one.
//
// Client certificates have an authority of their own in each cluster. With the platform's, whoever may ask the platform
// for a certificate, for any purpose, could have one for the role that replicates, and read every database.
func (b *builder) certificates(p plan) []runtime.Object {
	server := func(name string, services ...string) runtime.Object {
		return certmanager.Leaf{
			Namespace: Namespace, Name: name, ClusterIssuer: b.args.Issuer, DNSNames: serviceNames(services...),
			Usages: []string{"server auth"}, SecretLabels: reload,
		}.Object()
	}
	client := func(name, role string) runtime.Object {
		return certmanager.Leaf{
			Namespace: Namespace, Name: name, Issuer: p.clientCA(), CommonName: role,
			Usages: []string{"client auth"}, SecretLabels: reload,
		}.Object()
	}
	objects := []runtime.Object{
		server(p.serverCertificate(), p.Name+"-rw", p.Name+"-r", p.Name+"-ro"),
		clientAuthority(p.clientCA()),
		certmanager.Issuer(Namespace, p.clientCA(), map[string]any{"ca": map[string]any{"secretName": p.clientCA()}}),
		client(p.replicationCertificate(), replicationUser),
	}
	if p.Pooler != nil {
		objects = append(objects, server(p.poolerCertificate(), p.poolerName()), client(p.poolerLogin(), poolerUser))
	}
	return objects
}

// clientAuthority is the CA of a cluster's client certificates. It keeps its key when it is renewed, so that what it has
// signed before stays valid.
func clientAuthority(name string) runtime.Object {
	return certmanager.Certificate(Namespace, name, map[string]any{
		"isCA": true, "commonName": name, "secretName": name,
		"duration": "43800h", "renewBefore": "8760h", // five years, the last one for the renewal
		"privateKey":     map[string]any{"algorithm": "ECDSA", "size": int64(384), "rotationPolicy": "Never"},
		"usages":         []any{"cert sign", "crl sign", "digital signature"},
		"issuerRef":      certmanager.IssuerRef(selfSignedIssuer, "Issuer"),
		"secretTemplate": map[string]any{"labels": reload},
	})
}

// serviceNames are the names by which services in Namespace are known, from the shortest to the longest.
func serviceNames(services ...string) []string {
	var names []string
	for _, service := range services {
		for _, domain := range []string{"", "." + Namespace, "." + Namespace + ".svc", "." + Namespace + ".svc.cluster.local"} {
			names = append(names, service+domain)
		}
	}
	return names
}

// passwords are the Secrets with the databases' logins. Each connection is complete with that.
func (b *builder) passwords(p plan) (manifest.Set, error) {
	var sets []manifest.Set
	for _, d := range p.Databases {
		password, err := b.args.Password(b.reg.Ctx, b.reg.Parent, fmt.Sprintf("%s-%s-%s", b.name, p.Name, d.Owner))
		if err != nil {
			return manifest.Set{}, err
		}
		connection := p.connection(d)
		connection.Password = password
		b.databases[d.Name] = connection
		set, err := connection.Secret(reload)
		if err != nil {
			return set, err
		}
		sets = append(sets, set)
	}
	return manifest.Merge(sets...), nil
}

// controlPlaneSecret tells the Control Plane its database, if that is one of the cluster's.
func (b *builder) controlPlaneSecret(p plan) (manifest.Set, error) {
	c, found := b.databases[b.args.ControlPlaneDatabase]
	if !found || c.Cluster != p.Name {
		return manifest.Set{}, nil
	}
	return c.ControlPlane(b.args.ControlPlaneNamespace, b.args.ControlPlaneSSLMode)
}
