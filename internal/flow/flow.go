// Package flow says which pods may talk to which, and makes network policies of it.
//
// A component declares its flows once, each with the reason for it. All of them together are one [Table]. In a namespace
// with policies nothing else passes, in or out, but for name resolution.
package flow

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// WhyAnnotation has the reason for a policy.
const WhyAnnotation = "controlplane.io/why"

// Peer is one end of a flow. The zero value is every pod of the cluster.
type Peer struct {
	// Name is what people call it, where its labels do not say.
	Name string
	// Namespace is that of the pods. Without it, NamespaceLabels select the namespaces; without both, all are meant.
	Namespace       string
	NamespaceLabels map[string]string
	// Pods are labels of the pods; none: all pods of the namespaces.
	Pods map[string]string
	// Services are what Services select the pods by that are not selected by Pods alone, such as by their role of the
	// moment. It selects no other pods, and other network plugins do without it: the VPC CNI of AWS looks at a connection
	// before a Service's address has become a pod's, and allows that address where a policy has no label that the Service
	// does not have. Source: getMatchingServiceClusterIPs in https://github.com/aws/amazon-network-policy-controller-k8s.
	Services []map[string]string
	// CIDRs are addresses outside of the cluster, in place of pods.
	CIDRs []string
	// Everywhere is every address, of pods, of nodes and outside of the cluster, in place of all the above.
	Everywhere bool
}

// Flow is a connection that pods open or accept.
type Flow struct {
	// Name tells the flows of the platform apart. Together with the direction it names the policy.
	Name string
	// From opens the connection to one of To's TCP Ports or UDPPorts, which are those of the pods, not of a Service.
	// Without any, every port is meant.
	From, To Peer
	Ports    []int
	UDPPorts []int
	// Why says what the connection is for.
	Why string
}

// Table is every flow of the platform, and what resolves names.
type Table struct {
	Flows []Flow
	// DNS are the servers that every pod of the platform's namespaces may ask, on the ports DNSPorts, over UDP and TCP.
	DNS      []Peer
	DNSPorts []int
}

// Policies are the network policies of a namespace: those that deny everything, allow name resolution, and allow each
// of the flows that begins or ends there. A flow whose other end is not in a namespace of the platform needs a policy
// at this end only; one between two of them gets both.
func (t Table) Policies(namespace string) []*networkingv1.NetworkPolicy {
	policies := []*networkingv1.NetworkPolicy{
		policy(namespace, "default-deny", "What no other policy allows is denied.", nil, networkingv1.NetworkPolicySpec{
			PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress},
		}),
		policy(namespace, "allow-dns", "Pods resolve names.", nil, networkingv1.NetworkPolicySpec{
			PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeEgress},
			Egress:      []networkingv1.NetworkPolicyEgressRule{t.nameResolution()},
		}),
	}
	for _, f := range t.Flows {
		if f.To.Namespace == namespace {
			policies = append(policies, f.ingress())
		}
		if f.From.Namespace == namespace {
			policies = append(policies, f.egress())
		}
	}
	return policies
}

func (f Flow) ingress() *networkingv1.NetworkPolicy {
	return policy(f.To.Namespace, "allow-"+f.Name+"-ingress", f.Why, f.To.Pods, networkingv1.NetworkPolicySpec{
		PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress},
		Ingress:     []networkingv1.NetworkPolicyIngressRule{{From: f.From.selectors(), Ports: f.ports()}},
	})
}

func (f Flow) egress() *networkingv1.NetworkPolicy {
	return policy(f.From.Namespace, "allow-"+f.Name+"-egress", f.Why, f.From.Pods, networkingv1.NetworkPolicySpec{
		PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeEgress},
		Egress:      []networkingv1.NetworkPolicyEgressRule{{To: f.To.destinations(), Ports: f.ports()}},
	})
}

func (f Flow) ports() []networkingv1.NetworkPolicyPort {
	return slices.Concat(ports(corev1.ProtocolTCP, f.Ports...), ports(corev1.ProtocolUDP, f.UDPPorts...))
}

func (t Table) nameResolution() networkingv1.NetworkPolicyEgressRule {
	var servers []networkingv1.NetworkPolicyPeer
	for _, server := range t.DNS {
		servers = append(servers, server.selectors()...)
	}
	return networkingv1.NetworkPolicyEgressRule{
		To:    servers,
		Ports: slices.Concat(ports(corev1.ProtocolUDP, t.DNSPorts...), ports(corev1.ProtocolTCP, t.DNSPorts...)),
	}
}

// destinations are the peer as policies of those take it who connect to it: with the Services that lead there.
func (p Peer) destinations() []networkingv1.NetworkPolicyPeer {
	all := p.selectors()
	for _, pods := range p.Services {
		service := p
		service.Pods = pods
		all = append(all, service.selectors()...)
	}
	return all
}

// selectors are the peer as policies take it. None at all is how they say every address.
func (p Peer) selectors() []networkingv1.NetworkPolicyPeer {
	if p.Everywhere {
		return nil
	}
	if len(p.CIDRs) > 0 {
		var blocks []networkingv1.NetworkPolicyPeer
		for _, cidr := range p.CIDRs {
			blocks = append(blocks, networkingv1.NetworkPolicyPeer{IPBlock: &networkingv1.IPBlock{CIDR: cidr}})
		}
		return blocks
	}
	labels := maps.Clone(p.NamespaceLabels)
	if p.Namespace != "" {
		labels = map[string]string{corev1.LabelMetadataName: p.Namespace}
	}
	peer := networkingv1.NetworkPolicyPeer{NamespaceSelector: &metav1.LabelSelector{MatchLabels: labels}}
	if len(p.Pods) > 0 {
		peer.PodSelector = &metav1.LabelSelector{MatchLabels: p.Pods}
	}
	return []networkingv1.NetworkPolicyPeer{peer}
}

func policy(
	namespace, name, why string, pods map[string]string, spec networkingv1.NetworkPolicySpec,
) *networkingv1.NetworkPolicy {
	spec.PodSelector = metav1.LabelSelector{MatchLabels: pods}
	return &networkingv1.NetworkPolicy{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, Name: name, Annotations: map[string]string{WhyAnnotation: why},
		},
		Spec: spec,
	}
}

func ports(protocol corev1.Protocol, numbers ...int) []networkingv1.NetworkPolicyPort {
	var all []networkingv1.NetworkPolicyPort
	for _, number := range numbers {
		port := intstr.FromInt(number)
		all = append(all, networkingv1.NetworkPolicyPort{Protocol: &protocol, Port: &port})
	}
	return all
}
