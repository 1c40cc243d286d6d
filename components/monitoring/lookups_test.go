package monitoring_test

import (
	"bytes"
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/telekom/controlplane-infrastructure/components/monitoring/names"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
)

// apiServerAddress is where the Service of the API server leads; a loopback address would be refused there.
const apiServerAddress = "192.0.2.1"

func custom(apiVersion, kind, namespace, name string, spec map[string]any) *unstructured.Unstructured {
	return manifest.Custom(apiVersion, kind, namespace, name, "", spec)
}

// settled waits until every pod has an address, and the operator has seen every monitor.
func (i *installation) settled() {
	i.t.Helper()
	require.EventuallyWithT(i.t, func(c *assert.CollectT) {
		pods, err := i.clients.CoreV1().Pods("").List(i.t.Context(), metav1.ListOptions{})
		if !assert.NoError(c, err) {
			return
		}
		for _, pod := range pods.Items {
			assert.NotEmpty(c, pod.Status.PodIP, "%s/%s", pod.Namespace, pod.Name)
		}
		config, err := i.generated()
		if !assert.NoError(c, err) {
			return
		}
		for _, kind := range []string{"ServiceMonitor", "PodMonitor"} {
			all := list("monitoring.coreos.com/v1", kind+"List")
			if !assert.NoError(c, i.objects.List(i.t.Context(), all)) {
				return
			}
			for _, m := range all.Items {
				pool := fmt.Sprintf("%s%s/%s/%s/0", strings.ToLower(kind[:1]), kind[1:], m.GetNamespace(), m.GetName())
				assert.True(c, strings.Contains(config, "job_name: "+pool), pool)
			}
		}
	}, patience, 500*time.Millisecond)
}

// generated is the configuration that the operator has made.
func (i *installation) generated() (string, error) {
	secret, err := i.clients.CoreV1().Secrets(names.Namespace).Get(i.t.Context(), "prometheus-platform", metav1.GetOptions{})
	if err != nil {
		return "", err
	}
	packed, err := gzip.NewReader(bytes.NewReader(secret.Data["prometheus.yaml.gz"]))
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(packed)
	return string(text), err
}

// suffix is what tells pods of a workload apart.
var suffix = regexp.MustCompile(`-([0-9a-f]{8,10}-[0-9a-z]{5}|\d+)$`)

// found counts the targets by pool, workload and port.
func (i *installation) found(s *server) (map[string]int, error) {
	targets, err := s.targets()
	if err != nil {
		return nil, err
	}
	pods := i.podsByAddress()
	all := map[string]int{}
	for _, target := range targets {
		u, err := url.Parse(target.URL)
		if err != nil {
			return nil, err
		}
		who := suffix.ReplaceAllString(pods[u.Hostname()], "")
		switch {
		case u.Hostname() == apiServerAddress:
			who = "API server"
		case who == "":
			who = "node"
		}
		all[fmt.Sprintf("%s %s:%s", target.Pool, who, u.Port())]++
	}
	return all, nil
}

// becomes waits for a query's value.
func (s *server) becomes(t *testing.T, query, want string) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		value, found := s.value(query)
		assert.True(c, found, "%s has one result", query)
		assert.Equal(c, want, value, query)
	}, patience, 200*time.Millisecond)
}

// address is that of a pod of ours.
func (i *installation) address(pod string) string {
	i.t.Helper()
	p, err := i.clients.CoreV1().Pods(names.Namespace).Get(i.t.Context(), pod, metav1.GetOptions{})
	require.NoError(i.t, err)
	return p.Status.PodIP
}

// zone is that of a pod's node.
func (i *installation) zone(pod string) string {
	i.t.Helper()
	p, err := i.clients.CoreV1().Pods(names.Namespace).Get(i.t.Context(), pod, metav1.GetOptions{})
	require.NoError(i.t, err)
	node, err := i.clients.CoreV1().Nodes().Get(i.t.Context(), p.Spec.NodeName, metav1.GetOptions{})
	require.NoError(i.t, err)
	return node.Labels[corev1.LabelTopologyZone]
}

// apiServer gives the Service of the API server an endpoint, as clusters have that are not on one machine.
func (i *installation) apiServer() {
	i.t.Helper()
	_, err := i.clients.DiscoveryV1().EndpointSlices("default").Create(i.t.Context(), &discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Name: "kubernetes-endpoint", Labels: map[string]string{discoveryv1.LabelServiceName: "kubernetes"}},
		AddressType: discoveryv1.AddressTypeIPv4, Endpoints: []discoveryv1.Endpoint{{Addresses: []string{apiServerAddress}}},
		Ports: []discoveryv1.EndpointPort{{Name: new("https"), Port: new(int32(6443))}},
	}, metav1.CreateOptions{})
	require.NoError(i.t, err)
}

// grantSecrets is the command of package prometheus' documentation.
func (i *installation) grantSecrets(namespace string) {
	i.t.Helper()
	_, err := i.clients.RbacV1().RoleBindings(namespace).Create(i.t.Context(), &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "prometheus-operator-secrets"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "prometheus-operator-secrets"},
		Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: names.Namespace, Name: names.Operator}},
	}, metav1.CreateOptions{})
	require.NoError(i.t, err)
}

// leadPod has a port of a pod lead to one of this machine.
func (n *network) leadPod(address string, port int, local string, localPort int) {
	n.lead(net.JoinHostPort(address, strconv.Itoa(port)), net.JoinHostPort(local, strconv.Itoa(localPort)))
}

// lead makes what is real reachable, the API server too, and stands for an operator of the Control Plane and for Alertmanager.
func (i *installation) lead(n *network) *received {
	i.t.Helper()
	i.leadToProcesses(n)
	api, err := url.Parse(cluster.URL)
	require.NoError(i.t, err)
	n.lead(apiServerAddress+":6443", api.Host)
	rover := httptest.NewTLSServer(http.HandlerFunc(i.answerAsOperator))
	i.t.Cleanup(rover.Close)
	pod, err := i.clients.CoreV1().Pods("controlplane-system").Get(i.t.Context(), "rover-controller-manager-0", metav1.GetOptions{})
	require.NoError(i.t, err)
	n.lead(pod.Status.PodIP+":8443", rover.Listener.Addr().String())
	all := &received{by: map[string]map[string]bool{}}
	for ordinal := range 3 {
		name := fmt.Sprintf("alertmanager-platform-%d", ordinal)
		n.lead(i.address(name)+":9093", i.alertmanager(name, all))
	}
	n.lead(archive+":443", i.archive(all))
	return all
}

// archive takes samples from whoever knows the password, with a certificate of the platform's authority.
func (i *installation) archive(r *received) string {
	i.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(i.t, err)
	certificate, private, err := i.ca.Sign(&x509.Certificate{
		DNSNames: []string{archive}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, key)
	require.NoError(i.t, err)
	return i.serveTLS(certificate, private, func(w http.ResponseWriter, request *http.Request) {
		user, password, _ := request.BasicAuth()
		if user != "platform" || password != "write-password" || request.URL.Path != "/api/v1/write" {
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		r.add("samples", archive)
	})
}

// serveTLS is a server on this machine.
func (i *installation) serveTLS(certificate, key []byte, handler http.HandlerFunc) string {
	i.t.Helper()
	pair, err := tls.X509KeyPair(certificate, key)
	require.NoError(i.t, err)
	server := httptest.NewUnstartedServer(handler)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	server.StartTLS()
	i.t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// answerAsOperator answers as controller-runtime does: it asks the API server who comes, and whether he may.
func (i *installation) answerAsOperator(w http.ResponseWriter, r *http.Request) {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	review, err := i.clients.AuthenticationV1().TokenReviews().Create(r.Context(), &authenticationv1.TokenReview{
		Spec: authenticationv1.TokenReviewSpec{Token: token},
	}, metav1.CreateOptions{})
	if err != nil || !review.Status.Authenticated {
		http.Error(w, "who are you?", http.StatusUnauthorized)
		return
	}
	access, err := i.clients.AuthorizationV1().SubjectAccessReviews().Create(r.Context(), &authorizationv1.SubjectAccessReview{
		Spec: authorizationv1.SubjectAccessReviewSpec{
			User: review.Status.User.Username, Groups: review.Status.User.Groups,
			NonResourceAttributes: &authorizationv1.NonResourceAttributes{Path: "/metrics", Verb: "get"},
		},
	}, metav1.CreateOptions{})
	if err != nil || !access.Status.Allowed {
		http.Error(w, review.Status.User.Username+" may not", http.StatusForbidden)
		return
	}
	fmt.Fprintln(w, "rover_answers 42")
}

// received is what has arrived, by who got it.
type received struct {
	mutex sync.Mutex
	by    map[string]map[string]bool
}

func (r *received) add(what, who string) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.by[what] == nil {
		r.by[what] = map[string]bool{}
	}
	r.by[what][who] = true
}

// count is how many have got something.
func (r *received) count(what string) int {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return len(r.by[what])
}

// alertmanager stands for a replica, with the certificate that the component asks for.
func (i *installation) alertmanager(name string, r *received) string {
	i.t.Helper()
	data := i.Data("Secret", "alertmanager-tls")
	return i.serveTLS([]byte(data[corev1.TLSCertKey]), []byte(data[corev1.TLSPrivateKeyKey]), func(_ http.ResponseWriter, request *http.Request) {
		var alerts []struct{ Labels map[string]string }
		if request.URL.Path != "/api/v2/alerts" || json.NewDecoder(request.Body).Decode(&alerts) != nil {
			return
		}
		for _, alert := range alerts {
			r.add(alert.Labels["alertname"], name)
		}
	})
}
