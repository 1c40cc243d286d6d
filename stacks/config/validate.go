package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// fault is a problem with the tokens of its path.
type fault struct {
	path []string
	Problem
	// unknownKey says that the key does not exist, so that another key may
	// have been meant.
	unknownKey bool
}

// validate checks a stack file against the schema and returns a problem for
// every place that is wrong, and for every unknown key.
func (s *stackSchema) validate(document map[string]any) ([]fault, error) {
	err := s.compiled.Validate(document)
	if err == nil {
		return nil, nil
	}
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		return nil, fmt.Errorf("check against the schema: %w", err)
	}
	var faults []fault
	seen := map[string]bool{}
	s.collect(invalid, document, func(f fault) {
		// A pattern, a format and a length may all object to one value.
		if key := strings.Join(f.path, "\x00"); !seen[key] {
			seen[key] = true
			faults = append(faults, f)
		}
	})
	return faults, nil
}

func (s *stackSchema) collect(e *jsonschema.ValidationError, document map[string]any, add func(fault)) {
	if len(e.Causes) > 0 {
		for _, cause := range e.Causes {
			s.collect(cause, document, add)
		}
		return
	}
	here := e.InstanceLocation
	switch k := e.ErrorKind.(type) {
	case *kind.AdditionalProperties:
		for _, name := range k.Properties {
			add(s.unknownKey(here, name))
		}
	case *kind.Required:
		for _, name := range k.Missing {
			path := child(here, name)
			add(fault{path: path, Problem: Problem{Message: "is missing; must be " + s.at(path).Allowed()}})
		}
	default:
		add(s.wrongValue(here, lookup(document, here)))
	}
}

func (s *stackSchema) unknownKey(parent []string, name string) fault {
	keys := s.at(parent).keys()
	problem := Problem{
		Message:    "is not a key; allowed are " + strings.Join(keys, ", "),
		Suggestion: nearest(name, keys),
	}
	if problem.Suggestion == "" {
		problem.Suggestion = s.elsewhere(name)
	}
	return fault{child(parent, name), problem, true}
}

// elsewhere returns the full path of a key of exactly this name in another
// place: of several, the one nearest to the top, if it is alone there.
func (s *stackSchema) elsewhere(name string) string {
	level := s.components()
	for len(level) > 0 {
		var found []string
		next := map[string]Schema{}
		for path, schema := range level {
			if schema.IsSecret() {
				continue
			}
			for key, property := range schema.Properties() {
				next[path+"."+key] = property
				if key == name {
					found = append(found, path+"."+key)
				}
			}
		}
		if len(found) > 0 {
			if len(found) == 1 {
				return found[0]
			}
			return ""
		}
		level = next
	}
	return ""
}

func (s *stackSchema) wrongValue(path []string, value any) fault {
	allowed := s.at(path)
	problem := Problem{Value: show(value, allowed), Message: "must be " + allowed.Allowed()}
	if quoted, ok := s.unquoted(path, value); ok {
		problem.Suggestion = quoted
		if !strings.HasSuffix(problem.Message, inQuotes) {
			problem.Message += inQuotes
		}
		return fault{path: path, Problem: problem}
	}
	text, isText := value.(string)
	switch {
	case !isText || allowed.IsSecret():
	case allowed["format"] == "go-duration", allowed["format"] == "duration-or-zero":
		problem.Suggestion = inHours(text)
	case allowed["format"] == "cidr":
		problem.Suggestion = asCIDR(text)
	case allowed["enum"] != nil:
		problem.Suggestion = nearest(text, allowed.enum())
	case allowed["type"] == "boolean":
		problem.Suggestion = map[string]string{"yes": "true", "on": "true", "true": "true", "no": "false", "off": "false", "false": "false"}[strings.ToLower(text)]
	}
	return fault{path: path, Problem: problem}
}

const inQuotes = ", in quotes"

// unquoted returns the text that a number was meant to be, such as a version,
// which YAML reads as a number without quotes.
func (s *stackSchema) unquoted(path []string, value any) (string, bool) {
	allowed := s.at(path)
	n, isNumber := value.(float64)
	if !isNumber || allowed["type"] != "string" {
		return "", false
	}
	text := strconv.FormatFloat(n, 'f', -1, 64)
	if values := allowed.enum(); len(values) > 0 {
		return text, slices.Contains(values, text)
	}
	for _, format := range formats {
		if format.Name == allowed["format"] && strings.HasSuffix(format.Name, "version") {
			return text, format.validate()(text) == nil
		}
	}
	return "", false
}

// show renders a value for a message. What may hold a secret is not shown.
func show(value any, allowed Schema) string {
	switch v := value.(type) {
	case map[string]any:
		return "a map"
	case []any:
		if allowed["type"] == "array" {
			return "" // it is the list's items or their number that are wrong
		}
		return "a list"
	case string:
		if allowed.IsSecret() {
			return redacted
		}
		if allowed.IsObject() {
			return "a string"
		}
		return quote(v)
	}
	data, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(data)
}

const shown = 60

func quote(text string) string {
	if runes := []rune(text); len(runes) > shown {
		text = string(runes[:shown]) + "…"
	}
	data, err := json.Marshal(text)
	if err != nil || strings.ContainsAny(text, "<>&") {
		return strconv.Quote(text)
	}
	return string(data)
}

// display renders a path for a message: the section config of a stack file
// goes without saying.
func display(path []string) string {
	if len(path) > 1 && path[0] == "config" {
		path = path[1:]
	}
	var b strings.Builder
	for i, token := range path {
		if _, err := strconv.Atoi(token); err == nil && i > 0 {
			b.WriteString("[" + token + "]")
			continue
		}
		if i > 0 {
			b.WriteString(".")
		}
		b.WriteString(token)
	}
	return b.String()
}

func child(path []string, name string) []string {
	return append(append(make([]string, 0, len(path)+1), path...), name)
}

// lookup returns the value at a path, or nil.
func lookup(value any, path []string) any {
	for _, token := range path {
		switch v := value.(type) {
		case map[string]any:
			value = v[token]
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || i >= len(v) {
				return nil
			}
			value = v[i]
		default:
			return nil
		}
	}
	return value
}

// remove takes what is at a path out of the document. Of a list's items, which
// have their positions, only keys go; a list with an item that is wrong itself
// goes as a whole.
func remove(document map[string]any, path []string) {
	current := document
	for i := 0; i < len(path)-1; i++ {
		switch next := current[path[i]].(type) {
		case map[string]any:
			current = next
			continue
		case []any:
			n, err := strconv.Atoi(path[i+1])
			if err == nil && n < len(next) && i+2 < len(path) {
				if item, ok := next[n].(map[string]any); ok {
					current = item
					i++
					continue
				}
			}
		}
		delete(current, path[i])
		return
	}
	delete(current, path[len(path)-1])
}
