package metrics

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var validName = regexp.MustCompile(`^[a-zA-Z_:][a-zA-Z0-9_:]*$`)

func TestListsAreSortedAndSayWhereTheyAreFrom(t *testing.T) {
	for from, l := range lists() {
		require.NotEmpty(t, l.comments, "%s: the first line says where the names are from", from)
		first := l.comments[0]
		assert.True(t, strings.HasPrefix(first, collected) || strings.HasPrefix(first, source),
			"%s: the first line begins with %q or %q, not %q", from, collected, source, first)
		if strings.HasPrefix(first, source) {
			assert.Regexp(t, `@v?\d`, first, "%s: the source's version", from)
		}
		assert.NotEmpty(t, l.names, from)
		assert.True(t, slices.IsSorted(l.names), "%s is sorted", from)
		assert.Equal(t, len(l.names), len(slices.Compact(slices.Clone(l.names))), "%s has each name once", from)
		for _, name := range l.names {
			assert.Regexp(t, validName, name, from)
		}
	}
}

var collector = regexp.MustCompile(`^# collected from: \S+, in (\S+) \((Test\w+)\)$`)

// A list that says that a test collects it is named by a test of that package.
func TestCollectedListsHaveTheirTest(t *testing.T) {
	looked := 0
	for from, l := range lists() {
		if !strings.HasPrefix(l.comments[0], collected) {
			continue
		}
		looked++
		found := collector.FindStringSubmatch(l.comments[0])
		if !assert.NotNil(t, found, "%s: %q names the program, the package and the test", from, l.comments[0]) {
			continue
		}
		tests, err := filepath.Glob(filepath.Join("..", "..", found[1], "*_test.go"))
		require.NoError(t, err)
		var content strings.Builder
		for _, path := range tests {
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			content.Write(text)
		}
		assert.Contains(t, content.String(), "func "+found[2]+"(", from)
		assert.Regexp(t, `(Require|exposes)\(t, "`+regexp.QuoteMeta(from)+`"`, content.String(), "%s is collected in %s", from, found[1])
	}
	assert.NotZero(t, looked)
}

func TestKnownTakesPartsOfHistograms(t *testing.T) {
	assert.True(t, Known("up"))
	assert.True(t, Known("etcd_disk_wal_fsync_duration_seconds_bucket"))
	assert.True(t, Known("etcd_disk_wal_fsync_duration_seconds_count"))
	assert.False(t, Known("etcd_disk_wal_fsync_duration"))
	assert.False(t, Known("etcd_disk_wal_fsync_duration_seconds_total"))
	assert.False(t, Known(""))
}

// recorder notes what Require finds.
type recorder struct {
	testing.TB
	errors []string
}

func (r *recorder) Helper() {}
func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, format)
}

func TestRequireFindsWhatIsMissing(t *testing.T) {
	var complete strings.Builder
	for _, name := range Names()["prometheus"] {
		complete.WriteString("# HELP " + name + " text\n" + name + `_bucket{le="1"} 1` + "\n")
	}
	r := &recorder{TB: t}
	Require(r, "prometheus", []byte(complete.String()))
	assert.Empty(t, r.errors)

	Require(r, "prometheus", []byte(strings.ReplaceAll(complete.String(), "\nprometheus_tsdb_head_series_bucket", "\nother")))
	assert.Len(t, r.errors, 1, "a name in a comment does not count")

	r = &recorder{TB: t}
	Require(r, "nothing", nil)
	assert.Len(t, r.errors, 1, "a source without a list")
	r = &recorder{TB: t}
	Require(r, "scrapes", []byte(strings.Join(Names()["scrapes"], " 1\n")+" 1\n"))
	assert.Len(t, r.errors, 1, "a list that says it is not collected")
}
