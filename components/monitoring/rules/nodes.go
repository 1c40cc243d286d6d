package rules

import "slices"

const (
	zone = "label_topology_kubernetes_io_zone"
	// Each node is counted once, also while kube-state-metrics is replaced and two of them report it.
	zoneOfNodes = `max by (node, ` + zone + `) (kube_node_labels{` + zone + `!=""})`
	readyNodes  = `(max by (node) (kube_node_status_condition{condition="Ready", status="true"}) == 1)`

	// disks are the file systems of nodes that hold data.
	disks = `job="node-exporter", fstype!~"tmpfs|ramfs|squashfs|overlay|iso9660|vfat"`
)

// nodes watches the machines. Without the node exporter, it knows what Kubernetes knows of them.
func nodes(a Args) Group {
	g := Group{Name: Nodes, Alerts: nodeConditions()}
	if a.NodeExporter {
		g.Alerts = slices.Concat(g.Alerts, nodeResources(), nodeDisks())
	}
	return g
}

func nodeConditions() []Alert {
	return []Alert{
		{
			Name: "NodeNotReady", For: "5m", Severity: Warning,
			Expr:        `kube_node_status_condition{condition="Ready", status="true"} == 0`,
			Summary:     `Node {{ $labels.node }} has not been ready for five minutes.`,
			Description: "Its pods are started elsewhere, where there is room and their volumes can follow.",
		},
		{
			Name: "NodeZoneLost", For: "3m", Severity: Critical,
			Expr: `count by (` + zone + `) (` + zoneOfNodes + `) unless count by (` + zone + `) ` +
				`(` + readyNodes + ` * on (node) group_left (` + zone + `) ` + zoneOfNodes + `)`,
			Summary:     `None of the {{ $value }} nodes in zone {{ $labels.` + zone + ` }} is ready.`,
			Description: "The platform works in the other zones, without any redundancy left in some of its parts. The next failure is an outage.",
		},
		{
			Name: "NodePressure", For: "10m", Severity: Warning,
			Expr:        `kube_node_status_condition{condition=~"MemoryPressure|DiskPressure|PIDPressure", status="true"} == 1`,
			Summary:     `Node {{ $labels.node }} reports {{ $labels.condition }}.`,
			Description: "It takes no more pods, and evicts some of those that it has.",
		},
	}
}

func nodeResources() []Alert {
	return []Alert{
		{
			Name: "NodeTargetDown", For: "10m", Severity: Warning,
			Expr:    `up{job="node-exporter"} == 0 or absent(up{job="node-exporter"})`,
			Summary: `Prometheus cannot read the metrics of {{ with $labels.node }}node {{ . }}{{ else }}any node{{ end }}.`,
			Description: "For ten minutes nothing has been known of its disks, memory and clock: it is down, or the node exporter " +
				"cannot be reached. Other alerts of it stay silent as long as its metrics are missing.",
		},
		{
			Name: "NodeMemoryLow", For: "15m", Severity: Warning,
			Expr:        `node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes < 0.1`,
			Summary:     `Node {{ $labels.node }} has only {{ $value | humanizePercentage }} of its memory left.`,
			Description: "When there is none, the kernel ends processes, and the kubelet evicts pods.",
		},
		{
			Name: "NodeClockSkewed", For: "10m", Severity: Warning,
			Expr: `abs(node_timex_offset_seconds) > 0.05 or ` +
				`(node_timex_sync_status == 0 and node_timex_maxerror_seconds >= 16)`,
			Summary:     `The clock of node {{ $labels.node }} is wrong, or follows no time server.`,
			Description: "Tokens and certificates are refused when clocks differ, and times in logs are misleading.",
		},
		{
			Name: "NodeNetworkErrors", For: "30m", Severity: Warning,
			Expr: `rate(node_network_receive_errs_total[5m]) / rate(node_network_receive_packets_total[5m]) > 0.01 or ` +
				`rate(node_network_transmit_errs_total[5m]) / rate(node_network_transmit_packets_total[5m]) > 0.01`,
			Summary:     `Interface {{ $labels.device }} of node {{ $labels.node }} loses {{ $value | humanizePercentage }} of its packets.`,
			Description: "Connections from and to its pods become slow or break.",
		},
	}
}

func nodeDisks() []Alert {
	const (
		writable = `and node_filesystem_readonly{` + disks + `} == 0`
		left     = `node_filesystem_avail_bytes{` + disks + `} / node_filesystem_size_bytes{` + disks + `}`
	)
	// A disk is mounted at several places, such as / and /var/lib/kubelet: it fills once.
	once := func(expr string) string { return `min without (mountpoint) (` + expr + `)` }
	return []Alert{
		{
			Name: "NodeDiskFilling", For: "30m", Severity: Warning,
			Expr: once(left + ` < 0.2 and predict_linear(node_filesystem_avail_bytes{` + disks + `}[6h], 86400) < 0 ` +
				writable),
			Summary:     `Disk {{ $labels.device }} of node {{ $labels.node }} has {{ $value | humanizePercentage }} left and will be full within a day.`,
			Description: "Before it is full, the kubelet evicts pods.",
		},
		{
			Name: "NodeDiskFull", For: "10m", Severity: Warning,
			Expr:        once(left + ` < 0.05 ` + writable),
			Summary:     `Disk {{ $labels.device }} of node {{ $labels.node }} has only {{ $value | humanizePercentage }} left.`,
			Description: "The kubelet evicts pods, and no image can be pulled. Other nodes take over what they can.",
		},
	}
}
