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

// Configurations that several tests look at, beside the empty one, which is a platform of one of each.
var (
	// Zonal is spread over zones, with object storage of its own and backups.
	Zonal = Configuration{"availability": "zonal"}
	// Amazon has its object storage in AWS.
	Amazon = Zonal.With(Configuration{
		"aws":     `{"region":"eu-central-1"}`,
		"cluster": `{"oidcProviderArn":"arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLE"}`,
		"storage": `{"objectStorage":{"backend":"s3","bucket":"example-files"}}`,
	})
	// Istio and Linkerd have a mesh. The charts of Linkerd are in no module: those of its component's tests stand for them.
	Istio   = Zonal.With(Configuration{"network": `{"mesh":{"type":"istio"}}`})
	Linkerd = Zonal.With(Configuration{
		"network": `{"mesh":{"type":"linkerd"}}`,
		"artifacts": `{"overrides":{
			"linkerdCRDs":{"directory":"components/network/linkerd/testdata/linkerd-crds"},
			"linkerdControlPlane":{"directory":"components/network/linkerd/testdata/linkerd-control-plane"},
			"linkerdCNI":{"directory":"components/network/linkerd/testdata/linkerd2-cni"}}}`,
	})
)

func (c Configuration) values() map[string]string {
	values := map[string]string{config.Namespace + ":identity": hostname}
	for key, value := range c {
		values[config.Namespace+":"+key] = value
	}
	return values
}

// With is the configuration with other values for some keys.
func (c Configuration) With(other Configuration) Configuration {
	all := Configuration{}
	maps.Copy(all, c)
	maps.Copy(all, other)
	return all
}

// Parse is the configuration as the program reads it.
func (c Configuration) Parse() (*config.Config, error) {
	cfg, err := config.ParseJSON(c.values())
	if err == nil {
		cfg.SetStack("test")
	}
	return cfg, err
}

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
