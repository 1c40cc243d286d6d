package config

import (
	"net"
	"strings"
	"time"
	_ "time/tzdata" // names of time zones mean the same on every machine

	"github.com/prometheus/common/model"
)

// isPrometheusDuration says whether Prometheus reads a duration, with days,
// weeks and years.
func isPrometheusDuration(s string) bool {
	d, err := model.ParseDuration(s)
	return err == nil && d > 0 && !strings.HasSuffix(s, "ms")
}

// isEndpoint says whether a client of an S3 interface takes it for a host with
// an optional port.
func isEndpoint(s string) bool { return isHost(s) || isHostPort(s) }

func isIPAddress(s string) bool { return net.ParseIP(s) != nil }

func isTimeZone(s string) bool {
	if s == "" || s == "Local" {
		return false // that of whichever machine asks
	}
	_, err := time.LoadLocation(s)
	return err == nil
}
