package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/telekom/controlplane-infrastructure/components/cluster/preflight"
	"github.com/telekom/controlplane-infrastructure/stacks"
)

// permissionsIntroduction is the part of the permissions' page that is written by hand.
//
//go:embed permissions.md
var permissionsIntroduction string

// everything is a configuration that creates every kind of object there is, but for a mesh.
var everything = settings{"availability": "zonal", "cluster": settings{"metricsServer": settings{"install": true}}}

// permissions generates the page about permissions.
func permissions() ([]byte, error) {
	role, err := clusterRole()
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	out.WriteString(permissionsIntroduction)
	fmt.Fprintf(&out, "\n```yaml\n%s```\n", role)
	out.WriteString("\nIn the namespace `identity` also `create` on `pods/portforward`, and `list` on `pods`, by which `platform` reaches Keycloak's admin API.\n")
	out.WriteString("\n## Amazon Web Services\n\nFor a stack that creates its cluster, data stores or buckets there, of each kind of resource that any of them may have. " +
		"They are read from the documentation of AWS and of Pulumi's plugin; no real account has confirmed them. " +
		"In an account that has never had one of these services also `iam:CreateServiceLinkedRole`. " +
		"Tags come with whatever they are on, so the actions for tags are among these.\n" +
		"\n| resources | actions |\n|---|---|\n")
	for _, kind := range slices.Sorted(maps.Keys(actions)) {
		fmt.Fprintf(&out, "| `%s` | `%s` |\n", kind, strings.Join(actions[kind], "`, `"))
	}
	out.WriteString("\n`iam:PassRole` can be limited to roles of the cluster, `controlplane-<stack>-*` unless it has a `cluster.eks.name`, and to " +
		"the services `eks.amazonaws.com`, `pods.eks.amazonaws.com`, `ec2.amazonaws.com` and `vpc-flow-logs.amazonaws.com`.\n")
	return out.Bytes(), nil
}

// clusterRole is a role with what the program does on a cluster that is there already.
func clusterRole() ([]byte, error) {
	cfg, err := parse(everything)
	if err != nil {
		return nil, err
	}
	role := rbacv1.ClusterRole{
		TypeMeta:   metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: "ClusterRole"},
		ObjectMeta: metav1.ObjectMeta{Name: "controlplane-infrastructure"},
	}
	for _, kind := range stacks.ClusterNeeds(cfg).Manages {
		role.Rules = grant(role.Rules, kind)
	}
	text, err := yaml.Marshal(role)
	return bytes.ReplaceAll(text, []byte("  creationTimestamp: null\n"), nil), err
}

// grant adds a kind to the rule of its group that has the same verbs, or to a new one.
func grant(rules []rbacv1.PolicyRule, kind preflight.Resource) []rbacv1.PolicyRule {
	for i, rule := range rules {
		if rule.APIGroups[0] == kind.Group && slices.Equal(rule.Verbs, kind.Verbs()) {
			rules[i].Resources = append(rule.Resources, kind.Name)
			return rules
		}
	}
	return append(rules, rbacv1.PolicyRule{APIGroups: []string{kind.Group}, Resources: []string{kind.Name}, Verbs: kind.Verbs()})
}
