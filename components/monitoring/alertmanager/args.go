package alertmanager

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	corev1 "k8s.io/api/core/v1"

	"github.com/telekom/controlplane-infrastructure/internal/part"
)

// The severities of alerts.
const (
	Critical = "critical"
	Warning  = "warning"
	Info     = "info"
)

// Watchdog is the alert that always fires: who gets it no more knows that alerts do not arrive.
const Watchdog = "Watchdog"

// Args describe the Alertmanager of a platform.
type Args struct {
	part.Common
	// Image is that of Alertmanager; its tag says which version the operator has to deal with, such as v0.31.1.
	Image string
	// Replicas is how many tell each other what they have sent: 1, or 3 and more.
	Replicas int
	// Volume keeps silences and what has been sent, for each replica.
	Volume part.Volume
	// Resources are those of each replica; empty: those of the class operator.
	Resources corev1.ResourceRequirements
	// Retention is how long resolved alerts and ended silences are kept, such as 120h; empty: 120h.
	Retention string
	// Receivers are who is told. Nobody is without them.
	Receivers []Receiver
	// SMTP is the mail server that receivers by mail need.
	SMTP *SMTP
	// Routes say who is told of what. All that match an alert count.
	Routes []Route
	// DefaultReceiver gets what no route matches, apart from alerts that only inform; empty: nobody does.
	DefaultReceiver string
	// WatchdogReceiver gets the Watchdog, again and again: something outside of the platform that raises the alarm when it
	// stays away; empty: nobody does.
	WatchdogReceiver string
	// Grafana tells whether Grafana reads alerts here.
	Grafana bool
	// Timing is when notifications are sent.
	Timing Timing
}

// Timing is when notifications are sent, as Prometheus writes durations: 30s, 5m, 4h. What is empty has its default.
type Timing struct {
	// GroupWait is how long the first notification of a group waits for more alerts: 30s.
	GroupWait string
	// GroupInterval is how long the next one waits when alerts have come or gone: 5m.
	GroupInterval string
	// RepeatCritical and RepeatWarning are how long until what goes on is said again: 4h and 24h. The latter is also for
	// alerts of no known severity and for those that only inform.
	RepeatCritical, RepeatWarning string
	// RepeatWatchdog is how often the Watchdog is passed on, give or take WatchdogInterval: 5m and 1m.
	RepeatWatchdog, WatchdogInterval string
	// PeerTimeout is how long each replica gives those before it to send, and tell, before it sends itself: 15s.
	PeerTimeout string
}

// Receiver is somebody who is told, in exactly one way.
type Receiver struct {
	// Name is of lower-case letters, digits and hyphens.
	Name      string
	Email     *Email
	Webhook   *Webhook
	Slack     *Slack
	PagerDuty *PagerDuty
}

// Email is told by mail.
type Email struct {
	// To are the addresses.
	To []string
}

// Webhook is told by HTTP, in Alertmanager's own JSON.
type Webhook struct {
	// URL is where it is sent, unless that is a secret.
	URL string
	// SecretURL is the URL if it is one.
	SecretURL *Credential
	// Port is that of SecretURL; 0: 443.
	Port int
}

// Slack is told in a channel.
type Slack struct {
	// Channel is its name, such as #platform; empty: the one that the URL belongs to.
	Channel string
	// URL is that of an incoming webhook.
	URL Credential
	// Port is that of the URL; 0: 443.
	Port int
}

// PagerDuty is told by an event of PagerDuty's API, version 2.
type PagerDuty struct {
	// RoutingKey is the integration key of the service.
	RoutingKey Credential
	// URL is another address of the API, such as https://events.eu.pagerduty.com/v2/enqueue; empty: that of Alertmanager's
	// own default.
	URL string
}

// Credential is a secret: either its value, or where another Secret in the namespace has it.
type Credential struct {
	Value pulumi.StringInput
	Ref   *SecretRef
}

// SecretRef is a key of a Secret in the namespace, which has another owner. Pods wait until it is there.
type SecretRef struct{ Name, Key string }

// SMTP is a mail server.
type SMTP struct {
	Host string
	// Port is 587 or 25 for STARTTLS, or 465 for TLS from the start.
	Port int
	// From is the sender's address.
	From string
	// Username and Password log in; without them nobody does.
	Username string
	Password *Credential
	// RequireTLS sends nothing without TLS.
	RequireTLS bool
}

// Route leads alerts to a receiver.
type Route struct {
	// Receiver is the name of who is told.
	Receiver string
	// Severities are those of the alerts; none: critical and warning.
	Severities []string
	// Components and Namespaces are values of these labels of the alerts; none: all. The platform's components are those that
	// package rules lists.
	Components, Namespaces []string
	// RepeatInterval and GroupInterval are in place of those of Timing.
	RepeatInterval, GroupInterval string
	// Active are the times at which the receiver is told; none: always. What still fires when one begins is told then.
	Active []Hours
}

// Hours are a time of the week.
type Hours struct {
	// Weekdays are days or ranges of them, such as monday:friday; none: every day.
	Weekdays []string
	// From and To are times of the day, such as 08:00 and 17:00, up to 24:00; both empty: the whole day.
	From, To string
	// Location is a time zone, such as Europe/Berlin; empty: UTC.
	Location string
}
