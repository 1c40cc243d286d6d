package flows_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/stacks"
	"github.com/telekom/controlplane-infrastructure/tests/flows"
	"github.com/telekom/controlplane-infrastructure/tests/graph"
)

// accepted are what nobody needs to reach, with the reason.
var accepted = map[string]string{
	"Service istiod: no flow leads to port 15010 of Deployment istiod in istio-system": "the same as 15012, without TLS",
	"DaemonSet ztunnel in istio-dataplane has a token, and no flow to the API server":  "it asks istiod for everything",
}

// Joined to stacks, the components' flows lead to everything that has to be reached, and none leads nowhere.
func TestStacks(t *testing.T) {
	seen := map[string]bool{}
	for name, c := range map[string]graph.Configuration{
		"single": nil,
		"zonal":  {"availability": "zonal", "certTrust": `{"acme":{"server":"https://acme.example.com","email":"a@example.com","http01":{}}}`},
		"in AWS, with poolers": {
			"availability": "zonal", "aws": `{"region":"eu-central-1"}`,
			"cluster":   `{"oidcProviderArn":"arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLE"}`,
			"storage":   `{"objectStorage":{"backend":"s3","bucket":"example-files"},"postgresql":{"pooler":{"enabled":true}}}`,
			"certTrust": `{"acme":{"server":"https://acme.example.com","email":"a@example.com","route53":{"region":"eu-central-1","hostedZoneID":"Z1"}}}`,
		},
		"Istio": {"availability": "zonal", "network": `{"mesh":{"type":"istio"},"gatewayAPI":{"enabled":true}}`},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, err := c.Parse()
			require.NoError(t, err)
			table, err := stacks.Table(cfg)
			require.NoError(t, err)
			var objects []*unstructured.Unstructured
			for _, r := range graph.Run(t, c).Objects() {
				objects = append(objects, r.Object)
			}
			var pods []flows.Pods
			for _, cluster := range cfg.Storage.PostgreSQL.Clusters {
				pods = append(pods, flows.DatabasePods("postgresql", cluster.Name, cfg.Storage.PostgreSQL.Pooler.Enabled)...)
				objects = append(objects, flows.DatabaseServices("postgresql", cluster.Name, cfg.Storage.PostgreSQL.Pooler.Enabled)...)
			}
			if acme := cfg.CertTrust.ACME; acme != nil && acme.HTTP01 != nil {
				pods = append(pods, flows.Solver("identity"), flows.Solver("ingress"))
			}
			pods = append(pods, flows.MonitoringPods("monitoring")...)
			surroundings := flows.Surroundings
			surroundings.Monitoring = flow.Peer{Namespace: "monitoring", Pods: map[string]string{"app.kubernetes.io/name": "prometheus"}}
			problems, err := flows.Problems(table.Flows, surroundings, objects, pods...)
			require.NoError(t, err)
			for _, problem := range problems {
				seen[problem] = true
				assert.NotEmpty(t, accepted[problem], problem)
			}
		})
	}
	for problem := range accepted {
		assert.True(t, seen[problem], "accepted, but no problem any more: %s", problem)
	}
}
