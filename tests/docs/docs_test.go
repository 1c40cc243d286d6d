package docs

import (
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const root = "../.."

func read(t *testing.T) map[string]Page {
	t.Helper()
	pages, err := Pages(root)
	require.NoError(t, err)
	byPath := map[string]Page{}
	for _, p := range pages {
		byPath[p.Path] = p
	}
	require.Contains(t, byPath, "README.md")
	require.Contains(t, byPath, "docs/runbooks/README.md")
	return byPath
}

func TestParse(t *testing.T) {
	p := parse("a/b.md", []byte("# One `two`, three\n\n## Same\n\n## Same\n\n[a](b.md#c)\n| x |\n|---|\n| [d](e.md) `span` |\n\n"+
		"1. list\n\n   ```sh\n   first --a \\\n     --b  # why\n   # nothing\n\n   second\n   ```\n\n    indented\n"))
	assert.Equal(t, map[string]bool{"one-two-three": true, "same": true, "same-1": true}, p.Anchors)
	assert.Equal(t, []Link{{7, "b.md#c"}, {10, "e.md"}}, p.Links)
	assert.Contains(t, p.Spans, "span")
	require.Len(t, p.Blocks, 1)
	assert.True(t, p.Blocks[0].Shell())
	assert.Equal(t, []string{"first --a    --b", "second"}, p.Blocks[0].Commands())
}

// TestLinks follows every link within the project, headings included.
func TestLinks(t *testing.T) {
	pages := read(t)
	for _, p := range pages {
		for _, link := range p.Links {
			if regexp.MustCompile(`^[a-z]+:`).MatchString(link.To) {
				continue
			}
			file, anchor, _ := strings.Cut(link.To, "#")
			target := p.Path
			if file != "" {
				target = path.Join(path.Dir(p.Path), file)
			}
			_, err := os.Stat(filepath.Join(root, target))
			if !assert.NoError(t, err, "%s:%d: %s", p.Path, link.Line, link.To) || anchor == "" {
				continue
			}
			assert.True(t, pages[target].Anchors[anchor], "%s:%d: %s: %s has no such heading", p.Path, link.Line, link.To, target)
		}
	}
}

// TestEveryPageIsReached finds pages that nobody gets to from the first one.
func TestEveryPageIsReached(t *testing.T) {
	pages := read(t)
	reached := map[string]bool{}
	var follow func(from string)
	follow = func(from string) {
		if _, isPage := pages[from]; !isPage || reached[from] {
			return
		}
		reached[from] = true
		for _, link := range pages[from].Links {
			file, _, _ := strings.Cut(link.To, "#")
			follow(path.Join(path.Dir(from), file))
		}
	}
	follow("README.md")
	for name := range pages {
		if strings.HasPrefix(name, "docs/") {
			assert.True(t, reached[name], "no link leads to %s", name)
		}
	}
}

// foreign are pages of other projects that are named as if they were ours.
var foreign = map[string]bool{"docs/security/advisories.md": true}

// TestPagesNamedElsewhere looks for pages that code, scripts and configuration send people to.
func TestPagesNamedElsewhere(t *testing.T) {
	pages := read(t)
	mention := regexp.MustCompile(`(?:^|[^\w/.-])(docs/[\w/-]+\.md(?:#[\w-]+)?)`)
	out, err := exec.Command("git", "-C", root, "ls-files", "--", "*.go", "*.yaml", "*.yml", "*.sh", "Makefile", "*.md").Output()
	require.NoError(t, err)
	found := 0
	for name := range strings.Lines(string(out)) {
		name = strings.TrimSpace(name)
		if strings.HasPrefix(name, "cmd/docs/") || strings.HasPrefix(name, "tests/docs/") || strings.Contains(name, "testdata") {
			continue // there, pages are made in other directories
		}
		content, err := os.ReadFile(filepath.Join(root, name))
		if os.IsNotExist(err) {
			continue // deleted, and not yet committed
		}
		require.NoError(t, err)
		for _, match := range mention.FindAllStringSubmatch(string(content), -1) {
			found++
			where := match[1]
			if foreign[where] {
				continue
			}
			file, anchor, _ := strings.Cut(where, "#")
			p, exists := pages[file]
			if assert.True(t, exists, "%s names %s", name, where) && anchor != "" {
				assert.True(t, p.Anchors[anchor], "%s names %s", name, where)
			}
		}
	}
	assert.Positive(t, found)
}

// TestKeys compares keys that are named in the text with the configuration reference.
func TestKeys(t *testing.T) {
	pages := read(t)
	content, err := os.ReadFile(filepath.Join(root, "docs/configuration.md"))
	require.NoError(t, err)
	var known []string
	component := ""
	for line := range strings.Lines(string(content)) {
		if heading, ok := strings.CutPrefix(line, "## `controlplane:"); ok {
			component = strings.Trim(strings.TrimSpace(heading), "`")
			known = append(known, component)
		} else if row := regexp.MustCompile("^\\| `([^`]+)` \\|").FindStringSubmatch(line); row != nil {
			known = append(known, component+"."+row[1])
		}
	}
	named := regexp.MustCompile(`^(?:controlplane:)?((?:cluster|artifacts|resources|monitoring|aws|certTrust|storage|identity|network)\.[a-zA-Z0-9.\[\]]+)(?:: .*)?$`)
	index, seen := regexp.MustCompile(`\[\d+\]`), 0
	for _, p := range pages {
		if p.Path == "docs/configuration.md" {
			continue
		}
		for _, span := range p.Spans {
			match := named.FindStringSubmatch(span)
			if match == nil || match[1] == "cluster.local" {
				continue
			}
			seen++
			key := index.ReplaceAllString(match[1], "[]")
			assert.True(t, slices.Contains(known, key) || slices.Contains(known, strings.ReplaceAll(key, "[]", "")) || partOfMap(known, key),
				"%s: there is no key %s", p.Path, key)
		}
	}
	assert.Greater(t, seen, 40)
}

// partOfMap tells whether the key is one of a map whose keys the user chooses, such as a chart's name.
func partOfMap(known []string, key string) bool {
	parent, _, _ := strings.Cut(key, "[")
	return slices.Contains([]string{"artifacts.overrides"}, parent[:max(strings.LastIndex(parent, "."), 0)])
}

// TestBlocksSayWhatTheyAre has readers and tests know what is a command.
func TestBlocksSayWhatTheyAre(t *testing.T) {
	for _, p := range read(t) {
		for _, b := range p.Blocks {
			assert.Contains(t, []string{"sh", "yaml", "mermaid", "text", "json", "diff", "markdown"}, b.Language, "%s:%d", p.Path, b.Line)
		}
	}
}
