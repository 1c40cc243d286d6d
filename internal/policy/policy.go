// Package policy judges what a stack is going to leave, before any of it exists: plain functions over planned resources,
// the same in a preview, in tests and in a pipeline.
//
// A rule finds what breaks it, each in a function of its own. What breaks a rule by design is in one table of exceptions,
// with the reason.
package policy

import (
	"cmp"
	"maps"
	"slices"

	"github.com/telekom/controlplane-infrastructure/internal/planned"
)

// Finding is a rule that a resource breaks.
type Finding struct {
	// Rule is the rule's name, such as image-tag.
	Rule string `json:"rule"`
	// Type and Name are the resource's.
	Type string `json:"type"`
	Name string `json:"name"`
	// Message says what is wrong and what is right.
	Message string `json:"message"`
}

// Rule is what every stack has to comply with.
type Rule struct {
	// Name stands in findings and exceptions.
	Name string
	// Demands says in a line what is right, Why what it is good for.
	Demands, Why string

	check func(*stack, *resource) []breach
}

// breach is what a resource does against a rule.
type breach struct {
	// about is what of the resource it is about, such as a port; an exception can be for this alone.
	about   string
	message string
}

// Check judges all resources of a stack. The findings are in the order of the rules, and for each of these by resource.
func Check(resources []planned.Resource) []Finding {
	findings, _ := judge(resources)
	return findings
}

// Excused are the exceptions that the resources of a stack make use of, in the order of their table, each with those parts
// of a resource that it was used for.
func Excused(resources []planned.Resource) []Exception {
	_, used := judge(resources)
	var excused []Exception
	for i, e := range exceptions {
		if used[i] != nil {
			e.About = slices.Sorted(maps.Keys(used[i]))
			excused = append(excused, e)
		}
	}
	return excused
}

// judge returns what breaks rules, and for which parts of resources exceptions were needed, by the place of these in their
// table.
func judge(resources []planned.Resource) (findings []Finding, used map[int]map[string]bool) {
	s := newStack(resources)
	used = map[int]map[string]bool{}
	for _, rule := range Rules() {
		for _, r := range s.resources {
			for _, b := range rule.check(s, r) {
				i := slices.IndexFunc(exceptions, func(e Exception) bool { return e.covers(rule.Name, r, b) })
				if i < 0 {
					findings = append(findings, Finding{Rule: rule.Name, Type: r.Type, Name: r.Name, Message: b.message})
					continue
				}
				if used[i] == nil {
					used[i] = map[string]bool{}
				}
				used[i][b.about] = true
			}
		}
	}
	return findings, used
}

// newStack decodes resources and puts them in an order that does not depend on when the engine met them.
func newStack(resources []planned.Resource) *stack {
	s := &stack{}
	for _, r := range resources {
		s.resources = append(s.resources, newResource(r))
	}
	slices.SortStableFunc(s.resources, func(a, b *resource) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Name, b.Name), cmp.Compare(a.URN, b.URN))
	})
	for _, r := range s.resources {
		s.keep(r)
	}
	return s
}
