package config

import (
	"bytes"
	"fmt"
	"regexp"
	"sort"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/telekom/controlplane-infrastructure/schema"
)

// Schema is a part of the JSON Schema of stack files.
type Schema map[string]any

// stackSchema is the schema in the two forms that checking needs: compiled to
// find what is wrong, and as it is written to say what is allowed.
type stackSchema struct {
	compiled *jsonschema.Schema
	root     Schema
}

var loadSchema = sync.OnceValues(func() (*stackSchema, error) { return compileSchema(schema.Stack) })

func compileSchema(data []byte) (*stackSchema, error) {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("read the schema of stack files: %w", err)
	}
	root, ok := document.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("the schema of stack files is a %T", document)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	compiler.UseRegexpEngine(eachOnce())
	for _, format := range formats {
		compiler.RegisterFormat(&jsonschema.Format{Name: format.Name, Validate: format.validate()})
	}
	if err := compiler.AddResource("stack.json", document); err != nil {
		return nil, fmt.Errorf("add the schema of stack files: %w", err)
	}
	compiled, err := compiler.Compile("stack.json")
	if err != nil {
		return nil, fmt.Errorf("compile the schema of stack files: %w", err)
	}
	return &stackSchema{compiled: compiled, root: root}, nil
}

// eachOnce compiles each pattern once: there are many keys of few formats, and
// compiling the pattern of each anew takes half of the time of a check.
func eachOnce() jsonschema.RegexpEngine {
	compiled := map[string]jsonschema.Regexp{}
	return func(pattern string) (jsonschema.Regexp, error) {
		if known, ok := compiled[pattern]; ok {
			return known, nil
		}
		expression, err := regexp.Compile(pattern)
		if err != nil {
			return nil, err
		}
		compiled[pattern] = expression
		return expression, nil
	}
}

// at returns the schema of what is at a path, or nil where none is.
func (s *stackSchema) at(path []string) Schema {
	current := s.root
	for _, token := range path {
		if next, ok := current.Properties()[token]; ok {
			current = next
		} else if items, ok := current["items"].(map[string]any); ok {
			current = items
		} else if values, ok := current["additionalProperties"].(map[string]any); ok {
			current = values
		} else {
			return nil
		}
	}
	return current
}

// components returns the schemas of the project's keys by their names with
// namespace.
func (s *stackSchema) components() map[string]Schema {
	components := map[string]Schema{}
	for name, property := range s.at([]string{"config"}).Properties() {
		if strings.HasPrefix(name, Namespace+":") {
			components[name] = property
		}
	}
	return components
}

// Properties returns the schemas of an object's keys.
func (s Schema) Properties() map[string]Schema {
	raw, _ := s["properties"].(map[string]any)
	properties := make(map[string]Schema, len(raw))
	for name, value := range raw {
		if property, ok := value.(map[string]any); ok {
			properties[name] = property
		}
	}
	return properties
}

// IsObject says whether the schema is that of a map with known keys.
func (s Schema) IsObject() bool {
	_, anyKey := s["additionalProperties"].(map[string]any)
	return s["type"] == "object" && !anyKey
}

// Items returns the schema of a list's items, or nil where they are no maps
// with known keys.
func (s Schema) Items() Schema {
	if items, ok := s["items"].(map[string]any); ok && Schema(items).IsObject() {
		return items
	}
	return nil
}

// IsSecret says whether the value is one that must be encrypted.
func (s Schema) IsSecret() bool { return s["writeOnly"] == true }

func (s Schema) keys() []string {
	properties := s.Properties()
	keys := make([]string, 0, len(properties))
	for key := range properties {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}

func (s Schema) enum() []string {
	values, _ := s["enum"].([]any)
	texts := make([]string, len(values))
	for i, value := range values {
		texts[i] = fmt.Sprint(value)
	}
	return texts
}

// Allowed says what a value may be, so that it completes "must be ...".
func (s Schema) Allowed() string {
	if values := s.enum(); len(values) == 1 {
		return values[0]
	} else if len(values) > 1 {
		return "one of " + strings.Join(values, ", ")
	}
	if name, ok := s["format"].(string); ok {
		for _, format := range formats {
			if format.Name == name {
				return format.Allowed
			}
		}
	}
	switch s["type"] {
	case "boolean":
		return "true or false"
	case "integer":
		return fmt.Sprintf("a whole number from %s to %s", number(s["minimum"]), number(s["maximum"]))
	case "array":
		return s.allowedList()
	case "object":
		if values, ok := s["additionalProperties"].(map[string]any); ok && values["type"] == "string" {
			return "a map of names to strings"
		}
		if !s.IsObject() {
			return "a map of names to values, each a string, a number, true or false"
		}
		return "a map with the keys " + strings.Join(s.keys(), ", ")
	}
	if types, ok := s["type"].([]any); ok && len(types) > 2 {
		return "a string, a number, true or false"
	}
	return s.allowedText()
}

func (s Schema) allowedList() string {
	allowed := "a list"
	if s["minItems"] != nil {
		allowed += ", not empty"
	}
	if s["uniqueItems"] == true {
		allowed += ", without repetition"
	}
	if items, ok := s["items"].(map[string]any); ok {
		allowed += ", each item " + Schema(items).Allowed()
	}
	return allowed
}

func (s Schema) allowedText() string {
	switch lower, upper := number(s["minLength"]), number(s["maxLength"]); {
	case upper != "":
		return fmt.Sprintf("a string of %s to %s characters", lower, upper)
	case lower != "":
		return "a string that is not empty"
	}
	return "a string"
}

func number(value any) string {
	if value == nil {
		return ""
	}
	return fmt.Sprint(value)
}
