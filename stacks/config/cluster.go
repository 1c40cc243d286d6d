package config

// ClusterKind says where the cluster comes from.
type ClusterKind string

const (
	// ClusterExisting is a cluster that something else has created.
	ClusterExisting ClusterKind = "existing"
	// ClusterEKS is a cluster of Amazon EKS that the stack creates.
	ClusterEKS ClusterKind = "eks"
)

// Cluster says which Kubernetes cluster to install on.
type Cluster struct {
	// Where the cluster comes from: `existing` uses a cluster that something else has created; `eks` creates one of Amazon EKS with its network, which needs aws.region.
	Kind ClusterKind `json:"kind,omitempty" jsonschema:"enum=existing,enum=eks,default=existing"`
	// Path of a kubeconfig file. Without it and without kubeconfigContent the usual rules apply: the environment variable KUBECONFIG, then ~/.kube/config. Only with kind existing.
	Kubeconfig string `json:"kubeconfig,omitempty" jsonschema:"minLength=1"`
	// The content of a kubeconfig file. Excludes kubeconfig. Only with kind existing.
	KubeconfigContent Secret `json:"kubeconfigContent,omitempty" jsonschema:"minLength=1"`
	// The context of the kubeconfig to use. Only with kind existing.
	Context string `json:"context,omitempty" jsonschema:"minLength=1" jsonschema_extras:"x-derived=the kubeconfig's current context"`
	// A stable name for the cluster. As long as it stays the same, a changed kubeconfig never replaces what runs on the cluster.
	Identifier string `json:"identifier,omitempty" jsonschema:"format=label-value" jsonschema_extras:"x-derived=the stack's name"`
	// Whether resources are dropped from the stack's state when the cluster cannot be reached any more. Switch it on only for clusters that are thrown away as a whole.
	DeleteUnreachable bool `json:"deleteUnreachable" jsonschema:"default=false"`
	// ARN of the IAM OIDC provider that trusts the cluster's service-account issuer, so that pods can assume IAM roles. Needed with Amazon S3. Only with kind existing: EKS that is created has its own.
	OIDCProviderARN string `json:"oidcProviderArn,omitempty" jsonschema:"format=oidc-provider-arn,example=arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLE"`
	// metrics-server, which tells autoscalers and `kubectl top` what pods use.
	MetricsServer MetricsServer `json:"metricsServer"`
	// The cluster of Amazon EKS. Not allowed with another kind.
	EKS *EKS `json:"eks,omitempty"`
}

// MetricsServer configures metrics-server on clusters that lack one.
type MetricsServer struct {
	// Whether metrics-server is installed. Most clusters have one, and there can be no second. Not allowed with kind eks, where it is an add-on.
	Install bool `json:"install" jsonschema:"default=false"`
	// Image of metrics-server.
	Image string `json:"image,omitempty" jsonschema:"format=image,default=registry.k8s.io/metrics-server/metrics-server:v0.9.0"`
	// Replicas of metrics-server. At least 2 with availability zonal.
	Replicas int `json:"replicas" jsonschema:"minimum=1,maximum=5" jsonschema_extras:"x-derived=1 (single)\\, 2 (zonal)"`
	// What each replica reserves and may use. The default requests suit up to 100 nodes.
	Resources ResourceClass `json:"resources" defaults:"requests.cpu=100m,requests.memory=200Mi,limits.cpu=500m,limits.memory=512Mi"`
	// Whether any certificate of a kubelet is taken. Otherwise the cluster's authority must have signed it, with the address of its node, which not every installer of Kubernetes sees to.
	SkipKubeletVerification bool `json:"skipKubeletVerification" jsonschema:"default=false"`
}

// EKSSupport is the support of Kubernetes versions that AWS is asked for.
type EKSSupport string

const (
	// SupportStandard has AWS upgrade the cluster when standard support ends.
	SupportStandard EKSSupport = "standard"
	// SupportExtended has AWS keep the version, for a higher price.
	SupportExtended EKSSupport = "extended"
)

// EKS configures a cluster of Amazon EKS.
type EKS struct {
	// Minor version of Kubernetes. It never goes down, and goes up by one at a time.
	Version string `json:"version,omitempty" jsonschema:"enum=1.31,enum=1.32,enum=1.33,enum=1.34,enum=1.35,enum=1.36,default=1.35"`
	// What happens when standard support of the version ends: with `standard` AWS upgrades the control plane by itself; with `extended` it keeps the version for a year more, at a price per hour.
	Support EKSSupport `json:"supportType,omitempty" jsonschema:"enum=standard,enum=extended,default=standard"`
	// Name of the cluster, which what belongs to it in AWS is named after. It can never change.
	Name string `json:"name,omitempty" jsonschema:"format=eks-name" jsonschema_extras:"x-derived=controlplane-<the stack's name>"`
	// Availability zones of nodes and subnets, all in aws.region. At least 2, which EKS demands, and 3 with availability zonal. Zones can be added at the end, and never taken away.
	Zones []string `json:"zones,omitempty" jsonschema:"format=aws-zone,uniqueItems=true,minItems=1,maxItems=6,example=eu-central-1a" jsonschema_extras:"x-derived=a\\, b and c of aws.region or\\, with vpc.existing\\, those of its subnets"`
	// The network of nodes and pods.
	VPC EKSVPC `json:"vpc"`
	// Addresses of Services: a private range of /12 to /24 that nothing else has which the cluster talks to. It can never change.
	ServiceCIDR string `json:"serviceCidr,omitempty" jsonschema:"format=cidr,default=172.20.0.0/16"`
	// Who reaches the API server. From inside of the network it can always be reached.
	Endpoint EKSEndpoint `json:"endpoint"`
	// ARN of the KMS key that Secrets are encrypted with in etcd, in the cluster's region. It can never change.
	KMSKeyARN string `json:"kmsKeyArn,omitempty" jsonschema:"format=kms-key-arn" jsonschema_extras:"x-derived=a key that is created"`
	// How many days CloudWatch keeps the logs of the control plane, of which there are all types.
	LogRetentionDays int `json:"logRetentionDays" jsonschema:"enum=1,enum=3,enum=5,enum=7,enum=14,enum=30,enum=60,enum=90,enum=120,enum=150,enum=180,enum=365,enum=400,enum=545,enum=731,enum=1096,enum=1827,enum=2192,enum=2557,enum=2922,enum=3288,enum=3653,default=90"`
	// Who else may use the Kubernetes API beside whoever creates the cluster, who is its administrator.
	Access []EKSAccess `json:"access,omitempty"`
	// Groups of nodes, each with the same number of nodes in each of its zones.
	NodeGroups []EKSNodeGroup `json:"nodeGroups,omitempty" jsonschema:"minItems=1" jsonschema_extras:"x-derived=one\\, platform\\, with the defaults below"`
	// Add-ons that AWS maintains. All of them are installed.
	AddOns EKSAddOns `json:"addOns"`
	// The cluster autoscaler, which adds nodes for pods that find no room, and removes idle ones.
	Autoscaling EKSAutoscaling `json:"autoscaling"`
}

// EKSEndpoint says who reaches the API server.
type EKSEndpoint struct {
	// Addresses that reach the API server from the internet. Without any, only the private endpoint is there, and whoever runs this program must be inside of the network, or connected to it, at one of privateCidrs.
	PublicCIDRs []string `json:"publicCidrs,omitempty" jsonschema:"format=cidr,uniqueItems=true,minItems=1,maxItems=40,example=203.0.113.0/24" jsonschema_extras:"x-derived=nobody"`
	// Addresses that reach the API server by its private endpoint, beside nodes and pods: of a VPN, or of runners in the network or in one that is connected to it.
	PrivateCIDRs []string `json:"privateCidrs,omitempty" jsonschema:"format=cidr,uniqueItems=true,minItems=1,maxItems=40,example=10.20.0.0/16" jsonschema_extras:"x-derived=nobody"`
	// Whether publicCidrs may be every address. Without it such ranges are refused, however they are written.
	OpenToWorld bool `json:"openToWorld" jsonschema:"default=false"`
}

// EKSPolicy is an access policy of EKS.
type EKSPolicy string

const (
	// EKSClusterAdmin may do everything.
	EKSClusterAdmin EKSPolicy = "clusterAdmin"
	// EKSAdmin may do everything but change namespaces and quotas.
	EKSAdmin EKSPolicy = "admin"
	// EKSEdit may change workloads.
	EKSEdit EKSPolicy = "edit"
	// EKSView may read all but Secrets.
	EKSView EKSPolicy = "view"
)

// EKSAccess lets a principal of IAM use the Kubernetes API.
type EKSAccess struct {
	// ARN of the IAM role or user. Of a role that people assume it is that of the role, not that of a session.
	PrincipalARN string `json:"principalArn" jsonschema:"required,format=iam-principal-arn,example=arn:aws:iam::123456789012:role/developers"`
	// What the principal may do: the access policy of EKS of that name, which the ClusterRole of that name stands behind.
	Policy EKSPolicy `json:"policy" jsonschema:"required,enum=clusterAdmin,enum=admin,enum=edit,enum=view"`
	// Namespaces that the principal may do it in. Not with clusterAdmin.
	Namespaces []string `json:"namespaces,omitempty" jsonschema:"format=dns-label,uniqueItems=true,minItems=1" jsonschema_extras:"x-derived=the whole cluster"`
}

// EKSAddOns are the add-ons of a cluster of EKS.
type EKSAddOns struct {
	// The network of pods, and what enforces network policies.
	VPCCNI VPCCNI `json:"vpcCni"`
	// What resolves names.
	CoreDNS AddOn `json:"coreDns"`
	// What leads to Services.
	KubeProxy AddOn `json:"kubeProxy"`
	// What gives pods IAM roles.
	PodIdentityAgent AddOn `json:"podIdentityAgent"`
	// The driver of volumes.
	EBSCSIDriver AddOn `json:"ebsCsiDriver"`
	// What tells autoscalers and `kubectl top` what pods use.
	MetricsServer AddOn `json:"metricsServer"`
}

// AddOn configures an add-on of EKS.
type AddOn struct {
	// Version of the add-on, as `aws eks describe-addon-versions` lists them for the version of Kubernetes.
	Version string `json:"version,omitempty" jsonschema:"format=eks-addon-version,example=v1.21.1-eksbuild.1" jsonschema_extras:"x-derived=the default of the Kubernetes version when it is installed"`
}

// NetworkPolicyMode says what a pod may do before its policies are in place.
type NetworkPolicyMode string

const (
	// PoliciesStandard lets a new pod connect until its policies are there.
	PoliciesStandard NetworkPolicyMode = "standard"
	// PoliciesStrict lets it connect to nothing until then.
	PoliciesStrict NetworkPolicyMode = "strict"
)

// VPCCNI configures the network of pods.
type VPCCNI struct {
	// Version of the add-on, as `aws eks describe-addon-versions` lists them for the version of Kubernetes.
	Version string `json:"version,omitempty" jsonschema:"format=eks-addon-version,example=v1.21.1-eksbuild.1" jsonschema_extras:"x-derived=the default of the Kubernetes version when it is installed"`
	// What a new pod may do until its network policies are in place: with `standard` everything, for a moment; with `strict` nothing, in all namespaces, also those that others own and that have no policies at all.
	NetworkPolicyMode NetworkPolicyMode `json:"networkPolicyMode,omitempty" jsonschema:"enum=standard,enum=strict,default=standard"`
}

// EKSAutoscaling configures the cluster autoscaler.
type EKSAutoscaling struct {
	// Whether the number of nodes follows from what pods reserve, from minSize to maxSize. Otherwise it is desiredSize.
	Enabled bool `json:"enabled" jsonschema:"default=true"`
	// Image of the cluster autoscaler, of the minor version of Kubernetes.
	Image string `json:"image,omitempty" jsonschema:"format=image,example=registry.k8s.io/autoscaling/cluster-autoscaler:v1.35.0" jsonschema_extras:"x-derived=that of the version of Kubernetes"`
}
