package stacks_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/telekom/controlplane-infrastructure/components/cluster/preflight"
	"github.com/telekom/controlplane-infrastructure/stacks"
	"github.com/telekom/controlplane-infrastructure/tests/graph"
)

// Whoever passes the preflight may create everything that the stack consists of.
func TestPreflightAsksForEveryKind(t *testing.T) {
	for name, profile := range map[string]graph.Configuration{"istio": graph.Istio, "linkerd": graph.Linkerd} {
		t.Run(name, func(t *testing.T) {
			cfg, err := profile.Parse()
			require.NoError(t, err)
			needs := stacks.ClusterNeeds(cfg)
			for _, r := range graph.Run(t, profile).Objects() {
				resource, _ := meta.UnsafeGuessKindToResource(r.Object.GroupVersionKind())
				wanted := preflight.Resource{Group: resource.Group, Name: resource.Resource}
				assert.True(t, slices.Contains(needs.Manages, wanted), "%s, as %s", wanted, r.Name)
			}
		})
	}
}

func TestWhatIsNeededOfAClusterFollowsTheConfiguration(t *testing.T) {
	for name, c := range map[string]struct {
		configuration graph.Configuration
		want          func(*preflight.Needs)
	}{
		"one of each": {nil, func(*preflight.Needs) {}},
		"over zones":  {graph.Zonal, func(n *preflight.Needs) { n.Zones, n.Autoscalers = 3, true }},
		"a class for all volumes": {
			graph.Configuration{"storage": `{"storageClass":"fast"}`},
			func(n *preflight.Needs) { n.StorageClasses = []string{"fast"} },
		},
		"an ingress controller of another owner": {
			graph.Configuration{"network": `{"ingress":{"existing":{"className":"nginx"}}}`},
			func(n *preflight.Needs) { n.IngressClass = "" },
		},
		"metrics-server": {
			graph.Configuration{"cluster": `{"metricsServer":{"install":true}}`},
			func(n *preflight.Needs) { n.MetricsServer = true },
		},
		"definitions of another owner": {
			graph.Configuration{"monitoring": `{"customResourceDefinitions":"existing"}`},
			func(n *preflight.Needs) {
				n.Installs = n.Installs[:3]
				n.Definitions = []string{
					"podmonitors.monitoring.coreos.com", "prometheusrules.monitoring.coreos.com", "servicemonitors.monitoring.coreos.com",
				}
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, err := c.configuration.Parse()
			require.NoError(t, err)
			want := preflight.Needs{
				StorageClasses: []string{""}, IngressClass: "traefik", NetworkPolicies: true,
				Installs: []string{
					"bundles.trust.cert-manager.io", "certificates.cert-manager.io", "clusters.postgresql.cnpg.io",
					"prometheuses.monitoring.coreos.com",
				},
			}
			c.want(&want)
			got := stacks.ClusterNeeds(cfg)
			got.Manages = nil // looked at above
			assert.Equal(t, want, got)
		})
	}
}
