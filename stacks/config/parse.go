package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"sort"
	"strconv"
	"strings"
)

// Parse reads a configuration from plain values by key, with or without the
// namespace "controlplane:"; keys of other namespaces are left alone. It
// returns [Errors] when something is wrong.
func Parse(values map[string]any) (*Config, error) {
	s, err := loadSchema()
	if err != nil {
		return nil, err
	}
	plain, err := normalize(values)
	if err != nil {
		return nil, err
	}
	return s.evaluate(map[string]any{"config": plain}, nil)
}

// ParseJSON reads a configuration in the form in which the engine hands it to a
// program: each value as text, objects as JSON.
func ParseJSON(values map[string]string) (*Config, error) {
	plain := make(map[string]any, len(values))
	for key, text := range values {
		plain[key] = text
	}
	return Parse(plain)
}

// normalize brings values into the form that decoding JSON gives, without the
// ones that are null: a key with nothing below it is not set.
func normalize(values map[string]any) (map[string]any, error) {
	data, err := json.Marshal(stringKeys(values))
	if err != nil {
		return nil, fmt.Errorf("read configuration values: %w", err)
	}
	var plain map[string]any
	if err := json.Unmarshal(data, &plain); err != nil {
		return nil, fmt.Errorf("read configuration values: %w", err)
	}
	dropNulls(plain)
	return plain, nil
}

// stringKeys turns the keys of YAML's maps, which may be of any type, and
// secrets given in the clear, into strings.
func stringKeys(value any) any {
	switch v := value.(type) {
	case map[any]any:
		m := make(map[string]any, len(v))
		for key, item := range v {
			m[fmt.Sprint(key)] = stringKeys(item)
		}
		return m
	case map[string]any:
		m := make(map[string]any, len(v))
		for key, item := range v {
			m[key] = stringKeys(item)
		}
		return m
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = stringKeys(item)
		}
		return list
	case Secret:
		return string(v)
	}
	return value
}

func dropNulls(value any) {
	switch v := value.(type) {
	case map[string]any:
		for key, item := range v {
			if item == nil {
				delete(v, key)
				continue
			}
			dropNulls(item)
		}
	case []any:
		for _, item := range v {
			dropNulls(item)
		}
	}
}

// evaluate checks a stack file and makes a configuration of it. It has a source,
// which tells where a path is, when it is read from a file; what the engine hands
// over has none, and has its secrets decrypted. Values that are wrong are taken
// out, so that the rest can still be checked; what is reported of the rest is
// only what does not hang on them.
func (s *stackSchema) evaluate(document map[string]any, source func(path []string) string) (*Config, error) {
	values, ok := document["config"].(map[string]any)
	if document["config"] == nil {
		values, ok = map[string]any{}, true
		document["config"] = values
	}
	var faults []fault
	if ok {
		faults = append(faults, s.keys(values)...)
	}
	if ok && source != nil {
		faults = append(faults, s.openSecrets(values)...)
	}
	invalid, err := s.validate(document)
	if err != nil {
		return nil, err
	}
	faults = append(faults, invalid...)
	for _, f := range faults {
		remove(document, f.path)
	}
	given := stated(document)
	cfg, err := decode(s, document)
	if err != nil {
		return nil, err
	}
	cfg.derive()
	faults = append(faults, cfg.check(given, faults)...)
	problems := make(Errors, len(faults))
	for i, f := range faults {
		problems[i] = f.Problem
		problems[i].Path = display(f.path)
		if source != nil {
			problems[i].Source = source(f.path)
		}
	}
	if err := problems.sorted(); err != nil {
		return nil, err
	}
	return cfg, nil
}

// stated returns the dotted paths, below the project's namespace, of all that a
// stack file has.
func stated(document map[string]any) map[string]bool {
	paths := map[string]bool{}
	var walk func(path string, value any)
	walk = func(path string, value any) {
		paths[path] = true
		switch v := value.(type) {
		case map[string]any:
			for key, item := range v {
				walk(path+"."+key, item)
			}
		case []any:
			for i, item := range v {
				walk(path+"."+strconv.Itoa(i), item)
			}
		}
	}
	values, _ := document["config"].(map[string]any)
	for name, value := range values {
		if key, own := strings.CutPrefix(name, Namespace+":"); own {
			walk(key, value)
		}
	}
	return paths
}

// keys gives the project's keys their namespace, reads objects that come as
// JSON, and takes out keys that do not exist.
func (s *stackSchema) keys(values map[string]any) []fault {
	components := s.components()
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	sort.Strings(names) // a key with its namespace comes before the same without
	var faults []fault
	unknown := func(name string, problem Problem) {
		faults = append(faults, fault{[]string{"config", name}, problem, true})
		delete(values, name)
	}
	for _, name := range names {
		full := name
		if !strings.Contains(name, ":") {
			full = Namespace + ":" + name
		}
		component, known := components[full]
		switch {
		case !known:
			if problem, wrong := s.foreign(full); wrong {
				unknown(name, problem)
			}
			continue
		case full != name && values[full] != nil:
			unknown(name, Problem{Message: "is set twice; it is the same key as " + full})
			continue
		}
		value := values[name]
		if text, ok := value.(string); ok && component.IsObject() {
			var object map[string]any
			if err := json.Unmarshal([]byte(text), &object); err == nil && object != nil {
				dropNulls(object)
				value = object
			}
		}
		delete(values, name)
		values[full] = value
	}
	return faults
}

// foreign says what is wrong with a key that is none of the project's: nothing,
// if it belongs to another namespace.
func (s *stackSchema) foreign(full string) (Problem, bool) {
	var known, short []string
	for key := range s.components() {
		known, short = append(known, key), append(short, strings.TrimPrefix(key, Namespace+":"))
	}
	sort.Strings(known)
	namespace, name, _ := strings.Cut(full, ":")
	suggestion := nearest(name, short)
	if suggestion != "" {
		suggestion = Namespace + ":" + suggestion
	}
	if namespace != Namespace {
		if suggestion == "" || nearest(namespace, []string{Namespace}) == "" {
			return Problem{}, false
		}
	} else if suggestion == "" {
		suggestion = s.elsewhere(name)
	}
	return Problem{Message: "is not a key; allowed are " + strings.Join(known, ", "), Suggestion: suggestion}, true
}

// decode turns a checked stack file into a configuration with its defaults.
func decode(s *stackSchema, document map[string]any) (*Config, error) {
	components := map[string]any{}
	values, _ := document["config"].(map[string]any)
	for name := range s.components() {
		if value := values[name]; value != nil {
			components[strings.TrimPrefix(name, Namespace+":")] = value
		}
	}
	imply(components)
	fill(reflect.TypeFor[Config](), components)
	data, err := json.Marshal(components)
	if err != nil {
		return nil, fmt.Errorf("encode the configuration: %w", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	cfg := &Config{}
	if err := decoder.Decode(cfg); err != nil {
		return nil, fmt.Errorf("decode the configuration: %w", err)
	}
	return cfg, nil
}
