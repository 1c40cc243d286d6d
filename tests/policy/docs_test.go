package policy_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/internal/policy"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
)

// documented are the lines of the tables in docs/policies.md.
func documented() []string {
	var lines []string
	for _, r := range policy.Rules() {
		lines = append(lines, fmt.Sprintf("| `%s` | %s | %s |", r.Name, r.Demands, r.Why))
	}
	for _, e := range policy.Exceptions() {
		about := strings.Join(e.About, "`, `")
		lines = append(lines, fmt.Sprintf("| `%s` | %s | `%s` | %s |", e.Resource, e.Rule, about, e.Reason))
	}
	levels := workload.Exceptions()
	for _, namespace := range slices.Sorted(maps.Keys(levels)) {
		e := levels[namespace]
		lines = append(lines, fmt.Sprintf("| `%s` | %s | `%s` | %s |", namespace, e.Level, strings.Join(e.Workloads, "`, `"), e.Reason))
	}
	return lines
}

// Rules and exceptions stand on their page as they are, and nothing else does.
func TestPageHasAllRulesAndExceptions(t *testing.T) {
	page, err := os.ReadFile("../../docs/policies.md")
	require.NoError(t, err)
	var lines []string
	for line := range strings.Lines(string(page)) {
		if strings.HasPrefix(line, "| `") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	assert.Equal(t, strings.Join(documented(), "\n"), strings.Join(lines, "\n"))
}
