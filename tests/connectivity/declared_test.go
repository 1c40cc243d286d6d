package connectivity_test

import (
	"net/netip"

	corev1 "k8s.io/api/core/v1"

	"github.com/telekom/controlplane-infrastructure/internal/flow"
)

// declaration is a table of flows, as it is read by somebody who has never heard of policies.
type declaration struct {
	table      flow.Table
	namespaces map[string]map[string]string
	closed     map[string]bool
	view       view
}

// allowed are the ports on which something at one end may talk to something at the other: both ends have to agree, and an
// end outside of the closed namespaces agrees to everything.
func (d declaration) allowed(from, to end) ports {
	lets, takes := ports{everything: true}, ports{everything: true}
	if d.closed[from.namespace] && d.view != in {
		lets = d.lets(from, to)
	}
	if d.closed[to.namespace] && d.view != out {
		takes = d.takes(from, to)
	}
	return lets.and(takes)
}

// lets are the ports that an end may open connections to.
func (d declaration) lets(from, to end) ports {
	open := ports{}
	for _, f := range d.table.Flows {
		if f.From.Namespace == from.namespace && d.covers(f.From, from) && d.covers(f.To, to) {
			open.add(f)
		}
	}
	for _, server := range d.table.DNS {
		if d.covers(server, to) {
			open.add(flow.Flow{Ports: d.table.DNSPorts, UDPPorts: d.table.DNSPorts})
		}
	}
	return open
}

// takes are the ports that an end accepts connections to.
func (d declaration) takes(from, to end) ports {
	open := ports{}
	for _, f := range d.table.Flows {
		if f.To.Namespace == to.namespace && d.covers(f.From, from) && d.covers(f.To, to) {
			open.add(f)
		}
	}
	return open
}

// covers tells whether the peer means the end.
func (d declaration) covers(p flow.Peer, e end) bool {
	switch {
	case p.Everywhere:
		return true
	case len(p.CIDRs) > 0:
		for _, cidr := range p.CIDRs {
			if e.address.IsValid() && netip.MustParsePrefix(cidr).Contains(e.address) {
				return true
			}
		}
		return false
	case e.address.IsValid():
		return false
	case p.Namespace != "" && p.Namespace != e.namespace:
		return false
	case p.Namespace == "" && !has(d.namespaces[e.namespace], p.NamespaceLabels):
		return false
	}
	return has(e.labels, p.Pods)
}

func has(labels, wanted map[string]string) bool {
	for key, value := range wanted {
		if got, found := labels[key]; !found || got != value {
			return false
		}
	}
	return true
}

func (p ports) add(f flow.Flow) {
	if len(f.Ports)+len(f.UDPPorts) == 0 {
		p[everything] = true
	}
	for _, number := range f.Ports {
		p[port(string(corev1.ProtocolTCP), int64(number))] = true
	}
	for _, number := range f.UDPPorts {
		p[port(string(corev1.ProtocolUDP), int64(number))] = true
	}
}

// and are the ports that are in both.
func (p ports) and(other ports) ports {
	switch {
	case p[everything] && other[everything]:
		return ports{everything: true}
	case p[everything]:
		return other
	case other[everything]:
		return p
	}
	both := ports{}
	for name := range p {
		if other[name] {
			both[name] = true
		}
	}
	return both
}

// boundaries are the first and last addresses of blocks, and their neighbours: sets of blocks that agree on these agree
// on all addresses.
func boundaries(cidrs []string) []netip.Addr {
	seen := map[netip.Addr]bool{}
	var all []netip.Addr
	for _, cidr := range cidrs {
		first := netip.MustParsePrefix(cidr).Masked()
		for _, address := range []netip.Addr{first.Addr().Prev(), first.Addr(), lastOf(first), lastOf(first).Next()} {
			if address.IsValid() && !seen[address] {
				seen[address] = true
				all = append(all, address)
			}
		}
	}
	return all
}

func lastOf(p netip.Prefix) netip.Addr {
	bytes := p.Addr().AsSlice()
	for bit := p.Bits(); bit < len(bytes)*8; bit++ {
		bytes[bit/8] |= 1 << (7 - bit%8)
	}
	last, _ := netip.AddrFromSlice(bytes)
	return last
}
