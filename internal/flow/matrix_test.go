package flow_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/telekom/controlplane-infrastructure/internal/flow"
)

// Each flow is explained once: where it ends, or where it begins if it ends at something that is not in a namespace.
func TestMarkdown(t *testing.T) {
	assert.Equal(t, "\n### `backup`\n"+`
| flow | from | to | ports | why |
|---|---|---|---|---|
`+"| elsewhere | database in `data` | any pod in `backup` | 1 |  |\n"+"\n### `data`\n"+`
| flow | from | to | ports | why |
|---|---|---|---|---|
`+"| database | server in `shop` | database in `data` | 5432 | Orders are kept there. |\n"+"\n### `shop`\n"+`
| flow | from | to | ports | why |
|---|---|---|---|---|
`+"| https | any pod in any namespace | server in `shop` | 8443, 9443 | Customers order. |\n"+
		"| metrics | any pod in namespaces with `metrics=enabled` | server in `shop` | 9000 |  |\n"+
		"| pay | server in `shop` | `192.0.2.0/24`, `2001:db8::/32` | 443 |  |\n"+
		"| webhook | any address | server in `shop` | 9443 |  |\n"+
		"| names | server in `shop` | `192.0.2.0/24` | 53, 53/UDP |  |\n", table.Markdown(3))
}

func TestNamesOfPeers(t *testing.T) {
	for want, peer := range map[string]flow.Peer{
		"API server (any address)":           {Name: "API server", Everywhere: true},
		"Prometheus (any pod in `watch`)":    {Name: "Prometheus", Namespace: "watch"},
		"bank (`192.0.2.0/24`)":              {Name: "bank", CIDRs: []string{"192.0.2.0/24"}},
		"till in any namespace":              {Pods: map[string]string{"a": "till"}},
		"till in namespaces with `zone=one`": {Pods: map[string]string{"a": "till"}, NamespaceLabels: map[string]string{"zone": "one"}},
		"shop server main in `shop`": {Namespace: "shop", Pods: map[string]string{
			"app.kubernetes.io/component": "server", "app.kubernetes.io/name": "shop", "example.com/role": "main",
		}},
		"orders replica in `shop`": {Namespace: "shop", Pods: map[string]string{"a/role": "replica", "z/cluster": "orders"}},
		"solver of-2 in `shop`":    {Namespace: "shop", Pods: map[string]string{"acme/solver": "true", "acme/token": "of-2"}},
	} {
		assert.Equal(t, want, peer.Words())
	}
}

func TestLegend(t *testing.T) {
	assert.Equal(t, `| pods | labels |
|---|---|
`+"| database in `data` | `app=database` |\n| server in `shop` | `app=server` |\n", table.Legend())
}

// Ports between the same two boxes are joined, and what stays in a box is not drawn.
func TestDiagram(t *testing.T) {
	some := flow.Table{Flows: []flow.Flow{
		{Name: "a", From: server, To: database, Ports: []int{5432, 80}},
		{Name: "b", From: server, To: database, Ports: []int{443, 80}, UDPPorts: []int{53}},
		{Name: "c", From: database, To: database, Ports: []int{7000}},
		{Name: "d", From: database, To: flow.Peer{Name: "API server", Everywhere: true}, Ports: []int{443}},
		{Name: "e", From: flow.Peer{NamespaceLabels: map[string]string{"metrics": "enabled"}}, To: server},
	}}
	assert.Equal(t, `flowchart LR
  n3["API server"]
  n4["any pod in namespaces with metrics=enabled"]
  n2["data"]
  n1["shop"]
  n4 -- "every port" --> n1
  n2 -- "443" --> n3
  n1 -- "53/UDP, 80, 443, 5432" --> n2
`, some.Diagram())
}

func TestChanges(t *testing.T) {
	assert.Equal(t, "\nThe flows are the same.\n", table.Changes(table))
	other := flow.Table{Flows: append([]flow.Flow{}, flows[1:]...)}
	other.Flows[0].Ports = []int{8443}
	other.Flows = append(other.Flows, flow.Flow{Name: "new", To: server, Ports: []int{1}, Why: "Why not?"})
	changes := table.Changes(other)
	assert.Contains(t, changes, "Not there: `database`.")
	assert.Contains(t, changes, "| https | any pod in any namespace | server in `shop` | 8443 | Customers order. |")
	assert.Contains(t, changes, "| new | any pod in any namespace | server in `shop` | 1 | Why not? |")
	assert.Equal(t, 2, strings.Count(changes, "server in `shop`"), "what is the same is not repeated")
}
