package traefik

import (
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/telekom/controlplane-infrastructure/internal/certmanager"
	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/internal/part"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
)

// Args configure the component. Native types decide what exists.
type Args struct {
	part.Common
	// Image is Traefik 3, from 3.7 on.
	Image string
	// ClassName is the IngressClass, and the GatewayClass with GatewayAPI. DefaultClass makes the IngressClass the one of
	// objects that name none.
	ClassName    string
	DefaultClass bool
	// Replicas is how many servers there are, with Autoscaling the least number.
	Replicas int
	// Autoscaling adds and removes servers with the load; nil: their number is fixed.
	Autoscaling *workload.Autoscaling
	// Service is where requests from outside of the cluster arrive.
	Service Service
	// Certificate is that of hosts that have none of their own.
	Certificate Certificate
	// HSTS has browsers use HTTPS only.
	HSTS HSTS
	// TrustedProxies are the addresses (CIDRs) whose word is taken for the client's address. With ProxyProtocol they may
	// give it by the PROXY protocol, too.
	TrustedProxies []string
	ProxyProtocol  bool
	// Namespaces are those whose objects are served; none: all. They must exist when a server starts.
	Namespaces []string
	// GatewayAPI serves the Gateway API too; it needs its resource definitions, of the standard channel.
	GatewayAPI bool
	// ServiceMonitor declares the metrics to Prometheus; it needs the ServiceMonitor resource definition.
	ServiceMonitor bool
}

// Service is a Kubernetes Service.
type Service struct {
	// Type is LoadBalancer, NodePort or ClusterIP.
	Type corev1.ServiceType
	// Annotations are for controllers of load balancers.
	Annotations map[string]string
	// LoadBalancerClass is that of the load balancer; empty: the environment's default.
	LoadBalancerClass string
	// SourceRanges are the addresses (CIDRs) that the load balancer lets in; none: everyone.
	SourceRanges []string
	// HTTPPort and HTTPSPort are the Service's own.
	HTTPPort, HTTPSPort int32
	// HTTPNodePort and HTTPSNodePort are the ports on every node; 0: the cluster chooses.
	HTTPNodePort, HTTPSNodePort int32
}

// Certificate is a certificate of public names.
type Certificate struct {
	// Hostnames are what it is for. Other hosts are served with the platform's certificate, for names inside the cluster.
	Hostnames []string
	// Issuer is the ClusterIssuer. HTTP01 leads an ACME server to pods of cert-manager's that prove the host names; nil: they
	// are not proven so.
	Issuer string
	HTTP01 *flow.Peer
}

// HSTS is HTTP Strict Transport Security.
type HSTS struct {
	// MaxAge is for how long browsers use HTTPS only; 0: they are told nothing.
	MaxAge time.Duration
	// IncludeSubdomains concerns all names below the host's; Preload lets browsers be shipped with it.
	IncludeSubdomains, Preload bool
}

// Check reports what cannot work. New does as well, but others may want to know before they register anything.
func (a Args) Check() error {
	var problems []error
	add := func(format string, values ...any) { problems = append(problems, fmt.Errorf(format, values...)) }
	if a.Image == "" {
		add("Image is missing")
	}
	if a.ClassName == "" {
		add("ClassName is missing")
	}
	if len(a.Certificate.Hostnames) > 0 && a.Certificate.Issuer == "" {
		add("Certificate.Issuer is missing")
	}
	if a.ProxyProtocol && len(a.TrustedProxies) == 0 {
		add("ProxyProtocol needs TrustedProxies: whose word is taken")
	}
	if _, found := a.Classes[workload.Gateway].Limits[corev1.ResourceMemory]; !found {
		add("the memory of class %s has no limit in Classes", workload.Gateway)
	}
	problems = append(problems, a.checkReplicas()...)
	problems = append(problems, a.Service.check()...)
	return errors.Join(problems...)
}

func (a Args) checkReplicas() []error {
	var problems []error
	add := func(format string, values ...any) { problems = append(problems, fmt.Errorf(format, values...)) }
	least := 1
	if a.Availability == workload.Zonal {
		least = 2
	}
	if a.Replicas < least {
		add("Replicas is %d: with availability %s allowed are %d and more", a.Replicas, a.Availability, least)
	}
	if s := a.Autoscaling; s != nil {
		if s.MaxReplicas <= a.Replicas {
			add("Autoscaling.MaxReplicas is %d: allowed is more than Replicas, which is %d", s.MaxReplicas, a.Replicas)
		}
		if s.TargetCPUPercent < 1 {
			add("Autoscaling.TargetCPUPercent is %d: allowed are 1 and more", s.TargetCPUPercent)
		}
	}
	return problems
}

func (s Service) check() []error {
	var problems []error
	add := func(format string, values ...any) { problems = append(problems, fmt.Errorf(format, values...)) }
	types := []corev1.ServiceType{corev1.ServiceTypeLoadBalancer, corev1.ServiceTypeNodePort, corev1.ServiceTypeClusterIP}
	if !slices.Contains(types, s.Type) {
		add("Service.Type is %q: allowed are %s, %s and %s", s.Type, types[0], types[1], types[2])
	}
	for _, port := range []struct {
		field  string
		number int32
	}{{"HTTPPort", s.HTTPPort}, {"HTTPSPort", s.HTTPSPort}} {
		if port.number < 1 || port.number > 65535 {
			add("Service.%s is %d: allowed are 1 to 65535", port.field, port.number)
		}
	}
	if s.HTTPPort == s.HTTPSPort {
		add("Service.HTTPPort and Service.HTTPSPort are both %d: allowed are different ones", s.HTTPPort)
	}
	return problems
}

// controlPlanePort is where the Control Plane's APIs listen.
const controlPlanePort = 8443

// Flows are the connections that the ingress controller opens and accepts.
func (a Args) Flows() []flow.Flow {
	servers := Servers()
	flows := []flow.Flow{
		{
			Name: "ingress-public", From: flow.Peer{Everywhere: true}, To: servers, Ports: []int{HTTPPort, HTTPSPort},
			Why: "Requests come in from outside of the cluster.",
		},
		{
			Name: "ingress-backends", From: servers, To: flow.Peer{},
			Why: "Requests go to the pods that Ingress objects name, on whatever port; what a pod accepts is up to the policies " +
				"of its own namespace.",
		},
		{
			Name: "ingress-controlplane", From: servers, To: flow.Peer{Namespace: a.ControlPlaneNamespace}, Ports: []int{controlPlanePort},
			Why: "Requests go to the Control Plane's APIs.",
		},
		a.ToAPIServer("ingress-api-server", servers, "Ingress objects, endpoints and certificates are read, and addresses written."),
	}
	if a.ServiceMonitor {
		flows = append(flows, a.Scrape("ingress-metrics", servers, managementPort))
	}
	if prover := a.Certificate.HTTP01; prover != nil {
		flows = append(flows, flow.Flow{
			Name: "ingress-http01", From: *prover, To: certmanager.Solvers(Namespace), Ports: []int{certmanager.SolverPort},
			Why: "The ACME server is led to the proof that the public host names are ours.",
		})
	}
	return flows
}

// Servers are the pods of the ingress controller.
func Servers() flow.Peer { return flow.Peer{Namespace: Namespace, Pods: selector()} }
