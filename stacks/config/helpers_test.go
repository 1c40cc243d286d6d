package config_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/telekom/controlplane-infrastructure/stacks/config"
)

// hostname is the one value that every stack has to set.
const hostname = "hostname: iris.example.com"

// parse reads the section config of a stack file, in which $CA and the like
// stand for certificates and keys. A text without the key identity gets it
// with the hostname that every stack needs.
func parse(t *testing.T, text string) (*config.Config, error) {
	t.Helper()
	values := map[string]any{}
	require.NoError(t, yaml.Unmarshal([]byte(expand(t, text)), &values), "the test's YAML")
	if _, ok := values["identity"]; !ok {
		values["identity"] = map[string]any{"hostname": "iris.example.com"}
	}
	return config.Parse(values)
}

// project makes a project directory with the given stack files, and the
// hostname that every stack needs in Pulumi.yaml.
func project(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	if _, ok := files["Pulumi.yaml"]; !ok {
		files["Pulumi.yaml"] = "name: controlplane\nruntime: go\nconfig:\n  identity: {default: {" + hostname + "}}\n"
	}
	for name, content := range files {
		require.NoError(t, os.WriteFile(filepath.Join(root, name), []byte(expand(t, content)), 0o600))
	}
	return root
}

func expand(t *testing.T, text string) string {
	t.Helper()
	pki, err := authorities()
	require.NoError(t, err)
	return os.Expand(text, func(name string) string {
		value, ok := pki[name]
		require.True(t, ok, "the test has no $%s", name)
		return strconv.Quote(value)
	})
}

// authorities makes certificates of every kind that the checks tell apart.
var authorities = sync.OnceValues(func() (map[string]string, error) {
	pki := map[string]string{}
	valid, past := time.Now().Add(24*time.Hour), time.Now().Add(-24*time.Hour)
	for name, template := range map[string]x509.Certificate{
		"CA":      {NotAfter: valid, IsCA: true, KeyUsage: x509.KeyUsageCertSign},
		"OTHER":   {NotAfter: valid, IsCA: true, KeyUsage: x509.KeyUsageCertSign},
		"LEAF":    {NotAfter: valid, KeyUsage: x509.KeyUsageDigitalSignature},
		"EXPIRED": {NotAfter: past, IsCA: true, KeyUsage: x509.KeyUsageCertSign},
		"FUTURE":  {NotBefore: valid, NotAfter: valid.Add(time.Hour), IsCA: true, KeyUsage: x509.KeyUsageCertSign},
		"NOSIGN":  {NotAfter: valid, IsCA: true, KeyUsage: x509.KeyUsageDigitalSignature},
	} {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, err
		}
		if template.NotBefore.IsZero() {
			template.NotBefore = past.Add(-time.Hour)
		}
		template.SerialNumber = big.NewInt(1)
		template.Subject = pkix.Name{CommonName: strings.ToLower(name)}
		template.BasicConstraintsValid = true
		if pki[name], err = certificatePEM(&template, key); err != nil {
			return nil, err
		}
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			return nil, err
		}
		pki[name+"_KEY"] = encode("PRIVATE KEY", der)
		if der, err = x509.MarshalECPrivateKey(key); err != nil {
			return nil, err
		}
		pki[name+"_SEC1_KEY"] = encode("EC PRIVATE KEY", der)
	}
	pki["CHAIN"] = pki["CA"] + pki["OTHER"]
	pki["PASSPHRASE_KEY"] = encode("ENCRYPTED PRIVATE KEY", []byte("x"))
	return pki, nil
})

func certificatePEM(template *x509.Certificate, key crypto.Signer) (string, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	return encode("CERTIFICATE", der), err
}

func encode(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}
