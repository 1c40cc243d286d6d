package report

import (
	"fmt"
	"html"
	"io"
	"slices"
	"strings"
)

// DefaultMaxBytes is a size that fits into a comment: GitHub's limit is 65536 letters.
const DefaultMaxBytes = 60000

// folded is how many lines of differences are shown without being asked for.
const folded = 30

// messageLines is how many lines are left of a message that is too long.
const messageLines = 5

// Options say how Markdown is written.
type Options struct {
	// MaxBytes bounds the size; 0: everything is written, with long values at their full length.
	MaxBytes int
	// Rest says where the whole report is, for what does not fit, such as "the file preview.md".
	Rest string
}

// Marker is the first line of a report in Markdown, which is not shown. A pipeline finds its comment by it.
func Marker(stack string) string {
	return fmt.Sprintf("<!-- platform-preview stack=%s -->", strings.NewReplacer("--", "- -", "\n", " ", ">", " ").Replace(stack))
}

// Markdown writes the report for people who review a change.
func Markdown(w io.Writer, r *Report, o Options) error {
	m := markdown{whole: o.MaxBytes == 0}
	head := fmt.Sprintf("%s\n## Preview of stack %s\n\n> [!%s]\n> **%s.**\n", Marker(r.Stack), code(r.Stack), r.alert(), escape(r.Verdict))
	sections := []section{
		{"Errors", len(r.Errors), m.messages(r.Errors), 3},
		{"Replaced or deleted with what they hold", len(r.AtStake()), m.stake(r), 3},
		{"Replaced", len(r.Select("replace")), m.differing(r.Select("replace")), 2},
		{"Deleted", len(r.Select("delete")), m.grouped(r.Select("delete")), 1},
		{"Updated", len(r.Select("update")), m.differing(r.Select("update")), 1},
		{"Created", len(r.Select("create")), m.grouped(r.Select("create")), 1},
		{"Policy findings", len(r.Findings), m.findings(r), 2},
		{"Warnings", len(r.Warnings), m.messages(r.Warnings), 1},
	}
	_, err := io.WriteString(w, head+bound(sections, o.MaxBytes-len(head), o))
	return err
}

// alert is the colour in which the verdict is shown.
func (r *Report) alert() string {
	switch {
	case r.Status == Failed, len(r.AtStake()) > 0:
		return "CAUTION"
	case len(r.Select("replace", "delete")) > 0, len(r.Findings) > 0, len(r.Warnings) > 0:
		return "WARNING"
	}
	return "NOTE"
}

// markdown writes the items of sections.
type markdown struct{ whole bool }

// stake are the changes that cost data, each with its reason.
func (m markdown) stake(r *Report) (items []item) {
	for _, s := range r.AtStake() {
		does := map[string]string{"replace": "Replaces", "delete": "Deletes"}[s.Operation]
		lines := []string{fmt.Sprintf("#### %s %s", does, code(s.Name)), "", where(s)}
		if s.Loses != "" {
			lines = append(lines, fmt.Sprintf("- What is lost: **%s**", escape(s.Loses)))
		}
		if why := because(s); why != "" {
			lines = append(lines, "- Because of "+why)
		}
		switch {
		case s.Retained:
			lines = append(lines, "- It stays where it is, and is only not the stack's any more")
		case s.Protected:
			lines = append(lines, "- It is protected: `up` refuses this")
		}
		if s.Intended {
			lines = append(lines, "- The change says that this is meant")
		}
		short := strings.Join(lines, "\n") + "\n"
		items = append(items, item{text: short + m.fence(s), short: short})
	}
	return items
}

// where says what a step is about.
func where(s Step) string {
	text := code(s.Type)
	if s.ID != "" && s.ID != s.Name {
		text += " " + code(s.ID)
	}
	if s.Component != "" {
		text += " of " + escape(s.Component)
	}
	return text + "\n"
}

// because names the properties that force a replacement.
func because(s Step) string {
	if s.Operation != "replace" {
		return ""
	}
	var paths []string
	for _, c := range s.Changes {
		if c.Replaces {
			paths = append(paths, code(c.Path))
		}
	}
	if len(paths) == 0 {
		for _, path := range s.Replaces {
			paths = append(paths, code(path))
		}
	}
	if len(paths) == 0 {
		return "something that it depends on and that is replaced"
	}
	return strings.Join(paths, ", ")
}

// differing are steps with their differences, those that differ in the same together.
func (m markdown) differing(steps []Step) (items []item) {
	var order []string
	alike := map[string][]Step{}
	for i, s := range steps {
		key := because(s) + "\n" + strings.Join(diff(s.Changes, m.whole), "\n")
		if len(s.Changes) == 0 {
			key = fmt.Sprint(i)
		}
		if alike[key] == nil {
			order = append(order, key)
		}
		alike[key] = append(alike[key], s)
	}
	for _, key := range order {
		items = append(items, m.together(alike[key]))
	}
	return items
}

// together shows steps that differ in the same.
func (m markdown) together(steps []Step) item {
	first := steps[0]
	var heads, names []string
	for _, s := range steps {
		heads = append(heads, code(s.Name)+" · "+strings.TrimRight(where(s), "\n"))
		names = append(names, code(s.Name))
	}
	head := heads[0]
	if len(heads) > 1 {
		head = fmt.Sprintf("%d resources:\n\n- %s", len(heads), strings.Join(heads, "\n- "))
	}
	if why := because(first); why != "" {
		head += ", because of " + why
	}
	return item{text: head + "\n" + m.fence(first), short: brief(names, first)}
}

// brief says in a line which resources differ in what.
func brief(names []string, s Step) string {
	var paths []string
	for _, c := range s.Changes {
		paths = append(paths, code(c.Path))
	}
	text := strings.Join(names, ", ")
	if differs := strings.Join(paths, ", "); differs != "" && len(differs) < 500 {
		text += ": " + differs
	}
	return text + "\n"
}

// fence shows what differs, folded when it is long.
func (m markdown) fence(s Step) string {
	lines := diff(s.Changes, m.whole)
	if len(lines) == 0 {
		return ""
	}
	block := fenced("diff", lines)
	if len(lines) <= folded {
		return "\n" + block
	}
	return fmt.Sprintf("\n<details><summary>%d lines of differences in %s</summary>\n\n%s\n</details>\n", len(lines),
		count(len(s.Changes), "property", "properties"), block)
}

// grouped are steps by component, with a list for each that unfolds.
func (m markdown) grouped(steps []Step) (items []item) {
	for len(steps) > 0 {
		component := steps[0].Component
		n := slices.IndexFunc(steps, func(s Step) bool { return s.Component != component })
		if n < 0 {
			n = len(steps)
		}
		of := steps[:n]
		steps = steps[n:]
		if component == "" {
			component = "no component"
		}
		summary := fmt.Sprintf("<b>%s</b>: %d (%s)", html.EscapeString(component), n, html.EscapeString(strings.Join(kinds(of, true), ", ")))
		list := "- " + strings.Join(kinds(of, false), "\n- ")
		items = append(items, item{
			text:  fmt.Sprintf("<details><summary>%s</summary>\n\n%s\n\n</details>\n", summary, list),
			short: fmt.Sprintf("%s: %d (%s)\n", escape(component), n, escape(strings.Join(kinds(of, true), ", "))),
		})
	}
	return items
}

// kinds lists the steps by kind: how many, or their names in Markdown.
func kinds(steps []Step, counted bool) (list []string) {
	for len(steps) > 0 {
		of := kind(steps[0].Type)
		n := 0
		var names []string
		for ; n < len(steps) && kind(steps[n].Type) == of; n++ {
			names = append(names, code(steps[n].Name))
		}
		steps = steps[n:]
		if counted {
			list = append(list, fmt.Sprintf("%d %s", n, of))
		} else {
			list = append(list, fmt.Sprintf("%s: %s", escape(of), strings.Join(names, ", ")))
		}
	}
	return list
}

// findings are the policies that are broken.
func (m markdown) findings(r *Report) (items []item) {
	for _, f := range r.Findings {
		items = append(items, item{text: fmt.Sprintf("- **%s**: %s (%s): %s\n", escape(f.Rule), code(f.Name), code(f.Type), escape(f.Message))})
	}
	return items
}

// messages are texts of others, which must not be taken for Markdown. The first lines are what a long one begins with.
func (m markdown) messages(texts []string) (items []item) {
	for _, text := range texts {
		lines := strings.Split(printable(strings.TrimSpace(text)), "\n")
		var first []string
		for _, line := range lines[:min(messageLines, len(lines))] {
			first = append(first, cut(line, false))
		}
		items = append(items, item{text: fenced("text", lines), short: fenced("text", first)})
	}
	return items
}

// fenced is a block of lines that are shown as they are.
func fenced(language string, lines []string) string {
	text := strings.Join(lines, "\n")
	fence := strings.Repeat("`", max(3, longestRun(text)+1))
	return fence + language + "\n" + text + "\n" + fence + "\n"
}

// code is a text in a line that is shown as it is.
func code(text string) string {
	text = strings.ReplaceAll(printable(text), "\n", " ")
	fence := strings.Repeat("`", longestRun(text)+1)
	if text == "" {
		return fence + " " + fence
	}
	if strings.HasPrefix(text, "`") || strings.HasSuffix(text, "`") {
		text = " " + text + " "
	}
	return fence + text + fence
}

// longestRun is the length of the longest sequence of backticks.
func longestRun(text string) (longest int) {
	run := 0
	for _, letter := range text {
		if letter == '`' {
			run++
		} else {
			run = 0
		}
		longest = max(longest, run)
	}
	return longest
}

// special are letters that Markdown acts upon within a line. After an @ an invisible letter keeps people from being
// notified.
var special = strings.NewReplacer(`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "~", `\~`, "|", `\|`,
	"#", `\#`, "&", "&amp;", "<", "&lt;", ">", "&gt;", "@", "@\u200b", "\n", " ")

// escape is a text in a line as Markdown.
func escape(text string) string { return special.Replace(printable(text)) }
