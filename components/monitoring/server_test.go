package monitoring_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/telekom/controlplane-infrastructure/components/monitoring/names"
	"github.com/telekom/controlplane-infrastructure/tests/process"
)

const (
	tokenDir = "/var/run/secrets/kubernetes.io/serviceaccount"
	confDir  = "/etc/prometheus/config_out"
)

// server is a real Prometheus that stands for the first pod of those that the operator has made.
type server struct {
	*process.Process
	t       *testing.T
	address string
	dir     string
	client  *http.Client
}

// serve runs Prometheus as the operator's StatefulSet has it, with the volumes that it names as they are in the cluster.
// Its configuration is the generated one; only where it leaves what a pod has by itself, the test tells it: where the API server
// is, and how to get to pods.
func (i *installation) serve(n *network) *server {
	i.t.Helper()
	i.adopt()
	s := &server{t: i.t, address: process.Address(i.t, names.PrometheusPort), dir: i.t.TempDir()}
	programs := process.Programs(i.t, "prometheus", "promtool", "prometheus-config-reloader")
	spec := process.Spec{Workload: "StatefulSet/prometheus-platform", Dir: s.dir, Address: s.address}

	spec.Container = "init-config-reloader"
	spec.Programs = map[string]string{"/bin/prometheus-config-reloader": programs["prometheus-config-reloader"]}
	spec.Replace = []string{"--listen-address=:8081", "--listen-address=127.0.0.1:0"}
	require.Zero(i.t, i.Start(i.t, spec).Wait(patience), "the generated configuration is unpacked")

	spec.Container, spec.Replace = "prometheus", nil
	listening := filepath.Join(s.dir, "prometheus.sh")
	write(i.t, listening, fmt.Sprintf("#!/bin/sh\nexec %s --web.listen-address=%s:%d \"$@\"\n", programs["prometheus"], s.address, names.PrometheusPort), 0o755)
	spec.Programs = map[string]string{"": listening}
	container, err := i.Container(spec)
	require.NoError(i.t, err)
	configuration := filepath.Join(s.dir, "scratch", "config-out", "prometheus.env.yaml")
	s.localise(configuration, container.Spec.VolumeMounts, i.kubeconfig(), n.url, i.token(names.Prometheus))

	s.Process = i.Start(i.t, spec)
	s.client = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: x509.NewCertPool(), ServerName: names.Host(names.Prometheus)},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, net.JoinHostPort(s.address, strconv.Itoa(names.PrometheusPort)))
		},
	}}
	s.client.Transport.(*http.Transport).TLSClientConfig.RootCAs.AppendCertsFromPEM([]byte(i.ca.Certificate))
	require.Eventually(i.t, func() bool { return s.Ready(i.t.Context()) == nil }, patience, 100*time.Millisecond, "Prometheus is ready")
	out, err := exec.CommandContext(i.t.Context(), programs["promtool"], "check", "config", configuration).CombinedOutput()
	require.NoError(i.t, err, "promtool: %s", out)
	return s
}

// adopt takes over what the operator has made in the cluster.
func (i *installation) adopt() {
	i.t.Helper()
	for _, kind := range []struct {
		list client.ObjectList
		name string
	}{
		{&appsv1.StatefulSetList{}, "StatefulSet"}, {&corev1.SecretList{}, "Secret"}, {&corev1.ConfigMapList{}, "ConfigMap"},
	} {
		i.All = slices.DeleteFunc(i.All, func(o *process.Object) bool {
			return o.GetKind() == kind.name && o.GetNamespace() == names.Namespace
		})
		version := "v1"
		if kind.name == "StatefulSet" {
			version = "apps/v1"
		}
		all := list(version, kind.name+"List")
		require.NoError(i.t, i.objects.List(i.t.Context(), all, client.InNamespace(names.Namespace)))
		for n := range all.Items {
			i.All = append(i.All, &process.Object{Unstructured: &all.Items[n]})
		}
	}
}

// kubeconfig is that of Prometheus' service account.
func (i *installation) kubeconfig() string {
	i.t.Helper()
	config, err := clientcmd.LoadFromFile(cluster.Kubeconfig)
	require.NoError(i.t, err)
	current := config.Contexts[config.CurrentContext]
	config.AuthInfos = map[string]*clientcmdapi.AuthInfo{current.AuthInfo: {Token: i.token(names.Prometheus)}}
	path := filepath.Join(i.t.TempDir(), "kubeconfig")
	require.NoError(i.t, clientcmd.WriteToFile(*config, path))
	return path
}

// localise has a configuration name files of this machine in place of those of a pod.
func (s *server) localise(path string, mounts []corev1.VolumeMount, kubeconfig, proxy, token string) {
	s.t.Helper()
	account := filepath.Join(s.dir, "account")
	write(s.t, filepath.Join(account, "token"), token, 0o600)
	write(s.t, filepath.Join(account, "ca.crt"), string(cluster.REST().CAData), 0o600)
	local := map[string]string{tokenDir: account}
	for _, m := range mounts {
		if m.MountPath != confDir {
			local[m.MountPath] = filepath.Join(s.dir, "mounted", "prometheus", m.Name, m.SubPath)
		}
	}
	text, err := os.ReadFile(path)
	require.NoError(s.t, err)
	var config map[string]any
	require.NoError(s.t, yaml.Unmarshal(text, &config))
	changed := change(config, func(text string) string {
		for _, from := range slices.Sorted(maps.Keys(local)) {
			if rest, found := strings.CutPrefix(text, from+"/"); found {
				return local[from] + "/" + rest
			}
		}
		return text
	}).(map[string]any)
	for _, connections := range []any{
		changed["scrape_configs"], changed["remote_write"], changed["alerting"].(map[string]any)["alertmanagers"],
	} {
		for _, one := range connections.([]any) {
			one.(map[string]any)["proxy_url"] = proxy
		}
	}
	discover(changed, kubeconfig)
	text, err = yaml.Marshal(changed)
	require.NoError(s.t, err)
	write(s.t, path, string(text), 0o600)
}

// change applies a function to every text.
func change(node any, f func(string) string) any {
	switch node := node.(type) {
	case map[string]any:
		for key, value := range node {
			node[key] = change(value, f)
		}
	case []any:
		for n, value := range node {
			node[n] = change(value, f)
		}
	case string:
		return f(node)
	}
	return node
}

// discover has every discovery use a kubeconfig.
func discover(node any, kubeconfig string) {
	switch node := node.(type) {
	case map[string]any:
		for key, value := range node {
			if key != "kubernetes_sd_configs" {
				discover(value, kubeconfig)
				continue
			}
			for _, one := range value.([]any) {
				one.(map[string]any)["kubeconfig_file"] = kubeconfig
			}
		}
	case []any:
		for _, value := range node {
			discover(value, kubeconfig)
		}
	}
}

// target is something that Prometheus scrapes.
type target struct {
	Pool   string            `json:"scrapePool"`
	URL    string            `json:"scrapeUrl"`
	Health string            `json:"health"`
	Error  string            `json:"lastError"`
	Labels map[string]string `json:"labels"`
}

// targets are all that there are.
func (s *server) targets() ([]target, error) {
	var answer struct {
		Data struct {
			Active []target `json:"activeTargets"`
		} `json:"data"`
	}
	err := s.ask("/api/v1/targets?state=active", &answer)
	return answer.Data.Active, err
}

// value is that of a query with one result; found is whether it has one.
func (s *server) value(query string) (value string, found bool) {
	var answer struct {
		Data struct {
			Result []struct {
				Value []any `json:"value"`
			} `json:"result"`
		} `json:"data"`
	}
	if err := s.ask("/api/v1/query?query="+url.QueryEscape(query), &answer); err != nil || len(answer.Data.Result) != 1 {
		return "", false
	}
	return fmt.Sprint(answer.Data.Result[0].Value[1]), true
}

func (s *server) ask(path string, into any) error {
	response, err := s.client.Get(names.URL(names.Prometheus, names.PrometheusPort) + path)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", response.Status, body)
	}
	return json.Unmarshal(body, into)
}

// podsByAddress are the names of all pods by their addresses; those in the network of their nodes have none of their own.
func (i *installation) podsByAddress() map[string]string {
	i.t.Helper()
	all, err := i.clients.CoreV1().Pods("").List(i.t.Context(), metav1.ListOptions{})
	require.NoError(i.t, err)
	found := map[string]string{}
	for _, pod := range all.Items {
		if !pod.Spec.HostNetwork && pod.Status.PodIP != "" {
			found[pod.Status.PodIP] = pod.Namespace + "/" + pod.Name
		}
	}
	return found
}
