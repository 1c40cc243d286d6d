package alertmanager

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// nobody is the receiver that does nothing.
const nobody = "nobody"

// severities are those that there are, in the order of branches.
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
		PeerTimeout: cmp.Or(t.PeerTimeout, "15s"),
	}
}

// tree are all routes. Alerts of the platform have a component, and what one component has to say is one notification
// for each severity: a fault shows in several alerts, and each name for itself would be a notification of its own. Alerts
// that others have written are told apart by their name and namespace.
func (a Args) tree() *node {
	t, standard := a.Timing.withDefaults(), cmp.Or(a.DefaultReceiver, nobody)
	return &node{
		Receiver: standard, GroupBy: []string{"alertname", "namespace"},
		GroupWait: t.GroupWait, GroupInterval: t.GroupInterval, RepeatInterval: t.RepeatWarning,
		Routes: append([]*node{
			{
				// It never waits. The interval is shorter than the repetition, which is only looked at each time the first passes.
				Receiver: cmp.Or(a.WatchdogReceiver, nobody), Matchers: []string{is("alertname", Watchdog)},
				GroupWait: "0s", GroupInterval: t.WatchdogInterval, RepeatInterval: t.RepeatWatchdog,
			},
			{
				Receiver: standard, Matchers: []string{aComponent}, GroupBy: []string{"component"},
				Routes: a.branches(func(Route) bool { return true }),
			},
		}, a.branches(func(r Route) bool { return len(r.Components) == 0 })...),
	}
}

// branches are one for each severity, with those of the configured routes below that can match. Alertmanager takes each of
// them that does, and the branch itself when none does: the default receiver. Who informs only is heard where somebody
// asks for it. An alert of a severity that we do not know gets to no branch, and is not lost either.
func (a Args) branches(possible func(Route) bool) []*node {
	t, standard := a.Timing.withDefaults(), cmp.Or(a.DefaultReceiver, nobody)
	all := []*node{
		{Receiver: standard, Matchers: []string{is("severity", Critical)}, RepeatInterval: t.RepeatCritical},
		{Receiver: standard, Matchers: []string{is("severity", Warning)}, RepeatInterval: t.RepeatWarning},
		{Receiver: nobody, Matchers: []string{is("severity", Info)}, RepeatInterval: t.RepeatWarning},
	}
	for i, route := range a.Routes {
		for n, severity := range severities {
			if possible(route) && slices.Contains(route.wanted(), severity) {
				all[n].Routes = append(all[n].Routes, route.node(i))
			}
		}
	}
	return all
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
