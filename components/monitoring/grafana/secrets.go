package grafana

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi-random/sdk/v4/go/random"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	corev1 "k8s.io/api/core/v1"

	"github.com/telekom/controlplane-infrastructure/internal/manifest"
)

const (
	// AdminSecret has the administrator's name and password.
	AdminSecret = "grafana-admin" // #nosec G101 -- a name
	// metricsSecret has what Prometheus logs in with, otherSecret what only Grafana needs.
	metricsSecret = "grafana-metrics"     // #nosec G101 -- a name
	otherSecret   = "grafana-credentials" // #nosec G101 -- a name

	usernameKey    = "username"
	passwordKey    = "password"
	secretKeyKey   = "secret-key"
	databaseKey    = "database-password"
	clientKey      = "client-secret"
	metricsUser    = "prometheus"
	adminFile      = "admin-password"
	metricsFile    = "metrics-password"
	passwordLength = 32
)

// Secrets are made up for Grafana.
type Secrets struct {
	// AdminPassword is the administrator's. It stays: Grafana takes it when it sets up its database.
	AdminPassword pulumi.StringOutput
	// SecretKey encrypts what is secret in the database. It stays, so that what is there can be read.
	SecretKey pulumi.StringOutput
	// MetricsPassword is what Prometheus reads metrics with. It is made anew with each generation of passwords.
	MetricsPassword pulumi.StringOutput
}

// Secrets makes them up; parent is the component that they belong to, and prefix begins their names.
func (a Args) Secrets(ctx *pulumi.Context, parent pulumi.Resource, prefix string) (Secrets, error) {
	var s Secrets
	var err error
	if s.AdminPassword, err = a.lasting(ctx, parent, prefix+"-admin"); err != nil {
		return s, err
	}
	if s.SecretKey, err = a.lasting(ctx, parent, prefix+"-secret-key"); err != nil {
		return s, err
	}
	s.MetricsPassword, err = a.Password(ctx, parent, prefix+"-metrics")
	return s, err
}

// lasting is a password that stays when others are made anew.
func (a Args) lasting(ctx *pulumi.Context, parent pulumi.Resource, name string) (pulumi.StringOutput, error) {
	made, err := random.NewRandomPassword(ctx, name, &random.RandomPasswordArgs{
		Length: pulumi.Int(passwordLength), Special: pulumi.Bool(false),
	}, pulumi.Parent(parent), pulumi.Provider(a.Random))
	if err != nil {
		return pulumi.StringOutput{}, fmt.Errorf("password %s: %w", name, err)
	}
	return pulumi.ToSecret(made.Result).(pulumi.StringOutput), nil
}

// credentials are the Secrets.
func (a Args) credentials(s Secrets) (manifest.Set, error) {
	admin := &corev1.Secret{ObjectMeta: meta(AdminSecret), StringData: map[string]string{usernameKey: a.AdminUser}}
	metrics := &corev1.Secret{ObjectMeta: meta(metricsSecret), StringData: map[string]string{usernameKey: metricsUser}}
	other := &corev1.Secret{ObjectMeta: meta(otherSecret)}
	set, err := manifest.Typed(admin, metrics, other)
	if err != nil {
		return set, err
	}
	set.Find("Secret", AdminSecret).Set(s.AdminPassword, "stringData", passwordKey)
	set.Find("Secret", metricsSecret).Set(s.MetricsPassword, "stringData", passwordKey)
	values, err := a.values(s)
	for key, value := range values {
		set.Find("Secret", otherSecret).Set(value, "stringData", key)
	}
	return set, err
}

// values are those of the Secret that only Grafana needs, by key.
func (a Args) values(s Secrets) (map[string]pulumi.StringOutput, error) {
	all := map[string]pulumi.StringOutput{secretKeyKey: s.SecretKey}
	if d := a.Database; d != nil {
		if d.Password == nil {
			return nil, errors.New("Database.Password is missing")
		}
		if d.Host == nil {
			return nil, errors.New("Database.Host is missing")
		}
		all[databaseKey] = pulumi.ToSecret(d.Password.ToStringOutput()).(pulumi.StringOutput)
	}
	if o := a.OIDC; o != nil {
		if o.ClientSecret == nil {
			return nil, errors.New("OIDC.ClientSecret is missing")
		}
		all[clientKey] = pulumi.ToSecret(o.ClientSecret.ToStringOutput()).(pulumi.StringOutput)
	}
	return all, nil
}
