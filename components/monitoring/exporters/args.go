package exporters

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/telekom/controlplane-infrastructure/components/monitoring/names"
	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/internal/part"
)

// The values of the label job, where it is not the name of the Service.
const (
	kubeletJob   = "kubelet"
	apiServerJob = "apiserver"
	coreDNSJob   = "coredns"
	etcdJob      = "etcd"
)

const (
	// The ports of kube-state-metrics: what it knows of the cluster, and of itself.
	metricsPort   = 8443
	telemetryPort = 8444
	coreDNSPort   = 9153
)

// Args configure the package. Native types decide what exists.
type Args struct {
	part.Common
	// KubeStateMetrics is always there.
	KubeStateMetrics Program
	// NodeExporter runs on every node; nil: there is none.
	NodeExporter *Program
	// Kubelet and APIServer are read if true.
	Kubelet, APIServer bool
	// SkipKubeletVerification takes any certificate of a kubelet. Without it the cluster's own authority must have signed
	// them, and with the addresses of their nodes, which not every installer of Kubernetes sees to.
	SkipKubeletVerification bool
	// CoreDNS are the pods of the cluster's name servers; nil: they are not read.
	CoreDNS *flow.Peer
	// Etcd is read if set.
	Etcd *Etcd
}

// Program is the image of an exporter, and what each of its pods reserves and may use.
type Program struct {
	Image     string
	Resources corev1.ResourceRequirements
}

// Etcd is the cluster's etcd.
type Etcd struct {
	// Endpoints are the addresses of the members, without a port.
	Endpoints []string
	// Port is the one that they serve metrics on, over TLS.
	Port int
	// ClientSecret is a Secret in the namespace of Prometheus, which others make: tls.crt and tls.key are a client
	// certificate, ca.crt is the authority of etcd's own.
	ClientSecret string
	// ServerName is the name in etcd's certificate; empty: it has the addresses.
	ServerName string
}

// Check reports what cannot work.
func (a Args) Check() error {
	var problems []error
	add := func(format string, values ...any) { problems = append(problems, fmt.Errorf(format, values...)) }
	if a.KubeStateMetrics.Image == "" {
		add("KubeStateMetrics.Image is missing")
	}
	if a.NodeExporter != nil && a.NodeExporter.Image == "" {
		add("NodeExporter.Image is missing")
	}
	if a.CoreDNS != nil && (a.CoreDNS.Namespace == "" || len(a.CoreDNS.Pods) == 0) {
		add("CoreDNS has to name the namespace and the labels of its pods")
	}
	if e := a.Etcd; e != nil {
		if len(e.Endpoints) == 0 {
			add("Etcd.Endpoints is empty")
		}
		for _, address := range e.Endpoints {
			if net.ParseIP(address) == nil {
				add("Etcd.Endpoints has %q: allowed are IP addresses, without a port", address)
			}
		}
		if e.Port < 1 || e.Port > 65535 {
			add("Etcd.Port is %d: allowed are 1 to 65535", e.Port)
		}
		if e.ClientSecret == "" {
			add("Etcd.ClientSecret is missing")
		}
	}
	slices.SortFunc(problems, func(x, y error) int { return cmp.Compare(x.Error(), y.Error()) })
	return errors.Join(problems...)
}

// Flows are the connections that the exporters open and accept. Those of Prometheus to kubelets, API servers and any
// pods are its own.
func (a Args) Flows() []flow.Flow {
	state := flow.Peer{Namespace: names.Namespace, Pods: names.Selector(names.KubeStateMetrics)}
	flows := []flow.Flow{
		a.ToAPIServer("kube-state-metrics-api-server", state, "kube-state-metrics reads the state of Kubernetes objects."),
		a.Scrape("kube-state-metrics-metrics", state, metricsPort, telemetryPort),
	}
	if a.NodeExporter != nil {
		flows = append(flows, a.Scrape("node-exporter-metrics", flow.Peer{
			Namespace: names.NodeExporterNamespace, Pods: names.Selector(names.NodeExporter),
		}, names.NodeExporterPort))
	}
	if a.Etcd != nil {
		flows = append(flows, a.Scrape("etcd-metrics", a.Etcd.peer(), a.Etcd.Port))
	}
	return flows
}

// peer are the members.
func (e Etcd) peer() flow.Peer {
	members := flow.Peer{Name: "etcd"}
	for _, address := range e.Endpoints {
		bits := 32
		if strings.Contains(address, ":") {
			bits = 128
		}
		members.CIDRs = append(members.CIDRs, fmt.Sprintf("%s/%d", address, bits))
	}
	return members
}
