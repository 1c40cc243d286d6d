package config

// NATMode says how many NAT gateways there are.
type NATMode string

const (
	// NATZonal has one in each zone.
	NATZonal NATMode = "zonal"
	// NATSingle has one for all zones.
	NATSingle NATMode = "single"
)

// EKSVPC configures the network of a cluster of EKS. The lists of subnets are
// in the order of the cluster's zones.
type EKSVPC struct {
	// Addresses of nodes and pods: a range of /16 to /20. With existing it is that of the existing VPC, and must be given. It can never change.
	CIDR string `json:"cidr,omitempty" jsonschema:"format=cidr,example=10.0.0.0/16" jsonschema_extras:"x-derived=10.0.0.0/16"`
	// Subnets of nodes and pods, one for each zone in the order of zones. A zone's subnet can never change. Not allowed with existing.
	PrivateCIDRs []string `json:"privateCidrs,omitempty" jsonschema:"format=cidr,uniqueItems=true,minItems=1,maxItems=6,example=10.0.0.0/18" jsonschema_extras:"x-derived=cidr divided: each as large as can be"`
	// Subnets of load balancers and NAT gateways, one for each zone in the order of zones. A zone's subnet can never change. Not allowed with existing.
	PublicCIDRs []string `json:"publicCidrs,omitempty" jsonschema:"format=cidr,uniqueItems=true,minItems=1,maxItems=6,example=10.0.192.0/24" jsonschema_extras:"x-derived=cidr divided: each /24 or smaller"`
	// How nodes and pods reach the internet: `zonal` has a NAT gateway in each zone; `single` has one for all, with which every zone loses the internet when that one zone fails. Not allowed with existing.
	NATGateways NATMode `json:"natGateways,omitempty" jsonschema:"enum=zonal,enum=single" jsonschema_extras:"x-derived=single (single)\\, zonal (zonal)"`
	// A log of all connections in the network. Not allowed with existing.
	FlowLogs EKSFlowLogs `json:"flowLogs"`
	// A VPC and subnets that something else has created. Without it they are created.
	Existing *EKSExistingVPC `json:"existing,omitempty"`
}

// EKSFlowLogs configures the log of connections.
type EKSFlowLogs struct {
	// Whether connections are logged to CloudWatch.
	Enabled bool `json:"enabled" jsonschema:"default=false"`
	// How many days CloudWatch keeps the log.
	RetentionDays int `json:"retentionDays" jsonschema:"enum=1,enum=3,enum=5,enum=7,enum=14,enum=30,enum=60,enum=90,enum=120,enum=150,enum=180,enum=365,enum=400,enum=545,enum=731,enum=1096,enum=1827,enum=2192,enum=2557,enum=2922,enum=3288,enum=3653,default=30"`
}

// EKSExistingVPC names a VPC and its subnets by zone.
type EKSExistingVPC struct {
	// ID of the VPC. It must resolve DNS names and give hosts some (enableDnsSupport, enableDnsHostnames).
	ID string `json:"id" jsonschema:"required,format=vpc-id,example=vpc-0123456789abcdef0"`
	// Subnets of nodes and pods by zone. From each of them the internet or the endpoints of AWS must be reachable. For public load balancers the VPC needs public subnets, too, with the tag `kubernetes.io/role/elb: 1`.
	PrivateSubnets map[string]string `json:"privateSubnets" jsonschema:"required"`
}
