package tools

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// addBackports adds the backports of the system's release, from the mirrors that it takes the release from, and
// reports whether there are such mirrors.
func (a *apt) addBackports() (bool, error) {
	release, err := os.ReadFile(a.system.release)
	if err != nil {
		return false, err
	}
	match := regexp.MustCompile(`(?m)^VERSION_CODENAME=["']?(\w+)`).FindSubmatch(release)
	if match == nil {
		return false, nil
	}
	sources, err := a.sources()
	if err != nil {
		return false, err
	}
	added := false
	for name, content := range sources {
		more := backports(filepath.Ext(name), content, string(match[1]))
		if len(more) == 0 {
			continue
		}
		added = true
		if err := os.WriteFile(filepath.Join(a.dir, "sources", "backports-"+name), more, 0o644); err != nil {
			return false, err
		}
	}
	return added, nil
}

var (
	oneLine   = regexp.MustCompile(`^(\s*deb\s+(?:\[[^]]*\]\s+)?\S+\s+)(\S+)(\s.*)$`)
	suites    = regexp.MustCompile(`(?mi)^Suites:(.*)$`)
	binaries  = regexp.MustCompile(`(?mi)^Types:.*\bdeb\b(?:[^-]|$)`)
	emptyLine = regexp.MustCompile(`\n\s*\n`)
)

// backports returns those of the sources that name the release, naming its backports instead.
func backports(extension string, sources []byte, codename string) []byte {
	var more []string
	if extension == ".sources" {
		for _, stanza := range emptyLine.Split(string(bytes.TrimSpace(sources)), -1) {
			match := suites.FindStringSubmatch(stanza)
			if match != nil && binaries.MatchString(stanza) && slices.Contains(strings.Fields(match[1]), codename) {
				more = append(more, suites.ReplaceAllLiteralString(stanza, "Suites: "+codename+"-backports")+"\n")
			}
		}
		return []byte(strings.Join(more, "\n"))
	}
	for line := range strings.Lines(string(sources)) {
		if match := oneLine.FindStringSubmatch(strings.TrimRight(line, "\n")); match != nil && match[2] == codename {
			more = append(more, match[1]+codename+"-backports"+match[3]+"\n")
		}
	}
	return []byte(strings.Join(more, ""))
}
