package identity_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/components/identity"
	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
	"github.com/telekom/controlplane-infrastructure/tests/postgres"
	"github.com/telekom/controlplane-infrastructure/tests/process"
	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

const (
	publicHost   = "iris.example.com"
	adminUser    = "admin"
	databaseUser = "iris"
	// #nosec G101 -- of a database that ends with the test
	databasePassword = "a-password-of-the-test"

	// The names that clients in the cluster use.
	service    = "iris.identity.svc"
	management = "iris-management.identity.svc"

	internalURL = "https://" + service + ":8443/auth"
	metricsURL  = "https://" + management + ":9000/auth/metrics"
	publicURL   = "https://" + publicHost + "/auth"
)

// arguments are those of an identity provider with three servers that have as few connections as is allowed.
func arguments() identity.Args {
	return identity.Args{
		Image: "quay.io/keycloak/keycloak:26.7.3", Replicas: 3, Hostname: publicHost,
		Ingress: identity.Ingress{Issuer: "letsencrypt"},
		Admin:   identity.Admin{Username: adminUser},
		Database: identity.Database{
			Host: pulumi.String("iris-rw.postgresql.svc"), Port: 5432, Name: "iris", User: databaseUser,
			Password: pulumi.String(databasePassword), Connections: 20,
			Pods: flow.Peer{Namespace: "postgresql", Pods: map[string]string{"cnpg.io/cluster": "iris"}},
		},
		TrustedIssuers: []string{publicURL + "/realms/rover", "https://other.example.com/auth/realms/default"},
		ServiceMonitor: true,
	}
}

// program registers the component.
func program(availability workload.Availability, args identity.Args) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		common, err := process.Common(ctx, availability)
		if err != nil {
			return err
		}
		args.Common = common
		args.Namespaces.Flows.Flows = args.Flows()
		_, err = identity.New(ctx, "identity", args)
		return err
	}
}

// installation is an identity provider on this machine, with a database server of its own.
type installation struct {
	*process.Objects
	t        *testing.T
	ca       verify.CA
	database *postgres.Server
	dir      string
	keycloak string // the distribution
	programs map[string]string
	servers  []*server
	lost     *server // killed last
	// addresses are those of the pods, by their ordinals.
	addresses []string
	// stack has made the realm rover; the secrets are those of its clients.
	stack                 auto.Stack
	secret, grafanaSecret string
}

// server is a pod.
type server struct {
	*process.Process
	spec    process.Spec
	address string
}

// install starts a database server, and renders the identity provider for it.
func install(t *testing.T) *installation {
	t.Helper()
	i := &installation{t: t, ca: verify.NewCA(t, "platform"), dir: t.TempDir(), programs: process.Programs(t, "keycloak", "java")}
	i.keycloak = filepath.Dir(filepath.Dir(i.programs["keycloak"]))
	i.database = postgres.Start(t, postgres.Options{CA: i.ca, Databases: []postgres.Database{
		{Name: "iris", Owner: databaseUser, Password: databasePassword},
	}})
	for range 4 {
		i.addresses = append(i.addresses, process.Address(t, 7800, 8080, 8443, 9000, 57800))
	}
	i.Objects = i.render(i.ca)
	return i
}

// render renders the identity provider with all of its certificates, and its trust, from an authority.
func (i *installation) render(ca verify.CA) *process.Objects {
	i.t.Helper()
	args := arguments()
	args.Database.Host, args.Database.Port = pulumi.String(i.database.Host), i.database.Port
	args.Admin.PlainHTTP = true
	o := process.Render(i.t, ca, program(workload.Single, args), i.addresses...)
	variables(i.t, o, map[string]string{
		"JAVA_OPTS_APPEND": "-Djava.io.tmpdir=/tmp", // where it is anyway, but that a process has no /tmp of its own
		// The least that Keycloak allows.
		"KC_HTTPS_CERTIFICATES_RELOAD_PERIOD": "31s",
	})
	return o
}

// variables sets variables of the server's container.
func variables(t *testing.T, o *process.Objects, values map[string]string) {
	t.Helper()
	container := server0(t, o)
	for name, value := range values {
		var env []any
		for _, v := range container["env"].([]any) {
			if v.(map[string]any)["name"] != name {
				env = append(env, v)
			}
		}
		container["env"] = append(env, map[string]any{"name": name, "value": value})
	}
}

// server0 is the server's container as rendered.
func server0(t *testing.T, o *process.Objects) map[string]any {
	t.Helper()
	return nested(t, o.Find("Deployment", "iris").Object, "spec", "template", "spec", "containers").([]any)[0].(map[string]any)
}

// pod prepares the file system of a pod and says how its containers run.
func (i *installation) pod(ordinal int) process.Spec {
	i.t.Helper()
	dir := filepath.Join(i.dir, fmt.Sprintf("pod-%d", ordinal))
	root, scratch := filepath.Join(dir, "image"), filepath.Join(dir, "scratch")
	for _, volume := range []string{"build", "data", "tmp"} {
		require.NoError(i.t, os.MkdirAll(filepath.Join(scratch, volume), 0o755))
	}
	process.Image(i.t, i.keycloak, root, map[string]string{
		"lib/quarkus": filepath.Join(scratch, "build"), "data": filepath.Join(scratch, "data"),
	})
	address := i.addresses[ordinal]
	return process.Spec{
		Workload: "Deployment/iris", Ordinal: ordinal, Dir: dir, Address: address,
		Programs: map[string]string{"": filepath.Join(root, "bin", "kc.sh"), "java": i.programs["java"]},
		Replace:  []string{"/opt/keycloak/lib/quarkus", filepath.Join(i.keycloak, "lib", "quarkus"), "0.0.0.0", address},
	}
}

// prepare runs the containers that come before the server.
func (i *installation) prepare(o *process.Objects, s process.Spec) {
	i.t.Helper()
	for _, container := range []string{"copy", "build"} {
		init := s
		init.Container = container
		p := o.Start(i.t, init)
		require.Equal(i.t, 0, p.Wait(3*time.Minute), "container %s: %s", container, p.Log())
	}
}

// like prepares another pod. The containers that build are the same in all pods, and so is what they build.
func (i *installation) like(built process.Spec, ordinal int) process.Spec {
	i.t.Helper()
	s := i.pod(ordinal)
	require.NoError(i.t, os.CopyFS(filepath.Join(s.Dir, "scratch", "build"), os.DirFS(filepath.Join(built.Dir, "scratch", "build"))))
	return s
}

// start starts a server in a pod that is prepared.
func (i *installation) start(o *process.Objects, s process.Spec) *server {
	i.t.Helper()
	s.Container = "iris"
	return &server{Process: o.Start(i.t, s), spec: s, address: s.Address}
}

// ready waits until a server's readiness probe passes.
func (s *server) ready(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool { return s.Ready(t.Context()) == nil }, 3*time.Minute, 500*time.Millisecond,
		"the server at %s gets ready", s.address)
}

// client is a direct one that goes on while its server takes up a renewed certificate.
func (i *installation) client(s *server) *http.Client {
	i.t.Helper()
	c := i.direct(s)
	c.Transport = again{c.Transport}
	return c
}

// again sends a request once more when its connection is closed. In the moment in which a server takes up a renewed
// certificate it may close connections that have just been opened.
type again struct{ next http.RoundTripper }

func (a again) RoundTrip(request *http.Request) (*http.Response, error) {
	for attempt := 1; ; attempt++ {
		sent := request.Clone(request.Context())
		if request.GetBody != nil {
			var err error
			if sent.Body, err = request.GetBody(); err != nil {
				return nil, err
			}
		}
		answer, err := a.next.RoundTrip(sent)
		if closed := errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET); !closed || attempt == 5 {
			return answer, err
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// direct sends all requests to one server, whatever host they name, and verifies it with the platform's trust.
func (i *installation) direct(s *server) *http.Client {
	i.t.Helper()
	return &http.Client{Timeout: 15 * time.Second, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: i.roots()}, ForceAttemptHTTP2: true,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			_, port, err := net.SplitHostPort(address)
			if err != nil {
				return nil, err
			}
			return (&net.Dialer{}).DialContext(ctx, network, net.JoinHostPort(s.address, port))
		},
	}}
}

func (i *installation) roots() *x509.CertPool {
	i.t.Helper()
	roots := x509.NewCertPool()
	require.True(i.t, roots.AppendCertsFromPEM([]byte(i.Data("ConfigMap", process.Trust.ConfigMap)[process.Trust.Key])))
	return roots
}

// get asks a server for a document.
func (i *installation) get(s *server, url string, header http.Header) (int, string) {
	i.t.Helper()
	request, err := http.NewRequestWithContext(i.t.Context(), http.MethodGet, url, nil)
	require.NoError(i.t, err)
	for key, values := range header {
		request.Header[key] = values
	}
	answer, err := i.client(s).Do(request)
	require.NoError(i.t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	require.NoError(i.t, err)
	return answer.StatusCode, string(body)
}
