package rds

import (
	"fmt"

	"github.com/telekom/controlplane-infrastructure/components/storage/postgresql"
	"github.com/telekom/controlplane-infrastructure/internal/flow"
)

func (a Args) stores() flow.Peer { return a.Network.Stores("Amazon RDS") }

// Flows are the connections to the instances, as far as they begin in a namespace of the platform: others' policies are
// others' business.
func (a Args) Flows() []flow.Flow {
	var flows []flow.Flow
	for _, i := range a.Instances {
		flows = append(flows, flow.Flow{
			Name: fmt.Sprintf("postgresql-%s-check", i.Name), From: postgresql.CheckPods(i.Name), To: a.stores(),
			Ports: []int{postgresql.Port}, Why: "A Job makes databases and roles, and logs in to each database as clients do.",
		})
	}
	for _, client := range a.clusters().AllClients() {
		if client.Pods.Namespace == "" {
			continue
		}
		flows = append(flows, flow.Flow{
			Name: "postgresql-" + client.Name, From: client.Pods, To: a.stores(), Ports: []int{postgresql.Port},
			Why: fmt.Sprintf("Clients use database %s.", client.Database),
		})
	}
	return flows
}
