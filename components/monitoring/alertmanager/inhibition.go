package alertmanager

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Inhibition holds alerts back while another one fires.
type Inhibition struct {
	// Why says what makes them need no notification of their own.
	Why string
	// Causes and Effects are the names of alerts that hold back others, and of those that are held back; none: those that
	// Source and Target match.
	Causes, Effects []string
	// Source and Target are matchers of who holds back, and who is held back.
	Source, Target []string
	// Equal are labels that both have with the same value, or both lack.
	Equal []string
}

// inhibitRule is one as Alertmanager reads it.
type inhibitRule struct {
	Source []string `json:"source_matchers"`
	Target []string `json:"target_matchers"`
	Equal  []string `json:"equal,omitempty"`
}

// aComponent is asked for where labels are compared: two alerts that both lack them have nothing in common.
const aComponent = `component=~".+"`

var (
	// notWatchdog keeps the Watchdog from being held back: its silence would raise the alarm. It only informs.
	notWatchdog = isNot("alertname", Watchdog)
	lesser      = []string{in("severity", []string{Warning, Info}), notWatchdog}
)

// scopes are the labels that tell what an alert of some components is about. For all others the component is enough: its
// alerts do not agree on more.
var scopes = map[string][]string{
	"kubernetes":   {"namespace"},
	"nodes":        {"node"},
	"certificates": {"exported_namespace", "name"},
}

// Inhibitions are what is held back, and why. A critical alert never is: whoever is woken is to know all that is harmed.
func Inhibitions() []Inhibition {
	special := slices.Sorted(maps.Keys(scopes))
	all := sameObject([]string{aComponent, fmt.Sprintf("component!~%q", strings.Join(special, "|"))}, nil)
	for _, component := range special {
		all = append(all, sameObject([]string{is("component", component)}, scopes[component])...)
	}
	return append(all, platformWide()...)
}

// sameObject has the worse of two alerts about the same hold back the other one.
func sameObject(components, labels []string) []Inhibition {
	equal := append([]string{"component"}, labels...)
	return []Inhibition{
		{
			Why:    "Something is broken: that it also is slow, or short of a replica, can wait.",
			Source: append([]string{is("severity", Critical)}, components...),
			Target: append(slices.Clone(lesser), components...),
			Equal:  equal,
		},
		{
			Why:    "Who looks at the warning sees the rest.",
			Source: append([]string{is("severity", Warning)}, components...),
			Target: append([]string{is("severity", Info), notWatchdog}, components...),
			Equal:  equal,
		},
	}
}

// platformWide are the faults that show in every component.
func platformWide() []Inhibition {
	return []Inhibition{
		{
			Why:    "Without the Kubernetes API no controller can work, and what is known of objects is old.",
			Causes: []string{"KubernetesAPIDown"},
			Target: append(slices.Clone(lesser), in("component", []string{
				"certificates", "controlplane", "kubernetes", "mesh", "monitoring", "nodes",
			})),
		},
		{
			Why:    "Without name resolution everything is late, and loses whom it talks to.",
			Causes: []string{"KubernetesDNSDown"},
			Target: append(slices.Clone(lesser), aComponent),
		},
		{
			Why:     "The replicas in that zone are missing, of all that has any there.",
			Causes:  []string{"NodeZoneLost"},
			Effects: lostWithAZone,
			Target:  lesser,
		},
		{
			Why:    "A node that is not ready has no other news.",
			Causes: []string{"NodeNotReady"},
			Target: append(slices.Clone(lesser), isNot("alertname", "NodeNotReady"), `node=~".+"`),
			Equal:  []string{"node"},
		},
	}
}

// lostWithAZone are the alerts of redundancy, and of targets that do not answer.
var lostWithAZone = []string{
	"CertificateTargetDown", "ControlPlaneTargetDown", "IngressTargetDown", "IrisTargetDown",
	"KubernetesDaemonSetIncomplete", "KubernetesDeploymentIncomplete", "KubernetesDisruptionBudgetAtLimit",
	"KubernetesPodNotReady", "KubernetesStatefulSetIncomplete", "KubernetesTargetDown", "MeshNodeAgentMissing", "MeshTargetDown",
	"MonitoringAlertmanagersSplit", "MonitoringTargetDown", "NodeNotReady", "NodeTargetDown", "ObjectStorageDrivesOffline",
	"ObjectStorageServersOffline", "ObjectStorageTargetDown", "PostgreSQLReplicaMissing", "PostgreSQLReplicationBroken",
	"PostgreSQLTargetDown", "ValkeyReplicasMissing", "ValkeyReplicationBroken", "ValkeySentinelsMissing", "ValkeyTargetDown",
}

// NamedAlerts are the names of all alerts that hold back others, or are held back, by name. Each has to exist.
func NamedAlerts() []string {
	var all []string
	for _, inhibition := range Inhibitions() {
		all = append(append(all, inhibition.Causes...), inhibition.Effects...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (i Inhibition) rule() inhibitRule {
	return inhibitRule{Source: named(i.Causes, i.Source), Target: named(i.Effects, i.Target), Equal: i.Equal}
}

// named adds names, if there are any, to matchers.
func named(alerts, matchers []string) []string {
	if len(alerts) == 0 {
		return matchers
	}
	return append([]string{in("alertname", alerts)}, matchers...)
}
