package stacks

import (
	"fmt"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/telekom/controlplane-infrastructure/components/certtrust"
	"github.com/telekom/controlplane-infrastructure/components/identity"
	"github.com/telekom/controlplane-infrastructure/components/identity/realm"
	"github.com/telekom/controlplane-infrastructure/components/storage"
	"github.com/telekom/controlplane-infrastructure/components/storage/postgresql"
	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/internal/part"
	"github.com/telekom/controlplane-infrastructure/stacks/config"
)

// iris is the identity provider with its realms.
type iris struct {
	*identity.Identity
	realms map[string]*realm.Realm
}

// identityArgs are those of the identity provider that are known before there is a database, once it is clear that they
// can work.
func (s *stack) identityArgs(databases map[string]postgresql.Connection) (identity.Args, error) {
	cfg := s.cfg.Identity
	args := identity.Args{
		Common: s.common(),
		Image:  cfg.Image, Optimized: cfg.Optimized, Replicas: cfg.Replicas,
		Recreate: cfg.UpdateStrategy == config.Recreate, Hostname: cfg.Hostname,
		Ingress: identity.Ingress{
			ClassName: cfg.Ingress.ClassName, Annotations: cfg.Ingress.Annotations, Issuer: s.publicIssuer(),
			Controller: s.controllerOf(cfg.Ingress.ClassName),
			HTTP01:     s.prover(),
		},
		Admin:    identity.Admin{Hostname: cfg.Admin.Hostname, Username: cfg.Admin.Username, PlainHTTP: cfg.Admin.PlainHTTP},
		Database: identityDatabase(databases[cfg.Database]),
		// Clients of other realms have no business with the Control Plane's API.
		TrustedIssuers: []string{identity.Issuer(cfg.Hostname, config.RoverRealm)},
		ServiceMonitor: cfg.ServiceMonitor,
	}
	if cfg.Admin.Password.IsSet() {
		args.Admin.Password = secret(cfg.Admin.Password)
	}
	if a := cfg.Autoscaling; a.Enabled {
		args.Autoscaling = &identity.Autoscaling{MaxReplicas: a.MaxReplicas, TargetCPUPercent: a.TargetCPUPercent}
	}
	if err := args.Check(); err != nil {
		return args, s.invalid("identity", err)
	}
	return args, nil
}

// identityDatabase is where Keycloak keeps its data. It has a pool of its own and goes past that of the database.
func identityDatabase(c postgresql.Connection) identity.Database {
	return identity.Database{
		Port: c.Port, Name: c.Database, User: c.User, Connections: c.ConnectionLimit, Pods: c.Pods,
	}
}

// identity provisions Keycloak, and then, through its admin API, the realms.
func (s *stack) identity(args identity.Args, store *storage.Storage, needs []pulumi.ResourceOption) (*iris, error) {
	database := store.Databases[s.cfg.Identity.Database]
	args.Database.Host, args.Database.Password = database.Primary, database.Password
	i := &iris{realms: map[string]*realm.Realm{}}
	var err error
	if i.Identity, err = identity.New(s.ctx, "identity", args, append(needs, store.Ready())...); err != nil {
		return nil, err
	}
	return i, s.realms(args.Common, i)
}

// publicIssuer signs certificates for public host names.
func (s *stack) publicIssuer() string {
	if s.cfg.CertTrust.ACME != nil {
		return certtrust.PublicIssuer
	}
	return certtrust.PlatformIssuer
}

// prover is what leads ACME servers to the pods that prove public host names by HTTP-01; nil: they are not proven so.
func (s *stack) prover() *flow.Peer {
	acme := s.cfg.CertTrust.ACME
	if acme == nil || acme.HTTP01 == nil {
		return nil
	}
	controller := s.controllerOf(acme.HTTP01.IngressClassName)
	return &controller
}

// controllerOf is what serves an IngressClass. Of another than the platform's it is not known where it runs.
func (s *stack) controllerOf(class string) flow.Peer {
	if class != s.cfg.Network.Ingress.ClassName() {
		return flow.Peer{Name: "ingress controller"}
	}
	return s.ingressController()
}

// realms exist once Keycloak runs.
func (s *stack) realms(common part.Common, i *iris) error {
	cfg := s.cfg.Identity
	running := i.Ready()
	if !common.Protect {
		// With Keycloak itself its realms are gone: nobody has to ask it for that, and it may not answer any more. While
		// they are protected a destroy does not get that far, and must not forget what is still there.
		running = pulumi.Composite(running, pulumi.DeletedWith(i.Identity))
	}
	provider, err := realm.NewProvider(s.ctx, "keycloak", realm.ProviderArgs{
		URL: cfg.AdminAPI.URL, CACertificate: cfg.AdminAPI.CACertificate,
		// A forwarded port is a tunnel of the Kubernetes API's up to the pod, whose certificate is not for this machine.
		SkipVerify: cfg.AdminAPI.ForwardedPort() != 0,
		Username:   i.AdminUser, Password: i.AdminPassword,
	}, running)
	if err != nil {
		return err
	}
	for _, r := range cfg.Realms {
		args := realmArgs(r)
		s.addLogin(&args)
		args.Provider, args.Random, args.PasswordGeneration = provider, common.Random, cfg.PasswordGeneration
		args.BaseURL, args.Protect = i.URL, common.Protect
		if i.realms[r.Name], err = realm.New(s.ctx, "realm-"+r.Name, args, running); err != nil {
			return fmt.Errorf("realm %s: %w", r.Name, err)
		}
	}
	return nil
}

func realmArgs(r config.Realm) realm.Args {
	args := realm.Args{
		Name: r.Name, DisplayName: r.DisplayName, SignatureAlgorithm: string(r.SignatureAlgorithm),
		AccessTokenLifespan: time.Duration(r.AccessTokenLifespan), SessionIdleTimeout: time.Duration(r.SessionIdleTimeout),
		SessionMaxLifespan: time.Duration(r.SessionMaxLifespan),
		BruteForce: realm.BruteForce{
			MaxFailures: r.BruteForce.MaxFailures, WaitIncrement: time.Duration(r.BruteForce.WaitIncrement),
			MaxWait: time.Duration(r.BruteForce.MaxWait),
		},
		Events: realm.Events{Retention: time.Duration(r.Events.Retention), Admin: r.Events.Admin},
	}
	for _, role := range r.Roles {
		args.Roles = append(args.Roles, realm.Role{Name: role.Name, Description: role.Description})
	}
	for _, scope := range r.ClientScopes {
		args.ClientScopes = append(args.ClientScopes, realm.ClientScope{Name: scope.Name, Description: scope.Description, InToken: scope.InToken})
	}
	for _, c := range r.Clients {
		client := realm.Client{
			ID: c.ID, Public: c.Type == config.ClientPublic,
			ClientCredentials: c.ClientCredentials, AuthorizationCode: c.AuthorizationCode,
			RedirectURIs: c.RedirectURIs, WebOrigins: c.WebOrigins, AccessTokenLifespan: time.Duration(c.AccessTokenLifespan),
			DefaultScopes: c.DefaultScopes, OptionalScopes: c.OptionalScopes, Roles: c.Roles,
		}
		if c.Secret.IsSet() {
			client.Secret = secret(c.Secret)
		}
		args.Clients = append(args.Clients, client)
	}
	return args
}

// outputs tell others how to reach the identity provider, and what to trust.
func (i *iris) outputs() pulumi.Map {
	rover := i.realms[config.RoverRealm]
	return pulumi.Map{
		"irisUrl":           pulumi.String(i.URL),
		"irisAdminUrl":      pulumi.String(i.AdminURL),
		"irisAdminUser":     pulumi.String(i.AdminUser),
		"irisAdminPassword": i.AdminPassword,
		"trustedIssuers":    pulumi.String(rover.Issuer),
		// Secret as a whole: who reads outputs may look at their first level only.
		"roverClient": pulumi.ToSecret(pulumi.Map{
			"id": pulumi.String(config.RoverClient), "secret": rover.Secrets[config.RoverClient],
			"issuer": pulumi.String(rover.Issuer),
		}),
	}
}
