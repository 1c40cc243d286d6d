package connectivity_test

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/np-guard/netpol-analyzer/pkg/netpol/eval"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// cluster is what an analysis looks at.
type cluster struct {
	// namespaces are the labels of each namespace by its name.
	namespaces map[string]map[string]string
	// closed are the namespaces that the platform closes.
	closed   map[string]bool
	policies []*networkingv1.NetworkPolicy
	// workloads stand for all of their pods.
	workloads []end
	// onNodes are workloads whose pods are in their node's network: policies do not hold for them.
	onNodes []end
	// addresses are looked at outside of the cluster.
	addresses []netip.Addr
}

// end is where a connection begins or ends: the pods of a workload, or an address outside of the cluster.
type end struct {
	namespace, name string
	labels          map[string]string
	address         netip.Addr
}

func (e end) String() string {
	if e.address.IsValid() {
		return e.address.String()
	}
	return e.namespace + "/" + e.name
}

// pod is how the analyser calls a pod of the workload; the twin is another one of the same.
func (e end) pod() string  { return e.namespace + "/" + e.name + "[Pod]" }
func (e end) twin() string { return e.namespace + "/" + e.name + "-twin[Pod]" }

// ends are all workloads and addresses.
func (c cluster) ends() []end {
	ends := slices.Clone(c.workloads)
	for _, address := range c.addresses {
		ends = append(ends, end{address: address})
	}
	return ends
}

// ports are "TCP 443" and such, or "everything".
type ports map[string]bool

const everything = "everything"

func (p ports) String() string {
	if len(p) == 0 {
		return "nothing"
	}
	return strings.Join(slices.Sorted(maps.Keys(p)), ", ")
}

func port(protocol string, number int64) string { return fmt.Sprintf("%s %d", protocol, number) }

// analysis is the analyser with a cluster in it.
type analysis struct {
	engine *eval.PolicyEngine
	peers  map[string]eval.Peer
	// sources and destinations are the ranges of addresses that the policies tell apart.
	sources, destinations []addressRange
}

type addressRange struct {
	first, last netip.Addr
	peer        eval.Peer
}

func analyse(c cluster) (*analysis, error) {
	a := &analysis{engine: eval.NewPolicyEngine(), peers: map[string]eval.Peer{}}
	for name, labels := range c.namespaces {
		labels = maps.Clone(labels)
		if labels == nil {
			labels = map[string]string{}
		}
		labels[corev1.LabelMetadataName] = name
		ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}}
		if err := a.engine.InsertObject(ns); err != nil {
			return nil, fmt.Errorf("namespace %s: %w", name, err)
		}
	}
	for _, w := range c.workloads {
		for _, name := range []string{w.name, w.name + "-twin"} {
			if err := a.engine.InsertObject(running(w.namespace, name, w.labels)); err != nil {
				return nil, fmt.Errorf("pod %s: %w", w, err)
			}
		}
	}
	for _, policy := range c.policies {
		if err := a.engine.InsertObject(policy); err != nil {
			return nil, fmt.Errorf("policy %s/%s: %w", policy.Namespace, policy.Name, err)
		}
	}
	return a, a.index()
}

// running is a pod as the analyser wants it: with addresses, which it does not use.
func running(namespace, name string, labels map[string]string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: labels},
		Status:     corev1.PodStatus{HostIP: "127.0.0.1", PodIPs: []corev1.PodIP{{IP: "127.0.0.1"}}},
	}
}

func (a *analysis) index() error {
	workloads, err := a.engine.GetWorkloadPeersList()
	if err != nil {
		return err
	}
	for _, peer := range workloads {
		a.peers[peer.String()] = peer
	}
	from, to, _, err := a.engine.GetIPBlockPeersLists()
	if err != nil {
		return err
	}
	if a.sources, err = addressRanges(from); err != nil {
		return err
	}
	a.destinations, err = addressRanges(to)
	return err
}

func addressRanges(peers []eval.Peer) ([]addressRange, error) {
	var ranges []addressRange
	for _, peer := range peers {
		for _, text := range strings.Split(peer.IP(), ", ") {
			first, last, found := strings.Cut(text, "-")
			if !found {
				last = first
			}
			r := addressRange{peer: peer}
			var err error
			if r.first, err = netip.ParseAddr(first); err != nil {
				return nil, err
			}
			if r.last, err = netip.ParseAddr(last); err != nil {
				return nil, err
			}
			ranges = append(ranges, r)
		}
	}
	return ranges, nil
}

// find is the range that an address is in.
func find(ranges []addressRange, address netip.Addr) (eval.Peer, error) {
	for _, r := range ranges {
		if r.first.Compare(address) <= 0 && address.Compare(r.last) <= 0 {
			return r.peer, nil
		}
	}
	return nil, fmt.Errorf("no range has the address %s", address)
}

// allowed are the ports that the policies leave open on the way from one end to the other.
func (a *analysis) allowed(from, to end) (ports, error) {
	source, destination := a.peers[from.pod()], a.peers[to.pod()]
	if from.String() == to.String() {
		destination = a.peers[to.twin()]
	}
	var err error
	if from.address.IsValid() {
		if source, err = find(a.sources, from.address); err != nil {
			return nil, err
		}
	}
	if to.address.IsValid() {
		if destination, err = find(a.destinations, to.address); err != nil {
			return nil, err
		}
	}
	connections, err := a.engine.AllAllowedConnectionsBetweenWorkloadPeers(source, destination)
	if err != nil {
		return nil, fmt.Errorf("%s to %s: %w", from, to, err)
	}
	if connections.IsAllConnections() {
		return ports{everything: true}, nil
	}
	open := ports{}
	for protocol, ranges := range connections.ProtocolsAndPortsMap() {
		for _, r := range ranges {
			if r.End()-r.Start() > 100 { // never declared
				open[fmt.Sprintf("%s %d-%d", protocol, r.Start(), r.End())] = true
				continue
			}
			for number := r.Start(); number <= r.End(); number++ {
				open[port(string(protocol), number)] = true
			}
		}
	}
	return open, nil
}
