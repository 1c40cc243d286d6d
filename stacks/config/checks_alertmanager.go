package config

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// nobody is the receiver of alerts that nobody is told of.
const nobody = "nobody"

var alertmanagerTag = regexp.MustCompile(`^v0\.[0-9]+\.[0-9]+$`)

func (k *checker) alertmanager(path string, a *Alertmanager) {
	k.zonalMinimum(path+".replicas", a.Replicas, 3, 9)
	if a.Replicas == 2 && k.cfg.Availability != Zonal {
		k.add(path+".replicas", a.Replicas, "must be 1, or from 3 to 9: of two replicas that cannot reach each other, each tells people on its own, and two survive no more than one does")
	}
	if _, tag := splitImage(a.Image); !alertmanagerTag.MatchString(tag) {
		k.add(path+".image", a.Image, "must have a tag that is a version of Alertmanager, such as v0.31.1: the operator reads it there")
	}
	k.class(path+".resources", a.Resources)
	k.seconds(path+".retention", a.Retention, 24*time.Hour, 8760*time.Hour, "")
	k.receivers(path, a)
	k.smtp(path, a)
	k.routes(path, a)
}

func (k *checker) receivers(path string, a *Alertmanager) {
	names, told := map[string]bool{}, a.told()
	// Who seems to be told of nothing may be meant by a name that is wrong.
	unsure := k.isTouched(path+".routes") || slices.ContainsFunc(told, func(name string) bool { return !a.has(name) })
	for i, r := range a.Receivers {
		at := fmt.Sprintf("%s.receivers.%d", path, i)
		switch {
		case r.Name == "": // reported as missing
		case r.Name == nobody:
			k.add(at+".name", r.Name, "is the receiver of what nobody is told of; must be another name")
		case names[r.Name]:
			k.add(at+".name", r.Name, "is the name of another receiver already; must be in one item only")
		case !unsure && !slices.Contains(told, r.Name):
			k.add(at, nil, fmt.Sprintf("is told of nothing; receiver %q must be in a route, or be the defaultReceiver or the watchdogReceiver", r.Name),
				path+".defaultReceiver", path+".watchdogReceiver", path)
		}
		names[r.Name] = true
		k.receiver(at, r)
	}
}

// told are the names of receivers that are told of something.
func (a *Alertmanager) told() []string {
	var names []string
	for _, name := range []string{a.DefaultReceiver, a.WatchdogReceiver} {
		if name != "" {
			names = append(names, name)
		}
	}
	for _, r := range a.Routes {
		names = append(names, r.Receiver)
	}
	return names
}

// has says whether there is a receiver of that name.
func (a *Alertmanager) has(name string) bool {
	return slices.ContainsFunc(a.Receivers, func(r Receiver) bool { return r.Name == name })
}

// receiver checks that there is one way to tell, with the secret that it needs.
func (k *checker) receiver(path string, r Receiver) {
	var ways []string
	for _, way := range []struct {
		key   string
		given bool
	}{{"email", r.Email != nil}, {"webhook", r.Webhook != nil}, {"slack", r.Slack != nil}, {"pagerduty", r.PagerDuty != nil}} {
		if way.given {
			ways = append(ways, way.key)
		}
	}
	const allowed = "must have exactly one of email, webhook, slack, pagerduty"
	switch {
	case len(ways) == 0:
		k.add(path, nil, "has no way to tell anybody; "+allowed, path, path+".email", path+".webhook", path+".slack", path+".pagerduty")
	case len(ways) > 1:
		k.add(path, nil, fmt.Sprintf("has %s; %s", strings.Join(ways, " and "), allowed))
	}
	if r.Webhook != nil {
		k.webhook(path+".webhook", r)
	}
	if r.Slack != nil {
		k.urlPort(path+".slack", "webhookUrl", r.Slack.WebhookURL.Reveal(), r.Slack.Port)
		k.oneSecret(path+".slack", r.Name, given{"webhookUrl", r.Slack.WebhookURL.IsSet()}, given{"secretRef", r.Slack.SecretRef != nil})
	}
	if r.PagerDuty != nil {
		k.oneSecret(path+".pagerduty", r.Name, given{"routingKey", r.PagerDuty.RoutingKey.IsSet()}, given{"secretRef", r.PagerDuty.SecretRef != nil})
		k.noPassword(path+".pagerduty.url", r.PagerDuty.URL, "routingKey")
	}
}

// given is a key that is there or not.
type given struct {
	key string
	set bool
}

// oneSecret checks that a receiver has its secret from one place.
func (k *checker) oneSecret(path, receiver string, places ...given) {
	var keys, set, related []string
	for _, place := range places {
		keys, related = append(keys, place.key), append(related, path+"."+place.key)
		if place.set {
			set = append(set, place.key)
		}
	}
	allowed := "must have exactly one of " + strings.Join(keys, ", ")
	switch {
	case len(set) == 0:
		k.add(path, nil, fmt.Sprintf("is without its secret in receiver %q; %s", receiver, allowed), append(related, path)...)
	case len(set) > 1:
		k.add(path, nil, fmt.Sprintf("has %s; %s", strings.Join(set, " and "), allowed))
	}
}

func (k *checker) webhook(path string, r Receiver) {
	w := r.Webhook
	k.oneSecret(path, r.Name, given{"url", w.URL != ""}, given{"secretUrl", w.SecretURL.IsSet()}, given{"secretRef", w.SecretRef != nil})
	k.noPassword(path+".url", w.URL, "secretUrl")
	k.urlPort(path, "url", w.URL, w.Port)
	k.urlPort(path, "secretUrl", w.SecretURL.Reveal(), w.Port)
}

// urlPort checks the port of a URL, which may be a secret that is not known.
func (k *checker) urlPort(path, key, address string, port int) {
	u, err := url.Parse(address)
	switch {
	case err != nil || address == "": // the schema has reported it
	case !isPort(u.Port()):
		k.add(path+"."+key, nil, "must have a port from 1 to 65535, if any")
	case receiverPort(address) != port:
		k.add(path+".port", port, fmt.Sprintf("must be %d, the port of the URL in %s", receiverPort(address), key), path+"."+key)
	}
}

// smtp checks the mail server, and that there is one if anybody gets mails.
func (k *checker) smtp(path string, a *Alertmanager) {
	mails := -1
	for i, r := range a.Receivers {
		if r.Email != nil {
			mails = i
			break
		}
	}
	s, at := a.SMTP, path+".smtp"
	if s == nil {
		if mails >= 0 {
			k.add(fmt.Sprintf("%s.receivers.%d.email", path, mails), nil, "needs the mail server, which is missing; must be at controlplane:"+at, at, path)
		}
		return
	}
	if mails < 0 {
		k.add(at, nil, "has no effect; is only allowed with a receiver that has email", path+".receivers")
	}
	hasSecret := s.Password.IsSet() || s.SecretRef != nil
	switch {
	case s.Password.IsSet() && s.SecretRef != nil:
		k.add(at, nil, "has password and secretRef; must have at most one of them")
	case s.Username != "" && !hasSecret:
		k.add(at+".password", nil, "is missing; username needs exactly one of password, secretRef", at, at+".secretRef")
	case s.Username == "" && hasSecret:
		k.add(at+".username", nil, "is missing; must be the name of the user whose password it is", at)
	}
	if s.Username != "" && !s.RequireTLS {
		k.add(at+".requireTLS", false, "must be true with username: the password would be sent to whoever answers", at+".username")
	}
}

func (k *checker) routes(path string, a *Alertmanager) {
	for i, r := range a.Routes {
		at := fmt.Sprintf("%s.routes.%d", path, i)
		k.knownReceiver(at+".receiver", r.Receiver, a)
		group := 5 * time.Minute // what Alertmanager is given where nothing else is said
		if r.GroupInterval != 0 {
			group = r.GroupInterval.Std()
			k.seconds(at+".groupInterval", r.GroupInterval, time.Minute, 24*time.Hour, "")
		}
		switch repeat := r.RepeatInterval.Std(); {
		case repeat == 0:
		case repeat <= group:
			k.add(at+".repeatInterval", short(repeat), fmt.Sprintf("must be longer than groupInterval, which is %q", short(group)), at+".groupInterval")
		case repeat > a.Retention.Std():
			k.add(at+".repeatInterval", short(repeat), fmt.Sprintf("must be at most retention, which is %q: by then it is forgotten who was told", short(a.Retention.Std())), path+".retention")
		default:
			k.seconds(at+".repeatInterval", r.RepeatInterval, time.Minute, 8760*time.Hour, "")
		}
		if t := r.ActiveTimes; t != nil && minuteOfDay(t.From) >= minuteOfDay(t.To) {
			k.add(at+".activeTimes.to", t.To, fmt.Sprintf("must be later than from, which is %q; what goes past midnight needs two routes", t.From), at+".activeTimes.from")
		}
	}
	k.knownReceiver(path+".defaultReceiver", a.DefaultReceiver, a)
	k.knownReceiver(path+".watchdogReceiver", a.WatchdogReceiver, a)
}

// minuteOfDay counts from midnight.
func minuteOfDay(text string) int {
	hours, minutes, _ := strings.Cut(text, ":")
	h, _ := strconv.Atoi(hours) // the schema has let nothing else pass
	m, _ := strconv.Atoi(minutes)
	return 60*h + m
}

// knownReceiver checks a name against those of the receivers.
func (k *checker) knownReceiver(path, name string, a *Alertmanager) {
	const receivers = monitoringPath + ".alertmanager.receivers"
	if name == "" || k.isTouched(receivers) {
		return // what seems to be missing may be among what is wrong
	}
	var present []string
	for _, r := range a.Receivers {
		present = append(present, r.Name)
	}
	if slices.Contains(present, name) {
		return
	}
	allowed := "there is none"
	if len(present) > 0 {
		slices.Sort(present)
		allowed = "must be one of " + strings.Join(present, ", ")
	}
	k.suggest(path, name, "is no receiver; "+allowed, nearest(name, present), receivers)
}
