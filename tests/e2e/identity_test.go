//go:build e2e

package e2e

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/telekom/controlplane-infrastructure/automation"
	"github.com/telekom/controlplane-infrastructure/components/identity"
	"github.com/telekom/controlplane-infrastructure/internal/portforward"
	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

// irisHost is the name that clients in the cluster use.
const irisHost = "iris.identity.svc"

// keycloak is a client of the identity provider that connects to its pods and verifies their certificate by the trust
// bundle, as a client in the cluster does.
type keycloak struct {
	*http.Client
	url string
	// host is the name that requests are for; empty: that of the url.
	host string
}

func connectKeycloak(t *testing.T, cluster *verify.Cluster, up *automation.Result) keycloak {
	t.Helper()
	return connect(t, cluster, up, portforward.Target{
		Namespace: identity.Namespace, Selector: identity.Selector, Port: identity.Port,
	}, irisHost)
}

// connect makes a client of pods that verifies them as the host, by the trust bundle.
func connect(t *testing.T, cluster *verify.Cluster, up *automation.Result, target portforward.Target, host string) keycloak {
	t.Helper()
	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM([]byte(trusted(t, cluster, up))))
	forwarder, err := portforward.Listen(context.Background(), portforward.Options{
		Config: func() (*rest.Config, error) { return clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG")) },
		Target: target,
		Log:    os.Stderr,
	})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, forwarder.Close()) })
	return keycloak{
		Client: &http.Client{Timeout: verify.Patience, Transport: &http.Transport{
			TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: host}, DisableKeepAlives: true,
		}},
		url: fmt.Sprintf("https://localhost:%d/auth", forwarder.Port()),
	}
}

// ask sends a form, or gets without one, and decodes the answer.
func (k keycloak) ask(path string, form url.Values) (status int, answer map[string]any, err error) {
	request, err := http.NewRequest(http.MethodGet, k.url+path, nil)
	if form != nil {
		request, err = http.NewRequest(http.MethodPost, k.url+path, strings.NewReader(form.Encode()))
	}
	if err != nil {
		return 0, nil, err
	}
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	request.Host = cmp.Or(k.host, request.Host)
	response, err := k.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	return response.StatusCode, answer, json.NewDecoder(response.Body).Decode(&answer)
}

const realmPath = "/realms/rover/protocol/openid-connect"

// machineToken is what the Control Plane's clients do first: get a token with the credentials of the outputs. It must be
// one that the trusted issuer has signed, and a wrong secret must get none.
func machineToken(t *testing.T, cluster *verify.Cluster, options automation.Options, up *automation.Result) {
	outputs, err := automation.Outputs(cluster.Context(), options)
	require.NoError(t, err)
	client := outputs["roverClient"].Value.(map[string]any)
	k := connectKeycloak(t, cluster, up)
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {client["id"].(string)}}

	form.Set("client_secret", client["secret"].(string))
	var token string
	require.EventuallyWithT(t, func(c *assert.CollectT) { // after a loss of all pods it comes back in its own time
		status, answer, err := k.ask(realmPath+"/token", form)
		require.NoError(c, err)
		require.Equal(c, http.StatusOK, status, answer)
		token = answer["access_token"].(string)
	}, verify.Patience, time.Second)
	form.Set("client_secret", "wrong")
	status, _, err := k.ask(realmPath+"/token", form)
	require.NoError(t, err)
	assert.Equal(t, http.StatusUnauthorized, status, "a wrong secret")

	parsed, err := jwt.Parse(token, k.key, jwt.WithValidMethods([]string{"RS256"}), jwt.WithExpirationRequired(),
		jwt.WithIssuer(up.Outputs["trustedIssuers"].(string)))
	require.NoError(t, err)
	assert.Equal(t, "rover", parsed.Claims.(jwt.MapClaims)["azp"])
}

// key is the public key that the token says it is signed with.
func (k keycloak) key(token *jwt.Token) (any, error) {
	_, answer, err := k.ask(realmPath+"/certs", nil)
	if err != nil {
		return nil, err
	}
	for _, entry := range answer["keys"].([]any) {
		key := entry.(map[string]any)
		if key["kid"] == token.Header["kid"] {
			chain := key["x5c"].([]any)
			return jwt.ParseRSAPublicKeyFromPEM([]byte("-----BEGIN CERTIFICATE-----\n" + chain[0].(string) + "\n-----END CERTIFICATE-----\n"))
		}
	}
	return nil, fmt.Errorf("no key %v", token.Header["kid"])
}

// administration is open to who logs in as the outputs say, by a connection inside the cluster, and the public entry has
// no way there.
func administration(t *testing.T, cluster *verify.Cluster, options automation.Options, up *automation.Result) {
	outputs, err := automation.Outputs(cluster.Context(), options)
	require.NoError(t, err)
	k := connectKeycloak(t, cluster, up)
	status, answer, err := k.ask("/realms/master/protocol/openid-connect/token", url.Values{
		"grant_type": {"password"}, "client_id": {"admin-cli"},
		"username": {outputs["irisAdminUser"].Value.(string)}, "password": {outputs["irisAdminPassword"].Value.(string)},
	})
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status, answer)
	ingresses, err := cluster.Clients.NetworkingV1().Ingresses(identity.Namespace).List(cluster.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	require.NotEmpty(t, ingresses.Items)
	for _, ingress := range ingresses.Items {
		for _, rule := range ingress.Spec.Rules {
			for _, path := range rule.HTTP.Paths {
				assert.Contains(t, []string{"/auth/realms", "/auth/resources"}, path.Path, "%s of %s", path.Path, rule.Host)
			}
		}
	}
}

// oneCluster asks every server how many it sees: all of them. Where network policies are enforced, this is also a proof
// that they let the servers talk to each other.
func oneCluster(t *testing.T, cluster *verify.Cluster) {
	pods, err := cluster.Clients.CoreV1().Pods(identity.Namespace).List(cluster.Context(), metav1.ListOptions{LabelSelector: identity.Selector})
	require.NoError(t, err)
	require.NotEmpty(t, pods.Items)
	seen := regexp.MustCompile(`(?m)^vendor_cluster_size\{.*\} (\d+)`)
	for _, pod := range pods.Items {
		assert.EventuallyWithT(t, func(c *assert.CollectT) {
			metrics, err := cluster.Clients.CoreV1().Pods(pod.Namespace).ProxyGet("https", pod.Name, "9000", "/auth/metrics", nil).DoRaw(cluster.Context())
			require.NoError(c, err)
			found := seen.FindSubmatch(metrics)
			require.NotNil(c, found, "no cluster at all")
			assert.Equal(c, strconv.Itoa(len(pods.Items)), string(found[1]))
		}, verify.Patience, time.Second, "%s sees all servers", pod.Name)
	}
}
