package exporters_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/telekom/controlplane-infrastructure/components/monitoring/exporters"
	"github.com/telekom/controlplane-infrastructure/components/monitoring/names"
	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/internal/flow/flowtest"
	"github.com/telekom/controlplane-infrastructure/internal/local"
	"github.com/telekom/controlplane-infrastructure/internal/local/localtest"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/namespace"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
	"github.com/telekom/controlplane-infrastructure/tests/process"
	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

// cluster is a control plane for all tests of the package.
var cluster *local.ControlPlane

func TestMain(m *testing.M) { localtest.Main(m, &cluster) }

// arguments are those of all that there can be.
func arguments() exporters.Args {
	amounts := func(cpu, memory string) corev1.ResourceList {
		return corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu), corev1.ResourceMemory: resource.MustParse(memory)}
	}
	program := func(image string) exporters.Program {
		return exporters.Program{Image: image, Resources: corev1.ResourceRequirements{
			Requests: amounts("20m", "32Mi"), Limits: amounts("250m", "128Mi"),
		}}
	}
	return exporters.Args{
		// Not the images' own names: their pods are to be simulated.
		KubeStateMetrics: program("registry.example.com/kube-state-metrics:v2.15.0"),
		NodeExporter:     new(program("registry.example.com/node-exporter:v1.10.2")),
		Kubelet:          true, APIServer: true,
		CoreDNS: &flow.Peer{Namespace: "kube-system", Pods: map[string]string{"k8s-app": "kube-dns"}},
		Etcd: &exporters.Etcd{
			Endpoints: []string{"10.0.0.11", "fd00::12"}, Port: 2381, ClientSecret: "etcd-client", ServerName: "etcd.example.com",
		},
	}
}

// parent is what the objects belong to.
type parent struct{ pulumi.ResourceState }

// render registers the objects in the way of a component, with the namespace that they need.
func render(t *testing.T, ca verify.CA, args exporters.Args) *process.Objects {
	t.Helper()
	return process.Render(t, ca, func(ctx *pulumi.Context) error {
		common, err := process.Common(ctx, workload.Zonal)
		if err != nil {
			return err
		}
		args.Common = common
		args.Namespaces = namespace.Plan{Flows: flowtest.Table(args.Flows()...)}
		p := &parent{}
		if err := ctx.RegisterComponentResource("test:index:Exporters", "exporters", p); err != nil {
			return err
		}
		reg := args.Registrar(ctx, p)
		ground, err := manifest.Typed(args.Namespaces.Objects(names.Namespace, args.NamespaceLabels())...)
		if err != nil {
			return err
		}
		first, err := reg.Register(ground)
		if err != nil {
			return err
		}
		_, err = reg.Step(args.Set, first)
		return err
	})
}

// objects is a client that takes nothing that it does not know.
func objects(t *testing.T) client.Client {
	t.Helper()
	c, err := client.New(cluster.REST(), client.Options{})
	require.NoError(t, err)
	return client.WithFieldValidation(c, metav1.FieldValidationStrict)
}

// apply has the API server have an object as it is given.
func apply(t *testing.T, c client.Client, o *unstructured.Unstructured) *unstructured.Unstructured {
	t.Helper()
	applied := o.DeepCopy()
	require.NoError(t, c.Apply(t.Context(), client.ApplyConfigurationFromUnstructured(applied),
		client.FieldOwner("test"), client.ForceOwnership), "%s %s", o.GetKind(), o.GetName())
	return applied
}

// kubeconfig is that of a pod with a service account.
func kubeconfig(t *testing.T, clients kubernetes.Interface, account string) string {
	t.Helper()
	token, err := clients.CoreV1().ServiceAccounts(names.Namespace).CreateToken(t.Context(), account,
		&authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	require.NoError(t, err)
	config, err := clientcmd.LoadFromFile(cluster.Kubeconfig)
	require.NoError(t, err)
	current := config.Contexts[config.CurrentContext]
	config.AuthInfos = map[string]*clientcmdapi.AuthInfo{current.AuthInfo: {Token: token.Status.Token}}
	path := filepath.Join(t.TempDir(), "kubeconfig")
	require.NoError(t, clientcmd.WriteToFile(*config, path))
	return path
}

// prefixed is a program with a first argument, for one that finds its cluster by itself in a pod only.
func prefixed(t *testing.T, program, argument string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program")
	script := fmt.Sprintf("#!/bin/sh\nexec '%s' '%s' \"$@\"\n", program, argument)
	require.NoError(t, os.WriteFile(path, []byte(script), 0o755))
	return path
}

// scraper reads metrics as Prometheus does: it verifies the server by the name that the monitor has, and shows a
// certificate, if it has one.
func scraper(ca verify.CA, address, serverName string, certificates ...tls.Certificate) *http.Client {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(ca.Certificate))
	return &http.Client{Timeout: 15 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{RootCAs: roots, ServerName: serverName, Certificates: certificates},
		DialContext: func(ctx context.Context, network, target string) (net.Conn, error) {
			_, port, err := net.SplitHostPort(target)
			if err != nil {
				return nil, err
			}
			return (&net.Dialer{}).DialContext(ctx, network, net.JoinHostPort(address, port))
		},
	}}
}

// scrape is what a server answers.
func scrape(c *http.Client, url string) ([]byte, error) {
	response, err := c.Get(url)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", url, response.Status)
	}
	return io.ReadAll(response.Body)
}

// pair is the certificate in a Secret.
func pair(t *testing.T, o *process.Objects, secret string) tls.Certificate {
	t.Helper()
	data := o.Data("Secret", secret)
	certificate, err := tls.X509KeyPair([]byte(data[corev1.TLSCertKey]), []byte(data[corev1.TLSPrivateKeyKey]))
	require.NoError(t, err)
	return certificate
}
