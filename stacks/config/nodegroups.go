package config

// CapacityType is how nodes are paid.
type CapacityType string

const (
	// CapacityOnDemand stays.
	CapacityOnDemand CapacityType = "on-demand"
	// CapacitySpot is cheaper, and taken away at short notice.
	CapacitySpot CapacityType = "spot"
)

// NodeOS is the operating system of nodes.
type NodeOS string

const (
	// NodeAL2023 is Amazon Linux 2023.
	NodeAL2023 NodeOS = "al2023"
	// NodeBottlerocket is Bottlerocket, which has nothing but what containers need.
	NodeBottlerocket NodeOS = "bottlerocket"
)

// Architecture is that of a processor.
type Architecture string

const (
	// ArchitectureX86 is that of Intel and AMD.
	ArchitectureX86 Architecture = "x86_64"
	// ArchitectureARM is that of Graviton.
	ArchitectureARM Architecture = "arm64"
)

// EKSNodeGroup is a group of nodes, which is one managed node group per zone.
type EKSNodeGroup struct {
	// Name of the group.
	Name string `json:"name" jsonschema:"required,format=node-group-name,example=platform"`
	// Zones that the group has nodes in.
	Zones []string `json:"zones,omitempty" jsonschema:"format=aws-zone,uniqueItems=true,minItems=1" jsonschema_extras:"x-derived=eks.zones"`
	// Types of instances, the preferred one first. They should have the same CPU and memory, which the autoscaler counts with.
	InstanceTypes []string `json:"instanceTypes,omitempty" jsonschema:"format=instance-type,uniqueItems=true,minItems=1,maxItems=20,example=m7i.xlarge" jsonschema_extras:"x-derived=m7i.xlarge (x86_64)\\, m7g.xlarge (arm64)"`
	// How nodes are paid: `on-demand` nodes stay; `spot` nodes are cheaper, and taken away at two minutes' notice.
	CapacityType CapacityType `json:"capacityType,omitempty" jsonschema:"enum=on-demand,enum=spot,default=on-demand"`
	// Operating system of the nodes.
	OperatingSystem NodeOS `json:"operatingSystem,omitempty" jsonschema:"enum=al2023,enum=bottlerocket,default=al2023"`
	// Architecture of the nodes, which instanceTypes must have.
	Architecture Architecture `json:"architecture,omitempty" jsonschema:"enum=x86_64,enum=arm64,default=x86_64"`
	// How many nodes there are at least in each zone.
	MinSize int `json:"minSize" jsonschema:"minimum=0,maximum=450,default=1"`
	// How many nodes there are at most in each zone.
	MaxSize int `json:"maxSize" jsonschema:"minimum=1,maximum=450,default=3"`
	// How many nodes there are in each zone at first and, without autoscaling, from then on.
	DesiredSize int `json:"desiredSize" jsonschema:"minimum=0,maximum=450" jsonschema_extras:"x-derived=minSize"`
	// Size of each node's volume.
	DiskSize Quantity `json:"diskSize" jsonschema:"default=50Gi" jsonschema_extras:"x-derived=50Gi"`
	// Labels of the nodes.
	Labels map[string]string `json:"labels,omitempty"`
	// Taints of the nodes, which only pods that tolerate them run on.
	Taints []EKSTaint `json:"taints,omitempty"`
}

// TaintEffect is what a taint does to pods that do not tolerate it.
type TaintEffect string

// preferNoSchedule keeps nothing away that has no other place.
const preferNoSchedule TaintEffect = "PreferNoSchedule"

// EKSTaint is a taint of nodes.
type EKSTaint struct {
	// Key of the taint.
	Key string `json:"key" jsonschema:"required,format=qualified-name,example=dedicated"`
	// Value of the taint.
	Value string `json:"value,omitempty" jsonschema:"format=label-value,example=gateway"`
	// What happens to pods that do not tolerate it: they are not placed here, are placed here last, or have to leave.
	Effect TaintEffect `json:"effect" jsonschema:"required,enum=NoSchedule,enum=PreferNoSchedule,enum=NoExecute"`
}
