package config_test

const (
	zoneFormat = "must be an availability zone of AWS such as eu-central-1a"
	versions   = "must be one of 1.31, 1.32, 1.33, 1.34, 1.35, 1.36"
	world      = "controlplane:cluster.eks.endpoint.publicCidrs: let the whole internet reach the API server; must be the addresses of those who work with it, or openToWorld be true to say that this is meant"
	vpcRange   = "must be a range of IPv4 addresses of /16 to /20"
	noNetwork  = "is not allowed with existing: the network is made by something else"
)

// eks is a cluster of EKS with the given keys, in eu-central-1.
func eks(keys string) string {
	return "aws: {region: eu-central-1}\ncluster: {kind: eks, eks: {" + keys + "}}"
}

// subnets are those of an existing VPC.
const subnets = "existing: {id: vpc-0123456789abcdef0, privateSubnets: {eu-central-1a: subnet-0123456789abcdef0, eu-central-1b: subnet-0123456789abcdef1, eu-central-1c: subnet-0123456789abcdef2}}"

var badCluster = []badConfiguration{
	// The kind.
	{"EKS without AWS", "cluster: {kind: eks}", []string{
		"controlplane:aws.region: is missing; controlplane:cluster.kind eks needs the AWS region of the cluster"}},
	{"section of EKS for an existing cluster", "cluster: {eks: {version: '1.34'}}", []string{
		"controlplane:cluster.eks: is only allowed with kind eks; kind is existing"}},
	{"kubeconfig of a cluster that is created", "aws: {region: eu-central-1}\ncluster: {kind: eks, kubeconfig: a, kubeconfigContent: b, context: c, oidcProviderArn: 'arn:aws:iam::123456789012:oidc-provider/a'}", []string{
		"controlplane:cluster.context: is only allowed with kind existing; kind is eks, whose cluster is created with all of it",
		`controlplane:cluster.kubeconfig: "a" contradicts kubeconfigContent; only one of them is allowed`,
		"controlplane:cluster.kubeconfig: is only allowed with kind existing; kind is eks, whose cluster is created with all of it",
		"controlplane:cluster.kubeconfigContent: is only allowed with kind existing; kind is eks, whose cluster is created with all of it",
		"controlplane:cluster.oidcProviderArn: is only allowed with kind existing; kind is eks, whose cluster is created with all of it"}},
	{"a second metrics-server", "aws: {region: eu-central-1}\ncluster: {kind: eks, metricsServer: {install: true}}", []string{
		"controlplane:cluster.metricsServer.install: true must be false with kind eks, where metrics-server is an add-on"}},
	{"one metrics-server over zones", "availability: zonal\ncluster: {metricsServer: {install: true, replicas: 1, resources: {requests: {cpu: 1}}}}", []string{
		"controlplane:cluster.metricsServer.replicas: 1 must be from 2 to 5 with controlplane:availability zonal",
		`controlplane:cluster.metricsServer.resources.requests.cpu: "1" must be at most the limit, which is "500m"`}},
	{"chart of a metrics-server that is not installed", "artifacts: {overrides: {metricsServer: {directory: a}}}", []string{
		"controlplane:artifacts.overrides.metricsServer: has no effect; controlplane:cluster.metricsServer.install is false, so that nothing is installed from it"}},
	{"S3 on a cluster without AWS", "cluster: {context: on-premises}\nstorage: {objectStorage: {backend: s3, bucket: files}}", []string{
		"controlplane:aws.region: is missing; controlplane:storage.objectStorage.backend s3 needs the AWS region of the buckets",
		"controlplane:cluster.oidcProviderArn: is missing; controlplane:storage.objectStorage.backend s3 needs the ARN of the cluster's IAM OIDC provider, so that pods get at the buckets without stored keys"}},

	// Version, names, logs.
	{"version below the range", eks("version: '1.30'"), []string{
		`controlplane:cluster.eks.version: "1.30" ` + versions + `; did you mean "1.31"?`}},
	{"version above the range", eks("version: '1.99'"), []string{
		`controlplane:cluster.eks.version: "1.99" ` + versions + `; did you mean "1.31"?`}},
	{"patch version", eks("version: 1.31.4"), []string{
		`controlplane:cluster.eks.version: "1.31.4" ` + versions + `; did you mean "1.31"?`}},
	{"version without quotes", eks("version: 1.34"), []string{
		`controlplane:cluster.eks.version: 1.34 ` + versions + `, in quotes; did you mean "1.34"?`}},
	{"unknown support", eks("supportType: STANDARD"), []string{
		`controlplane:cluster.eks.supportType: "STANDARD" must be one of standard, extended; did you mean "standard"?`}},
	{"name with a dot", eks("name: control.plane"), []string{
		`controlplane:cluster.eks.name: "control.plane" must be 1 to 100 letters, digits, - and _, with a letter or digit first`}},
	{"retention that CloudWatch does not have", eks("logRetentionDays: 100"), []string{
		"controlplane:cluster.eks.logRetentionDays: 100 must be one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653"}},
	{"version of an add-on without its build", eks("addOns: {coreDns: {version: v1.12.4}}"), []string{
		`controlplane:cluster.eks.addOns.coreDns.version: "v1.12.4" must be a version of an add-on such as v1.21.1-eksbuild.1`}},
	{"misspelt add-on", eks("addOns: {coreDNS: {}}"), []string{
		`controlplane:cluster.eks.addOns.coreDNS: is not a key; allowed are coreDns, ebsCsiDriver, kubeProxy, metricsServer, podIdentityAgent, vpcCni; did you mean "coreDns"?`}},
	{"autoscaler of another version", eks("version: '1.34', autoscaling: {image: 'registry.k8s.io/autoscaling/cluster-autoscaler:v1.35.1'}"), []string{
		`controlplane:cluster.eks.autoscaling.image: "registry.k8s.io/autoscaling/cluster-autoscaler:v1.35.1" must be of version 1.34, that of Kubernetes`}},
	{"key of another region for the cluster", eks("kmsKeyArn: 'arn:aws:kms:eu-west-1:123456789012:key/1234abcd'"), []string{
		`controlplane:cluster.eks.kmsKeyArn: "arn:aws:kms:eu-west-1:123456789012:key/1234abcd" must be a key in controlplane:aws.region, which is eu-central-1`}},

	// Zones.
	{"one zone with zonal", "availability: zonal\n" + eks("zones: [eu-central-1a]"), []string{
		`controlplane:cluster.eks.zones: "eu-central-1a" must be at least three zones with controlplane:availability zonal`}},
	{"two zones with zonal", "availability: zonal\n" + eks("zones: [eu-central-1a, eu-central-1b]"), []string{
		`controlplane:cluster.eks.zones: "eu-central-1a, eu-central-1b" must be at least three zones with controlplane:availability zonal`}},
	{"one zone", eks("zones: [eu-central-1a]"), []string{
		`controlplane:cluster.eks.zones: "eu-central-1a" must be at least two zones: EKS puts its API servers in two`}},
	{"zones of another region", eks("zones: [eu-central-1a, eu-west-1b]"), []string{
		`controlplane:cluster.eks.zones[1]: "eu-west-1b" must be a zone of controlplane:aws.region, which is eu-central-1`}},
	{"zones by their letters", eks("zones: [a, b, c]"), []string{
		`controlplane:cluster.eks.zones[0]: "a" ` + zoneFormat, `controlplane:cluster.eks.zones[1]: "b" ` + zoneFormat, `controlplane:cluster.eks.zones[2]: "c" ` + zoneFormat}},
	{"zone twice", eks("zones: [eu-central-1a, eu-central-1a]"), []string{
		"controlplane:cluster.eks.zones: must be a list, not empty, without repetition, each item an availability zone of AWS such as eu-central-1a"}},
	{"region whose zones are not known", "aws: {region: us-west-1}\ncluster: {kind: eks}", []string{
		"controlplane:cluster.eks.zones: are missing; accounts differ in which zones of us-west-1 they have, so that they must be given"}},

	// Addresses.
	{"network too small", eks("vpc: {cidr: 10.0.0.0/21}"), []string{
		`controlplane:cluster.eks.vpc.cidr: "10.0.0.0/21" ` + vpcRange}},
	{"network too large", eks("vpc: {cidr: 10.0.0.0/8}, serviceCidr: 192.168.0.0/16"), []string{
		`controlplane:cluster.eks.vpc.cidr: "10.0.0.0/8" ` + vpcRange}},
	{"network of IPv6", eks("vpc: {cidr: '2001:db8::/32'}"), []string{
		`controlplane:cluster.eks.vpc.cidr: "2001:db8::/32" ` + vpcRange}},
	{"network with host bits", eks("vpc: {cidr: 10.1.2.3/16}"), []string{
		`controlplane:cluster.eks.vpc.cidr: "10.1.2.3/16" ` + cidr + `; did you mean "10.1.0.0/16"?`}},
	{"Services in the network", eks("serviceCidr: 10.0.128.0/20"), []string{
		`controlplane:cluster.eks.serviceCidr: "10.0.128.0/20" overlaps with vpc.cidr, which is 10.0.0.0/16; must have addresses of its own`}},
	{"network around the default of Services", eks("vpc: {cidr: 172.20.0.0/16}"), []string{
		`controlplane:cluster.eks.serviceCidr: "172.20.0.0/16" overlaps with vpc.cidr, which is 172.20.0.0/16; must have addresses of its own`}},
	{"public addresses of Services", eks("serviceCidr: 203.0.112.0/20"), []string{
		`controlplane:cluster.eks.serviceCidr: "203.0.112.0/20" must be in 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16`}},
	{"few addresses of Services", eks("serviceCidr: 172.20.0.0/25"), []string{
		`controlplane:cluster.eks.serviceCidr: "172.20.0.0/25" must be a range of IPv4 addresses of /12 to /24`}},
	{"subnets that overlap", eks("zones: [eu-central-1a, eu-central-1b], vpc: {privateCidrs: [10.0.0.0/18, 10.0.32.0/19], publicCidrs: [10.0.192.0/24, 10.0.64.0/24]}"), []string{
		`controlplane:cluster.eks.vpc.privateCidrs[1]: "10.0.32.0/19" overlaps with controlplane:cluster.eks.vpc.privateCidrs[0], which is 10.0.0.0/18; must have addresses of its own`}},
	{"public in private subnets", eks("zones: [eu-central-1a, eu-central-1b], vpc: {privateCidrs: [10.0.0.0/18, 10.0.64.0/18], publicCidrs: [10.0.1.0/24, 10.0.192.0/24]}"), []string{
		`controlplane:cluster.eks.vpc.publicCidrs[0]: "10.0.1.0/24" overlaps with controlplane:cluster.eks.vpc.privateCidrs[0], which is 10.0.0.0/18; must have addresses of its own`}},
	{"private subnets that leave no room for public ones", eks("zones: [eu-central-1a, eu-central-1b], vpc: {privateCidrs: [10.0.0.0/17, 10.0.128.0/17]}"), []string{
		`controlplane:cluster.eks.vpc.publicCidrs: "10.0.192.0/24" is what follows from cidr, and overlaps with controlplane:cluster.eks.vpc.privateCidrs[1], which is 10.0.128.0/17; must have addresses of its own`,
		`controlplane:cluster.eks.vpc.publicCidrs: "10.0.193.0/24" is what follows from cidr, and overlaps with controlplane:cluster.eks.vpc.privateCidrs[1], which is 10.0.128.0/17; must have addresses of its own`}},
	{"subnet outside of the network", eks("zones: [eu-central-1a, eu-central-1b], vpc: {privateCidrs: [10.0.0.0/18, 10.1.0.0/18]}"), []string{
		`controlplane:cluster.eks.vpc.privateCidrs[1]: "10.1.0.0/18" must be in vpc.cidr, which is 10.0.0.0/16`}},
	{"subnets for some zones", eks("vpc: {privateCidrs: [10.0.0.0/18, 10.0.64.0/18]}"), []string{
		"controlplane:cluster.eks.vpc.privateCidrs: has 2 subnets for 3 zones; must have one for each zone"}},
	{"unknown number of NAT gateways", eks("vpc: {natGateways: none}"), []string{
		`controlplane:cluster.eks.vpc.natGateways: "none" must be one of zonal, single`}},

	// An existing network.
	{"existing VPC that is made", eks("vpc: {cidr: 10.0.0.0/16, privateCidrs: [10.0.0.0/18], publicCidrs: [10.0.64.0/18], natGateways: single, flowLogs: {enabled: true}, " + subnets + "}"), []string{
		"controlplane:cluster.eks.vpc.flowLogs: " + noNetwork, "controlplane:cluster.eks.vpc.natGateways: " + noNetwork,
		"controlplane:cluster.eks.vpc.privateCidrs: " + noNetwork, "controlplane:cluster.eks.vpc.publicCidrs: " + noNetwork}},
	{"existing VPC without its addresses", eks("vpc: {" + subnets + "}"), []string{
		"controlplane:cluster.eks.vpc.cidr: is missing; must be the range of the existing VPC, from which pods and the API server connect"}},
	{"existing subnets of two zones with zonal", "availability: zonal\n" + eks("vpc: {cidr: 10.0.0.0/16, existing: {id: vpc-0123456789abcdef0, privateSubnets: {eu-central-1a: subnet-0123456789abcdef0, eu-central-1b: subnet-0123456789abcdef1}}}"), []string{
		`controlplane:cluster.eks.vpc.existing.privateSubnets: "eu-central-1a, eu-central-1b" must be at least three zones with controlplane:availability zonal`}},
	{"existing subnets of other zones", eks("zones: [eu-central-1a, eu-central-1d], vpc: {cidr: 10.0.0.0/16, existing: {id: vpc-0123456789abcdef0, privateSubnets: {eu-central-1a: subnet-0123456789abcdef0, eu-central-1b: subnet-0123456789abcdef1}}}"), []string{
		"controlplane:cluster.eks.vpc.existing.privateSubnets: have none in zone eu-central-1d of zones; must have one for each zone",
		`controlplane:cluster.eks.vpc.existing.privateSubnets: "eu-central-1b" is none of zones; must have one for each zone, and no other`}},
	{"existing subnets that are none", eks("vpc: {cidr: 10.0.0.0/16, existing: {id: vpc-1, privateSubnets: {eu-west-1a: subnet-1, eu-central-1a: subnet-0123456789abcdef1, eu-central-1b: subnet-0123456789abcdef1, c: subnet-0123456789abcdef2}}}"), []string{
		`controlplane:cluster.eks.vpc.existing.id: "vpc-1" must be the ID of a VPC such as vpc-0123456789abcdef0`,
		`controlplane:cluster.eks.vpc.existing.privateSubnets: "c" is no zone; must be a map of zones such as eu-central-1a to IDs of subnets`,
		`controlplane:cluster.eks.vpc.existing.privateSubnets: "eu-west-1a" must be a zone of controlplane:aws.region, which is eu-central-1`,
		`controlplane:cluster.eks.vpc.existing.privateSubnets.eu-central-1b: "subnet-0123456789abcdef1" is the subnet of eu-central-1a already; must be another one`,
		`controlplane:cluster.eks.vpc.existing.privateSubnets.eu-west-1a: "subnet-1" must be the ID of a subnet such as subnet-0123456789abcdef0`}},
	{"existing VPC without subnets", eks("vpc: {cidr: 10.0.0.0/16, existing: {id: vpc-0123456789abcdef0}}"), []string{
		"controlplane:cluster.eks.vpc.existing.privateSubnets: is missing; must be a map of names to strings"}},

	// The endpoint.
	{"endpoint open to the world", eks("endpoint: {publicCidrs: [0.0.0.0/0]}"), []string{world}},
	{"endpoint open to the world of IPv6", eks("endpoint: {publicCidrs: ['::/0']}"), []string{world}},
	{"endpoint open to the world in halves", eks("endpoint: {publicCidrs: [0.0.0.0/1, 128.0.0.0/1]}"), []string{world}},
	{"endpoint open to the world in small parts", eks("endpoint: {publicCidrs: [8.0.0.0/8, 9.0.0.0/8]}"), []string{world}},
	{"endpoint open to the world for IPv6, which there is not", eks("endpoint: {openToWorld: true, publicCidrs: ['::/0']}"), []string{
		`controlplane:cluster.eks.endpoint.publicCidrs[0]: "::/0" must be a range of IPv4 addresses: the cluster has no others`}},
	{"private endpoint open to everybody, and to an address of IPv6", eks("endpoint: {privateCidrs: [0.0.0.0/0, 'fd00::/64']}"), []string{
		"controlplane:cluster.eks.endpoint.privateCidrs[0]: \"0.0.0.0/0\" is more than any network has; must be /8 or smaller",
		"controlplane:cluster.eks.endpoint.privateCidrs[1]: \"fd00::/64\" must be a range of IPv4 addresses: the cluster has no others"}},
	{"endpoint open to nobody in the world", eks("endpoint: {openToWorld: true}"), []string{
		"controlplane:cluster.eks.endpoint.openToWorld: true has no effect without publicCidrs; must be false, or publicCidrs have 0.0.0.0/0"}},
	{"public endpoint for private addresses", eks("endpoint: {publicCidrs: [203.0.113.0/24, 10.0.0.0/16]}"), []string{
		`controlplane:cluster.eks.endpoint.publicCidrs[1]: "10.0.0.0/16" never comes from the internet; must be public addresses. Addresses inside of the network reach the API server anyway`}},
	{"address without a prefix", eks("endpoint: {publicCidrs: [203.0.113.7]}"), []string{
		`controlplane:cluster.eks.endpoint.publicCidrs[0]: "203.0.113.7" ` + cidr + `; did you mean "203.0.113.7/32"?`}},

	// Access.
	{"access of a session", eks("access: [{principalArn: 'arn:aws:sts::123456789012:assumed-role/a/b', policy: view}]"), []string{
		`controlplane:cluster.eks.access[0].principalArn: "arn:aws:sts::123456789012:assumed-role/a/b" must be the ARN of an IAM role or user, such as arn:aws:iam::123456789012:role/name`}},
	{"access twice", eks("access: [{principalArn: 'arn:aws:iam::123456789012:role/a', policy: view}, {principalArn: 'arn:aws:iam::123456789012:role/a', policy: edit, namespaces: [a]}]"), []string{
		`controlplane:cluster.eks.access[1].principalArn: "arn:aws:iam::123456789012:role/a" is in another item already; EKS has one entry for a principal`}},
	{"administrator of one namespace of the cluster", eks("access: [{principalArn: 'arn:aws:iam::123456789012:user/a', policy: clusterAdmin, namespaces: [a]}]"), []string{
		"controlplane:cluster.eks.access[0].namespaces: are not allowed with policy clusterAdmin, which is for the whole cluster; must be left out, or policy be admin, edit or view"}},
	{"access without anything", eks("access: [{}]"), []string{
		"controlplane:cluster.eks.access[0].policy: is missing; must be one of clusterAdmin, admin, edit, view",
		"controlplane:cluster.eks.access[0].principalArn: is missing; must be the ARN of an IAM role or user, such as arn:aws:iam::123456789012:role/name"}},

	// Everything of the issue at once.
	{"several mistakes with EKS", "availability: zonal\n" + eks("version: '1.29', zones: [eu-central-1a], serviceCidr: 10.0.0.0/16, endpoint: {publicCidrs: [0.0.0.0/0]}"), []string{
		world,
		`controlplane:cluster.eks.serviceCidr: "10.0.0.0/16" overlaps with vpc.cidr, which is 10.0.0.0/16; must have addresses of its own`,
		`controlplane:cluster.eks.version: "1.29" ` + versions + `; did you mean "1.31"?`,
		`controlplane:cluster.eks.zones: "eu-central-1a" must be at least three zones with controlplane:availability zonal`}},
}
