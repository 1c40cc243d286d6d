package score

import (
	"bytes"
	"encoding/json"
	"errors"
	"os/exec"
	"path"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/internal/render"
	"github.com/telekom/controlplane-infrastructure/internal/tools"
	"github.com/telekom/controlplane-infrastructure/tests/graph"
)

// critical is kube-score's grade of what it calls so.
const critical = 1

// scored is what is read of kube-score's JSON.
type scored struct {
	Type struct {
		Kind string `json:"kind"`
	} `json:"type_meta"`
	Object struct {
		Namespace string `json:"namespace"`
		Name      string `json:"name"`
	} `json:"object_meta"`
	Checks []struct {
		Check struct {
			ID string `json:"id"`
		} `json:"check"`
		Grade    int  `json:"grade"`
		Skipped  bool `json:"skipped"`
		Comments []struct {
			Summary string `json:"summary"`
			Path    string `json:"path"`
		} `json:"comments"`
	} `json:"checks"`
}

func (s scored) name() string { return s.Type.Kind + " " + s.Object.Namespace + "/" + s.Object.Name }

// The manifests are those that `platform render` writes.
func TestNothingIsCritical(t *testing.T) {
	program, err := tools.Path(t.Context(), "kube-score")
	require.NoError(t, err)
	used := make([]bool, len(exceptions))
	for _, stack := range []string{"dev", "onprem", "prod", "istio", "linkerd"} {
		results := score(t, program, manifests(t, stack))
		require.Greater(t, len(results), 100, stack)
		for _, s := range results {
			for _, c := range s.Checks {
				if c.Grade != critical || c.Skipped {
					continue
				}
				if i := allowed(c.Check.ID, s.name()); i >= 0 {
					used[i] = true
					continue
				}
				assert.Failf(t, "critical", "stack %s: %s: %s: %v", stack, s.name(), c.Check.ID, c.Comments)
			}
		}
	}
	for i, e := range exceptions {
		assert.NotEmpty(t, e.reason, "%s of %s", e.check, e.objects)
		assert.True(t, used[i], "exception %s of %s matches nothing", e.check, e.objects)
	}
}

// A test that judges nothing would be green as well.
func TestFaultsAreFound(t *testing.T) {
	program, err := tools.Path(t.Context(), "kube-score")
	require.NoError(t, err)
	results := score(t, program, []byte(`apiVersion: v1
kind: Pod
metadata: {name: bad, namespace: default}
spec: {containers: [{name: bad, image: "nginx:latest", securityContext: {privileged: true}}]}
`))
	found := map[string]bool{}
	for _, c := range results[0].Checks {
		found[c.Check.ID] = c.Grade == critical
	}
	for _, check := range []string{"container-image-tag", "container-resources", "container-security-context-privileged"} {
		assert.True(t, found[check], check)
		assert.Equal(t, -1, allowed(check, "Pod default/bad"))
	}
}

// manifests are those of a stack, or of a profile that tests know, in one stream. Definitions are Kubernetes' to judge, and
// Secrets have no content.
func manifests(t *testing.T, stack string) []byte {
	t.Helper()
	c, known := map[string]graph.Configuration{"istio": graph.Istio, "linkerd": graph.Linkerd}[stack]
	if !known {
		var err error
		c, err = graph.StackFile("../..", stack)
		require.NoError(t, err)
	}
	resources, err := graph.Run(t, c).Planned()
	require.NoError(t, err)
	m, err := render.Make(render.Stack{Name: stack, Resources: resources})
	require.NoError(t, err)
	var all bytes.Buffer
	for _, file := range m.Files() {
		dir, name := path.Split(file)
		if path.Ext(name) == ".yaml" && name != "kustomization.yaml" && dir != "crds/" && path.Base(dir) != "secrets" {
			all.WriteString("---\n")
			all.Write(m.Content(file))
		}
	}
	return all.Bytes()
}

// score runs kube-score, which exits with 1 when anything is critical.
func score(t *testing.T, program string, manifests []byte) []scored {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, "score", "--output-format", "json", "--kubernetes-version", "v1.31", "-")
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(manifests), &stderr
	out, err := cmd.Output()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		require.NoError(t, err, stderr.String())
	}
	var results []scored
	require.NoError(t, json.Unmarshal(out, &results), stderr.String())
	return results
}
