// Package flowtest has what tests of flows have in common.
package flowtest

import "github.com/telekom/controlplane-infrastructure/internal/flow"

// Table is a table of the flows in a cluster that resolves names as clusters commonly do.
func Table(flows ...flow.Flow) flow.Table {
	return flow.Table{
		Flows: flows, DNSPorts: []int{53},
		DNS: []flow.Peer{
			{Name: "cluster DNS", Namespace: "kube-system", Pods: map[string]string{"k8s-app": "kube-dns"}},
			{Name: "node's DNS cache", CIDRs: []string{"169.254.20.10/32"}},
		},
	}
}
