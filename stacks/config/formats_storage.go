package config

import (
	"regexp"
	"strings"
	"time"

	"github.com/robfig/cron"
)

var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$`)

// isBucketName follows the naming rules of Amazon S3 but for dots, which they
// allow and certificates for the names of buckets do not cover.
func isBucketName(s string) bool {
	if !bucketName.MatchString(s) {
		return false
	}
	for _, prefix := range []string{"xn--", "sthree-", "amzn-s3-demo-"} {
		if strings.HasPrefix(s, prefix) {
			return false
		}
	}
	for _, suffix := range []string{"-s3alias", "--ol-s3", "--x-s3", "--table-s3"} {
		if strings.HasSuffix(s, suffix) {
			return false
		}
	}
	return true
}

var objectPrefix = regexp.MustCompile(`^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*$`)

func isObjectPrefix(s string) bool {
	if !objectPrefix.MatchString(s) {
		return false
	}
	for _, part := range strings.Split(s, "/") {
		if part == "." || part == ".." {
			return false // some clients resolve them as a file system does
		}
	}
	return true
}

var imageTag = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$`)

// isImage says whether a reference names its registry, so that a mirror can
// take its place, and a tag that does not move with every release.
func isImage(s string) bool {
	reference, digest, hasDigest := strings.Cut(s, "@")
	if hasDigest && !sha256Digest.MatchString(digest) {
		return false
	}
	colon := strings.LastIndex(reference, ":")
	if colon < strings.LastIndex(reference, "/") || colon < 0 {
		return false
	}
	repository, tag := reference[:colon], reference[colon+1:]
	return strings.Contains(repository, "/") && isImageMirror(repository) && imageTag.MatchString(tag) && tag != "latest"
}

// isCronWithSeconds parses as CloudNativePG does, which would take five fields
// too, and then the minutes for the seconds, or a time zone for one of them.
func isCronWithSeconds(s string) bool {
	if len(strings.Fields(s)) != 6 || strings.Contains(s, "=") {
		return false
	}
	_, err := cron.Parse(s)
	return err == nil
}

func isTimestamp(s string) bool {
	_, err := time.Parse(time.RFC3339, s)
	return err == nil
}
