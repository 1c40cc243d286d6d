package stacks_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/stacks/config"
	"github.com/telekom/controlplane-infrastructure/tests/graph"
)

func TestEveryResourceBelongsToAComponent(t *testing.T) {
	g := graph.Run(t, nil)
	assert.Greater(t, len(g.Objects()), 60)
	for _, r := range g.All {
		if strings.HasPrefix(r.Kind, "controlplane:") || strings.HasPrefix(r.Kind, "pulumi:") {
			continue // components, providers and the stack itself
		}
		parent := resource.URN(r.Parent)
		assert.True(t, strings.HasPrefix(string(parent.Type()), "controlplane:"), "%s %s has parent %q", r.Kind, r.Name, r.Parent)
		if r.Object != nil {
			assert.Contains(t, r.Provider, "pulumi:providers:kubernetes::cluster", "%s %s uses no default provider", r.Kind, r.Name)
			assert.Less(t, len(r.Name), 100, "%s is a short name", r.Name)
		}
	}
}

func TestOrder(t *testing.T) {
	g := graph.Run(t, graph.Configuration{"certTrust": `{"controlPlaneIssuer":{"fromPlatformCA":true}}`})
	const apiCheck = "cert-manager/cert-manager-startupapicheck"
	for _, r := range g.Objects("Certificate", "ClusterIssuer", "Issuer", "Bundle") {
		assert.Contains(t, g.After(r), apiCheck, "%s %s waits until certificates can be issued", r.Object.GetKind(), r.Name)
	}
	assert.Contains(t, g.After(g.Object(t, "Bundle", "platform-trust")), "cert-manager/trust-manager", "the webhook that checks bundles")
	assert.Contains(t, g.After(g.Object(t, "Deployment", "cert-manager/trust-manager")), "controlplane-system",
		"trust-manager reads the Control Plane's namespace")
	for _, r := range g.Objects("ServiceMonitor") {
		assert.Contains(t, g.After(r), "servicemonitors.monitoring.coreos.com")
	}
	job := g.Object(t, "Job", apiCheck)
	for _, name := range []string{"cert-manager/cert-manager-webhook", "cert-manager/cert-manager-cainjector", "cert-manager-webhook"} {
		assert.Contains(t, g.After(job), name, "the check comes last")
	}
}

func TestNamespaceOfTheControlPlane(t *testing.T) {
	labels := graph.Run(t, nil).Object(t, "Namespace", "controlplane-system").Object.GetLabels()
	for label, value := range map[string]string{
		"app.kubernetes.io/name":             "controlplane-system",
		"cp.ei.telekom.de/secret-manager":    "enabled",
		"cp.ei.telekom.de/file-manager":      "enabled",
		"cp.ei.telekom.de/controlplane-api":  "enabled",
		"pod-security.kubernetes.io/enforce": "restricted",
	} {
		assert.Equal(t, value, labels[label], label)
	}
}

// registries are those that the platform's images come from.
var registries = regexp.MustCompile(`([^"\s]*)\b(quay\.io|docker\.io|ghcr\.io)/`)

func TestImagesComeFromTheMirror(t *testing.T) {
	g := graph.Run(t, graph.Configuration{"availability": "zonal", "artifacts": `{"imageMirror":"registry.example.com/mirror"}`})
	images := 0
	for _, r := range g.Objects() {
		if r.Object.GetKind() == "CustomResourceDefinition" {
			continue // they explain with examples
		}
		data, err := json.Marshal(r.Object)
		require.NoError(t, err)
		for _, match := range registries.FindAllStringSubmatch(string(data), -1) {
			images++
			assert.True(t, strings.HasSuffix(match[1], "registry.example.com/mirror/"), "%s: %s", r.Name, match[0])
		}
	}
	assert.GreaterOrEqual(t, images, 20)
}

// storage asserts what the parts of the storage are to each other and to others.
func TestStorage(t *testing.T) {
	const minIO, bootstrap, database = "minio/minio", "minio/minio-bootstrap", "postgresql/platform"
	t.Run("backups go to our own object storage", func(t *testing.T) {
		g := graph.Run(t, graph.Zonal)
		assert.Contains(t, g.After(g.Object(t, "Cluster", database)), bootstrap, "the bucket is there before the first backup")
		spec := g.Object(t, "ObjectStore", database+"-backup").Object.Object["spec"].(map[string]any)["configuration"].(map[string]any)
		assert.Equal(t, "s3://controlplane-files-backups/postgresql", spec["destinationPath"])
		assert.Equal(t, "https://minio.minio.svc:9000", spec["endpointURL"])
	})
	t.Run("without backups the database waits for no object storage", func(t *testing.T) {
		g := graph.Run(t, nil)
		assert.NotContains(t, g.After(g.Object(t, "Cluster", database)), minIO)
		assert.Empty(t, g.Objects("ObjectStore"))
	})
	t.Run("everything with data is protected over zones", func(t *testing.T) {
		for _, g := range []*graph.Graph{graph.Run(t, graph.Zonal), graph.Run(t, nil)} {
			zonal := g == graph.Run(t, graph.Zonal)
			for _, r := range append(g.Objects("PersistentVolumeClaim"), g.Object(t, "Cluster", database)) {
				assert.Equal(t, zonal, r.Protected, "zonal %t: %s", zonal, r.Name)
			}
		}
	})
	t.Run("the cache's address leads to proxies that are ready", func(t *testing.T) {
		g := graph.Run(t, graph.Zonal)
		assert.Contains(t, g.After(g.Object(t, "Service", "valkey/valkey")), "valkey/valkey-proxies")
	})
	t.Run("Amazon S3 needs no object storage of ours", func(t *testing.T) {
		g := graph.Run(t, graph.Amazon)
		assert.Empty(t, g.InNamespace("minio"))
		store := g.Object(t, "ObjectStore", database+"-backup").Object.Object["spec"].(map[string]any)["configuration"].(map[string]any)
		assert.Equal(t, "s3://example-files-backups/postgresql", store["destinationPath"])
		assert.NotContains(t, store, "endpointURL")
		assert.Equal(t, true, store["s3Credentials"].(map[string]any)["inheritFromIAMRole"])
	})
}

// What a stack is now decides what it can become.
func TestWhatCannotBeUndoneIsRefused(t *testing.T) {
	g, err := graph.Try(nil, resource.PropertyMap{"footprint": resource.NewProperty(resource.PropertyMap{
		"storage.postgresql.clusters[platform].volume.size": resource.NewProperty("100Gi"),
	})})
	assert.ErrorContains(t, err, `"10Gi" must be at least "100Gi"`)
	assert.Empty(t, g.Objects(), "nothing is registered")
}

// What only the components can tell is told before anything is registered, too.
func TestWhatCannotWorkIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		key, value string
		messages   []string
	}{
		"too few connections for the cluster": {
			"storage", `{"postgresql":{"parameters":{"max_connections":"5"}}}`,
			[]string{"controlplane:storage.postgresql: cluster platform: ", "max_connections"},
		},
		"too few connections for Keycloak": {
			"storage", `{"postgresql":{"parameters":{"max_connections":"40"}}}`,
			[]string{"controlplane:identity: ", "Connections"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			g, err := graph.Try(graph.Configuration{"availability": "zonal", c.key: c.value}, nil)
			var invalid config.Errors
			require.ErrorAs(t, err, &invalid)
			for _, message := range c.messages {
				assert.ErrorContains(t, err, message)
			}
			assert.Empty(t, g.Objects(), "nothing is registered")
		})
	}
}
