package main

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/tests/graph"
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
	require.NoError(t, os.WriteFile(filepath.Join(clone, picturePage), []byte("before\n"+pictureBegin+"old\n"+pictureEnd+"after\n"), 0o600))

	var out, errs bytes.Buffer
	assert.Equal(t, 1, run([]string{"--check", "--root", clone}, &out, &errs))
	assert.Equal(t, `docs: schema/stack.json is stale; run: go run ./cmd/docs
docs: docs/configuration.md is stale; run: go run ./cmd/docs
docs: docs/network-policies.md is stale; run: go run ./cmd/docs
docs: docs/permissions.md is stale; run: go run ./cmd/docs
docs: README.md is stale; run: go run ./cmd/docs
`, errs.String())
	kept, err := os.ReadFile(filepath.Join(clone, "schema", "stack.json"))
	require.NoError(t, err)
	assert.Equal(t, "{}\n", string(kept), "a check writes nothing")

	errs.Reset()
	assert.Equal(t, 0, run([]string{"--root", clone}, &out, &errs), errs.String())
	assert.Equal(t, "wrote schema/stack.json\nwrote docs/configuration.md\nwrote docs/network-policies.md\nwrote docs/permissions.md\nwrote README.md\n", out.String())
	for _, name := range []string{"schema/stack.json", "docs/configuration.md", "docs/network-policies.md", "docs/permissions.md"} {
		want, err := os.ReadFile(filepath.Join(root, name))
		require.NoError(t, err)
		got, err := os.ReadFile(filepath.Join(clone, name))
		require.NoError(t, err)
		assert.Equal(t, string(want), string(got), name)
	}
	page, err := os.ReadFile(filepath.Join(clone, picturePage))
	require.NoError(t, err)
	assert.Regexp(t, `(?s)^before\n.*`+"```mermaid\nflowchart"+`.*\nafter\n$`, string(page), "what people have written stays")
}

// TestEveryResourceOfAmazonNeedsAPermission compares the page with what stacks really create.
func TestEveryResourceOfAmazonNeedsAPermission(t *testing.T) {
	g, err := graph.Try(managed, nil)
	require.NoError(t, err)
	created := map[string]bool{}
	for _, r := range g.All {
		if strings.HasPrefix(r.Kind, "aws:") {
			created[r.Kind] = true
		}
	}
	assert.Equal(t, slices.Sorted(maps.Keys(created)), slices.Sorted(maps.Keys(actions)))
}

// managed has everything in AWS that a stack can have there.
var managed = graph.Configuration{
	"availability": "zonal", "aws": `{"region":"eu-central-1"}`,
	"cluster": `{"kind":"eks","eks":{"vpc":{"flowLogs":{"enabled":true}},"access":[{"principalArn":"arn:aws:iam::123456789012:role/a","policy":"view"}]}}`,
	"storage": `{"objectStorage":{"backend":"s3","bucket":"example-files","s3":{"accessLogBucket":"example-logs"}},"postgresql":{"backend":"rds"},"cache":{"backend":"elastiCache"}}`,
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
