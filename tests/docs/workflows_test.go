package docs

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

type workflow struct {
	Permissions *map[string]string `json:"permissions"`
	Jobs        map[string]struct {
		Permissions map[string]string `json:"permissions"`
		Timeout     int               `json:"timeout-minutes"`
		Steps       []struct {
			Uses string         `json:"uses"`
			Run  string         `json:"run"`
			With map[string]any `json:"with"`
		} `json:"steps"`
	} `json:"jobs"`
}

func workflows(t *testing.T) map[string]workflow {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, ".github/workflows/*.yml"))
	require.NoError(t, err)
	require.Len(t, files, 5)
	all := map[string]workflow{}
	for _, file := range files {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		var w workflow
		require.NoError(t, yaml.Unmarshal(content, &w), file)
		all[filepath.Base(file)] = w
	}
	return all
}

// TestWorkflowsCanBeTrusted looks at what others could abuse: rights that a job does not need, actions whose code can change,
// credentials that stay in the clone, and expressions, which become part of a script whatever is in them.
func TestWorkflowsCanBeTrusted(t *testing.T) {
	for name, w := range workflows(t) {
		if !assert.NotNil(t, w.Permissions, "%s: without permissions, a token may have all", name) {
			continue
		}
		for job, j := range w.Jobs {
			assert.Positive(t, j.Timeout, "%s: %s", name, job)
			for scope, right := range *w.Permissions {
				assert.Equal(t, "contents: read", scope+": "+right, name)
			}
			for scope, right := range j.Permissions {
				if right != "read" {
					assert.Equal(t, "preview.yml pull-requests", name+" "+scope)
				}
			}
			for _, step := range j.Steps {
				assert.NotContains(t, step.Run, "${{", "%s: values reach scripts in their environment", name)
				if step.Uses != "" {
					assert.Regexp(t, `^actions/[a-z-]+@[0-9a-f]{40}$`, step.Uses, name)
				}
				if strings.HasPrefix(step.Uses, "actions/checkout@") {
					assert.Equal(t, false, step.With["persist-credentials"], name)
				}
			}
		}
	}
}

// TestWhatWorkflowsRunExists compares what jobs run with the Makefile and the scripts.
func TestWhatWorkflowsRunExists(t *testing.T) {
	var scripts []string
	for _, w := range workflows(t) {
		for _, j := range w.Jobs {
			for _, step := range j.Steps {
				scripts = append(scripts, step.Run)
			}
		}
	}
	content, err := os.ReadFile(filepath.Join(root, "ci/gitlab/preview.gitlab-ci.yml"))
	require.NoError(t, err)
	var template map[string]struct {
		Before []string `json:"before_script"`
		Script []string `json:"script"`
	}
	require.NoError(t, yaml.Unmarshal(content, &template))
	scripts = append(append(scripts, template["preview"].Before...), template["preview"].Script...)

	var ran []string
	for _, script := range scripts {
		for _, words := range regexp.MustCompile(`(?m)(?:^|\s)(make [a-z0-9]+(?: [A-Z]+=\S+)*|\.?ci/[a-z]+(?:\.sh)?)$`).FindAllStringSubmatch(script, -1) {
			ran = append(ran, words[1])
			if arguments := strings.Fields(words[1]); arguments[0] == "make" {
				out, err := exec.Command("make", append([]string{"-n", "-C", root}, arguments[1:]...)...).CombinedOutput()
				assert.NoError(t, err, "%s: %s", words[1], out)
				continue
			}
			info, err := os.Stat(filepath.Join(root, words[1]))
			if assert.NoError(t, err) {
				assert.NotZero(t, info.Mode()&0o111, "%s can be run", words[1])
			}
		}
	}
	assert.ElementsMatch(t, []string{
		".ci/run", "make test PLUGINS=published", "make e2e STACK=dev VALUES=ci/kind.yaml",
		"make build", "ci/preview.sh", "make build", "ci/drift.sh", "make build", "ci/preview.sh",
	}, ran)
}

// TestEachStackIsPreviewed has both pipelines know all stacks.
func TestEachStackIsPreviewed(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(root, "Pulumi.*.yaml"))
	require.NoError(t, err)
	var stacks []string
	for _, file := range files {
		stacks = append(stacks, strings.Split(filepath.Base(file), ".")[1])
	}
	list := "[" + strings.Join(stacks, ", ") + "]"
	for _, file := range []string{".github/workflows/preview.yml", "ci/gitlab/preview.gitlab-ci.yml"} {
		content, err := os.ReadFile(filepath.Join(root, file))
		require.NoError(t, err)
		assert.Regexp(t, `(?i)stack: `+regexp.QuoteMeta(list), string(content), file)
	}
}
