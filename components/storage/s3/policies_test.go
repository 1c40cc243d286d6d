package s3

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/internal/aws/policytest"
)

func decide(t *testing.T, document string, r policytest.Request) policytest.Decision {
	t.Helper()
	decision, err := policytest.Decide(document, r)
	require.NoError(t, err)
	return decision
}

// token is a request for a role with a service account token.
func token(provider, issuer, subject, audience string) policytest.Request {
	return policytest.Request{
		PrincipalSort: "Federated", Principal: provider, Action: "sts:AssumeRoleWithWebIdentity",
		Context: map[string]string{issuer + ":sub": subject, issuer + ":aud": audience},
	}
}

func TestOnlyTheNamedAccountsAssumeTheRoles(t *testing.T) {
	t.Parallel()
	r := run(t, everything())
	const otherIssuer = "oidc.eks.eu-central-1.amazonaws.com/id/FEDCBA9876543210"
	const otherProvider = "arn:aws:iam::123456789012:oidc-provider/" + otherIssuer
	for role, subject := range map[string]string{"file-manager": fileManager, "backup": database} {
		trust := r.input(t, role, "assumeRolePolicy")
		assert.Equal(t, policytest.Allowed, decide(t, trust, token(oidcProvider, issuer, subject, "sts.amazonaws.com")))
		for name, wrong := range map[string]policytest.Request{
			"another namespace":          token(oidcProvider, issuer, "system:serviceaccount:default:file-manager", "sts.amazonaws.com"),
			"another account":            token(oidcProvider, issuer, "system:serviceaccount:controlplane-system:default", "sts.amazonaws.com"),
			"a longer name":              token(oidcProvider, issuer, subject+"-x", "sts.amazonaws.com"),
			"another audience":           token(oidcProvider, issuer, subject, "https://kubernetes.default.svc"),
			"another issuer":             token(otherProvider, otherIssuer, subject, "sts.amazonaws.com"),
			"claims of another issuer":   token(oidcProvider, otherIssuer, subject, "sts.amazonaws.com"),
			"no claims at all":           {PrincipalSort: "Federated", Principal: oidcProvider, Action: "sts:AssumeRoleWithWebIdentity"},
			"a user instead of a token":  {PrincipalSort: "AWS", Principal: "arn:aws:iam::123456789012:root", Action: "sts:AssumeRole"},
			"an upper-case name":         token(oidcProvider, issuer, "SYSTEM:"+subject[7:], "sts.amazonaws.com"),
			"the pattern of any account": token(oidcProvider, issuer, "system:serviceaccount:*:*", "sts.amazonaws.com"),
		} {
			assert.Equal(t, policytest.Silent, decide(t, trust, wrong), "%s: %s", role, name)
		}
	}
}

func TestRolesDoWhatTheyNeedAndNoMore(t *testing.T) {
	t.Parallel()
	r := run(t, everything())
	const files, backups = "arn:aws:s3:::controlplane-files-test", "arn:aws:s3:::controlplane-backups-test"
	const key, otherKey = "arn:aws:test:::key", "arn:aws:test:::other-key"
	type grants map[string][]string
	for role, c := range map[string]struct{ allowed, refused grants }{
		"file-manager": {
			grants{
				files + "/a/b": {"s3:PutObject", "s3:GetObject", "s3:DeleteObject"},
				key:            {"kms:GenerateDataKey", "kms:Decrypt"},
			},
			grants{
				files:               {"s3:DeleteBucket", "s3:PutBucketPolicy", "s3:ListBucket", "s3:PutObject"},
				files + "/a":        {"s3:DeleteObjectVersion", "s3:PutObjectAcl", "s3:BypassGovernanceRetention"},
				files + "-other/a":  {"s3:PutObject", "s3:GetObject", "s3:DeleteObject"},
				backups + "/a":      {"s3:PutObject", "s3:GetObject", "s3:DeleteObject"},
				key:                 {"kms:ScheduleKeyDeletion", "kms:PutKeyPolicy", "kms:CreateGrant"},
				otherKey:            {"kms:GenerateDataKey", "kms:Decrypt"},
				"arn:aws:iam::1:r":  {"iam:PassRole", "sts:AssumeRole"},
				"arn:aws:s3:::logs": {"s3:PutObject"},
			},
		},
		"backup": {
			grants{
				backups + "/base/1": {"s3:PutObject", "s3:GetObject", "s3:DeleteObject", "s3:AbortMultipartUpload"},
				backups:             {"s3:ListBucket"},
				key:                 {"kms:GenerateDataKey", "kms:Decrypt"},
			},
			grants{
				files:       {"s3:ListBucket"},
				files + "/": {"s3:GetObject", "s3:PutObject"},
				backups:     {"s3:DeleteBucket", "s3:PutLifecycleConfiguration", "s3:PutBucketVersioning"},
				backups + "/base/1": {
					"s3:DeleteObjectVersion", // what a backup deletes can be brought back
				},
				otherKey: {"kms:Decrypt"},
			},
		},
	} {
		document := r.input(t, role+"-permissions", "policy")
		for want, set := range map[policytest.Decision]grants{policytest.Allowed: c.allowed, policytest.Silent: c.refused} {
			for arn, actions := range set {
				for _, action := range actions {
					assert.Equal(t, want, decide(t, document, policytest.Request{Action: action, Resource: arn}),
						"%s: %s on %s", role, action, arn)
				}
			}
		}
	}
}

func TestBucketsRefuseWhatIsNotEncrypted(t *testing.T) {
	t.Parallel()
	r := run(t, everything())
	for logical, name := range map[string]string{"files": "controlplane-files-test", "backups": "controlplane-backups-test"} {
		document := r.input(t, logical+"-policy", "policy")
		request := func(action, tls, version, encryption string) policytest.Decision {
			context := map[string]string{"aws:SecureTransport": tls, "s3:TlsVersion": version}
			if version == "" {
				delete(context, "s3:TlsVersion")
			}
			if encryption != "" {
				context["s3:x-amz-server-side-encryption"] = encryption
			}
			arn := "arn:aws:s3:::" + name
			if action != "s3:ListBucket" {
				arn += "/key"
			}
			return decide(t, document, policytest.Request{
				PrincipalSort: "AWS", Principal: "arn:aws:iam::123456789012:root", Action: action, Resource: arn, Context: context,
			})
		}
		assert.Equal(t, policytest.Silent, request("s3:PutObject", "true", "1.3", ""), "the bucket's default encrypts")
		assert.Equal(t, policytest.Silent, request("s3:PutObject", "true", "1.2", "aws:kms"))
		assert.Equal(t, policytest.Silent, request("s3:GetObject", "true", "1.3", ""))
		assert.Equal(t, policytest.Denied, request("s3:GetObject", "false", "", ""), "plain HTTP")
		assert.Equal(t, policytest.Denied, request("s3:PutObject", "false", "", ""), "plain HTTP")
		assert.Equal(t, policytest.Denied, request("s3:ListBucket", "false", "", ""), "plain HTTP")
		assert.Equal(t, policytest.Denied, request("s3:GetObject", "true", "1.1", ""), "TLS 1.1")
		assert.Equal(t, policytest.Denied, request("s3:PutObject", "true", "1.3", "AES256"), "another encryption")
	}
}
