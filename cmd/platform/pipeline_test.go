package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

const marker = "<!-- platform-preview stack=test -->"

// forge is what GitHub and GitLab have in common: comments of a change, in pages.
type forge struct {
	mu       sync.Mutex
	gitlab   bool
	comments []comment
	requests []string // that changed something
	broken   bool     // lists of comments cannot be had
}

type comment struct {
	id           int
	author, body string
}

// startForge serves 130 comments of others, one of which pretends to be a report.
func startForge(t *testing.T, gitlab bool) (*forge, []string) {
	t.Helper()
	f := &forge{gitlab: gitlab}
	for i := range 130 {
		f.comments = append(f.comments, comment{i + 1, "somebody", fmt.Sprintf("comment %d", i)})
	}
	f.comments[3].body = marker + "\nNothing is replaced. Merge this."
	server := httptest.NewServer(http.HandlerFunc(f.serve))
	t.Cleanup(server.Close)
	if gitlab {
		return f, []string{"COMMENT_TOKEN=t0ken", "CI_API_V4_URL=" + server.URL, "CI_PROJECT_ID=7", "CI_MERGE_REQUEST_IID=12"}
	}
	return f, []string{"COMMENT_TOKEN=t0ken", "GITHUB_API_URL=" + server.URL, "GITHUB_REPOSITORY=team/platform", "PULL_REQUEST=12"}
}

func (f *forge) serve(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	list, single, change := "/repos/team/platform/issues/12/comments", "/repos/team/platform/issues/comments/", http.MethodPatch
	authorized := r.Header.Get("Authorization") == "Bearer t0ken"
	if f.gitlab {
		list, single, change = "/projects/7/merge_requests/12/notes", "/projects/7/merge_requests/12/notes/", http.MethodPut
		authorized = r.Header.Get("PRIVATE-TOKEN") == "t0ken"
	}
	id, _ := strconv.Atoi(strings.TrimPrefix(r.URL.Path, single))
	switch {
	case !authorized:
		http.Error(w, "no token", http.StatusUnauthorized)
	case r.Method == http.MethodGet && r.URL.Path == "/user":
		_ = json.NewEncoder(w).Encode(map[string]any{"username": "platform-bot"})
	case r.Method == http.MethodGet && r.URL.Path == list && !f.broken:
		f.page(w, r)
	case r.Method == http.MethodPost && r.URL.Path == list:
		f.requests = append(f.requests, "made")
		f.comments = append(f.comments, comment{len(f.comments) + 1, f.bot(), body(r)})
		w.WriteHeader(http.StatusCreated)
	case r.Method == change && id > 0 && id <= len(f.comments):
		f.requests = append(f.requests, fmt.Sprint("updated ", id))
		f.comments[id-1].body = body(r)
	default:
		http.Error(w, r.Method+" "+r.URL.Path, http.StatusNotFound)
	}
}

func (f *forge) bot() string {
	if f.gitlab {
		return "platform-bot"
	}
	return "github-actions[bot]"
}

func (f *forge) page(w http.ResponseWriter, r *http.Request) {
	size, _ := strconv.Atoi(r.URL.Query().Get("per_page"))
	number, _ := strconv.Atoi(r.URL.Query().Get("page"))
	shown := []map[string]any{}
	for i := (number - 1) * size; i < min(number*size, len(f.comments)); i++ {
		c, author := f.comments[i], map[string]any{}
		author["login"], author["username"] = c.author, c.author
		shown = append(shown, map[string]any{"id": c.id, "body": c.body, "user": author, "author": author})
	}
	_ = json.NewEncoder(w).Encode(shown)
}

func body(r *http.Request) string {
	var sent struct{ Body string }
	data, _ := io.ReadAll(r.Body)
	_ = json.Unmarshal(data, &sent)
	return sent.Body
}

// script runs a script of ci/ and returns its exit code and all that it has printed.
func script(t *testing.T, dir string, environment []string, name string, args ...string) (int, string) {
	t.Helper()
	cmd := exec.Command(filepath.Join("ci", name), args...)
	cmd.Dir, cmd.Env = dir, environment
	out, err := cmd.CombinedOutput()
	if err != nil {
		require.ErrorAs(t, err, new(*exec.ExitError), string(out))
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

// fake is a program in place of platform, whose arguments land in a file, one a line.
func fake(t *testing.T, dir, report string, code int) (path string, arguments func() []string) {
	t.Helper()
	path, seen := filepath.Join(dir, "fake"), filepath.Join(dir, "arguments")
	text := fmt.Sprintf("#!/bin/sh\nprintf '%%s\\n' \"$@\" >%s\nprintf '%%s' '%s'\nexit %d\n", seen, report, code)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o755))
	return path, func() []string {
		data, err := os.ReadFile(seen)
		require.NoError(t, err)
		return strings.Split(strings.TrimSpace(string(data)), "\n")
	}
}

// TestOneCommentForEachStack runs the script of a pipeline as both forges do, with what they answer.
func TestOneCommentForEachStack(t *testing.T) {
	t.Parallel()
	for name, gitlab := range map[string]bool{"GitHub": false, "GitLab": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, environment := clone(t)
			f, access := startForge(t, gitlab)
			environment = append(append(environment, access...), "STACK=test")
			preview := func(report string, code int) string {
				program, _ := fake(t, dir, report, code)
				got, out := script(t, dir, append(environment, "PLATFORM="+program), "preview.sh")
				assert.Equal(t, code, got, out)
				return out
			}
			out := preview(marker+"\nfirst, with `code`, \"quotes\" and ünicode", 0)
			assert.Equal(t, []string{"made"}, f.requests, "that of somebody else is left alone: %s", out)
			assert.Equal(t, marker+"\nfirst, with `code`, \"quotes\" and ünicode", f.comments[130].body)

			preview(marker+"\nsecond", 4)
			assert.Contains(t, f.comments[130].body, "second\n\n---\n\nThe job fails because of this (`--fail-on protected,policy`)")
			assert.Contains(t, f.comments[130].body, "with a line `Intended: NAME` for each", "how to say that it is meant")
			preview("", 1)
			assert.Equal(t, []string{"made", "updated 131", "updated 131"}, f.requests)
			assert.Contains(t, f.comments[130].body, marker+"\n**Preview of `test`: failed.**", "no older report stays")
			assert.Len(t, f.comments, 131)

			f.broken = true
			program, _ := fake(t, dir, marker, 0)
			code, out := script(t, dir, append(environment, "PLATFORM="+program), "preview.sh")
			assert.Equal(t, 1, code, "reviewers would read an older report")
			assert.Contains(t, out, "the comment could not be written")
			assert.Len(t, f.requests, 3, "a comment that was not found is not made again where the list cannot be had")
		})
	}
}

// TestAPreviewInAPipeline runs the script with the real program: reviewers see what up would do, why it was refused, and
// what is wrong with the stack file, in the same place.
func TestAPreviewInAPipeline(t *testing.T) {
	t.Parallel()
	dir, environment := clone(t)
	f, access := startForge(t, false)
	environment = append(append(environment, access...), "STACK=small")
	small := "config:\n  controlplane:identity: {hostname: iris.example.com}\n  controlplane:monitoring: {stack: existing}\n" +
		"  controlplane:storage: {objectStorage: {backend: none}}\n"
	preview := func(stackFile string, more ...string) (code int, shown, out string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "Pulumi.small.yaml"), []byte(stackFile), 0o600))
		code, out = script(t, dir, append(environment, more...), "preview.sh")
		require.Len(t, f.comments, 131, out)
		assert.True(t, strings.HasPrefix(f.comments[130].body, "<!-- platform-preview stack=small -->\n"), f.comments[130].body)
		return code, f.comments[130].body, out
	}
	summary := filepath.Join(dir, "summary")
	code, shown, out := preview(small, "FAIL_ON=changes", "GITHUB_STEP_SUMMARY="+summary)
	assert.Equal(t, exitRefused, code, out)
	assert.Contains(t, shown, "identity", "what would be created is named")
	written, err := os.ReadFile(summary)
	require.NoError(t, err)
	assert.Equal(t, shown, string(written), "forks have the summary of the job only")

	code, shown, out = preview(strings.Replace(small, "monitoring", "monitorin", 1))
	assert.Equal(t, exitUsage, code, out)
	assert.Contains(t, shown, "controlplane:monitoring", "the comment has the suggestion")
	assert.Equal(t, []string{"made", "updated 131"}, f.requests)
}

// TestWhatADescriptionAllows reads texts that anybody may write.
func TestWhatADescriptionAllows(t *testing.T) {
	t.Parallel()
	dir, environment := clone(t)
	program, arguments := fake(t, dir, marker, 0)
	description := "Moves to another database.\r\n\r\nIntended: platform\r\n  Intended: `files-bucket`  \n" +
		"Intended: $(touch pwned)\nIntended: --plugins=published\nIntended: a;touch${IFS}pwned\nNot Intended: other\nIntended:\n"
	code, out := script(t, dir, append(environment, "PLATFORM="+program, "STACK=test", "DESCRIPTION="+description), "preview.sh")
	require.Zero(t, code, out)
	assert.Equal(t, []string{
		"preview", "--stack", "test", "--plugins", "builtin", "--format", "markdown", "--out", "preview/report.md",
		"--fail-on", "protected,policy",
		"--allow=platform", "--allow=files-bucket", "--allow=--plugins=published", "--allow=a;touch${IFS}pwned",
	}, arguments())
	assert.NoFileExists(t, filepath.Join(dir, "pwned"))
	assert.Contains(t, out, "no COMMENT_TOKEN, as in a fork")
}

// TestDriftInAPipeline has the program find a kubeconfig that the pipeline holds as a secret, and nobody else.
func TestDriftInAPipeline(t *testing.T) {
	t.Parallel()
	dir, environment := clone(t)
	path := filepath.Join(dir, "fake")
	require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\necho \"$@\"\ncat \"$KUBECONFIG\"\nstat -c %a \"$KUBECONFIG\"\necho \"env:$KUBECONFIG_CONTENT\"\nexit 3\n"), 0o755))
	summary := filepath.Join(dir, "summary")
	code, out := script(t, dir, append(environment, "PLATFORM="+path, "STACK=test", "KUBECONFIG_CONTENT=content", "GITHUB_STEP_SUMMARY="+summary), "drift.sh")
	assert.Equal(t, exitChanges, code)
	assert.Equal(t, "drift --stack test\ncontent\n600\nenv:\n", out)
	written, err := os.ReadFile(summary)
	require.NoError(t, err)
	assert.Contains(t, string(written), "    drift --stack test\n")
}

// TestTheStackOnKind checks what the workflow on kind gives the stack dev beside its own.
func TestTheStackOnKind(t *testing.T) {
	dir := t.TempDir()
	merged := map[string]map[string]any{}
	for _, file := range []string{"Pulumi.dev.yaml", "ci/kind.yaml"} {
		content, err := os.ReadFile(filepath.Join("../..", file))
		require.NoError(t, err)
		var stackFile map[string]map[string]any
		require.NoError(t, yaml.Unmarshal(content, &stackFile))
		for key, value := range stackFile["config"] {
			if merged["config"] == nil {
				merged["config"] = map[string]any{}
			}
			require.NotContains(t, merged["config"], key, "each key is in one of the files")
			merged["config"][key] = value
		}
	}
	content, err := yaml.Marshal(merged)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "Pulumi.kind.yaml"), content, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "Pulumi.yaml"), []byte("name: controlplane\nruntime: go\n"), 0o600))
	code, out, message := execute(t, "validate", "--stack", "kind", "--project", dir)
	assert.Zero(t, code, message)
	assert.Equal(t, "stack kind is valid\n", out)
}
