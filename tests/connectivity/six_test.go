package connectivity_test

import (
	"fmt"
	"net/netip"
	"slices"

	networkingv1 "k8s.io/api/networking/v1"

	"github.com/telekom/controlplane-infrastructure/internal/flow"
)

// standIns are blocks of IPv4 in place of those of IPv6, which the analyser does not know: one for each, out of addresses
// that nobody has.
type standIns map[string]string

func (s standIns) of(cidr string) string {
	if prefix, err := netip.ParsePrefix(cidr); err != nil || prefix.Addr().Is4() {
		return cidr
	}
	if s[cidr] == "" {
		s[cidr] = fmt.Sprintf("240.0.%d.0/28", len(s))
	}
	return s[cidr]
}

func (s standIns) policy(p *networkingv1.NetworkPolicy) *networkingv1.NetworkPolicy {
	p = p.DeepCopy()
	replace := func(peers []networkingv1.NetworkPolicyPeer) {
		for i := range peers {
			if peers[i].IPBlock != nil {
				peers[i].IPBlock.CIDR = s.of(peers[i].IPBlock.CIDR)
			}
		}
	}
	for i := range p.Spec.Ingress {
		replace(p.Spec.Ingress[i].From)
	}
	for i := range p.Spec.Egress {
		replace(p.Spec.Egress[i].To)
	}
	return p
}

func (s standIns) table(t flow.Table) flow.Table {
	peer := func(p flow.Peer) flow.Peer {
		p.CIDRs = slices.Clone(p.CIDRs)
		for i := range p.CIDRs {
			p.CIDRs[i] = s.of(p.CIDRs[i])
		}
		return p
	}
	replaced := flow.Table{DNSPorts: t.DNSPorts}
	for _, f := range t.Flows {
		f.From, f.To = peer(f.From), peer(f.To)
		replaced.Flows = append(replaced.Flows, f)
	}
	for _, server := range t.DNS {
		replaced.DNS = append(replaced.DNS, peer(server))
	}
	return replaced
}
