package dashboards

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
)

// Queries are what the panels and the variables of a dashboard ask of Prometheus, as it gets to see them: with everything
// chosen, and rates over five minutes.
func (d Dashboard) Queries() ([]string, error) {
	var read struct {
		Panels []struct {
			Targets []struct{ Expr string }
		}
		Templating struct {
			List []struct {
				Type, Name string
				Query      json.RawMessage
			}
		}
	}
	if err := json.Unmarshal(d.JSON, &read); err != nil {
		return nil, fmt.Errorf("decode the dashboard %q: %w", d.Title, err)
	}
	var asked, variables []string
	for _, variable := range read.Templating.List {
		variables = append(variables, variable.Name)
		if variable.Type != "query" {
			continue
		}
		series, err := seriesOf(variable.Query)
		if err != nil {
			return nil, fmt.Errorf("the variable %s of the dashboard %q: %w", variable.Name, d.Title, err)
		}
		asked = append(asked, series)
	}
	for _, panel := range read.Panels {
		for _, target := range panel.Targets {
			asked = append(asked, target.Expr)
		}
	}
	for i, text := range asked {
		resolved, err := resolve(text, variables)
		if err != nil {
			return nil, fmt.Errorf("the dashboard %q: %w", d.Title, err)
		}
		asked[i] = resolved
	}
	return asked, nil
}

// labelValues is how Grafana is asked for the values of a label.
var labelValues = regexp.MustCompile(`^label_values\((.+), (\w+)\)$`)

// seriesOf are the series that a variable takes its values from.
func seriesOf(raw json.RawMessage) (string, error) {
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return "", err
	}
	found := labelValues.FindStringSubmatch(text)
	if found == nil {
		return "", fmt.Errorf("%q is not label_values(<series>, <label>)", text)
	}
	return found[1], nil
}

var reference = regexp.MustCompile(`\$(?:\{(\w+)\}|(\w+))`)

// resolve puts values in the place of variables.
func resolve(text string, variables []string) (string, error) {
	var unknown []string
	resolved := reference.ReplaceAllStringFunc(text, func(match string) string {
		name := reference.ReplaceAllString(match, "$1$2")
		switch {
		case name == "__rate_interval":
			return "5m"
		case slices.Contains(variables, name):
			return ".*"
		}
		unknown = append(unknown, name)
		return match
	})
	if len(unknown) > 0 {
		return "", fmt.Errorf("%q needs the variables %v, which there are not", text, unknown)
	}
	return resolved, nil
}
