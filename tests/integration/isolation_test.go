package integration

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/automation"
)

// TestStacksAtOnce brings three stacks of one project up at the same time, in one process, each on a cluster of its own.
func TestStacksAtOnce(t *testing.T) {
	parallel(t)
	if published {
		return // the state is found by an environment variable, of which there is one for all
	}
	project, names := newProject(t), []string{"north", "south", "west"}
	stacks := map[string]*listened{}
	for _, name := range names {
		e := newEnv(t, small(map[string]any{"identity": map[string]any{"hostname": name + ".example.com"}}))
		require.NoError(t, os.Rename(filepath.Join(e.project, "Pulumi.test.yaml"), filepath.Join(project, "Pulumi."+name+".yaml")))
		e.project = project
		stacks[name] = &listened{env: e, before: e.Inventory()}
	}
	untouched := files(t, project)

	atOnce(stacks, func(name string, l *listened) { l.result, l.err = automation.Up(t.Context(), l.named(name)) })
	for name, l := range stacks {
		require.NoError(t, l.err, name)
		assert.Contains(t, l.result.Outputs["irisUrl"], name+".example.com", "each has its own configuration")
		requireNothingLost(t, l.env, name)
		requireNoPlainSecrets(t, l.env, name, l.texts...)
		assert.Equal(t, []string{name + ".json"}, l.states(), "each has its own state")
		assert.NotEmpty(t, l.texts)
		for _, other := range names {
			if other != name {
				assert.NotContains(t, strings.Join(l.texts, "\n"), "urn:pulumi:"+other+"::", "nobody is told of another's resources")
			}
		}
	}
	assert.Equal(t, untouched, files(t, project), "nothing is written into the project")

	atOnce(stacks, func(name string, l *listened) { l.result, l.err = automation.Destroy(t.Context(), l.named(name)) })
	for name, l := range stacks {
		require.NoError(t, l.err, name)
		l.Settles(l.before)
	}
}

// listened is a stack on a cluster, and what a run of it has told.
type listened struct {
	*env
	before []string
	result *automation.Result
	err    error
	texts  []string
}

// named are the options of the stack with a name.
func (l *listened) named(name string) automation.Options {
	o := l.options()
	o.Stack = name
	o.Events = func(e automation.Event) {
		text, err := json.Marshal(e)
		if err != nil {
			text = []byte(err.Error())
		}
		l.texts = append(l.texts, string(text))
	}
	return o
}

// states are the names of the files of states.
func (l *listened) states() (names []string) {
	found, err := filepath.Glob(filepath.Join(l.stateDir(), "state", ".pulumi", "stacks", "*", "*.json"))
	require.NoError(l.t, err)
	for _, path := range found {
		names = append(names, filepath.Base(path))
	}
	return names
}

// atOnce does something with all stacks at the same time.
func atOnce(stacks map[string]*listened, do func(name string, l *listened)) {
	var all sync.WaitGroup
	for name, l := range stacks {
		all.Go(func() { do(name, l) })
	}
	all.Wait()
}

// files are the contents of a directory's files, by name.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		found[path] = string(data)
		return err
	}))
	return found
}
