package dashboards

func nodes(b *board, a Args) {
	b.about("Whether all nodes are ready, how much of them is promised, and how much is in use.")
	b.row("At a glance")
	b.number(quarter, chart{
		title: "Nodes ready", unit: count, limits: highIsGood(1), says: "Good is all nodes.",
		queries: []query{{expr: `sum(kube_node_status_condition{condition="Ready", status="true"})`}},
	})
	b.number(quarter, chart{
		title: "Nodes not ready", unit: count, limits: lowIsGood(1), says: "Good is 0, but for the minutes of an update.",
		queries: []query{{expr: `sum(kube_node_status_condition{condition="Ready", status!="true"})`}},
	})
	b.number(quarter, chart{
		title: "Under pressure", unit: count, limits: lowIsGood(1),
		says: "Nodes short of memory, disk or processes: they move pods away. Good is 0.",
		queries: []query{{
			expr: `sum(kube_node_status_condition{condition=~"MemoryPressure|DiskPressure|PIDPressure", status="true"})`,
		}},
	})
	b.number(quarter, chart{
		title: "Closed for new pods", unit: count, limits: &limits{good, []limit{{1, doubtful}}},
		says:    "Nodes that somebody has cordoned. Good is 0, but for maintenance.",
		queries: []query{{expr: `sum(kube_node_spec_unschedulable)`}},
	})
	b.row("Promised")
	b.lines(half, chart{
		title: "Processor", unit: ratio, upTo: 1, limits: lowIsGood(0.9),
		says:    "Requests of pods, of what a node has for them. Good is below 80 %, so that another node's pods find room.",
		queries: []query{{promised("cpu"), "{{node}}"}},
	})
	b.lines(half, chart{
		title: "Memory", unit: ratio, upTo: 1, limits: lowIsGood(0.9),
		says:    "Requests of pods, of what a node has for them. Good is below 80 %.",
		queries: []query{{promised("memory"), "{{node}}"}},
	})
	if a.NodeExporter {
		b.machines()
	}
}

// promised is the share of a node's resource that its pods have requested.
func promised(resource string) string {
	return `sum by (node) (kube_pod_container_resource_requests{resource="` + resource + `", node!=""} ` +
		`and on (namespace, pod) kube_pod_status_phase{phase="Running"} == 1) / ` +
		`max by (node) (kube_node_status_allocatable{resource="` + resource + `"})`
}

// machines is what only the node exporter knows.
func (b *board) machines() {
	const chosenOnes = `namespace="node-exporter", instance=~"$instance"`
	const links = chosenOnes + `, device!~"lo|veth.*|cali.*|cilium.*"`
	const disks = chosenOnes + `, fstype!~"tmpfs|overlay|squashfs|ramfs", mountpoint!~"/(dev|proc|sys|run)($|/).*"`
	b.choice("instance", "Node", `label_values(node_load1{namespace="node-exporter"}, instance)`)
	b.row("In use")
	b.lines(third, chart{
		title: "Processor", unit: ratio, upTo: 1, limits: lowIsGood(0.9),
		says: "The share of time that is not idle. Good is below 80 %.",
		queries: []query{{
			`1 - avg by (instance) (rate(node_cpu_seconds_total{` + chosenOnes +
				`, mode="idle"}[$__rate_interval]))`, "{{instance}}",
		}},
	})
	b.lines(third, chart{
		title: "Memory", unit: ratio, upTo: 1, limits: lowIsGood(0.9),
		says: "What programs cannot have any more. Good is below 85 %.",
		queries: []query{{
			`1 - max by (instance) (node_memory_MemAvailable_bytes{` + chosenOnes + `} / node_memory_MemTotal_bytes{` +
				chosenOnes + `})`, "{{instance}}",
		}},
	})
	b.lines(third, chart{
		title: "Disks", unit: ratio, upTo: 1, limits: lowIsGood(0.85),
		says: "How full file systems are. Good is below 85 %.",
		queries: []query{{
			`max by (instance, mountpoint) (1 - node_filesystem_avail_bytes{` + disks +
				`} / node_filesystem_size_bytes{` + disks + `})`, "{{instance}} {{mountpoint}}",
		}},
	})
	b.lines(third, chart{
		title: "Disks busy", unit: ratio, says: "The share of time in which a disk works. Good is below 80 % for long.",
		queries: []query{{
			`max by (instance, device) (rate(node_disk_io_time_seconds_total{` + chosenOnes +
				`}[$__rate_interval]))`, "{{instance}} {{device}}",
		}},
	})
	b.lines(third, chart{
		title: "Network", unit: byteRate, says: "What nodes receive and send. Good is what is usual for the hour.",
		queries: []query{{rateBy("instance", "node_network_receive_bytes_total", links), "{{instance}} in"},
			{rateBy("instance", "node_network_transmit_bytes_total", links), "{{instance}} out"}},
	})
	b.lines(third, chart{
		title: "Clocks", unit: seconds,
		says:    "How far each node's clock is off. Good is below 50 milliseconds: tokens and certificates depend on it.",
		queries: []query{{`max by (instance) (abs(node_timex_offset_seconds{` + chosenOnes + `}))`, "{{instance}}"}},
	})
}
