package verify

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// CA is a certificate authority of a test's own: certificate and private key in PEM.
type CA struct{ Certificate, Key string }

// NewCA makes a certificate authority with the given common name.
func NewCA(t *testing.T, name string) CA {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(10, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	certificate, private, err := encode(der, key)
	require.NoError(t, err)
	return CA{Certificate: string(certificate), Key: string(private)}
}

// Sign issues a certificate for a key, valid for a day, and returns both in PEM. The template says whom it is for.
func (ca CA) Sign(template *x509.Certificate, key crypto.Signer) (certificate, private []byte, err error) {
	issuer, err := tls.X509KeyPair([]byte(ca.Certificate), []byte(ca.Key))
	if err != nil {
		return nil, nil, fmt.Errorf("certificate authority: %w", err)
	}
	if template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120)); err != nil {
		return nil, nil, err
	}
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Minute), time.Now().Add(24*time.Hour)
	template.BasicConstraintsValid = true
	der, err := x509.CreateCertificate(rand.Reader, template, issuer.Leaf, key.Public(), issuer.PrivateKey)
	if err != nil {
		return nil, nil, err
	}
	return encode(der, key)
}

// encode writes a certificate and its key in PEM.
func encode(der []byte, key crypto.Signer) (certificate, private []byte, err error) {
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), err
}
