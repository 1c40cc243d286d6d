// Package awstest holds what programs register to the typed SDK of pulumi-aws: to names and types of inputs. It reads
// the SDK's source: compiling those packages takes minutes.
package awstest

import (
	"fmt"
	"go/ast"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// Inputs returns the inputs of a type by name, and whether each is required; nil for a type that the SDK does not have.
func Inputs(token string) map[string]bool {
	inputs, _, known := schema(token)
	return names(inputs, known)
}

// Properties returns all properties of a type by name.
func Properties(token string) map[string]bool {
	_, state, known := schema(token)
	return names(state, known)
}

// HasInput says that a type has the input at a path, such as vpcConfig.subnetIds.
func HasInput(token, path string) bool {
	inputs, _, known := schema(token)
	return known && inputs.has(path)
}

// HasProperty says that a type has the property at a path.
func HasProperty(token, path string) bool {
	_, state, known := schema(token)
	return known && state.has(path)
}

func (s shape) has(path string) bool {
	for _, name := range strings.Split(path, ".") {
		at := s.plain()
		for list, many := at.expr.(*ast.ArrayType); many; list, many = at.expr.(*ast.ArrayType) {
			at = shape{at.in, list.Elt}.plain()
		}
		field, ok := at.fields()[name]
		if !ok {
			return false
		}
		s = field
	}
	return true
}

func names(s shape, known bool) map[string]bool {
	if !known {
		return nil
	}
	found := map[string]bool{}
	for name, field := range s.fields() {
		found[name] = field.required()
	}
	return found
}

// Problems returns what is wrong with the inputs of a resource. Values that are not known yet are fine.
func Problems(token string, inputs resource.PropertyMap) []string {
	known, _, ok := schema(token)
	if !ok {
		return []string{"type " + token + " is not known to the SDK"}
	}
	return object(token, known, inputs)
}

func object(path string, s shape, given resource.PropertyMap) (problems []string) {
	known := s.fields()
	for key, v := range given {
		field, ok := known[string(key)]
		if !ok {
			problems = append(problems, fmt.Sprintf("%s has no input %s; it has %v", path, key, slices.Sorted(maps.Keys(known))))
			continue
		}
		problems = append(problems, value(path+"."+string(key), field, v)...)
	}
	for name, field := range known {
		if _, ok := given[resource.PropertyKey(name)]; !ok && field.required() {
			problems = append(problems, fmt.Sprintf("%s lacks %s", path, name))
		}
	}
	return problems
}

func value(path string, s shape, v resource.PropertyValue) (problems []string) {
	switch {
	case v.IsSecret():
		return value(path, s, v.SecretValue().Element)
	case v.IsComputed() || v.IsOutput():
		return nil
	}
	s = s.plain()
	switch e := s.expr.(type) {
	case *ast.InterfaceType, *ast.SelectorExpr:
		return nil
	case *ast.StructType:
		if v.IsObject() {
			return object(path, s, v.ObjectValue())
		}
	case *ast.ArrayType:
		if v.IsArray() {
			for i, element := range v.ArrayValue() {
				problems = append(problems, value(fmt.Sprintf("%s[%d]", path, i), shape{s.in, e.Elt}, element)...)
			}
			return problems
		}
	case *ast.MapType:
		if v.IsObject() {
			for key, element := range v.ObjectValue() {
				problems = append(problems, value(path+"."+string(key), shape{s.in, e.Value}, element)...)
			}
			return problems
		}
	}
	if basic(s.basic(), v) {
		return nil
	}
	return []string{fmt.Sprintf("%s is %s; want %s", path, v.TypeString(), s.what())}
}

func basic(name string, v resource.PropertyValue) bool {
	switch name {
	case "string":
		return v.IsString()
	case "bool":
		return v.IsBool()
	case "float64":
		return v.IsNumber()
	case "int":
		return v.IsNumber() && v.NumberValue() == math.Trunc(v.NumberValue())
	}
	return name == "any"
}

// what names a shape for people.
func (s shape) what() string {
	switch s.expr.(type) {
	case *ast.StructType:
		return "an object"
	case *ast.ArrayType:
		return "a list"
	case *ast.MapType:
		return "a map"
	}
	return s.basic()
}
