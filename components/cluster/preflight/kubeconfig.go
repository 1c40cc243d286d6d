package preflight

import (
	"fmt"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// Kubeconfig says how a cluster is reached, by the rules of the Kubernetes plugin.
type Kubeconfig struct {
	// Path is a file, Content what such a file holds; neither: the KUBECONFIG variable, or ~/.kube/config.
	Path, Content string
	// Context is one of its contexts; empty: its current one.
	Context string
}

// Load reads it.
func (k Kubeconfig) Load() (*rest.Config, error) {
	overrides := &clientcmd.ConfigOverrides{CurrentContext: k.Context}
	if k.Content != "" {
		kubeconfig, err := clientcmd.Load([]byte(k.Content))
		if err != nil {
			return nil, fmt.Errorf("the content of the kubeconfig: %w", err)
		}
		return clientcmd.NewDefaultClientConfig(*kubeconfig, overrides).ClientConfig()
	}
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = k.Path
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, overrides).ClientConfig()
	if clientcmd.IsEmptyConfig(err) {
		return nil, fmt.Errorf("no kubeconfig: KUBECONFIG is not set and there is no ~/.kube/config: %w", err)
	}
	return config, err
}
