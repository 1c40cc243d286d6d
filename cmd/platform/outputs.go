package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
)

// printOutputs prints all outputs, or the one that is named, as text lines or JSON.
func printOutputs(w io.Writer, outputs auto.OutputMap, names []string, asJSON, reveal bool) error {
	values := make(map[string]any, len(outputs))
	for name, o := range outputs {
		values[name] = o.Value
		if o.Secret && !reveal {
			values[name] = "[secret]"
		}
	}
	if len(names) == 1 {
		value, found := values[names[0]]
		if !found {
			return &usageError{fmt.Errorf("output %q does not exist; the stack has: %s", names[0],
				strings.Join(slices.Sorted(maps.Keys(values)), ", "))}
		}
		if asJSON {
			return printJSON(w, value)
		}
		_, err := fmt.Fprintln(w, text(value))
		return err
	}
	if asJSON {
		return printJSON(w, values)
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if _, err := fmt.Fprintf(w, "%-28s %s\n", name, text(values[name])); err != nil {
			return err
		}
	}
	return nil
}

// text is a value as a person or a shell reads it: strings bare, everything else as JSON.
func text(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(data)
}
