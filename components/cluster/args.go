package cluster

import "github.com/pulumi/pulumi/sdk/v3/go/pulumi"

// Args describe an existing cluster.
type Args struct {
	// Kubeconfig is the path or the content of a kubeconfig; nil: the KUBECONFIG variable, or ~/.kube/config.
	Kubeconfig pulumi.StringInput
	// Context selects one of the kubeconfig's contexts; empty: its current context.
	Context string
	// Identifier names the cluster in the state. While it stays the same, a changed kubeconfig never replaces anything.
	Identifier string
	// DeleteUnreachable drops the cluster's resources from the state when the cluster is gone for good.
	DeleteUnreachable bool
}
