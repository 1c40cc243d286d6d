package report

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/automation"
	"github.com/telekom/controlplane-infrastructure/internal/planned"
	"github.com/telekom/controlplane-infrastructure/internal/policy"
	"github.com/telekom/controlplane-infrastructure/stacks/config"
)

var update = flag.Bool("update", false, "write the expected reports and the schema anew")

// result is a preview with these steps.
func result(steps ...automation.Step) *automation.Result {
	r := &automation.Result{Stack: "prod", Operation: "preview", Changes: map[string]int{"same": 500}, Steps: steps, Seconds: 4.2}
	for i := range steps {
		steps[i].Custom = true
		steps[i].URN = "urn:pulumi:prod::controlplane::" + steps[i].Type + "::" + steps[i].Name
		r.Changes[steps[i].Operation]++
	}
	return r
}

func changed(path string, old, new any) automation.PropertyChange {
	return automation.PropertyChange{Path: path, Kind: automation.Updated, Old: old, New: new}
}

func deployment(name string, changes ...automation.PropertyChange) automation.Step {
	return automation.Step{
		Operation: "update", Type: "kubernetes:apps/v1:Deployment", Name: name, ID: name, Component: "identity", Changes: changes,
	}
}

func database(operation string, protected bool, changes ...automation.PropertyChange) automation.Step {
	return automation.Step{
		Operation: operation, Type: "aws:rds/instance:Instance", Name: "platform", ID: "db-PLATFORM", Component: "storage",
		Changes: changes, Protected: protected,
	}
}

func bucket(name string) automation.Step {
	return automation.Step{Operation: "delete", Type: "aws:s3/bucketV2:BucketV2", Name: name, ID: "controlplane-" + name, Component: "storage"}
}

// creations are those of a first preview.
func creations(n int) (steps []automation.Step) {
	for i := range n {
		steps = append(steps, automation.Step{
			Operation: "create", Type: []string{"kubernetes:core/v1:Secret", "kubernetes:apps/v1:Deployment", "aws:iam/role:Role"}[i%3],
			Name: fmt.Sprintf("namespace/object-with-a-name-%03d", i), Component: []string{"cluster", "identity", "monitoring", "storage"}[i%4],
		})
	}
	return steps
}

// hostile would leave its place in a page if it could.
const hostile = "```\n</details>\n# @everyone <script>alert(1)</script> **bold** `code` [link](http://example.com) \x1b[31m"

type sample struct {
	result   *automation.Result
	failed   error
	intended []string
	options  Options
}

func samples() map[string]sample {
	long := strings.Repeat("a", 300)
	policies := strings.Repeat("line\n", 40)
	replaced := changed("kmsKeyId", "key/1", "key/2")
	replaced.Replaces = true
	broken := result()
	broken.Errors = []string{"cluster: the account has no such zone\n  eu-central-9z", "files: " + hostile}
	judged := result(deployment("identity/iris", changed("spec.replicas", int64(2), int64(3))))
	judged.Findings = []policy.Finding{{Rule: "image-tag", Type: "kubernetes:apps/v1:Deployment", Name: "identity/iris", Message: "image keycloak:latest has a tag that moves"}}
	judged.Warnings = []string{"no longer protected from deletion: files"}
	same := changed(`metadata.labels["app.kubernetes.io/version"]`, "1.0", "1.1")
	return map[string]sample{
		"unchanged": {result: result()},
		"update": {result: result(deployment("identity/iris", changed("spec.replicas", int64(2), int64(3)),
			changed("spec.template.spec.containers[0].image", "keycloak:26.1", "keycloak:26.2"),
			changed("spec.host", "a.example.com", planned.Unknown),
			automation.PropertyChange{Path: "spec.paused", Kind: automation.Added, New: true},
			automation.PropertyChange{Path: "spec.strategy", Kind: automation.Deleted, Old: map[string]any{"type": "Recreate", "max": int64(1)}},
		))},
		"same-in-several": {result: result(deployment("a/one", same), deployment("a/two", same), deployment("a/three", same, changed("x", "1", "2")))},
		"long-values": {result: result(deployment("identity/iris", changed("spec.url", "https://"+long+"/a", "https://"+long+"/b"),
			changed("data.policies", policies+"old\n"+policies, policies+"new\n"+policies),
			changed("policy", `{"Version":"1","Statement":[{"Effect":"Allow"}]}`, `{"Version":"1","Statement":[{"Effect":"Deny"}]}`),
			automation.PropertyChange{Path: "data.added", Kind: automation.Added, New: policies + policies}))},
		"secrets": {result: result(automation.Step{
			Operation: "update", Type: "kubernetes:core/v1:Secret", Name: "identity/iris-database", Component: "identity",
			Changes: []automation.PropertyChange{
				changed("stringData.password", planned.Secret, planned.Secret),
				{Path: "stringData.user", Kind: automation.Added, New: planned.Secret},
				{Path: "stringData.host", Kind: automation.Deleted, Old: planned.Secret},
			},
		})},
		"replace": {result: result(database("replace", false, replaced, changed("tags.team", "a", "b")),
			deployment("identity/iris", changed("spec.replicas", int64(2), int64(3)))), intended: []string{"platform"}},
		"replace-protected": {result: result(database("replace", true, replaced))},
		"delete":            {result: result(bucket("files"), bucket("backups"), automation.Step{Operation: "delete", Type: "aws:iam/role:Role", Name: "files", Component: "storage"})},
		"policy":            {result: judged},
		"first":             {result: result(creations(500)...), options: Options{MaxBytes: DefaultMaxBytes}},
		"bounded":           {result: result(append(creations(500), bucket("files"))...), options: Options{MaxBytes: 4000, Rest: "preview.md"}},
		"failure":           {result: broken, failed: errors.New("preview of stack prod failed")},
		"configuration": {failed: &automation.UsageError{Err: fmt.Errorf("stack prod is not valid:\n%w", config.Errors{
			{Path: "storage.objectStorage.backend", Message: "is not known"}, {Path: "availability", Message: "is required"},
		})}},
		"hostile": {result: result(deployment("identity/"+hostile, changed("data["+hostile+"]", "plain", hostile),
			changed("data.text", "one\n"+hostile, hostile+"\ntwo")))},
	}
}

func TestMarkdown(t *testing.T) {
	for name, c := range samples() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			o := c.options
			if o.MaxBytes == 0 {
				o.MaxBytes = DefaultMaxBytes
			}
			require.NoError(t, Markdown(&out, New("prod", c.result, c.failed, c.intended), o))
			assert.LessOrEqual(t, out.Len(), o.MaxBytes)
			golden(t, name+".md", out.Bytes())
			first, _, _ := strings.Cut(out.String(), "\n")
			assert.Equal(t, "<!-- platform-preview stack=prod -->", first, "what a pipeline finds its comment by")
		})
	}
}

func TestText(t *testing.T) {
	for _, name := range []string{"unchanged", "update", "replace-protected", "delete", "first", "policy"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			c := samples()[name]
			require.NoError(t, Text(&out, New("prod", c.result, c.failed, c.intended)))
			golden(t, name+".txt", out.Bytes())
		})
	}
}

// What others have written must stay where it is put: in code, or without a meaning.
func TestNothingLeavesItsPlace(t *testing.T) {
	c := samples()["hostile"]
	var out bytes.Buffer
	require.NoError(t, Markdown(&out, New("prod", c.result, nil, nil), Options{}))
	assert.NotContains(t, out.String(), "\x1b", "no escapes of a terminal")
	fence, outside := "", strings.Builder{}
	for line := range strings.Lines(out.String()) {
		mark, opens := strings.CutSuffix(strings.TrimRight(line, "\n"), "diff")
		switch {
		case fence == "" && opens && strings.Trim(mark, "`") == "":
			fence = mark
		case fence != "" && strings.TrimRight(line, "\n") == fence:
			fence = ""
		case fence == "":
			outside.WriteString(line)
		}
	}
	assert.Empty(t, fence, "each block of code ends")
	assert.NotContains(t, outside.String(), "\n</details>\n#")
	assert.NotContains(t, escape(hostile), "@everyone", "nobody is notified")
	assert.NotContains(t, escape(hostile), "<script>")
}

func TestSizeIsKeptWhateverTheReport(t *testing.T) {
	var steps []automation.Step
	for i := range 400 {
		steps = append(steps, deployment(fmt.Sprintf("identity/server-%d", i), changed("spec.text", strings.Repeat("x\n", i%70), strings.Repeat("y\n", i%50))))
	}
	r := result(append(append(steps, creations(500)...), bucket("files"), database("replace", true))...)
	for range 200 {
		r.Findings = append(r.Findings, policy.Finding{Rule: "resources", Type: "kubernetes:apps/v1:Deployment", Name: "a/b", Message: strings.Repeat("m", 200)})
	}
	for _, size := range []int{4000, 10000, 20000, DefaultMaxBytes} {
		var out bytes.Buffer
		require.NoError(t, Markdown(&out, New("prod", r, nil, nil), Options{MaxBytes: size, Rest: "preview.md"}))
		assert.LessOrEqual(t, out.Len(), size)
		for _, part := range []string{"#### Replaces `platform`", "#### Deletes `files`", "### Updated: 400", "### Created: 500", "### Policy findings: 200"} {
			assert.Contains(t, out.String(), part, "in %d bytes", size)
		}
	}
}

// Of an error that fills more than a comment, reviewers still read how it begins.
func TestALongErrorIsNotLost(t *testing.T) {
	r := result()
	r.Errors = []string{"the chart is broken\n" + strings.Repeat("line\n", 20000), strings.Repeat("x", 70000)}
	var out bytes.Buffer
	require.NoError(t, Markdown(&out, New("prod", r, nil, nil), Options{MaxBytes: 4000, Rest: "preview.md"}))
	assert.LessOrEqual(t, out.Len(), 4000)
	assert.Contains(t, out.String(), "the chart is broken\nline\n")
	assert.Contains(t, out.String(), "xxx… (69840 more letters)\n")
	assert.Contains(t, out.String(), "2 of 2 entries are left out here or shortened; they are in `preview.md`")
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, got, 0o644))
		return
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got), "go test ./automation/report -update writes it anew")
}
