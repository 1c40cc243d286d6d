package node_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/telekom/controlplane-infrastructure/internal/artifact"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
)

// installCloudNativePG applies the operator's release manifest as it is.
var installCloudNativePG = sync.OnceValue(func() error {
	return installManifest("github.com/cloudnative-pg/cloudnative-pg", "releases/cnpg-1.30.0.yaml", nil)
})

// installBarmanCloud applies the plugin's manifest, with the image of a release in place of that of upstream's tests.
var installBarmanCloud = sync.OnceValue(func() error {
	return installManifest("github.com/cloudnative-pg/plugin-barman-cloud", "manifest.yaml", func(o *manifest.Object) error {
		if o.GetKind() != "Deployment" {
			return nil
		}
		containers, _, err := unstructured.NestedSlice(o.Object, "spec", "template", "spec", "containers")
		if err != nil {
			return err
		}
		containers[0].(map[string]any)["image"] = "ghcr.io/cloudnative-pg/plugin-barman-cloud:v0.15.0"
		return unstructured.SetNestedSlice(o.Object, containers, "spec", "template", "spec", "containers")
	})
})

// installManifest applies everything in a YAML file of a module, without waiting for anything.
func installManifest(module, path string, edit manifest.Transform) error {
	ctx := context.Background()
	root, err := artifact.FindRoot()
	if err != nil {
		return err
	}
	store, err := artifact.Open(root)
	if err != nil {
		return err
	}
	tree, err := store.Fetch(ctx, artifact.Ref{Module: module, Path: path}, nil)
	if err != nil {
		return err
	}
	set, err := manifest.ParseTree(tree)
	if err != nil {
		return err
	}
	if edit != nil {
		if err := set.Transform(edit); err != nil {
			return err
		}
	}
	c, err := client.New(cluster.REST(), client.Options{})
	if err != nil {
		return err
	}
	for _, object := range set.All() {
		if err := applyOnceServed(ctx, c, object.Unstructured); err != nil {
			return fmt.Errorf("%s: %w", object, err)
		}
	}
	return nil
}

// pgCluster is a PostgreSQL cluster of three instances over three zones.
func pgCluster(t *testing.T, ns, parameters string) *unstructured.Unstructured {
	t.Helper()
	return parse(t, `{apiVersion: postgresql.cnpg.io/v1, kind: Cluster, metadata: {name: pg, namespace: `+ns+`},
	  spec: {instances: 3, storage: {size: 1Gi}, postgresql: {parameters: {`+parameters+`}},
	    affinity: {enablePodAntiAffinity: true, podAntiAffinityType: required, topologyKey: topology.kubernetes.io/zone}}}`)
}

// pgStatus waits until the cluster is ready with a primary other than the given one, and returns the primary.
func pgStatus(t *testing.T, ns, other string) string {
	t.Helper()
	var primary string
	eventually(t, func() string {
		found := parse(t, `{apiVersion: postgresql.cnpg.io/v1, kind: Cluster}`)
		if err := objects(t).Get(t.Context(), client.ObjectKey{Namespace: ns, Name: "pg"}, found); err != nil {
			return err.Error()
		}
		status, _, _ := unstructured.NestedMap(found.Object, "status")
		conditions, _, _ := unstructured.NestedSlice(status, "conditions")
		ready := false
		for _, condition := range conditions {
			c := condition.(map[string]any)
			ready = ready || c["type"] == "Ready" && c["status"] == "True"
		}
		primary, _ = status["currentPrimary"].(string)
		if !ready || status["readyInstances"] != int64(3) || primary == "" || primary == other {
			return fmt.Sprintf("the cluster is not ready: %v %v, %v instances, primary %v",
				status["phase"], status["phaseReason"], status["readyInstances"], primary)
		}
		return ""
	})
	return primary
}

func TestPostgreSQLOverThreeZones(t *testing.T) {
	require.NoError(t, installCloudNativePG())
	c, ns := clientset(t), namespace(t, nil)
	require.NoError(t, applyOnceServed(t.Context(), objects(t), pgCluster(t, ns, "max_connections: '200'")))
	create(t, `{apiVersion: postgresql.cnpg.io/v1, kind: Database, metadata: {name: app, namespace: `+ns+`},
	  spec: {cluster: {name: pg}, name: app, owner: app}}`)
	before := pgStatus(t, ns, "")

	pods, err := c.CoreV1().Pods(ns).List(t.Context(), metav1.ListOptions{LabelSelector: "cnpg.io/cluster=pg,cnpg.io/podRole=instance"})
	require.NoError(t, err)
	require.Len(t, pods.Items, 3)
	zones := map[string]bool{}
	for _, pod := range pods.Items {
		machine, err := c.CoreV1().Nodes().Get(t.Context(), pod.Spec.NodeName, metav1.GetOptions{})
		require.NoError(t, err)
		zones[machine.Labels[corev1.LabelTopologyZone]] = true
	}
	assert.Len(t, zones, 3, "the instances are not spread over the zones")
	for _, name := range []string{"pg-rw", "pg-ro", "pg-r"} {
		_, err := c.CoreV1().Services(ns).Get(t.Context(), name, metav1.GetOptions{})
		assert.NoError(t, err)
	}
	budgets, err := c.PolicyV1().PodDisruptionBudgets(ns).List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	assert.Len(t, budgets.Items, 2, "one for the primary, one for the replicas")

	eventually(t, func() string {
		database := parse(t, `{apiVersion: postgresql.cnpg.io/v1, kind: Database}`)
		if err := objects(t).Get(t.Context(), client.ObjectKey{Namespace: ns, Name: "app"}, database); err != nil {
			return err.Error()
		}
		if applied, _, _ := unstructured.NestedBool(database.Object, "status", "applied"); !applied {
			return "the database is not applied"
		}
		return ""
	})

	// A primary that goes is replaced, and the read-write service follows.
	require.NoError(t, c.CoreV1().Pods(ns).Delete(t.Context(), before, metav1.DeleteOptions{}))
	after := pgStatus(t, ns, before)
	eventually(t, func() string {
		primaries, err := c.CoreV1().Pods(ns).List(t.Context(), metav1.ListOptions{LabelSelector: "cnpg.io/instanceRole=primary"})
		if err != nil || len(primaries.Items) != 1 || primaries.Items[0].Name != after {
			return fmt.Sprintf("%s is not the only primary: %v", after, err)
		}
		return ""
	})
}

// The operator asks the plugin over mutual TLS what to add to a cluster's pods.
func TestBackupPluginAddsItsPartToInstances(t *testing.T) {
	withCertManager(t)
	require.NoError(t, installCloudNativePG())
	require.NoError(t, installBarmanCloud())
	c, ns := clientset(t), namespace(t, nil)
	create(t,
		`{apiVersion: v1, kind: Secret, metadata: {name: keys, namespace: `+ns+`}, stringData: {id: one, key: two}}`)
	require.NoError(t, applyOnceServed(t.Context(), objects(t), parse(t,
		`{apiVersion: barmancloud.cnpg.io/v1, kind: ObjectStore, metadata: {name: backups, namespace: `+ns+`},
		  spec: {configuration: {destinationPath: "s3://backups/pg", endpointURL: "https://minio.example.test",
		    s3Credentials: {accessKeyId: {name: keys, key: id}, secretAccessKey: {name: keys, key: key}}}}}`)))
	pg := pgCluster(t, ns, "")
	plugin := map[string]any{
		"name": "barman-cloud.cloudnative-pg.io", "isWALArchiver": true, "parameters": map[string]any{"barmanObjectName": "backups"},
	}
	require.NoError(t, unstructured.SetNestedSlice(pg.Object, []any{plugin}, "spec", "plugins"))
	require.NoError(t, applyOnceServed(t.Context(), objects(t), pg))
	primary := pgStatus(t, ns, "")

	pod, err := c.CoreV1().Pods(ns).Get(t.Context(), primary, metav1.GetOptions{})
	require.NoError(t, err)
	var names []string
	for _, container := range pod.Spec.InitContainers {
		names = append(names, container.Name)
	}
	assert.Contains(t, names, "plugin-barman-cloud")
}

func TestOperatorRefusesFixedParameter(t *testing.T) {
	require.NoError(t, installCloudNativePG())
	ns := namespace(t, nil)
	// The webhook answers once the operator runs.
	require.NoError(t, applyOnceServed(t.Context(), objects(t), pgCluster(t, ns, "")))
	err := apply(t.Context(), objects(t), pgCluster(t, ns, "port: '5433'"))
	assert.ErrorContains(t, err, "admission webhook")
	assert.ErrorContains(t, err, "Can't set fixed configuration parameter")
}
