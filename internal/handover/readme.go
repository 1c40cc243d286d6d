package handover

import (
	"bytes"
	_ "embed"
	"fmt"
	"slices"
	"text/template"
)

//go:embed readme.md.tmpl
var readmeText string

var readmeTemplate = template.Must(template.New("README.md").Funcs(template.FuncMap{
	"assumed": func(c *Contract, path string) bool { return slices.Contains(c.Assumed, path) },
}).Parse(readmeText))

// readme says what to do with the directory, in order.
func readme(c *Contract) ([]byte, error) {
	var b bytes.Buffer
	if err := readmeTemplate.Execute(&b, c); err != nil {
		return nil, fmt.Errorf("README.md: %w", err)
	}
	return b.Bytes(), nil
}
