// Package postgres runs a real PostgreSQL server for a test: with TLS from an authority of the test's own, and with
// roles that have to give a password, as the databases of an installation have it. It listens on a loopback address and
// keeps nothing beyond the test.
package postgres

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/internal/tools"
	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

const (
	superuser = "postgres"
	patience  = 30 * time.Second // for a start or an end, which take a second
)

// Options say what the server is to be like.
type Options struct {
	// Address is a loopback address to listen on; the default is 127.0.0.1.
	Address string
	// Port is the one to listen on; the default is a free one.
	Port int
	// CA issues the server's certificate.
	CA verify.CA
	// Names are the DNS names and IP addresses in the certificate, beside the address.
	Names []string
	// Databases are created with their owners.
	Databases []Database
	// MaxConnections is how many sessions there may be at a time; the default is 100.
	MaxConnections int
}

// Database is a database with the role that owns it. Databases may share an owner.
type Database struct{ Name, Owner, Password string }

// Server is a running server. It ends with the test at the latest.
type Server struct {
	// Host is the address that it listens on.
	Host string
	// Port is the one that it listens on.
	Port int

	t        *testing.T
	programs map[string]string
	data     string // directory
	socket   string // directory
	log      string // file

	mutex sync.Mutex
	cmd   *exec.Cmd
	ended chan struct{} // closed when the process is gone
}

// Start runs a server. When the test has failed, the end of the server's log is printed.
func Start(t *testing.T, o Options) *Server {
	t.Helper()
	programs, err := tools.Build(t.Context(), "postgres", "initdb")
	require.NoError(t, err)
	if o.Address == "" {
		o.Address = "127.0.0.1"
	}
	if o.MaxConnections == 0 {
		o.MaxConnections = 100
	}
	// The path of a socket is short, that of a test's own directory may not be.
	socket, err := os.MkdirTemp("", "pg")
	require.NoError(t, err)
	dir := t.TempDir()
	s := &Server{
		Host: o.Address, Port: o.Port, t: t, programs: programs,
		data: filepath.Join(dir, "data"), socket: socket, log: filepath.Join(dir, "log"),
	}
	t.Cleanup(func() {
		s.Stop(t)
		_ = os.RemoveAll(socket) // the server has removed what was in it
		if t.Failed() {
			t.Logf("PostgreSQL at %s:%d, end of the log:\n%s", s.Host, s.Port, s.tail())
		}
	})
	s.initialise(o)
	s.firstStart(o.Port)
	s.create(o.Databases)
	return s
}

// initialise makes the directory with the data and the settings.
func (s *Server) initialise(o Options) {
	s.t.Helper()
	out, err := s.command("initdb", "--pgdata", s.data, "--username", superuser, "--encoding", "UTF8", "--no-locale",
		"--auth", "trust", "--no-sync").CombinedOutput()
	require.NoError(s.t, err, "initdb: %s", out)
	cert, key, err := certificate(o.CA, append([]string{o.Address}, o.Names...))
	require.NoError(s.t, err)
	for name, content := range map[string][]byte{
		"tls.crt": cert, "tls.key": key, "pg_hba.conf": []byte(access), "postgresql.conf": s.settings(o.MaxConnections),
	} {
		require.NoError(s.t, os.WriteFile(filepath.Join(s.data, name), content, 0o600))
	}
}

// access lets the superuser in over the socket, which lies in a directory of the test's user, and others over TLS.
const access = `local all postgres trust
hostssl all all all scram-sha-256
`

func (s *Server) settings(maxConnections int) []byte {
	return fmt.Appendf(nil, `listen_addresses = '%s'
unix_socket_directories = '%s'
max_connections = %d
password_encryption = 'scram-sha-256'
ssl = on
ssl_cert_file = 'tls.crt'
ssl_key_file = 'tls.key'
ssl_min_protocol_version = 'TLSv1.2'
shared_buffers = '32MB'
dynamic_shared_memory_type = 'mmap'
fsync = off
synchronous_commit = off
full_page_writes = off
log_connections = on
`, s.Host, s.socket, maxConnections)
}

// firstStart starts the server on the port, or on a free one. Another process may take that first.
func (s *Server) firstStart(port int) {
	s.t.Helper()
	for attempt := 1; ; attempt++ {
		if port == 0 {
			listener, err := net.Listen("tcp", net.JoinHostPort(s.Host, "0"))
			require.NoError(s.t, err)
			s.Port = listener.Addr().(*net.TCPAddr).Port
			require.NoError(s.t, listener.Close())
		}
		err := s.start()
		if err == nil {
			return
		}
		if port != 0 || attempt == 3 {
			require.NoError(s.t, err)
		}
		s.t.Logf("another attempt to start PostgreSQL, after: %v", err)
	}
}

// start starts the server and waits until it lets clients in.
func (s *Server) start() error {
	log, err := os.OpenFile(s.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := s.command("postgres", "-D", s.data, "-p", strconv.Itoa(s.Port))
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start postgres: %w", err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // that it has ended says enough
		close(ended)
	}()
	s.mutex.Lock()
	s.cmd, s.ended = cmd, ended
	s.mutex.Unlock()

	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		_, err := s.query("postgres", "SELECT 1")
		if err == nil {
			return nil
		}
		select {
		case <-ended:
			return errors.New("postgres has ended")
		default:
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("postgres does not let clients in: %w", err)
		}
	}
}

// Stop ends the server, and with it every session. One that is stopped stays so until Restart.
func (s *Server) Stop(t *testing.T) {
	t.Helper()
	s.mutex.Lock()
	cmd, ended := s.cmd, s.ended
	s.mutex.Unlock()
	if cmd == nil {
		return
	}
	_ = cmd.Process.Signal(syscall.SIGINT) // if it fails the server has ended
	select {
	case <-ended:
	case <-time.After(patience):
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		<-ended
		t.Errorf("PostgreSQL at %s:%d had to be killed, as it did not end within %s", s.Host, s.Port, patience)
	}
}

// Restart ends the server, if it runs, and starts it again on the same port with what it holds.
func (s *Server) Restart(t *testing.T) {
	t.Helper()
	s.Stop(t)
	require.NoError(t, s.start())
}

// tail is the end of the log.
func (s *Server) tail() string {
	const lines = 40
	data, err := os.ReadFile(s.log)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimSpace(string(data)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
