package certmanager

import "github.com/telekom/controlplane-infrastructure/internal/flow"

// SolverPort is where the pods listen that answer HTTP-01 challenges.
const SolverPort = 8089

// Solvers are these pods: cert-manager runs them next to the Certificate, for as long as a challenge takes.
func Solvers(namespace string) flow.Peer {
	return flow.Peer{Namespace: namespace, Pods: map[string]string{"acme.cert-manager.io/http01-solver": "true"}}
}
