package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/automation"
)

// execute runs a command line in this process.
func execute(t *testing.T, args ...string) (code int, stdout, message string) {
	t.Helper()
	var out, progress bytes.Buffer
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(&out)
	root.SetErr(&progress)
	err := root.ExecuteContext(context.Background())
	if err != nil {
		message = err.Error()
	}
	return exitCode(err), out.String(), message
}

// project is a directory with a stack file of the given content.
func project(t *testing.T, stackFile string) string {
	t.Helper()
	dir := t.TempDir()
	settings, err := os.ReadFile("../../Pulumi.yaml")
	require.NoError(t, err)
	// No stack does without a host name.
	withHost := strings.Replace(string(settings), "realms and clients.\"\n    default: {}", "realms and clients.\"\n    default: {hostname: iris.example.com}", 1)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "Pulumi.yaml"), []byte(withHost), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "Pulumi.test.yaml"), []byte(stackFile), 0o600))
	artifacts, err := filepath.Abs("../../artifacts")
	require.NoError(t, err)
	require.NoError(t, os.Symlink(artifacts, filepath.Join(dir, "artifacts")))
	return dir
}

func TestWrongUsage(t *testing.T) {
	dir := project(t, "config: {}\n")
	for name, c := range map[string]struct {
		args    []string
		message string
	}{
		"unknown command":        {[]string{"prewiev"}, `unknown command "prewiev" for "platform"; did you mean "preview"?`},
		"unknown local command":  {[]string{"local", "statsu"}, `unknown command "statsu" for "platform local"; did you mean "status"?`},
		"superfluous argument":   {[]string{"up", "dev"}, `unknown command "dev" for "platform up"`},
		"unknown flag":           {[]string{"up", "--stak", "dev"}, "unknown flag: --stak"},
		"no stack":               {[]string{"up", "--project", dir}, "stack: no stack is named; name one, such as --stack dev"},
		"unknown plugins":        {[]string{"up", "--stack", "test", "--project", dir, "--plugins", "build-in"}, `plugins: "build-in" is not known; allowed: published, builtin`},
		"published plugins here": {[]string{"up", "--stack", "test", "--project", dir, "--plugins", "published", "--local"}, `plugins: "published" cannot be used with the local control plane; leave it out or use "builtin"`},
		"destroy without yes":    {[]string{"destroy", "--stack", "test", "--project", dir}, "destroy deletes everything that the stack has created; say --yes to do it"},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, message := execute(t, c.args...)
			assert.Equal(t, exitUsage, code)
			assert.Equal(t, c.message, message)
			assert.Empty(t, stdout)
		})
	}
}

func TestBadConfigurationStartsNothing(t *testing.T) {
	dir := project(t, "config:\n  controlplane:availabilty: zonal\n  controlplane:certTrust:\n    bundle: {publicRoots: maybe}\n")
	local := filepath.Join(t.TempDir(), "cp")
	for _, args := range [][]string{
		{"validate"}, {"up", "--local", "--local-dir", local}, {"preview", "--local", "--local-dir", local},
	} {
		t.Run(args[0], func(t *testing.T) {
			code, _, message := execute(t, append(args, "--stack", "test", "--project", dir)...)
			assert.Equal(t, exitUsage, code)
			assert.Contains(t, message, `did you mean "controlplane:availability"`)
			assert.Contains(t, message, "controlplane:certTrust.bundle.publicRoots", "all mistakes are reported at once")
			assert.NoDirExists(t, local)
		})
	}
}

func TestValidateAsJSON(t *testing.T) {
	code, stdout, _ := execute(t, "validate", "--stack", "test", "--json", "--project", project(t, "config:\n  controlplane:availability: zone\n"))
	assert.Equal(t, exitUsage, code)
	var report struct {
		Valid    bool
		Problems []struct{ Path, Suggestion string }
	}
	require.NoError(t, json.Unmarshal([]byte(stdout), &report))
	assert.False(t, report.Valid)
	require.Len(t, report.Problems, 1)
	assert.Equal(t, "controlplane:availability", report.Problems[0].Path)
}

func TestPreviewWithoutClusterForAPipeline(t *testing.T) {
	t.Setenv("KUBECONFIG", filepath.Join(t.TempDir(), "none"))
	code, stdout, message := execute(t, "preview", "--stack", "test", "--project", project(t, "config: {}\n"),
		"--local", "--local-dir", filepath.Join(t.TempDir(), "cp"), "--json", "--expect-no-changes")
	assert.Equal(t, exitChanges, code, message)
	var result automation.Result
	require.NoError(t, json.Unmarshal([]byte(stdout), &result))
	assert.Greater(t, result.Changes["create"], 60)
}

func TestPrintOutputs(t *testing.T) {
	outputs := auto.OutputMap{
		"issuer": {Value: "platform-ca"}, "password": {Value: "hunter2", Secret: true}, "zones": {Value: []any{"a", "b"}},
	}
	for name, c := range map[string]struct {
		names        []string
		json, reveal bool
		want         string
	}{
		"all":          {nil, false, false, "issuer                       platform-ca\npassword                     [secret]\nzones                        [\"a\",\"b\"]\n"},
		"one":          {[]string{"issuer"}, false, false, "platform-ca\n"},
		"one as JSON":  {[]string{"zones"}, true, false, "[\n  \"a\",\n  \"b\"\n]\n"},
		"secret":       {[]string{"password"}, false, false, "[secret]\n"},
		"shown secret": {[]string{"password"}, false, true, "hunter2\n"},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			require.NoError(t, printOutputs(&out, outputs, c.names, c.json, c.reveal))
			assert.Equal(t, c.want, out.String())
		})
	}
	err := printOutputs(&bytes.Buffer{}, outputs, []string{"isuer"}, false, false)
	require.EqualError(t, err, `output "isuer" does not exist; the stack has: issuer, password, zones`)
	assert.Equal(t, exitUsage, exitCode(err))
}
