package postgresql

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/part"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
)

const apiVersion = "postgresql.cnpg.io/v1"

// clusterObject is the Cluster. It counts as created, and as changed, when all of its instances are ready. They are
// counted because after a change its condition goes on to speak of what was before until the operator has begun.
func (b *builder) clusterObject(p plan) (manifest.Set, error) {
	first := p.Databases[0]
	spec := map[string]any{
		"instances":             p.Instances,
		"imageName":             p.Image,
		"imagePullPolicy":       corev1.PullIfNotPresent,
		"bootstrap":             bootstrap(p, first),
		"enableSuperuserAccess": false,
		"managed":               map[string]any{"roles": roles(p)},
		"postgresql":            settings(p),
		"certificates": map[string]any{
			"serverTLSSecret": p.serverCertificate(), "serverCASecret": p.serverCertificate(),
			"replicationTLSSecret": p.replicationCertificate(), "clientCASecret": p.clientCA(),
		},
		"storage":               storage(p.Volume),
		"resources":             p.Resources,
		"enablePDB":             p.Instances > 1, // a budget for one pod blocks every drain of its node
		"primaryUpdateStrategy": "unsupervised",
		// A restart in place would be shorter for the data, but longer for the clients.
		"primaryUpdateMethod": "switchover",
		"logLevel":            "info",
		"monitoring":          map[string]any{"tls": map[string]any{"enabled": true}},
	}
	if p.WALVolume != nil {
		spec["walStorage"] = storage(*p.WALVolume)
	}
	b.place(p, spec)
	ready := fmt.Sprintf(`["jsonpath={.status.readyInstances}=%d","condition=Ready"]`, p.Instances)
	set, err := manifest.Typed(manifest.Custom(apiVersion, "Cluster", Namespace, p.Name, ready, spec))
	if err != nil {
		return set, err
	}
	cluster := set.Objects[0]
	if err := connectStores(p, cluster); err != nil {
		return set, err
	}
	// Images are pulled and each replica copies the primary before it is ready; a restore also fetches all data.
	timeout := "30m"
	if p.Recovery != nil {
		timeout = "4h"
	}
	cluster.Options = append(cluster.Options, pulumi.Timeouts(&pulumi.CustomTimeouts{Create: timeout, Update: timeout, Delete: "30m"}))
	b.args.Stateful(cluster)
	return set, nil
}

// place spreads the instances: never two on one node, and over the zones where a zone may fail.
func (b *builder) place(p plan, spec map[string]any) {
	if p.Instances == 1 {
		return
	}
	spec["affinity"] = map[string]any{
		"enablePodAntiAffinity": true, "podAntiAffinityType": "required", "topologyKey": corev1.LabelHostname,
	}
	if b.args.Availability != workload.Zonal {
		return
	}
	// The label is on the instances and on the Jobs that prepare their volumes, and not on the poolers. The Jobs must be
	// counted: a volume stays in the zone in which its Job has run.
	spec["topologySpreadConstraints"] = []any{overZones(map[string]string{
		ClusterLabel: p.Name, componentLabel: "database",
	})}
}

// overZones has pods wait rather than share a zone while another has none, unless that zone's nodes are gone.
func overZones(labels map[string]string) corev1.TopologySpreadConstraint {
	return corev1.TopologySpreadConstraint{
		MaxSkew: 1, TopologyKey: corev1.LabelTopologyZone, WhenUnsatisfiable: corev1.DoNotSchedule,
		LabelSelector: &metav1.LabelSelector{MatchLabels: labels}, NodeTaintsPolicy: new(corev1.NodeInclusionPolicyHonor),
	}
}

func storage(v part.Volume) map[string]any {
	s := map[string]any{"size": v.Size, "resizeInUseVolumes": true}
	if v.Class != "" {
		s["storageClass"] = v.Class
	}
	return s
}

// bootstrap is what a new cluster starts with; it means nothing to one that exists.
func bootstrap(p plan, first Database) map[string]any {
	owner := map[string]any{
		"database": first.Name, "owner": first.Owner, "secret": map[string]any{"name": p.passwordSecret(first.Owner)},
	}
	if p.Recovery != nil {
		owner["source"] = recoverySource
		if p.Recovery.TargetTime != "" {
			owner["recoveryTarget"] = map[string]any{"targetTime": p.Recovery.TargetTime}
		}
		return map[string]any{"recovery": owner}
	}
	owner["dataChecksums"] = true
	owner["encoding"] = "UTF8"
	// Sorted by code points, which no library's update changes: an index sorted otherwise would be broken by a new image.
	// But every language's letters have an upper and a lower case.
	owner["localeCollate"] = "C"
	owner["localeCType"] = "C.UTF-8"
	owner["postInitSQL"] = poolerRole
	return map[string]any{"initdb": owner}
}

// roles are the databases' owners. They can log in, and nothing that concerns more than their database.
func roles(p plan) []any {
	var list []any
	for _, d := range p.Databases {
		list = append(list, map[string]any{
			"name": d.Owner, "ensure": "present", "login": true,
			"superuser": false, "createdb": false, "createrole": false, "replication": false, "bypassrls": false,
			"connectionLimit": p.connectionLimit, "passwordSecret": map[string]any{"name": p.passwordSecret(d.Owner)},
		})
	}
	return list
}

// settings are the cluster's parameters, rules of access, and synchronous replication.
func settings(p plan) map[string]any {
	s := map[string]any{"parameters": p.parameters, "pg_hba": access(p)}
	if p.SynchronousReplicas == 0 {
		return s
	}
	synchronous := map[string]any{"method": "any", "number": p.SynchronousReplicas}
	if p.Instances-1 > p.SynchronousReplicas {
		// One replica can be lost and writing goes on. If more are, it stops, instead of accepting what only one disk
		// has; and a replica that may lack something committed is never made the primary.
		synchronous["dataDurability"] = "required"
		synchronous["failoverQuorum"] = true
	} else {
		// Every restart of a replica would stop all writing.
		synchronous["dataDurability"] = "preferred"
	}
	s["synchronous"] = synchronous
	return s
}

// access is the part of pg_hba.conf that follows CloudNativePG's own rules, which are about local connections and the
// two roles with client certificates. The last line precedes its own last one, by which every role may use a password
// for every database, without TLS. Names are quoted because some, such as all, would mean something else.
func access(p plan) []string {
	var lines []string
	for _, d := range p.Databases {
		lines = append(lines, fmt.Sprintf(`hostssl "%s" "%s" all scram-sha-256`, d.Name, d.Owner))
	}
	return append(lines, "host all all all reject")
}

// databases are all of them, also the one that the bootstrap creates: which one is the first may change later, when the
// bootstrap means nothing any more. Without its object a database stays: data is never deleted by a change of the
// configuration.
func databases(p plan) (manifest.Set, error) {
	var objects []runtime.Object
	for _, d := range p.Databases {
		objects = append(objects, manifest.Custom(apiVersion, "Database", Namespace, p.Name+"-"+kubernetesName(d.Name), "jsonpath={.status.applied}=true",
			map[string]any{
				"cluster": map[string]any{"name": p.Name}, "name": d.Name, "owner": d.Owner, "databaseReclaimPolicy": "retain",
			}))
	}
	return manifest.Typed(objects...)
}
