package config

import (
	"errors"
	"net"
	"net/mail"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"
)

// Format is a named check of a string.
type Format struct {
	// Name is what the schema calls the format.
	Name string
	// Allowed completes the sentence "must be ...".
	Allowed string
	// Pattern approximates the check in the schema, for editors, which do not
	// know the format; empty where no pattern comes close.
	Pattern string

	check func(string) bool
}

// Formats returns the formats that the schema may name.
func Formats() []Format { return formats }

var formats = []Format{
	{"go-duration", "a positive duration such as 720h or 30m", `^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$`, isDuration},
	{"duration-or-zero", "a duration of whole seconds such as 8760h, or 0s", `^([0-9]+(\.[0-9]+)?(s|m|h))+$`, isDurationOrZero},
	{"kubernetes-quantity", "an amount above zero such as 500m or 1Gi", "", isQuantity},
	{"label-value", "1 to 63 letters, digits, -, _ and ., with a letter or digit first and last", `^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$`,
		func(s string) bool { return s != "" && len(validation.IsValidLabelValue(s)) == 0 }},
	{"dns-subdomain", "a Kubernetes name of lower-case letters, digits, - and ., such as my-name", `^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`,
		func(s string) bool { return len(validation.IsDNS1123Subdomain(s)) == 0 }},
	{"dns-label", "1 to 63 lower-case letters, digits and -, with a letter or digit first and last", `^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`, isDNSLabel},
	{"qualified-name", "a name of up to 63 letters, digits, -, _ and . with an optional DNS name and / before it, such as service.k8s.aws/nlb", `^([a-z0-9.-]+/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$`, isQualifiedName},
	{"configmap-key", "a key of a ConfigMap: letters, digits, -, _ and ., such as ca.crt", `^[-._a-zA-Z0-9]{1,253}$`,
		func(s string) bool { return len(validation.IsConfigMapKey(s)) == 0 }},
	{"image-mirror", "host, optional port and optional path without a scheme, such as registry.example.com:5000/mirror", `^[A-Za-z0-9.\[\]:-]+(/[a-z0-9._-]+)*$`, isImageMirror},
	{"oci-digest", "an OCI reference with a digest, oci://host/repository@sha256:<64 hexadecimal digits>", `^oci://[^/@]+/[^@]+@sha256:[0-9a-f]{64}$`, isOCIDigest},
	{"semver", "an exact version such as 1.2.3 or v1.2.3", `^v?[0-9]+\.[0-9]+\.[0-9]+([-+].*)?$`,
		func(s string) bool { _, err := semver.StrictNewVersion(strings.TrimPrefix(s, "v")); return err == nil }},
	{"bare-version", "an exact version without v, such as 1.2.3", `^[0-9]+\.[0-9]+\.[0-9]+([-+].*)?$`,
		func(s string) bool { _, err := semver.StrictNewVersion(s); return err == nil }},
	{"http-url", "a URL that starts with https:// or http://", `^https?://[^/?#\s]+`, func(s string) bool { return isURL(s, "https", "http") }},
	{"https-url", "a URL that starts with https://", `^https://[^/?#\s]+`, func(s string) bool { return isURL(s, "https") }},
	// Secrets are URLs without a pattern, because the placeholder of an encrypted one would not match it.
	{"secret-http-url", "a URL that starts with https:// or http://", "", func(s string) bool { return isURL(s, "https", "http") }},
	{"secret-https-url", "a URL that starts with https://", "", func(s string) bool { return isURL(s, "https") }},
	{"email", "an e-mail address such as platform@example.com", `^[^@\s]+@[^@\s]+$`, isEmail},
	{"host-port", "host:port, such as 1.1.1.1:53", `^.+:[0-9]{1,5}$`, isHostPort},
	{"cidr", "a range of IPv4 or IPv6 addresses such as 10.0.0.0/8 or 2001:db8::/32, with no bits set behind its prefix", `^[0-9a-f.:]+/[0-9]{1,3}$`, isCIDR},
	{"aws-region", "an AWS region such as eu-central-1", `^[a-z]{2}(-[a-z]+)+-[0-9]$`, nil},
	{"route53-zone", "the ID of a hosted zone, such as Z0123456789ABCDEFGHIJ", `^Z[A-Z0-9]{1,31}$`, nil},
	{"iam-role-arn", "the ARN of an IAM role, such as arn:aws:iam::123456789012:role/name", `^arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]+$`, nil},
	{"kms-key-arn", "the ARN of a KMS key, such as arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab", `^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$`, nil},
	{"oidc-provider-arn", "the ARN of an IAM OIDC provider, such as arn:aws:iam::123456789012:oidc-provider/oidc.example.com/id", `^arn:aws[a-z-]*:iam::[0-9]{12}:oidc-provider/[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*(:[0-9]+)?(/[\w.~-]+)*$`, nil},
	{"bucket-name", "3 to 63 lower-case letters, digits and -, with a letter or digit first and last, and no prefix or suffix that Amazon S3 reserves", `^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$`, isBucketName},
	{"object-prefix", "a path without a slash first or last, such as backups/postgresql", `^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*$`, isObjectPrefix},
	{"image", "an image with its registry and a tag other than latest, such as docker.io/valkey/valkey:9.0.6", `^[A-Za-z0-9.\[\]:-]+(/[a-z0-9._-]+)+:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}(@sha256:[0-9a-f]{64})?$`, isImage},
	{"image-or-digest", "an image with its registry and a tag other than latest, or a digest, such as quay.io/keycloak/keycloak:26.7.3", `^[A-Za-z0-9.\[\]:-]+(/[a-z0-9._-]+)+(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}|@sha256:[0-9a-f]{64}|:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}@sha256:[0-9a-f]{64})$`, isImageOrDigest},
	{"dns-name", "a DNS name without scheme, port and path, such as iris.example.com", `^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)+$`, isDNSName},
	{"dns-name-or-wildcard", "a DNS name without scheme, port and path, such as app.example.com or *.apps.example.com", `^(\*\.)?[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)+$`, isDNSNameOrWildcard},
	{"keycloak-version", "a version of Keycloak, such as 26.7 or 26.7.3", `^[1-9][0-9]*\.[0-9]+(\.[0-9]+)?$`, nil},
	{"realm-name", "1 to 36 lower-case letters, digits, - and _, with a letter or digit first and last", `^[a-z0-9]([a-z0-9_-]{0,34}[a-z0-9])?$`, nil},
	{"keycloak-name", "1 to 128 letters, digits, ., -, _ and :, with a letter or digit first and last", `^[A-Za-z0-9]([A-Za-z0-9._:-]{0,126}[A-Za-z0-9])?$`, nil},
	{"user-name", "1 to 64 lower-case letters, digits, ., -, _ and @, with a letter or digit first", `^[a-z0-9][a-z0-9._@-]{0,63}$`, nil},
	{"password", "12 to 255 characters, at least 6 of them different", "", isPassword},
	{"client-secret", "24 to 255 characters of ASCII without spaces, at least 10 of them different", "", isClientSecret},
	{"web-origin", "+, or an origin such as https://app.example.com (http:// only on localhost)", `^(\+|https?://[^/?#*\s]+)$`, isWebOrigin},
	{"database-cluster-name", "1 to 40 lower-case letters, digits and -, with a letter first and a letter or digit last", `^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$`, nil},
	{"database-name", "1 to 63 lower-case letters, digits and _, with a letter first and a letter or digit last", `^[a-z]([a-z0-9_]{0,61}[a-z0-9])?$`, nil},
	{"cron-seconds", "a cron expression of six fields with the seconds first, such as 0 0 2 * * *", `^\S+( +\S+){5}$`, isCronWithSeconds},
	{"retention", "a number of days, weeks or months, such as 30d, 4w or 6m", `^[1-9][0-9]{0,4}[dwm]$`, nil},
	{"prometheus-duration", "a number of years, weeks, days, hours, minutes or seconds, such as 15d or 1w12h", `^([0-9]+y)?([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?$`, isPrometheusDuration},
	{"time-of-day", "a time of day in quotes, such as \"08:00\"", `^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$`, nil},
	{"time-zone", "a time zone of the IANA database, such as Europe/Berlin or UTC", `^[A-Za-z0-9_+/-]+$`, isTimeZone},
	{"host", "a host name or an IP address, without a port", `^[A-Za-z0-9.:-]+$`, isHost},
	{"endpoint", "host or host:port without a scheme, such as s3.eu-central-1.amazonaws.com", `^[A-Za-z0-9.:\[\]-]+$`, isEndpoint},
	{"ip-address", "an IPv4 or IPv6 address such as 10.0.0.11", `^[0-9A-Fa-f.:]+$`, isIPAddress},
	{"timestamp", "a time with its zone, such as 2026-11-02T09:30:00Z", `^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$`, isTimestamp},
	{"eks-name", "1 to 100 letters, digits, - and _, with a letter or digit first", `^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$`, nil},
	{"aws-zone", "an availability zone of AWS such as eu-central-1a", `^[a-z]{2}(-[a-z]+)+-[0-9][a-z]$`, nil},
	{"vpc-id", "the ID of a VPC such as vpc-0123456789abcdef0", `^vpc-([0-9a-f]{8}|[0-9a-f]{17})$`, nil},
	{"subnet-id", "the ID of a subnet such as subnet-0123456789abcdef0", `^subnet-([0-9a-f]{8}|[0-9a-f]{17})$`, nil},
	{"iam-principal-arn", "the ARN of an IAM role or user, such as arn:aws:iam::123456789012:role/name", `^arn:aws[a-z-]*:iam::[0-9]{12}:(role|user)/[\w+=,.@/-]+$`, nil},
	{"eks-addon-version", "a version of an add-on such as v1.21.1-eksbuild.1", `^v[0-9]+\.[0-9]+\.[0-9]+-eksbuild\.[0-9]+$`, nil},
	{"node-group-name", "1 to 20 lower-case letters, digits and -, with a letter first and a letter or digit last", `^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$`, nil},
	{"instance-type", "a type of EC2 instances such as m7i.xlarge", `^[a-z][a-z0-9-]*\.[a-z0-9-]+$`, nil},
	{"rds-version", "a major version of PostgreSQL from 14 on, such as \"18\", or a minor one such as \"18.1\", in quotes", `^(1[4-9]|[2-9][0-9])(\.[0-9]{1,2})?$`, nil},
	{"rds-class", "a class of RDS instances such as db.m7g.large", `^db\.[a-z0-9-]+\.[a-z0-9-]+$`, nil},
	{"valkey-version", "a version of Valkey such as \"8.1\", in quotes", `^([7-9]|[1-9][0-9])\.[0-9]{1,2}$`, nil},
	{"cache-node-type", "a type of ElastiCache nodes such as cache.t4g.small", `^cache\.[a-z0-9-]+\.[a-z0-9-]+$`, nil},
	{"daily-window", "a time span of each day in quotes, such as \"02:00-03:00\"", `^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$`, nil},
	{"weekly-window", "a time span of each week such as sun:03:30-sun:04:30", `^(mon|tue|wed|thu|fri|sat|sun):([01][0-9]|2[0-3]):[0-5][0-9]-(mon|tue|wed|thu|fri|sat|sun):([01][0-9]|2[0-3]):[0-5][0-9]$`, nil},
	{"pem-certificate", "one or more certificates in PEM (-----BEGIN CERTIFICATE-----)", "^\\s*-----BEGIN CERTIFICATE-----", isPEMCertificate},
	{"pem-private-key", "an unencrypted private key in PEM (-----BEGIN PRIVATE KEY-----)", "", isPEMPrivateKey},
}

var errFormat = errors.New("does not have the format")

// validate returns the format's check as the schema library wants it: of any
// value, of which only strings are checked.
func (f Format) validate() func(any) error {
	check := f.check
	if check == nil {
		pattern := regexp.MustCompile(f.Pattern)
		check = pattern.MatchString
	}
	return func(value any) error {
		if text, ok := value.(string); ok && text != encrypted && !check(text) {
			return errFormat
		}
		return nil
	}
}

func isDuration(s string) bool {
	d, err := time.ParseDuration(s)
	return err == nil && d > 0
}

func isQuantity(s string) bool {
	q, err := resource.ParseQuantity(s)
	return err == nil && q.Sign() > 0
}

func isURL(s string, schemes ...string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" || strings.ContainsAny(s, " \t\r\n") {
		return false
	}
	for _, scheme := range schemes {
		if u.Scheme == scheme {
			return true
		}
	}
	return false
}

func isEmail(s string) bool {
	address, err := mail.ParseAddress(s)
	return err == nil && address.Address == s
}

func isHost(host string) bool {
	return net.ParseIP(host) != nil || len(validation.IsDNS1123Subdomain(strings.ToLower(host))) == 0
}

func isHostPort(s string) bool {
	host, port, err := net.SplitHostPort(s)
	if err != nil || !isHost(host) {
		return false
	}
	n, err := strconv.Atoi(port)
	return err == nil && n > 0 && n < 65536
}

var repositoryPath = regexp.MustCompile(`^[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*$`)

func isImageMirror(s string) bool {
	host, path, hasPath := strings.Cut(s, "/")
	if hasPath && !repositoryPath.MatchString(path) {
		return false
	}
	if strings.Contains(host, ":") {
		return isHostPort(host)
	}
	// A bare word is a path on Docker Hub to every runtime, not a host.
	return isHost(host) && (strings.Contains(host, ".") || host == "localhost")
}

var sha256Digest = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

func isOCIDigest(s string) bool {
	rest, ok := strings.CutPrefix(s, "oci://")
	if !ok {
		return false
	}
	repository, digest, _ := strings.Cut(rest, "@")
	host, path, _ := strings.Cut(repository, "/")
	// A tag beside the digest is allowed and means nothing.
	path, _, _ = strings.Cut(path, ":")
	validHost := isHost(host)
	if strings.Contains(host, ":") {
		validHost = isHostPort(host)
	}
	return validHost && repositoryPath.MatchString(path) && sha256Digest.MatchString(digest)
}

func isPEMCertificate(s string) bool {
	certificates, err := parseCertificates(s)
	return err == nil && len(certificates) > 0
}

func isPEMPrivateKey(s string) bool {
	_, err := parsePrivateKey(s)
	return err == nil
}
