package local

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/client-go/util/keyutil"
)

// certificateLifetime outlives any local control plane, which is made anew with every start.
const certificateLifetime = 365 * 24 * time.Hour

// authority is a certificate authority of the control plane.
type authority struct {
	cert *x509.Certificate
	key  crypto.Signer
	pem  []byte
}

// newAuthority makes a self-signed authority and writes it as <name>.crt and <name>.key.
func newAuthority(l layout, name string) (*authority, error) {
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "local-" + name},
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign | x509.KeyUsageDigitalSignature,
	}
	a := &authority{}
	certPEM, keyPEM, err := a.sign(template)
	if err != nil {
		return nil, fmt.Errorf("certificate authority %s: %w", name, err)
	}
	return a, writePair(l, name, certPEM, keyPEM)
}

// sign completes the template, makes a key for it and signs it; an authority that has no certificate yet gets this one.
func (a *authority) sign(template *x509.Certificate) (certPEM, keyPEM []byte, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, nil, err
	}
	template.NotBefore = time.Now().Add(-time.Hour) // clocks that were set back a little
	template.NotAfter = template.NotBefore.Add(certificateLifetime)

	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		return nil, nil, err
	}
	certPEM = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	keyPEM, err = keyutil.MarshalPrivateKeyToPEM(key)
	if err != nil {
		return nil, nil, err
	}
	if a.cert == nil {
		if a.cert, err = x509.ParseCertificate(der); err != nil {
			return nil, nil, err
		}
		a.key, a.pem = key, certPEM
	}
	return certPEM, keyPEM, nil
}

// client signs a client certificate; groups become organisations, as Kubernetes reads them.
func (a *authority) client(user string, groups ...string) (certPEM, keyPEM []byte, err error) {
	return a.sign(&x509.Certificate{
		Subject:     pkix.Name{CommonName: user, Organization: groups},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
}

// newPKI writes all keys, certificates and kubeconfigs for an API server at the URL, and returns the
// administrator's configuration.
func newPKI(l layout, url string) (*rest.Config, error) {
	ca, err := newAuthority(l, "ca")
	if err != nil {
		return nil, err
	}
	// Its certificates are for webhooks that the API server calls and whose configuration names no authority.
	if _, err := newAuthority(l, "webhook-ca"); err != nil {
		return nil, err
	}
	frontProxy, err := newAuthority(l, "front-proxy-ca")
	if err != nil {
		return nil, err
	}
	certPEM, keyPEM, err := frontProxy.client("front-proxy-client")
	if err != nil {
		return nil, fmt.Errorf("certificate of the front proxy: %w", err)
	}
	if err := writePair(l, "front-proxy-client", certPEM, keyPEM); err != nil {
		return nil, err
	}
	if err := writeServingCertificate(l, ca); err != nil {
		return nil, err
	}
	if err := writeServiceAccountKey(l); err != nil {
		return nil, err
	}
	for file, user := range map[string]string{
		l.kubeconfig("controller-manager"): "system:kube-controller-manager",
		l.kubeconfig("scheduler"):          "system:kube-scheduler",
		l.kubeconfig("kwok"):               kwokUser,
	} {
		if _, err := writeKubeconfig(ca, file, url, user); err != nil {
			return nil, err
		}
	}
	return writeKubeconfig(ca, l.admin(), url, "local-admin", "system:masters")
}

func writeServingCertificate(l layout, ca *authority) error {
	certPEM, keyPEM, err := ca.sign(&x509.Certificate{
		Subject:     pkix.Name{CommonName: "kube-apiserver"},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames: []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc",
			"kubernetes.default.svc.cluster.local"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.ParseIP(apiServiceIP)},
	})
	if err != nil {
		return fmt.Errorf("certificate of the API server: %w", err)
	}
	return writePair(l, "apiserver", certPEM, keyPEM)
}

// writeServiceAccountKey makes the key that signs service account tokens: RSA, because that is what verifiers of
// such tokens outside of the cluster commonly insist on.
func writeServiceAccountKey(l layout) error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return fmt.Errorf("key for service account tokens: %w", err)
	}
	keyPEM, err := keyutil.MarshalPrivateKeyToPEM(key)
	if err != nil {
		return fmt.Errorf("key for service account tokens: %w", err)
	}
	return os.WriteFile(l.path("pki", "service-account.key"), keyPEM, 0o600)
}

func writePair(l layout, name string, certPEM, keyPEM []byte) error {
	if err := os.WriteFile(l.path("pki", name+".crt"), certPEM, 0o600); err != nil {
		return err
	}
	return os.WriteFile(l.path("pki", name+".key"), keyPEM, 0o600)
}

// writeKubeconfig gives a user a certificate, writes the kubeconfig and returns what is in it.
func writeKubeconfig(ca *authority, file, url, user string, groups ...string) (*rest.Config, error) {
	certPEM, keyPEM, err := ca.client(user, groups...)
	if err != nil {
		return nil, fmt.Errorf("certificate of %s: %w", user, err)
	}
	config := clientcmdapi.NewConfig()
	config.Clusters["local"] = &clientcmdapi.Cluster{Server: url, CertificateAuthorityData: ca.pem}
	config.AuthInfos["local"] = &clientcmdapi.AuthInfo{ClientCertificateData: certPEM, ClientKeyData: keyPEM}
	config.Contexts["local"] = &clientcmdapi.Context{Cluster: "local", AuthInfo: "local"}
	config.CurrentContext = "local"
	if err := clientcmd.WriteToFile(*config, file); err != nil { // with mode 0600
		return nil, fmt.Errorf("kubeconfig of %s: %w", user, err)
	}
	return clientcmd.NewDefaultClientConfig(*config, nil).ClientConfig()
}
