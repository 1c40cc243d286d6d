package config

import (
	"fmt"
	"slices"
	"strings"
)

// clusterMarks are the kind of the cluster and, of one that is created, all
// that AWS would replace it for: its name, addresses, key and zones, and its
// version, which only goes up.
func (c *Config) clusterMarks() []mark {
	marks := []mark{{"cluster.kind", "cluster.kind", string(c.Cluster.Kind), func(present, next string) (string, error) {
		return stays(present, next, "everything runs on the cluster that is there; another one is another stack")
	}}}
	e := c.Cluster.EKS
	if e == nil {
		return marks
	}
	const replaced = "AWS would replace the cluster, and all that is on it"
	fixed := func(key, value, why string) {
		marks = append(marks, mark{key, key, value, func(present, next string) (string, error) { return stays(present, next, why) }})
	}
	fixed(eksPath+".name", e.Name, replaced)
	fixed(eksPath+".serviceCidr", e.ServiceCIDR, replaced)
	fixed(eksPath+".kmsKeyArn", e.KMSKeyARN, replaced)
	fixed(vpcPath+".cidr", e.VPC.CIDR, "a network keeps its addresses")
	existing := ""
	if e.VPC.Existing != nil {
		existing = e.VPC.Existing.ID
	}
	fixed(vpcPath+".existing.id", existing, "a cluster stays in its network")
	marks = append(marks,
		mark{eksPath + ".version", eksPath + ".version", e.Version, oneMinorUp},
		mark{eksPath + ".zones", eksPath + ".zones", strings.Join(e.Zones, ", "), moreZones})
	return append(marks, e.subnetMarks()...)
}

// subnetMarks are the addresses of each zone's subnets that are created.
func (e *EKS) subnetMarks() []mark {
	var marks []mark
	for key, cidrs := range map[string][]string{vpcPath + ".privateCidrs": e.VPC.PrivateCIDRs, vpcPath + ".publicCidrs": e.VPC.PublicCIDRs} {
		for i, zone := range e.Zones[:min(len(e.Zones), len(cidrs))] {
			marks = append(marks, mark{key + "[" + zone + "]", fmt.Sprintf("%s.%d", key, i), cidrs[i], func(present, next string) (string, error) {
				return stays(present, next, "a subnet keeps its addresses; what follows from vpc.cidr changes with the number of zones, so that the lists have to be given, with one more at the end for a new zone")
			}})
		}
	}
	return marks
}

// stays is for values that never change.
func stays(present, next, why string) (string, error) {
	switch present {
	case next:
		return "", nil
	case "":
		return "is not allowed: it is not set now, and " + why, nil
	}
	return fmt.Sprintf("must be %q, which it is now: %s", present, why), nil
}

// oneMinorUp follows EKS, which updates by one minor version and never back.
// Source: the user guide of Amazon EKS, Update existing cluster to new
// Kubernetes version.
func oneMinorUp(present, next string) (string, error) {
	was, err := majorMinor(present)
	if err != nil {
		return "", err
	}
	is, err := majorMinor(next)
	if err != nil {
		return "", err
	}
	above := fmt.Sprintf("%d.%d", was[0], was[1]+1)
	switch {
	case is[0] < was[0] || is[0] == was[0] && is[1] < was[1]:
		return fmt.Sprintf("must be at least %q, which it is now: a cluster never goes back to an older version", present), nil
	case next != present && next != above:
		return fmt.Sprintf("must be %q or %q: a cluster goes up by one version at a time, and it is %q now", present, above, present), nil
	}
	return "", nil
}

func moreZones(present, next string) (string, error) {
	has := strings.Split(next, ", ")
	for _, zone := range strings.Split(present, ", ") {
		if !slices.Contains(has, zone) {
			return fmt.Sprintf("must have %s, which it has now: there are volumes in it, which move to no other zone", zone), nil
		}
	}
	return "", nil
}
