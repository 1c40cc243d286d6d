package minio

import (
	"fmt"
	"maps"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/telekom/controlplane-infrastructure/internal/certmanager"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/part"
)

// Type is the component's type token.
const Type = "controlplane:storage:MinIO"

const (
	// Namespace is where MinIO runs.
	Namespace = "minio"
	// Port is the servers' only one.
	Port = 9000
	// Endpoint is the S3 interface inside the cluster, as host:port.
	Endpoint = "minio.minio.svc:9000"

	name           = "minio"
	peersName      = "minio-headless"
	certificate    = "minio-tls"
	rootSecret     = "minio-root"
	usersSecret    = "minio-users"
	bootstrapName  = "minio-bootstrap"
	fileManagerKey = "minio-file-manager" // the Secret in the Control Plane's namespace
	// region is what MinIO calls itself for clients that insist on one; it accepts any.
	region = "us-east-1"
)

// MinIO is a running object storage.
type MinIO struct {
	pulumi.ResourceState
	manifest.Members
	// Endpoint is the S3 interface as host:port; it speaks only TLS, with a certificate that the trust bundle verifies.
	Endpoint string
	// Region is what clients may put into signatures.
	Region string
	// Bucket is the File Manager's bucket.
	Bucket string
	// CredentialsSecret names the Secret in the Control Plane's namespace with the keys accessKey, secretKey, endpoint
	// and bucket.
	CredentialsSecret string
	// Backups is where backups go; nil without a bucket for them.
	Backups *part.ObjectStore
}

// builder carries what the steps of New share.
type builder struct {
	args Args
	reg  *manifest.Registrar
	// root is the root user's password, fileManager and backups those of the users; backups may be nil.
	root, fileManager pulumi.StringOutput
	backups           *pulumi.StringOutput
}

// New provisions the component.
func New(ctx *pulumi.Context, resourceName string, args Args, opts ...pulumi.ResourceOption) (*MinIO, error) {
	if err := args.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", resourceName, err)
	}
	m := &MinIO{Endpoint: Endpoint, Region: region, Bucket: args.Bucket, CredentialsSecret: fileManagerKey}
	if err := ctx.RegisterComponentResource(Type, resourceName, m, opts...); err != nil {
		return nil, fmt.Errorf("register %s: %w", resourceName, err)
	}
	b := &builder{args: args, reg: args.Registrar(ctx, m)}
	if err := b.passwords(ctx, m, resourceName); err != nil {
		return nil, fmt.Errorf("%s: %w", resourceName, err)
	}
	if err := b.build(); err != nil {
		return nil, fmt.Errorf("%s: %w", resourceName, err)
	}
	if b.backups != nil {
		m.Backups = &part.ObjectStore{
			EndpointURL: pulumi.String("https://" + Endpoint), Region: region, Bucket: args.BackupBucket,
			Keys: &part.Keys{AccessKey: pulumi.String(backupUser), SecretKey: *b.backups},
		}
	}
	return m, ctx.RegisterResourceOutputs(m, pulumi.Map{
		"endpoint": pulumi.String(m.Endpoint), "bucket": pulumi.String(m.Bucket),
		"credentialsSecret": pulumi.String(m.CredentialsSecret),
	})
}

// passwords makes up a password for each user.
func (b *builder) passwords(ctx *pulumi.Context, parent pulumi.Resource, resourceName string) error {
	var err error
	if b.root, err = b.args.Password(ctx, parent, resourceName+"-root"); err != nil {
		return err
	}
	if b.fileManager, err = b.args.Password(ctx, parent, resourceName+"-file-manager"); err != nil {
		return err
	}
	if b.args.BackupBucket == "" {
		return nil
	}
	backups, err := b.args.Password(ctx, parent, resourceName+"-backups")
	b.backups = &backups
	return err
}

// build registers the parts in the order in which each can work.
func (b *builder) build() error {
	ground, err := b.register(b.ground)
	if err != nil {
		return err
	}
	servers, err := b.register(b.servers, ground)
	if err != nil {
		return err
	}
	ready, err := b.register(b.bootstrap, servers)
	if err != nil {
		return err
	}
	// Whoever finds the keys can use them.
	_, err = b.register(b.credentials, ready)
	return err
}

// register adds the objects that a step makes once what they need is ready.
func (b *builder) register(step func() (manifest.Set, error), after ...*manifest.Group) (*manifest.Group, error) {
	set, err := step()
	if err != nil {
		return nil, err
	}
	if set, err = b.args.Workloads(set); err != nil {
		return nil, err
	}
	return b.reg.RegisterAfter(set, after...)
}

// ground is the namespace with its policies and the certificate, which the servers cannot start without.
func (b *builder) ground() (manifest.Set, error) {
	set, err := manifest.Typed(append(b.args.Namespaces.Objects(Namespace, b.args.NamespaceLabels()),
		certmanager.Leaf{
			Namespace: Namespace, Name: certificate, ClusterIssuer: b.args.Issuer,
			DNSNames: b.hosts(), Usages: []string{"server auth"},
		}.Object(),
	)...)
	if err != nil {
		return set, err
	}
	// The volumes go with their namespace.
	b.args.Stateful(set.Find("Namespace", Namespace))
	return set, nil
}

// hosts are the names that clients and servers know the servers by.
func (b *builder) hosts() []string {
	hosts := []string{name + "." + Namespace + ".svc", name + "." + Namespace, name + "." + Namespace + ".svc.cluster.local"}
	for i := range b.args.Servers {
		hosts = append(hosts, fmt.Sprintf("%s-%d.%s.%s.svc", name, i, peersName, Namespace))
	}
	return hosts
}

// credentials is the Secret that the File Manager is configured from.
func (b *builder) credentials() (manifest.Set, error) {
	set, err := manifest.Typed(&corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: b.args.ControlPlaneNamespace, Name: fileManagerKey, Labels: labels("keys")},
		StringData: map[string]string{"accessKey": fileManagerUser, "endpoint": Endpoint, "bucket": b.args.Bucket},
	})
	if err != nil {
		return set, err
	}
	set.Objects[0].Set(b.fileManager, "stringData", "secretKey")
	return set, nil
}

// labels are those of an object, by the part of MinIO that it belongs to.
func labels(component string) map[string]string {
	all := map[string]string{
		"app.kubernetes.io/managed-by": "pulumi",
		"app.kubernetes.io/part-of":    "controlplane-infrastructure",
	}
	maps.Copy(all, selector(component))
	return all
}

// selector are the labels that tell the pods and Services of a part apart.
func selector(component string) map[string]string {
	return map[string]string{"app.kubernetes.io/name": name, "app.kubernetes.io/component": component}
}
