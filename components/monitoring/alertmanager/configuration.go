package alertmanager

import (
	"cmp"
	"fmt"
	"net"
	"path"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/telekom/controlplane-infrastructure/components/monitoring/names"
)

const (
	// The operator mounts everything below here: the configuration with what else is in its Secret, other Secrets, and
	// ConfigMaps.
	mounts        = "/etc/alertmanager"
	configDir     = mounts + "/config"
	secretsDir    = mounts + "/secrets"
	configMapsDir = mounts + "/configmaps"

	// configurationKey is where the operator looks for the configuration; messagesKey has the texts of notifications.
	configurationKey = "alertmanager.yaml"
	messagesKey      = "messages.tmpl"
)

// settings are the configuration as Alertmanager reads it. What is secret is in files that it names.
type settings struct {
	Global    map[string]any   `json:"global"`
	Templates []string         `json:"templates"`
	Route     *node            `json:"route"`
	Inhibit   []inhibitRule    `json:"inhibit_rules"`
	Receivers []map[string]any `json:"receivers"`
	Intervals []interval       `json:"time_intervals,omitempty"`
}

// configuration is the content of alertmanager.yaml.
func (a Args) configuration() (string, error) {
	s := settings{
		Global: a.global(), Templates: []string{path.Join(configDir, messagesKey)}, Route: a.tree(),
		Receivers: []map[string]any{{"name": nobody}}, Intervals: a.intervals(),
	}
	for _, inhibition := range Inhibitions() {
		s.Inhibit = append(s.Inhibit, inhibition.rule())
	}
	for _, r := range a.Receivers {
		s.Receivers = append(s.Receivers, a.receiver(r))
	}
	text, err := yaml.Marshal(s)
	if err != nil {
		return "", fmt.Errorf("configuration of Alertmanager: %w", err)
	}
	return string(text), nil
}

// global is what holds for all receivers. They are verified by the platform's bundle: there may be some behind its own
// authority.
func (a Args) global() map[string]any {
	verified := map[string]any{"ca_file": path.Join(configMapsDir, a.Trust.ConfigMap, a.Trust.Key)}
	g := map[string]any{"http_config": map[string]any{"tls_config": verified}}
	if a.SMTP == nil {
		return g
	}
	g["smtp_smarthost"] = net.JoinHostPort(a.SMTP.Host, strconv.Itoa(a.SMTP.Port))
	g["smtp_from"] = a.SMTP.From
	g["smtp_require_tls"] = a.SMTP.RequireTLS
	g["smtp_tls_config"] = verified
	if a.SMTP.Password != nil {
		g["smtp_auth_username"] = a.SMTP.Username
		g["smtp_auth_password_file"] = a.SMTP.Password.file(smtpKey)
	}
	return g
}

// receiver is one of the list.
func (a Args) receiver(r Receiver) map[string]any {
	kind, one := "", map[string]any{}
	switch {
	case r.Email != nil:
		kind = "email_configs"
		one["to"] = strings.Join(r.Email.To, ", ")
		one["headers"] = map[string]any{"Subject": title}
	case r.Webhook != nil:
		kind = "webhook_configs"
		if r.Webhook.SecretURL != nil {
			one["url_file"] = r.Webhook.SecretURL.file(r.key())
		} else {
			one["url"] = r.Webhook.URL
		}
	case r.Slack != nil:
		kind = "slack_configs"
		one["api_url_file"] = r.Slack.URL.file(r.key())
		one["title"], one["text"], one["fallback"] = title, text, title
		if r.Slack.Channel != "" {
			one["channel"] = r.Slack.Channel
		}
	case r.PagerDuty != nil:
		kind = "pagerduty_configs"
		one["routing_key_file"] = r.PagerDuty.RoutingKey.file(r.key())
		one["description"], one["details"] = title, map[string]any{"alerts": text}
		one["severity"], one["component"] = pagerDutySeverity, "{{ .CommonLabels.component }}"
		one["links"] = []any{map[string]any{"href": runbook, "text": "Runbook"}}
		if r.PagerDuty.URL != "" {
			one["url"] = r.PagerDuty.URL
		}
	}
	// The Watchdog ends when Prometheus does: to say so would look like one more sign of life.
	one["send_resolved"] = r.Name != a.WatchdogReceiver
	return map[string]any{"name": r.Name, kind: []any{one}}
}

// credentials is our Secret with those that are given by value.
const credentials = names.Alertmanager + "-receivers"

// smtpKey is the key of the mail server's password there. No receiver's has that name.
const smtpKey = "smtp-password"

// key is that of a receiver's credential.
func (r Receiver) key() string { return "receiver-" + r.Name }

// credential is what a receiver needs, if it needs any.
func (r Receiver) credential() *Credential {
	switch {
	case r.Webhook != nil:
		return r.Webhook.SecretURL
	case r.Slack != nil:
		return &r.Slack.URL
	case r.PagerDuty != nil:
		return &r.PagerDuty.RoutingKey
	}
	return nil
}

// file is where a pod has the credential; key is that in our own Secret.
func (c Credential) file(key string) string {
	secret := credentials
	if c.Ref != nil {
		secret, key = c.Ref.Name, c.Ref.Key
	}
	return path.Join(secretsDir, secret, key)
}

// retention is how long Alertmanager remembers.
func (a Args) retention() string { return cmp.Or(a.Retention, "120h") }
