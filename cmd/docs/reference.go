package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/telekom/controlplane-infrastructure/stacks/config"
)

// introduction is the part of the reference that is written by hand.
//
//go:embed introduction.md
var introduction string

// reference generates the configuration reference from the schema; the order is
// that of the structs.
func reference(schema []byte) ([]byte, error) {
	var root config.Schema
	decoder := json.NewDecoder(bytes.NewReader(schema))
	decoder.UseNumber()
	if err := decoder.Decode(&root); err != nil {
		return nil, fmt.Errorf("read the schema: %w", err)
	}
	components := root.Properties()["config"].Properties()

	var out bytes.Buffer
	out.WriteString(introduction)
	configType := reflect.TypeFor[config.Config]()
	for i := range configType.NumField() {
		field := configType.Field(i)
		key := config.Namespace + ":" + jsonName(field)
		component := components[key]
		fmt.Fprintf(&out, "\n## `%s`\n\n%s\n\n", key, component["description"])
		out.WriteString("| key | type | default | allowed | description |\n|---|---|---|---|---|\n")
		if component.IsObject() {
			rows(&out, "", component, field.Type)
		} else {
			row(&out, key, component)
		}
	}
	return out.Bytes(), nil
}

func jsonName(field reflect.StructField) string {
	name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
	return name
}

// rows writes a row for every key of an object, and below an object's row those
// of its own keys.
func rows(out *bytes.Buffer, prefix string, object config.Schema, t reflect.Type) {
	properties := object.Properties()
	required, _ := object["required"].([]any)
	for i := range t.NumField() {
		field := t.Field(i)
		name := jsonName(field)
		property := properties[name]
		for _, key := range required {
			if key == name {
				property["x-required"] = true
			}
		}
		row(out, prefix+name, property)
		fieldType := field.Type
		if fieldType.Kind() == reflect.Pointer || fieldType.Kind() == reflect.Slice {
			fieldType = fieldType.Elem()
		}
		if items := property.Items(); items != nil {
			rows(out, prefix+name+"[].", items, fieldType)
		} else if property.IsObject() {
			rows(out, prefix+name+".", property, fieldType)
		}
	}
}

func row(out *bytes.Buffer, key string, s config.Schema) {
	allowed := s.Allowed()
	if s.IsObject() {
		allowed = "the keys below"
	} else if s.Items() != nil {
		allowed = "items with the keys below"
	}
	cells := []string{"`" + key + "`", typeOf(s), defaultOf(s), allowed, fmt.Sprint(s["description"]) + example(s)}
	for i, cell := range cells {
		cells[i] = strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;").Replace(cell)
	}
	fmt.Fprintf(out, "| %s |\n", strings.Join(cells, " | "))
}

func typeOf(s config.Schema) string {
	switch {
	case s.IsSecret():
		return "secret"
	case s["type"] == "object":
		return "map"
	case s["format"] == "go-duration":
		return "duration"
	case s["format"] == "kubernetes-quantity":
		return "quantity"
	case s["type"] == "array":
		return "list"
	}
	return fmt.Sprint(s["type"])
}

func defaultOf(s config.Schema) string {
	switch {
	case s["x-required"] == true:
		return "required"
	case s["x-derived"] != nil:
		return fmt.Sprint(s["x-derived"])
	case s["default"] != nil:
		return fmt.Sprintf("`%v`", s["default"])
	}
	return "–"
}

func example(s config.Schema) string {
	examples, _ := s["examples"].([]any)
	if items, ok := s["items"].(map[string]any); ok && len(examples) == 0 {
		examples, _ = items["examples"].([]any)
	}
	if len(examples) == 0 {
		return ""
	}
	return fmt.Sprintf(" Example: `%v`.", examples[0])
}
