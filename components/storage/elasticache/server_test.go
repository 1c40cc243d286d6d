package elasticache_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/components/storage/elasticache"
	"github.com/telekom/controlplane-infrastructure/components/storage/valkey"
	"github.com/telekom/controlplane-infrastructure/internal/aws"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
	"github.com/telekom/controlplane-infrastructure/tests/process"
	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

// serve runs a real Valkey that takes nothing but TLS and the password, and returns its port.
func serve(t *testing.T, programs map[string]string, ca verify.CA, password string) int {
	t.Helper()
	dir := t.TempDir()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	certificate, private, err := ca.Sign(&x509.Certificate{
		Subject: pkix.Name{CommonName: "cache"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, key)
	require.NoError(t, err)
	for name, content := range map[string][]byte{"tls.crt": certificate, "tls.key": private, "ca.crt": []byte(ca.Certificate)} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), content, 0o600))
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := listener.Addr().(*net.TCPAddr).Port
	require.NoError(t, listener.Close())
	cmd := exec.Command(programs["valkey-server"], "--bind", "127.0.0.1", "--port", "0", "--tls-port", strconv.Itoa(port),
		"--tls-cert-file", "tls.crt", "--tls-key-file", "tls.key", "--tls-ca-cert-file", "ca.crt", "--tls-auth-clients", "no",
		"--requirepass", password, "--save", "")
	cmd.Dir = dir
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return port
}

// The Job succeeds when the cache answers to the password over a connection that the trust bundle verifies.
func TestJobUsesTheCacheAsClientsDo(t *testing.T) {
	t.Parallel()
	ca := verify.NewCA(t, "Amazon Trust Services")
	o := process.Render(t, ca, func(ctx *pulumi.Context) error {
		common, err := process.Common(ctx, workload.Zonal)
		if err != nil {
			return err
		}
		args := zonal()
		args.Common = common
		if args.AWS, err = aws.NewProvider(ctx, "aws", aws.ProviderArgs{Region: "eu-central-1"}); err != nil {
			return err
		}
		_, err = elasticache.New(ctx, "cache", args)
		return err
	})
	programs := process.Programs(t, "valkey-server", "valkey-cli")
	password := o.Data("Secret", valkey.SecretName)["password"]
	start := func(port int) *process.Process {
		return o.Start(t, process.Spec{
			Workload: "Job/valkey-check", Dir: t.TempDir(), Programs: programs,
			Env: map[string]string{"HOST": "127.0.0.1", "PORT": strconv.Itoa(port)},
		})
	}
	assert.Zero(t, start(serve(t, programs, ca, password)).Wait(20*time.Second))

	for why, port := range map[string]int{
		"WRONGPASS":                 serve(t, programs, ca, "another-password"),
		"certificate verify failed": serve(t, programs, verify.NewCA(t, "somebody"), password),
	} {
		waiting := start(port)
		// The server may not listen yet when it is asked first.
		assert.Eventually(t, func() bool { return strings.Contains(waiting.Log(), why) }, 20*time.Second, 50*time.Millisecond, why)
		assert.True(t, waiting.Running(), why)
	}
}
