package alertmanager

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// nobody is the receiver that does nothing.
const nobody = "nobody"

var severities = []string{Critical, Warning, Info}

// node is a route as Alertmanager reads it.
type node struct {
	Receiver       string   `json:"receiver"`
	Matchers       []string `json:"matchers,omitempty"`
	GroupBy        []string `json:"group_by,omitempty"`
	GroupWait      string   `json:"group_wait,omitempty"`
	GroupInterval  string   `json:"group_interval,omitempty"`
	RepeatInterval string   `json:"repeat_interval,omitempty"`
	Continue       bool     `json:"continue,omitempty"`
	Active         []string `json:"active_time_intervals,omitempty"`
	Routes         []*node  `json:"routes,omitempty"`
}

// withDefaults fills in what is not given.
func (t Timing) withDefaults() Timing {
	return Timing{
		GroupWait: cmp.Or(t.GroupWait, "30s"), GroupInterval: cmp.Or(t.GroupInterval, "5m"),
		RepeatCritical: cmp.Or(t.RepeatCritical, "4h"), RepeatWarning: cmp.Or(t.RepeatWarning, "24h"),
		RepeatWatchdog: cmp.Or(t.RepeatWatchdog, "5m"), WatchdogInterval: cmp.Or(t.WatchdogInterval, "1m"),
	}
}

// tree are all routes. It has a branch for each severity, below which are the routes that are configured. Alertmanager
// takes each of them that matches, and the branch itself when none does: the default receiver. Who informs only is heard
// where somebody asks for it. An alert of a severity that we do not know, which others may have written, is not lost.
//
// Grouped are the alerts of one component in one namespace: a fault shows in several of them, and those of one severity
// are one notification. The name of the alert is not among the labels, or each symptom would be one of its own.
func (a Args) tree() *node {
	t, standard := a.Timing.withDefaults(), cmp.Or(a.DefaultReceiver, nobody)
	root := &node{
		Receiver: standard, GroupBy: []string{"component", "namespace"},
		GroupWait: t.GroupWait, GroupInterval: t.GroupInterval, RepeatInterval: t.RepeatWarning,
		Routes: []*node{{
			// It never waits. The interval is shorter than the repetition, which is only looked at each time the first passes.
			Receiver: cmp.Or(a.WatchdogReceiver, nobody), Matchers: []string{is("alertname", Watchdog)},
			GroupWait: "0s", GroupInterval: t.WatchdogInterval, RepeatInterval: t.RepeatWatchdog,
		}},
	}
	for _, severity := range severities {
		branch := &node{Receiver: standard, Matchers: []string{is("severity", severity)}, RepeatInterval: t.RepeatWarning}
		switch severity {
		case Critical:
			branch.RepeatInterval = t.RepeatCritical
		case Info:
			branch.Receiver = nobody
		}
		for i, route := range a.Routes {
			if slices.Contains(route.wanted(), severity) {
				branch.Routes = append(branch.Routes, route.node(i))
			}
		}
		root.Routes = append(root.Routes, branch)
	}
	return root
}

// wanted are the severities of a route.
func (r Route) wanted() []string {
	if len(r.Severities) == 0 {
		return []string{Critical, Warning}
	}
	return r.Severities
}

// node is the route below the branch of a severity.
func (r Route) node(index int) *node {
	n := &node{
		Receiver: r.Receiver, GroupInterval: r.GroupInterval, RepeatInterval: r.RepeatInterval,
		Continue: true, // the next ones as well
	}
	if len(r.Components) > 0 {
		n.Matchers = append(n.Matchers, in("component", r.Components))
	}
	if len(r.Namespaces) > 0 {
		n.Matchers = append(n.Matchers, in("namespace", r.Namespaces))
	}
	if len(r.Active) > 0 {
		n.Active = []string{hoursName(index)}
	}
	return n
}

func is(label, value string) string    { return fmt.Sprintf("%s=%q", label, value) }
func isNot(label, value string) string { return fmt.Sprintf("%s!=%q", label, value) }

// in is one of several values, which are words. Alertmanager anchors the expression.
func in(label string, values []string) string {
	return fmt.Sprintf("%s=~%q", label, strings.Join(values, "|"))
}

func hoursName(route int) string { return fmt.Sprintf("route-%d", route) }

// interval is a named time.
type interval struct {
	Name  string `json:"name"`
	Times []span `json:"time_intervals"`
}

type span struct {
	Weekdays []string `json:"weekdays,omitempty"`
	Times    []times  `json:"times,omitempty"`
	Location string   `json:"location,omitempty"`
}

type times struct {
	Start string `json:"start_time"`
	End   string `json:"end_time"`
}

// intervals are the times of the routes that have any.
func (a Args) intervals() []interval {
	var all []interval
	for i, route := range a.Routes {
		if len(route.Active) == 0 {
			continue
		}
		one := interval{Name: hoursName(i)}
		for _, hours := range route.Active {
			s := span{Weekdays: hours.Weekdays, Location: hours.Location}
			if hours.From != "" {
				s.Times = []times{{Start: hours.From, End: hours.To}}
			}
			one.Times = append(one.Times, s)
		}
		all = append(all, one)
	}
	return all
}
