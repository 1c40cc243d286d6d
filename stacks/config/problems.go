package config

import (
	"fmt"
	"sort"
	"strings"
)

// Problem is one thing that is wrong in a configuration.
type Problem struct {
	// Path is the full path of the key, such as
	// controlplane:certTrust.platformCA.source; empty where a file as a whole
	// is at fault.
	Path string `json:"path,omitempty"`
	// Value is the offending value, shortened, and redacted if it is secret;
	// empty where no value is at fault.
	Value string `json:"value,omitempty"`
	// Message says what is wrong and what is allowed.
	Message string `json:"message"`
	// Suggestion is what was probably meant.
	Suggestion string `json:"suggestion,omitempty"`
	// Source is the file and line that the path is at, when there is a file.
	Source string `json:"source,omitempty"`
}

// String returns the problem in one line.
func (p Problem) String() string {
	var b strings.Builder
	for _, place := range []string{p.Source, p.Path} {
		if place != "" {
			b.WriteString(place + ": ")
		}
	}
	if p.Value != "" {
		b.WriteString(p.Value + " ")
	}
	b.WriteString(p.Message)
	if p.Suggestion != "" {
		fmt.Fprintf(&b, "; did you mean %q?", p.Suggestion)
	}
	return b.String()
}

// Errors is everything that is wrong in a configuration.
type Errors []Problem

// Error lists all problems, one in a line.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, problem := range e {
		lines[i] = problem.String()
	}
	return strings.Join(lines, "\n")
}

// sorted returns the problems in the order of their paths, or nil as an error
// when there are none.
func (e Errors) sorted() error {
	if len(e) == 0 {
		return nil
	}
	sort.SliceStable(e, func(i, j int) bool { return e[i].Path < e[j].Path })
	return e
}
