package dashboards

import "fmt"

// componentUp is what package rules records of each component: 1 while it does its work, else 0.
const componentUp = "platform:component_up"

// controlPlane is the component that the platform is for.
const controlPlane = "controlplane"

// firing are the alerts that somebody should know of. Watchdog always fires, so that its absence is noticed.
const firing = `ALERTS{alertstate="firing", alertname!="Watchdog"%s}`

// overview fits on one screen: what is red, why, and where to look further.
func overview(b *board, a Args) {
	b.about("Whether the platform does its work: each component in green or red. A click on one leads to its dashboard.")
	for _, k := range present(a) {
		b.link(k.title, k.uid)
	}
	for _, k := range present(a) {
		// What nothing is known of is as bad as what is down. The Control Plane comes after the platform.
		text, colour := "Unknown", bad
		if k.component == controlPlane {
			text, colour = "Not installed", unknown
		}
		b.number(sixth, chart{
			title: k.title, unit: count, leads: k.uid, limits: highIsGood(1), words: upDown("Healthy", "Down"), height: 3,
			empty: text, emptyColour: colour,
			says: "Healthy: it does its work, though it may have lost some of its redundancy. A click shows why it " +
				"does not.",
			queries: []query{{expr: fmt.Sprintf(`min(%s{component=%q})`, componentUp, k.component)}},
		})
	}
	b.newLine()
	b.overviewNumbers(a)
	b.newLine()
	b.list(half, chart{
		title: "Firing alerts", unit: count, height: 7, empty: "No alert fires",
		says: "What is wrong at the moment, for everybody who has not been woken. Good is an empty list; the runbook of each " +
			"alert has its name.",
		queries: []query{{
			expr: fmt.Sprintf(`sort_desc(sum by (severity, component, alertname) (`+firing+`))`, `, severity=~"critical|warning"`),
		}},
		columns: []column{{"severity", "Severity"}, {"component", "Component"}, {"alertname", "Alert"}, {value, "Objects"}},
	})
	b.states(half, chart{
		title: "What was up when", unit: count, limits: highIsGood(1), words: upDown("Healthy", "Down"), height: 7,
		says:    "Each component over time. Good is green from left to right.",
		queries: []query{{componentUp, "{{component}}"}},
	})
}

// overviewNumbers are those that tell most in one line.
func (b *board) overviewNumbers(a Args) {
	for _, severity := range []struct {
		name, title, says string
		limits            *limits
	}{
		{"critical", "Critical alerts", "Users are harmed, or will be within hours: somebody has to act now. Good is 0.", lowIsGood(1)},
		{"warning", "Warnings", "What somebody should look at during the day. Good is 0.", &limits{good, []limit{{1, doubtful}}}},
	} {
		b.number(sixth, chart{
			title: severity.title, unit: count, limits: severity.limits, says: severity.says, height: 3,
			queries: []query{{
				expr: fmt.Sprintf(`count(`+firing+`) or vector(0)`, fmt.Sprintf(`, severity=%q`, severity.name)),
			}},
		})
	}
	b.number(sixth, chart{
		title: "Next certificate to expire", unit: seconds, leads: "platform-certificates", height: 3, limits: highIsGood(3*day, 14*day),
		says:    "Of those that are renewed more than a week before they expire. Good is more than two weeks.",
		queries: []query{{expr: `min(` + left + `)`}},
	})
	if a.Ingress {
		b.number(sixth, chart{
			title: "Requests from outside", unit: requests, leads: "platform-ingress", height: 3,
			says:    "What the ingress controller answers, per second. Good is what is usual for the hour.",
			queries: []query{{expr: "sum(" + ingressRate + ")"}},
		})
		b.number(sixth, chart{
			title: "Answered with an error", unit: ratio, leads: "platform-ingress", height: 3, limits: lowIsGood(0.01, 0.05),
			says:    "The share of requests from outside that end with a status of 500 and above. Good is below 1 %.",
			queries: []query{{expr: ingressErrors}},
		})
	}
	if a.Iris {
		b.number(sixth, chart{
			title: "Tokens", unit: perSecond, leads: "platform-iris", height: 3,
			says:    "Tokens that Iris hands out, per second. Good is what is usual for the hour; 0 is nobody getting in.",
			queries: []query{{expr: tokenRate}},
		})
	}
}
