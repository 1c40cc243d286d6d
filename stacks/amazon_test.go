package stacks_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/pod-security-admission/api"

	"github.com/telekom/controlplane-infrastructure/internal/aws"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
	"github.com/telekom/controlplane-infrastructure/stacks/config"
	"github.com/telekom/controlplane-infrastructure/tests/graph"
)

// managed has databases and cache in AWS, next to a cluster that is there already.
var managed = graph.Zonal.With(graph.Configuration{
	"aws": `{"region":"eu-central-1","network":{"vpcId":"vpc-0123456789abcdef0",
		"subnetIds":["subnet-0000000a","subnet-0000000b","subnet-0000000c"],"clientCidrs":["10.0.0.0/16"]}}`,
	"storage": `{"postgresql":{"backend":"rds"},"cache":{"backend":"elastiCache"}}`,
})

// With databases and cache in AWS, nothing of what would run them is in the cluster, and whoever uses them is told where
// they are.
func TestDataStoresInAWS(t *testing.T) {
	g := graph.Run(t, managed)
	instance, cache := one(t, g, aws.DatabaseInstance), one(t, g, aws.CacheGroup)
	assert.True(t, instance.Protected)
	assert.Equal(t, "controlplane-test-platform", instance.Inputs["identifier"].StringValue())
	assert.Equal(t, "controlplane-test", cache.Inputs["replicationGroupId"].StringValue())

	assert.Empty(t, g.InNamespace("cnpg-system"))
	for _, r := range g.InNamespace("valkey") {
		assert.NotContains(t, []string{"StatefulSet", "Deployment", "Service"}, r.Object.GetKind())
	}
	for _, r := range g.Objects("CustomResourceDefinition") {
		assert.False(t, strings.HasSuffix(r.Name, ".cnpg.io"), r.Name)
	}
	job := g.Object(t, "Job", "postgresql/platform-check")
	assert.Contains(t, g.After(job), instance.Name, "databases are made when there is an instance")
	for _, consumer := range []string{"identity/iris", "monitoring/grafana"} {
		assert.Contains(t, g.After(g.Object(t, "Deployment", consumer)), "postgresql/platform-check", "%s finds its database", consumer)
	}
	for _, r := range g.Objects("Job") {
		assert.NoError(t, workload.CheckLevel(r.Manifest(), api.LevelRestricted), r.Name)
	}
	var check batchv1.Job
	require.NoError(t, runtime.DefaultUnstructuredConverter.FromUnstructured(job.Object.Object, &check))
	assert.Equal(t, []string{"make-databases"}, []string{check.Spec.Template.Spec.InitContainers[0].Name})
	assert.NotEmpty(t, g.Objects("NetworkPolicy"))
	assert.Contains(t, text(t, g.Object(t, "NetworkPolicy", "postgresql/allow-postgresql-platform-check-egress")), `5432`)
	assert.Contains(t, text(t, g.Object(t, "NetworkPolicy", "identity/allow-iris-database-egress")), `5432`)
}

// With a cluster of EKS, data stores are in its network, and let its nodes and pods in.
func TestDataStoresNextToEKS(t *testing.T) {
	g := graph.Run(t, managed.With(graph.Configuration{
		"aws": `{"region":"eu-central-1"}`, "cluster": `{"kind":"eks","eks":{"vpc":{"cidr":"10.1.0.0/16"}}}`,
	}))
	var subnets, admitted []string
	for _, r := range g.All {
		switch {
		case r.Kind == aws.Subnet && !strings.Contains(r.Name, "public"):
			subnets = append(subnets, r.Inputs["cidrBlock"].StringValue())
		case r.Kind == aws.IngressRule && r.Inputs["fromPort"].NumberValue() == 5432:
			admitted = append(admitted, r.Inputs["cidrIpv4"].StringValue())
		}
	}
	assert.Len(t, admitted, 3, "one range of each zone")
	assert.ElementsMatch(t, subnets, admitted)
	assert.Len(t, one(t, g, aws.DatabaseSubnetGroup).Inputs["subnetIds"].ArrayValue(), 3)
	policy := text(t, g.Object(t, "NetworkPolicy", "identity/allow-iris-database-egress"))
	for _, cidr := range admitted {
		assert.Contains(t, policy, cidr)
	}
}

// What AWS runs is not watched by the metrics that it would have in the cluster.
func TestDataStoresInAWSHaveNoAlertsOfTheCluster(t *testing.T) {
	all := func(c graph.Configuration) (content string) {
		for _, r := range graph.Run(t, c).Objects("PrometheusRule", "ConfigMap") {
			if r.Object.GetNamespace() == "monitoring" || r.Object.GetKind() == "PrometheusRule" {
				content += text(t, r)
			}
		}
		return content
	}
	inCluster, inAWS := all(graph.Zonal), all(managed)
	for _, metric := range []string{"cnpg_pg_replication_lag", "redis_memory_used_bytes"} {
		assert.Contains(t, inCluster, metric)
		assert.NotContains(t, inAWS, metric)
	}
}

func TestUnknownAuthoritiesAreAskedFor(t *testing.T) {
	elsewhere := managed.With(graph.Configuration{"aws": strings.Replace(managed["aws"], "eu-central-1", "il-central-1", 1)})
	_, err := graph.Try(elsewhere, nil)
	var invalid config.Errors
	require.ErrorAs(t, err, &invalid)
	assert.ErrorContains(t, err, "controlplane:storage.postgresql.rds.caBundle: what signs the certificates of databases in region il-central-1 is not known here")
}

// one is the only resource of a type.
func one(t *testing.T, g *graph.Graph, kind string) graph.Resource {
	t.Helper()
	var found []graph.Resource
	for _, r := range g.All {
		if r.Kind == kind {
			found = append(found, r)
		}
	}
	require.Len(t, found, 1, kind)
	return found[0]
}
