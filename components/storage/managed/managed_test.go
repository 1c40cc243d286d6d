package managed_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/telekom/controlplane-infrastructure/components/storage/managed"
)

func TestNamesAreWhatAWSTakes(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "controlplane-prod-platform", managed.Name(63, "controlplane-prod", "platform"))
	for _, parts := range [][]string{
		{"controlplane-Prod", "platform"}, {"controlplane-eu_central.1", "platform"}, {"controlplane--x-", "p"},
		{"controlplane-" + strings.Repeat("a", 60), "platform"}, {"controlplane-" + strings.Repeat("a", 60), "another"},
	} {
		assert.Regexp(t, `^[a-z][a-z0-9]*(-[a-z0-9]+)*$`, managed.Name(40, parts...))
		assert.LessOrEqual(t, len(managed.Name(40, parts...)), 40)
	}
	assert.NotEqual(t, managed.Name(63, "Prod"), managed.Name(63, "prod"), "another stack")
	long := "controlplane-" + strings.Repeat("a", 60)
	assert.NotEqual(t, managed.Name(40, long, "platform"), managed.Name(40, long, "another"))
	assert.Equal(t, managed.Name(40, long), managed.Name(40, long), "stable")
}
