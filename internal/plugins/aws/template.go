package aws

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"

	"github.com/telekom/controlplane-infrastructure/internal/aws"
)

var (
	templateName = regexp.MustCompile(`^[a-zA-Z0-9().\-/_]{3,128}$`)
	// unversioned are the inputs of a launch template that are not in a version of it.
	unversioned = []string{"defaultVersion", "name", "namePrefix", "tags", "updateDefaultVersion"}
)

// templateKinds: sources as of networkKinds. A change makes another version of a launch template; the published plugin
// does not know its number before, whatever has changed but a name or the description.
var templateKinds = map[string]kind{
	aws.LaunchTemplate: {
		service: "EC2", create: "CreateLaunchTemplate", update: "CreateLaunchTemplateVersion", remove: "DeleteLaunchTemplate",
		name: "name", maxName: 128, prefix: "namePrefix",
		replaces: []string{"name", "namePrefix"},
		sets:     []string{"securityGroupNames", "vpcSecurityGroupIds"},
		computed: []string{"arn", "defaultVersion", "latestVersion", "name", "tagsAll"},
		id:       func(place, values) string { return random("lt") },
		settle:   templateVersions,
		unsettles: func(changed []string, in values) []string {
			stays := []string{"name", "namePrefix", "description", "defaultVersion", "updateDefaultVersion"}
			changed = slices.DeleteFunc(changed, func(key string) bool { return slices.Contains(stays, key) })
			switch {
			case len(changed) == 0:
				return nil
			case in["updateDefaultVersion"] == true:
				return []string{"latestVersion", "defaultVersion"}
			}
			return []string{"latestVersion"}
		},
		outputs: func(s subject) values {
			return values{"arn": s.at.arn("ec2", s.at.region, "launch-template/"+s.id), "name": text(s.in, "name"), "tagsAll": tags(s.in)}
		},
		check: checkTemplate,
		allow: func(s subject) *answer {
			for _, other := range s.account.all(aws.LaunchTemplate) {
				if other.id != s.id && text(other.in, "name") == text(s.in, "name") {
					return &answer{400, "InvalidLaunchTemplateName.AlreadyExistsException", "Launch template name already in use."}
				}
			}
			return nil
		},
	},
}

func templateVersions(s subject) values {
	latest, usual := 1.0, 1.0
	if s.was != nil {
		latest, _ = s.was["latestVersion"].(float64)
		usual, _ = s.was["defaultVersion"].(float64)
		if !reflect.DeepEqual(contentOf(s.was), contentOf(s.in)) {
			latest++
		}
	}
	if given, ok := s.in["defaultVersion"].(float64); ok {
		usual = given
	}
	if s.in["updateDefaultVersion"] == true {
		usual = latest
	}
	return values{"latestVersion": latest, "defaultVersion": usual}
}

func contentOf(in values) values {
	out := values{}
	for key, v := range in {
		if key != "latestVersion" && !slices.Contains(unversioned, key) {
			out[key] = v
		}
	}
	return out
}

func checkTemplate(in values) map[string]string {
	metadata := object(in["metadataOptions"])
	found := map[string]string{}
	if name := text(in, "name"); name != "" && !templateName.MatchString(name) {
		found["name"] = fmt.Sprintf("is %q; want 3 to 128 letters, digits and characters of ().-/_", name)
	}
	for key, problem := range map[string]string{
		"httpTokens":              oneOf(text(metadata, "httpTokens"), "optional", "required"),
		"httpEndpoint":            oneOf(text(metadata, "httpEndpoint"), "enabled", "disabled"),
		"instanceMetadataTags":    oneOf(text(metadata, "instanceMetadataTags"), "enabled", "disabled"),
		"httpPutResponseHopLimit": between(metadata, "httpPutResponseHopLimit", 1, 64, "hops"),
	} {
		if problem != "" {
			found["metadataOptions"] = key + " " + problem
		}
	}
	seen := map[string]bool{}
	for _, each := range list(in["blockDeviceMappings"]) {
		device, volume := text(object(each), "deviceName"), object(object(each)["ebs"])
		problem := oneOf(text(volume, "volumeType"), "standard", "io1", "io2", "gp2", "gp3", "sc1", "st1")
		if seen[device] {
			found["blockDeviceMappings"] = fmt.Sprintf("deviceName %q is there twice", device)
		}
		seen[device] = true
		switch {
		case problem != "":
			found["blockDeviceMappings"] = "volumeType " + problem
		case text(volume, "kmsKeyId") != "" && text(volume, "encrypted") != "true":
			found["blockDeviceMappings"] = device + ": kmsKeyId needs encrypted"
		}
	}
	return found
}
