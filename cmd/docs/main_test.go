package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const root = "../.."

// TestFresh fails when a generated file does not follow from the structs.
func TestFresh(t *testing.T) {
	var out, errs bytes.Buffer
	assert.Equal(t, 0, run([]string{"--check", "--root", root}, &out, &errs), errs.String())
	assert.Empty(t, out.String())
}

// TestStale checks a copy of the sources whose generated files are out of date,
// and then writes them.
func TestStale(t *testing.T) {
	clone := t.TempDir()
	require.NoError(t, os.CopyFS(filepath.Join(clone, "stacks", "config"), os.DirFS(filepath.Join(root, "stacks", "config"))))
	for _, dir := range []string{"schema", "docs"} {
		require.NoError(t, os.MkdirAll(filepath.Join(clone, dir), 0o755))
	}
	require.NoError(t, os.WriteFile(filepath.Join(clone, "schema", "stack.json"), []byte("{}\n"), 0o600))

	var out, errs bytes.Buffer
	assert.Equal(t, 1, run([]string{"--check", "--root", clone}, &out, &errs))
	assert.Equal(t, `docs: schema/stack.json is stale; run: go run ./cmd/docs
docs: docs/configuration.md is stale; run: go run ./cmd/docs
docs: docs/network-policies.md is stale; run: go run ./cmd/docs
`, errs.String())
	kept, err := os.ReadFile(filepath.Join(clone, "schema", "stack.json"))
	require.NoError(t, err)
	assert.Equal(t, "{}\n", string(kept), "a check writes nothing")

	errs.Reset()
	assert.Equal(t, 0, run([]string{"--root", clone}, &out, &errs), errs.String())
	assert.Equal(t, "wrote schema/stack.json\nwrote docs/configuration.md\nwrote docs/network-policies.md\n", out.String())
	for _, name := range []string{"schema/stack.json", "docs/configuration.md", "docs/network-policies.md"} {
		want, err := os.ReadFile(filepath.Join(root, name))
		require.NoError(t, err)
		got, err := os.ReadFile(filepath.Join(clone, name))
		require.NoError(t, err)
		assert.Equal(t, string(want), string(got), name)
	}
}

func TestUsage(t *testing.T) {
	for _, test := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"check"}, 2, `docs: unexpected argument "check"; there are only flags`},
		{[]string{"--chek"}, 2, "flag provided but not defined: -chek"},
		{[]string{"--help"}, 0, "fail when a generated file is stale"},
		{[]string{"--root", filepath.Join(t.TempDir(), "nowhere")}, 1, "no such file or directory"},
	} {
		var out, errs bytes.Buffer
		assert.Equal(t, test.code, run(test.args, &out, &errs), test.args)
		assert.Contains(t, errs.String(), test.want)
	}
}

// TestEditors checks stack files with the schema alone, as an editor does: it
// knows patterns, but not the formats.
func TestEditors(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile(filepath.Join(root, "schema", "stack.json"))
	require.NoError(t, err)
	for _, test := range []struct {
		name, file string
		valid      bool
	}{
		{"empty", `{}`, true},
		{"everything in place", `{"config": {"controlplane:availability": "zonal", "aws:region": "x", "cluster": {}, "pulumi:disable-default-providers": ["*"]}}`, true},
		{"what Pulumi writes", `{"secretsprovider": "passphrase", "encryptionsalt": "v1:x", "encryptedkey": "x", "environment": ["dev"]}`, true},
		{"encrypted secret", `{"config": {"controlplane:cluster": {"kubeconfigContent": {"secure": "v1:x"}}}}`, true},
		{"amount as a number", `{"config": {"controlplane:resources": {"operator": {"limits": {"cpu": 1}}}}}`, true},
		{"secret with more than its cipher", `{"config": {"controlplane:cluster": {"kubeconfigContent": {"secure": "v1:x", "a": 1}}}}`, false},
		{"unknown component", `{"config": {"controlplane:clutser": {}}}`, false},
		{"unknown component without namespace", `{"config": {"clutser": {}}}`, false},
		{"unknown key", `{"config": {"controlplane:cluster": {"kubecnfig": "x"}}}`, false},
		{"unknown key of the file", `{"cofig": {}}`, false},
		{"no choice", `{"config": {"controlplane:availability": "dual"}}`, false},
		{"duration in days", `{"config": {"controlplane:certTrust": {"platformCA": {"selfSigned": {"duration": "90d"}}}}}`, false},
		{"out of range", `{"config": {"controlplane:certTrust": {"trustManager": {"replicas": 6}}}}`, false},
		{"items of lists", `{"config": {"controlplane:storage": {"postgresql": {"clusters": [{"name": "a", "databases": [{"name": "iris"}]}]}}}}`, true},
		{"parameters of any kind", `{"config": {"controlplane:storage": {"postgresql": {"parameters": {"jit": false, "work_mem": "8MB", "max_connections": 200}}}}}`, true},
		{"parameter that is a list", `{"config": {"controlplane:storage": {"postgresql": {"parameters": {"a": []}}}}}`, false},
		{"unknown key of an item", `{"config": {"controlplane:storage": {"postgresql": {"clusters": [{"name": "a", "databases": [{"name": "iris", "ownr": "a"}]}]}}}}`, false},
		{"format of an item", `{"config": {"controlplane:storage": {"postgresql": {"clusters": [{"name": "A", "databases": [{"name": "iris"}]}]}}}}`, false},
		{"item without what it needs", `{"config": {"controlplane:storage": {"postgresql": {"clusters": [{"name": "a"}]}}}}`, false},
		{"realm with a client and its encrypted secret", `{"config": {"controlplane:identity": {"hostname": "iris.example.com", "ingress": {"annotations": {"a/b": "c"}}, "realms": [{"name": "rover", "clients": [{"clientId": "rover", "secret": {"secure": "v1:x"}}]}]}}}`, true},
		{"identity provider without a host name", `{"config": {"controlplane:identity": {}}}`, false},
		{"host name with a scheme", `{"config": {"controlplane:identity": {"hostname": "https://iris.example.com"}}}`, false},
		{"annotation that is no string", `{"config": {"controlplane:identity": {"hostname": "iris.example.com", "ingress": {"annotations": {"a": true}}}}}`, false},
		{"missing value", `{"config": {"controlplane:certTrust": {"acme": {"email": "a@example.com"}}}}`, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			file, err := jsonschema.UnmarshalJSON(bytes.NewReader([]byte(test.file)))
			require.NoError(t, err)
			err = schema.Validate(file)
			assert.Equal(t, test.valid, err == nil, "%v", err)
		})
	}
}
