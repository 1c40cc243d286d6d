package postgresql

import (
	"net/url"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
)

// Connection is how a client connects to a database: with TLS, and with a certificate that the trust bundle verifies.
type Connection struct {
	// Host leads to the primary, or to the pooler in front of it; it can be verified by the server's certificate. Both
	// hosts are nil as long as the database has yet to be made to have one.
	Host pulumi.StringInput
	// Primary leads to the primary, whether there is a pooler or not: for clients with a pool of their own, which want
	// sessions that stay theirs. Both have the same Port.
	Primary pulumi.StringInput
	Port    int
	// Pods is what Primary leads to.
	Pods flow.Peer
	// Database is the database's name, User the role that owns it.
	Database, User string
	// Password is the role's password: letters and digits.
	Password pulumi.StringOutput
	// SecretName names the Secret in Namespace with the role's username and password.
	SecretName string
	// Cluster is the name of the database's cluster.
	Cluster string
	// ConnectionLimit is how many connections the database lets the role have at a time. With a pooler clients may have
	// more of them to the pooler.
	ConnectionLimit int
}

// PasswordSecret names the Secret with a role's username and password.
func PasswordSecret(cluster, role string) string { return cluster + "-user-" + kubernetesName(role) }

// Secret is the Secret with the role's username and password.
func (c Connection) Secret(labels map[string]string) (manifest.Set, error) {
	set, err := manifest.Typed(&corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: Namespace, Name: c.SecretName, Labels: labels},
		Type:       corev1.SecretTypeBasicAuth,
		StringData: map[string]string{corev1.BasicAuthUsernameKey: c.User},
	})
	if err == nil {
		set.Objects[0].Set(c.Password, "stringData", corev1.BasicAuthPasswordKey)
	}
	return set, err
}

// ControlPlane is the Secret in the Control Plane's namespace that tells it that this is its database.
func (c Connection) ControlPlane(namespace, sslMode string) (manifest.Set, error) {
	set, err := manifest.Typed(&corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: ControlPlaneSecret},
	})
	if err == nil {
		// The password needs no quoting: see part.Common.
		set.Objects[0].Set(pulumi.Sprintf("postgresql://%s:%s@%s:%d/%s?sslmode=%s", url.PathEscape(c.User), c.Password, c.Host,
			c.Port, url.PathEscape(c.Database), url.QueryEscape(sslMode)), "stringData", "url")
	}
	return set, err
}
