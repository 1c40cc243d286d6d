//go:build e2e

package e2e

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

// usage asks what nodes and pods use, as autoscalers do, where the stack brings what answers.
func usage(t *testing.T, cluster *verify.Cluster) {
	servers, err := cluster.Clients.CoreV1().Pods("metrics-server").List(cluster.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	if len(servers.Items) == 0 {
		return // the stack leaves it to the cluster
	}
	assert.EventuallyWithT(t, func(c *assert.CollectT) {
		for _, kind := range []string{"nodes", "pods"} {
			answer, err := cluster.Clients.Discovery().RESTClient().Get().AbsPath("/apis/metrics.k8s.io/v1beta1/" + kind).DoRaw(cluster.Context())
			require.NoError(c, err)
			var list struct {
				Items []any `json:"items"`
			}
			require.NoError(c, json.Unmarshal(answer, &list))
			assert.NotEmpty(c, list.Items, kind)
		}
	}, verify.Patience, time.Second)
}
