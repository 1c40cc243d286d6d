package alertmanager

import (
	"slices"
	"strings"
)

// Inhibition holds alerts back while another one fires.
type Inhibition struct {
	// Why says what makes them need no notification of their own.
	Why string
	// Causes are the names of the alerts that hold back others; none: those that Source matches.
	Causes []string
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

// The Watchdog is never held back: its silence would raise the alarm.
var notWatchdog = isNot("alertname", Watchdog)

// aComponent is asked for where labels are compared: two alerts that both lack them have nothing in common.
const aComponent = `component=~".+"`

// Inhibitions are what is held back, and why. Critical alerts are told unless what they follow from is among the causes.
func Inhibitions() []Inhibition {
	same := []string{"component", "namespace"}
	return []Inhibition{
		{
			Why:    "Something of the component is broken: that it also is slow, or short of a replica, can wait.",
			Source: []string{is("severity", Critical), aComponent},
			Target: []string{in("severity", []string{Warning, Info}), aComponent, notWatchdog},
			Equal:  same,
		},
		{
			Why:    "Who looks at the warning sees the rest.",
			Source: []string{is("severity", Warning), aComponent},
			Target: []string{is("severity", Info), aComponent, notWatchdog},
			Equal:  same,
		},
	}
}

// Causes are the names of all alerts that hold back others by name. Each has to exist.
func Causes() []string {
	var all []string
	for _, inhibition := range Inhibitions() {
		all = append(all, inhibition.Causes...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (i Inhibition) rule() inhibitRule {
	r := inhibitRule{Source: slices.Clone(i.Source), Target: i.Target, Equal: i.Equal}
	if len(i.Causes) > 0 {
		r.Source = append([]string{`alertname=~"` + strings.Join(i.Causes, "|") + `"`}, r.Source...)
	}
	return r
}
