package node_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// simulatedImage is one that nothing here can run.
const simulatedImage = "registry.example.test/policy-server:1.0"

// deploy makes a Deployment of one pod and a Service for it, both called "server".
func deploy(t *testing.T, c kubernetes.Interface, ns, image string, volumes ...corev1.Volume) {
	t.Helper()
	labels := map[string]string{"app": "server"}
	_, err := c.AppsV1().Deployments(ns).Create(t.Context(), &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "server"},
		Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{
					Containers: []corev1.Container{{Name: "server", Image: image, Ports: []corev1.ContainerPort{{ContainerPort: 10250}}}},
					Volumes:    volumes,
				},
			},
		},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	_, err = c.CoreV1().Services(ns).Create(t.Context(), &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "server"},
		Spec:       corev1.ServiceSpec{Selector: labels, Ports: []corev1.ServicePort{{Port: 443}}},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
}

// webhook lets the service "server" decide about ConfigMaps of the namespace.
func webhook(t *testing.T, c kubernetes.Interface, ns string, authority []byte) {
	t.Helper()
	_, err := c.AdmissionregistrationV1().ValidatingWebhookConfigurations().Create(t.Context(), &admissionv1.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: ns},
		Webhooks: []admissionv1.ValidatingWebhook{{
			Name: ns + ".example.test",
			ClientConfig: admissionv1.WebhookClientConfig{
				CABundle: authority,
				Service:  &admissionv1.ServiceReference{Namespace: ns, Name: "server", Path: ptr.To("/check")},
			},
			Rules: []admissionv1.RuleWithOperations{{
				Operations: []admissionv1.OperationType{admissionv1.Create},
				Rule:       admissionv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"configmaps"}},
			}},
			NamespaceSelector:       &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: ns}},
			FailurePolicy:           ptr.To(admissionv1.Fail),
			SideEffects:             ptr.To(admissionv1.SideEffectClassNone),
			AdmissionReviewVersions: []string{"v1"},
			TimeoutSeconds:          ptr.To[int32](5),
		}},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	t.Cleanup(func() { removeWebhook(t, c, ns) })
}

func removeWebhook(t *testing.T, c kubernetes.Interface, name string) {
	t.Helper()
	err := c.AdmissionregistrationV1().ValidatingWebhookConfigurations().DeleteCollection(context.Background(), metav1.DeleteOptions{},
		metav1.ListOptions{FieldSelector: "metadata.name=" + name})
	assert.NoError(t, err)
}

// asked waits until the API server has asked the webhook of a namespace about a ConfigMap, and let it pass.
func asked(t *testing.T, c kubernetes.Interface, ns string) {
	t.Helper()
	eventually(t, func() string { // the API server notices a new webhook after a moment
		_, err := c.CoreV1().ConfigMaps(ns).Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{GenerateName: "x-"}}, metav1.CreateOptions{})
		require.NoError(t, err)
		metrics, err := c.Discovery().RESTClient().Get().AbsPath("/metrics").DoRaw(t.Context())
		require.NoError(t, err)
		if !strings.Contains(string(metrics), `apiserver_admission_webhook_request_total{code="200",name="`+ns+`.example.test"`) {
			return "the API server does not ask the webhook"
		}
		return ""
	})
}

func TestWebhookOfSimulatedPodLetsEverythingPass(t *testing.T) {
	c := clientset(t)
	ns := namespace(t, nil)
	deploy(t, c, ns, simulatedImage)
	webhook(t, c, ns, nil)
	asked(t, c, ns)
}

func TestSimulatedPodPresentsTheCertificateThatItMounts(t *testing.T) {
	withCertManager(t)
	c := clientset(t)
	ns := namespace(t, nil)
	create(t,
		`{apiVersion: cert-manager.io/v1, kind: Issuer, metadata: {name: own, namespace: `+ns+`}, spec: {selfSigned: {}}}`,
		`{apiVersion: cert-manager.io/v1, kind: Certificate, metadata: {name: server, namespace: `+ns+`},
		  spec: {dnsNames: [server.`+ns+`.svc], secretName: server, issuerRef: {name: own}}}`)
	authority := secret(t, ns, "server").Data["ca.crt"]
	deploy(t, c, ns, simulatedImage, corev1.Volume{Name: "tls", VolumeSource: corev1.VolumeSource{
		Secret: &corev1.SecretVolumeSource{SecretName: "server"},
	}})
	webhook(t, c, ns, authority)
	asked(t, c, ns)
}

func TestConversionBySimulatedPod(t *testing.T) {
	ns := namespace(t, nil)
	deploy(t, clientset(t), ns, simulatedImage)
	version := func(name string, storage bool) string {
		return fmt.Sprintf(`{name: %s, served: true, storage: %t,
		  schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {size: {type: integer}}}}}}}`, name, storage)
	}
	definition := parse(t, `{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: things.example.test},
	  spec: {group: example.test, scope: Namespaced, names: {kind: Thing, plural: things, singular: thing, listKind: ThingList},
	    versions: [`+version("v1", true)+`, `+version("v2", false)+`],
	    conversion: {strategy: Webhook, webhook: {conversionReviewVersions: [v1],
	      clientConfig: {service: {namespace: `+ns+`, name: server, path: /convert}}}}}}`)
	o := objects(t)
	require.NoError(t, apply(t.Context(), o, definition))
	t.Cleanup(func() { assert.NoError(t, o.Delete(context.Background(), definition)) })

	thing := `{apiVersion: example.test/v1, kind: Thing, metadata: {name: one, namespace: ` + ns + `}, spec: {size: 3}}`
	require.NoError(t, applyOnceServed(t.Context(), o, parse(t, thing)))
	converted := parse(t, `{apiVersion: example.test/v2, kind: Thing}`)
	require.NoError(t, o.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: "one"}, converted))
	size, _, err := unstructured.NestedInt64(converted.Object, "spec", "size")
	require.NoError(t, err)
	assert.EqualValues(t, 3, size)
	assert.Equal(t, "example.test/v2", converted.GetAPIVersion())
}

func TestAggregatedAPIOfSimulatedPodDoesNotBlockNamespaces(t *testing.T) {
	c := clientset(t)
	ns := namespace(t, nil)
	deploy(t, c, ns, simulatedImage)
	api := parse(t, `{apiVersion: apiregistration.k8s.io/v1, kind: APIService, metadata: {name: v1.simulated.example.test},
	  spec: {group: simulated.example.test, version: v1, groupPriorityMinimum: 100, versionPriority: 100,
	    insecureSkipTLSVerify: true, service: {namespace: `+ns+`, name: server}}}`)
	o := objects(t)
	require.NoError(t, apply(t.Context(), o, api))
	t.Cleanup(func() { assert.NoError(t, o.Delete(context.Background(), api)) })

	other := namespace(t, nil)
	require.NoError(t, c.CoreV1().Namespaces().Delete(t.Context(), other, metav1.DeleteOptions{}))
	eventually(t, func() string {
		if left, err := c.CoreV1().Namespaces().Get(t.Context(), other, metav1.GetOptions{}); err == nil {
			return fmt.Sprintf("the namespace is still there: %+v", left.Status)
		}
		return ""
	})
}
