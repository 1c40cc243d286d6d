package report

import (
	"fmt"
	"io"
	"strings"
)

// Text writes the report for a terminal.
func Text(w io.Writer, r *Report) error {
	var b strings.Builder
	for _, s := range r.AtStake() {
		does := map[string]string{"replace": "REPLACES", "delete": "DELETES"}[s.Operation]
		fmt.Fprintf(&b, "%s %s  %s\n", does, printable(s.Name), s.Type)
		if s.Loses != "" {
			fmt.Fprintf(&b, "    loses %s\n", s.Loses)
		}
		if why := because(s); why != "" {
			fmt.Fprintf(&b, "    because of %s\n", strings.ReplaceAll(why, "`", ""))
		}
		if s.Protected {
			fmt.Fprintf(&b, "    is protected: up refuses this\n")
		}
		indent(&b, s)
	}
	for _, s := range r.Select("replace", "update") {
		fmt.Fprintf(&b, "%s %s  %s\n", s.Operation, printable(s.Name), s.Type)
		indent(&b, s)
	}
	for _, operation := range []string{"delete", "create"} {
		for _, line := range components(r.Select(operation)) {
			fmt.Fprintf(&b, "%s %s\n", operation, line)
		}
	}
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "policy %s: %s (%s): %s\n", f.Rule, printable(f.Name), f.Type, printable(f.Message))
	}
	if b.Len() > 0 {
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "%s %s: %s (%.1fs)\n", r.Operation, r.Stack, printable(r.Verdict), r.Seconds)
	_, err := io.WriteString(w, b.String())
	return err
}

func indent(b *strings.Builder, s Step) {
	for _, line := range diff(s.Changes, false) {
		fmt.Fprintf(b, "    %s\n", line)
	}
}

// components counts steps: 12 in storage (3 Secret, 9 Service).
func components(steps []Step) (lines []string) {
	for len(steps) > 0 {
		n := 0
		for n < len(steps) && steps[n].Component == steps[0].Component {
			n++
		}
		in := ""
		if c := steps[0].Component; c != "" {
			in = " in " + c
		}
		lines = append(lines, fmt.Sprintf("%d%s (%s)", n, in, strings.Join(kinds(steps[:n], true), ", ")))
		steps = steps[n:]
	}
	return lines
}
