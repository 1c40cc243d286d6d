package manifest

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// properties turns an object into resource inputs, run-time values in place
// and the content of Secrets marked as secret.
func properties(o *Object) (pulumi.Map, error) {
	converted, err := toInput(o.Object)
	if err != nil {
		return nil, err
	}
	for _, pointer := range slices.Sorted(maps.Keys(o.Inputs)) {
		keys := strings.Split(pointer, "/")
		if len(keys) < 2 || keys[0] != "" {
			return nil, fmt.Errorf("%q is not a JSON pointer", pointer)
		}
		for i, key := range keys {
			keys[i] = pointerUnescaper.Replace(key)
		}
		if converted, err = place(converted, keys[1:], o.Inputs[pointer]); err != nil {
			return nil, fmt.Errorf("run-time value at %s: %w", pointer, err)
		}
	}
	props := converted.(pulumi.Map)
	if isSecret(o) {
		for _, key := range []string{"data", "stringData"} {
			if content, ok := props[key]; ok {
				props[key] = sealed(content)
			}
		}
	}
	return props, nil
}

// sealed makes each value a secret; which keys there are is none, and shows who reads a preview what changes.
func sealed(content pulumi.Input) pulumi.Input {
	values, ok := content.(pulumi.Map)
	if !ok {
		return pulumi.ToSecret(content).(pulumi.Input)
	}
	for key, value := range values {
		values[key] = pulumi.ToSecret(value).(pulumi.Input)
	}
	return values
}

func isSecret(o *Object) bool { return o.GetKind() == "Secret" && o.GetAPIVersion() == "v1" }

func toInput(value any) (pulumi.Input, error) {
	switch value := value.(type) {
	case map[string]any:
		m := make(pulumi.Map, len(value))
		for key, v := range value {
			in, err := toInput(v)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", key, err)
			}
			m[key] = in
		}
		return m, nil
	case []any:
		a := make(pulumi.Array, len(value))
		for i, v := range value {
			in, err := toInput(v)
			if err != nil {
				return nil, fmt.Errorf("[%d]: %w", i, err)
			}
			a[i] = in
		}
		return a, nil
	case string:
		return pulumi.String(value), nil
	case bool:
		return pulumi.Bool(value), nil
	case int64:
		return pulumi.Int(value), nil
	case float64:
		return pulumi.Float64(value), nil
	case nil:
		return nil, nil
	}
	return nil, fmt.Errorf("a value of type %T cannot be sent", value)
}

// place returns node with value at the path below it.
func place(node pulumi.Input, path []string, value pulumi.Input) (pulumi.Input, error) {
	if len(path) == 0 {
		return value, nil
	}
	switch container := node.(type) {
	case nil:
		return place(pulumi.Map{}, path, value)
	case pulumi.Map:
		child, err := place(container[path[0]], path[1:], value)
		if err != nil {
			return nil, err
		}
		container[path[0]] = child
		return container, nil
	case pulumi.Array:
		index, err := strconv.Atoi(path[0])
		if err != nil || index < 0 || index > len(container) {
			return nil, fmt.Errorf("%q is not an index into a list of %d", path[0], len(container))
		}
		if index == len(container) {
			container = append(container, nil)
		}
		child, err := place(container[index], path[1:], value)
		if err != nil {
			return nil, err
		}
		container[index] = child
		return container, nil
	}
	return nil, fmt.Errorf("%q lies below a plain value", path[0])
}
