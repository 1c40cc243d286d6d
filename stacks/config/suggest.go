package config

import (
	"regexp"
	"sort"
	"strconv"
	"strings"

	"github.com/agext/levenshtein"
)

// nearest returns the candidate that was probably meant, or nothing when none
// comes close.
func nearest(name string, candidates []string) string {
	plain := func(s string) string {
		return strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(s))
	}
	sorted := append([]string(nil), candidates...)
	sort.Strings(sorted)
	best, distance := "", max(2, len(name)/3)+1
	for _, candidate := range sorted {
		d := levenshtein.Distance(plain(name), plain(candidate), nil)
		// A candidate of which every letter has to change is no suggestion.
		if d < distance && d < len(candidate) {
			best, distance = candidate, d
		}
	}
	return best
}

var calendarDuration = regexp.MustCompile(`^([0-9]{1,5})(d|w|y)$`)

// inHours converts a duration in days, weeks or years, which Go does not know,
// to hours.
func inHours(text string) string {
	match := calendarDuration.FindStringSubmatch(strings.TrimSpace(text))
	if match == nil {
		return ""
	}
	n, err := strconv.Atoi(match[1])
	if err != nil || n == 0 {
		return ""
	}
	hours := map[string]int{"d": 24, "w": 7 * 24, "y": 365 * 24}[match[2]]
	return strconv.Itoa(n*hours) + "h"
}
