package local

import (
	"context"
	"fmt"
	"os"
	"strconv"

	"github.com/telekom/controlplane-infrastructure/internal/local/node"
	"github.com/telekom/controlplane-infrastructure/internal/tools"
)

const (
	serviceRange = "10.96.0.0/16"
	apiServiceIP = "10.96.0.1"
	// simulatedRange is what KWOK gives to pods; real processes get addresses of their own range.
	simulatedRange = "10.244.0.1/16"
	// issuer of service account tokens: what clusters that are not reachable from outside use by default.
	issuer = "https://kubernetes.default.svc.cluster.local"
)

// toolset holds the paths of the programs by name.
type toolset map[string]string

// findTools returns the programs of a control plane of that Kubernetes minor, and of the pods that really run; those that
// are missing get built, with progress on stderr.
func findTools(ctx context.Context, version string) (toolset, error) {
	kubernetes := []string{"kube-apiserver", "kube-controller-manager", "kube-scheduler"}
	suffix := ""
	if version != KubernetesVersions[0] {
		suffix = "-" + version
	}
	names := append([]string{"etcd", "kwok"}, node.Programs()...)
	for _, name := range kubernetes {
		names = append(names, name+suffix)
	}
	paths, err := tools.Build(ctx, names...)
	if err != nil {
		return nil, fmt.Errorf("programs of the local control plane: %w", err)
	}
	for _, name := range kubernetes { // whatever the minor, they go by these names
		paths[name] = paths[name+suffix]
	}
	return paths, nil
}

// etcdArgs: clients come through a socket in a directory that is open to this user alone, so that nobody gets
// around the API server. The addresses that it announces are used by nobody: it has no peers, and its client knows better.
func etcdArgs(l layout) []string {
	const peer = "http://127.0.0.1:0"
	return []string{
		"--name=local",
		"--data-dir=" + l.path("etcd"),
		"--listen-client-urls=unix://" + l.etcdSocket(),
		"--advertise-client-urls=" + peer,
		"--listen-peer-urls=" + peer,
		"--initial-advertise-peer-urls=" + peer,
		"--initial-cluster=local=" + peer,
		"--unsafe-no-fsync", // the data does not outlive the processes
		"--log-level=warn",
	}
}

func apiServerArgs(l layout, port int) []string {
	pki := func(name string) string { return l.path("pki", name) }
	return []string{
		"--etcd-servers=unix://" + l.etcdSocket(),
		"--bind-address=127.0.0.1",
		"--advertise-address=127.0.0.1",
		"--secure-port=" + strconv.Itoa(port),
		"--permit-port-sharing", // with the socket that reserves the port
		// The only address there is may not be published as an endpoint; pods that really run get a kubeconfig.
		"--endpoint-reconciler-type=none",
		"--service-cluster-ip-range=" + serviceRange,
		"--allow-privileged", // Pod Security admission decides, namespace by namespace
		"--authorization-mode=RBAC",
		"--tls-cert-file=" + pki("apiserver.crt"),
		"--tls-private-key-file=" + pki("apiserver.key"),
		"--client-ca-file=" + pki("ca.crt"),
		"--requestheader-client-ca-file=" + pki("front-proxy-ca.crt"),
		"--requestheader-allowed-names=front-proxy-client",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--requestheader-group-headers=X-Remote-Group",
		"--requestheader-username-headers=X-Remote-User",
		"--proxy-client-cert-file=" + pki("front-proxy-client.crt"),
		"--proxy-client-key-file=" + pki("front-proxy-client.key"),
		"--service-account-issuer=" + issuer,
		"--service-account-key-file=" + pki("service-account.key"),
		"--service-account-signing-key-file=" + pki("service-account.key"),
		"--egress-selector-config-file=" + l.path("egress.yaml"),
	}
}

// apiServerEnv makes the API server trust webhooks that present a certificate of our own authority, when their
// configuration names no other.
func apiServerEnv(l layout) []string {
	return []string{"SSL_CERT_FILE=" + l.path("pki", "webhook-ca.crt"), "SSL_CERT_DIR=" + l.path("tmp")}
}

// writeEgressConfig sends the API server's calls into the cluster, such as those to webhooks, through the proxy.
func writeEgressConfig(l layout) error {
	content := fmt.Sprintf(`apiVersion: apiserver.k8s.io/v1beta1
kind: EgressSelectorConfiguration
egressSelections:
- name: cluster
  connection:
    proxyProtocol: HTTPConnect
    transport:
      uds:
        udsName: %q
`, l.egressSocket())
	return os.WriteFile(l.path("egress.yaml"), []byte(content), 0o600)
}

func controllerManagerArgs(l layout) []string {
	return []string{
		"--kubeconfig=" + l.kubeconfig("controller-manager"),
		"--secure-port=0", // nobody asks it anything
		"--leader-elect=false",
		"--use-service-account-credentials",
		"--root-ca-file=" + l.path("pki", "ca.crt"),
		"--service-account-private-key-file=" + l.path("pki", "service-account.key"),
		"--cluster-signing-cert-file=" + l.path("pki", "ca.crt"),
		"--cluster-signing-key-file=" + l.path("pki", "ca.key"),
		"--kube-api-qps=300", "--kube-api-burst=600",
	}
}

func schedulerArgs(l layout) []string {
	return []string{
		"--kubeconfig=" + l.kubeconfig("scheduler"),
		"--secure-port=0",
		"--leader-elect=false",
		"--kube-api-qps=300", "--kube-api-burst=600",
	}
}

func kwokArgs(l layout) []string {
	return []string{
		"--kubeconfig=" + l.kubeconfig("kwok"),
		"--config=" + l.path("kwok.yaml"),
		"--manage-all-nodes",
		"--node-lease-duration-seconds=40",
		"--node-ip=10.245.0.1",
		"--cidr=" + simulatedRange,
		"--node-port=0", // no server: there are no logs to show
		"--server-address=",
	}
}
