package config

import "k8s.io/apimachinery/pkg/api/resource"

// Quantity is an amount of CPU or memory in Kubernetes' notation.
type Quantity = resource.Quantity

// Resources is the table of resource classes. Its defaults are the figures
// that the Control Plane's documentation publishes.
type Resources struct {
	// Operators: controllers that reconcile custom resources.
	Operator ResourceClass `json:"operator" defaults:"requests.cpu=100m,requests.memory=128Mi,limits.cpu=500m,limits.memory=512Mi"`
	// API servers.
	APIServer ResourceClass `json:"apiServer" defaults:"requests.cpu=100m,requests.memory=256Mi,limits.cpu=500m,limits.memory=1Gi"`
	// The gateway.
	Gateway ResourceClass `json:"gateway" defaults:"requests.cpu=500m,requests.memory=512Mi,limits.cpu=1000m,limits.memory=2Gi"`
	// The identity provider.
	IdentityProvider ResourceClass `json:"identityProvider" defaults:"requests.cpu=500m,requests.memory=1Gi,limits.cpu=1000m,limits.memory=2Gi"`
}

// ResourceClass is what a container of a class reserves and may use.
type ResourceClass struct {
	// What is reserved for a container.
	Requests ResourceAmounts `json:"requests"`
	// What a container may use at most; never less than its request.
	Limits ResourceAmounts `json:"limits"`
}

// ResourceAmounts is an amount of CPU and of memory.
type ResourceAmounts struct {
	// CPU in cores (`0.5`) or thousandths of a core (`500m`).
	CPU Quantity `json:"cpu"`
	// Memory in bytes, with a unit such as `Mi` or `Gi`.
	Memory Quantity `json:"memory"`
}
