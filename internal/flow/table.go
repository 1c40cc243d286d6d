package flow

import (
	"fmt"
	"slices"
)

// Check finds flows that cannot be told apart, lead nowhere, or do not say why they are there: mistakes of whoever
// declared them.
func (t Table) Check() error {
	seen := map[string]bool{}
	for _, f := range t.Flows {
		switch {
		case f.Name == "" || f.Why == "":
			return fmt.Errorf("flow %q does not say its name and what it is for", f.Name)
		case seen[f.Name]:
			return fmt.Errorf("two flows have the name %q", f.Name)
		case f.From.Namespace == "" && f.To.Namespace == "":
			return fmt.Errorf("flow %q neither begins nor ends in a namespace of the platform", f.Name)
		}
		seen[f.Name] = true
	}
	if len(t.DNS) == 0 || len(t.DNSPorts) == 0 {
		return fmt.Errorf("no server resolves names")
	}
	return nil
}

// ClusterDNS are the DNS pods as clusters commonly have them, and the cache that nodes may have.
func ClusterDNS() []Peer {
	return []Peer{
		{Name: "cluster DNS", Namespace: "kube-system", Pods: map[string]string{"k8s-app": "kube-dns"}},
		// The address that NodeLocal DNSCache listens on unless told otherwise. It is the node's, so no selector of pods
		// matches it. Source: the Kubernetes documentation, "Using NodeLocal DNSCache in Kubernetes Clusters".
		{Name: "node's DNS cache", CIDRs: []string{"169.254.20.10/32"}},
	}
}

// Into are the flows that end in a namespace.
func (t Table) Into(namespace string) []Flow {
	return slices.DeleteFunc(slices.Clone(t.Flows), func(f Flow) bool { return f.To.Namespace != namespace })
}
