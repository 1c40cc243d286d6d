package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/invopop/jsonschema"

	"github.com/telekom/controlplane-infrastructure/stacks/config"
)

// stackFile is a whole stack file: the project's keys and what Pulumi itself
// keeps there.
type stackFile struct {
	SecretsProvider string `json:"secretsprovider"`
	EncryptedKey    string `json:"encryptedkey"`
	EncryptionSalt  string `json:"encryptionsalt"`
	Environment     any    `json:"environment"`
}

// stackSchema generates the JSON Schema of stack files.
func stackSchema(root string) ([]byte, error) {
	reflector, err := newReflector(root)
	if err != nil {
		return nil, err
	}
	components := reflector.Reflect(&config.Config{})
	if err := annotate(components, reflect.TypeFor[config.Config]()); err != nil {
		return nil, err
	}
	schema := reflector.Reflect(&stackFile{})
	// The newest draft that the YAML language server knows whole.
	schema.Version = "http://json-schema.org/draft-07/schema#"
	schema.Title = "Stack file of the Control Plane's infrastructure"
	describe(schema, map[string]string{
		"secretsprovider": "Pulumi's secrets provider of the stack. Written by Pulumi.",
		"encryptedkey":    "The encrypted data key of the secrets provider. Written by Pulumi.",
		"encryptionsalt":  "The salt of the passphrase secrets provider. Written by Pulumi.",
		"environment":     "Pulumi ESC environments that the stack imports.",
	})
	schema.Properties.Set("config", configSection(components))

	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(schema); err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	return out.Bytes(), nil
}

func newReflector(root string) (*jsonschema.Reflector, error) {
	reflector := &jsonschema.Reflector{
		Anonymous:                  true,
		DoNotReference:             true,
		RequiredFromJSONSchemaTags: true,
		Mapper:                     valueSchema,
	}
	// The comments are found by the path of their package, which the library
	// takes from the working directory.
	back, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	if err := os.Chdir(root); err != nil {
		return nil, err
	}
	commentsErr := reflector.AddGoComments("github.com/telekom/controlplane-infrastructure", "./stacks/config", jsonschema.WithFullComment())
	if err := os.Chdir(back); err != nil {
		return nil, err
	}
	if commentsErr != nil {
		return nil, fmt.Errorf("read the comments in %s: %w", filepath.Join(root, "stacks/config"), commentsErr)
	}
	return reflector, nil
}

// valueSchema is the schema of values that are more than a plain JSON type.
func valueSchema(t reflect.Type) *jsonschema.Schema {
	switch t {
	case reflect.TypeFor[config.Duration]():
		return &jsonschema.Schema{Type: "string", Format: "go-duration"}
	case reflect.TypeFor[config.Quantity]():
		// Kubernetes takes a bare number too: cpu: 1.
		return &jsonschema.Schema{
			Format: "kubernetes-quantity", ExclusiveMinimum: "0",
			Extras: map[string]any{"type": []string{"string", "number"}},
		}
	case reflect.TypeFor[config.Parameters]():
		return &jsonschema.Schema{Type: "object", AdditionalProperties: &jsonschema.Schema{
			Extras: map[string]any{"type": []string{"string", "number", "boolean"}},
		}}
	case reflect.TypeFor[config.Secret]():
		return &jsonschema.Schema{Type: "string", WriteOnly: true}
	}
	return nil
}

// configSection is the schema of the section config: the project's keys by
// their full names, and whatever belongs to another namespace.
func configSection(components *jsonschema.Schema) *jsonschema.Schema {
	properties := jsonschema.NewProperties()
	var full, short []any
	for pair := components.Properties.Oldest(); pair != nil; pair = pair.Next() {
		properties.Set(config.Namespace+":"+pair.Key, pair.Value)
		full, short = append(full, config.Namespace+":"+pair.Key), append(short, pair.Key)
	}
	properties.Set("pulumi:disable-default-providers", &jsonschema.Schema{
		Type: "array", Items: &jsonschema.Schema{Type: "string"},
		Description: "Packages that must not use a provider of the ambient environment; \"*\" means all.",
	})
	own := "^" + config.Namespace + ":"
	return &jsonschema.Schema{
		Type:        "object",
		Description: "Configuration of the stack. Keys of other namespaces, such as aws:region, configure providers.",
		Properties:  properties,
		PropertyNames: &jsonschema.Schema{AnyOf: []*jsonschema.Schema{
			{Enum: full},
			{Enum: short},
			{Pattern: ":", Not: &jsonschema.Schema{Pattern: own}},
		}},
	}
}

func describe(schema *jsonschema.Schema, descriptions map[string]string) {
	for pair := schema.Properties.Oldest(); pair != nil; pair = pair.Next() {
		if text, ok := descriptions[pair.Key]; ok {
			pair.Value.Description = text
		}
	}
}

// annotate completes the schema of a struct with what the library cannot know:
// patterns for editors, the encrypted form of secrets, and defaults that a tag
// states for keys further down.
func annotate(schema *jsonschema.Schema, t reflect.Type) error {
	for i := range t.NumField() {
		field := t.Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		property, ok := schema.Properties.Get(name)
		if !ok {
			return fmt.Errorf("field %s.%s has no schema", t, field.Name)
		}
		if property.Description == "" || !strings.HasSuffix(property.Description, ".") {
			return fmt.Errorf("field %s.%s needs a comment of whole sentences", t, field.Name)
		}
		fieldType, object := field.Type, property
		if fieldType.Kind() == reflect.Slice && property.Items != nil {
			object = property.Items
		}
		if fieldType.Kind() == reflect.Pointer || fieldType.Kind() == reflect.Slice {
			fieldType = fieldType.Elem()
		}
		if object.Properties != nil && object.Properties.Len() > 0 {
			if err := annotate(object, fieldType); err != nil {
				return err
			}
		}
		if err := finish(property); err != nil {
			return fmt.Errorf("field %s.%s: %w", t, field.Name, err)
		}
		if err := nestDefaults(property, field.Tag.Get("defaults")); err != nil {
			return fmt.Errorf("field %s.%s: %w", t, field.Name, err)
		}
	}
	return nil
}

func finish(property *jsonschema.Schema) error {
	if property.Items != nil {
		if err := finish(property.Items); err != nil {
			return err
		}
	}
	if property.Format != "" {
		pattern, ok := patterns()[property.Format]
		if !ok {
			return fmt.Errorf("there is no format %q", property.Format)
		}
		property.Pattern = pattern
	}
	if property.WriteOnly {
		encrypted := jsonschema.NewProperties()
		encrypted.Set("secure", &jsonschema.Schema{Type: "string"})
		property.Type = ""
		if property.Extras == nil {
			property.Extras = map[string]any{}
		}
		property.Extras["type"] = []string{"string", "object"}
		property.Properties = encrypted
		property.Required = []string{"secure"}
		property.AdditionalProperties = jsonschema.FalseSchema
	}
	return nil
}

func patterns() map[string]string {
	patterns := map[string]string{}
	for _, format := range config.Formats() {
		patterns[format.Name] = format.Pattern
	}
	return patterns
}

func nestDefaults(schema *jsonschema.Schema, tag string) error {
	for path, text := range config.NestedDefaults(tag) {
		target := schema
		for _, key := range strings.Split(path, ".") {
			next, ok := target.Properties.Get(key)
			if !ok {
				return fmt.Errorf("the default of %s is for no key", path)
			}
			target = next
		}
		target.Default = text
	}
	return nil
}
