package certtrust

import (
	"encoding/base64"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/telekom/controlplane-infrastructure/internal/manifest"
)

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
