package cluster

import (
	"errors"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/telekom/controlplane-infrastructure/components/cluster/autoscaler"
	"github.com/telekom/controlplane-infrastructure/components/cluster/eks"
	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/internal/part"
)

// Args describe a cluster: an existing one, or with EKS one that is made.
type Args struct {
	// Common is for what runs in the cluster. Its Provider is made here.
	part.Common
	// Kubeconfig is the path or the content of the kubeconfig of an existing cluster; nil: the KUBECONFIG variable, or
	// ~/.kube/config.
	Kubeconfig pulumi.StringInput
	// Context selects one of the kubeconfig's contexts; empty: its current context.
	Context string
	// Identifier names the cluster in the state. While it stays the same, a changed kubeconfig never replaces anything.
	Identifier string
	// DeleteUnreachable drops the cluster's resources from the state when the cluster is gone for good.
	DeleteUnreachable bool
	// EKS is a cluster on Amazon EKS; nil: there is one already.
	EKS *eks.Args
	// AutoscalerImage is that of the cluster autoscaler, which EKS.Autoscaling asks for.
	AutoscalerImage string
}

// Check reports what cannot work.
func (a Args) Check() error {
	if a.EKS != nil && (a.Kubeconfig != nil || a.Context != "") {
		return errors.New("cluster: Kubeconfig and Context are those of an existing cluster, and EKS makes one")
	}
	var problems []error
	if a.EKS != nil {
		problems = append(problems, a.EKS.Check())
	}
	if scaler := a.autoscaler(); scaler != nil {
		problems = append(problems, scaler.Check())
	}
	return errors.Join(problems...)
}

// Flows are the connections of what runs in the cluster.
func (a Args) Flows() []flow.Flow {
	if scaler := a.autoscaler(); scaler != nil {
		return scaler.Flows()
	}
	return nil
}

// autoscaler are the arguments of the cluster autoscaler; nil: there is none.
func (a Args) autoscaler() *autoscaler.Args {
	if a.EKS == nil || !a.EKS.Autoscaling {
		return nil
	}
	return &autoscaler.Args{Common: a.Common, Image: a.AutoscalerImage, Cluster: a.EKS.Name, Region: a.EKS.Region}
}
