package config

// AlertNames are the alerts that the platform brings, in alphabetical order.
// Package components/monitoring/rules has them; config cannot import it.
var AlertNames = []string{}
