package traefik

import (
	"fmt"
	"maps"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/telekom/controlplane-infrastructure/internal/certmanager"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
)

// Type is the component's type token.
const Type = "controlplane:network:Ingress"

const (
	// Namespace is where the ingress controller runs, and Selector is its pods there.
	Namespace = "ingress"
	Selector  = "app.kubernetes.io/name=" + name

	// HTTPPort and HTTPSPort are those of the pods, which no process needs a privilege for.
	HTTPPort  = 8000
	HTTPSPort = 8443
)

const (
	name           = "traefik"
	managementName = "traefik-management"
	certificate    = "traefik-tls"
	publicTLS      = "traefik-public-tls"

	managementPort = 9000

	// The names of ports, and of Traefik's entry points.
	httpName       = "http"
	httpsName      = "https"
	managementPart = "management"
)

// Ingress is a running ingress controller.
type Ingress struct {
	pulumi.ResourceState
	manifest.Members
	// ClassName is the IngressClass.
	ClassName string
	// Address is the host name or the IP address that the load balancer has; empty without one.
	Address pulumi.StringOutput
}

// builder carries what the steps of New share.
type builder struct {
	args Args
	reg  *manifest.Registrar
}

// New provisions the component.
func New(ctx *pulumi.Context, resourceName string, args Args, opts ...pulumi.ResourceOption) (*Ingress, error) {
	if err := args.Check(); err != nil {
		return nil, fmt.Errorf("%s: %w", resourceName, err)
	}
	i := &Ingress{ClassName: args.ClassName}
	if err := ctx.RegisterComponentResource(Type, resourceName, i, opts...); err != nil {
		return nil, fmt.Errorf("register %s: %w", resourceName, err)
	}
	b := &builder{args: args, reg: args.Registrar(ctx, i)}
	entry, err := b.build()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", resourceName, err)
	}
	i.Address = b.address(entry)
	return i, ctx.RegisterResourceOutputs(i, pulumi.Map{"className": pulumi.String(i.ClassName), "address": i.Address})
}

// build registers the parts in the order in which each can work. The public certificate comes after the servers, since
// its issuer may want a proof that only they can lead to. They do without it until it is there. What build returns is
// the Service.
func (b *builder) build() (*manifest.Group, error) {
	ground, err := b.register(b.ground)
	if err != nil {
		return nil, err
	}
	servers, err := b.register(b.servers, ground)
	if err != nil {
		return nil, err
	}
	// A Service waits for its servers, whether it is told to or not, and servers do not wait for it.
	entry, err := b.register(b.entry, ground)
	if err != nil {
		return nil, err
	}
	_, err = b.register(b.public, ground, entry, servers)
	return entry, err
}

// register adds the objects that a step makes once what they need is ready.
func (b *builder) register(step func() (manifest.Set, error), after ...*manifest.Group) (*manifest.Group, error) {
	set, err := step()
	if err != nil {
		return nil, err
	}
	if set, err = b.args.Workloads(set, b.args.Classes.Resources(workload.Gateway)); err != nil {
		return nil, err
	}
	return b.reg.RegisterAfter(set, after...)
}

// ground is what the servers cannot start without.
func (b *builder) ground() (manifest.Set, error) {
	settings, err := b.dynamic()
	if err != nil {
		return manifest.Set{}, err
	}
	namespaceLabels := b.args.NamespaceLabels()
	if b.args.Service.leadsToPods() {
		namespaceLabels[readinessGate] = readinessGateValue
	}
	objects := append(b.args.Common.Namespaces.Objects(Namespace, namespaceLabels), b.permissions()...)
	objects = append(objects, settings, b.class(), certmanager.Leaf{
		Namespace: Namespace, Name: certificate, ClusterIssuer: b.args.Issuer,
		DNSNames: hosts(), Usages: []string{"server auth"},
	}.Object())
	return manifest.Typed(objects...)
}

// public is what is made once there are servers.
func (b *builder) public() (manifest.Set, error) {
	var objects []runtime.Object
	if names := b.args.Certificate.Hostnames; len(names) > 0 {
		objects = append(objects, certmanager.Leaf{
			Namespace: Namespace, Name: publicTLS, ClusterIssuer: b.args.Certificate.Issuer,
			DNSNames: names, Usages: []string{"server auth"},
		}.Object())
	}
	if b.args.GatewayAPI {
		objects = append(objects, b.gatewayClass(), b.gateway())
	}
	return manifest.Typed(objects...)
}

// servedCertificate is the Secret with the certificate of hosts that have none of their own.
func (b *builder) servedCertificate() string {
	if len(b.args.Certificate.Hostnames) > 0 {
		return publicTLS
	}
	return certificate
}

// hosts are the names by which clients inside the cluster know the servers.
func hosts() []string {
	var all []string
	for _, service := range []string{name, managementName} {
		short := service + "." + Namespace
		all = append(all, short+".svc", service, short, short+".svc.cluster.local")
	}
	return all
}

func meta(objectName string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: Namespace, Name: objectName, Labels: labels()}
}

// labels are those of every object.
func labels() map[string]string {
	all := map[string]string{
		"app.kubernetes.io/managed-by": "pulumi",
		"app.kubernetes.io/part-of":    "controlplane-infrastructure",
	}
	maps.Copy(all, selector())
	return all
}

// selector are the labels that tell the servers from other pods.
func selector() map[string]string {
	return map[string]string{"app.kubernetes.io/name": name, "app.kubernetes.io/component": "ingress-controller"}
}
