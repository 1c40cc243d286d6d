package realm

import (
	"fmt"

	"github.com/pulumi/pulumi-keycloak/sdk/v5/go/keycloak"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// PluginVersion is the version of the plugin that realms are made with.
const PluginVersion = "5.2.1"

const (
	// basePath is where Keycloak serves; the Control Plane expects it there.
	basePath = "/auth"
	// clientTimeout is in seconds. The plugin's own default of 5 is short for the first requests to a server that has
	// just started, which compiles what they use: a realm that it makes without an answer in time is not in the state.
	clientTimeout = 60
)

// ProviderArgs say how the admin API is reached.
type ProviderArgs struct {
	// URL is the server's, without a path.
	URL string
	// CACertificate is what the server's certificate is verified with, in PEM; empty: the system's authorities.
	CACertificate string
	// SkipVerify is for a URL whose way to the server is safe without its certificate, such as a port that is forwarded
	// through the Kubernetes API. CACertificate is not used then.
	SkipVerify bool
	// Username and Password are an administrator's in the realm master.
	Username string
	Password pulumi.StringInput
}

// NewProvider is the provider of a Keycloak's realms. It logs in when the first resource needs it, not before: a preview
// of a new stack has no server yet.
func NewProvider(
	ctx *pulumi.Context, name string, args ProviderArgs, opts ...pulumi.ResourceOption,
) (pulumi.ProviderResource, error) {
	inputs := &keycloak.ProviderArgs{
		Url: pulumi.String(args.URL), BasePath: pulumi.String(basePath),
		Realm: pulumi.String("master"), ClientId: pulumi.String("admin-cli"),
		Username:      pulumi.String(args.Username),
		Password:      pulumi.ToSecret(args.Password.ToStringOutput().ToStringPtrOutput()).(pulumi.StringPtrOutput),
		InitialLogin:  pulumi.Bool(false),
		ClientTimeout: pulumi.Int(clientTimeout),
	}
	switch {
	case args.SkipVerify: // the published plugin verifies nevertheless where it is given authorities
		inputs.TlsInsecureSkipVerify = pulumi.Bool(true)
	case args.CACertificate != "":
		inputs.RootCaCertificate = pulumi.String(args.CACertificate)
	}
	provider, err := keycloak.NewProvider(ctx, name, inputs, append(opts, pulumi.Version(PluginVersion))...)
	if err != nil {
		return nil, fmt.Errorf("provider %s of Keycloak's realms: %w", name, err)
	}
	return provider, nil
}
