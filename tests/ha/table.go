package ha

import (
	"fmt"
	"strings"
)

// Row is what is known of a component.
type Row struct {
	// Component is its namespace and name.
	Component string
	// Kind is what its pods belong to: Deployment, StatefulSet, or an operator's resource.
	Kind string
	// Replicas is how many pods it is to have.
	Replicas int
	// Lost is how many of them were in the zone with the most of them: what the loss of a zone costs at most.
	Lost int
	// Budget is the name of its disruption budget, if it has one, and Required how many pods that wants to be ready. An
	// operator's resource may have several budgets.
	Budget   string
	Required int

	seen int
}

// Seen is the fewest pods that were ready at any moment.
func (r Row) Seen() int { return r.seen }

// Minimum is the fewest pods that are ready whichever zone is lost: what was seen, or what would have been if the zone with
// the most pods was the one. Unlike what was seen, it does not depend on where the scheduler happened to put them.
func (r Row) Minimum() int { return min(r.seen, r.Replicas-r.Lost) }

// Broken returns the rows of which fewer pods were ready than their budgets want: by Row.Seen, or by Row.Minimum.
func Broken(rows []Row, ready func(Row) int) []Row {
	var broken []Row
	for _, r := range rows {
		if r.Budget != "" && ready(r) < r.Required {
			broken = append(broken, r)
		}
	}
	return broken
}

// Table writes rows as a Markdown table, with columns of equal width.
func Table(rows []Row) string {
	cells := [][]string{{"Component", "Kind", "Replicas", "Lost with a zone, at most", "Ready, at least", "Budget"}, nil}
	for _, r := range rows {
		required := "none"
		if r.Budget != "" {
			required = fmt.Sprint(r.Required)
		}
		cells = append(cells, []string{r.Component, r.Kind, fmt.Sprint(r.Replicas), fmt.Sprint(r.Lost), fmt.Sprint(r.Minimum()), required})
	}
	widths := make([]int, len(cells[0]))
	for _, line := range cells {
		for i, cell := range line {
			widths[i] = max(widths[i], len(cell))
		}
	}
	for i, width := range widths {
		rule := strings.Repeat("-", width)
		if i > 1 {
			rule = rule[1:] + ":" // numbers
		}
		cells[1] = append(cells[1], rule)
	}
	var text strings.Builder
	for _, line := range cells {
		for i, cell := range line {
			pad := strings.Repeat(" ", widths[i]-len(cell))
			if i > 1 {
				cell, pad = pad+cell, ""
			}
			text.WriteString("| " + cell + pad + " ")
		}
		text.WriteString("|\n")
	}
	return text.String()
}
