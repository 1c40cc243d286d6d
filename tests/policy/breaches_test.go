package policy_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/internal/planned"
	"github.com/telekom/controlplane-infrastructure/internal/policy"
)

// breach is a change of one resource of a stack that breaks a rule.
type breach struct {
	profile, kind, name string
	edit                func(*planned.Resource)
	// says is part of what is found.
	says string
	// on is the resource that it is found on, if that is another one.
	on string
}

// container is the path of the first container of a workload, with a property of it.
func container(property ...any) []any {
	return append([]any{"spec", "template", "spec", "containers", 0}, property...)
}

func unprotect(r *planned.Resource) { r.Protect = false }

// role has a rule more.
func role(verbs, groups, resources []any) func(*planned.Resource) {
	return add(map[string]any{"verbs": verbs, "apiGroups": groups, "resources": resources}, "rules")
}

const key = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIIrYSSNQFaA2Hwf1duRSxKtLYX5CB04fSeQ6tF1aY/PuoAoGCCqGSM49\n-----END EC PRIVATE KEY-----\n"

// breaches are by the rule that they break, and by what is done.
var breaches = map[string]map[string]breach{
	"pod-security": {
		"a container may become root": {"onprem", "Deployment", "identity/iris",
			set(true, container("securityContext", "allowPrivilegeEscalation")...), "allowPrivilegeEscalation", ""},
		"a pod has a directory of its node": {"onprem", "StatefulSet", "valkey/valkey",
			add(map[string]any{"name": "node", "hostPath": map[string]any{"path": "/"}}, "spec", "template", "spec", "volumes"), "hostPath", ""},
		"an agent of the nodes is not the one that may": {"istio", "DaemonSet", "istio-dataplane/ztunnel",
			set("another", "metadata", "name"), "breaks the Pod Security level restricted", ""},
		"a namespace enforces less": {"onprem", "Namespace", "minio",
			set("baseline", "metadata", "labels", "pod-security.kubernetes.io/enforce"), `"baseline": it must be "restricted"`, ""},
		"a namespace enforces nothing": {"prod", "Namespace", "identity",
			set(nil, "metadata", "labels", "pod-security.kubernetes.io/enforce"), `must be "restricted"`, ""},
	},
	"resources": {
		"a container has no limit": {"onprem", "Deployment", "identity/iris",
			set(nil, container("resources", "limits", "memory")...), "no limit of memory", ""},
		"a Job requests nothing": {"onprem", "Job", "minio/minio-bootstrap",
			set(nil, container("resources")...), "no limit of CPU, limit of memory, request of CPU and request of memory", ""},
		"a database requests nothing":   {"prod", "Cluster", "postgresql/platform", set(nil, "spec", "resources", "requests"), "container postgres has no request", ""},
		"Prometheus has no limits":      {"dev", "Prometheus", "monitoring/platform", set(nil, "spec", "resources", "limits"), "no limit", ""},
		"a pooler has no limit of CPU":  {"istio", "Pooler", "postgresql/platform-pooler-rw", set(nil, container("resources", "limits", "cpu")...), "no limit of CPU", ""},
		"its init container has no CPU": {"istio", "Pooler", "postgresql/platform-pooler-rw", set(nil, "spec", "template", "spec", "initContainers", 0, "resources", "requests", "cpu"), "bootstrap-controller has no request of CPU", ""},
	},
	"image-tag": {
		"latest":                 {"onprem", "Deployment", "identity/iris", set("quay.io/keycloak/keycloak:latest", container("image")...), "moves", ""},
		"none":                   {"onprem", "DaemonSet", "node-exporter/node-exporter", set("quay.io/prometheus/node-exporter", container("image")...), "has no tag", ""},
		"a registry with a port": {"onprem", "StatefulSet", "minio/minio", set("registry.example.com:5000/minio", container("image")...), "has no tag", ""},
		"a branch":               {"prod", "Cluster", "postgresql/platform", set("ghcr.io/cloudnative-pg/postgresql:main", "spec", "imageName"), "moves", ""},
		"the operator's choice":  {"dev", "Alertmanager", "monitoring/platform", set(nil, "spec", "image"), "is missing", ""},
	},
	"disruption-budget": {
		"it is for other pods": {"onprem", "PodDisruptionBudget", "identity/iris",
			set("other", "spec", "selector", "matchLabels", "app.kubernetes.io/name"), "3 replicas and no PodDisruptionBudget", "identity/iris"},
		"it is in another namespace": {"onprem", "PodDisruptionBudget", "monitoring/prometheus",
			set("other", "metadata", "namespace"), "no PodDisruptionBudget", "monitoring/platform"},
		"it blocks every drain": {"prod", "PodDisruptionBudget", "valkey/valkey-sentinels",
			set(int64(0), "spec", "maxUnavailable"), "never lets a pod leave", "valkey/valkey-sentinels"},
		"all have to stay": {"prod", "PodDisruptionBudget", "ingress/traefik",
			then(set(nil, "spec", "maxUnavailable"), set("100%", "spec", "minAvailable")), "never lets a pod leave", "ingress/traefik"},
		"there are two": {"onprem", "PodDisruptionBudget", "monitoring/alertmanager-platform",
			set("prometheus", "spec", "selector", "matchLabels", "app.kubernetes.io/name"), "several PodDisruptionBudgets", "monitoring/platform"},
		"the operator makes none": {"onprem", "Cluster", "postgresql/platform", set(false, "spec", "enablePDB"), "no PodDisruptionBudget", ""},
	},
	"spread": {
		"nothing keeps replicas apart": {"onprem", "Deployment", "identity/iris",
			then(set(nil, "spec", "template", "spec", "affinity"), set(nil, "spec", "template", "spec", "topologySpreadConstraints")), "in one place", ""},
		"it is about other pods": {"onprem", "StatefulSet", "valkey/valkey", then(set(nil, "spec", "template", "spec", "affinity"),
			set("other", "spec", "template", "spec", "topologySpreadConstraints", 0, "labelSelector", "matchLabels", "app.kubernetes.io/component")),
			"in one place", ""},
		"nothing keeps databases apart": {"prod", "Cluster", "postgresql/platform",
			then(set(false, "spec", "affinity", "enablePodAntiAffinity"), set(nil, "spec", "topologySpreadConstraints")), "in one place", ""},
		"nothing keeps Prometheus apart": {"prod", "Prometheus", "monitoring/platform",
			then(set(nil, "spec", "affinity"), set(nil, "spec", "topologySpreadConstraints")), "in one place", ""},
	},
	"plain-secret": {
		"in a Secret":      {"onprem", "Secret", "identity/iris-admin", set(map[string]any{"password": "hunter2"}, "stringData"), "stringData.password is not secret", ""},
		"in encoded data":  {"onprem", "Secret", "minio/minio-root", set(map[string]any{"password": "aHVudGVyMg=="}, "data"), "data.password is not secret", ""},
		"in a variable":    {"onprem", "Deployment", "identity/iris", add(map[string]any{"name": "KC_DB_PASSWORD", "value": "hunter2"}, container("env")...), "variable KC_DB_PASSWORD has a plain value", ""},
		"in an argument":   {"prod", "Deployment", "ingress/traefik", add("--api.token=hunter2hunter2", container("args")...), "argument api.token has a plain value", ""},
		"in a file":        {"onprem", "ConfigMap", "monitoring/grafana-settings", set("[database]\npassword = hunter2\n", "data", "grafana.ini"), "data.grafana.ini: password has a plain value", ""},
		"a key in a file":  {"onprem", "ConfigMap", "valkey/valkey-servers", set(key, "data", "valkey.conf"), "holds a private key", ""},
		"in an annotation": {"onprem", "Service", "identity/iris", set(map[string]any{"example.org/api-key": "hunter2"}, "metadata", "annotations"), "annotation example.org/api-key", ""},
		"in an address":    {"onprem", "ConfigMap", "monitoring/grafana-settings", set("url = postgres://grafana:hunter2@db/grafana\n", "data", "grafana.ini"), "holds a password in an address", ""},
		"of a realm":       {"onprem", "Client", "realm-rover/rover", set("hunter2", "clientSecret"), "clientSecret has a plain value", ""},
		"of a database":    {"managed", "Instance", "storage-rds-platform", set("hunter2", "password"), "password has a plain value", ""},
		"of a provider":    {"onprem", "pulumi:providers:keycloak", "keycloak", set("hunter2", "password"), "password has a plain value", ""},
		"of a cache":       {"managed", "ReplicationGroup", "storage-elasticache", set("hunter2", "authToken"), "authToken has a plain value", ""},
	},
	"rbac": {
		"all verbs":     {"onprem", "ClusterRole", "traefik", role([]any{"*"}, []any{""}, []any{"services"}), `all verbs ("*") on services`, ""},
		"all resources": {"onprem", "Role", "monitoring/prometheus-operator", role([]any{"get"}, []any{"apps"}, []any{"*"}), `all resources ("*")`, ""},
		"all groups":    {"onprem", "ClusterRole", "prometheus-operator", role([]any{"get"}, []any{"*"}, []any{"services"}), `all API groups ("*")`, ""},
		"impersonate":   {"onprem", "ClusterRole", "prometheus-operator", role([]any{"impersonate"}, []any{""}, []any{"users"}), "may impersonate users", ""},
		"secrets":       {"onprem", "ClusterRole", "prometheus-operator", role([]any{"get"}, []any{""}, []any{"secrets"}), "may get secrets in all namespaces", ""},
		"a shell":       {"onprem", "Role", "monitoring/prometheus-operator", role([]any{"create"}, []any{""}, []any{"pods/exec"}), "may create pods/exec", ""},
		"more than its exception": {"onprem", "ClusterRole", "cert-manager-controller-issuers",
			role([]any{"create"}, []any{""}, []any{"pods"}), "may create pods in all namespaces", ""},
		"everything":         {"onprem", "ClusterRoleBinding", "traefik", set("cluster-admin", "roleRef", "name"), "grants cluster-admin", ""},
		"rights for anybody": {"onprem", "ClusterRoleBinding", "traefik", set("system:authenticated", "subjects", 0, "name"), "which is everybody", ""},
	},
	"tls": {
		"a port in plain text":        {"onprem", "Service", "identity/iris", then(set("http", "spec", "ports", 0, "name"), set(nil, "spec", "ports", 0, "appProtocol")), "port 8443 (http)", ""},
		"a port that nobody knows":    {"onprem", "Service", "valkey/valkey", set(int64(6380), "spec", "ports", 0, "port"), "port 6380", ""},
		"metrics by http":             {"onprem", "ServiceMonitor", "valkey/valkey", set("http", "spec", "endpoints", 0, "scheme"), "port 9121 (metrics)", "valkey/valkey-servers"},
		"an Ingress":                  {"onprem", "Ingress", "identity/iris", set(nil, "spec", "tls"), "is in no section tls", ""},
		"a cache":                     {"managed", "ReplicationGroup", "storage-elasticache", set(false, "transitEncryptionEnabled"), "transitEncryptionEnabled is not true", ""},
		"a database's own parameters": {"managed", "aws:rds/parameterGroup:ParameterGroup", "storage-rds-platform-parameters", set(nil, "parameters"), "rds.force_ssl", ""},
	},
	"deletion-protection": {
		"a volume":                       {"onprem", "PersistentVolumeClaim", "minio/data-minio-0", unprotect, "the data of a volume", ""},
		"a database":                     {"onprem", "Cluster", "postgresql/platform", unprotect, "the databases of a PostgreSQL cluster", ""},
		"the namespace of a database":    {"onprem", "Namespace", "postgresql", unprotect, "Cluster postgresql/platform in it is", ""},
		"a realm":                        {"onprem", "keycloak:index/realm:Realm", "realm-rover", unprotect, "the users, clients and sessions of a realm", ""},
		"a database that goes":           {"onprem", "Database", "postgresql/platform-iris", set("delete", "spec", "databaseReclaimPolicy"), "databaseReclaimPolicy is delete", ""},
		"a cluster":                      {"prod", "aws:eks/cluster:Cluster", "cluster", unprotect, "the cluster with everything", ""},
		"a bucket":                       {"prod", "BucketV2", "files", unprotect, "the objects of a bucket", ""},
		"a bucket that may be full":      {"prod", "BucketV2", "backups", set(true, "forceDestroy"), "forceDestroy is not false", ""},
		"a key":                          {"prod", "Key", "key", unprotect, "everything that is encrypted with the key", ""},
		"an instance":                    {"managed", "Instance", "storage-rds-platform", set(false, "deletionProtection"), "deletionProtection is not true", ""},
		"an instance without a snapshot": {"managed", "Instance", "storage-rds-platform", set(true, "skipFinalSnapshot"), "skipFinalSnapshot is not false", ""},
	},
}

// Each rule notices what breaks it in a stack of the project, and nothing else does.
func TestRulesBite(t *testing.T) {
	for _, rule := range policy.Rules() {
		require.NotEmpty(t, breaches[rule.Name], rule.Name)
		for what, b := range breaches[rule.Name] {
			t.Run(rule.Name+"/"+what, func(t *testing.T) {
				found := policy.Check(change(t, resources(t, b.profile), b.kind, b.name, b.edit))
				on := b.on
				if on == "" {
					on = b.name
				}
				require.NotEmpty(t, found)
				said := ""
				for _, f := range found {
					assert.Equal(t, rule.Name, f.Rule, f.Message)
					if f.Name == on {
						said += f.Message + "\n"
					}
				}
				assert.Contains(t, said, b.says)
			})
		}
	}
}
