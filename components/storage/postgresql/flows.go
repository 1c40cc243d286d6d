package postgresql

import (
	"fmt"
	"slices"

	"github.com/telekom/controlplane-infrastructure/internal/flow"
)

// The ports of the pods, as the manifests and CloudNativePG's package pkg/management/url have them.
const (
	operatorWebhookPort = 9443
	operatorMetricsPort = 8080
	pluginPort          = 9090
	statusPort          = 8000
	metricsPort         = 9187
	poolerMetricsPort   = 9127
)

// roleLabel tells instances from poolers; the operator sets it. The Jobs that prepare volumes do not have it.
const roleLabel = "cnpg.io/podRole"

// primaryLabel is "primary" on the instance that takes writes. Source: pkg/specs/services.go in CloudNativePG.
const primaryLabel = "cnpg.io/instanceRole"

// componentLabel is "database" on instances and on the Jobs that prepare volumes, "pooler" on poolers, and "check" on
// our own Job.
const componentLabel = "app.kubernetes.io/component"

// Client is somebody who uses a database.
type Client struct {
	// Name tells clients apart: a word.
	Name string
	// Pods open the connections.
	Pods flow.Peer
	// Database is what they use.
	Database string
}

// Instances are the pods of a cluster that accept connections: for clients that go past the pooler.
func Instances(cluster string) flow.Peer {
	p := peer(map[string]string{ClusterLabel: cluster, roleLabel: "instance"})
	p.Services = []map[string]string{{ClusterLabel: cluster, primaryLabel: "primary"}}
	return p
}

// peer are pods in the clusters' namespace.
func peer(labels map[string]string) flow.Peer { return flow.Peer{Namespace: Namespace, Pods: labels} }

var (
	operatorPods = flow.Peer{Namespace: OperatorNamespace, Pods: map[string]string{"app.kubernetes.io/name": "cloudnative-pg"}}
	pluginPods   = flow.Peer{Namespace: OperatorNamespace, Pods: map[string]string{"app": "barman-cloud"}}
	allInstances = peer(map[string]string{roleLabel: "instance"})
)

// Flows are the connections that the databases and those who look after them open and accept.
func (a Args) Flows() []flow.Flow {
	flows := []flow.Flow{
		a.ToAPIServer("cloudnative-pg-kubernetes", flow.Peer{Namespace: OperatorNamespace},
			"The operator and the backup plugin follow clusters, and create what belongs to them."),
		a.Webhook("cloudnative-pg-webhook", operatorPods, operatorWebhookPort, "The API server has clusters checked."),
		{
			Name: "cloudnative-pg-instances", From: operatorPods, To: allInstances, Ports: []int{statusPort},
			Why: "The operator asks instances how they are, and has them act.",
		},
		a.ToAPIServer("postgresql-kubernetes", peer(map[string]string{"app.kubernetes.io/name": "postgresql"}),
			"Instances, poolers and the Jobs that prepare volumes follow their cluster, and report."),
	}
	if a.BackupPlugin != nil {
		flows = append(flows, flow.Flow{
			Name: "cloudnative-pg-plugin", From: operatorPods, To: pluginPods, Ports: []int{pluginPort},
			Why: "The operator asks the backup plugin about each change of a cluster.",
		})
	}
	if a.Operator.PodMonitor {
		flows = append(flows, a.Scrape("cloudnative-pg-metrics", operatorPods, operatorMetricsPort))
	}
	for _, c := range a.Clusters {
		flows = append(flows, a.clusterFlows(plan{Cluster: c})...)
	}
	return append(flows, a.clientFlows()...)
}

// clusterFlows are those within a cluster, and what it needs from outside. The last part of their names has no hyphen, so
// that no two clusters can have one with the same name.
func (a Args) clusterFlows(p plan) []flow.Flow {
	name := func(what string) string { return fmt.Sprintf("postgresql-%s-%s", p.Name, what) }
	database, instances := peer(map[string]string{ClusterLabel: p.Name, componentLabel: "database"}), Instances(p.Name)
	flows := []flow.Flow{{
		Name: name("check"), From: CheckPods(p.Name), To: p.entrance(), Ports: []int{Port},
		Why: "A Job logs in to each database, as clients do.",
	}}
	if p.Instances > 1 {
		flows = append(flows, flow.Flow{
			Name: name("replication"), From: database, To: instances, Ports: []int{Port, statusPort},
			Why: "Replicas copy and follow the primary, and a primary that is cut off looks whether it can reach the others.",
		})
	}
	if p.Pooler != nil {
		flows = append(flows, flow.Flow{
			Name: name("pooler"), From: p.poolerPods(), To: instances, Ports: []int{Port},
			Why: "The pooler shares connections to the primary among its clients.",
		})
	}
	if p.Backup != nil || p.Recovery != nil {
		flows = append(flows, flow.Flow{
			Name: name("backups"), From: database, To: a.ObjectStorage, Ports: a.ObjectStoragePorts,
			Why: "Instances write backups to the object storage, and new ones are restored from there.",
		})
	}
	if p.PodMonitor {
		flows = append(flows, a.Scrape(name("metrics"), instances, metricsPort))
		if p.Pooler != nil {
			flows = append(flows, a.Scrape(name("poolermetrics"), p.poolerPods(), poolerMetricsPort))
		}
	}
	return flows
}

// clientFlows are those of who uses the databases, the Control Plane first.
func (a Args) clientFlows() []flow.Flow {
	var flows []flow.Flow
	for _, client := range a.AllClients() {
		for _, c := range a.Clusters {
			if c.has(client.Database) {
				flows = append(flows, flow.Flow{
					Name: "postgresql-" + client.Name, From: client.Pods, To: plan{Cluster: c}.entrance(), Ports: []int{Port},
					Why: fmt.Sprintf("Clients use database %s.", client.Database),
				})
			}
		}
	}
	return flows
}

// AllClients are the clients, with the Control Plane.
func (a Args) AllClients() []Client {
	if a.ControlPlaneDatabase == "" {
		return a.Clients
	}
	return append([]Client{{
		Name: "controlplane", Pods: flow.Peer{Namespace: a.ControlPlaneNamespace}, Database: a.ControlPlaneDatabase,
	}}, a.Clients...)
}

func (c Cluster) has(database string) bool {
	return slices.ContainsFunc(c.Databases, func(d Database) bool { return d.Name == database })
}

// entrance is what clients may connect to: poolers and instances alike. Clients learn that there is a pooler, or none any
// more, when they are configured anew, and must not be cut off until then.
func (p plan) entrance() flow.Peer {
	all := peer(map[string]string{ClusterLabel: p.Name})
	all.Services = []map[string]string{p.poolerPods().Pods}
	return all
}

func (p plan) poolerPods() flow.Peer { return peer(map[string]string{poolerLabel: p.poolerName()}) }
