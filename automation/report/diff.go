package report

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/pmezard/go-difflib/difflib"
	"sigs.k8s.io/yaml"

	"github.com/telekom/controlplane-infrastructure/automation"
	"github.com/telekom/controlplane-infrastructure/internal/planned"
)

const (
	// lineLength is how much of a value is shown in a line of a report of limited size.
	lineLength = 160
	// context is how much is shown of what is the same before and after: letters in a line, lines in a text.
	contextLetters, contextLines = 24, 2
	// textLines is how many lines of a text that comes or goes are shown in a report of limited size.
	textLines = 40
)

// diff shows the changes of a step as lines that begin with -, + or !, or a space. The whole of it has long values at
// their full length.
func diff(changes []automation.PropertyChange, whole bool) (lines []string) {
	for _, c := range changes {
		lines = append(lines, difference(c, whole)...)
	}
	return lines
}

func difference(c automation.PropertyChange, whole bool) []string {
	path := strings.ReplaceAll(printable(c.Path), "\n", `\n`)
	sign := map[string]string{automation.Added: "+", automation.Deleted: "-"}[c.Kind]
	switch {
	case c.Old == planned.Secret && c.New == planned.Secret:
		return []string{fmt.Sprintf("! %s: %s changed", path, planned.Secret)}
	case c.Old == nil && c.New == nil:
		return []string{fmt.Sprintf("! %s changed", path)}
	case c.Kind == automation.Added || c.Kind == automation.Deleted:
		value := c.New
		if c.Kind == automation.Deleted {
			value = c.Old
		}
		return oneSided(sign, path, text(value), whole)
	}
	before, after := text(c.Old), text(c.New)
	if before == after { // 3 and "3"
		before, after = quoted(c.Old), quoted(c.New)
	}
	if !strings.Contains(before, "\n") && !strings.Contains(after, "\n") {
		if !whole {
			before, after = shorten(before, after)
		}
		return []string{fmt.Sprintf("- %s: %s", path, before), fmt.Sprintf("+ %s: %s", path, after)}
	}
	return append([]string{"! " + path + ":"}, textual(before, after, whole)...)
}

// oneSided shows a value that comes or goes.
func oneSided(sign, path, value string, whole bool) []string {
	if !strings.Contains(value, "\n") {
		if !whole {
			value, _ = shorten(value, "")
		}
		return []string{fmt.Sprintf("%s %s: %s", sign, path, value)}
	}
	lines := []string{fmt.Sprintf("%s %s:", sign, path)}
	rest := strings.Split(value, "\n")
	for i, line := range rest {
		if i == textLines && !whole {
			return append(lines, fmt.Sprintf("%s   … %d more lines", sign, len(rest)-i))
		}
		lines = append(lines, strings.TrimRight(sign+"   "+cut(line, whole), " "))
	}
	return lines
}

// textual shows which lines of a text differ.
func textual(before, after string, whole bool) (lines []string) {
	old, new := strings.Split(before, "\n"), strings.Split(after, "\n")
	groups := difflib.NewMatcher(old, new).GetGroupedOpCodes(contextLines)
	for i, group := range groups {
		if i > 0 {
			lines = append(lines, "    …")
		}
		for _, op := range group {
			sides := []struct {
				sign  string
				lines []string
				shown bool
			}{
				{"  ", old[op.I1:op.I2], op.Tag == 'e'},
				{"- ", old[op.I1:op.I2], op.Tag == 'r' || op.Tag == 'd'},
				{"+ ", new[op.J1:op.J2], op.Tag == 'r' || op.Tag == 'i'},
			}
			for _, side := range sides {
				if !side.shown {
					continue
				}
				for _, line := range side.lines {
					lines = append(lines, strings.TrimRight(side.sign+"  "+cut(line, whole), " "))
				}
			}
		}
	}
	return lines
}

func cut(line string, whole bool) string {
	if !whole {
		line, _ = shorten(line, "")
	}
	return line
}

// text is a value as it is read best: strings bare, JSON in strings and everything else over lines.
func text(value any) string {
	switch v := value.(type) {
	case string:
		if v == planned.Unknown {
			return "(known after up)"
		}
		var document any
		if trimmed := strings.TrimSpace(v); strings.HasPrefix(trimmed, "{") || strings.HasPrefix(trimmed, "[") {
			if json.Unmarshal([]byte(trimmed), &document) == nil {
				return jsonOf(document, "  ")
			}
		}
		if v == "" || v != strings.TrimSpace(v) && !strings.Contains(v, "\n") {
			return strconv.Quote(v)
		}
		return printable(strings.TrimRight(v, "\n"))
	case map[string]any, []any:
		if data, err := yaml.Marshal(v); err == nil {
			return printable(strings.TrimRight(string(data), "\n"))
		}
	}
	return quoted(value)
}

func quoted(value any) string { return jsonOf(value, "") }

func jsonOf(value any, indent string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", indent)
	if err := enc.Encode(value); err != nil {
		return printable(fmt.Sprint(value))
	}
	return printable(strings.TrimRight(b.String(), "\n"))
}

// printable has letters that a terminal or a page would act upon as escapes.
func printable(value string) string {
	var b strings.Builder
	for _, letter := range value {
		switch {
		case letter == '\n' || unicode.IsPrint(letter):
			b.WriteRune(letter)
		case letter == '\t':
			b.WriteString("  ")
		default:
			b.WriteString(strings.Trim(strconv.QuoteRune(letter), "'"))
		}
	}
	return b.String()
}

// shorten leaves out of two lines what is the same in both, and then what is too long.
func shorten(a, b string) (string, string) {
	x, y := []rune(a), []rune(b)
	if len(x) <= lineLength+contextLetters && len(y) <= lineLength+contextLetters {
		return a, b
	}
	same := 0
	for same < min(len(x), len(y)) && x[same] == y[same] {
		same++
	}
	if skip := same - contextLetters; skip > 0 {
		x, y = append([]rune("…"), x[skip:]...), append([]rune("…"), y[skip:]...)
	}
	return clip(x), clip(y)
}

func clip(line []rune) string {
	if len(line) <= lineLength+contextLetters {
		return string(line)
	}
	return fmt.Sprintf("%s… (%d more letters)", string(line[:lineLength]), len(line)-lineLength)
}
