package traefik_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/telekom/controlplane-infrastructure/components/network/traefik"
	"github.com/telekom/controlplane-infrastructure/internal/flow/flowtest"
	"github.com/telekom/controlplane-infrastructure/internal/local"
	"github.com/telekom/controlplane-infrastructure/internal/local/localtest"
	"github.com/telekom/controlplane-infrastructure/internal/namespace"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
	"github.com/telekom/controlplane-infrastructure/tests/process"
	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

// cluster is a control plane for all tests of the package.
var cluster *local.ControlPlane

func TestMain(m *testing.M) { localtest.Main(m, &cluster) }

// arguments are those of an ingress controller whose Service is inside the cluster.
func arguments() traefik.Args {
	return traefik.Args{
		Image: "docker.io/library/traefik:v3.7.13", ClassName: "traefik", DefaultClass: true, Replicas: 3,
		Service:     traefik.Service{Type: corev1.ServiceTypeClusterIP, HTTPPort: 80, HTTPSPort: 443},
		Certificate: traefik.Certificate{Hostnames: []string{"*.example.com"}, Issuer: "letsencrypt"},
		HSTS:        traefik.HSTS{MaxAge: 365 * 24 * time.Hour}, ServiceMonitor: true,
	}
}

// program registers the component.
func program(availability workload.Availability, args traefik.Args) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		common, err := process.Common(ctx, availability)
		if err != nil {
			return err
		}
		args.Common = common
		args.Common.Namespaces = namespace.Plan{Flows: flowtest.Table(args.Flows()...)}
		_, err = traefik.New(ctx, "ingress", args)
		return err
	}
}

// installation is an ingress controller whose servers are processes of this machine, with what it may do in the cluster.
type installation struct {
	*process.Objects
	t       *testing.T
	ca      verify.CA
	clients *kubernetes.Clientset
	objects client.Client
	program map[string]string
	network *network
	dir     string
	started int
}

// install renders an ingress controller, and gives the cluster what a server needs there. The namespaces are made before.
func install(t *testing.T, args traefik.Args, namespaces ...string) *installation {
	t.Helper()
	objects, err := client.New(cluster.REST(), client.Options{})
	require.NoError(t, err)
	clients, err := kubernetes.NewForConfig(cluster.REST())
	require.NoError(t, err)
	i := &installation{
		t: t, ca: verify.NewCA(t, "platform"), clients: clients, objects: objects, dir: t.TempDir(),
		program: process.Programs(t, "traefik"), network: newNetwork(t),
	}
	i.Objects = process.Render(t, i.ca, program(workload.Zonal, args))
	for _, name := range namespaces {
		i.apply(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})
	}
	for _, kind := range []string{
		"Namespace", "ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding", "IngressClass", "Service",
		"Secret", "GatewayClass", "Gateway",
	} {
		for _, o := range i.Of(kind) {
			i.apply(o.Unstructured.DeepCopy())
		}
	}
	return i
}

// apply makes an object as it is given, in place of one of the same name. It goes with the test.
func (i *installation) apply(o client.Object) {
	i.t.Helper()
	o.SetResourceVersion("")
	copied := o.DeepCopyObject().(client.Object)
	err := i.objects.Create(i.t.Context(), o)
	if apierrors.IsAlreadyExists(err) {
		existing := copied.DeepCopyObject().(client.Object)
		require.NoError(i.t, i.objects.Get(i.t.Context(), client.ObjectKeyFromObject(o), existing))
		copied.SetResourceVersion(existing.GetResourceVersion())
		require.NoError(i.t, i.objects.Update(i.t.Context(), copied))
		return
	}
	require.NoError(i.t, err)
	if kind, err := i.objects.GroupVersionKindFor(copied); err == nil && kind.Kind == "Namespace" {
		return // it would take long, and others may use it
	}
	i.t.Cleanup(func() { _ = i.objects.Delete(context.Background(), copied) })
}

// kubeconfig is that of a pod with a service account.
func (i *installation) kubeconfig(namespace, account string) string {
	i.t.Helper()
	token, err := i.clients.CoreV1().ServiceAccounts(namespace).CreateToken(i.t.Context(), account,
		&authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	require.NoError(i.t, err)
	config, err := clientcmd.LoadFromFile(cluster.Kubeconfig)
	require.NoError(i.t, err)
	current := config.Contexts[config.CurrentContext]
	config.AuthInfos = map[string]*clientcmdapi.AuthInfo{current.AuthInfo: {Token: token.Status.Token}}
	path := filepath.Join(i.t.TempDir(), "kubeconfig")
	require.NoError(i.t, clientcmd.WriteToFile(*config, path))
	return path
}

// server is a pod.
type server struct {
	*process.Process
	address string
}

// launch starts a server with the permissions of a service account.
func (i *installation) launch(kubeconfig string) *server {
	i.t.Helper()
	address := process.Address(i.t, 8000, 8443, 9000)
	var replace []string
	for _, port := range []string{":8000", ":8443", ":9000"} {
		replace = append(replace, "address="+port, "address="+address+port)
	}
	i.started++
	return &server{address: address, Process: i.Start(i.t, process.Spec{
		Workload: "Deployment/traefik", Ordinal: i.started, Dir: filepath.Join(i.dir, address), Address: address,
		Programs: map[string]string{"": i.program["traefik"]}, Replace: replace,
		Env: map[string]string{"KUBECONFIG": kubeconfig, "HTTP_PROXY": i.network.url, "HTTPS_PROXY": i.network.url},
	})}
}

// serve starts a server and waits until it is ready.
func (i *installation) serve() *server {
	i.t.Helper()
	s := i.launch(i.kubeconfig(traefik.Namespace, "traefik"))
	require.Eventually(i.t, func() bool { return s.Ready(i.t.Context()) == nil }, 30*time.Second, 50*time.Millisecond,
		"the server gets ready")
	return s
}

// port is that of the pod for a port of the Service.
var port = map[string]string{"80": "8000", "443": "8443", "9000": "9000"}

// dial leads every request to the server, whatever host it names.
func (s *server) dial(ctx context.Context, network, address string) (net.Conn, error) {
	_, given, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	return (&net.Dialer{}).DialContext(ctx, network, net.JoinHostPort(s.address, port[given]))
}

// client verifies servers with the authorities, and follows no redirects.
func (s *server) client(authorities ...verify.CA) *http.Client {
	return &http.Client{
		Timeout: 15 * time.Second,
		Transport: &http.Transport{
			TLSClientConfig: &tls.Config{RootCAs: pool(authorities...)}, DialContext: s.dial, DisableKeepAlives: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func pool(authorities ...verify.CA) *x509.CertPool {
	roots := x509.NewCertPool()
	for _, ca := range authorities {
		roots.AppendCertsFromPEM([]byte(ca.Certificate))
	}
	return roots
}

// answer is what a server has said.
type answer struct {
	*http.Response
	body string
}

// get sends a request.
func get(t require.TestingT, c *http.Client, url string, headers ...string) answer {
	if h, ok := t.(interface{ Helper() }); ok {
		h.Helper()
	}
	request, err := http.NewRequest(http.MethodGet, url, nil)
	require.NoError(t, err)
	for n := 0; n < len(headers); n += 2 {
		request.Header.Set(headers[n], headers[n+1])
	}
	response, err := c.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return answer{response, string(body)}
}

// issue signs a certificate for names.
func issue(t *testing.T, ca verify.CA, names ...string) (certificate, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	certificate, key, err = ca.Sign(&x509.Certificate{
		DNSNames: names, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, private)
	require.NoError(t, err)
	return certificate, key
}

// logged are the lines of a server's log that hold a text.
func (s *server) logged(text string) []string {
	var lines []string
	for line := range strings.Lines(s.Log()) {
		if strings.Contains(line, text) {
			lines = append(lines, line)
		}
	}
	return lines
}
