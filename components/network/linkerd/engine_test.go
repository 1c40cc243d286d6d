package linkerd

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optrefresh"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/telekom/controlplane-infrastructure/components/certtrust"
	"github.com/telekom/controlplane-infrastructure/internal/artifact"
	"github.com/telekom/controlplane-infrastructure/internal/artifact/artifacttest"
	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/internal/flow/flowtest"
	"github.com/telekom/controlplane-infrastructure/internal/local"
	"github.com/telekom/controlplane-infrastructure/internal/local/localtest"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/mesh"
	"github.com/telekom/controlplane-infrastructure/internal/namespace"
	"github.com/telekom/controlplane-infrastructure/internal/plugins"
	"github.com/telekom/controlplane-infrastructure/internal/plugins/kubernetes"
	"github.com/telekom/controlplane-infrastructure/internal/plugins/plugintest"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

// server is a control plane for all tests of the package: with a real API server, and cert-manager and trust-manager as
// real processes.
var server *local.ControlPlane

func TestMain(m *testing.M) { localtest.Main(m, &server) }

// platform is a stack with an application whose namespace takes part in the mesh, if there is one.
type platform struct {
	*verify.Cluster
	stack   auto.Stack
	linkerd Args
	trust   certtrust.Args
	meshed  bool
}

func newPlatform(t *testing.T) *platform {
	t.Helper()
	p := &platform{Cluster: verify.Connect(t, server.Kubeconfig), linkerd: zonal(t)}
	p.linkerd.Enrolled = []string{"app", "controlplane-system"}
	p.linkerd.ServiceMonitors, p.linkerd.GatewayAPI = false, false
	p.trust = certtrust.Args{
		Surroundings: p.linkerd.Surroundings, Availability: workload.Single, Classes: p.linkerd.Classes,
		CertManager: certtrust.CertManager{
			Chart: fromModule(t, "cert-manager"), ControllerReplicas: 1, WebhookReplicas: 1, CAInjectorReplicas: 1,
		},
		TrustManager: certtrust.TrustManager{Chart: fromModule(t, "trust-manager"), Replicas: 1},
		CA: certtrust.CA{SelfSigned: &certtrust.SelfSigned{
			CommonName: "Platform Root CA", Duration: "87600h", RenewBefore: "8760h",
			KeyAlgorithm: "ECDSA", KeySize: 256, RotationPolicy: "Never",
		}},
		Bundle: certtrust.Bundle{Name: "platform-trust", Key: "ca-certificates.crt"},
	}
	host, err := plugins.Serve(t.Context(), plugins.Options{Kubernetes: kubernetes.Options{Target: server.REST()}})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, host.Close()) })
	p.stack, _ = plugintest.Stack(t, "linkerd", map[string]string{plugins.EnvKey: host.Env()}, p.run)
	return p
}

func fromModule(t *testing.T, name string) *artifact.Tree {
	return artifacttest.Fetch(t, "github.com/cert-manager/"+name, "deploy/charts/"+name)
}

// run is the program.
func (p *platform) run(ctx *pulumi.Context) error {
	provider := &struct{ pulumi.ProviderResourceState }{}
	if err := ctx.RegisterResource("pulumi:providers:kubernetes", "cluster", pulumi.Map{
		"enableServerSideApply": pulumi.String("true"), "clusterIdentifier": pulumi.String("test"),
	}, provider); err != nil {
		return err
	}
	plan, flows := namespace.Plan{}, p.trust.Flows()
	if p.meshed {
		plan.Mesh = mesh.Mesh{Kind: mesh.Linkerd, Namespaces: p.linkerd.Enrolled, Lenient: []string{"controlplane-system"}}
		flows = append(flows, p.linkerd.Flows()...)
	}
	flows = append(flows, flow.Flow{Name: "app", From: flow.Peer{Everywhere: true}, To: flow.Peer{Namespace: "app"}, Ports: []int{8443}, Why: "Everybody uses it."})
	plan.Flows = flowtest.Table(plan.Mesh.Flows(flows)...)
	if err := plan.Flows.Check(); err != nil {
		return err
	}
	trust, linkerd := p.trust, p.linkerd
	trust.Provider, trust.Namespaces, linkerd.Provider, linkerd.Namespaces = provider, plan, provider, plan
	made, err := certtrust.New(ctx, "cert-trust", trust)
	if err != nil {
		return err
	}
	last := pulumi.Resource(made)
	if p.meshed {
		if last, err = New(ctx, "linkerd", linkerd, pulumi.DependsOn([]pulumi.Resource{made})); err != nil {
			return err
		}
	}
	app, err := application(plan)
	if err != nil {
		return err
	}
	component := &struct{ pulumi.ResourceState }{}
	if err := ctx.RegisterComponentResource("test:linkerd:Application", "app", component); err != nil {
		return err
	}
	reg := &manifest.Registrar{Ctx: ctx, Parent: component, Provider: provider}
	_, err = reg.Register(app, pulumi.DependsOn([]pulumi.Resource{last}))
	return err
}

func application(plan namespace.Plan) (manifest.Set, error) {
	set, err := manifest.Typed(plan.Objects("app", nil)...)
	if err != nil {
		return set, err
	}
	pods, err := manifest.ParseYAML("app.yaml", []byte(`apiVersion: apps/v1
kind: Deployment
metadata: {name: app, namespace: app}
spec:
  replicas: 2
  selector: {matchLabels: {app: app}}
  template: {metadata: {labels: {app: app}}, spec: {containers: [{name: app, image: "example.org/app:1"}]}}
`))
	if err != nil {
		return set, err
	}
	set = manifest.Merge(set, pods)
	return set, set.Transform(workload.Restrict(), plan.Mesh.Pods(plan.Flows))
}

// up brings the stack up.
func (p *platform) up() {
	p.T.Helper()
	_, err := p.stack.Up(p.Context(), optup.ProgressStreams(progress{p.T}))
	require.NoError(p.T, err)
}

// unchanged shows that there is nothing left to do.
func (p *platform) unchanged() {
	p.T.Helper()
	_, err := p.stack.Refresh(p.Context(), optrefresh.ExpectNoChanges())
	require.NoError(p.T, err)
	_, err = p.stack.Up(p.Context(), optup.ExpectNoChanges())
	require.NoError(p.T, err)
}

// progress shows what the engine says only where a test fails or is verbose.
type progress struct{ t *testing.T }

func (w progress) Write(text []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(text)))
	return len(text), nil
}

// wanted is what the engine has been told to have, by URN.
func (p *platform) wanted() map[string]any {
	p.T.Helper()
	state, err := p.stack.Export(p.Context())
	require.NoError(p.T, err)
	var deployment struct {
		Resources []struct {
			URN    string         `json:"urn"`
			Inputs map[string]any `json:"inputs"`
		} `json:"resources"`
	}
	require.NoError(p.T, json.Unmarshal(state.Deployment, &deployment))
	all := map[string]any{}
	for _, r := range deployment.Resources {
		all[r.URN] = r.Inputs
	}
	return all
}

// stays is what is in the cluster, but for pods of the application, which come and go with the mesh.
func (p *platform) stays() []string {
	return slices.DeleteFunc(p.Inventory(), func(name string) bool {
		return strings.HasPrefix(name, "pods. app/") || strings.HasPrefix(name, "replicasets.apps app/") ||
			strings.HasPrefix(name, "certificaterequests.")
	})
}

func (p *platform) secret(namespace, name string) *corev1.Secret {
	p.T.Helper()
	found, err := p.Clients.CoreV1().Secrets(namespace).Get(p.Context(), name, metav1.GetOptions{})
	require.NoError(p.T, err)
	return found
}

// bundle is what proxies trust.
func (p *platform) bundle() string {
	roots, err := p.Clients.CoreV1().ConfigMaps(Namespace).Get(p.Context(), "linkerd-identity-trust-roots", metav1.GetOptions{})
	if err != nil {
		return err.Error()
	}
	return roots.Data["ca-bundle.crt"]
}

// verifies tells whether a certificate goes back to one of the bundle.
func verifies(certificate []byte, bundle string) error {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(bundle))
	block, _ := pem.Decode(certificate)
	if block == nil {
		return fmt.Errorf("no certificate")
	}
	parsed, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return err
	}
	_, err = parsed.Verify(x509.VerifyOptions{Roots: pool, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	return err
}

// TestMesh switches the mesh on, changes the key of its trust anchor, and switches it off again.
func TestMesh(t *testing.T) {
	p := newPlatform(t)
	empty := p.Inventory()
	p.up()
	objects, wanted := p.stays(), p.wanted()

	p.meshed = true
	p.up()
	t.Run("identities go back to the trust anchor", p.identities)
	t.Run("the API server asks the webhooks", p.webhooks)
	t.Run("another anchor takes over while both are trusted", p.rotation)
	p.unchanged()

	p.meshed = false
	p.up()
	assert.Equal(t, wanted, p.wanted(), "the engine wants what it wanted before the mesh")
	p.leaves(objects)

	_, err := p.stack.Destroy(p.Context())
	require.NoError(t, err)
	p.Settles(empty)
}

func (p *platform) identities(t *testing.T) {
	issuer := p.secret(Namespace, "linkerd-identity-issuer")
	require.NoError(t, verifies(issuer.Data["tls.crt"], p.bundle()))
	assert.Equal(t, corev1.SecretTypeTLS, issuer.Type)
	block, _ := pem.Decode(issuer.Data["tls.crt"])
	certificate, err := x509.ParseCertificate(block.Bytes)
	require.NoError(t, err)
	assert.True(t, certificate.IsCA)
	assert.Equal(t, "identity.linkerd.cluster.local", certificate.Subject.CommonName)
	assert.Equal(t, x509.ECDSA, certificate.PublicKeyAlgorithm)
	assert.InDelta(t, 48*time.Hour, certificate.NotAfter.Sub(certificate.NotBefore), float64(time.Minute))
	all, err := p.Clients.CoreV1().Secrets(Namespace).List(p.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	anchor := p.secret("cert-manager", "linkerd-trust-anchor")
	for _, secret := range all.Items {
		for key, value := range secret.Data {
			assert.NotEqual(t, anchor.Data["tls.key"], value, "the anchor's key in %s, %s", secret.Name, key)
		}
	}
	block, _ = pem.Decode(p.secret(Namespace, "linkerd-policy-validator-k8s-tls").Data["tls.key"])
	_, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	assert.NoError(t, err, "the key is of the form that the policy controller reads")
}

// webhooks: the injector does not answer in a way that changes anything, since it is simulated; but the API server refuses the pods of
// the namespace unless its certificate is verified.
func (p *platform) webhooks(t *testing.T) {
	hooks, err := p.Clients.AdmissionregistrationV1().MutatingWebhookConfigurations().Get(p.Context(), "linkerd-proxy-injector-webhook-config", metav1.GetOptions{})
	require.NoError(t, err)
	config := hooks.Webhooks[0].ClientConfig
	require.NoError(t, verifies(p.secret(Namespace, "linkerd-proxy-injector-k8s-tls").Data["tls.crt"], string(config.CABundle)))
	create := func(namespace string) error {
		_, err := p.Clients.CoreV1().Pods(namespace).Create(p.Context(), &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{GenerateName: "probe-", Namespace: namespace},
			Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "probe", Image: "example.org/probe:1"}}},
		}, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		return err
	}
	assert.ErrorContains(t, create("app"), "violates PodSecurity", "the webhook has let it pass")
	require.NoError(t, create("default"))
	app, err := p.Clients.CoreV1().Namespaces().Get(p.Context(), "app", metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, "8443", app.Annotations["config.linkerd.io/skip-inbound-ports"])
	pods, err := p.Clients.CoreV1().Pods("app").List(p.Context(), metav1.ListOptions{LabelSelector: "app=app"})
	require.NoError(t, err)
	for _, pod := range pods.Items {
		assert.True(t, pod.DeletionTimestamp != nil || pod.Annotations["linkerd.io/inject"] == "enabled", "a pod from before the mesh")
	}
}

// rotation is what the operator does to change the anchor's key: keep the certificate, then delete the Secrets.
func (p *platform) rotation(t *testing.T) {
	ctx, secrets := p.Context(), p.Clients.CoreV1().Secrets
	anchor, issuer := p.secret("cert-manager", "linkerd-trust-anchor").Data, p.secret(Namespace, "linkerd-identity-issuer").Data
	previous := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "linkerd-previous-anchor", Labels: map[string]string{AnchorLabel: AnchorPrevious}},
		Data:       map[string]string{BundleKey: string(anchor["tls.crt"])},
	}
	_, err := p.Clients.CoreV1().ConfigMaps("controlplane-system").Create(ctx, previous, metav1.CreateOptions{})
	require.NoError(t, err)
	for _, namespace := range []string{"cert-manager", "controlplane-system"} {
		require.NoError(t, secrets(namespace).Delete(ctx, "linkerd-trust-anchor", metav1.DeleteOptions{}))
		p.replaced(t, namespace, "linkerd-trust-anchor", anchor["ca.crt"], "ca.crt")
	}
	certificates := func(want int, what string) {
		require.EventuallyWithT(t, func(t *assert.CollectT) {
			assert.Equal(t, want, strings.Count(p.bundle(), "BEGIN CERTIFICATE"))
		}, verify.Patience, 200*time.Millisecond, what)
	}
	certificates(2, "both anchors are trusted")
	require.NoError(t, verifies(issuer["tls.crt"], p.bundle()), "what the old anchor has signed")

	require.NoError(t, secrets(Namespace).Delete(ctx, "linkerd-identity-issuer", metav1.DeleteOptions{}))
	p.replaced(t, Namespace, "linkerd-identity-issuer", issuer["tls.crt"], "tls.crt")
	require.NoError(t, verifies(p.secret(Namespace, "linkerd-identity-issuer").Data["tls.crt"], p.bundle()), "what the new one has signed")
	require.NoError(t, p.Clients.CoreV1().ConfigMaps("controlplane-system").Delete(ctx, previous.Name, metav1.DeleteOptions{}))
	certificates(1, "only the new anchor is trusted")
	assert.Error(t, verifies(issuer["tls.crt"], p.bundle()))
}

// replaced waits until cert-manager has written another value.
func (p *platform) replaced(t *testing.T, namespace, name string, old []byte, key string) {
	t.Helper()
	require.EventuallyWithT(t, func(t *assert.CollectT) {
		found, err := p.Clients.CoreV1().Secrets(namespace).Get(context.Background(), name, metav1.GetOptions{})
		if assert.NoError(t, err) {
			assert.NotEmpty(t, found.Data[key])
			assert.NotEqual(t, string(old), string(found.Data[key]))
		}
	}, verify.Patience, 200*time.Millisecond, "%s/%s is made anew", namespace, name)
}

// leaves waits until the cluster holds what it held before the mesh, and what cert-manager never takes away: key pairs
// whose Certificates are gone.
func (p *platform) leaves(before []string) {
	p.T.Helper()
	const secret = "secrets. %s/linkerd-trust-anchor"
	before = append(before, fmt.Sprintf(secret, "cert-manager"), fmt.Sprintf(secret, "controlplane-system"))
	slices.Sort(before)
	assert.EventuallyWithT(p.T, func(t *assert.CollectT) {
		assert.Equal(t, before, p.stays())
	}, verify.Patience, time.Second, "the cluster is as it was before the mesh")
}
