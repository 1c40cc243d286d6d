package config

// ClusterKind says where the cluster comes from.
type ClusterKind string

// ClusterExisting is a cluster that something else has created.
const ClusterExisting ClusterKind = "existing"

// Cluster says which Kubernetes cluster to install on.
type Cluster struct {
	// Where the cluster comes from: `existing` uses a cluster that something else has created.
	Kind ClusterKind `json:"kind,omitempty" jsonschema:"enum=existing,default=existing"`
	// Path of a kubeconfig file. Without it and without kubeconfigContent the usual rules apply: the environment variable KUBECONFIG, then ~/.kube/config.
	Kubeconfig string `json:"kubeconfig,omitempty" jsonschema:"minLength=1"`
	// The content of a kubeconfig file. Excludes kubeconfig.
	KubeconfigContent Secret `json:"kubeconfigContent,omitempty" jsonschema:"minLength=1"`
	// The context of the kubeconfig to use.
	Context string `json:"context,omitempty" jsonschema:"minLength=1" jsonschema_extras:"x-derived=the kubeconfig's current context"`
	// A stable name for the cluster. As long as it stays the same, a changed kubeconfig never replaces what runs on the cluster.
	Identifier string `json:"identifier,omitempty" jsonschema:"format=label-value" jsonschema_extras:"x-derived=the stack's name"`
	// Whether resources are dropped from the stack's state when the cluster cannot be reached any more. Switch it on only for clusters that are thrown away as a whole.
	DeleteUnreachable bool `json:"deleteUnreachable" jsonschema:"default=false"`
	// ARN of the IAM OIDC provider that trusts the cluster's service-account issuer, so that pods can assume IAM roles. Needed with Amazon S3.
	OIDCProviderARN string `json:"oidcProviderArn,omitempty" jsonschema:"format=oidc-provider-arn,example=arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLE"`
}
