package flows

import "k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

// DatabasePods are the pods that CloudNativePG makes of a cluster, with the labels and ports that it gives them. Source:
// pods.go, jobs.go and pgbouncer/deployments.go in its package pkg/specs.
func DatabasePods(namespace, cluster string, pooler bool) []Pods {
	pods := func(name, component, role, value string, ports map[string]int) Pods {
		return Pods{
			Namespace: namespace, Name: cluster + " " + name, Ports: ports, Token: true,
			Labels: map[string]string{
				"cnpg.io/cluster": cluster, "app.kubernetes.io/name": "postgresql", "app.kubernetes.io/component": component, role: value,
			},
		}
	}
	all := []Pods{
		pods("instances", "database", "cnpg.io/podRole", "instance", map[string]int{"postgresql": 5432, "metrics": 9187, "status": 8000}),
		pods("Jobs", "database", "cnpg.io/jobRole", "join", nil),
	}
	all[0].Labels[primaryLabel] = primary // of one of them
	if pooler {
		all = append(all, pods("pooler", "pooler", "cnpg.io/poolerName", cluster+"-pooler-rw", map[string]int{"pgbouncer": 5432, "metrics": 9127}))
	}
	return all
}

// primaryLabel has the value primary on the instance that takes writes.
const primaryLabel, primary = "cnpg.io/instanceRole", "primary"

// DatabaseServices are those of the Services that CloudNativePG makes of a cluster that clients are told. Source:
// services.go and pgbouncer/services.go in its package pkg/specs.
func DatabaseServices(namespace, cluster string, pooler bool) []*unstructured.Unstructured {
	service := func(name string, pods map[string]any) *unstructured.Unstructured {
		return &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "v1", "kind": "Service", "metadata": map[string]any{"namespace": namespace, "name": name},
			"spec": map[string]any{"selector": pods, "ports": []any{map[string]any{"port": int64(5432)}}},
		}}
	}
	all := []*unstructured.Unstructured{service(cluster+"-rw", map[string]any{"cnpg.io/cluster": cluster, primaryLabel: primary})}
	if pooler {
		all = append(all, service(cluster+"-pooler-rw", map[string]any{"cnpg.io/poolerName": cluster + "-pooler-rw"}))
	}
	return all
}

// Solver is the pod by which cert-manager answers an HTTP-01 challenge for a certificate in a namespace. Source: its
// package pkg/issuer/acme/http.
func Solver(namespace string) Pods {
	return Pods{Namespace: namespace, Name: "solver", Labels: map[string]string{"acme.cert-manager.io/http01-solver": "true"}}
}

// MonitoringPods are the pods that the Prometheus operator makes of its custom resources. Source:
// pkg/prometheus/server/statefulset.go and pkg/alertmanager/statefulset.go.
func MonitoringPods(namespace string) []Pods {
	pods := func(name string, port int) Pods {
		return Pods{
			Namespace: namespace, Name: name, Labels: map[string]string{"app.kubernetes.io/name": name, "app.kubernetes.io/instance": "platform"},
			Ports: map[string]int{"https": port, "reloader-web": 8080},
		}
	}
	prometheus := pods("prometheus", 9090)
	prometheus.Token = true
	return []Pods{prometheus, pods("alertmanager", 9093)}
}
