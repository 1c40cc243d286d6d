package config

// Alertmanager configures Alertmanager. Without a receiver alerts are shown in
// Alertmanager and Grafana, and nobody is told.
type Alertmanager struct {
	// Image of Alertmanager. Its tag is the version.
	Image string `json:"image,omitempty" jsonschema:"format=image,default=quay.io/prometheus/alertmanager:v0.31.1"`
	// Replicas, which tell each other whom they have told: 1, or 3 and more. At least 3 with availability zonal.
	Replicas int `json:"replicas" jsonschema:"minimum=1,maximum=9" jsonschema_extras:"x-derived=1 (single)\\, 3 (zonal)"`
	// The volume of each replica, for silences and for what people were told. Volumes that exist keep their size until their claims are changed.
	Volume Volume `json:"volume" defaults:"size=1Gi"`
	// What each replica reserves and may use.
	Resources ResourceClass `json:"resources" defaults:"requests.cpu=20m,requests.memory=64Mi,limits.cpu=200m,limits.memory=256Mi"`
	// For how long it is remembered what people were told, and silences after their end. In whole seconds, from 24h to 8760h.
	Retention Duration `json:"retention,omitempty" jsonschema:"default=120h"`
	// Who can be told of alerts, and how.
	Receivers []Receiver `json:"receivers,omitempty" jsonschema:"minItems=1"`
	// The mail server that receivers with email send by. Needed by those.
	SMTP *SMTP `json:"smtp,omitempty"`
	// Which alerts go to which receivers. An alert goes to the receivers of all routes that it fits, and to defaultReceiver if it fits none.
	Routes []Route `json:"routes,omitempty" jsonschema:"minItems=1"`
	// Name of the receiver that is told of critical alerts and warnings that fit no route. Without it, nobody is.
	DefaultReceiver string `json:"defaultReceiver,omitempty" jsonschema:"minLength=1" jsonschema_extras:"x-derived=none: what no route is for is only shown"`
	// Name of the receiver that is told all the time that alerts work: one that raises an alarm when it hears nothing for some minutes.
	WatchdogReceiver string `json:"watchdogReceiver,omitempty" jsonschema:"minLength=1" jsonschema_extras:"x-derived=none"`
}

// Receiver is somebody who is told of alerts.
type Receiver struct {
	// Name of the receiver, for routes.
	Name string `json:"name" jsonschema:"required,format=dns-label,example=on-call"`
	// Mails. A receiver has exactly one of email, webhook, slack and pagerduty.
	Email *EmailReceiver `json:"email,omitempty"`
	// Requests to a URL, with the alerts as JSON.
	Webhook *WebhookReceiver `json:"webhook,omitempty"`
	// Messages in a channel of Slack, or of whatever takes the same messages.
	Slack *SlackReceiver `json:"slack,omitempty"`
	// Incidents of PagerDuty, or of whatever takes its Events API v2.
	PagerDuty *PagerDutyReceiver `json:"pagerduty,omitempty"`
}

// SecretRef is a key of a Secret in the namespace monitoring that something
// else has made.
type SecretRef struct {
	// Name of the Secret in the namespace monitoring.
	Name string `json:"name" jsonschema:"required,format=dns-subdomain"`
	// Key in the Secret.
	Key string `json:"key" jsonschema:"required,format=configmap-key"`
}

// EmailReceiver is told by mail.
type EmailReceiver struct {
	// Addresses.
	To []string `json:"to" jsonschema:"required,format=email,minItems=1,uniqueItems=true,example=on-call@example.com"`
}

// WebhookReceiver is told by a request.
type WebhookReceiver struct {
	// URL, if it is no secret. A receiver has exactly one of url, secretUrl and secretRef.
	URL string `json:"url,omitempty" jsonschema:"format=http-url,example=https://alerts.example.com/platform"`
	// URL, if whoever knows it may send.
	SecretURL Secret `json:"secretUrl,omitempty" jsonschema:"format=secret-http-url"`
	// Existing Secret with the URL.
	SecretRef *SecretRef `json:"secretRef,omitempty"`
	// Port of the URL, which network policies let requests through to.
	Port int `json:"port" jsonschema:"minimum=1,maximum=65535" jsonschema_extras:"x-derived=that of url or secretUrl; 443 with secretRef"`
}

// SlackReceiver is told in a channel.
type SlackReceiver struct {
	// Channel, such as `"#alerts"`, in quotes.
	Channel string `json:"channel,omitempty" jsonschema:"minLength=1" jsonschema_extras:"x-derived=that of the URL"`
	// URL of the incoming webhook. A receiver has exactly one of webhookUrl and secretRef.
	WebhookURL Secret `json:"webhookUrl,omitempty" jsonschema:"format=secret-https-url"`
	// Existing Secret with the URL.
	SecretRef *SecretRef `json:"secretRef,omitempty"`
	// Port of the URL, which network policies let requests through to.
	Port int `json:"port" jsonschema:"minimum=1,maximum=65535" jsonschema_extras:"x-derived=that of webhookUrl; 443 with secretRef"`
}

// PagerDutyReceiver is told by events.
type PagerDutyReceiver struct {
	// Integration key of the service. A receiver has exactly one of routingKey and secretRef.
	RoutingKey Secret `json:"routingKey,omitempty" jsonschema:"minLength=1"`
	// Existing Secret with the key.
	SecretRef *SecretRef `json:"secretRef,omitempty"`
	// URL of the events API, where it is not PagerDuty's own.
	URL string `json:"url,omitempty" jsonschema:"format=https-url" jsonschema_extras:"x-derived=PagerDuty's"`
}

// SMTP is a mail server.
type SMTP struct {
	// Host of the mail server.
	Host string `json:"host" jsonschema:"required,format=host,example=mail.example.com"`
	// Port of the mail server: with 465 the connection begins with TLS, with others it changes to TLS.
	Port int `json:"port" jsonschema:"minimum=1,maximum=65535,default=587"`
	// Address of the sender.
	From string `json:"from" jsonschema:"required,format=email,example=platform@example.com"`
	// Name of the user, if the server asks for one. Needs password or secretRef.
	Username string `json:"username,omitempty" jsonschema:"minLength=1"`
	// Password of the user. Excludes secretRef.
	Password Secret `json:"password,omitempty" jsonschema:"minLength=1"`
	// Existing Secret with the password. Excludes password.
	SecretRef *SecretRef `json:"secretRef,omitempty"`
	// Whether mails are only sent with TLS.
	RequireTLS bool `json:"requireTLS" jsonschema:"default=true"`
}

// Route says which alerts a receiver is told of: those that fit all of
// Severities, Namespaces and Components.
type Route struct {
	// Name of the receiver.
	Receiver string `json:"receiver" jsonschema:"required,minLength=1"`
	// Severities of the alerts.
	Severities []Severity `json:"severities,omitempty" jsonschema:"minItems=1,uniqueItems=true,enum=critical,enum=warning,enum=info" jsonschema_extras:"x-derived=critical and warning"`
	// Namespaces that the alerts are about.
	Namespaces []string `json:"namespaces,omitempty" jsonschema:"format=dns-label,minItems=1,uniqueItems=true" jsonschema_extras:"x-derived=all"`
	// Components that the alerts are about, as their label `component` has it.
	Components []string `json:"components,omitempty" jsonschema:"format=dns-label,minItems=1,uniqueItems=true,example=postgresql" jsonschema_extras:"x-derived=all"`
	// After what time more alerts of a group that the receiver was told of are told, at least 1m.
	GroupInterval Duration `json:"groupInterval,omitempty" jsonschema_extras:"x-derived=5m"`
	// After what time the receiver is told again of what is still the case. Longer than groupInterval, and at most retention.
	RepeatInterval Duration `json:"repeatInterval,omitempty" jsonschema_extras:"x-derived=4h for critical alerts\\, 24h for others"`
	// When the receiver is told. Alerts that are still there when the time begins are told then.
	ActiveTimes *ActiveTimes `json:"activeTimes,omitempty"`
}

// ActiveTimes are hours of days.
type ActiveTimes struct {
	// Days of the week.
	Days []string `json:"days,omitempty" jsonschema:"minItems=1,uniqueItems=true,enum=monday,enum=tuesday,enum=wednesday,enum=thursday,enum=friday,enum=saturday,enum=sunday" jsonschema_extras:"x-derived=monday to friday"`
	// When the time begins on each of these days.
	From string `json:"from,omitempty" jsonschema:"format=time-of-day,default=08:00"`
	// When it ends. `24:00` is the end of the day.
	To string `json:"to,omitempty" jsonschema:"format=time-of-day,default=18:00"`
	// Time zone by its name in the IANA database.
	TimeZone string `json:"timeZone,omitempty" jsonschema:"format=time-zone,default=UTC,example=Europe/Berlin"`
}
