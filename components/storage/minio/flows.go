package minio

import "github.com/telekom/controlplane-infrastructure/internal/flow"

// Servers are the pods that speak S3.
func Servers() flow.Peer { return flow.Peer{Namespace: Namespace, Pods: selector(server)} }

// Flows are the connections that the servers open and accept, apart from those of who makes backups. None leads outside.
func (a Args) Flows() []flow.Flow {
	toServers := func(name string, from flow.Peer, why string) flow.Flow {
		return flow.Flow{Name: name, From: from, To: Servers(), Ports: []int{Port}, Why: why}
	}
	flows := []flow.Flow{
		toServers("minio-bootstrap", flow.Peer{Namespace: Namespace, Pods: selector(setup)}, "A Job sets up buckets, policies and users."),
		toServers("minio-files", flow.Peer{Namespace: a.ControlPlaneNamespace}, "The File Manager keeps files."),
	}
	if a.Servers > 1 {
		flows = append(flows, toServers("minio-servers", Servers(), "Each object is spread over all servers."))
	}
	if a.ServiceMonitor {
		flows = append(flows, a.Scrape("minio-metrics", Servers(), Port))
	}
	return flows
}
