package graph

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/telekom/controlplane-infrastructure/stacks/config"
)

// hostname is the identity provider's, which no stack does without.
const hostname = `{"hostname": "iris.example.com"}`

// Configuration are the stack's values by their key below the project's namespace, as JSON or plain strings. Without one,
// the identity provider is given a host name.
type Configuration map[string]string

func (c Configuration) values() map[string]string {
	values := map[string]string{config.Namespace + ":identity": hostname}
	for key, value := range c {
		values[config.Namespace+":"+key] = value
	}
	return values
}

// With is the configuration with other values for some keys.
func (c Configuration) With(other Configuration) Configuration {
	all := maps.Clone(c)
	if all == nil {
		all = Configuration{}
	}
	maps.Copy(all, other)
	return all
}

// Parse is the configuration as the program reads it.
func (c Configuration) Parse() (*config.Config, error) { return config.ParseJSON(c.values()) }

// StackFile is the configuration in the file of a stack.
func StackFile(root, stack string) (Configuration, error) {
	data, err := os.ReadFile(filepath.Join(root, "Pulumi."+stack+".yaml"))
	if err != nil {
		return nil, err
	}
	var file struct {
		Config map[string]any `yaml:"config"`
	}
	if err := yaml.Unmarshal(data, &file); err != nil {
		return nil, fmt.Errorf("stack %s: %w", stack, err)
	}
	c := Configuration{}
	for key, value := range file.Config {
		name, ours := strings.CutPrefix(key, config.Namespace+":")
		if !ours {
			continue
		}
		if text, plain := value.(string); plain {
			c[name] = text
			continue
		}
		encoded, err := json.Marshal(value)
		if err != nil {
			return nil, fmt.Errorf("stack %s: %s: %w", stack, key, err)
		}
		c[name] = string(encoded)
	}
	return c, nil
}
