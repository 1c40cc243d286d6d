package identity

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/telekom/controlplane-infrastructure/internal/certmanager"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
)

const (
	userKey     = "username"
	passwordKey = "password"

	// trustedIssuers is what the Control Plane's servers read from their environment, and refuse to start without.
	trustedIssuers = "LISTENERS_EXTERNAL_JWT_TRUSTEDISSUERS"
)

// ground is what the servers cannot start without.
func (b *builder) ground() (manifest.Set, error) {
	objects := append(b.args.Namespaces.Objects(Namespace, b.args.NamespaceLabels()),
		&corev1.ServiceAccount{ObjectMeta: meta(name), AutomountServiceAccountToken: new(false)},
		credentials(adminName, b.args.Admin.Username),
		credentials(databaseSecret, b.args.Database.User),
		certmanager.Leaf{
			Namespace: Namespace, Name: certificate, ClusterIssuer: b.args.Issuer,
			DNSNames: hosts(), Usages: []string{"server auth"},
		}.Object(),
	)
	set, err := manifest.Typed(objects...)
	if err != nil {
		return set, err
	}
	set.Find("Secret", adminName).Set(b.adminPassword, "stringData", passwordKey)
	set.Find("Secret", databaseSecret).Set(b.databasePassword, "stringData", passwordKey)
	return set, nil
}

// credentials is a Secret whose password is known only at run time.
func credentials(secret, user string) *corev1.Secret {
	return &corev1.Secret{ObjectMeta: meta(secret), StringData: map[string]string{userKey: user}}
}

// hosts are the names that clients know the servers by; localhost is for ports that are forwarded.
func hosts() []string {
	var all []string
	for _, service := range []string{name, managementName} {
		short := service + "." + Namespace
		all = append(all, short+".svc", service, short, short+".svc.cluster.local")
	}
	return append(all, "localhost")
}

// handover is what the Control Plane's servers read.
func (b *builder) handover() (manifest.Set, error) {
	if len(b.args.TrustedIssuers) == 0 {
		return manifest.Set{}, nil
	}
	var objects []runtime.Object
	for _, component := range []string{"rover-server", "api"} {
		objects = append(objects, &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{
				Namespace: b.args.ControlPlaneNamespace, Name: component + "-env", Labels: labels(),
			},
			Data: map[string]string{trustedIssuers: strings.Join(b.args.TrustedIssuers, ",")},
		})
	}
	return manifest.Typed(objects...)
}

func meta(objectName string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: Namespace, Name: objectName, Labels: labels()}
}
