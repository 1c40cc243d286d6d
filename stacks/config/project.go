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
		keys = append(keys, ProjectKey{Name: name, Type: kind, Description: strings.TrimSuffix(sentence, ".") + "."})
	}
	return keys, nil
}
