// Package acmetest gives tests an ACME server: Pebble, the one that the makers of Let's Encrypt test clients with. It
// validates HTTP-01 challenges by way of the ingresses of a local control plane.
package acmetest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/telekom/controlplane-infrastructure/internal/local"
	"github.com/telekom/controlplane-infrastructure/internal/tools"
)

// Server is an ACME server that runs until the test is over.
type Server struct {
	// Directory is the URL that an ACME client is configured with.
	Directory string
	// CABundle is the PEM certificate by which a client recognises the server itself (not what it issues).
	CABundle []byte

	roots  string
	client *http.Client
}

// Start starts an ACME server that looks up every name in the control plane, and asks its ingresses.
func Start(t testing.TB, cp *local.ControlPlane) *Server {
	t.Helper()
	s, err := start(t, cp)
	if err != nil {
		t.Fatalf("ACME server: %v", err)
	}
	return s
}

func start(t testing.TB, cp *local.ControlPlane) (*Server, error) {
	program, err := tools.Path(t.Context(), "pebble")
	if err != nil {
		return nil, err
	}
	ingress, err := url.Parse(cp.Ingress)
	if err != nil {
		return nil, err
	}
	httpPort, err := strconv.Atoi(ingress.Port())
	if err != nil {
		return nil, fmt.Errorf("port of the ingress %s: %w", cp.Ingress, err)
	}
	acme, management, err := freeAddresses()
	if err != nil {
		return nil, err
	}
	dir := t.TempDir()
	certificate, err := writeCertificate(dir)
	if err != nil {
		return nil, err
	}
	config, err := json.Marshal(map[string]any{"pebble": map[string]any{
		"listenAddress": acme, "managementListenAddress": management, "httpPort": httpPort, "tlsPort": 1,
		"certificate": filepath.Join(dir, "tls.crt"), "privateKey": filepath.Join(dir, "tls.key"),
		"retryAfter": map[string]int{"authz": 1, "order": 1},
	}})
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "config.json"), config, 0o600); err != nil {
		return nil, err
	}
	command := exec.Command(program, "-config", filepath.Join(dir, "config.json"), "-dnsserver", cp.NameServer)
	command.Env = []string{"PEBBLE_VA_NOSLEEP=1", "PEBBLE_WFE_NONCEREJECT=0"} // random delays and errors, on purpose
	if err := run(t, cp, command, filepath.Join(dir, "log")); err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(certificate)
	s := &Server{
		Directory: "https://" + acme + "/dir",
		CABundle:  certificate,
		roots:     "https://" + management + "/roots/0",
		client:    &http.Client{Transport: &http.Transport{Proxy: nil, TLSClientConfig: &tls.Config{RootCAs: pool}}},
	}
	return s, s.wait()
}

// run starts the server for as long as the test takes. Its log is shown if the test fails.
func run(t testing.TB, cp *local.ControlPlane, command *exec.Cmd, logFile string) error {
	log, err := os.Create(logFile)
	if err != nil {
		return err
	}
	defer log.Close()
	command.Stdout, command.Stderr = log, log
	if err := cp.StartProcess(command); err != nil {
		return err
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
		if t.Failed() {
			content, _ := os.ReadFile(logFile)
			t.Logf("log of the ACME server:\n%s", content)
		}
	})
	return nil
}

// Roots returns the PEM certificate of the authority that the server issues certificates of.
func (s *Server) Roots(t testing.TB) []byte {
	t.Helper()
	content, err := s.get(s.roots)
	if err != nil {
		t.Fatalf("roots of the ACME server: %v", err)
	}
	return content
}

func (s *Server) wait() (err error) {
	for range 100 {
		if _, err = s.get(s.Directory); err == nil {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return err
}

func (s *Server) get(url string) ([]byte, error) {
	response, err := s.client.Get(url)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", url, response.Status)
	}
	return io.ReadAll(response.Body)
}

// freeAddresses returns two that differ, since both are taken at the same time.
func freeAddresses() (one, other string, err error) {
	first, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", "", err
	}
	defer first.Close()
	second, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", "", err
	}
	defer second.Close()
	return first.Addr().String(), second.Addr().String(), nil
}

// writeCertificate makes a certificate for the loopback's address, which is its own authority.
func writeCertificate(dir string) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "ACME server"},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(24 * time.Hour),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if err := os.WriteFile(filepath.Join(dir, "tls.crt"), certificate, 0o600); err != nil {
		return nil, err
	}
	privatePEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})
	return certificate, os.WriteFile(filepath.Join(dir, "tls.key"), privatePEM, 0o600)
}
