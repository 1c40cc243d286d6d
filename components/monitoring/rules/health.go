package rules

import (
	"fmt"
	"strings"

	"github.com/telekom/controlplane-infrastructure/components/monitoring/names"
)

// The components, as the label component of recordings and alerts names them.
const (
	Certificates  = "certificates"
	PostgreSQL    = "postgresql"
	Valkey        = "valkey"
	ObjectStorage = "objectstorage"
	Iris          = "iris"
	Ingress       = "ingress"
	Mesh          = "mesh"
	ControlPlane  = "controlplane"
	Kubernetes    = "kubernetes"
	Nodes         = "nodes"
	Monitoring    = "monitoring"
)

// Components are all that there can be, in the order of a dashboard: what users touch first.
func Components() []string {
	return []string{
		Ingress, Iris, ControlPlane, PostgreSQL, Valkey, ObjectStorage, Certificates, Mesh, Kubernetes, Nodes, Monitoring,
	}
}

// ComponentUp is 1 for a component that does its work, and 0 for one that does not, by the label component. A component
// that has only lost some of its redundancy does its work. Where a component is not installed it has no series; where it is
// and nothing is known of it, it is 0.
const ComponentUp = "platform:component_up"

// health has the recordings of ComponentUp.
func health(a Args) Group {
	g := Group{Name: "health"}
	for _, component := range Components() {
		if expr := healthy(component, a); expr != "" {
			g.Records = append(g.Records, Record{
				Name: ComponentUp, Expr: expr, Labels: map[string]string{componentLabel: component},
			})
		}
	}
	return g
}

// healthy is 1 while a component does its work; empty for one that is not installed.
func healthy(component string, a Args) string {
	switch {
	case component == Certificates:
		return serving(`namespace="cert-manager"`, `namespace="cert-manager"`)
	case component == PostgreSQL && len(a.PostgreSQL) > 0:
		return `min((` + primaries(a.PostgreSQL) + `) >= bool 1)`
	case component == Valkey && a.Valkey:
		return `((sum(redis_instance_info{namespace="valkey", role="master"}) or vector(0)) >= bool 1) * ` +
			deployed(`namespace="valkey"`)
	case component == ObjectStorage && a.ObjectStorage == MinIO:
		return `max(minio_cluster_health_status{namespace="minio"}) or vector(0)`
	case component == Iris && a.Iris:
		return serving(`namespace="identity"`, `namespace="identity", deployment="iris"`)
	case component == Ingress && a.Ingress == Traefik:
		return serving(`namespace="ingress"`, `namespace="ingress", deployment="traefik"`)
	case component == Mesh && a.Mesh == Istio:
		return serving(`namespace="istio-system"`, `namespace="istio-system"`)
	case component == Mesh && a.Mesh == Linkerd:
		return serving(`namespace="linkerd"`, `namespace="linkerd"`)
	case component == ControlPlane:
		// It is installed by others, after the platform: until then it has no Deployments, and no series.
		return `min((kube_deployment_status_replicas_available{namespace="controlplane-system"} and ` +
			`kube_deployment_spec_replicas{namespace="controlplane-system"} > 0) >= bool 1)`
	case component == Kubernetes && a.APIServer:
		return serving(apiServers, `namespace="kube-system", deployment="coredns"`)
	case component == Kubernetes:
		return deployed(`namespace="kube-system", deployment="coredns"`)
	case component == Nodes:
		return `min(kube_node_status_condition{condition="Ready", status="true"}) or vector(0)`
	case component == Monitoring:
		return monitoringHealthy(a)
	}
	return ""
}

// ownTargets leaves out Linkerd's proxies: they are targets in the namespace of the pod that they stand in front of, and answer
// when it does not.
const ownTargets = `, job!~".*/linkerd-proxy"`

// serving is 1 while one of the targets answers and none of the Deployments is without an available pod. The latter is left
// out while nothing is known of Deployments: what answers still answers when only kube-state-metrics does not.
func serving(targets, deployments string) string {
	return answering(targets+ownTargets) + " * " + deployed(deployments)
}

// answering is 1 while one of the targets answers.
func answering(targets string) string { return `(max(up{` + targets + `}) or vector(0))` }

// deployed is 1 while none of the Deployments is without an available pod, or nothing is known of them.
func deployed(deployments string) string {
	return `(min(kube_deployment_status_replicas_available{` + deployments + `} >= bool 1) or vector(1))`
}

// monitoringHealthy asks for each part: one that has gone altogether has no target that could be down.
func monitoringHealthy(a Args) string {
	parts := []string{names.Prometheus, names.Alertmanager, names.Operator, names.KubeStateMetrics}
	if a.Grafana {
		parts = append(parts, names.Grafana)
	}
	var factors []string
	for _, part := range parts {
		factors = append(factors, answering(fmt.Sprintf(`namespace=%q, service=%q`, names.Namespace, part)))
	}
	return strings.Join(factors, " * ")
}
