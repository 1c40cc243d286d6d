package automation

import (
	"context"
	"slices"
	"strings"
	"time"
)

// attempts is how often something that only reads is tried.
const attempts = 3

// passing are what a network or a service says that is soon in order again. The engine gives no more than its text.
var passing = []string{
	"connection refused", "connection reset", "i/o timeout", "TLS handshake timeout", "temporary failure in name resolution",
	"502 Bad Gateway", "503 Service Unavailable", "504 Gateway Timeout", "429 Too Many Requests",
}

// reading tries something that changes nothing up to three times, as long as what goes wrong is likely to pass.
func reading[T any](ctx context.Context, pause time.Duration, read func() (T, error)) (T, error) {
	for n := 1; ; n++ {
		found, err := read()
		if err == nil || n == attempts || ctx.Err() != nil ||
			!slices.ContainsFunc(passing, func(text string) bool { return strings.Contains(err.Error(), text) }) {
			return found, err
		}
		select {
		case <-ctx.Done():
			return found, err
		case <-time.After(pause):
			pause *= 2
		}
	}
}
