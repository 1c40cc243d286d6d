package config

import (
	"reflect"
	"strings"
)

// ProjectKey is a key of the section config in Pulumi.yaml.
type ProjectKey struct {
	Name        string
	Type        string
	Description string
	// Default is what Pulumi takes for a stack that does not set the key. It
	// insists on one; an empty map changes nothing.
	Default any
}

// ProjectKeys returns the project's keys in the order of the struct, as
// Pulumi.yaml must declare them.
func ProjectKeys() ([]ProjectKey, error) {
	s, err := loadSchema()
	if err != nil {
		return nil, err
	}
	components := s.components()
	var keys []ProjectKey
	config := reflect.TypeFor[Config]()
	for i := range config.NumField() {
		name, _, _ := strings.Cut(config.Field(i).Tag.Get("json"), ",")
		component := components[Namespace+":"+name]
		kind, _ := component["type"].(string)
		description, _ := component["description"].(string)
		sentence, _, _ := strings.Cut(description, ". ")
		key := ProjectKey{Name: name, Type: kind, Description: strings.TrimSuffix(sentence, ".") + ".", Default: component["default"]}
		if component.IsObject() {
			key.Default = map[string]any{}
		}
		keys = append(keys, key)
	}
	return keys, nil
}
