// Package rules has what Prometheus computes from metrics: recordings that dashboards need, and alerts. There is a file for
// each component of the platform, with its alerts as a table.
//
// An alert is critical when users are harmed, or will be within hours, and a person has to act now. Everything else that
// somebody should look at is a warning; info is for what only the routing of alerts needs. Each alert has a runbook of its
// name in docs/runbooks, and cases in testdata that show when it fires and when it stays silent.
package rules
