package kubernetes

import (
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// identityFields make another object of any kind, Patch resources included.
var identityFields = []string{"metadata.name", "metadata.namespace"}

// immutable lists, per kind, the fields that the API server does not let anyone change: a change means another object.
// It is the published plugin's table. Where that is stricter than the API server (a Job's parallelism, a StatefulSet's
// revision history) it is kept, so that a plan does not depend on the plugin.
var immutable = map[schema.GroupKind][]string{
	// Pods are matched by the selector: a changed one would abandon the running ones.
	{Group: "apps", Kind: "Deployment"}: {"spec.selector"},
	{Group: "apps", Kind: "DaemonSet"}:  {"spec.selector"},
	// The claims and network identities that pods already have come from these.
	{Group: "apps", Kind: "StatefulSet"}: {
		"spec.podManagementPolicy", "spec.revisionHistoryLimit", "spec.selector", "spec.serviceName",
		"spec.volumeClaimTemplates",
	},
	// A Job is one run of one template.
	{Group: "batch", Kind: "Job"}: {
		"spec.completions", "spec.parallelism", "spec.selector", "spec.template",
	},
	// A binding's subjects may change, not what they are granted.
	{Group: "rbac.authorization.k8s.io", Kind: "ClusterRoleBinding"}: {"roleRef"},
	{Group: "rbac.authorization.k8s.io", Kind: "RoleBinding"}:        {"roleRef"},
	// Volumes were provisioned with these.
	{Group: "storage.k8s.io", Kind: "StorageClass"}: {"parameters", "provisioner"},
	// A bound claim can only grow, which leaves its resources changeable.
	{Kind: "PersistentVolumeClaim"}: {
		"spec.accessModes", "spec.selector", "spec.storageClassName", "spec.volumeName",
	},
	{Kind: "PersistentVolume"}: prefixed("spec.",
		"awsElasticBlockStore", "azureDisk", "azureFile", "cephfs", "cinder", "csi", "fc", "flexVolume", "flocker",
		"gcePersistentDisk", "glusterfs", "hostPath", "iscsi", "local", "nfs", "photonPersistentDisk",
		"portworxVolume", "quobyte", "rbd", "scaleIO", "storageos", "vsphereVolume"),
	{Kind: "ResourceQuota"}: {"spec.scopes"},
	{Kind: "Secret"}:        {"type"},
	{Kind: "Service"}:       {"spec.clusterIP"},
	{Kind: "Pod"}: append(append(prefixed("spec.",
		"affinity", "automountServiceAccountToken", "dnsConfig", "dnsPolicy", "enableServiceLinks", "hostAliases",
		"hostIPC", "hostNetwork", "hostPID", "hostname", "imagePullSecrets", "nodeName", "nodeSelector", "overhead",
		"preemptionPolicy", "priority", "priorityClassName", "readinessGates", "restartPolicy", "runtimeClassName",
		"schedulerName", "securityContext", "serviceAccount", "serviceAccountName", "shareProcessNamespace",
		"subdomain", "terminationGracePeriodSeconds", "volumes"),
		prefixed("spec.containers[*].", containerFields...)...),
		prefixed("spec.initContainers[*].", containerFields...)...),
}

var containerFields = []string{
	"args", "command", "env", "image", "imagePullPolicy", "lifecycle", "livenessProbe", "ports", "readinessProbe",
	"resources", "securityContext", "stdin", "stdinOnce", "terminationMessagePath", "terminationMessagePolicy", "tty",
	"volumeDevices", "volumeMounts", "workingDir",
}

func prefixed(prefix string, fields ...string) []string {
	out := make([]string, len(fields))
	for i, field := range fields {
		out[i] = prefix + field
	}
	return out
}

// replacing returns the fields of an object whose change means a replacement.
func (set settings) replacing(obj *unstructured.Unstructured, patch bool) []string {
	fields := append([]string{}, identityFields...)
	if patch {
		return fields
	}
	fields = append(fields, immutable[obj.GroupVersionKind().GroupKind()]...)
	frozen, _, _ := unstructured.NestedBool(obj.Object, "immutable")
	switch {
	// New contents under a new name roll the pods that use them, as long as the configuration does not say otherwise.
	case is(obj, "", "Secret") && (!set.secretMutable || frozen):
		fields = append(fields, "stringData", "data")
	case is(obj, "", "ConfigMap") && (!set.configMapMutable || frozen):
		fields = append(fields, "binaryData", "data")
	}
	return fields
}

// touches tells whether a change at a path, from one value to another, changes one of the fields.
func touches(fields []string, path []any, values ...any) bool {
	for _, field := range fields {
		if touchesField(strings.Split(strings.ReplaceAll(field, "[*]", ".*"), "."), path, values) {
			return true
		}
	}
	return false
}

func touchesField(field []string, path []any, values []any) bool {
	for i, segment := range field {
		if i == len(path) {
			// The change is above the field: it counts if the field is part of what came or went.
			for _, value := range values {
				if contains(value, field[i:]) {
					return true
				}
			}
			return false
		}
		switch at := path[i].(type) {
		case string:
			if at != segment {
				return false
			}
		case int:
			if segment != "*" {
				return false
			}
		}
	}
	return true
}

func contains(value any, field []string) bool {
	if len(field) == 0 {
		return true
	}
	switch v := value.(type) {
	case map[string]any:
		inner, ok := v[field[0]]
		return ok && contains(inner, field[1:])
	case []any:
		for _, e := range v {
			if field[0] == "*" && contains(e, field[1:]) {
				return true
			}
		}
	}
	return false
}
