// Package flow says which pods may talk to which, and makes network policies of it.
//
// A component declares its flows once, each with the reason for it. In a namespace with policies nothing else passes,
// in or out, but for name resolution.
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

// nodeLocalDNS is the address that NodeLocal DNSCache listens on unless told otherwise. It is the node's, so no
// selector of pods matches it. Source: the Kubernetes documentation, "Using NodeLocal DNSCache in Kubernetes Clusters".
const nodeLocalDNS = "169.254.20.10/32"

// Peer is one end of a flow. The zero value is every pod of the cluster.
type Peer struct {
	// Namespace is that of the pods. Without it, NamespaceLabels select the namespaces; without both, all are meant.
	Namespace       string
	NamespaceLabels map[string]string
	// Pods are labels of the pods; none: all pods of the namespaces.
	Pods map[string]string
	// CIDRs are addresses outside of the cluster, in place of pods.
	CIDRs []string
}

// Flow is a connection that pods open.
type Flow struct {
	// Name tells a namespace's flows apart. Together with the direction it names the policy.
	Name string
	// From opens the connection to one of To's TCP Ports, which are those of the pods, not of a Service.
	From, To Peer
	Ports    []int
	// Why says what the connection is for.
	Why string
}

// Policies are the network policies of a namespace: those that deny everything, allow name resolution, and allow each
// of the flows that begins or ends there.
func Policies(namespace string, flows []Flow) []*networkingv1.NetworkPolicy {
	policies := []*networkingv1.NetworkPolicy{
		policy(namespace, "default-deny", "What no other policy allows is denied.", nil, networkingv1.NetworkPolicySpec{
			PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress},
		}),
		policy(namespace, "allow-dns", "Pods resolve names.", nil, networkingv1.NetworkPolicySpec{
			PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeEgress},
			Egress:      []networkingv1.NetworkPolicyEgressRule{nameResolution()},
		}),
	}
	for _, f := range flows {
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
		Ingress: []networkingv1.NetworkPolicyIngressRule{{
			From: f.From.selectors(), Ports: ports(corev1.ProtocolTCP, f.Ports...),
		}},
	})
}

func (f Flow) egress() *networkingv1.NetworkPolicy {
	return policy(f.From.Namespace, "allow-"+f.Name+"-egress", f.Why, f.From.Pods, networkingv1.NetworkPolicySpec{
		PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeEgress},
		Egress: []networkingv1.NetworkPolicyEgressRule{{
			To: f.To.selectors(), Ports: ports(corev1.ProtocolTCP, f.Ports...),
		}},
	})
}

// nameResolution leads to the cluster's DNS pods and to the cache that nodes may have.
func nameResolution() networkingv1.NetworkPolicyEgressRule {
	servers := Peer{Namespace: metav1.NamespaceSystem, Pods: map[string]string{"k8s-app": "kube-dns"}}
	return networkingv1.NetworkPolicyEgressRule{
		To:    slices.Concat(servers.selectors(), Peer{CIDRs: []string{nodeLocalDNS}}.selectors()),
		Ports: slices.Concat(ports(corev1.ProtocolUDP, 53), ports(corev1.ProtocolTCP, 53)),
	}
}

// selectors are the peer as policies take it.
func (p Peer) selectors() []networkingv1.NetworkPolicyPeer {
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
