package certtrust

import (
	"encoding/base64"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/telekom/controlplane-infrastructure/internal/manifest"
)

const certManagerV1 = "cert-manager.io/v1"

func issuerRef(name, kind string) map[string]any {
	return map[string]any{"name": name, "kind": kind, "group": "cert-manager.io"}
}

func clusterIssuer(name string, spec map[string]any) *unstructured.Unstructured {
	return custom(certManagerV1, "ClusterIssuer", "", name, "condition=Ready", spec)
}

func certificate(namespace, name string, spec map[string]any) *unstructured.Unstructured {
	return custom(certManagerV1, "Certificate", namespace, name, "condition=Ready", spec)
}

// custom is a custom resource that counts as created only when its controller says so.
func custom(apiVersion, kind, namespace, name, waitFor string, spec map[string]any) *unstructured.Unstructured {
	o := &unstructured.Unstructured{Object: map[string]any{"apiVersion": apiVersion, "kind": kind, "spec": spec}}
	o.SetNamespace(namespace)
	o.SetName(name)
	o.SetAnnotations(map[string]string{"pulumi.com/waitFor": waitFor})
	return o
}

// keyPair is a set with the Secret of a CA's key pair. Its content enters as a Pulumi input: the key is secret.
func keyPair(namespace, name string, pair KeyPair) (manifest.Set, error) {
	set, err := manifest.Typed(&corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Type:       corev1.SecretTypeTLS,
	})
	if err != nil {
		return set, err
	}
	secret := set.Objects[0]
	secret.Set(pulumi.String(pair.Certificate), "stringData", corev1.TLSCertKey)
	secret.Set(pair.PrivateKey, "stringData", corev1.TLSPrivateKeyKey)
	return set, nil
}

// encode is PEM as a field of type bytes wants it.
func encode(pem string) string { return base64.StdEncoding.EncodeToString([]byte(pem)) }
