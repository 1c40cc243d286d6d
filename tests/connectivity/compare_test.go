package connectivity_test

import (
	"fmt"
	"maps"
	"slices"

	networkingv1 "k8s.io/api/networking/v1"

	"github.com/telekom/controlplane-infrastructure/internal/flow"
)

// differences are the pairs of ends between which the policies allow something else than the table says, with a sentence
// for each. Pairs outside of the platform are nobody's business.
//
// Beyond what may pass, what each end alone lets out or in is compared: a policy that allows more than it should is a
// mistake also as long as the other end does not let it pass.
func differences(c cluster, table flow.Table) ([]string, error) {
	var found []string
	for _, v := range []view{whole, out, in} {
		more, err := c.seen(v).differences(c.declaration(table, v), func(from, to end) bool { return true })
		if err != nil {
			return nil, err
		}
		found = append(found, more...)
	}
	return found, nil
}

// view is what of the policies is looked at.
type view string

const (
	whole view = "both ends"
	out   view = view(networkingv1.PolicyTypeEgress)
	in    view = view(networkingv1.PolicyTypeIngress)
)

// seen is the cluster with policies of the view's direction alone.
func (c cluster) seen(v view) cluster {
	if v == whole {
		return c
	}
	var policies []*networkingv1.NetworkPolicy
	for _, policy := range c.policies {
		if slices.Contains(policy.Spec.PolicyTypes, networkingv1.PolicyType(v)) {
			one := policy.DeepCopy()
			one.Spec.PolicyTypes = []networkingv1.PolicyType{networkingv1.PolicyType(v)}
			policies = append(policies, one)
		}
	}
	c.policies = policies
	return c
}

func (c cluster) declaration(table flow.Table, v view) declaration {
	return declaration{table: table, namespaces: c.namespaces, closed: c.closed, view: v}
}

// differences between two ends that are looked at.
func (c cluster) differences(d declaration, look func(from, to end) bool) ([]string, error) {
	a, err := analyse(c)
	if err != nil {
		return nil, err
	}
	var found []string
	ends := c.ends()
	for _, from := range ends {
		for _, to := range ends {
			if !c.closed[from.namespace] && !c.closed[to.namespace] || !look(from, to) {
				continue
			}
			computed, err := a.allowed(from, to)
			if err != nil {
				return nil, err
			}
			if declared := d.allowed(from, to); !maps.Equal(declared, computed) {
				found = append(found, fmt.Sprintf("%s to %s (%s): the policies allow %s, the table says %s",
					from, to, d.view, computed, declared))
			}
		}
	}
	return found, nil
}

// blocks are all blocks of addresses that policies or the table name.
func blocks(policies []*networkingv1.NetworkPolicy, table flow.Table) []string {
	seen := map[string]bool{}
	peers := func(all []networkingv1.NetworkPolicyPeer) {
		for _, p := range all {
			if p.IPBlock != nil {
				seen[p.IPBlock.CIDR] = true
			}
		}
	}
	for _, p := range policies {
		for _, rule := range p.Spec.Ingress {
			peers(rule.From)
		}
		for _, rule := range p.Spec.Egress {
			peers(rule.To)
		}
	}
	for _, p := range slices.Concat(table.DNS, peersOf(table.Flows)) {
		for _, cidr := range p.CIDRs {
			seen[cidr] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

func peersOf(flows []flow.Flow) (all []flow.Peer) {
	for _, f := range flows {
		all = append(all, f.From, f.To)
	}
	return all
}
