package autoscaler

import (
	"errors"

	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/internal/part"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
)

const (
	// Namespace is where it runs, and ServiceAccount is whom its pods act for: who assumes its IAM role.
	Namespace      = "cluster-autoscaler"
	ServiceAccount = name
	// EnabledTag is on the Auto Scaling groups that it may change, and so is ClusterTag of the cluster.
	EnabledTag = "k8s.io/cluster-autoscaler/enabled"

	name = "cluster-autoscaler"
	// metricsPort serves its metrics and its health, without TLS: it has no setting for a certificate. It tells how many
	// nodes there are and why there are no more, and network policies let Prometheus in alone.
	metricsPort = 8085
)

// ClusterTag is the tag of the Auto Scaling groups of a cluster.
func ClusterTag(cluster string) string { return "k8s.io/cluster-autoscaler/" + cluster }

// podIdentity are the addresses of the agent that gives the pods of a node the credentials of their IAM roles. They are
// the same on every node. Source: https://docs.aws.amazon.com/eks/latest/userguide/pod-id-agent-setup.html.
var podIdentity = flow.Peer{
	Name: "EKS Pod Identity agent", CIDRs: []string{"169.254.170.23/32", "fd00:ec2::23/128"},
}

// Args configure the cluster autoscaler.
type Args struct {
	part.Common
	// Image is that of the pods, with its tag: of the cluster's minor version.
	Image string
	// Cluster is the cluster's name in EKS, and Region the AWS region that it is in.
	Cluster, Region string
}

// Check reports what cannot work.
func (a Args) Check() error {
	var problems []error
	for field, value := range map[string]string{"Image": a.Image, "Cluster": a.Cluster, "Region": a.Region} {
		if value == "" {
			problems = append(problems, errors.New("cluster autoscaler: "+field+" is missing"))
		}
	}
	return errors.Join(problems...)
}

// replicas are two over zones, of which one leads.
func (a Args) replicas() int32 {
	if a.Availability == workload.Zonal {
		return 2
	}
	return 1
}

// Flows are the connections that it opens and accepts.
func (a Args) Flows() []flow.Flow {
	pods := flow.Peer{Namespace: Namespace, Pods: selector()}
	return []flow.Flow{
		a.ToAPIServer("cluster-autoscaler-kubernetes", pods, "The cluster autoscaler watches pods and nodes, and drains nodes."),
		{
			Name: "cluster-autoscaler-aws", From: pods, To: flow.Peer{Name: "AWS APIs", Everywhere: true}, Ports: []int{443},
			Why: "The cluster autoscaler reads and sets how many nodes AWS runs. The addresses of AWS' APIs change.",
		},
		{
			Name: "cluster-autoscaler-identity", From: pods, To: podIdentity, Ports: []int{80},
			Why: "The agent on the node gives the cluster autoscaler the credentials of its IAM role.",
		},
		a.Scrape("cluster-autoscaler-metrics", pods, metricsPort),
	}
}

func selector() map[string]string { return map[string]string{"app.kubernetes.io/name": name} }

func labels() map[string]string {
	return map[string]string{
		"app.kubernetes.io/name": name, "app.kubernetes.io/managed-by": "pulumi",
		"app.kubernetes.io/part-of": "controlplane-infrastructure",
	}
}
