package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Load reads the configuration of a stack from the stack file in the project's
// root directory. A value that is encrypted there counts as set, but is not
// known. It returns [Errors] when something in the file is wrong, or when there
// is no such stack.
func Load(root, stack string) (*Config, error) {
	s, err := loadSchema()
	if err != nil {
		return nil, err
	}
	name, err := fileName(root, stack)
	if err != nil {
		return nil, err
	}
	document, lines, err := readYAML(filepath.Join(root, name))
	if err != nil {
		return nil, err
	}
	if err := addProjectValues(root, document); err != nil {
		return nil, err
	}
	cfg, err := s.evaluate(document, func(path []string) string {
		return fmt.Sprintf("%s:%d", name, lines.at(path))
	})
	if err != nil {
		return nil, err
	}
	cfg.SetStack(shortName(stack))
	return cfg, nil
}

// Stacks returns the names of the stacks that have a file in the project's root
// directory.
func Stacks(root string) ([]string, error) {
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil, fmt.Errorf("list stacks: %w", err)
	}
	var stacks []string
	for _, entry := range entries {
		rest, isStack := strings.CutPrefix(entry.Name(), "Pulumi.")
		name, isYAML := strings.CutSuffix(rest, ".yaml")
		if isStack && isYAML && name != "" && !entry.IsDir() {
			stacks = append(stacks, name)
		}
	}
	sort.Strings(stacks)
	return stacks, nil
}

// shortName returns the last part of a stack's full name, organization/project/stack.
func shortName(stack string) string { return stack[strings.LastIndex(stack, "/")+1:] }

func fileName(root, stack string) (string, error) {
	name := "Pulumi." + shortName(stack) + ".yaml"
	info, err := os.Stat(filepath.Join(root, name))
	if err == nil && info.Mode().IsRegular() && shortName(stack) != "" {
		return name, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("find stack %q: %w", stack, err)
	}
	stacks, err := Stacks(root)
	if err != nil {
		return "", err
	}
	message := fmt.Sprintf("has no file %s in %s; there are no stack files", name, root)
	if len(stacks) > 0 {
		message = fmt.Sprintf("has no file %s in %s; must be one of %s", name, root, strings.Join(stacks, ", "))
	}
	return "", Errors{{Path: "stack", Value: quote(stack), Message: message, Suggestion: nearest(shortName(stack), stacks)}}
}

// lineIndex finds the lines of a YAML document's values.
type lineIndex struct{ root *yaml.Node }

// at returns the line of what is at the path, or of the nearest that is there.
func (l lineIndex) at(path []string) int {
	node, line := l.root, 1
	for _, token := range path {
		for node != nil && node.Kind == yaml.AliasNode {
			node = node.Alias
		}
		next, at := step(node, token)
		if next == nil && strings.HasPrefix(token, Namespace+":") {
			next, at = step(node, strings.TrimPrefix(token, Namespace+":"))
		}
		if next == nil {
			break
		}
		node, line = next, at
	}
	return line
}

func step(node *yaml.Node, token string) (*yaml.Node, int) {
	switch {
	case node == nil:
	case node.Kind == yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			if node.Content[i].Value == token {
				return node.Content[i+1], node.Content[i].Line
			}
		}
	case node.Kind == yaml.SequenceNode:
		for i, item := range node.Content {
			if fmt.Sprint(i) == token {
				return item, item.Line
			}
		}
	}
	return nil, 0
}

func readYAML(path string) (map[string]any, lineIndex, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, lineIndex{}, fmt.Errorf("read the stack file: %w", err)
	}
	document, root, err := parseYAML(data)
	if err != nil {
		return nil, lineIndex{}, unreadable(filepath.Base(path), data, err)
	}
	return document, lineIndex{root}, nil
}

func parseYAML(data []byte) (map[string]any, *yaml.Node, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var node yaml.Node
	if err := decoder.Decode(&node); errors.Is(err, io.EOF) {
		return map[string]any{}, nil, nil
	} else if err != nil {
		return nil, nil, err
	}
	var second yaml.Node
	if err := decoder.Decode(&second); err == nil {
		return nil, nil, fmt.Errorf("yaml: line %d: a second document starts; must be one document", second.Line)
	} else if !errors.Is(err, io.EOF) {
		return nil, nil, err
	}
	var value any
	if err := node.Decode(&value); err != nil {
		return nil, nil, err
	}
	switch v := stringKeys(value).(type) {
	case nil:
		return map[string]any{}, nil, nil
	case map[string]any:
		document, err := normalize(v)
		return document, node.Content[0], err
	}
	return nil, nil, fmt.Errorf("yaml: line %d: must be a map with the key config", node.Content[0].Line)
}

var yamlLine = regexp.MustCompile(`line ([0-9]+): (.*)`)

// unreadable makes a problem, with its line, of an error of the YAML parser.
func unreadable(name string, data []byte, err error) error {
	problem := Problem{Message: "is not valid YAML: " + strings.TrimPrefix(err.Error(), "yaml: "), Source: name}
	if match := yamlLine.FindStringSubmatch(err.Error()); match != nil {
		problem.Source += ":" + match[1]
		problem.Message = "is not valid YAML: " + match[2]
	}
	for i, line := range strings.Split(string(data), "\n") {
		if indent := line[:len(line)-len(strings.TrimLeft(line, " \t"))]; strings.Contains(indent, "\t") {
			problem.Message += fmt.Sprintf(" (line %d is indented with a tab; YAML allows spaces only)", i+1)
			break
		}
	}
	return Errors{problem}
}

// projectFile is what matters here of Pulumi.yaml.
type projectFile struct {
	Name   string         `yaml:"name"`
	Config map[string]any `yaml:"config"`
}

// addProjectValues adds the values that the project file gives to all stacks,
// under the stack's own.
func addProjectValues(root string, document map[string]any) error {
	data, err := os.ReadFile(filepath.Join(root, "Pulumi.yaml"))
	if errors.Is(err, fs.ErrNotExist) {
		return Errors{{Path: "Pulumi.yaml", Message: fmt.Sprintf("is not in %s; must be the root directory of the project", root)}}
	} else if err != nil {
		return fmt.Errorf("read the project file: %w", err)
	}
	var project projectFile
	if err := yaml.Unmarshal(data, &project); err != nil {
		return unreadable("Pulumi.yaml", data, err)
	}
	if project.Name != Namespace {
		return Errors{{Path: "name", Value: quote(project.Name), Message: "must be " + Namespace + ", the namespace of the keys in stack files", Source: "Pulumi.yaml"}}
	}
	shared, err := normalize(projectValues(project.Config))
	if err != nil {
		return err
	}
	if document["config"] == nil {
		document["config"] = map[string]any{}
	}
	values, ok := document["config"].(map[string]any)
	for key, value := range shared {
		_, set := values[key]
		_, setFull := values[Namespace+":"+key]
		if ok && !set && !setFull {
			values[key] = value
		}
	}
	return nil
}

// projectValues returns the values among the declarations in Pulumi.yaml.
func projectValues(declared map[string]any) map[string]any {
	values := map[string]any{}
	for key, declaration := range declared {
		fields, isMap := declaration.(map[string]any)
		switch {
		case !isMap:
			values[key] = declaration
		case fields["value"] != nil:
			values[key] = fields["value"]
		case fields["default"] != nil:
			values[key] = fields["default"]
		}
	}
	return values
}
