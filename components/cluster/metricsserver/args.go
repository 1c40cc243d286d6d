package metricsserver

import (
	"errors"

	corev1 "k8s.io/api/core/v1"

	"github.com/telekom/controlplane-infrastructure/internal/artifact"
	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/internal/part"
)

const (
	// Namespace is where it runs.
	Namespace = "metrics-server"
	// APIService is what it registers itself as, by which another installation is known as well.
	APIService = "v1beta1.metrics.k8s.io"

	name = "metrics-server"
	// The port of its pods, and the one of kubelets where a node names no other.
	port, kubeletPort = 10250, 10250
)

// Args configure the component.
type Args struct {
	part.Common
	// Chart is metrics-server's chart.
	Chart *artifact.Tree
	// Image is that of the pods, with its tag.
	Image string
	// Replicas is at least 1. Two or more get a disruption budget; each of them asks every kubelet.
	Replicas int
	// Resources are what each pod reserves and may use. They grow with the number of nodes.
	Resources corev1.ResourceRequirements
	// SkipKubeletVerification takes any certificate of a kubelet. Without it the cluster's own authority must have signed
	// them, and with the addresses of their nodes, which not every installer of Kubernetes sees to.
	SkipKubeletVerification bool
	// ServiceMonitor declares the metrics to Prometheus; it needs the ServiceMonitor resource definition.
	ServiceMonitor bool
}

// Check reports what cannot work.
func (a Args) Check() error {
	var problems []error
	if a.Image == "" {
		problems = append(problems, errors.New("metrics-server: Image is missing"))
	}
	if a.Replicas < 1 {
		problems = append(problems, errors.New("metrics-server: Replicas must be at least 1"))
	}
	return errors.Join(problems...)
}

// Flows are the connections that it opens and accepts.
func (a Args) Flows() []flow.Flow {
	server := flow.Peer{Namespace: Namespace, Pods: selector()}
	flows := []flow.Flow{
		a.ToAPIServer("metrics-server-kubernetes", server,
			"metrics-server reads which nodes and pods there are, and has the API server say who asks it."),
		a.Webhook("metrics-server-api", server, port, "The API server passes requests for metrics on."),
		{
			Name: "metrics-server-kubelets", From: server, To: flow.Peer{Name: "kubelets", Everywhere: true},
			Ports: []int{kubeletPort}, Why: "metrics-server asks the kubelets of all nodes what is used there.",
		},
	}
	if a.ServiceMonitor {
		flows = append(flows, a.Scrape("metrics-server-metrics", server, port))
	}
	return flows
}

// selector are the labels by which the chart selects the pods.
func selector() map[string]string {
	return map[string]string{"app.kubernetes.io/name": name, "app.kubernetes.io/instance": name}
}
