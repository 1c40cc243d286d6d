package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestCompletion asks as a shell does, which sends everything up to the cursor.
func TestCompletion(t *testing.T) {
	dir := project(t, "config: {}\n")
	for line, want := range map[string][]string{
		"up --project " + dir + " --stack ":      {"test"},
		"destroy --project " + dir + " -s ":      {"test"},
		"validate --project /nowhere --stack ":   nil,
		"preview --plugins ":                     {"published", "builtin"},
		"local start --kubernetes ":              {"1.31", "1.37"},
		"outputs --project " + dir + " --stack=": {"test"},
		"loc":                                    {"local\tRun a Kubernetes control plane on this machine"},
		"local sta":                              {"start\tStart the control plane, or find it running", "status\tTell whether the control plane runs, and where"},
	} {
		t.Run(line, func(t *testing.T) {
			code, stdout, message := execute(t, append([]string{"__complete"}, strings.Split(line, " ")...)...)
			require.Zero(t, code, message)
			lines := strings.Split(strings.TrimSpace(stdout), "\n")
			require.Equal(t, ":4", lines[len(lines)-1], "no names of files")
			assert.Equal(t, want, append([]string(nil), lines[:len(lines)-1]...))
		})
	}
}
