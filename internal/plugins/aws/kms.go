package aws

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/google/uuid"

	"github.com/telekom/controlplane-infrastructure/internal/aws"
)

var aliasName = regexp.MustCompile(`^alias/[a-zA-Z0-9/_-]{1,250}$`)

var kmsKinds = map[string]kind{
	aws.Key: {
		service: "KMS", create: "CreateKey", remove: "ScheduleKeyDeletion",
		replaces:  []string{"customerMasterKeySpec", "customKeyStoreId", "keyUsage", "multiRegion", "xksKeyId"},
		computed:  []string{"arn", "keyId", "multiRegion", "policy", "rotationPeriodInDays", "tagsAll"},
		documents: map[string]form{"policy": keyDocument},
		defaults: values{
			"bypassPolicyLockoutSafetyCheck": false, "customerMasterKeySpec": "SYMMETRIC_DEFAULT",
			"enableKeyRotation": false, "isEnabled": true, "keyUsage": "ENCRYPT_DECRYPT",
		},
		id:      func(place, values) string { return uuid.NewString() },
		outputs: keyOutputs,
		check:   checkKey,
	},
	aws.KeyAlias: {
		service: "KMS", create: "CreateAlias", remove: "DeleteAlias",
		required: []string{"name", "targetKeyId"},
		replaces: []string{"name", "namePrefix"},
		computed: []string{"arn", "targetKeyArn"},
		taken:    &answer{400, "AlreadyExistsException", "An alias with this name already exists"},
		id:       func(_ place, in values) string { return text(in, "name") },
		outputs: func(s subject) values {
			return values{"arn": s.at.arn("kms", s.at.region, s.id), "targetKeyArn": keyARN(s.at, keyID(s.in))}
		},
		check: func(in values) map[string]string {
			name := text(in, "name")
			if name == "" || aliasName.MatchString(name) && !strings.HasPrefix(name, "alias/aws/") {
				return nil
			}
			return map[string]string{"name": fmt.Sprintf(
				"is %q; want alias/ and up to 250 letters, digits and characters of /_-, not alias/aws/", name)}
		},
		allow: func(s subject) *answer {
			if s.account.find(aws.Key, keyID(s.in)) != nil {
				return nil
			}
			return &answer{400, "NotFoundException", fmt.Sprintf("Key '%s' does not exist", text(s.in, "targetKeyId"))}
		},
	},
}

// keyID is the ID of an alias' key, which may be given by its ARN.
func keyID(in values) string {
	target := text(in, "targetKeyId")
	return target[strings.LastIndex(target, "/")+1:]
}

func keyARN(at place, id string) string { return at.arn("kms", at.region, "key/"+id) }

func keyOutputs(s subject) values {
	out := values{"arn": keyARN(s.at, s.id), "keyId": s.id, "tagsAll": tags(s.in), "multiRegion": false}
	if s.in["enableKeyRotation"] == true {
		out["rotationPeriodInDays"] = 365.0
	}
	// A key without a policy gets one that leaves permissions to the account's IAM.
	out["policy"] = fmt.Sprintf(`{"Id":"key-default-1","Statement":[{"Action":"kms:*","Effect":"Allow","Principal":`+
		`{"AWS":"%s"},"Resource":"*","Sid":"Enable IAM User Permissions"}],"Version":"2012-10-17"}`, s.at.arn("iam", "", "root"))
	for key := range out {
		if given, ok := s.in[key]; ok {
			out[key] = given
		}
	}
	return out
}

func checkKey(in values) map[string]string {
	found := map[string]string{
		"deletionWindowInDays": between(in, "deletionWindowInDays", 7, 30, "days"),
		"rotationPeriodInDays": between(in, "rotationPeriodInDays", 90, 2560, "days"),
		"keyUsage": oneOf(text(in, "keyUsage"), "ENCRYPT_DECRYPT", "SIGN_VERIFY", "GENERATE_VERIFY_MAC",
			"KEY_AGREEMENT"),
	}
	return problems(found)
}
