package config

import (
	"net"
	"net/url"
	"strings"
	"unicode"

	"k8s.io/apimachinery/pkg/util/validation"
)

// isDNSName says whether a name is one that clients outside the cluster can
// resolve and a certificate can be issued for.
func isDNSName(s string) bool {
	labels := strings.Split(s, ".")
	if len(labels) < 2 || len(s) > validation.DNS1123SubdomainMaxLength || net.ParseIP(s) != nil {
		return false
	}
	for _, label := range labels {
		if len(validation.IsDNS1123Label(label)) > 0 {
			return false
		}
	}
	return true
}

// isImageOrDigest is isImage for references that may have a digest instead of
// a tag.
func isImageOrDigest(s string) bool {
	repository, digest, hasDigest := strings.Cut(s, "@")
	if hasDigest && !strings.Contains(repository[strings.LastIndex(repository, "/")+1:], ":") {
		return sha256Digest.MatchString(digest) && strings.Contains(repository, "/") && isImageMirror(repository)
	}
	return isImage(s)
}

// splitImage returns the repository and the tag of an image.
func splitImage(image string) (repository, tag string) {
	reference, _, _ := strings.Cut(image, "@")
	colon := strings.LastIndex(reference, ":")
	if colon < strings.LastIndex(reference, "/") {
		return reference, ""
	}
	return reference[:colon], reference[colon+1:]
}

func isWebOrigin(s string) bool {
	if s == "+" {
		return true
	}
	u, err := url.Parse(s)
	return err == nil && isURL(s, "https", "http") && (u.Scheme == "https" || isLoopback(u.Hostname())) &&
		isHost(u.Hostname()) && u.Path == "" && u.RawQuery == "" && u.Fragment == "" && u.User == nil
}

// isPassword and isClientSecret ask for what chance gives and people rarely
// do. Keycloak keeps neither in a column of more than 255 characters.
func isPassword(s string) bool {
	return isVaried(s, 12, 6) && !strings.ContainsFunc(s, unicode.IsControl)
}

func isClientSecret(s string) bool {
	return isVaried(s, 24, 10) && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

func isVaried(s string, length, different int) bool {
	runes := []rune(s)
	seen := map[rune]bool{}
	for _, r := range runes {
		seen[r] = true
	}
	return len(runes) >= length && len(runes) <= 255 && len(seen) >= different
}
