// Package accounttest gives tests a simulated account of AWS, and a stack of the real engine that works in it.
package accounttest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/internal/aws"
	"github.com/telekom/controlplane-infrastructure/internal/plugins"
	simulated "github.com/telekom/controlplane-infrastructure/internal/plugins/aws"
	"github.com/telekom/controlplane-infrastructure/internal/plugins/plugintest"
)

// Account is a simulated account.
type Account struct {
	Stack auto.Stack

	t    *testing.T
	file string
}

// Program registers what the stack has, with a provider of the account.
type Program func(ctx *pulumi.Context, provider *aws.Provider) error

// New makes an account with nothing in it.
func New(t *testing.T, name string, provider aws.ProviderArgs, program Program) *Account {
	t.Helper()
	a := &Account{t: t, file: filepath.Join(t.TempDir(), "aws.json")}
	host, err := plugins.Serve(t.Context(), plugins.Options{AWS: &simulated.Options{StateFile: a.file}})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, host.Close()) })
	a.Stack, _ = plugintest.Stack(t, name, map[string]string{plugins.EnvKey: host.Env()}, func(ctx *pulumi.Context) error {
		registered, err := aws.NewProvider(ctx, "aws", provider)
		if err != nil {
			return err
		}
		return program(ctx, registered)
	})
	return a
}

// Resources are what is in an account, by type and ID.
type Resources map[string]map[string]*Resource

// Resource is what an account keeps of a resource.
type Resource struct {
	Region string         `json:"region"`
	Inputs map[string]any `json:"inputs"`
	// Contents are the keys of a bucket's objects.
	Contents []string `json:"contents,omitempty"`
}

type content struct {
	Account   string    `json:"account"`
	Resources Resources `json:"resources"`
}

func (a *Account) read() (all content) {
	a.t.Helper()
	if data, err := os.ReadFile(a.file); err == nil {
		require.NoError(a.t, json.Unmarshal(data, &all))
	}
	return all
}

// Resources are all that is there.
func (a *Account) Resources() Resources {
	a.t.Helper()
	return a.read().Resources
}

// Inputs returns the inputs of a resource, or nil.
func (a *Account) Inputs(token, id string) map[string]any {
	a.t.Helper()
	if r := a.Resources()[token][id]; r != nil {
		return r.Inputs
	}
	return nil
}

// Change edits what is there behind the engine's back.
func (a *Account) Change(edit func(Resources)) {
	a.t.Helper()
	all := a.read()
	edit(all.Resources)
	data, err := json.Marshal(all)
	require.NoError(a.t, err)
	require.NoError(a.t, os.WriteFile(a.file, data, 0o600))
}
