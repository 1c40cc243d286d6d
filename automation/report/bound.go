package report

import (
	"fmt"
	"strings"
)

// section is a part of a report of limited size.
type section struct {
	title string
	count int
	items []item
	// weight is the section's share of the space where there is not enough for all.
	weight int
}

// item is one entry of a section, and what is said where that is too long; empty: then it is left out.
type item struct{ text, short string }

// notice is the space that the line about what is left out of a section takes at most.
const notice = 200

func (s section) heading() string { return fmt.Sprintf("\n### %s: %d\n\n", s.title, s.count) }

func (s section) size() int {
	n := len(s.heading())
	for _, i := range s.items {
		n += len(i.text) + 1
	}
	return n
}

// bound writes the sections in a limited space. What comes first gets what it needs, as long as each one after it keeps
// its share.
func bound(sections []section, space int, o Options) string {
	var filled []section
	for _, s := range sections {
		if len(s.items) > 0 {
			filled = append(filled, s)
		}
	}
	var b strings.Builder
	for i, s := range filled {
		if o.MaxBytes == 0 {
			b.WriteString(s.fit(s.size(), o))
			continue
		}
		weights, reserved := 0, 0
		for _, later := range filled[i:] {
			weights += later.weight
		}
		for _, later := range filled[i+1:] {
			reserved += min(later.size(), space*later.weight/weights)
		}
		text := s.fit(space-reserved, o)
		space -= len(text)
		b.WriteString(text)
	}
	return b.String()
}

// fit writes what fits of a section, and how much does not.
func (s section) fit(space int, o Options) string {
	var b strings.Builder
	b.WriteString(s.heading())
	all := s.size() <= space
	left := 0
	for i, entry := range s.items {
		room := space - b.Len() - notice
		switch {
		case all || len(entry.text)+1 <= room:
			b.WriteString(separated(entry.text, i))
		case entry.short != "" && len(entry.short)+1 <= room:
			b.WriteString(separated(entry.short, i))
			left++
		default:
			left++
		}
	}
	if left > 0 {
		where := "the whole report"
		if o.Rest != "" {
			where = code(o.Rest)
		}
		fmt.Fprintf(&b, "\n_%d of %d entries are left out here or shortened; they are in %s._\n", left, len(s.items), where)
	}
	return b.String()
}

// separated puts a line between entries that are more than a line.
func separated(text string, i int) string {
	if i > 0 && !strings.HasPrefix(text, "- ") {
		return "\n" + text
	}
	return text
}
