package stacks

import (
	"github.com/telekom/controlplane-infrastructure/components/monitoring/alertmanager"
	"github.com/telekom/controlplane-infrastructure/stacks/config"
)

func (s *stack) alertmanager() alertmanager.Args {
	cfg := s.cfg.Monitoring.Alertmanager
	args := alertmanager.Args{
		Image: cfg.Image, Replicas: cfg.Replicas, Volume: volume(cfg.Volume), Resources: requirements(cfg.Resources),
		Retention: duration(cfg.Retention), DefaultReceiver: cfg.DefaultReceiver, WatchdogReceiver: cfg.WatchdogReceiver,
	}
	for _, r := range cfg.Receivers {
		args.Receivers = append(args.Receivers, receiver(r))
	}
	for _, r := range cfg.Routes {
		args.Routes = append(args.Routes, route(r))
	}
	if smtp := cfg.SMTP; smtp != nil {
		args.SMTP = &alertmanager.SMTP{
			Host: smtp.Host, Port: smtp.Port, From: smtp.From, Username: smtp.Username, RequireTLS: smtp.RequireTLS,
		}
		if smtp.Username != "" {
			password := credential(smtp.Password, smtp.SecretRef)
			args.SMTP.Password = &password
		}
	}
	return args
}

func receiver(cfg config.Receiver) alertmanager.Receiver {
	r := alertmanager.Receiver{Name: cfg.Name}
	switch {
	case cfg.Email != nil:
		r.Email = &alertmanager.Email{To: cfg.Email.To}
	case cfg.Webhook != nil:
		r.Webhook = &alertmanager.Webhook{URL: cfg.Webhook.URL, Port: cfg.Webhook.Port}
		if cfg.Webhook.URL == "" {
			url := credential(cfg.Webhook.SecretURL, cfg.Webhook.SecretRef)
			r.Webhook.SecretURL = &url
		}
	case cfg.Slack != nil:
		r.Slack = &alertmanager.Slack{
			Channel: cfg.Slack.Channel, URL: credential(cfg.Slack.WebhookURL, cfg.Slack.SecretRef), Port: cfg.Slack.Port,
		}
	case cfg.PagerDuty != nil:
		r.PagerDuty = &alertmanager.PagerDuty{
			RoutingKey: credential(cfg.PagerDuty.RoutingKey, cfg.PagerDuty.SecretRef), URL: cfg.PagerDuty.URL,
		}
	}
	return r
}

// credential is one of the two, as the configuration has made sure.
func credential(value config.Secret, ref *config.SecretRef) alertmanager.Credential {
	if ref != nil {
		return alertmanager.Credential{Ref: &alertmanager.SecretRef{Name: ref.Name, Key: ref.Key}}
	}
	return alertmanager.Credential{Value: secret(value)}
}

func route(cfg config.Route) alertmanager.Route {
	r := alertmanager.Route{Receiver: cfg.Receiver, Components: cfg.Components, Namespaces: cfg.Namespaces}
	for _, severity := range cfg.Severities {
		r.Severities = append(r.Severities, string(severity))
	}
	if cfg.GroupInterval > 0 {
		r.GroupInterval = duration(cfg.GroupInterval)
	}
	if cfg.RepeatInterval > 0 {
		r.RepeatInterval = duration(cfg.RepeatInterval)
	}
	if t := cfg.ActiveTimes; t != nil {
		r.Active = []alertmanager.Hours{{Weekdays: t.Days, From: t.From, To: t.To, Location: t.TimeZone}}
	}
	return r
}
