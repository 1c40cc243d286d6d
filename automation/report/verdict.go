package report

import (
	"fmt"
	"strings"
)

// named is how many resources a verdict names before it only counts the others.
const named = 4

// verdict says in a line what a reviewer has to know.
func (r *Report) verdict() string {
	if r.Status == Failed {
		return fmt.Sprintf("The preview failed with %s", count(len(r.Errors), "error", "errors"))
	}
	var sentences []string
	stake := r.AtStake()
	if protected := pick(stake, func(s Step) bool { return s.Protected }); len(protected) > 0 {
		sentences = append(sentences, "Up would be refused: it "+ending(protected, "protected resource", "protected resources"))
	}
	if losing := pick(stake, func(s Step) bool { return !s.Protected }); len(losing) > 0 {
		sentences = append(sentences, capital(ending(losing, "resource that holds data", "resources that hold data")))
	}
	sentences = append(sentences, r.rest(len(stake) > 0))
	if n := len(r.Findings); n > 0 {
		sentences = append(sentences, count(n, "policy finding", "policy findings"))
	}
	if n := len(r.Warnings); n > 0 {
		sentences = append(sentences, count(n, "warning", "warnings"))
	}
	return strings.Join(sentences, ". ")
}

// rest counts what happens to resources that nothing depends on for ever.
func (r *Report) rest(more bool) string {
	var parts []string
	for _, o := range []struct{ operation, done string }{
		{"replace", "replaced"}, {"delete", "deleted"}, {"create", "created"}, {"update", "updated"},
	} {
		if n := len(r.Select(o.operation)); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, o.done))
		}
	}
	others := len(r.Select("replace", "delete")) > 0
	switch text := strings.Join(parts, ", "); {
	case more && text == "":
		return "Nothing else changes"
	case more:
		return "Besides, " + text
	case text == "" && r.HasChanges():
		return "Only groups of resources change, or outputs"
	case text == "":
		return "No changes"
	case others:
		return capital(text) + "; nothing that holds data is replaced or deleted"
	default:
		return capital(text) + ", nothing replaced or deleted"
	}
}

// ending tells what is replaced and deleted: replaces 1 resource (database) and deletes 2 resources (backups, files).
func ending(steps []Step, one, many string) string {
	var parts []string
	for _, o := range []struct{ operation, does string }{{"replace", "replaces"}, {"delete", "deletes"}} {
		chosen := pick(steps, func(s Step) bool { return s.Operation == o.operation })
		if len(chosen) == 0 {
			continue
		}
		var names []string
		for _, s := range chosen[:min(named, len(chosen))] {
			names = append(names, s.Name)
		}
		if more := len(chosen) - len(names); more > 0 {
			names = append(names, fmt.Sprintf("and %d more", more))
		}
		parts = append(parts, fmt.Sprintf("%s %s (%s)", o.does, count(len(chosen), one, many), strings.Join(names, ", ")))
	}
	return strings.Join(parts, " and ")
}

func pick(steps []Step, want func(Step) bool) (chosen []Step) {
	for _, s := range steps {
		if want(s) {
			chosen = append(chosen, s)
		}
	}
	return chosen
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func capital(text string) string {
	if text == "" {
		return text
	}
	return strings.ToUpper(text[:1]) + text[1:]
}
