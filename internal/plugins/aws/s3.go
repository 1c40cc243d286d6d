package aws

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/telekom/controlplane-infrastructure/internal/aws"
)

// expectedOwner is an input of some settings: the account that the bucket must belong to.
const expectedOwner = "expectedBucketOwner"

var (
	bucketForm     = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	bucketPrefixes = []string{"xn--", "sthree-", "amzn-s3-demo-"}
	bucketSuffixes = []string{"-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"}
)

// s3Kinds: what a change replaces is marked "forces new resource" in the reference of the Terraform provider that the
// published plugin is made from.
var s3Kinds = map[string]kind{
	aws.Bucket: {
		service: "S3", create: "CreateBucket", remove: "DeleteBucket",
		name: "bucket", maxName: 63,
		replaces: []string{"bucket", "bucketPrefix", "objectLockEnabled"},
		defaults: values{"forceDestroy": false},
		computed: []string{"arn", "bucketDomainName", "bucketRegionalDomainName", "region", "tagsAll"},
		taken: &answer{409, "BucketAlreadyOwnedByYou",
			"Your previous request to create the named bucket succeeded and you already own it."},
		id:      func(_ place, in values) string { return text(in, "bucket") },
		outputs: bucketOutputs,
		check:   func(in values) map[string]string { return problems(map[string]string{"bucket": bucketName(in)}) },
		free:    emptyBucket,
	},
	aws.BucketVersioning: setting(kind{
		replaces: []string{expectedOwner},
		create:   "PutBucketVersioning", remove: "PutBucketVersioning",
		required: []string{"versioningConfiguration"},
		check: func(in values) map[string]string {
			status := text(object(in["versioningConfiguration"]), "status")
			return problems(map[string]string{
				"versioningConfiguration": oneOf(status, "Enabled", "Suspended", "Disabled"),
			})
		},
	}),
	aws.BucketEncryption: setting(kind{
		replaces: []string{expectedOwner},
		create:   "PutBucketEncryption", remove: "DeleteBucketEncryption",
		required: []string{"rules"}, check: checkEncryption,
	}),
	aws.BucketPublicAccessBlock: setting(kind{
		create: "PutPublicAccessBlock", remove: "DeletePublicAccessBlock",
		defaults: values{
			"blockPublicAcls": false, "blockPublicPolicy": false, "ignorePublicAcls": false, "restrictPublicBuckets": false,
		},
	}),
	aws.BucketOwnershipControls: setting(kind{
		create: "PutBucketOwnershipControls", remove: "DeleteBucketOwnershipControls",
		required: []string{"rule"},
		check: func(in values) map[string]string {
			return problems(map[string]string{"rule": oneOf(text(object(in["rule"]), "objectOwnership"),
				"BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter")})
		},
	}),
	aws.BucketPolicy: setting(kind{
		create: "PutBucketPolicy", remove: "DeleteBucketPolicy",
		required: []string{"policy"}, documents: map[string]form{"policy": bucketDocument}, allow: notPublic,
	}),
	aws.BucketLifecycle: setting(kind{
		replaces: []string{expectedOwner},
		create:   "PutBucketLifecycleConfiguration", remove: "DeleteBucketLifecycle",
		required: []string{"rules"}, check: checkLifecycle,
	}),
	aws.BucketLogging: setting(kind{
		replaces: []string{expectedOwner},
		create:   "PutBucketLogging", remove: "PutBucketLogging",
		required: []string{"targetBucket", "targetPrefix"},
	}),
}

// setting is one of the settings of a bucket, which is made over what the bucket had before.
func setting(k kind) kind {
	k.service = "S3"
	k.required = append([]string{"bucket"}, k.required...)
	k.replaces = append([]string{"bucket"}, k.replaces...)
	k.partOf = &owner{token: aws.Bucket, input: "bucket", missing: answer{404, "NoSuchBucket", "The specified bucket does not exist"}}
	k.id = func(_ place, in values) string {
		if account := text(in, expectedOwner); account != "" {
			return text(in, "bucket") + "," + account
		}
		return text(in, "bucket")
	}
	return k
}

func bucketOutputs(s subject) values {
	// The host names of the whole world and of a region differ in the region alone.
	regional := aws.Endpoint("s3", s.at.region)
	return values{
		"arn": aws.BucketARN(s.at.region, s.id), "region": s.at.region, "tagsAll": tags(s.in),
		"bucketRegionalDomainName": s.id + "." + regional,
		"bucketDomainName":         s.id + "." + strings.Replace(regional, "."+s.at.region, "", 1),
	}
}

// bucketName is what is wrong with a bucket's name.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
func bucketName(in values) string {
	name := text(in, "bucket")
	has := func(test func(string, string) bool) func(string) bool {
		return func(reserved string) bool { return test(name, reserved) }
	}
	_, notIP := netip.ParseAddr(name)
	switch {
	case name == "":
		return ""
	case !bucketForm.MatchString(name), strings.Contains(name, ".."):
		return fmt.Sprintf("is %q; want 3 to 63 lower-case letters, digits, hyphens and single dots, with a letter or a "+
			"digit at both ends", name)
	case notIP == nil:
		return fmt.Sprintf("is %q; it must not look like an IP address", name)
	case slices.ContainsFunc(bucketPrefixes, has(strings.HasPrefix)), slices.ContainsFunc(bucketSuffixes, has(strings.HasSuffix)):
		return fmt.Sprintf("is %q; AWS keeps names that begin with %q or end with %q for itself",
			name, bucketPrefixes, bucketSuffixes)
	}
	return ""
}

func emptyBucket(s subject) *answer {
	if len(s.contents) == 0 || s.in["forceDestroy"] == true {
		return nil
	}
	return &answer{409, "BucketNotEmpty", "The bucket you tried to delete is not empty. You must delete all versions in the bucket."}
}

func checkEncryption(in values) map[string]string {
	for _, rule := range list(in["rules"]) {
		byDefault := object(object(rule)["applyServerSideEncryptionByDefault"])
		algorithm := text(byDefault, "sseAlgorithm")
		if problem := oneOf(algorithm, "AES256", "aws:kms", "aws:kms:dsse"); problem != "" {
			return map[string]string{"rules": "sseAlgorithm " + problem}
		}
		if text(byDefault, "kmsMasterKeyId") != "" && algorithm == "AES256" {
			return map[string]string{"rules": "kmsMasterKeyId needs the sseAlgorithm aws:kms"}
		}
	}
	return nil
}

func checkLifecycle(in values) map[string]string {
	seen := map[string]bool{}
	for _, each := range list(in["rules"]) {
		rule := object(each)
		id := text(rule, "id")
		if id == "" || len(id) > 255 || seen[id] {
			return map[string]string{"rules": fmt.Sprintf("id is %q; each rule needs one of its own, up to 255 characters", id)}
		}
		seen[id] = true
		if problem := oneOf(text(rule, "status"), "Enabled", "Disabled"); problem != "" {
			return map[string]string{"rules": id + ": status " + problem}
		}
		for part, key := range map[string]string{
			"noncurrentVersionExpiration": "noncurrentDays", "abortIncompleteMultipartUpload": "daysAfterInitiation",
		} {
			if days, given := object(rule[part])[key].(float64); given && days < 1 {
				return map[string]string{"rules": fmt.Sprintf("%s: %s is %v; want at least 1", id, key, days)}
			}
		}
	}
	return nil
}

// notPublic refuses a policy for everybody where public policies are blocked.
func notPublic(s subject) *answer {
	if s.account.one(aws.BucketPublicAccessBlock, text(s.in, "bucket")).in["blockPublicPolicy"] != true {
		return nil
	}
	document, err := parse(text(s.in, "policy"))
	if err != nil {
		return &answer{400, "MalformedPolicy", err.Error()}
	}
	for _, s := range document.Statement {
		if s.Effect == "Allow" && len(s.Condition) == 0 && s.Principal.anyone() {
			return &answer{403, "AccessDenied", "public policies are prevented by the BlockPublicPolicy setting in S3 " +
				"Block Public Access"}
		}
	}
	return nil
}

func object(v any) values {
	o, _ := v.(values)
	return o
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}
