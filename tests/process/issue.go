package process

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

// issuer does for a test what cert-manager does in a cluster.
type issuer struct{ verify.CA }

// request is the part of a Certificate's spec that is honoured here.
type request struct {
	secret, commonName, algorithm string
	names, addresses, usages      []string
}

func readRequest(o *Object) (request, error) {
	r := request{}
	for field, into := range map[string]*string{"secretName": &r.secret, "commonName": &r.commonName} {
		text, _, err := unstructured.NestedString(o.Object, "spec", field)
		if err != nil {
			return r, err
		}
		*into = text
	}
	for field, into := range map[string]*[]string{"dnsNames": &r.names, "ipAddresses": &r.addresses, "usages": &r.usages} {
		list, _, err := unstructured.NestedStringSlice(o.Object, "spec", field)
		if err != nil {
			return r, err
		}
		*into = list
	}
	var err error
	r.algorithm, _, err = unstructured.NestedString(o.Object, "spec", "privateKey", "algorithm")
	return r, err
}

// secret is the Secret that a Certificate asks for.
func (i issuer) secret(t *testing.T, o *Object, more []string) *corev1.Secret {
	t.Helper()
	r, err := readRequest(o)
	require.NoError(t, err, "certificate %s", o.GetName())
	r.addresses = append(r.addresses, more...)
	cert, key, err := i.issue(r)
	require.NoError(t, err, "certificate %s", o.GetName())
	return &corev1.Secret{
		TypeMeta:   typeMeta("Secret"),
		ObjectMeta: objectMeta(o.GetNamespace(), r.secret),
		Type:       corev1.SecretTypeTLS,
		Data:       map[string][]byte{corev1.TLSCertKey: cert, corev1.TLSPrivateKeyKey: key, "ca.crt": []byte(i.Certificate)},
	}
}

// issue signs a certificate for a day and returns it and its key in PEM.
func (i issuer) issue(r request) (cert, key []byte, err error) {
	var private crypto.Signer
	if r.algorithm == "RSA" {
		private, err = rsa.GenerateKey(rand.Reader, 2048)
	} else {
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: r.commonName}, DNSNames: r.names,
	}
	for _, text := range r.addresses {
		address := net.ParseIP(text)
		if address == nil {
			return nil, nil, fmt.Errorf("%q is not an IP address", text)
		}
		template.IPAddresses = append(template.IPAddresses, address)
	}
	if err := setUsages(template, r.usages); err != nil {
		return nil, nil, err
	}
	return i.Sign(template, private)
}

func setUsages(template *x509.Certificate, usages []string) error {
	for _, usage := range usages {
		switch usage {
		case "digital signature":
			template.KeyUsage |= x509.KeyUsageDigitalSignature
		case "key encipherment":
			template.KeyUsage |= x509.KeyUsageKeyEncipherment
		case "server auth":
			template.ExtKeyUsage = append(template.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
		case "client auth":
			template.ExtKeyUsage = append(template.ExtKeyUsage, x509.ExtKeyUsageClientAuth)
		default:
			return fmt.Errorf("usage %q is not simulated here", usage)
		}
	}
	return nil
}
