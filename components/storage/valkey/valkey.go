package valkey

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/telekom/controlplane-infrastructure/internal/certmanager"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
)

// Type is the component's type token.
const Type = "controlplane:storage:Valkey"

const (
	// Namespace is where everything runs.
	Namespace = "valkey"
	// Host is the primary's address inside of the cluster, Port its port.
	Host = serviceName + "." + Namespace + ".svc"
	Port = 6379
	// SecretName is the Secret in Namespace that holds the clients' password, under the key password.
	SecretName = "valkey-client"
	// User is whom clients log in as. Those that send only a password are this user.
	User = "default"
)

// Valkey is a store behind one address.
type Valkey struct {
	pulumi.ResourceState
	manifest.Members
	// Host and Port are the address of the primary.
	Host string
	Port int
	// TLS is always true: there is no plain connection. The platform's trust bundle verifies the certificate.
	TLS bool
	// User and Password are for clients; a client may send the password alone.
	User     string
	Password pulumi.StringOutput
	// SecretName is the Secret in Namespace with the password.
	SecretName string
}

// builder carries what the steps of New share.
type builder struct {
	args      Args
	passwords passwords
}

// New provisions the component.
func New(ctx *pulumi.Context, name string, args Args, opts ...pulumi.ResourceOption) (*Valkey, error) {
	v := &Valkey{Host: Host, Port: Port, TLS: true, User: User, SecretName: SecretName}
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if err := ctx.RegisterComponentResource(Type, name, v, opts...); err != nil {
		return nil, fmt.Errorf("register %s: %w", name, err)
	}
	b := &builder{args: args}
	var err error
	if b.passwords, err = b.makePasswords(ctx, v); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	set, err := b.objects()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if err := register(args.Registrar(ctx, v), set); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	v.Password = b.passwords.client
	return v, ctx.RegisterResourceOutputs(v, pulumi.Map{
		"host": pulumi.String(v.Host), "port": pulumi.Int(v.Port), "tls": pulumi.Bool(v.TLS),
		"user": pulumi.String(v.User), "password": v.Password, "secretName": pulumi.String(v.SecretName),
	})
}

// register registers the address of the primary last: what it leads to is ready by then, also when that changes from the
// one server to the proxies.
func register(reg *manifest.Registrar, set manifest.Set) error {
	address, rest := set.Split(func(o *manifest.Object) bool {
		return o.GetKind() == "Service" && o.GetName() == serviceName
	})
	group, err := reg.Register(rest)
	if err != nil {
		return err
	}
	_, err = reg.Register(address, group.Ready())
	return err
}

// objects is everything that exists, with the policies of all workloads applied.
func (b *builder) objects() (manifest.Set, error) {
	steps := []func() (manifest.Set, error){b.base, b.secrets, b.configuration, b.services, b.servers}
	if b.args.Persistence != nil {
		steps = append(steps, b.claims)
	}
	if b.args.replicated() {
		steps = append(steps, b.sentinels, b.proxies)
	}
	if b.args.ServiceMonitor {
		steps = append(steps, b.monitor)
	}
	var sets []manifest.Set
	for _, step := range steps {
		set, err := step()
		if err != nil {
			return manifest.Set{}, err
		}
		sets = append(sets, set)
	}
	return b.args.Workloads(manifest.Merge(sets...), b.args.Classes.Resources(workload.Operator))
}

// base is the namespace with its policies, and the certificates in it. Sentinels have their own, so that neither can pose as the other.
func (b *builder) base() (manifest.Set, error) {
	leaf := func(name string, names ...string) certmanager.Leaf {
		return certmanager.Leaf{
			Namespace: Namespace, Name: name, ClusterIssuer: b.args.Issuer, DNSNames: append(names, "localhost"),
			Usages: []string{"server auth"},
		}
	}
	servers := leaf(serverTLS, Host, Host+"."+clusterDomain, serviceName+"."+Namespace, serviceName,
		"*."+serversName+"."+Namespace+".svc", "*."+serversName+"."+Namespace+".svc."+clusterDomain).Object()
	objects := append(b.args.Namespaces.Objects(Namespace, b.args.NamespaceLabels()), servers)
	if !b.args.replicated() {
		return manifest.Typed(objects...)
	}
	return manifest.Typed(append(objects, leaf(sentinelTLS, "*."+sentinelsName+"."+Namespace+".svc",
		"*."+sentinelsName+"."+Namespace+".svc."+clusterDomain).Object())...)
}
