package flow

import (
	"fmt"
	"slices"
)

// Check finds flows that cannot be told apart, lead nowhere, or do not say why they are there: mistakes of whoever
// declared them.
func (t Table) Check() error {
	seen := map[string]bool{}
	for _, f := range t.Flows {
		switch {
		case f.Name == "" || f.Why == "":
			return fmt.Errorf("flow %q does not say its name and what it is for", f.Name)
		case seen[f.Name]:
			return fmt.Errorf("two flows have the name %q", f.Name)
		case f.From.Namespace == "" && f.To.Namespace == "":
			return fmt.Errorf("flow %q neither begins nor ends in a namespace of the platform", f.Name)
		}
		seen[f.Name] = true
	}
	if len(t.DNS) == 0 || len(t.DNSPorts) == 0 {
		return fmt.Errorf("no server resolves names")
	}
	return nil
}

// Into are the flows that end in a namespace.
func (t Table) Into(namespace string) []Flow {
	return slices.DeleteFunc(slices.Clone(t.Flows), func(f Flow) bool { return f.To.Namespace != namespace })
}
