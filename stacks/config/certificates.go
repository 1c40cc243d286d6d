package config

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"time"
)

// parseCertificates reads one or more certificates in PEM, and nothing else.
func parseCertificates(text string) ([]*x509.Certificate, error) {
	var certificates []*x509.Certificate
	rest := []byte(text)
	for {
		var block *pem.Block
		block, rest = pem.Decode(rest)
		if block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("has a %s among its certificates", block.Type)
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("parse certificate %d: %w", len(certificates)+1, err)
		}
		certificates = append(certificates, certificate)
	}
	if len(certificates) == 0 || strings.TrimSpace(string(rest)) != "" {
		return nil, errors.New("is not PEM")
	}
	return certificates, nil
}

// parsePrivateKey reads one private key in PEM. Its errors never quote the key.
func parsePrivateKey(text string) (crypto.Signer, error) {
	block, rest := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("is not PEM")
	}
	if block.Type == "EC PARAMETERS" {
		// OpenSSL writes the curve in front of an EC key.
		if block, _ = pem.Decode(rest); block == nil {
			return nil, errors.New("is not PEM")
		}
	}
	var key any
	var err error
	switch block.Type {
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	default:
		return nil, fmt.Errorf("is a %s", block.Type)
	}
	if err != nil {
		return nil, errors.New("cannot be parsed")
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, errors.New("cannot sign")
	}
	return signer, nil
}

// authorityFault says why a certificate cannot be a CA's at the given time; it
// is empty when it can.
func authorityFault(certificate *x509.Certificate, now time.Time) string {
	switch {
	case !certificate.BasicConstraintsValid || !certificate.IsCA:
		return "is not the certificate of a CA; must have the basic constraint CA:TRUE"
	case certificate.KeyUsage != 0 && certificate.KeyUsage&x509.KeyUsageCertSign == 0:
		return "may not sign certificates; its key usage must include keyCertSign"
	case now.After(certificate.NotAfter):
		return fmt.Sprintf("expired on %s; must be valid", certificate.NotAfter.UTC().Format(time.DateOnly))
	case now.Before(certificate.NotBefore):
		return fmt.Sprintf("is not valid before %s; must be valid", certificate.NotBefore.UTC().Format(time.DateOnly))
	}
	return ""
}

// belongsTo says whether the private key is that of the certificate.
func belongsTo(key crypto.Signer, certificate *x509.Certificate) bool {
	public, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	return ok && public.Equal(certificate.PublicKey)
}
