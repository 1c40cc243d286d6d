package aws

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/google/uuid"
	"sigs.k8s.io/yaml"

	"github.com/telekom/controlplane-infrastructure/internal/aws"
)

var (
	// addOns are the add-ons of AWS that this account knows, with a build of each.
	addOns = map[string]string{
		"vpc-cni": "v1.20.4-eksbuild.2", "coredns": "v1.12.4-eksbuild.1", "kube-proxy": "v1.35.0-eksbuild.2",
		"eks-pod-identity-agent": "v1.3.9-eksbuild.5", "aws-ebs-csi-driver": "v1.53.0-eksbuild.1",
		"metrics-server": "v0.8.0-eksbuild.5", "snapshot-controller": "v8.3.0-eksbuild.1",
		"eks-node-monitoring-agent": "v1.4.2-eksbuild.1", "aws-efs-csi-driver": "v2.1.13-eksbuild.1",
		"kube-state-metrics": "v2.17.0-eksbuild.4", "prometheus-node-exporter": "v1.10.2-eksbuild.2",
	}
	// onNodes are those with a Deployment, which are not healthy before there are nodes.
	onNodes = []string{
		"coredns", "aws-ebs-csi-driver", "aws-efs-csi-driver", "metrics-server", "snapshot-controller", "kube-state-metrics",
	}
	addOnVersion = regexp.MustCompile(`^v\d+\.\d+\.\d+-eksbuild\.\d+$`)
	entryTypes   = []string{"STANDARD", "EC2_LINUX", "EC2_WINDOWS", "FARGATE_LINUX", "EC2", "HYBRID_LINUX", "HYPERPOD_LINUX"}
	// accessPolicies are those that grant something in Kubernetes.
	// Source: https://docs.aws.amazon.com/eks/latest/userguide/access-policy-permissions.html
	accessPolicies = []string{
		"AmazonEKSAdminPolicy", "AmazonEKSClusterAdminPolicy", "AmazonEKSAdminViewPolicy", "AmazonEKSEditPolicy",
		"AmazonEKSViewPolicy", "AmazonEKSSecretReaderPolicy",
	}
	podsMayAssume = answer{400, "InvalidParameterException", `Trust policy of the role is invalid for EKS Pod Identity: it ` +
		`must let pods.eks.amazonaws.com do sts:AssumeRole and sts:TagSession`}
	noPodRole = answer{400, "InvalidParameterException", "Role provided in the request does not exist: %s"}
)

// eksAccessKinds: sources as of eksKinds.
var eksAccessKinds = map[string]kind{
	aws.AddOn: {
		service: "EKS", create: "CreateAddon", update: "UpdateAddon", remove: "DeleteAddon",
		required: []string{"addonName", "clusterName"},
		replaces: []string{"addonName", "clusterName"},
		sets:     []string{"podIdentityAssociations"},
		computed: []string{"addonVersion", "arn", "configurationValues", "createdAt", "modifiedAt", "tagsAll"},
		partOf:   &ofCluster,
		refers: []reference{
			assumes("podIdentityAssociations.roleArn", "pods.eks.amazonaws.com", noPodRole, podsMayAssume, "sts:TagSession"),
			{path: "serviceAccountRoleArn", token: aws.Role, byARN: true, absent: noPodRole},
		},
		taken:  &answer{409, "ResourceInUseException", "Addon already exists."},
		id:     func(_ place, in values) string { return text(in, "clusterName") + ":" + text(in, "addonName") },
		settle: madeAt,
		outputs: func(s subject) values {
			return mergeValues(
				values{"addonVersion": addOns[text(s.in, "addonName")], "configurationValues": ""},
				given(s.in, "addonVersion", "configurationValues"),
				values{
					"arn":     s.at.arn("eks", s.at.region, "addon/"+strings.Replace(s.id, ":", "/", 1)+"/"+uniqueUUID(s.id)),
					"tagsAll": tags(s.in), "modifiedAt": text(s.in, "createdAt"),
				})
		},
		check: checkAddOn, allow: allowAddOn,
	},
	aws.AccessEntry: {
		service: "EKS", create: "CreateAccessEntry", update: "UpdateAccessEntry", remove: "DeleteAccessEntry",
		required: []string{"clusterName", "principalArn"},
		replaces: []string{"clusterName", "principalArn", "type"},
		sets:     []string{"kubernetesGroups"},
		defaults: values{"type": "STANDARD"},
		computed: []string{"accessEntryArn", "createdAt", "kubernetesGroups", "modifiedAt", "tagsAll", "userName"},
		partOf:   &ofCluster,
		taken:    &answer{409, "ResourceInUseException", "The specified access entry resource is already in use on this cluster."},
		id:       func(_ place, in values) string { return text(in, "clusterName") + ":" + text(in, "principalArn") },
		settle:   madeAt,
		outputs: func(s subject) values {
			arn := "access-entry/" + text(s.in, "clusterName") + "/role/" + s.at.account + "/" + uniqueUUID(s.id)
			return mergeValues(values{"kubernetesGroups": []any{}, "userName": text(s.in, "principalArn")},
				given(s.in, "kubernetesGroups", "userName"),
				values{"accessEntryArn": s.at.arn("eks", s.at.region, arn), "modifiedAt": text(s.in, "createdAt"), "tagsAll": tags(s.in)})
		},
		check: func(in values) map[string]string {
			found := map[string]string{"type": oneOf(text(in, "type"), entryTypes...)}
			if arn := text(in, "principalArn"); arn != "" && !principal.MatchString(arn) {
				found["principalArn"] = fmt.Sprintf("is %q; want the ARN of an IAM role or user", arn)
			}
			for _, group := range walkTexts(in, "kubernetesGroups") {
				if strings.HasPrefix(group, "system:") {
					found["kubernetesGroups"] = fmt.Sprintf("has %q; groups of an access entry cannot begin with system:", group)
				}
			}
			return problems(found)
		},
		allow: func(s subject) *answer {
			cluster := s.account.one(aws.EKSCluster, text(s.in, "clusterName"))
			if mode := text(object(clusterOutputs(cluster)["accessConfig"]), "authenticationMode"); mode == "CONFIG_MAP" {
				return &answer{400, "InvalidRequestException", "The cluster's authentication mode must be set to one of [API, " +
					"API_AND_CONFIG_MAP] to perform this operation."}
			}
			return nil
		},
	},
	aws.AccessPolicyAssociation: {
		service: "EKS", create: "AssociateAccessPolicy", remove: "DisassociateAccessPolicy",
		required: []string{"accessScope", "clusterName", "policyArn", "principalArn"},
		replaces: []string{"accessScope", "clusterName", "policyArn", "principalArn"},
		sets:     []string{"accessScope.namespaces"},
		computed: []string{"associatedAt", "modifiedAt"},
		partOf:   &ofCluster,
		id: func(_ place, in values) string {
			return text(in, "clusterName") + "#" + text(in, "principalArn") + "#" + text(in, "policyArn")
		},
		outputs: func(s subject) values {
			made := text(s.account.one(aws.EKSCluster, text(s.in, "clusterName")).in, "createdAt")
			return values{"associatedAt": made, "modifiedAt": made}
		},
		check: func(in values) map[string]string {
			scope := object(in["accessScope"])
			found := map[string]string{"accessScope": oneOf(text(scope, "type"), "cluster", "namespace")}
			if (text(scope, "type") == "namespace") != (len(list(scope["namespaces"])) > 0) && text(scope, "type") != "" {
				found["accessScope"] = "namespaces go with the type namespace"
			}
			if arn := text(in, "policyArn"); arn != "" {
				_, name, isPolicy := strings.Cut(arn, ":eks::aws:cluster-access-policy/")
				if problem := oneOf(name, accessPolicies...); !isPolicy || problem != "" {
					found["policyArn"] = fmt.Sprintf("is %q; want one of %q, with arn:aws:eks::aws:cluster-access-policy/", arn, accessPolicies)
				}
			}
			return problems(found)
		},
		allow: func(s subject) *answer {
			if s.account.find(aws.AccessEntry, text(s.in, "clusterName")+":"+text(s.in, "principalArn")) == nil {
				return &answer{404, "ResourceNotFoundException", "The specified principalArn could not be found. You can view your " +
					"available access entries with 'list-access-entries'."}
			}
			return nil
		},
	},
	aws.PodIdentityAssociation: {
		service: "EKS", create: "CreatePodIdentityAssociation", update: "UpdatePodIdentityAssociation",
		remove:   "DeletePodIdentityAssociation",
		required: []string{"clusterName", "namespace", "roleArn", "serviceAccount"},
		replaces: []string{"clusterName", "namespace", "serviceAccount"},
		computed: []string{"associationArn", "associationId", "tagsAll"},
		partOf:   &ofCluster,
		refers:   []reference{assumes("roleArn", "pods.eks.amazonaws.com", noPodRole, podsMayAssume, "sts:TagSession")},
		id:       func(place, values) string { return "a-" + digest(uuid.NewString())[:17] },
		outputs: func(s subject) values {
			return values{
				"associationArn": s.at.arn("eks", s.at.region, "podidentityassociation/"+text(s.in, "clusterName")+"/"+s.id),
				"associationId":  s.id, "tagsAll": tags(s.in),
			}
		},
		allow: func(s subject) *answer {
			for _, other := range s.account.all(aws.PodIdentityAssociation) {
				differs := func(key string) bool { return text(s.in, key) != text(other.in, key) }
				if other.id != s.id && !slices.ContainsFunc([]string{"clusterName", "namespace", "serviceAccount"}, differs) {
					return &answer{409, "ResourceInUseException", "Association already exists: " + other.id}
				}
			}
			return nil
		},
	},
}

var principal = regexp.MustCompile(`^arn:aws[a-z-]*:(iam|sts)::[0-9]{12}:(role|user|federated-user|assumed-role)/.+$`)

func checkAddOn(in values) map[string]string {
	name, version := text(in, "addonName"), text(in, "addonVersion")
	found := map[string]string{
		"addonName":                oneOf(name, slices.Sorted(maps.Keys(addOns))...),
		"resolveConflictsOnCreate": oneOf(text(in, "resolveConflictsOnCreate"), "NONE", "OVERWRITE"),
		"resolveConflictsOnUpdate": oneOf(text(in, "resolveConflictsOnUpdate"), "NONE", "OVERWRITE", "PRESERVE"),
	}
	if version != "" && !addOnVersion.MatchString(version) {
		found["addonVersion"] = fmt.Sprintf("is %q; want a version such as %s", version, addOns["coredns"])
	}
	if configuration := text(in, "configurationValues"); configuration != "" {
		found["configurationValues"] = configurationProblem(name, configuration)
	}
	return problems(found)
}

// configurationProblem is what the schema of an add-on says against its configuration. Of the schemas this account has
// what is easily taken for something else: vpc-cni wants texts for truth values and for its environment.
func configurationProblem(addOn, text string) string {
	var configuration map[string]any
	if err := yaml.Unmarshal([]byte(text), &configuration); err != nil {
		return "is neither JSON nor YAML of an object: " + err.Error()
	}
	if addOn != "vpc-cni" {
		return ""
	}
	expectText := func(path string, v any) string {
		if _, ok := v.(string); v == nil || ok {
			return ""
		}
		shown, _ := json.Marshal(v)
		return fmt.Sprintf("Json schema validation failed with error: [$.%s: %s found, string expected]", path, shown)
	}
	problem := expectText("enableNetworkPolicy", configuration["enableNetworkPolicy"])
	environment := object(configuration["env"])
	for _, key := range slices.Sorted(maps.Keys(environment)) {
		problem += expectText("env."+key, environment[key])
	}
	if mode, _ := environment["NETWORK_POLICY_ENFORCING_MODE"].(string); problem == "" {
		problem = oneOf(mode, "standard", "strict")
	}
	return problem
}

// allowAddOn says whether an add-on becomes healthy: those with a Deployment need nodes for it.
func allowAddOn(s subject) *answer {
	if s.was != nil || !slices.Contains(onNodes, text(s.in, "addonName")) {
		return nil
	}
	for _, group := range s.account.all(aws.NodeGroup) {
		if text(group.in, "clusterName") == text(s.in, "clusterName") {
			return nil
		}
	}
	return &answer{400, "InsufficientNumberOfReplicas", "The add-on is unhealthy because all deployments have all pods " +
		"unscheduled no nodes available to schedule pods"}
}
