package keycloak_test

import (
	"path/filepath"
	"testing"

	"github.com/pulumi/pulumi-keycloak/sdk/v5/go/keycloak"
	"github.com/pulumi/pulumi-keycloak/sdk/v5/go/keycloak/openid"
	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/internal/plugins"
	plugin "github.com/telekom/controlplane-infrastructure/internal/plugins/keycloak"
	"github.com/telekom/controlplane-infrastructure/internal/plugins/plugintest"
)

// TestAnotherStackTakesOverWhatExists has a stack lose its state, as it were, and another one import what it has made.
func TestAnotherStackTakesOverWhatExists(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	host, err := plugins.Serve(ctx, plugins.Options{Keycloak: plugin.Options{
		Memory: &plugin.Memory{StateFile: filepath.Join(t.TempDir(), "realms.json")},
	}})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, host.Close()) })
	stack := func(name, realmID, clientID string) *auto.Stack {
		s, _ := plugintest.Stack(t, name, map[string]string{plugins.EnvKey: host.Env()}, func(ctx *pulumi.Context) error {
			return register(ctx, pulumi.Import(pulumi.ID(realmID)), pulumi.Import(pulumi.ID(clientID)))
		})
		return &s
	}
	first, err := stack("first", "", "").Up(ctx)
	require.NoError(t, err)
	client := first.Outputs["client"].Value.(string)

	_, err = stack("second", "", "").Up(ctx)
	require.ErrorContains(t, err, "Realm rover already exists; to take over the one that exists, register it once with "+
		"the option Import and the ID rover")
	again := stack("third", "rover", "rover/"+client)
	up, err := again.Up(ctx)
	require.NoError(t, err)
	assert.Equal(t, 2, (*up.Summary.ResourceChanges)["import"])
	assert.Equal(t, client, up.Outputs["client"].Value)
	_, err = again.Up(ctx, optup.Refresh(), optup.ExpectNoChanges())
	require.NoError(t, err)
}

func register(ctx *pulumi.Context, realmImport, clientImport pulumi.ResourceOption) error {
	provider, err := keycloak.NewProvider(ctx, "keycloak", &keycloak.ProviderArgs{
		Url: pulumi.String("https://iris.example.com"), ClientId: pulumi.String("admin-cli"),
	})
	if err != nil {
		return err
	}
	realm, err := keycloak.NewRealm(ctx, "realm", &keycloak.RealmArgs{
		Realm: pulumi.String("rover"), AccessTokenLifespan: pulumi.String("5m"),
		SecurityDefenses: &keycloak.RealmSecurityDefensesArgs{
			BruteForceDetection: &keycloak.RealmSecurityDefensesBruteForceDetectionArgs{MaxLoginFailures: pulumi.Int(5)},
		},
	}, pulumi.Provider(provider), realmImport)
	if err != nil {
		return err
	}
	client, err := openid.NewClient(ctx, "client", &openid.ClientArgs{
		RealmId: realm.Realm, ClientId: pulumi.String("rover"), Name: pulumi.String("Rover"),
		AccessType: pulumi.String("CONFIDENTIAL"), ServiceAccountsEnabled: pulumi.Bool(true),
	}, pulumi.Provider(provider), clientImport)
	if err != nil {
		return err
	}
	ctx.Export("client", client.ID())
	return nil
}
