package aws

import (
	"fmt"
	"strings"
)

// partitions are the parts of AWS that do not share accounts, by the prefix of their regions.
// Source: the partitions file of the AWS SDKs.
var partitions = []struct{ prefix, name, suffix string }{
	{"cn-", "aws-cn", "amazonaws.com.cn"},
	{"us-gov-", "aws-us-gov", "amazonaws.com"},
	{"eusc-", "aws-eusc", "amazonaws.eu"},
	{"", "aws", "amazonaws.com"},
}

// Partition returns the partition that a region belongs to, as ARNs name it, such as aws or aws-cn.
func Partition(region string) string {
	name, _ := partition(region)
	return name
}

func partition(region string) (name, suffix string) {
	for _, p := range partitions {
		if strings.HasPrefix(region, p.prefix) {
			return p.name, p.suffix
		}
	}
	return "", ""
}

// Endpoint returns the host name of a service in a region.
func Endpoint(service, region string) string {
	_, suffix := partition(region)
	return service + "." + region + "." + suffix
}

// BucketARN returns the ARN of a bucket. Followed by a slash and a key, it is that of an object.
func BucketARN(region, bucket string) string {
	return fmt.Sprintf("arn:%s:s3:::%s", Partition(region), bucket)
}

// OIDCIssuer returns the issuer that an IAM OIDC provider's ARN stands for, without its scheme: the prefix of the
// condition keys of its tokens.
func OIDCIssuer(providerARN string) (string, error) {
	parts := strings.SplitN(providerARN, ":", 6)
	if len(parts) == 6 && parts[0] == "arn" && parts[2] == "iam" {
		if issuer, found := strings.CutPrefix(parts[5], "oidc-provider/"); found && issuer != "" {
			return issuer, nil
		}
	}
	return "", fmt.Errorf("%q must be the ARN of an IAM OIDC provider, such as "+
		"arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLE", providerARN)
}
