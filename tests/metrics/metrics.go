// Package metrics has the names of the metrics that rules and dashboards may use, and where each is from.
//
// There is a list for each source below names. Its first line says where its names are from:
//
//	# collected from: <a program, and the test that reads its metrics and calls Require>
//	# source: <module>@<version> <files>, for what does not run in tests
//
// After the comments it has a name a line, sorted. A histogram or a summary stands there by its base name, without
// _bucket, _sum and _count.
package metrics

import (
	"bufio"
	"bytes"
	"embed"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
)

const (
	collected = "# collected from: "
	source    = "# source: "
)

//go:embed names/*.txt
var files embed.FS

// list is what there is of a source.
type list struct {
	comments []string
	names    []string
}

// lists are all, by source.
var lists = sync.OnceValue(func() map[string]list {
	entries, err := files.ReadDir("names")
	if err != nil {
		panic(err) // it is embedded
	}
	all := map[string]list{}
	for _, entry := range entries {
		content, err := files.ReadFile(path.Join("names", entry.Name()))
		if err != nil {
			panic(err)
		}
		all[strings.TrimSuffix(entry.Name(), ".txt")] = parse(content)
	}
	return all
})

func parse(content []byte) list {
	var l list
	for line := range strings.Lines(string(content)) {
		line = strings.TrimRight(line, "\n")
		if strings.HasPrefix(line, "#") {
			l.comments = append(l.comments, line)
			continue
		}
		l.names = append(l.names, line)
	}
	return l
}

// Names are the names of each source.
func Names() map[string][]string {
	all := map[string][]string{}
	for name, l := range lists() {
		all[name] = slices.Clone(l.names)
	}
	return all
}

// parts are the ends of the names of a histogram's and a summary's series.
var parts = []string{"_bucket", "_sum", "_count"}

// Known reports whether a series of that name is on a list: itself, or as a part of a histogram or a summary.
func Known(name string) bool {
	for _, l := range lists() {
		for _, listed := range l.names {
			if belongs(name, listed) {
				return true
			}
		}
	}
	return false
}

// belongs reports whether a series is that of a metric.
func belongs(series, metric string) bool {
	rest, ok := strings.CutPrefix(series, metric)
	return ok && (rest == "" || slices.Contains(parts, rest))
}

// Require checks that a program exposes every metric on the list of a source, and that the list says that it is
// collected. The expositions are what the program has answered, in the text format of Prometheus or OpenMetrics.
func Require(t testing.TB, from string, expositions ...[]byte) {
	t.Helper()
	l, ok := lists()[from]
	if !ok {
		t.Errorf("there is no list tests/metrics/names/%s.txt", from)
		return
	}
	if !strings.HasPrefix(l.comments[0], collected) {
		t.Errorf("tests/metrics/names/%s.txt is checked by a test, so its first line has to begin with %q", from, collected)
	}
	for _, name := range Missing(from, expositions...) {
		t.Errorf("%s does not expose %s; exposed are with like names: %s", from, name, strings.Join(near(name, seriesOf(expositions)), ", "))
	}
}

// Missing are the metrics on the list of a source that expositions do not have: for programs that expose some only once
// something has happened.
func Missing(from string, expositions ...[]byte) []string {
	var missing []string
	series := seriesOf(expositions)
	for _, name := range lists()[from].names {
		if !slices.ContainsFunc(series, func(one string) bool { return belongs(one, name) }) {
			missing = append(missing, name)
		}
	}
	return missing
}

// seriesOf are the names of an exposition's series.
func seriesOf(expositions [][]byte) []string {
	var series []string
	for _, exposition := range expositions {
		lines := bufio.NewScanner(bytes.NewReader(exposition))
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			line := lines.Text()
			if end := strings.IndexAny(line, "{ "); end > 0 && !strings.HasPrefix(line, "#") {
				series = append(series, line[:end])
			}
		}
	}
	slices.Sort(series)
	return slices.Compact(series)
}

// near are the series with the same first two words.
func near(name string, series []string) []string {
	words := strings.SplitN(name, "_", 3)
	prefix := strings.Join(words[:min(2, len(words))], "_")
	var all []string
	for _, one := range series {
		if strings.HasPrefix(one, prefix) {
			all = append(all, one)
		}
	}
	return all[:min(20, len(all))]
}
