package postgresql_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/telekom/controlplane-infrastructure/components/storage/postgresql"
	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/tests/flows"
)

// Whoever has to be reached is, in every profile.
func TestFlows(t *testing.T) {
	for name, args := range map[string]postgresql.Args{
		"single": single(t), "zonal": zonal(t), "restored": restored(t), "a cluster for each consumer": perConsumer(t),
	} {
		t.Run(name, func(t *testing.T) {
			args.Surroundings = flows.Surroundings
			args.Clients = []postgresql.Client{{Name: "gateways", Pods: gateways, Database: "gateway"}}
			args.ObjectStorage, args.ObjectStoragePorts = flow.Peer{Namespace: "minio"}, []int{9000}
			declared := args.Flows()
			args.Namespaces.Flows.Flows = declared
			var pods []flows.Pods
			for _, c := range args.Clusters {
				pods = append(pods, flows.DatabasePods(postgresql.Namespace, c.Name, c.Pooler != nil)...)
			}
			var objects []*unstructured.Unstructured
			for _, r := range run(t, args).objects() {
				objects = append(objects, r.object)
			}
			for _, c := range args.Clusters {
				objects = append(objects, flows.DatabaseServices(postgresql.Namespace, c.Name, c.Pooler != nil)...)
			}
			flows.Check(t, declared, objects, pods...)
		})
	}
}

var gateways = flow.Peer{NamespaceLabels: map[string]string{"gateway": "yes"}}

// Clients reach the cluster of their own database and no other: also when it gets a pooler, without being cut off.
func TestClientsReachTheirDatabaseOnly(t *testing.T) {
	args := perConsumer(t)
	args.Clients = []postgresql.Client{{Name: "gateways", Pods: gateways, Database: "gateway"}}
	reach := map[string][]map[string]string{}
	for _, f := range args.Flows() {
		for who, peer := range map[string]flow.Peer{"gateways": gateways, "controlplane": {Namespace: "controlplane-system"}} {
			if assert.ObjectsAreEqual(peer, f.From) {
				reach[who] = append(reach[who], f.To.Pods)
			}
		}
	}
	assert.Equal(t, map[string][]map[string]string{
		"gateways":     {{"cnpg.io/cluster": "gateway"}},
		"controlplane": {{"cnpg.io/cluster": "control-plane"}},
	}, reach)
}

// No cluster reaches another one's instances.
func TestClustersAreApart(t *testing.T) {
	for _, f := range perConsumer(t).Flows() {
		from, to := f.From.Pods["cnpg.io/cluster"], f.To.Pods["cnpg.io/cluster"]
		if from != "" && to != "" {
			assert.Equal(t, from, to, f.Name)
		}
	}
}

func TestClientOfADatabaseThatIsNotThere(t *testing.T) {
	args := single(t)
	args.Clients = []postgresql.Client{{Name: "gateways", Database: "gatway"}}
	assert.ErrorContains(t, args.Check(), "database gatway of client gateways is in no cluster")
}
