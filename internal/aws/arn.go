package aws

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// partitions are the parts of AWS that do not share accounts, by the prefix of their regions.
// Source: the partitions file of the AWS SDKs.
var partitions = []struct{ prefix, name, suffix string }{
	{"cn-", chinaPartition, "amazonaws.com.cn"},
	{"us-gov-", "aws-us-gov", "amazonaws.com"},
	{"eusc-", "aws-eusc", "amazonaws.eu"},
	{"", "aws", "amazonaws.com"},
}

const chinaPartition = "aws-cn"

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

// EndpointService returns the name of a service that a gateway endpoint of a VPC leads to. All partitions name them alike.
func EndpointService(service, region string) string { return "com.amazonaws." + region + "." + service }

// BucketARN returns the ARN of a bucket. Followed by a slash and a key, it is that of an object.
func BucketARN(region, bucket string) string {
	return fmt.Sprintf("arn:%s:s3:::%s", Partition(region), bucket)
}

// ManagedPolicyARN returns the ARN of a policy that AWS maintains, such as AmazonEKSClusterPolicy.
func ManagedPolicyARN(region, name string) string {
	return fmt.Sprintf("arn:%s:iam::aws:policy/%s", Partition(region), name)
}

// ServicePrincipal returns how a trust policy names a service. All partitions name them alike, except EC2 in China.
func ServicePrincipal(service, region string) string {
	if service == "ec2" && Partition(region) == chinaPartition {
		return "ec2.amazonaws.com.cn"
	}
	return service + ".amazonaws.com"
}

// AccountOf returns the account that an ARN names.
func AccountOf(arn string) (string, error) {
	if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 && parts[0] == "arn" && parts[4] != "" {
		return parts[4], nil
	}
	return "", fmt.Errorf("%q is no ARN with an account in it", arn)
}

// maxRoleName is how long AWS lets the name of a role be.
const maxRoleName = 64

// RoleName names a role for one use of something that has a unique name. A long one is cut, and told apart by its hash.
func RoleName(of, use string) string {
	name := of + "-" + use
	if len(name) <= maxRoleName {
		return name
	}
	sum := sha256.Sum256([]byte(of))
	end := "-" + hex.EncodeToString(sum[:4]) + "-" + use
	return of[:maxRoleName-len(end)] + end
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
