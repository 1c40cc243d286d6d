package policy

import (
	"strings"

	"github.com/telekom/controlplane-infrastructure/internal/aws"
)

// holding is what goes with a resource of some type.
type holding struct {
	what string
	// protected says that each one must be protected where a stack protects its data. What is not, either can be made
	// again from what is protected, or belongs to the lifetime of something that is.
	protected bool
}

// stateful are the types that hold data, or whose deletion takes data along. Those of Kubernetes stand without the version
// of their API.
var stateful = map[string]holding{
	"kubernetes:core:Namespace":                                {"everything in the namespace, its volumes included", false},
	"kubernetes:core:PersistentVolumeClaim":                    {"the data of a volume", true},
	"kubernetes:core:PersistentVolume":                         {"the data of a volume", true},
	"kubernetes:apiextensions.k8s.io:CustomResourceDefinition": {"every object of the kind that it defines, in all namespaces", false},
	"kubernetes:postgresql.cnpg.io:Cluster":                    {"the databases of a PostgreSQL cluster, on its volumes", true},
	"kubernetes:postgresql.cnpg.io:Database":                   {"a database of a PostgreSQL cluster, unless it is retained", false},
	"kubernetes:barmancloud.cnpg.io:ObjectStore":               {"the way to a database's backups", false},
	"kubernetes:monitoring.coreos.com:Prometheus":              {"the metrics, on its volumes", true},
	"kubernetes:monitoring.coreos.com:Alertmanager":            {"the silences, on its volumes", false},
	"keycloak:index/realm:Realm":                               {"the users, clients and sessions of a realm", true},

	aws.Bucket:           {"the objects of a bucket", true},
	aws.DatabaseInstance: {"the databases of an instance", true},
	aws.CacheGroup:       {"what the cache holds", true},
	aws.Key:              {"everything that is encrypted with the key", true},
	aws.EKSCluster:       {"the cluster with everything that runs in it", true},
	aws.VPC:              {"the network with everything that is in it", true},
	aws.Subnet:           {"a part of the network with everything that is in it", true},
	aws.LogGroup:         {"the logs that are kept", false},
}

// Stateful tells whether resources of a type hold data, or take data along when they are deleted, and in words what that
// is, such as "the data of a volume".
func Stateful(resourceType string) (what string, ok bool) {
	h, ok := holdingOf(resourceType)
	return h.what, ok
}

func holdingOf(resourceType string) (holding, bool) {
	if of, found := strings.CutPrefix(resourceType, "kubernetes:"); found {
		api, kind, _ := strings.Cut(of, ":")
		group, _, _ := strings.Cut(api, "/")
		resourceType = "kubernetes:" + group + ":" + kind
	}
	h, ok := stateful[resourceType]
	return h, ok
}
