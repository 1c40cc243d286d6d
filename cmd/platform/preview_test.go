package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/automation"
	"github.com/telekom/controlplane-infrastructure/automation/report"
)

// preview runs the command on the stack dev, where there is no control plane and nothing has been created.
func preview(t *testing.T, args ...string) (stdout string, code int) {
	t.Helper()
	root := newRoot()
	var out, progress bytes.Buffer
	root.SetOut(&out)
	root.SetErr(&progress)
	root.SetArgs(append([]string{"preview", "--stack", "dev", "--local", "--local-dir", t.TempDir()}, args...))
	code = exitCode(root.ExecuteContext(t.Context()))
	return out.String(), code
}

func TestPreviewFlagsThatCannotBe(t *testing.T) {
	for _, args := range [][]string{
		{"--format", "html"}, {"--fail-on", "everything"}, {"--max-bytes", "10"}, {"--json", "--format", "markdown"},
	} {
		_, code := preview(t, args...)
		assert.Equal(t, exitUsage, code, "%v", args)
	}
}

func TestPreviewFailsOnWhatIsNamed(t *testing.T) {
	deleted := automation.Step{Operation: "delete", Type: "aws:s3/bucketV2:BucketV2", Name: "files", Custom: true}
	result := &automation.Result{Stack: "prod", Operation: "preview", Changes: map[string]int{"delete": 1}, Steps: []automation.Step{deleted}}
	for name, c := range map[string]struct {
		flags previewFlags
		code  int
		says  string
	}{
		"nothing named":       {previewFlags{}, exitDone, ""},
		"data":                {previewFlags{failOn: []string{failOnProtected}}, exitRefused, "say --allow files"},
		"data that is meant":  {previewFlags{failOn: []string{failOnProtected}, allow: []string{"files"}}, exitDone, ""},
		"policies":            {previewFlags{failOn: []string{failOnPolicy}}, exitDone, ""},
		"any change":          {previewFlags{failOn: []string{failOnChanges}}, exitRefused, "Deletes 1 resource that holds data (files)"},
		"changes, unexpected": {previewFlags{expect: true}, exitChanges, "there are changes"},
	} {
		t.Run(name, func(t *testing.T) {
			err := c.flags.judge(report.New("prod", result, nil, c.flags.allow))
			assert.Equal(t, c.code, exitCode(err))
			if c.says != "" {
				assert.ErrorContains(t, err, c.says)
			}
		})
	}
	mistyped := previewFlags{allow: []string{"file"}}
	assert.Len(t, mistyped.unused(report.New("prod", result, nil, mistyped.allow)), 1)
}

func TestPreviewReports(t *testing.T) {
	file := filepath.Join(t.TempDir(), "preview.json")
	stdout, code := preview(t, "--format", "json", "--out", file, "--fail-on", "protected,policy", "--allow", "nothing")
	require.Equal(t, exitDone, code)
	whole, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(whole), stdout)
	var r report.Report
	require.NoError(t, json.Unmarshal(whole, &r))
	assert.Equal(t, report.Changed, r.Status)
	assert.Contains(t, r.Verdict, "created, nothing replaced or deleted. 1 warning", "nothing has the name that is allowed")
}

func TestPreviewReportsWhatIsWrongWithTheConfiguration(t *testing.T) {
	project := t.TempDir()
	settings, err := os.ReadFile("../../Pulumi.yaml")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(project, "Pulumi.yaml"), settings, 0o600))
	stack := "config:\n  controlplane:availabilty: zonal\n"
	require.NoError(t, os.WriteFile(filepath.Join(project, "Pulumi.dev.yaml"), []byte(stack), 0o600))
	stdout, code := preview(t, "--project", project, "--format", "markdown")
	assert.Equal(t, exitUsage, code)
	assert.True(t, strings.HasPrefix(stdout, report.Marker("dev")+"\n"), stdout)
	assert.Contains(t, stdout, "**The preview failed with ")
	assert.Contains(t, stdout, "controlplane:availabilty")
}
