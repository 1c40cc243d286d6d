package monitoring_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/components/monitoring/alertmanager"
	"github.com/telekom/controlplane-infrastructure/components/monitoring/rules"
)

// An inhibition of an alert that there is not would hold back nothing, and nobody would notice.
func TestInhibitionsNameAlertsAndComponentsThatThereAre(t *testing.T) {
	named := alertmanager.NamedAlerts()
	assert.NotEmpty(t, named)
	assert.Subset(t, rules.Names(), named)
	components := regexp.MustCompile(`^component(?:=|!=|=~|!~)"([a-z|]+)"$`)
	var found int
	for _, inhibition := range alertmanager.Inhibitions() {
		for _, matcher := range slices.Concat(inhibition.Source, inhibition.Target) {
			if values := components.FindStringSubmatch(matcher); values != nil {
				found++
				assert.Subset(t, rules.Components(), strings.Split(values[1], "|"), matcher)
			}
		}
	}
	assert.Positive(t, found)
	assert.Equal(t, rules.Severities(), []string{alertmanager.Critical, alertmanager.Warning, alertmanager.Info})
}

// Who writes a route chooses from this list: a component that is not on it has no alerts.
func TestOperationsListTheComponentsOfRoutes(t *testing.T) {
	page, err := os.ReadFile("../../docs/operations/monitoring.md")
	require.NoError(t, err)
	sentence := regexp.MustCompile(`(?s)\nComponents are (.*?)\.\s`).FindSubmatch(page)
	require.NotNil(t, sentence, "docs/operations/monitoring.md lists the components")
	var listed []string
	for _, one := range regexp.MustCompile("`([^`]+)`").FindAllSubmatch(sentence[1], -1) {
		listed = append(listed, string(one[1]))
	}
	assert.Equal(t, rules.Components(), listed)
}
