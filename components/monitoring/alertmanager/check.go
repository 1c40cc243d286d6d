package alertmanager

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

var (
	// word is what names and values of labels are made of here, so that they need no quoting anywhere.
	word = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`)
	// duration is how Prometheus writes them.
	duration = regexp.MustCompile(`^([0-9]+y)?([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$`)
	// retention is how Alertmanager's flag takes one: without days.
	retention = regexp.MustCompile(`^([0-9]+h)?([0-9]+m)?([0-9]+s)?$`)
	clock     = regexp.MustCompile(`^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$`)
	weekdays  = regexp.MustCompile(`^(sun|mon|tues|wednes|thurs|fri|satur)day(:(sun|mon|tues|wednes|thurs|fri|satur)day)?$`)
	// versionTag is a tag that names a version.
	versionTag = regexp.MustCompile(`:v?([0-9]+\.[0-9]+\.[0-9]+)(@sha256:[0-9a-f]{64})?$`)
)

// checker collects what is wrong.
type checker struct {
	args     Args
	problems []error
}

func (c *checker) add(format string, values ...any) {
	c.problems = append(c.problems, fmt.Errorf(format, values...))
}

// Check reports everything that cannot work.
func (a Args) Check() error {
	c := &checker{args: a}
	if !versionTag.MatchString(a.Image) {
		c.add("Image is %q: its tag must name a version, such as v0.31.1", a.Image)
	}
	if a.Replicas != 1 && a.Replicas < 3 {
		c.add("Replicas is %d: must be 1, or 3 and more", a.Replicas)
	}
	if a.Volume.Size == "" {
		c.add("Volume has no Size")
	}
	if !retention.MatchString(a.Retention) {
		c.add("Retention is %q: must be a duration such as 120h", a.Retention)
	}
	t := a.Timing
	for field, value := range map[string]string{
		"GroupWait": t.GroupWait, "GroupInterval": t.GroupInterval, "RepeatCritical": t.RepeatCritical,
		"RepeatWarning": t.RepeatWarning, "RepeatWatchdog": t.RepeatWatchdog, "WatchdogInterval": t.WatchdogInterval,
		"PeerTimeout": t.PeerTimeout,
	} {
		c.duration("Timing."+field, value)
	}
	c.receivers()
	c.mailServer()
	for i, route := range a.Routes {
		c.route(fmt.Sprintf("Routes[%d]", i), route)
	}
	c.known("DefaultReceiver", a.DefaultReceiver)
	c.known("WatchdogReceiver", a.WatchdogReceiver)
	slices.SortStableFunc(c.problems, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(c.problems...)
}

func (c *checker) duration(field, value string) {
	if !duration.MatchString(value) {
		c.add("%s is %q: must be a duration such as 30s, 5m or 4h", field, value)
	}
}

// known asks for a receiver, if the field names one.
func (c *checker) known(field, name string) {
	if name == "" {
		return
	}
	var all []string
	for _, r := range c.args.Receivers {
		all = append(all, r.Name)
	}
	if !slices.Contains(all, name) {
		c.add("%s is %q: there is no such receiver; there are %s", field, name, strings.Join(append(all, "no others"), ", "))
	}
}

func (c *checker) receivers() {
	seen := map[string]bool{}
	for i, r := range c.args.Receivers {
		field := fmt.Sprintf("Receivers[%d]", i)
		switch {
		case !word.MatchString(r.Name):
			c.add("%s.Name is %q: must be of lower-case letters, digits and hyphens", field, r.Name)
		case r.Name == nobody:
			c.add("%s.Name is %q, which is reserved", field, r.Name)
		case seen[r.Name]:
			c.add("%s.Name is %q: another receiver has that name", field, r.Name)
		}
		seen[r.Name] = true
		c.receiver(fmt.Sprintf("receiver %q", r.Name), r)
	}
}

// receiver asks for exactly one way, with what it needs.
func (c *checker) receiver(name string, r Receiver) {
	ways := 0
	if r.Email != nil {
		ways++
		if len(r.Email.To) == 0 {
			c.add("%s: Email needs an address", name)
		}
		if c.args.SMTP == nil {
			c.add("%s: Email needs SMTP", name)
		}
	}
	if w := r.Webhook; w != nil {
		ways++
		switch {
		case w.URL != "" && w.SecretURL != nil:
			c.add("%s: Webhook has both URL and SecretURL", name)
		case w.SecretURL != nil:
			c.credential(name, "SecretURL", *w.SecretURL)
		default:
			c.url(name, w.URL)
		}
	}
	if r.Slack != nil {
		ways++
		c.credential(name, "URL", r.Slack.URL)
	}
	if r.PagerDuty != nil {
		ways++
		c.credential(name, "RoutingKey", r.PagerDuty.RoutingKey)
		if r.PagerDuty.URL != "" {
			c.url(name, r.PagerDuty.URL)
		}
	}
	if ways != 1 {
		c.add("%s: must have exactly one of Email, Webhook, Slack and PagerDuty, has %d", name, ways)
	}
}

func (c *checker) url(name, text string) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		c.add("%s: URL is %q: must be one with https:// or http://", name, text)
	}
}

func (c *checker) credential(name, field string, given Credential) {
	switch {
	case given.Value == nil && given.Ref == nil:
		c.add("%s is without its secret: %s needs a Value or a Ref", name, field)
	case given.Value != nil && given.Ref != nil:
		c.add("%s: %s has both a Value and a Ref", name, field)
	case given.Ref != nil && (given.Ref.Name == "" || given.Ref.Key == ""):
		c.add("%s: %s.Ref needs a Name and a Key", name, field)
	}
}

func (c *checker) mailServer() {
	s := c.args.SMTP
	if s == nil {
		return
	}
	if s.Host == "" || s.Port < 1 || s.Port > 65535 || s.From == "" {
		c.add("SMTP needs Host, Port and From")
	}
	switch {
	case s.Username == "" && s.Password != nil:
		c.add("SMTP has a Password without Username")
	case s.Username != "" && s.Password == nil:
		c.add("SMTP is without its secret: Username needs a Password")
	case s.Password != nil:
		c.credential("SMTP", "Password", *s.Password)
	}
}

func (c *checker) route(field string, r Route) {
	if r.Receiver == "" {
		c.add("%s has no Receiver", field)
	}
	c.known(field+".Receiver", r.Receiver)
	for _, severity := range r.Severities {
		if !slices.Contains(severities, severity) {
			c.add("%s.Severities has %q: allowed are %s", field, severity, strings.Join(severities, ", "))
		}
	}
	for _, value := range slices.Concat(r.Components, r.Namespaces) {
		if !word.MatchString(value) {
			c.add("%s has %q: must be of lower-case letters, digits and hyphens", field, value)
		}
	}
	c.duration(field+".RepeatInterval", r.RepeatInterval)
	c.duration(field+".GroupInterval", r.GroupInterval)
	for _, hours := range r.Active {
		c.hours(field+".Active", hours)
	}
}

func (c *checker) hours(field string, h Hours) {
	for _, days := range h.Weekdays {
		if !weekdays.MatchString(days) {
			c.add("%s: %q must be a day or a range of days, such as monday:friday", field, days)
		}
	}
	if h.From == "" && h.To == "" {
		return
	}
	if !clock.MatchString(h.From) || !clock.MatchString(h.To) || h.From >= h.To {
		c.add("%s: %q to %q must be times of one day, such as 08:00 to 17:00", field, h.From, h.To)
	}
}
