package aws

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"regexp"
	"strings"

	"github.com/telekom/controlplane-infrastructure/internal/aws"
)

// managedPolicy is a type that the program does not register: whoever is simulated may have some.
const managedPolicy = "aws:iam/policy:Policy"

var (
	iamName = regexp.MustCompile(`^[\w+=,.@-]+$`)
	iamPath = regexp.MustCompile(`^/([\x21-\x7e]+/)*$`)
	ofRole  = owner{
		token: aws.Role, input: "role", missing: answer{404, "NoSuchEntity", "The role cannot be found."},
		keeps: &answer{409, "DeleteConflict", "Cannot delete entity, must delete policies first."},
	}
	taken = &answer{409, "EntityAlreadyExists", "One with this name already exists."}
)

// iamKinds are global: their ARNs name no region.
var iamKinds = map[string]kind{
	aws.Role: {
		service: "IAM", create: "CreateRole", remove: "DeleteRole",
		name: "name", maxName: 64, prefix: "namePrefix",
		required:  []string{"assumeRolePolicy"},
		replaces:  []string{"name", "namePrefix", "path"},
		computed:  []string{"arn", "uniqueId", "tagsAll"},
		defaults:  values{"path": "/", "maxSessionDuration": 3600.0, "forceDetachPolicies": false},
		documents: map[string]form{"assumeRolePolicy": trustDocument},
		taken:     taken,
		id:        func(_ place, in values) string { return text(in, "name") },
		outputs: func(s subject) values {
			return values{
				"arn":      s.at.arn("iam", "", "role"+text(s.in, "path")+s.id),
				"uniqueId": uniqueID("AROA", s.at.account, s.id), "tagsAll": tags(s.in),
			}
		},
		// What a node group makes of its role is an instance profile.
		inUse: answer{409, "DeleteConflict", "Cannot delete entity %s, must remove roles from instance profile first."},
		check: func(in values) map[string]string {
			return problems(map[string]string{
				"name": nameProblem(in, 64), "path": pathProblem(in),
				"maxSessionDuration": between(in, "maxSessionDuration", 3600, 43200, "seconds"),
			})
		},
	},
	aws.RolePolicy: {
		service: "IAM", create: "PutRolePolicy", remove: "DeleteRolePolicy",
		name: "name", maxName: 128, prefix: "namePrefix",
		required:  []string{"role", "policy"},
		replaces:  []string{"name", "namePrefix", "role"},
		documents: map[string]form{"policy": inlineDocument},
		partOf:    &ofRole,
		id:        func(_ place, in values) string { return text(in, "role") + ":" + text(in, "name") },
		check: func(in values) map[string]string {
			return problems(map[string]string{"name": nameProblem(in, 128)})
		},
	},
	managedPolicy: {
		service: "IAM", create: "CreatePolicy", remove: "DeletePolicy",
		name: "name", maxName: 128, prefix: "namePrefix",
		required:  []string{"policy"},
		replaces:  []string{"description", "name", "namePrefix", "path"},
		computed:  []string{"arn", "policyId", "tagsAll"},
		defaults:  values{"path": "/"},
		documents: map[string]form{"policy": identityDocument},
		taken:     taken,
		id:        policyARN,
		outputs: func(s subject) values {
			return values{"arn": s.id, "policyId": uniqueID("ANPA", s.at.account, s.id), "tagsAll": tags(s.in)}
		},
		check: func(in values) map[string]string {
			return problems(map[string]string{"name": nameProblem(in, 128), "path": pathProblem(in)})
		},
		free: func(s subject) *answer {
			for _, attached := range s.account.all(aws.PolicyAttachment) {
				if text(attached.in, "policyArn") == s.id {
					return &answer{409, "DeleteConflict", "Cannot delete a policy attached to entities."}
				}
			}
			return nil
		},
	},
	aws.PolicyAttachment: {
		service: "IAM", create: "AttachRolePolicy", remove: "DetachRolePolicy",
		required: []string{"role", "policyArn"},
		replaces: []string{"role", "policyArn"},
		partOf: &owner{
			token: ofRole.token, input: ofRole.input, missing: ofRole.missing,
			keeps: &answer{409, "DeleteConflict", "Cannot delete entity, must detach all policies first."},
		},
		id: func(_ place, in values) string { return text(in, "role") + "-" + text(in, "policyArn") },
		allow: func(s subject) *answer {
			arn := text(s.in, "policyArn")
			if strings.Contains(arn, ":iam::aws:policy/") || s.account.find(managedPolicy, arn) != nil {
				return nil
			}
			return &answer{404, "NoSuchEntity", "Policy " + arn + " does not exist or is not attachable."}
		},
	},
}

func policyARN(at place, in values) string {
	return at.arn("iam", "", "policy"+text(in, "path")+text(in, "name"))
}

func nameProblem(in values, most int) string {
	if name := text(in, "name"); name != "" && (len(name) > most || !iamName.MatchString(name)) {
		return fmt.Sprintf("is %q; want up to %d letters, digits and characters of +=,.@-_", name, most)
	}
	return ""
}

func pathProblem(in values) string {
	if path := text(in, "path"); path != "" && !iamPath.MatchString(path) {
		return fmt.Sprintf("is %q; it must begin and end with a slash", path)
	}
	return ""
}

// uniqueID looks like the ID that AWS gives an entity beside its name.
func uniqueID(prefix, account, id string) string {
	sum := sha256.Sum256([]byte(account + "/" + id))
	return prefix + base32.StdEncoding.EncodeToString(sum[:])[:17]
}
