package config

import (
	"fmt"
	"slices"
	"strings"
)

func (k *checker) nodeGroups(path string, e *EKS) {
	names := map[string]bool{}
	for i, g := range e.NodeGroups {
		at := fmt.Sprintf("%s.%d", path, i)
		if names[g.Name] && g.Name != "" {
			k.add(at+".name", g.Name, "is the name of another group already; must be another name")
		}
		names[g.Name] = true
		for j, zone := range g.Zones {
			if !slices.Contains(e.Zones, zone) && len(e.Zones) > 0 {
				k.suggest(fmt.Sprintf("%s.zones.%d", at, j), zone, "is none of the cluster's zones; must be one of "+strings.Join(e.Zones, ", "),
					nearest(zone, e.Zones), eksPath+".zones", "aws.region")
			}
		}
		k.sizes(at, g)
		k.atLeast(at+".diskSize", g.DiskSize, "20Gi", ", for the system and images")
		k.nodeLabels(at+".labels", g.Labels)
		k.taints(at+".taints", g.Taints)
	}
	if len(e.Zones) > 0 && !k.isTouched(path) {
		k.placeable(path, e)
	}
}

func (k *checker) sizes(path string, g EKSNodeGroup) {
	if g.MaxSize < g.MinSize {
		k.add(path+".maxSize", g.MaxSize, fmt.Sprintf("must be at least minSize, which is %d", g.MinSize), path+".minSize")
		return
	}
	if g.DesiredSize < g.MinSize || g.DesiredSize > g.MaxSize {
		k.add(path+".desiredSize", g.DesiredSize, fmt.Sprintf("must be from minSize to maxSize, which are %d and %d", g.MinSize, g.MaxSize), path+".minSize", path+".maxSize")
	}
}

// nodeLabels checks labels of nodes. EKS refuses those that belong to
// Kubernetes or to itself. Source: the API reference of Amazon EKS, Nodegroup.
func (k *checker) nodeLabels(path string, labels map[string]string) {
	k.labels(path, labels)
	for _, key := range sortedKeys(labels) {
		for _, reserved := range []string{"kubernetes.io/", "k8s.io/", "eks.amazonaws.com/"} {
			if strings.Contains(key, reserved) {
				k.add(path, key, "belongs to Kubernetes or EKS; must have no kubernetes.io/, k8s.io/ or eks.amazonaws.com/ in it")
				break
			}
		}
	}
}

func (k *checker) taints(path string, taints []EKSTaint) {
	seen := map[[2]string]bool{}
	for i, t := range taints {
		id := [2]string{t.Key, string(t.Effect)}
		if seen[id] {
			k.add(fmt.Sprintf("%s.%d.key", path, i), t.Key, "has this effect in another item already; must be there once")
		}
		seen[id] = true
	}
}

// placeable checks that there are always nodes for pods that tolerate no
// taint, which the platform's own do not, and the autoscaler's least of all.
func (k *checker) placeable(path string, e *EKS) {
	zones := map[string]bool{}
	for _, g := range e.NodeGroups {
		if g.MinSize == 0 || slices.ContainsFunc(g.Taints, func(t EKSTaint) bool { return t.Effect != preferNoSchedule }) {
			continue
		}
		for _, zone := range g.Zones {
			zones[zone] = true
		}
	}
	need := 1
	if k.cfg.Availability == Zonal {
		need = min(3, len(e.Zones))
	}
	if len(zones) < need {
		k.add(path, nil, fmt.Sprintf("have nodes without taints, and with minSize 1 or more, in %d zones; must have some in at least %d, for the platform itself", len(zones), need),
			"availability", path)
	}
}
