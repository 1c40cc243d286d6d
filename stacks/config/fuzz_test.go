package config_test

import (
	"errors"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/telekom/controlplane-infrastructure/stacks/config"
)

// FuzzParse feeds arbitrary values: whatever they are, the answer is a
// configuration or a list of problems, never a panic or an error from within.
func FuzzParse(f *testing.F) {
	for _, test := range everythingBad {
		f.Add(test.yaml)
	}
	f.Add("resources: {operator: {limits: {cpu: 1e30, memory: 1e-30}}}")
	f.Add("certTrust: {certManager: {controllerReplicas: 3e0}}")
	f.Fuzz(func(t *testing.T, text string) {
		var values map[string]any
		if yaml.Unmarshal([]byte(text), &values) != nil {
			return
		}
		cfg, err := config.Parse(values)
		var problems config.Errors
		if err != nil && !errors.As(err, &problems) {
			t.Fatalf("an error from within: %v", err)
		}
		if (cfg == nil) == (err == nil) {
			t.Fatalf("configuration %v with error %v", cfg, err)
		}
	})
}
