package alertmanager

import _ "embed"

// messages are the texts of notifications, in templates.
//
//go:embed messages.tmpl
var messages string

// What receivers are given, by the templates in messages.
const (
	title             = `{{ template "platform.title" . }}`
	text              = `{{ template "platform.text" . }}`
	runbook           = `{{ template "platform.runbook" . }}`
	pagerDutySeverity = `{{ template "platform.severity" . }}`
)
