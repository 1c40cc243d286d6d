package config_test

// nodes is a cluster of EKS with the given groups of nodes.
func nodes(groups string) string { return eks("nodeGroups: [" + groups + "]") }

var badNodes = []badConfiguration{
	{"no groups of nodes", nodes(""), []string{
		"controlplane:cluster.eks.nodeGroups: must be a list, not empty, each item a map with the keys architecture, capacityType, desiredSize, diskSize, instanceTypes, labels, maxSize, minSize, name, operatingSystem, taints, zones"}},
	{"group with a long name", nodes("{name: the-nodes-of-the-platform}"), []string{
		`controlplane:cluster.eks.nodeGroups[0].name: "the-nodes-of-the-platform" must be 1 to 20 lower-case letters, digits and -, with a letter first and a letter or digit last`}},
	{"two groups of one name", nodes("{name: a}, {name: a}"), []string{
		`controlplane:cluster.eks.nodeGroups[1].name: "a" is the name of another group already; must be another name`}},
	{"group in a zone that is not the cluster's", nodes("{name: a, zones: [eu-central-1a, eu-central-1d]}"), []string{
		`controlplane:cluster.eks.nodeGroups[0].zones[1]: "eu-central-1d" is none of the cluster's zones; must be one of eu-central-1a, eu-central-1b, eu-central-1c; did you mean "eu-central-1a"?`}},
	{"instance type of nothing", nodes("{name: a, instanceTypes: [large]}"), []string{
		`controlplane:cluster.eks.nodeGroups[0].instanceTypes[0]: "large" must be a type of EC2 instances such as m7i.xlarge`}},
	{"unknown system", nodes("{name: a, operatingSystem: al2, architecture: arm, capacityType: SPOT}"), []string{
		`controlplane:cluster.eks.nodeGroups[0].architecture: "arm" must be one of x86_64, arm64; did you mean "arm64"?`,
		`controlplane:cluster.eks.nodeGroups[0].capacityType: "SPOT" must be one of on-demand, spot; did you mean "spot"?`,
		`controlplane:cluster.eks.nodeGroups[0].operatingSystem: "al2" must be one of al2023, bottlerocket`}},
	{"at most fewer than at least", nodes("{name: a, minSize: 4}"), []string{
		"controlplane:cluster.eks.nodeGroups[0].maxSize: 3 must be at least minSize, which is 4"}},
	{"desired beyond what is allowed", nodes("{name: a, desiredSize: 4}"), []string{
		"controlplane:cluster.eks.nodeGroups[0].desiredSize: 4 must be from minSize to maxSize, which are 1 and 3"}},
	{"small disk", nodes("{name: a, diskSize: 8Gi}"), []string{
		`controlplane:cluster.eks.nodeGroups[0].diskSize: "8Gi" must be at least "20Gi", for the system and images`}},
	{"labels that are reserved, or none", nodes("{name: a, labels: {node-role.kubernetes.io/worker: 'true', team: 'a b'}}"), []string{
		`controlplane:cluster.eks.nodeGroups[0].labels: "team: a b" is no label; must be a name of up to 63 letters, digits, -, _ and . with an optional DNS name and / before it, and a value of the same kind, or an empty one`,
		`controlplane:cluster.eks.nodeGroups[0].labels: "node-role.kubernetes.io/worker" belongs to Kubernetes or EKS; must have no kubernetes.io/, k8s.io/ or eks.amazonaws.com/ in it`}},
	{"effect in the spelling of AWS", nodes("{name: a}, {name: b, taints: [{key: gpu, effect: NO_SCHEDULE}]}"), []string{
		`controlplane:cluster.eks.nodeGroups[1].taints[0].effect: "NO_SCHEDULE" must be one of NoSchedule, PreferNoSchedule, NoExecute; did you mean "NoSchedule"?`}},
	{"taint twice", nodes("{name: a}, {name: b, taints: [{key: gpu, effect: NoSchedule}, {key: gpu, value: b, effect: NoSchedule}]}"), []string{
		`controlplane:cluster.eks.nodeGroups[1].taints[1].key: "gpu" has this effect in another item already; must be there once`}},
	{"no nodes for the platform", nodes("{name: a, taints: [{key: gpu, effect: NoSchedule}]}, {name: b, minSize: 0}"), []string{
		"controlplane:cluster.eks.nodeGroups: have nodes without taints, and with minSize 1 or more, in 0 zones; must have some in at least 1, for the platform itself"}},
	{"no nodes for the platform in one of three zones", "availability: zonal\n" + nodes("{name: a, zones: [eu-central-1a, eu-central-1b]}, {name: b, zones: [eu-central-1c], minSize: 0}"), []string{
		"controlplane:cluster.eks.nodeGroups: have nodes without taints, and with minSize 1 or more, in 2 zones; must have some in at least 3, for the platform itself"}},
}
