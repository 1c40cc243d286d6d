package config

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// now is the time that certificates are checked at.
var now = time.Now

const (
	// What cert-manager itself refuses.
	minDuration    = time.Hour
	minRenewBefore = 5 * time.Minute
)

func (k *checker) certManager() {
	c, t := k.cfg.CertTrust.CertManager, k.cfg.CertTrust.TrustManager
	for path, n := range map[string]int{
		"certTrust.certManager.controllerReplicas": c.ControllerReplicas,
		"certTrust.certManager.webhookReplicas":    c.WebhookReplicas,
		"certTrust.certManager.cainjectorReplicas": c.CAInjectorReplicas,
		"certTrust.trustManager.replicas":          t.Replicas,
	} {
		k.zonalMinimum(path, n, 2, 5)
	}
	acme := k.cfg.CertTrust.ACME
	if len(c.DNS01RecursiveNameservers) > 0 && (acme == nil || acme.Route53 == nil) {
		k.add("certTrust.certManager.dns01RecursiveNameservers", nil, "has no effect; is only allowed with controlplane:certTrust.acme.route53", "certTrust.acme")
	}
}

func (k *checker) platformCA() {
	const path = "certTrust.platformCA"
	ca := k.cfg.CertTrust.PlatformCA
	switch ca.Source {
	case CASelfSigned:
		if ca.Existing != nil {
			k.add(path+".existing", nil, "is only allowed with source existing; source is selfSigned", path+".source")
		}
		k.selfSigned(path+".selfSigned", ca.SelfSigned)
	case CAExisting:
		if ca.SelfSigned != nil {
			k.add(path+".selfSigned", nil, "is only allowed with source selfSigned; source is existing", path+".source")
		}
		if ca.Existing == nil {
			k.add(path+".existing", nil, "is missing; source existing needs certificate and privateKey, or secretName", path, path+".source")
			return
		}
		k.existing(path+".existing", ca.Existing)
	}
}

func (k *checker) selfSigned(path string, ca *SelfSignedCA) {
	duration, renewal := ca.Duration.Std(), ca.RenewBefore.Std()
	if duration < minDuration {
		k.add(path+".duration", short(duration), "must be at least 1h")
	}
	if renewal < minRenewBefore {
		k.add(path+".renewBefore", short(renewal), "must be at least 5m")
	}
	if renewal >= duration {
		k.add(path+".renewBefore", short(renewal), fmt.Sprintf("must be shorter than duration, which is %q", short(duration)), path+".duration")
	}
	sizes := map[KeyAlgorithm][]int{ECDSA: {256, 384, 521}, RSA: {2048, 3072, 4096}}[ca.PrivateKey.Algorithm]
	switch size := ca.PrivateKey.Size; {
	case ca.PrivateKey.Algorithm == Ed25519 && size != 0:
		k.add(path+".privateKey.size", size, "is not allowed with algorithm Ed25519, whose keys have one size", path+".privateKey.algorithm")
	case ca.PrivateKey.Algorithm != Ed25519 && !slices.Contains(sizes, size):
		k.add(path+".privateKey.size", size, fmt.Sprintf("must be one of %s with algorithm %s", join(sizes), ca.PrivateKey.Algorithm), path+".privateKey.algorithm")
	}
}

// short writes a duration as configuration does: 720h, not 720h0m0s.
func short(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func join(numbers []int) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(numbers), " ", ", "), "[]")
}

func (k *checker) existing(path string, ca *ExistingCA) {
	given := ca.Certificate != "" || ca.PrivateKey.IsSet()
	switch {
	case ca.SecretName != "" && given:
		k.add(path+".secretName", ca.SecretName, "contradicts certificate and privateKey; must be either the Secret or the pair", path+".certificate", path+".privateKey")
	case ca.SecretName == "":
		k.pair(path, ca.Certificate, ca.PrivateKey, "or secretName instead of both")
	}
}

// pair checks a certificate of a CA with its private key.
func (k *checker) pair(path, certificate string, key Secret, instead string) {
	certificatePath, keyPath := path+".certificate", path+".privateKey"
	if certificate == "" {
		k.add(certificatePath, nil, "is missing; must be the certificate of a CA in PEM, "+instead, path, path+".secretName")
	}
	if !key.IsSet() {
		k.add(keyPath, nil, "is missing; must be the private key of the certificate in PEM, "+instead, path, path+".secretName")
	}
	if certificate == "" {
		return
	}
	chain, err := parseCertificates(certificate)
	if err != nil {
		return // the schema has reported it
	}
	if fault := authorityFault(chain[0], now()); fault != "" {
		k.add(certificatePath, chain[0].Subject.String(), fault)
	}
	if !key.Known() {
		return
	}
	signer, err := parsePrivateKey(key.Reveal())
	if err != nil {
		return // the schema has reported it
	}
	if !belongsTo(signer, chain[0]) {
		k.add(keyPath, nil, fmt.Sprintf("does not belong to the certificate; must be the private key of %q", chain[0].Subject), certificatePath)
	}
}

func (k *checker) acme() {
	const path = "certTrust.acme"
	acme := k.cfg.CertTrust.ACME
	switch {
	case acme == nil:
	case acme.HTTP01 != nil && acme.Route53 != nil:
		k.add(path, nil, "has http01 and route53; must have exactly one of them")
	case acme.HTTP01 == nil && acme.Route53 == nil:
		k.add(path, nil, "has no way to prove the ownership of a name; must have exactly one of http01, route53", path, path+".http01", path+".route53")
	}
	if acme == nil {
		return
	}
	if u, err := url.Parse(acme.Server); err == nil && !isPort(u.Port()) {
		k.add(path+".server", acme.Server, "must have a port from 1 to 65535, if any")
	}
	k.authorities(path+".caBundle", acme.CABundle)
}

// authorities checks that those that are trusted still are any.
func (k *checker) authorities(path, bundle string) {
	if bundle == "" {
		return
	}
	certificates, err := parseCertificates(bundle)
	if err != nil {
		return // the schema has reported it
	}
	for _, certificate := range certificates {
		if now().After(certificate.NotAfter) {
			k.add(path, certificate.Subject.String(), fmt.Sprintf("expired on %s; must be valid", certificate.NotAfter.UTC().Format(time.DateOnly)))
		}
	}
}

// reservedBundles are ConfigMaps that others create in namespaces that get the
// bundle.
var reservedBundles = map[string]string{
	"controlplane-trust-bundle": "the Control Plane",
	"kube-root-ca.crt":          "Kubernetes",
}

func (k *checker) bundle() {
	name := k.cfg.CertTrust.Bundle.Name
	if owner, reserved := reservedBundles[name]; reserved {
		k.add("certTrust.bundle.name", name, "belongs to "+owner+", which creates it itself; must be another name")
	}
}

func (k *checker) controlPlaneIssuer() {
	const path = "certTrust.controlPlaneIssuer"
	issuer := k.cfg.CertTrust.ControlPlaneIssuer
	if issuer == nil {
		return
	}
	given := issuer.Certificate != "" || issuer.PrivateKey.IsSet()
	switch {
	case issuer.FromPlatformCA && given:
		k.add(path+".fromPlatformCA", true, "contradicts certificate and privateKey; must be either the platform CA or the pair", path+".certificate", path+".privateKey")
	case !issuer.FromPlatformCA:
		k.pair(path, issuer.Certificate, issuer.PrivateKey, "or fromPlatformCA: true instead of both")
	}
}
