package aws

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// windowsProblem is what is wrong with when a database is backed up, each day, and worked on, each week: both take at
// least half an hour, and not the same one. Times are UTC.
func windowsProblem(backup, maintenance string) string {
	var daily, weekly span
	var err error
	if backup != "" {
		if daily, err = window(backup, false); err != nil {
			return "backupWindow " + err.Error()
		}
	}
	if maintenance != "" {
		if weekly, err = window(maintenance, true); err != nil {
			return err.Error()
		}
	}
	if backup == "" || maintenance == "" {
		return ""
	}
	for day := range 8 {
		if shifted := (span{daily.from + day*1440, daily.length}); shifted.meets(weekly) {
			return fmt.Sprintf("is %q; the backup window %s and maintenance window must not overlap", maintenance, backup)
		}
	}
	return ""
}

// span is a time of the week, in minutes.
type span struct{ from, length int }

func (s span) meets(o span) bool {
	const week = 7 * 1440
	return (o.from-s.from+week)%week < s.length || (s.from-o.from+week)%week < o.length
}

// window reads 02:00-03:00, or sun:03:30-sun:04:30.
func window(text string, weekly bool) (span, error) {
	bad := fmt.Errorf("is %q; want times such as 02:00-03:00, in a week sun:03:30-sun:04:30, of at least 30 minutes", text)
	begin, end, ok := strings.Cut(text, "-")
	if !ok {
		return span{}, bad
	}
	cycle := 1440
	if weekly {
		cycle *= 7
	}
	from, fromErr := minute(begin, weekly)
	to, toErr := minute(end, weekly)
	if length := (to - from + cycle) % cycle; fromErr == nil && toErr == nil && length >= 30 {
		return span{from, length}, nil
	}
	return span{}, bad
}

func minute(text string, weekly bool) (int, error) {
	day := 0
	if weekly {
		name, rest, _ := strings.Cut(text, ":")
		if day = slices.Index(weekdays, strings.ToLower(name)); day < 0 {
			return 0, fmt.Errorf("%q is no day", name)
		}
		text = rest
	}
	t, err := time.Parse("15:04", text)
	return day*1440 + t.Hour()*60 + t.Minute(), err
}
