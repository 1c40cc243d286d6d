package identity

import (
	"fmt"
	"maps"

	"github.com/pulumi/pulumi-random/sdk/v4/go/random"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
)

// Type is the component's type token.
const Type = "controlplane:identity:Identity"

const (
	// Namespace is where the identity provider runs.
	Namespace = "identity"

	name           = "iris"
	managementName = "iris-management"
	adminName      = "iris-admin"    // the Secret and the Ingress of the administration
	databaseSecret = "iris-database" // #nosec G101 -- a name
	certificate    = "iris-tls"
	publicTLS      = "iris-public-tls"
	adminPublicTLS = "iris-admin-public-tls"

	httpsPort      = 8443
	httpPort       = 8080
	managementPort = 9000
	clusterPort    = 7800
	watchPort      = 57800 // by which servers find out that another one has gone

	// relativePath is where clients of the Control Plane expect everything.
	relativePath = "/auth"
	host         = name + "." + Namespace + ".svc"
)

// Identity is a running identity provider.
type Identity struct {
	pulumi.ResourceState
	manifest.Members
	// URL is the public address, without the slash at its end.
	URL string
	// AdminURL is the administration's API as the Control Plane wants it: what stands before /admin leads to tokens.
	AdminURL string
	// InternalURL is the address inside the cluster, without a path, with a certificate that the trust bundle verifies.
	InternalURL string
	// AdminUser and AdminPassword are the administrator, AdminSecret the Secret that has both.
	AdminUser     string
	AdminPassword pulumi.StringOutput
	AdminSecret   string
	// Ground is what there is before the first server starts, the namespace first of all.
	Ground []pulumi.Resource
}

// builder carries what the steps of New share.
type builder struct {
	args                            Args
	reg                             *manifest.Registrar
	adminPassword, databasePassword pulumi.StringOutput
}

// New provisions the component.
func New(ctx *pulumi.Context, resourceName string, args Args, opts ...pulumi.ResourceOption) (*Identity, error) {
	if err := args.Check(); err != nil {
		return nil, fmt.Errorf("%s: %w", resourceName, err)
	}
	if args.Database.Host == nil || args.Database.Password == nil {
		return nil, fmt.Errorf("%s: Database.Host or Database.Password is missing", resourceName)
	}
	i := &Identity{
		URL: "https://" + args.Hostname + relativePath, AdminURL: args.adminURL(),
		InternalURL: fmt.Sprintf("https://%s:%d", host, httpsPort),
		AdminUser:   args.Admin.Username, AdminSecret: adminName,
	}
	if err := ctx.RegisterComponentResource(Type, resourceName, i, opts...); err != nil {
		return nil, fmt.Errorf("register %s: %w", resourceName, err)
	}
	var err error
	if i.AdminPassword, err = args.adminPassword(ctx, i, resourceName+"-admin"); err != nil {
		return nil, fmt.Errorf("%s: %w", resourceName, err)
	}
	b := &builder{
		args: args, reg: args.Registrar(ctx, i), adminPassword: i.AdminPassword,
		databasePassword: pulumi.ToSecret(args.Database.Password.ToStringOutput()).(pulumi.StringOutput),
	}
	ground, err := b.build()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", resourceName, err)
	}
	i.Ground = ground.Resources()
	return i, ctx.RegisterResourceOutputs(i, pulumi.Map{
		"url": pulumi.String(i.URL), "adminUrl": pulumi.String(i.AdminURL), "internalUrl": pulumi.String(i.InternalURL),
		"adminUser": pulumi.String(i.AdminUser), "adminPassword": i.AdminPassword, "adminSecret": pulumi.String(i.AdminSecret),
	})
}

// adminURL is the administration's API.
func (a Args) adminURL() string {
	base := fmt.Sprintf("https://%s:%d", host, httpsPort)
	switch {
	case a.Admin.Hostname != "":
		base = "https://" + a.Admin.Hostname
	case a.Admin.PlainHTTP:
		base = fmt.Sprintf("http://%s:%d", host, httpPort)
	}
	return base + relativePath + "/admin/realms"
}

// adminPassword is the given one, or one that is made up and then stays: Keycloak takes it when it sets up its database,
// so a new one with each generation of passwords would open nothing.
func (a Args) adminPassword(ctx *pulumi.Context, parent pulumi.Resource, resourceName string) (pulumi.StringOutput, error) {
	if a.Admin.Password != nil {
		return pulumi.ToSecret(a.Admin.Password.ToStringOutput()).(pulumi.StringOutput), nil
	}
	p, err := random.NewRandomPassword(ctx, resourceName, &random.RandomPasswordArgs{
		Length: pulumi.Int(32), Special: pulumi.Bool(false),
	}, pulumi.Parent(parent), pulumi.Provider(a.Random))
	if err != nil {
		return pulumi.StringOutput{}, fmt.Errorf("password %s: %w", resourceName, err)
	}
	return pulumi.ToSecret(p.Result).(pulumi.StringOutput), nil
}

// build registers the parts in the order in which each can work, and returns the first.
func (b *builder) build() (*manifest.Group, error) {
	ground, err := b.register(b.ground)
	if err != nil {
		return nil, err
	}
	servers, err := b.register(b.servers, ground)
	if err != nil {
		return nil, err
	}
	if _, err := b.register(b.entry, ground); err != nil {
		return nil, err
	}
	_, err = b.register(b.handover, servers)
	return ground, err
}

// register adds the objects that a step makes once what they need is ready.
func (b *builder) register(step func() (manifest.Set, error), after ...*manifest.Group) (*manifest.Group, error) {
	set, err := step()
	if err != nil {
		return nil, err
	}
	if set, err = b.args.Workloads(set, b.args.Classes.Resources(workload.IdentityProvider)); err != nil {
		return nil, err
	}
	return b.reg.RegisterAfter(set, after...)
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
	return map[string]string{"app.kubernetes.io/name": name, "app.kubernetes.io/component": "server"}
}
