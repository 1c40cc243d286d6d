package config_test

const (
	alertmanagerAt = "controlplane:monitoring.alertmanager."
	ways           = "must have exactly one of email, webhook, slack, pagerduty"
)

// alertmanager is an Alertmanager with the given keys.
func alertmanager(keys string) string { return "monitoring: {alertmanager: {" + keys + "}}" }

// tellsOf is an Alertmanager whose default receiver has the given keys.
func tellsOf(keys string) string {
	return alertmanager("defaultReceiver: on-call, receivers: [{name: on-call, " + keys + "}]")
}

// mails is an Alertmanager that sends mails by a server with more keys.
func mails(more string) string {
	return alertmanager("defaultReceiver: on-call, receivers: [{name: on-call, email: {to: [a@example.com]}}], smtp: {host: mail.example.com, from: p@example.com, " + more + "}")
}

// routed is an Alertmanager with the receivers a and b, and one route; b is
// told of the rest.
func routed(route string) string {
	return alertmanager("defaultReceiver: b, receivers: [{name: a, webhook: {url: 'https://a.example.com'}}, {name: b, webhook: {url: 'https://b.example.com'}}], routes: [" + route + "]")
}

var badAlertmanager = []badConfiguration{
	{"two replicas of Alertmanager", alertmanager("replicas: 2"), []string{
		alertmanagerAt + "replicas: 2 must be 1, or from 3 to 9: of two replicas that cannot reach each other, each tells people on its own, and two survive no more than one does"}},
	{"two replicas of Alertmanager over zones", "availability: zonal\n" + alertmanager("replicas: 2"), []string{
		alertmanagerAt + "replicas: 2 must be from 3 to 9 with controlplane:availability zonal"}},
	{"Alertmanager of no version", alertmanager("image: 'quay.io/prometheus/alertmanager:main'"), []string{
		alertmanagerAt + `image: "quay.io/prometheus/alertmanager:main" must have a tag that is a version of Alertmanager, such as v0.31.1: the operator reads it there`}},
	{"Alertmanager that forgets", alertmanager("retention: 1h"), []string{
		alertmanagerAt + `retention: "1h" must be from 24h to 8760h`}},
	{"Alertmanager that keeps things for no time", alertmanager("retention: 5d"), []string{
		alertmanagerAt + `retention: "5d" ` + duration + `; did you mean "120h"?`}},

	// Receivers and their secrets.
	{"Slack without its secret", tellsOf("slack: {channel: '#alerts'}"), []string{
		alertmanagerAt + `receivers[0].slack: is without its secret in receiver "on-call"; must have exactly one of webhookUrl, secretRef`}},
	{"PagerDuty without its secret", tellsOf("pagerduty: {}"), []string{
		alertmanagerAt + `receivers[0].pagerduty: is without its secret in receiver "on-call"; must have exactly one of routingKey, secretRef`}},
	{"webhook without its secret", tellsOf("webhook: {port: 8443}"), []string{
		alertmanagerAt + `receivers[0].webhook: is without its secret in receiver "on-call"; must have exactly one of url, secretUrl, secretRef`}},
	{"Slack with two secrets", tellsOf("slack: {webhookUrl: 'https://hooks.example.com/1', secretRef: {name: a, key: url}}"), []string{
		alertmanagerAt + "receivers[0].slack: has webhookUrl and secretRef; must have exactly one of webhookUrl, secretRef"}},
	{"webhook at two places", tellsOf("webhook: {url: 'https://a.example.com', secretUrl: 'https://a.example.com/s3cret'}"), []string{
		alertmanagerAt + "receivers[0].webhook: has url and secretUrl; must have exactly one of url, secretUrl, secretRef"}},
	{"secret that is nowhere in its Secret", tellsOf("pagerduty: {secretRef: {name: pagerduty}}"), []string{
		alertmanagerAt + "receivers[0].pagerduty.secretRef.key: is missing; must be a key of a ConfigMap: letters, digits, -, _ and ., such as ca.crt"}},
	{"misspelt secret", tellsOf("pagerduty: {routingkey: abc}"), []string{
		alertmanagerAt + `receivers[0].pagerduty.routingkey: is not a key; allowed are routingKey, secretRef, url; did you mean "routingKey"?`}},
	{"secret URL that is none", tellsOf("slack: {webhookUrl: hooks.example.com/T1}"), []string{
		alertmanagerAt + "receivers[0].slack.webhookUrl: [secret] must be a URL that starts with https://"}},
	{"webhook with a password in its URL", tellsOf("webhook: {url: 'https://a:hunter2@a.example.com'}"), []string{
		alertmanagerAt + `receivers[0].webhook.url: "https://a:xxxxx@a.example.com" must have no user and no password, which would be readable in it; those belong into secretUrl`}},
	{"webhook at another port", tellsOf("webhook: {url: 'https://a.example.com', port: 8443}"), []string{
		alertmanagerAt + "receivers[0].webhook.port: 8443 must be 443, the port of the URL in url"}},
	{"Slack at another port", tellsOf("slack: {webhookUrl: 'https://chat.example.com:8443/hooks/1', port: 443}"), []string{
		alertmanagerAt + "receivers[0].slack.port: 443 must be 8443, the port of the URL in webhookUrl"}},
	{"webhook at a port that is none", tellsOf("webhook: {url: 'https://a.example.com:70000'}"), []string{
		alertmanagerAt + "receivers[0].webhook.url: must have a port from 1 to 65535, if any"}},
	{"receiver that nobody hears", alertmanager("defaultReceiver: a, receivers: [{name: a}]"), []string{
		alertmanagerAt + "receivers[0]: has no way to tell anybody; " + ways}},
	{"receiver with two ways", tellsOf("pagerduty: {routingKey: abc}, slack: {webhookUrl: 'https://hooks.example.com/1'}"), []string{
		alertmanagerAt + "receivers[0]: has slack and pagerduty; " + ways}},
	{"unknown way", tellsOf("sms: {to: '112'}"), []string{
		alertmanagerAt + "receivers[0].sms: is not a key; allowed are email, name, pagerduty, slack, webhook"}},
	{"two receivers of one name", alertmanager("defaultReceiver: a, receivers: [{name: a, webhook: {url: 'https://a.example.com'}}, {name: a, webhook: {url: 'https://b.example.com'}}]"), []string{
		alertmanagerAt + `receivers[1].name: "a" is the name of another receiver already; must be in one item only`}},
	{"receiver in capitals", alertmanager("receivers: [{name: On Call, webhook: {url: 'https://a.example.com'}}]"), []string{
		alertmanagerAt + `receivers[0].name: "On Call" ` + dnsLabel}},
	{"receiver that is nobody", alertmanager("defaultReceiver: nobody, receivers: [{name: nobody, webhook: {url: 'https://a.example.com'}}]"), []string{
		alertmanagerAt + `receivers[0].name: "nobody" is the receiver of what nobody is told of; must be another name`}},
	{"receiver without a name", alertmanager("receivers: [{webhook: {url: 'https://a.example.com'}}]"), []string{
		alertmanagerAt + "receivers[0].name: is missing; " + dnsLabel}},
	{"receiver that is told of nothing", alertmanager("receivers: [{name: a, webhook: {url: 'https://a.example.com'}}]"), []string{
		alertmanagerAt + `receivers[0]: is told of nothing; receiver "a" must be in a route, or be the defaultReceiver or the watchdogReceiver`}},

	// Mails.
	{"mails without a mail server", tellsOf("email: {to: [a@example.com]}"), []string{
		alertmanagerAt + "receivers[0].email: needs the mail server, which is missing; must be at controlplane:monitoring.alertmanager.smtp"}},
	{"mails to nobody", alertmanager("defaultReceiver: on-call, receivers: [{name: on-call, email: {}}], smtp: {host: mail.example.com, from: p@example.com}"), []string{
		alertmanagerAt + "receivers[0].email.to: is missing; must be a list, not empty, without repetition, each item an e-mail address such as platform@example.com"}},
	{"mails to no address", alertmanager("defaultReceiver: on-call, receivers: [{name: on-call, email: {to: [somebody]}}], smtp: {host: mail.example.com, from: p@example.com}"), []string{
		alertmanagerAt + `receivers[0].email.to[0]: "somebody" must be an e-mail address such as platform@example.com`}},
	{"mail server without mails", alertmanager("smtp: {host: mail.example.com, from: p@example.com}"), []string{
		alertmanagerAt + "smtp: has no effect; is only allowed with a receiver that has email"}},
	{"mail server with its port", alertmanager("defaultReceiver: on-call, receivers: [{name: on-call, email: {to: [a@example.com]}}], smtp: {host: 'mail.example.com:587', from: p@example.com}"), []string{
		alertmanagerAt + `smtp.host: "mail.example.com:587" must be a host name or an IP address, without a port`}},
	{"mail server without its secret", mails("username: platform"), []string{
		alertmanagerAt + "smtp.password: is missing; username needs exactly one of password, secretRef"}},
	{"mail server with two secrets", mails("username: platform, password: hunter2, secretRef: {name: a, key: b}"), []string{
		alertmanagerAt + "smtp: has password and secretRef; must have at most one of them"}},
	{"password of nobody", mails("password: hunter2"), []string{
		alertmanagerAt + "smtp.username: is missing; must be the name of the user whose password it is"}},
	{"password without TLS", mails("username: platform, password: hunter2, requireTLS: false"), []string{
		alertmanagerAt + "smtp.requireTLS: false must be true with username: the password would be sent to whoever answers"}},

	// Routes.
	{"route to an unknown receiver", routed("{receiver: a}, {receiver: sms}"), []string{
		alertmanagerAt + `routes[1].receiver: "sms" is no receiver; must be one of a, b`}},
	{"route to a misspelt receiver", alertmanager("receivers: [{name: on-call, pagerduty: {routingKey: abc}}], routes: [{receiver: oncall}]"), []string{
		alertmanagerAt + `routes[0].receiver: "oncall" is no receiver; must be one of on-call; did you mean "on-call"?`}},
	{"routes without receivers", alertmanager("routes: [{receiver: a}], defaultReceiver: b, watchdogReceiver: c"), []string{
		alertmanagerAt + `defaultReceiver: "b" is no receiver; there is none`,
		alertmanagerAt + `routes[0].receiver: "a" is no receiver; there is none`,
		alertmanagerAt + `watchdogReceiver: "c" is no receiver; there is none`}},
	{"route by an unknown severity", routed("{receiver: a, severities: [critical, warnning]}"), []string{
		alertmanagerAt + `routes[0].severities[1]: "warnning" must be one of critical, warning, info; did you mean "warning"?`}},
	{"route to nobody", routed("{receiver: a}, {severities: [info]}"), []string{
		alertmanagerAt + "routes[1].receiver: is missing; must be a string that is not empty"}},
	{"route that repeats before it groups", routed("{receiver: a, repeatInterval: 5m}"), []string{
		alertmanagerAt + `routes[0].repeatInterval: "5m" must be longer than groupInterval, which is "5m"`}},
	{"route that repeats what is forgotten", routed("{receiver: a, repeatInterval: 168h}"), []string{
		alertmanagerAt + `routes[0].repeatInterval: "168h" must be at most retention, which is "120h": by then it is forgotten who was told`}},
	{"route that groups for seconds", routed("{receiver: a, groupInterval: 10s}"), []string{
		alertmanagerAt + `routes[0].groupInterval: "10s" must be from 1m to 24h`}},
	{"route of the night", routed("{receiver: a, activeTimes: {from: '22:00', to: '06:00'}}"), []string{
		alertmanagerAt + `routes[0].activeTimes.to: "06:00" must be later than from, which is "22:00"; what goes past midnight needs two routes`}},
	{"route at no time", routed("{receiver: a, activeTimes: {from: 8am, to: '25:00', days: [fridays], timeZone: Berlin}}"), []string{
		alertmanagerAt + `routes[0].activeTimes.days[0]: "fridays" must be one of monday, tuesday, wednesday, thursday, friday, saturday, sunday; did you mean "friday"?`,
		alertmanagerAt + `routes[0].activeTimes.from: "8am" must be a time of day in quotes, such as "08:00"`,
		alertmanagerAt + `routes[0].activeTimes.timeZone: "Berlin" must be a time zone of the IANA database, such as Europe/Berlin or UTC`,
		alertmanagerAt + `routes[0].activeTimes.to: "25:00" must be a time of day in quotes, such as "08:00"`}},
	{"everything wrong with alerts", alertmanager("replicas: 2, receivers: [{name: chat, slack: {}}, {name: mail, email: {to: [a@example.com]}}], routes: [{receiver: chat, severities: [urgent]}], defaultReceiver: mial"), []string{
		alertmanagerAt + `defaultReceiver: "mial" is no receiver; must be one of chat, mail; did you mean "mail"?`,
		alertmanagerAt + `receivers[0].slack: is without its secret in receiver "chat"; must have exactly one of webhookUrl, secretRef`,
		alertmanagerAt + "receivers[1].email: needs the mail server, which is missing; must be at controlplane:monitoring.alertmanager.smtp",
		alertmanagerAt + "replicas: 2 must be 1, or from 3 to 9: of two replicas that cannot reach each other, each tells people on its own, and two survive no more than one does",
		alertmanagerAt + `routes[0].severities[0]: "urgent" must be one of critical, warning, info`}},
}
