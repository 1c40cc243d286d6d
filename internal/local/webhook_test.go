package local_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
)

// The API server reaches a webhook's server, or whoever answers in its place, by the egress proxy: there is no other way
// to the address of a Service.
func TestWebhookOfSimulatedPodDoesNotBlock(t *testing.T) {
	c, ns := client(t, shared), namespace(t, map[string]string{"webhook": "asked"})
	labels := map[string]string{"app": "webhook"}
	deploy(t, c, ns, 1, podTemplate(labels))
	_, err := c.CoreV1().Services(ns).Create(t.Context(), &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "webhook"},
		Spec: corev1.ServiceSpec{Selector: labels,
			Ports: []corev1.ServicePort{{Port: 443, TargetPort: intstr.FromInt32(9443)}}},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	_, err = c.AdmissionregistrationV1().ValidatingWebhookConfigurations().Create(t.Context(),
		&admissionv1.ValidatingWebhookConfiguration{
			ObjectMeta: metav1.ObjectMeta{Name: ns},
			Webhooks: []admissionv1.ValidatingWebhook{{
				Name:                    "simulated.example.org",
				AdmissionReviewVersions: []string{"v1"},
				SideEffects:             ptr.To(admissionv1.SideEffectClassNone),
				FailurePolicy:           ptr.To(admissionv1.Fail),
				NamespaceSelector:       &metav1.LabelSelector{MatchLabels: map[string]string{"webhook": "asked"}},
				ClientConfig: admissionv1.WebhookClientConfig{
					Service: &admissionv1.ServiceReference{Namespace: ns, Name: "webhook", Path: ptr.To("/validate")}},
				Rules: []admissionv1.RuleWithOperations{{
					Operations: []admissionv1.OperationType{admissionv1.Create},
					Rule:       admissionv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"configmaps"}},
				}},
			}},
		}, metav1.CreateOptions{})
	require.NoError(t, err)

	eventually(t, func() string { // the API server takes a moment to notice the webhook
		begin := time.Now()
		_, err := c.CoreV1().ConfigMaps(ns).Create(t.Context(),
			&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{GenerateName: "reviewed-"}}, metav1.CreateOptions{})
		require.NoError(t, err)
		assert.Less(t, time.Since(begin), 5*time.Second)
		metrics, err := c.RESTClient().Get().AbsPath("/metrics").DoRaw(t.Context())
		require.NoError(t, err)
		if !bytes.Contains(metrics, []byte(`apiserver_admission_webhook_request_total{code="200",name="simulated.example.org"`)) {
			return "the webhook is not asked"
		}
		return ""
	})
}
