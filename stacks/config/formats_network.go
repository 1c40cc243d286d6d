package config

import (
	"net/netip"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/validation"
)

// isCIDR says whether a range of addresses is written in the one way that
// everything that reads it agrees on.
func isCIDR(s string) bool {
	prefix, err := netip.ParsePrefix(s)
	return err == nil && !prefix.Addr().Is4In6() && prefix.Masked().String() == s
}

// asCIDR returns the range that a text was probably meant to be: one with host
// bits without them, and an address as the range of this address alone.
func asCIDR(s string) string {
	s = strings.TrimSpace(s)
	if address, err := netip.ParseAddr(s); err == nil && address.Zone() == "" {
		address = address.Unmap()
		return netip.PrefixFrom(address, address.BitLen()).String()
	}
	prefix, err := netip.ParsePrefix(s)
	if err != nil || prefix.Addr().Is4In6() {
		return ""
	}
	return prefix.Masked().String()
}

func isDNSLabel(s string) bool { return len(validation.IsDNS1123Label(s)) == 0 }

// isDNSNameOrWildcard says whether a certificate can be issued for a name.
func isDNSNameOrWildcard(s string) bool { return isDNSName(strings.TrimPrefix(s, "*.")) }

func isQualifiedName(s string) bool { return len(validation.IsQualifiedName(s)) == 0 }

// isDurationOrZero counts whole seconds, as the header of HSTS does.
func isDurationOrZero(s string) bool {
	d, err := time.ParseDuration(s)
	return err == nil && d >= 0 && d%time.Second == 0
}
