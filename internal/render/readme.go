package render

import (
	"bytes"
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"text/template"
)

const readmeFile = "README.md"

//go:embed readme.md.tmpl
var readmeText string

var readmeTemplate = template.Must(template.New(readmeFile).Funcs(template.FuncMap{
	"code": code, "list": list, "sum": sum,
}).Parse(readmeText))

// readme says what the manifests cannot.
func (m *Manifests) readme() error {
	var b bytes.Buffer
	if err := readmeTemplate.Execute(&b, m); err != nil {
		return fmt.Errorf("README: %w", err)
	}
	m.files[readmeFile] = b.Bytes()
	return nil
}

// code is a value as it may be part of a table.
func code(s string) string { return "`" + strings.ReplaceAll(s, "|", `\|`) + "`" }

// list are values as they may be part of a table.
func list(values []string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = code(v)
	}
	return strings.Join(quoted, ", ")
}

// summary is a type of resources that are no Kubernetes objects.
type summary struct {
	Component, Type string
	Names           []string
}

// sum groups resources, which are sorted, by component and type.
func sum(resources []Resource) []summary {
	var all []summary
	for _, r := range resources {
		last := len(all) - 1
		if last < 0 || all[last].Component != r.Component || all[last].Type != r.Type {
			all, last = append(all, summary{Component: r.Component, Type: r.Type}), last+1
		}
		if !slices.Contains(all[last].Names, r.Name) {
			all[last].Names = append(all[last].Names, r.Name)
		}
	}
	return all
}
