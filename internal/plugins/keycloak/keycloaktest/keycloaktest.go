// Package keycloaktest starts a real Keycloak for tests, in its development mode and with nothing in it but an
// administrator.
package keycloaktest

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/telekom/controlplane-infrastructure/internal/tools"
)

// The administrator, and the path below which everything is served.
const (
	Username = "admin"
	Password = "keycloak-for-tests"
	BasePath = "/auth"
)

// startup is how long a server may take on a machine that has much else to do.
const startup = 4 * time.Minute

// Server is a running Keycloak.
type Server struct {
	// URL is the server's, without [BasePath].
	URL string

	process *exec.Cmd
	output  bytes.Buffer
	ended   chan error
}

// Start starts a server and waits until it serves. Dir is an empty directory; the server keeps nothing beyond its end.
func Start(ctx context.Context, dir string) (*Server, error) {
	script, err := tools.Path(ctx, "keycloak")
	if err != nil {
		return nil, err
	}
	if err := furnish(filepath.Dir(filepath.Dir(script)), dir); err != nil {
		return nil, fmt.Errorf("copy Keycloak's distribution: %w", err)
	}
	ports, err := freePorts(ctx, 2)
	if err != nil {
		return nil, err
	}
	s := &Server{URL: "http://127.0.0.1:" + strconv.Itoa(ports[0]), ended: make(chan error, 1)}
	s.process = exec.CommandContext(context.WithoutCancel(ctx), filepath.Join(dir, "bin", "kc.sh"), //nolint:gosec // ours
		"start-dev", "--db=dev-mem", "--http-relative-path="+BasePath, "--http-host=127.0.0.1",
		"--http-port="+strconv.Itoa(ports[0]), "--http-management-port="+strconv.Itoa(ports[1]), "--cache=local")
	s.process.Env = append(os.Environ(), "KC_BOOTSTRAP_ADMIN_USERNAME="+Username, "KC_BOOTSTRAP_ADMIN_PASSWORD="+Password,
		// To be there soon is more than to be fast later.
		"JAVA_OPTS=-Xms128m -Xmx512m -Dfile.encoding=UTF-8 -XX:+UseSerialGC -XX:TieredStopAtLevel=1")
	s.process.Stdout, s.process.Stderr = &s.output, &s.output
	s.process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := s.process.Start(); err != nil {
		return nil, fmt.Errorf("start Keycloak: %w", err)
	}
	go func() { s.ended <- s.process.Wait() }()
	if err := s.ready(ctx); err != nil {
		s.Stop() // nobody writes to its output any more
		return nil, fmt.Errorf("%w\n%s", err, s.output.String())
	}
	return s, nil
}

func (s *Server) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startup)
	defer cancel()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+BasePath+"/realms/master", nil)
		if err != nil {
			return err
		}
		if response, err := http.DefaultClient.Do(request); err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case err := <-s.ended:
			s.ended <- err
			return fmt.Errorf("start Keycloak: it ended: %v", err)
		case <-ctx.Done():
			return fmt.Errorf("wait for Keycloak: %w", ctx.Err())
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// Stop ends the server.
func (s *Server) Stop() {
	// The script starts another process; both are of a group of their own.
	_ = syscall.Kill(-s.process.Process.Pid, syscall.SIGKILL)
	<-s.ended
}

// furnish makes a distribution of one's own of a shared one: what a server writes to is copied, the rest is linked.
func furnish(from, to string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, name)
		if entry.IsDir() {
			return os.MkdirAll(target, 0o755)
		}
		written := strings.HasPrefix(name, filepath.Join("lib", "quarkus")) || strings.HasPrefix(name, "conf")
		if !written && os.Link(path, target) == nil {
			return nil
		}
		return duplicate(path, target)
	})
}

func duplicate(from, to string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, content, info.Mode().Perm()|0o200)
}

// freePorts returns ports that nobody listens on, each another one.
func freePorts(ctx context.Context, n int) (ports []int, err error) {
	var config net.ListenConfig
	for range n {
		listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		defer listener.Close() //nolint:errcheck // open until all are found
		ports = append(ports, listener.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}
