// Package policy judges what a stack is going to leave, before any of it exists: plain functions over planned resources,
// the same in a preview, in tests and in a pipeline.
package policy

import "github.com/telekom/controlplane-infrastructure/internal/planned"

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

// Check judges all resources of a stack.
func Check(resources []planned.Resource) []Finding { return nil }
