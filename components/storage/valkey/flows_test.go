package valkey_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/telekom/controlplane-infrastructure/components/storage/valkey"
	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
	"github.com/telekom/controlplane-infrastructure/tests/flows"
	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

// Whoever has to be reached is, and clients get no further than to what leads them to the primary.
func TestFlows(t *testing.T) {
	for availability, entry := range map[workload.Availability]string{workload.Single: "server", workload.Zonal: "proxy"} {
		var declared []flow.Flow
		objects := render(t, verify.NewCA(t, "platform"), availability, func(a *valkey.Args) {
			a.Surroundings = flows.Surroundings
			a.Clients = []valkey.Client{{Name: "gateways", Pods: flow.Peer{NamespaceLabels: map[string]string{"gateway": "yes"}}}}
			declared = a.Flows()
			a.Namespaces.Flows.Flows = declared
		})
		flows.Check(t, declared, flows.Rendered(objects))
		clients := 0
		for _, f := range declared {
			if f.From.Namespace == "controlplane-system" || f.From.NamespaceLabels["gateway"] != "" {
				clients++
				assert.Equal(t, entry, f.To.Pods["app.kubernetes.io/component"])
				assert.Equal(t, []int{6379}, f.Ports)
			}
		}
		assert.Equal(t, 2, clients)
	}
}

// Servers, sentinels and proxies ask each other, as their scripts and settings do.
func TestPodsThatAskEachOther(t *testing.T) {
	asks := map[string][]int{}
	args := arguments(workload.Zonal)
	for _, f := range args.Flows() {
		if f.From.Namespace == valkey.Namespace {
			of := f.From.Pods["app.kubernetes.io/component"] + " to " + f.To.Pods["app.kubernetes.io/component"]
			asks[of] = append(asks[of], f.Ports...)
		}
	}
	assert.Equal(t, map[string][]int{
		"server to server": {6379}, "server to sentinel": {26379}, "sentinel to server": {6379}, "sentinel to sentinel": {26379},
		"proxy to server": {6379}, "proxy to sentinel": {26379},
	}, asks)
}
